"""Many rows of all PostgreSQL types: NULLs at every edge, slices, streams, the event loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.type_cases import ARRAYS, SCALARS, SETUP, Both, source
from tests.type_reference import OUTPUTS, beyond_polars, from_arrow, from_row, reference


@pytest.fixture(scope="module")
def both(postgres: PostgresServer) -> Iterator[Both]:
    with postgres.fresh_database() as url:
        pair = Both(url)
        pair.oracle.execute(SETUP)
        yield pair
        pair.close()


WIDE = [case for case in [*SCALARS, *ARRAYS] if "bpchar" not in case.sql]


def _wide(rows: int, null: str) -> str:
    """Every type side by side, `rows` rows; NULL where the condition on `g` holds."""
    columns = []
    for at, case in enumerate(WIDE):
        texts = ", ".join("'" + text.replace("'", "''") + "'" for text in case.texts)
        pick = f"(array[{texts}]::text[])[(g + {at}) % {len(case.texts)} + 1]"
        columns.append(f"case when {null} then null else {pick}::{case.sql} end as c{at}")
    return f"select {', '.join(columns)} from generate_series(0, {rows - 1}) g order by g"


@pytest.fixture(scope="module")
def cycle(both: Both) -> list[list[Any]]:
    """Per column, the values that `_wide` goes round with."""
    made = []
    for at, case in enumerate(WIDE):
        values = [reference(case.kind, text) for text in both.texts(source(case.sql, case.texts))]
        made.append(values[at % len(values) :] + values[: at % len(values)])
    return made


@pytest.mark.parametrize("rows", [1, 2, 63, 64, 65, 127, 128, 129, 1023, 1025])
@pytest.mark.parametrize(
    ("null", "is_null"),
    [
        ("false", lambda g, _: False),
        ("true", lambda g, _: True),
        ("g = 0", lambda g, _: g == 0),
        ("g % 64 = 63", lambda g, _: g % 64 == 63),
        ("g % 64 <> 0", lambda g, _: g % 64 != 0),
        ("g % 2 = 1", lambda g, _: g % 2 == 1),
        ("g >= 64", lambda g, _: g >= 64),
    ],
)
def test_nulls_at_every_edge(
    both: Both, cycle: list[list[Any]], rows: int, null: str, is_null: Any
) -> None:
    frame = both.db.fetch(_wide(rows, null))
    table = frame.to_arrow()
    for at, values in enumerate(cycle):
        want = [None if is_null(g, rows) else values[g % len(values)] for g in range(rows)]
        assert from_arrow(frame, at) == want, WIDE[at]
        assert table.column(at).null_count == frame._column(at).null_count == want.count(None)
    if rows == 129:
        for at in range(len(cycle)):
            assert from_row(frame, at) == from_arrow(frame, at), WIDE[at]


@pytest.mark.parametrize("batch_rows", [1, 7, 64, 333, 5_000])
def test_a_stream_gives_what_a_fetch_gives(both: Both, batch_rows: int) -> None:
    rows = 60 if batch_rows == 1 else 1_000
    sql = _wide(rows, "g % 64 = 63 or g % 5 = 2")
    whole = both.db.fetch(sql)
    parts = list(both.db.stream(sql, batch_rows=batch_rows))
    assert sum(map(len, parts)) == rows
    assert all(part.columns == whole.columns for part in parts)
    for at, case in enumerate(WIDE):
        assert [value for part in parts for value in from_arrow(part, at)] == from_arrow(whole, at)
        if "decimal" not in case.kind and "[list[" not in case.kind:  # see the next test
            assert {part.schema.types[at] for part in parts} == {whole.schema.types[at]}, case


@pytest.mark.parametrize(
    "sql",
    [
        "select (g / power(10::numeric, 20 - g))::numeric as v from generate_series(0, 20) g order by g",
        "select array[(g / power(10::numeric, 20 - g))::numeric] as v from generate_series(0, 20) g order by g",
        "select case when g = 0 then '{{1},{2}}'::int[] end as v from generate_series(0, 20) g order by g",
    ],
    ids=["scale", "scale of elements", "depth"],
)
def test_what_a_part_of_a_stream_finds_holds_for_the_next(both: Both, sql: str) -> None:
    """Values alone tell some types: what is known by then is no longer forgotten."""
    parts = list(both.db.stream(sql, batch_rows=5))
    assert [value for part in parts for value in from_row(part, 0)] == from_row(
        both.db.fetch(sql), 0
    )
    assert len({part.schema.types[0] for part in parts}) == 1


@pytest.mark.parametrize("output", OUTPUTS)
def test_slices_give_what_the_whole_gives(both: Both, cycle: list[list[Any]], output: str) -> None:
    """Offsets within a byte of the bitmap, within dictionaries, lists of lists and text."""
    frame, read = both.db.fetch(_wide(129, "g % 5 = 3")), OUTPUTS[output]
    for at, case in enumerate(WIDE):
        if output == "polars" and beyond_polars(case.kind):
            continue
        whole = frame[[f"c{at}"]]
        values = read(whole, 0)
        for cut in (slice(1, 66), slice(63, 65), slice(3, 4), slice(64, 64), slice(100, None)):
            assert read(whole[cut], 0) == values[cut], (case, cut)
        assert read(whole[7:][9:20][1:-1], 0) == values[17:26], case


async def test_the_event_loop_gets_the_same(both: Both) -> None:
    sql = _wide(3_000, "g % 64 = 63 or g % 5 = 2")
    whole = both.db.fetch(sql)
    async with rm.AsyncDatabase(both.url) as db:
        assert await db.fetch(sql) == whole
        body = await db.fetch_json(sql)
        assert body == both.db.fetch_json(sql) == whole.to_json()
        parts = [part async for part in db.stream(sql, batch_rows=100)]
        for at in range(len(WIDE)):
            values = [value for part in parts for value in from_arrow(part, at)]
            assert values == from_arrow(whole, at)
