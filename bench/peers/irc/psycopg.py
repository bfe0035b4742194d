"""psycopg 3 (its C implementation): prepared statements, binary results, tuples."""

from __future__ import annotations

from typing import Any

import psycopg

from bench.irc import Row
from bench.peers.irc.texts import TEXTS, TextArm

STATEMENTS = {kind: text.replace("?", "%s").encode() for kind, text in TEXTS.items()}


class Arm(TextArm):
    """One cursor."""

    def __init__(self, url: str) -> None:
        self.cursor = psycopg.connect(url, autocommit=True).cursor(binary=True)

    def ask(self, kind: str, *parameters: Any) -> list[Row]:
        """fetchall."""
        return self.cursor.execute(STATEMENTS[kind], parameters, prepare=True).fetchall()
