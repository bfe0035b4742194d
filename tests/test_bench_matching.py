"""The campaigns of the bench: Rowmill finds those of which the closures are true, in each form, and some."""

from __future__ import annotations

import json
import random

import rowmill as rm
from bench.campaigns import ATTRIBUTES, campaign, request
from bench.closures import all_of, closure
from bench.peers.matching import expression


def test_both_find_the_same_campaigns() -> None:
    dice = random.Random(1)
    campaigns = [campaign(dice) for _ in range(3_000)]
    requests = [request(dice) for _ in range(60)]
    closures = [all_of([closure(part) for part in parts]) for parts in campaigns]
    matcher: rm.Matcher[int] = rm.Matcher(ATTRIBUTES)
    matcher.insert_many((at, expression(rm, parts)) for at, parts in enumerate(campaigns))
    frame = rm.Frame([{name: record.get(name) for name in ATTRIBUTES} for record in requests])
    pairs = set(matcher.match_batch(frame).to_tuples())
    total = 0
    for row, record in enumerate(requests):
        wanted = [at for at, holds in enumerate(closures) if holds(record)]
        assert sorted(matcher.match(record)) == wanted
        assert sorted(matcher.match(json.dumps(record))) == wanted
        assert sorted(id for at, id in pairs if at == row) == wanted
        total += len(wanted)
    # One in two hundred, or nearly so.
    assert 0.002 < total / (60 * 3_000) < 0.01
