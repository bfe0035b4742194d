"""Every PostgreSQL type: what each output gives is what the server prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.type_cases import (
    ARRAYS,
    NESTED,
    NUMERICS,
    PRINTED,
    SCALARS,
    SETUP,
    Both,
    Case,
    source,
)
from tests.type_reference import (
    OUTPUTS,
    beyond_polars,
    days,
    from_arrow,
    from_json,
    reference,
)

CASES = [*SCALARS, *NUMERICS, *ARRAYS, *NESTED, *PRINTED]


@pytest.fixture(scope="module")
def both(postgres: PostgresServer) -> Iterator[Both]:
    with postgres.fresh_database() as url:
        pair = Both(url)
        pair.oracle.execute(SETUP)
        yield pair
        pair.close()


def expected(both: Both, sql: str, kind: str, output: str) -> list[Any]:
    """The canonical values that an output must give for a statement."""
    texts = both.texts(sql)
    if kind.endswith("json" + "]" * kind.count("[")) and output == "json":
        return [None if text is None else _parsed(reference(kind, text)) for text in texts]
    values = [reference(kind, text) for text in texts]
    if output in ("numpy", "pandas", "objects") and kind.startswith("float"):
        return ["nan" if value is None else value for value in values]
    if output == "json" and "float" in kind:
        return [_finite(value) for value in values]
    return values


def _parsed(value: Any) -> Any:
    if isinstance(value, list):
        return [None if element is None else _parsed(element) for element in value]
    return json.loads(value, parse_float=Decimal)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinities: they are null."""
    if isinstance(value, list):
        return [_finite(element) for element in value]
    return None if value in ("nan", "inf", "-inf") else value


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_output_gives_what_the_server_prints(both: Both, case: Case, output: str) -> None:
    texts: list[str | None] = [None]
    for text in case.texts:
        texts += [text, None]
    sql = source(case.sql, texts)
    frame = both.db.fetch(sql)
    assert frame.schema.types == [case.kind]
    assert frame["v"].null_count == len(case.texts) + 1
    if output == "polars" and beyond_polars(case.kind):
        with pytest.raises(rm.NotSupportedError, match="'v': Polars cannot hold"):
            frame.to_polars()
    else:
        assert OUTPUTS[output](frame, 0) == expected(both, sql, case.kind, output)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_columns_without_a_value_keep_their_type(both: Both, case: Case, output: str) -> None:
    read = OUTPUTS[output]
    full = both.db.fetch(source(case.sql, case.texts))
    for sql, rows in (
        (source(case.sql, [None, None, None]), 3),
        (source(case.sql, [None]) + " limit 0", 0),
    ):
        frame = both.db.fetch(sql)
        assert len(frame) == rows
        # What only values tell is not known here: a scale and the depth of arrays.
        if case.kind.startswith("decimal(") or "[list[" in case.kind or "[decimal(" in case.kind:
            assert frame.schema.types[0].partition("(")[0][:4] in ("deci", "list")
        elif case.sql not in ("numeric", "numrange"):
            assert frame.schema == full.schema
        if output == "polars" and beyond_polars(frame.schema.types[0]):
            continue
        missing = (
            "nan" if output in ("numpy", "pandas", "objects") and "float" in case.kind[:5] else None
        )
        assert read(frame, 0) == [missing] * rows


def test_polars_and_pandas_keep_types_without_rows(both: Both) -> None:
    """An empty result has the dtypes of a full one."""
    known = [case for case in SCALARS if case.sql not in ("moods",)]
    columns = ", ".join(f"null::{case.sql} as c{at}" for at, case in enumerate(known))
    some, none = both.db.fetch(f"select {columns}"), both.db.fetch(f"select {columns} limit 0")
    assert none.schema == some.schema
    assert none.to_arrow().schema == some.to_arrow().schema
    assert none.to_polars().schema == some.to_polars().schema
    # A NULL makes integers and booleans masked: that is the one difference there may be.
    for before, after in zip(none.to_pandas().dtypes, some.to_pandas().dtypes, strict=True):
        assert str(before).lower().replace("boolean", "bool") == str(after).lower().replace(
            "boolean", "bool"
        )


def test_long_values(both: Both) -> None:
    size = 1 << 20
    sql = f"select repeat('é', {size}) as text, decode(repeat('00ff', {size}), 'hex') as bytes"
    row = both.db.fetch_one(sql)
    assert row is not None
    assert row["text"] == "é" * size
    assert row["bytes"] == b"\x00\xff" * size
    assert json.loads(both.db.fetch_json(sql))[0]["text"] == "é" * size


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_years_beyond_python_are_exact_in_columns(both: Both, kind: str) -> None:
    """Python's dates end with the years 1 and 9999; columns and JSON go on."""
    texts = ["0001-12-31 BC", "0044-03-15 BC", "4713-01-01 BC", "10000-01-01", "290000-12-31"]
    sql = source(kind, texts)
    frame = both.db.fetch(sql)
    want = [reference(frame.schema.types[0], text) for text in both.texts(sql)]
    for output in ("arrow", "numpy", "pandas", "polars", "json"):
        assert OUTPUTS[output](frame, 0) == want, output
    with pytest.raises(rm.DataError, match=r'column "v", row 1') as caught:
        frame[1][0]
    assert caught.value.hint


def test_the_ends_of_time(both: Both) -> None:
    """PostgreSQL's last date is in columns; its last 29 years of timestamps are not, and say so."""
    frame = both.db.fetch("select '5874897-12-31'::date as last, '4714-11-24 BC'::date as first")
    assert from_arrow(frame, 0) == from_json(frame, 0) == [days(5_874_897, 12, 31)]
    assert from_arrow(frame, 1) == from_json(frame, 1) == [days(-4_713, 11, 24)]
    sql = "select '294246-12-31 23:59:59.999999'::timestamp as v"
    both.db.fetch(sql)
    with pytest.raises(rm.DataError, match=r'"?v"?.*row 0'):
        both.db.fetch("select '294276-12-31 23:59:59.999999'::timestamp as v")
    assert both.db.fetch_value("select '294276-12-31 23:59:59.999999'::timestamp::text") == (
        "294276-12-31 23:59:59.999999"
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [("24:00:00", "time"), ("2562047:47:16.854776", "interval"), ("-2562048:00:00", "interval")],
)
def test_what_a_column_cannot_hold_is_an_error_with_a_way_out(
    both: Both, value: str, kind: str
) -> None:
    sql = source(kind, ["00:00:01", None, value], name="when")
    with pytest.raises(rm.DataError) as caught:
        both.db.fetch(sql)
    message = f"{caught.value} {caught.value.hint}"
    assert "when" in message
    assert "row 2" in message
    assert kind in message
    assert '"when"::text' in message
    assert both.db.fetch(f"select v::text from ({sql}) x (v)")["v"].to_list() == both.texts(sql)


def test_arrays_of_two_depths_in_one_column_are_an_error(both: Both) -> None:
    with pytest.raises(rm.DataError, match=r'row 1.*2 dimensions.*"v"::text'):
        both.db.fetch(source("int4[]", ["{1}", "{{1}}"]))


@pytest.mark.parametrize("kind", ["numeric(3, -2)", "numeric(2, 5)", "numeric(3, -2)[]"])
def test_odd_scales(both: Both, kind: str) -> None:
    """PostgreSQL 15: scales below zero and beyond the precision."""
    if both.oracle.info.server_version < 150_000:
        pytest.skip("before PostgreSQL 15")
    texts = (
        ["{12345,NULL}"]
        if "[" in kind
        else ["0.00012", "0.00099"]
        if "5" in kind
        else ["12345", "-99949"]
    )
    sql = source(kind, [None, *texts])
    frame = both.db.fetch(sql)
    want = [reference(frame.schema.types[0], text) for text in both.texts(sql)]
    for output, read in OUTPUTS.items():
        assert read(frame, 0) == want, output


def test_vectors_are_lists(both: Both) -> None:
    sql = "select '1 2'::int2vector as a, ''::oidvector as b, '4000000000'::oidvector as c"
    frame = both.db.fetch(sql)
    assert frame.schema.types == ["list[int16]", "list[uint32]", "list[uint32]"]
    assert frame[0] == ([1, 2], [], [4_000_000_000])


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP"])
def test_other_encodings_arrive_as_unicode(postgres: PostgresServer, encoding: str) -> None:
    text = "é" if encoding == "LATIN1" else "日本"
    postgres.psql(f"create database other encoding {encoding} template template0")
    try:
        with rm.Database(postgres.dsn(database="other")) as db:
            db.execute_script(f"create type label as enum ('{text}')")
            row = db.fetch_one(
                f"select $1::text as {text}, '{text}'::label, $2::text[]", text, [text]
            )
            assert row == (text, text, [text])
            assert row is not None
            assert row.keys()[0] == text
    finally:
        postgres.psql("drop database other with (force)")


def test_bytes_that_are_no_text_are_an_error(postgres: PostgresServer) -> None:
    """A database without an encoding holds anything; the server refuses to send what is no UTF-8."""
    postgres.psql("create database raw encoding 'SQL_ASCII' template template0")
    try:
        with rm.Database(postgres.dsn(database="raw")) as db:
            broken = "convert_from('\\xff'::bytea, 'SQL_ASCII')"
            for sql in (f"select 'a' union all select {broken}", f"select array['a', {broken}]"):
                for fetch in (db.fetch, db.fetch_json):
                    with pytest.raises(rm.DataError, match=r"UTF-?8"):
                        fetch(sql)
            assert db.fetch_value("select 'é'") == "é"
    finally:
        postgres.psql("drop database raw with (force)")


def test_as_many_columns_as_there_can_be(both: Both) -> None:
    sql = "select " + ", ".join(f"{at} as c{at}" for at in range(1_600))
    assert both.db.fetch_one(sql) == tuple(range(1_600))
    assert json.loads(both.db.fetch_json(sql)) == [{f"c{at}": at for at in range(1_600)}]
