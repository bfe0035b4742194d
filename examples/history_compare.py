"""Time a statement through Rowmill and through the standard library, and compare the answers."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rowmill as rm
from history_questions import Question

# Seconds after which a question is not timed again: the history of a large repository takes long
# enough for one round to be steady.
PATIENCE = 10.0


class DifferenceError(Exception):
    """Rowmill and the standard library answered differently."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The best times in seconds and the sizes in bytes of one question, answered both ways."""

    question: Question
    rows: int
    frame: float
    dicts: float
    json: float
    dumps: float
    json_bytes: int
    dumps_bytes: int


class StandardLibrary:
    """What one writes without Rowmill: `sqlite3`, a dict for each row, `json.dumps`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)

    def fetch(self, sql: str) -> list[dict[str, Any]]:
        """The rows as dicts."""
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def fetch_json(self, sql: str) -> bytes:
        """The rows as JSON, written as compactly as Rowmill does."""
        rows = self.fetch(sql)
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def compare(db: rm.Database, other: StandardLibrary, question: Question, repeat: int) -> Comparison:
    """Check that both ways answer alike, then time them.

    Raises:
        DifferenceError: a value, a column or a row is not the same.
    """
    sql = question.sql
    frame, answer = db.fetch(sql), db.fetch_json(sql)
    dicts, dumped = other.fetch(sql), other.fetch_json(sql)
    same(question, json.loads(answer), json.loads(dumped))
    columns = frame.to_dict()
    rows = zip(*columns.values(), strict=True)
    same(question, [dict(zip(columns, row, strict=True)) for row in rows], dicts)
    frame_time, dicts_time, json_time, dumps_time = best(
        repeat,
        lambda: db.fetch(sql),
        lambda: other.fetch(sql),
        lambda: db.fetch_json(sql),
        lambda: other.fetch_json(sql),
    )
    return Comparison(
        question=question,
        rows=len(dicts),
        frame=frame_time,
        dicts=dicts_time,
        json=json_time,
        dumps=dumps_time,
        json_bytes=len(answer),
        dumps_bytes=len(dumped),
    )


def best(repeat: int, *works: Callable[[], object]) -> list[float]:
    """The shortest time of each, taking turns so that a slow moment of the machine hits all."""
    shortest = [float("inf")] * len(works)
    until = time.perf_counter() + PATIENCE
    for turn in range(repeat):
        if turn and time.perf_counter() > until:
            break
        for at, work in enumerate(works):
            started = time.perf_counter()
            work()
            shortest[at] = min(shortest[at], time.perf_counter() - started)
    return shortest


def same(question: Question, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Nothing if the rows are equal, `DifferenceError` naming the first that is not."""
    if ours == theirs:
        return
    if len(ours) != len(theirs):
        raise DifferenceError(
            f"{question.title}: {len(ours)} rows, the standard library {len(theirs)}"
        )
    at = next(at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    raise DifferenceError(
        f"{question.title}, row {at}: {ours[at]}, the standard library {theirs[at]}"
    )
