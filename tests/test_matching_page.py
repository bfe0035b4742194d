"""docs/matching.md runs as it stands."""

from __future__ import annotations

from tests.pages import blocks, run

PAGE = "matching.md"


def test_the_page_runs() -> None:
    assert len(blocks(PAGE)) >= 5
    names = run(PAGE)
    assert [
        reason.truth for reason in names["matcher"].explain("campaign-7", {"country": "DE"})
    ] == [
        None,
        None,
        True,
    ]
    names["db"].close()
