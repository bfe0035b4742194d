"""Values of every type, chosen for their extremes, and the two who are asked for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

import rowmill as rm
from tests.pooler import past_pooler

SETUP = """
create type mood as enum ('sad', 'ok', 'very "happy"', '');
create domain positive as int check (value > 0);
create domain price as numeric(12, 2);
create domain label as varchar(8);
create domain moods as mood[];
create type pair as (a int, b text);
create domain pairs as pair[];
create type deep as (
    p pair, l pair[], n numeric(8, 2), r int4range, i inet, t text[], m mood, u uuid
);
create type odd as (p point, t text);
create type textrange as range (subtype = text);
create domain small as int4range check (upper(value) < 100);
"""

AWKWARD = [
    "", " ", "plain", "tab\tnewline\nreturn\r", "\x01\x1f\x7f", 'quo"te', "apo'strophe",
    "back\\slash", "{braces},[brackets]", "null", "NULL", "\u00e9\u00df\u4e2d", "\U0001f40d\u200d",
    "\u2028\u2029\ufeff", "\ue000\ufffd\U0010ffff", "e\u0301", "%s $1 :name ;--",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A type, how Rowmill names it, and values as PostgreSQL reads them."""

    sql: str
    kind: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return self.sql.replace(" ", "_")


def case(sql: str, kind: str, *texts: str) -> Case:
    """A case of at least one value."""
    return Case(sql, kind, texts)


SCALARS = [
    case("bool", "bool", "t", "f"),
    case("int2", "int16", "-32768", "32767", "0", "-1"),
    case("int4", "int32", "-2147483648", "2147483647", "0", "-1"),
    case("int8", "int64", "-9223372036854775808", "9223372036854775807", "9007199254740993", "0"),
    case("oid", "uint32", "0", "2147483647", "2147483648", "4000000000", "4294967295"),
    case("xid", "uint32", "0", "4294967295"),
    case("float4", "float32", "0.1", "-0", "0", "3.4028235e38", "1e-45", "NaN", "inf", "-inf"),
    case("float8", "float64", "0.1", "-0", "0", "1.7976931348623157e308", "5e-324", "1e23",
         "9007199254740993", "NaN", "inf", "-inf"),
    case("text", "text", *AWKWARD),
    case("varchar(40)", "text", *AWKWARD),
    case("bpchar(6)", "text", "", "ab", "abcdef", "  x"),
    case("name", "text", "", "x" * 63, "n'a\"me"),
    case('"char"', "text", "a", "", "'", "\\303", "\\377"),
    case("bytea", "bytes", "\\x", "\\x00", "\\x00ff00", "\\x" + bytes(range(256)).hex()),
    case("date", "date", "1970-01-01", "1969-12-31", "2000-01-01", "0001-01-01", "9999-12-31",
         "2024-02-29", "1900-02-28"),
    case("time", "time", "00:00:00", "23:59:59.999999", "00:00:00.000001", "12:34:56.7"),
    case("timestamp", "timestamp", "1970-01-01 00:00:00", "1969-12-31 23:59:59.999999",
         "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "2000-01-01 00:00:00.000001"),
    case("timestamp(3)", "timestamp", "2024-01-02 03:04:05.678901"),
    case("timestamptz", "timestamp[utc]", "1970-01-01 00:00:00+00", "1969-12-31 20:00:00-05:30",
         "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "2024-03-10 02:30:00+14"),
    case("interval", "interval", "0", "1 mon", "30 days", "1 year 2 mons -3 days 04:05:06.7",
         "-1 mon +1 day -00:00:00.000001", "2147483647 mons", "-2147483648 days",
         "2562047:47:16.854775", "720:00:00"),
    case("uuid", "uuid", "00000000-0000-0000-0000-000000000000",
         "01020304-0506-0708-090a-0b0c0d0e0000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    case("json", "json", "null", ' { "b" : 1,\n "a":[1.0, 1e400], "a":2 } ', '"\\u00e9\\n"', "[]"),
    case("jsonb", "json", "null", '{"b": 1, "a": [1.00, 12345678901234567890.5]}', '"\\u00e9"'),
    case("mood", "enum", "sad", "ok", 'very "happy"', ""),
    case("positive", "int32", "1", "2147483647"),
    case("price", "decimal(12, 2)", "0.10", "-9999999999.99"),
    case("label", "text", "", "12345678"),
]  # fmt: skip

NINES = "9" * 38
NUMERICS = [
    case("numeric(12, 2)", "decimal(12, 2)", "0", "0.01", "-0.10", "9999999999.99", "1200.00"),
    case("numeric(5)", "decimal(5, 0)", "99999", "-99999", "10000", "0"),
    case("numeric(18, 18)", "decimal(18, 18)", "0.000000000000000001", "-0.999999999999999999"),
    case("numeric(38, 10)", "decimal(38, 10)", "1234567890123456789012345678.0123456789", "0"),
    case("numeric(38)", "decimal(38, 0)", NINES, f"-{NINES}"),
    case("numeric(39, 1)", "decimal(39, 1)", f"{NINES}.9", f"-{NINES}.1", "0.1"),
    case("numeric(76, 38)", "decimal(76, 38)", f"{NINES}.{NINES}", f"-0.{'0' * 37}1", "5"),
    case("numeric(100, 50)", "text", f"{NINES}.{'1' * 50}", f"0.{'0' * 49}7"),
    case("numeric", "decimal(38, 0)", "0", "10000", "100000000", "-1", "99999999"),
    case("numeric", "decimal(38, 10)", "1", "1.5", "0.0000000001", "-12345.678900", "1e20"),
    case("numeric", "decimal(76, 38)", "1", f"{NINES}.{NINES}", f"0.{'0' * 37}1"),
    case("numeric", "text", "1" * 100 + "." + "2" * 40, "0.5", "1", f"-{'0' * 3}1e-60"),
    case("numeric", "text", "1e1000", "1e-1000", "-1"),
    case("numeric", "text", "2", "1.5", "-0.10", "1e-100"),
]

ARRAYS = [
    case("bool[]", "list[bool]", "{t,f,NULL}", "{}"),
    case("int2[]", "list[int16]", "{-32768,NULL,32767}", "{}", "{NULL}"),
    case("int4[]", "list[int32]", "{1,2,NULL}", "{}", "[5:6]={7,8}"),
    case("int4[]", "list[list[int32]]", "{{1,2},{3,NULL}}", "{}", "{{5}}"),
    case("int4[]", "list[list[list[int32]]]", "{{{1,2},{3,4}},{{5,6},{7,8}}}", "{{{NULL}}}"),
    case("int8[]", "list[int64]", "{-9223372036854775808,NULL,9223372036854775807}"),
    case("oid[]", "list[uint32]", "{4000000000,NULL}"),
    case("float4[]", "list[float32]", "{0.1,-0,NaN,inf,NULL}"),
    case("float8[]", "list[float64]", "{0.1,-0,NaN,-inf,NULL}"),
    case("float8[]", "list[list[float64]]", "{{1.5,NULL},{3,4}}"),
    case("text[]", "list[text]", '{"",NULL,"NULL","a\\"b\\\\c{},","é"}', "{}"),
    case("text[]", "list[list[text]]", '{{a,NULL},{"",d}}', "{}"),
    case("varchar(3)[]", "list[text]", "{abc,NULL}"),
    case("bytea[]", "list[bytes]", '{"\\\\x00ff",NULL,"\\\\x"}'),
    case("date[]", "list[date]", "{1970-01-01,NULL,9999-12-31}"),
    case("time[]", "list[time]", "{00:00:00,NULL,23:59:59.999999}"),
    case("timestamp[]", "list[timestamp]", '{"1969-12-31 23:59:59.999999",NULL}'),
    case("timestamptz[]", "list[timestamp[utc]]", '{"2024-01-01 00:00:00+05",NULL}'),
    case("interval[]", "list[interval]", '{"1 mon -1 days 00:00:01",NULL}'),
    case("uuid[]", "list[uuid]", "{01020304-0506-0708-090a-0b0c0d0e0000,NULL}"),
    case("json[]", "list[json]", '{"{\\"a\\":  1}",NULL}'),
    case("jsonb[]", "list[json]", '{"{\\"a\\":  1}",NULL}'),
    case("numeric[]", "list[decimal(38, 3)]", "{1,NULL,1.125}", "{}"),
    case("numeric(8, 2)[]", "list[decimal(8, 2)]", "{1,NULL,-999999.99}"),
    case("numeric[]", "list[list[decimal(76, 1)]]", f"{{{{{NINES}0.5}},{{NULL}}}}"),
    case("mood[]", "list[enum]", '{sad,NULL,"very \\"happy\\"",""}', "{}"),
    case("mood[]", "list[list[enum]]", "{{sad,ok},{NULL,sad}}"),
    case("moods", "list[enum]", "{sad,ok}"),
    case("positive[]", "list[int32]", "{1,NULL}", "{}"),
    case("price[]", "list[decimal(12, 2)]", "{1.5,NULL}"),
    case("label[]", "list[text]", '{"",NULL,12345678}'),
    case('"char"[]', "list[text]", '{a,NULL,""}'),
]

INT4RANGE = "struct[lower: int32, upper: int32, bounds: text]"
DATERANGE = "struct[lower: date, upper: date, bounds: text]"
PAIR = "struct[a: int32, b: text]"

# Types made of others.
NESTED = [
    case("int4range", INT4RANGE, "[1,5)", "empty", "(,)", "[-5,)", "(,7]"),
    case("int8range", INT4RANGE.replace("32", "64"), "[1,9223372036854775807)", "(,)"),
    case("numrange", "struct[lower: decimal(38, 2), upper: decimal(38, 1), bounds: text]",
         "[1.25,2.5)", "(1,2]", "empty", "[0.1,)"),
    case("daterange", DATERANGE, "[2024-01-01,2024-02-29)", "empty", "(,1969-12-31)"),
    case("tsrange", "struct[lower: timestamp, upper: timestamp, bounds: text]",
         '["2024-01-02 03:04:05.6","2024-02-29 00:00:00"]', "(,)"),
    case("tstzrange", "struct[lower: timestamp[utc], upper: timestamp[utc], bounds: text]",
         '("2024-01-02 03:04:05.6+01","9999-01-01 00:00:00+00"]', "[,)"),
    case("textrange", "struct[lower: text, upper: text, bounds: text]",
         '["","a,b"]', '("q""\\\\","x)"]', "empty", "(,z)"),
    case("int4multirange", f"list[{INT4RANGE}]", "{}", "{[1,3),[5,)}", "{(,)}"),
    case("datemultirange", f"list[{DATERANGE}]", "{[2024-01-01,2024-01-03)}"),
    case("int4range[]", f"list[{INT4RANGE}]", '{"[1,3)",NULL,empty}', "{}"),
    case("int4range[]", f"list[list[{INT4RANGE}]]", '{{"[1,3)",NULL},{empty,"(,4)"}}'),
    case("pair", PAIR, '(1,"a b")', "(,)", '(-7,"q""\\\\,")', '(3,"")'),
    case("pair[]", f"list[{PAIR}]", '{"(1,x)",NULL,"(,)"}', "{}"),
    case("deep", f"struct[p: {PAIR}, l: list[{PAIR}], n: decimal(8, 2), r: {INT4RANGE}, i: text, "
         "t: list[text], m: enum, u: uuid]",
         '("(1,x)","{""(2,y)"",NULL}",1.50,"[1,3)",10.0.0.1/24,"{a,NULL}",ok,'
         "01020304-0506-0708-090a-0b0c0d0e0000)",
         "(,,,,,,,)"),
    case("pairs", f"list[{PAIR}]", '{"(1,x)"}'),
    case("small", INT4RANGE, "[1,3)", "empty"),
    case("xid8", "uint64", "18446744073709551615", "0"),
    case("xid8[]", "list[uint64]", "{18446744073709551615,NULL}"),
]  # fmt: skip

# Types that become the text that the server prints of them.
PRINTED = [
    case("point", "text", "(1.5,-2)"),
    case("line", "text", "{1,-1,0.5}"),
    case("lseg", "text", "[(0,0),(1,1.5)]"),
    case("box", "text", "(1,1),(0,0)"),
    case("path", "text", "((0,0),(1,1))", "[(0,0),(1,2)]"),
    case("polygon", "text", "((0,0),(1,1),(1,0))"),
    case("circle", "text", "<(1,2),3>"),
    case("inet", "text", "192.168.0.1", "192.168.0.1/24", "::1", "fe80::/10", "::ffff:1.2.3.4",
         "::1.2.3.4", "::1:0", "1:0:0:2::", "0.0.0.0/0"),
    case("cidr", "text", "10.0.0.0/8", "192.168.0.1/32", "::/0", "2001:db8::/32"),
    case("macaddr", "text", "08:00:2b:01:02:03"),
    case("macaddr8", "text", "08:00:2b:01:02:03:04:ff"),
    case("tsvector", "text", "'a' 'b'"),
    case("tsquery", "text", "'a' & !'b'"),
    case("bit(4)", "text", "0101"),
    case("bit(9)", "text", "010100001"),
    case("varbit", "text", "", "1", "00000000", "111111110"),
    case("money", "text", "$1.50", "-$92,233,720,368,547,758.08"),
    case("timetz", "text", "12:34:56.7+05:30", "24:00:00+00", "00:00:00-15:59:59", "01:02:03.000001+14"),
    case("pg_lsn", "text", "16/B374D848"),
    case("jsonpath", "text", '$."a"[*]'),
    case("regclass", "text", "pg_class"),
    case("regtype", "text", "integer"),
    case("tid", "text", "(1,2)"),
    case("refcursor", "text", "a c"),
    case("odd", "text", '("(1,2)",x)'),
    case("inet[]", "list[text]", "{10.0.0.1,NULL}", "{}"),
    case("timetz[]", "list[text]", "{12:34:56.7+05:30,NULL}"),
    case("varbit[]", "list[text]", '{"",NULL,01}'),
    case("point[]", "list[text]", '{"(1,2)",NULL}', "{}", '[3:4]={"(1,2)","(3,4)"}'),
    case("point[]", "list[list[text]]", '{{"(1,2)",NULL},{"(3,4)","(5,6)"}}'),
    case("money[]", "list[text]", "{$1.50,NULL}"),
    case("odd[]", "list[text]", '{"(\\"(1,2)\\",\\"x y\\")",NULL}'),
    case("box[]", "text", "{(1,1),(0,0);(2,2),(1,1)}"),
    case("regclass[]", "list[text]", "{pg_class,NULL}"),
]  # fmt: skip


# Types that not every server has: test_types_extensions.py.
EXTENSIONS = [
    case("hstore", "map[text, text]", "a=>1,b=>NULL"),
    case("citext", "text", "Ab"),
    case("vector(3)", "list[float32, 3]", "[1,2.5,-3]"),
    case("vector", "list[float32]", "[1,2.5,-3]"),
    case("halfvec(3)", "list[float32, 3]", "[1,2.5,-3]"),
    case("halfvec", "list[float32]", "[1,2.5,-3]"),
    case("sparsevec", "text", "{1:1.5}/3"),
    case("xml", "text", "<a/>"),
]


def source(sql: str, texts: Iterable[str | None], name: str = "v") -> str:
    """A statement that gives these values, in order, as a column of a type."""
    quoted = ("null" if text is None else "'" + text.replace("'", "''") + "'" for text in texts)
    rows = ", ".join(f"({at}, {text}::text)" for at, text in enumerate(quoted))
    return f'select v::{sql} as "{name}" from (values {rows}) as t (i, v) order by i'


class Both:
    """Rowmill, and the server's own text of the same statement."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.db = rm.Database(url)
        self.oracle = psycopg.connect(past_pooler(url), autocommit=True)

    def close(self) -> None:
        self.db.close()
        self.oracle.close()

    def texts(self, sql: str) -> list[str | None]:
        """The first column as the server prints it."""
        result = self.oracle.execute(sql.encode()).pgresult
        assert result is not None
        cells = (result.get_value(row, 0) for row in range(result.ntuples))
        return [None if cell is None else cell.decode() for cell in cells]
