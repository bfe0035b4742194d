"""Rowmill with the statements written by hand: what its query objects stand beside."""

from __future__ import annotations

import itertools
import re
from typing import Any

import rowmill as rm
from bench.irc import Row
from bench.peers.irc.texts import TEXTS, TextArm


def numbered(text: str) -> str:
    """`$1`, `$2` ... for each `?`."""
    number = itertools.count(1)
    return re.sub(r"\?", lambda _: f"${next(number)}", text)


STATEMENTS = {kind: numbered(text) for kind, text in TEXTS.items()}


class Arm(TextArm):
    """One database."""

    def __init__(self, url: str) -> None:
        self.db = rm.Database(url)

    def ask(self, kind: str, *parameters: Any) -> list[Row]:
        """All rows; a row's values are made when they are asked for, so they are asked for."""
        return self.db.fetch(STATEMENTS[kind], *parameters).to_tuples()
