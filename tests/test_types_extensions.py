"""Types that not every server has: of extensions (`hstore`, pgvector, `citext`), and `xml`."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

import rowmill as rm
from tests.type_cases import Both, source
from tests.type_reference import OUTPUTS, canon, reference


@pytest.fixture
def both(pg_url: str) -> Iterator[Both]:
    pair = Both(pg_url)
    yield pair
    pair.close()


def extend(both: Both, name: str) -> None:
    """Creates an extension, or skips the test where the server comes without it."""
    if not both.texts(f"select 1 from pg_available_extensions where name = '{name}'"):
        pytest.skip(f"this PostgreSQL comes without {name}")
    both.oracle.execute(f"create extension {name}".encode())


def test_hstore_is_a_map(both: Both) -> None:
    extend(both, "hstore")
    sql = source("hstore", ["a=>1,b=>NULL", None, "", '"k \\"=>"=>"x,\\"q\\"\\\\"', "é=>ü"])
    frame = both.db.fetch(sql)
    assert frame.schema.types == ["map[text, text]"]
    want = [reference("map[text, text]", text) for text in both.texts(sql)]
    assert want[3] == {'k "=>': 'x,"q"\\'}
    for output in ("row", "numpy", "objects", "json"):
        assert OUTPUTS[output](frame, 0) == want, output
    pairs = [None if value is None else dict(value) for value in frame.to_arrow()[0].to_pylist()]
    assert pairs == want
    assert len(frame.to_polars()) == 5


def test_hstore_as_a_parameter(both: Both) -> None:
    extend(both, "hstore")
    for value in ({"a": "1", "b": None}, {}, {'k "=>\\': 'x"\\'}):
        assert both.db.fetch_value("select $1::hstore", value) == value
    assert both.db.fetch_value("select $1::hstore", "a=>1") == {"a": "1"}
    assert both.db.fetch_value("select $1::hstore[]", [{"a": "1"}, None]) == [{"a": "1"}, None]
    with pytest.raises(rm.DataError, match='key "a": wants text, not an integer'):
        both.db.fetch("select $1::hstore", {"a": 1})
    with pytest.raises(rm.DataError, match=r"\$1.*texts under texts"):
        both.db.fetch("select $1::hstore", 1)


def test_hstore_is_loaded(both: Both) -> None:
    extend(both, "hstore")
    both.db.execute_script("create table t (h hstore); insert into t values ('a=>1'), (null), ('')")
    assert both.db.load("t", both.db.fetch("select * from t")) == 3
    assert both.texts("select h from t") == ['"a"=>"1"', None, ""] * 2


VECTORS = ["[1,2.5,-3]", None, "[0,1e-7,3.4028235e+38]"]


@pytest.mark.parametrize(("sql", "kind"), [
    ("vector(3)", "list[float32, 3]"),
    ("vector", "list[float32]"),
    ("halfvec(3)", "list[float32, 3]"),
    ("halfvec", "list[float32]"),
])  # fmt: skip
def test_vectors_are_lists_of_floats(both: Both, sql: str, kind: str) -> None:
    extend(both, "vector")
    texts = VECTORS if sql.startswith("v") else ["[1,2.5,-3]", None, "[65504,6e-8,-0.099975586]"]
    statement = source(sql, texts)
    frame = both.db.fetch(f"select v::{sql} as v from ({statement}) x")
    assert frame.schema.types == [kind]
    want = both.db.fetch(f"select v::real[] as v from ({statement}) x")
    for output, read in OUTPUTS.items():
        assert canon(read(frame, 0)) == canon(read(want, 0)), output


def test_vectors_of_several_dimensions(both: Both) -> None:
    extend(both, "vector")
    frame = both.db.fetch(source("vector", ["[1]", "[1,2]"]))
    assert frame["v"].to_list() == [[1.0], [1.0, 2.0]]


def test_vectors_as_parameters_and_loaded(both: Both) -> None:
    import numpy as np

    extend(both, "vector")
    assert both.db.fetch_value("select $1::vector", [1, 2.5]) == [1.0, 2.5]
    assert both.db.fetch_value("select $1::vector", np.array([1, 2.5], "f4")) == [1.0, 2.5]
    assert both.db.fetch_value("select $1::vector", "[1,2]") == [1.0, 2.0]
    assert both.db.fetch_value("select $1::halfvec", "[1,2]") == [1.0, 2.0]
    assert both.db.fetch_value("select $1::vector <-> $2", [0, 3], [4, 0]) == 5.0
    with pytest.raises(rm.DataError, match="element 2: wants a float, not text"):
        both.db.fetch("select $1::vector", [1, "a"])
    both.db.execute_script("create table t (v vector(2))")
    assert both.db.load("t", {"v": [[1.0, 2.0], None]}) == 2
    assert both.db.load("t", both.db.fetch("select * from t")) == 2
    assert both.texts("select v from t") == ["[1,2]", None] * 2


def test_an_extension_type_arrives_as_text(both: Both) -> None:
    extend(both, "citext")
    sql = source("citext", ["Ab", None, ""])
    assert both.db.fetch(sql)["v"].to_list() == both.texts(sql) == ["Ab", None, ""]
    assert both.db.fetch_value(source("citext[]", ["{Ab,NULL}"])) == ["Ab", None]


def test_types_made_of_an_extensions(both: Both) -> None:
    extend(both, "hstore")
    both.oracle.execute("create domain tags as hstore; create type tagged as (id int, tags tags)")
    value = both.db.fetch_value("select row(1, 'a=>1')::tagged")
    assert value == {"id": 1, "tags": {"a": "1"}}
    assert both.db.fetch_value("select $1::tagged", value) == value


def test_xml_arrives_as_text(both: Both) -> None:
    try:
        both.oracle.execute("select '<a/>'::xml")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this PostgreSQL is built without libxml")
    sql = source("xml", ["<a>é</a>", None, '<?xml version="1.0"?><b/>'])
    assert both.db.fetch(sql)["v"].to_list() == both.texts(sql)
    assert both.db.fetch_value("select array['<a/>'::xml, null]") == ["<a/>", None]
    assert both.db.fetch_value("select $1::xml", "<a>é</a>") == "<a>é</a>"
