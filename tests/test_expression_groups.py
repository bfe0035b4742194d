"""What is computed over groups and windows, and orders: the same on both databases as in Python, by draws."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rowmill as rm
from rowmill import _rowmill
from tests.expression_cases import Column, schema
from tests.expression_engines import Database, agree, plain
from tests.expression_functions import compare
from tests.expression_interpreter import inner
from tests.postgres_server import PostgresServer

ROWS = 30
SCHEMAS = 4
NUMBERS = ["i0", "i1", "f0", "dec0"]
SORTED = [*NUMBERS, "t0", "day0", "z0", "tst0", "tim0"]
PLACES = {row[0]: row[3] for row in _rowmill.operators() if row[3] != "Row"}

Row = dict[str, Any]


def _order(values: list[Any]) -> list[Any]:
    return sorted(values, key=functools.cmp_to_key(lambda a, b: compare(a, b)))


def _distinct(values: list[Any]) -> int:
    return len({"nan" if value != value else value for value in values})


AGGREGATES: dict[str, tuple[Callable[[Any], Any], Callable[[list[Any]], Any], list[str]]] = {
    "Count": (lambda a: a.count(), len, SORTED),
    "CountDistinct": (lambda a: a.count_distinct(), _distinct, SORTED),
    "Sum": (lambda a: a.sum(), lambda values: float(sum(values)) if values else None, NUMBERS),
    "Average": (
        lambda a: a.mean(),
        lambda values: float(sum(values)) / len(values) if values else None,
        NUMBERS,
    ),
    "Minimum": (lambda a: a.min(), lambda values: _order(values)[0] if values else None, SORTED),
    "Maximum": (lambda a: a.max(), lambda values: _order(values)[-1] if values else None, SORTED),
}


class Data:
    """One schema on both databases, with Python's view of its rows."""

    def __init__(self, url: str, seed: int) -> None:
        columns = [self._finite(column) for column in schema(random.Random(seed), ROWS)]
        self.kinds = {column.name: column.kind for column in columns}
        self.rows = [
            {column.name: inner(column.values[row]) for column in columns} for row in range(ROWS)
        ]
        self.databases = [Database(url, columns), Database("sqlite://", columns)]

    @staticmethod
    def _finite(column: Column) -> Column:
        """Without what sums are NaN by."""
        if column.kind == "float":
            column.values = [
                value if value is not None and math.isfinite(value) else None
                for value in column.values
            ]
        return column

    def values(self, rows: list[Row], name: str) -> list[Any]:
        """A column's values that are not NULL."""
        return [row[name] for row in rows if row[name] is not None]


@pytest.fixture(scope="module", params=range(SCHEMAS))
def data(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[Data]:
    with postgres.fresh_database() as url:
        made = Data(url, 100 + request.param)
        yield made
        for database in made.databases:
            database.close()


def _same(found: Any, wanted: Any, kind: str) -> bool:
    if isinstance(wanted, float) and found is not None:
        return agree(float(found), wanted)
    return agree(plain(found, kind), plain(wanted, kind))


@pytest.mark.parametrize("narrowed", [False, True])
@pytest.mark.parametrize("operator", AGGREGATES)
def test_groups(data: Data, operator: str, narrowed: bool) -> None:
    call, compute, columns = AGGREGATES[operator]
    for name in columns:
        groups: dict[Any, list[Row]] = {}
        for row in data.rows:
            groups.setdefault(row["b0"], []).append(row)
        for database in data.databases:
            made = call(database.names[name])
            if narrowed:
                made = made.where(database.names["i0"] > 1)
            key = database.names["b0"]
            query = rm.select(k=key, rows=rm.count(), v=made).group_by(key)
            found = {row[0]: (row[1], row[2]) for row in database.db.fetch(query)}
            kind = data.kinds[name] if operator in ("Minimum", "Maximum") else "int"
            for group, rows in groups.items():
                counted = [row for row in rows if not narrowed or (row["i0"] or 0) > 1]
                wanted = compute(data.values(counted, name))
                assert found[group][0] == len(rows)
                assert _same(found[group][1], wanted, kind), (name, group)


@pytest.mark.parametrize("narrowed", [False, True])
@pytest.mark.parametrize("operator", AGGREGATES)
def test_groups_of_a_frame(data: Data, operator: str, narrowed: bool) -> None:
    """A frame of the same rows says what its database says."""
    call, _, columns = AGGREGATES[operator]
    for database in data.databases:
        named = database.names
        frame = database.db.fetch(rm.select(named["b0"], *(named[name] for name in SORTED)))
        for name in columns:
            if operator == "Average" and data.kinds[name] == "decimal":
                continue  # refused: it has no exact value
            in_query, in_frame = call(named[name]), call(rm.col(name))
            if narrowed:
                in_query, in_frame = (
                    in_query.where(named["i0"] > 1),
                    in_frame.where(rm.col("i0") > 1),
                )
            key = named["b0"]
            query = rm.select(b0=key, rows=rm.count(), v=in_query).group_by(key)
            wanted = {row[0]: (row[1], row[2]) for row in database.db.fetch(query)}
            found = frame.group_by("b0").agg(rows=rm.count(), v=in_frame)
            kind = data.kinds[name] if operator in ("Minimum", "Maximum") else "int"
            for group, rows, value in found.to_tuples():
                assert wanted[group][0] == rows
                assert _same(value, wanted[group][1], kind), (name, group)
            assert len(found) == len(wanted)


def _ranked(rows: list[Row], name: str) -> dict[int, tuple[int, int, int]]:
    """Number, rank and dense rank of each row in an order by one column, NULL last."""
    ordered = sorted(rows, key=functools.cmp_to_key(functools.partial(_by, name=name)))
    found, dense, rank = {}, 0, 0
    for at, row in enumerate(ordered):
        if at == 0 or _by(ordered[at - 1], row, name, ids=False):
            dense, rank = dense + 1, at + 1
        found[row["id"]] = (at + 1, rank, dense)
    return found


def _by(
    a: Any, b: Any, name: str, *, ids: bool = True, down: bool = False, first: bool = False
) -> int:
    one, other = a[name], b[name]
    if one is None or other is None:
        order = ((one is None) - (other is None)) * (-1 if first else 1)
    else:
        order = compare(one, other) * (-1 if down else 1)
    return order or ((a["id"] > b["id"]) - (a["id"] < b["id"]) if ids else 0)


@pytest.mark.parametrize("name", SORTED)
def test_windows(data: Data, name: str) -> None:
    parts: dict[Any, list[Row]] = {}
    for row in data.rows:
        parts.setdefault(row["b0"], []).append(row)
    wanted: dict[int, list[Any]] = {}
    for rows in parts.values():
        ranked = _ranked(rows, name)
        ordered = sorted(rows, key=lambda row: ranked[row["id"]][0])
        ids = [None, None, *(row["id"] for row in ordered), None]
        for at, row in enumerate(ordered):
            around = [ids[at], ids[at + 3], ids[2], row["id"]]
            wanted[row["id"]] = [*ranked[row["id"]], *around]
    for database in data.databases:
        row_id, key, by = (database.names[one] for one in ("id", name, "b0"))
        ordered_by, ties = [key.nulls_last(), row_id], [key.nulls_last()]
        made = {
            "a": rm.row_number().over(partition_by=by, order_by=ordered_by),
            "b": rm.rank().over(partition_by=by, order_by=ties),
            "c": rm.dense_rank().over(partition_by=by, order_by=ties),
            "d": row_id.lag(2).over(partition_by=by, order_by=ordered_by),
            "e": row_id.lead().over(partition_by=by, order_by=ordered_by),
            "f": row_id.first_value().over(partition_by=by, order_by=ordered_by),
            "g": row_id.last_value().over(partition_by=by, order_by=ordered_by),
        }
        found = {row[0]: list(row)[1:] for row in database.db.fetch(rm.select(row_id, **made))}
        assert found == wanted


@pytest.mark.parametrize("first", [False, True, None])
@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("name", SORTED)
def test_orders(data: Data, name: str, down: bool, first: bool | None) -> None:
    # NULL is above all values, unless the key says where.
    nulls = down if first is None else first
    order = functools.cmp_to_key(functools.partial(_by, name=name, down=down, first=nulls))
    wanted = [row["id"] for row in sorted(data.rows, key=order)]
    for database in data.databases:
        key = database.names[name].desc() if down else database.names[name]
        if first is not None:
            key = key.nulls_first() if first else key.nulls_last()
        query = rm.select(database.names["id"]).order_by(key, database.names["id"])
        assert database.db.fetch(query)["id"].to_list() == wanted


def test_each_operator_that_is_not_of_a_row_is_drawn() -> None:
    drawn = {*AGGREGATES, "CountRows", "Where", "RowNumber", "Rank", "DenseRank", "Lag", "Lead"}
    drawn |= {"FirstValue", "LastValue", "Descending", "NullsFirst", "NullsLast"}
    assert drawn == set(PLACES)
