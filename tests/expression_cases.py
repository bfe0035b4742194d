"""Schemas, rows and expressions drawn from a seed.

An expression is Python text over the names of columns, made from the operators' own notation: what the
library makes of it and what the interpreter makes of it begin with the same line, which a failure shows.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import rowmill as rm
from rowmill import _rowmill

NOTATION = {row[0]: row[1] for row in _rowmill.operators() if row[3] == "Row"}

TEXTS = [
    *(
        "",
        "a",
        "A",
        "ab",
        "Ab",
        "b",
        "é",
        "É",
        "ß",
        "Straße",
        "日本",
        "🙂",
        "50%",
        "a_b",
        "a\\b",
        "*",
        "?",
    ),
    *(
        "[x]",
        "[",
        "]",
        "it's",
        'say "x"',
        " pad ",
        "12",
        "-7",
        " 42 ",
        "+3",
        "1.5",
        "-1e3",
        ".5",
        "x12",
    ),
    *("a\nb", "\n", "z{", "0x10", "aab", "aAbB"),
    *("0000000000000000000042", "9223372036854775807", "-9223372036854775809"),
]
STAMPS = [
    datetime(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59, 999999),
    datetime(1970, 1, 1),
    datetime(1969, 12, 31, 23, 59, 59, 500000),
    datetime(2024, 2, 29, 12, 30, 15),
    datetime(2020, 12, 31, 23, 59, 59, 999999),
    datetime(2021, 1, 3, 0, 0, 0, 1),
    datetime(2024, 12, 30, 7, 8, 9, 123456),
    datetime(2024, 2, 29),
]
DAYS = [*dict.fromkeys(stamp.date() for stamp in STAMPS), date(1900, 3, 1), date(2000, 2, 28)]
UUIDS = [
    UUID(int=0),
    UUID(int=2**128 - 1),
    UUID("8f14e45f-ceea-467f-a8c4-0123456789ab"),
    UUID(int=1 << 127),
]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 2.5, -7.25, 3.0, 10.0, 100.0, 0.1, -0.3]
DOCUMENTS: list[Any] = [
    {},
    {"a": 1},
    {"a": "x", "b": [1, 2.5, None]},
    {"a": None, "b": []},
    {"a": True, "b": ["y", False, "é"]},
    {"a": "12", "k k": -3},
    {"a": "", "b": [0]},
    {"b": {"a": 7}},
]
POOLS: dict[str, list[Any]] = {
    "bool": [True, False],
    "int": [0, 1, -1, 2, 3, 7, 10, -5, 12, 100, 127, -128],
    "float": [*FLOATS, float("nan"), float("inf"), float("-inf")],
    "decimal": [
        Decimal(text)
        for text in ("0", "1", "-1", "0.5", "2.50", "-7.25", "3", "10.75", "100", "12")
    ],
    "text": TEXTS,
    "bytes": [b"", b"\0", b"a", b"ab", b"A", b"\xff", b"a\xff"],
    "json": DOCUMENTS,
    "uuid": UUIDS,
    "date": DAYS,
    "time": [
        time(),
        time(23, 59, 59, 999999),
        time(12, 30),
        time(12, 30, 0, 500000),
        time(7, 8, 9, 1),
    ],
    "timestamp": STAMPS,
    "timestamp[utc]": [stamp.replace(tzinfo=UTC) for stamp in STAMPS],
    "interval": [
        timedelta(),
        timedelta(days=1),
        timedelta(hours=-5, microseconds=7),
        rm.Interval(1, 0, 0),
    ],
}
POOLS["interval"].append(rm.Interval(-13, 31, 5))
# Values at the ends of their types, in columns of their own: arithmetic on them is mostly out of range.
ENDS: dict[str, list[Any]] = {
    "int": [2**63 - 1, -(2**63), 2**53 + 1, 2**53, 2**31, -(2**31) - 1, 0, 1],
    "float": [1.7976931348623157e308, -1e308, 5e-324, 2.0**53, 2.0**63, -(2.0**63), 1e19, 0.0, 2.5],
}
LISTED = ["int", "text", "bool", "date", "uuid", "timestamp[utc]", "float"]
SQL = {
    "bool": [("boolean", "boolean")],
    "int": [("bigint", "bigint"), ("integer", "integer"), ("smallint", "smallint")],
    "float": [("float8", "real")],
    "decimal": [("numeric(12, 2)", "numeric(12, 2)")],
    "text": [("text", "text"), ("varchar(40)", "varchar(40)")],
    "bytes": [("bytea", "blob")],
    "json": [("jsonb", "json")],
    "uuid": [("uuid", "uuid")],
    "date": [("date", "date")],
    "time": [("time", "time")],
    "timestamp": [("timestamp", "timestamp")],
    "timestamp[utc]": [("timestamptz", "datetime")],
    "interval": [("interval", "")],
}
ANNOTATIONS: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "decimal": Decimal,
    "text": str,
    "bytes": bytes,
    "json": dict,
    "uuid": UUID,
    "date": date,
    "time": time,
    "timestamp": datetime,
    "timestamp[utc]": datetime,
    "interval": timedelta,
}


@dataclass
class Column:
    """A column of a schema; no SQLite type where it cannot hold such values."""

    name: str
    kind: str
    postgres: str
    sqlite: str
    values: list[Any] = field(default_factory=list)


def element(kind: str) -> str:
    """The kind of a list's elements."""
    return kind[5:-1]


def schema(dice: random.Random, rows: int) -> list[Column]:
    """Columns of every kind with some rows."""
    columns = [Column("id", "int", "bigint primary key", "integer primary key", list(range(rows)))]
    for kind in POOLS:
        for at in range(3 if kind in ("int", "float", "text") else dice.choice([1, 2])):
            ends = at == 2 and kind in ENDS
            postgres, sqlite = SQL[kind][0] if ends else dice.choice(SQL[kind])
            pool = ENDS[kind] if ends else POOLS[kind]
            name = f"{kind[0] if kind != 'timestamp[utc]' else 'z'}{_SHORT.get(kind, '')}{at}"
            values = [None if dice.random() < 0.15 else dice.choice(pool) for _ in range(rows)]
            columns.append(Column(name, kind, postgres, sqlite, values))
    for inner in LISTED:
        pool = [one for one in POOLS[inner] if not (isinstance(one, float) and one in NOT_IN_JSON)]
        lists = [_list(dice, [one for one in pool if one == one]) for _ in range(rows)]
        postgres = f"{SQL[inner][0][0]}[]"
        columns.append(
            Column(f"l{inner[:3]}{len(inner)}", f"list[{inner}]", postgres, "json", lists)
        )
    return columns


NOT_IN_JSON = (float("inf"), float("-inf"))
_SHORT = {
    "decimal": "ec",
    "date": "ay",
    "time": "im",
    "timestamp": "st",
    "bytes": "y",
    "interval": "v",
}


def _list(dice: random.Random, pool: list[Any]) -> list[Any] | None:
    if dice.random() < 0.12:
        return None
    return [None if dice.random() < 0.15 else dice.choice(pool) for _ in range(dice.randrange(4))]


NUMBERS = ("int", "float", "decimal")
ORDERED = (*NUMBERS, "bool", "text", "bytes", "uuid", "date", "time", "timestamp", "timestamp[utc]")
DATED = ("date", "timestamp", "timestamp[utc]")
LISTS = tuple(f"list[{inner}]" for inner in LISTED)
Production = tuple[str, str, tuple[str, ...]]


def _pairs() -> list[tuple[str, str]]:
    numbers = [(a, b) for a in NUMBERS for b in NUMBERS if a != b]
    return [
        *((kind, kind) for kind in ORDERED),
        *numbers,
        ("date", "timestamp"),
        ("timestamp", "date"),
    ]


def _wider(a: str, b: str) -> str:
    return "float" if "float" in (a, b) else "decimal" if "decimal" in (a, b) else "int"


def _productions() -> list[Production]:
    """Operator, kind of the result, kinds of the operands: `=x` is a literal."""
    out: list[Production] = [("And", "bool", ("bool",) * 2), ("Or", "bool", ("bool",) * 2)]
    out.append(("Not", "bool", ("bool",)))
    every = (*ORDERED, "json", "interval", *LISTS)
    for operator in ("IsNull", "IsNotNull"):
        out += [(operator, "bool", (kind,)) for kind in every]
    equal = [*_pairs(), ("interval", "interval"), *((kind, kind) for kind in LISTS)]
    for operator in ("Equal", "NotEqual", "IsDistinct", "IsNotDistinct"):
        out += [(operator, "bool", pair) for pair in equal]
    for operator in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
        out += [(operator, "bool", pair) for pair in _pairs()]
    out += [("Between", "bool", (a, b, b)) for a, b in _pairs()]
    for operator in ("In", "NotIn"):
        out += [(operator, "bool", (kind, f"=list[{kind}]")) for kind in ORDERED if kind != "bytes"]
    for operator in ("Add", "Subtract", "Multiply"):
        out += [(operator, _wider(a, b), (a, b)) for a in NUMBERS for b in NUMBERS]
    for operator in ("Add", "Subtract"):
        results = ("timestamp", "timestamp", "timestamp[utc]")
        out += [
            (operator, *both)
            for both in zip(results, ((a, "interval") for a in DATED), strict=True)
        ]
        out.append((operator, "interval", ("interval",) * 2))
    divided = [(a, b) for a in NUMBERS for b in NUMBERS if (a, b) != ("int", "int")]
    out += [("Divide", _wider(a, b), (a, b)) for a, b in divided]
    out.append(("Divide", "float", ("int", "int")))
    out += [("Quotient", "int", ("int", "int")), ("Remainder", "int", ("int", "int"))]
    for operator in ("Negate", "Abs", "Floor", "Ceil"):
        out += [(operator, kind, (kind,)) for kind in NUMBERS]
    out += [("Like", "bool", ("text", "=like")), ("ILike", "bool", ("text", "=like"))]
    out.append(("Matches", "bool", ("text", "=regex")))
    out += [(one, "bool", ("text", "text")) for one in ("Contains", "StartsWith", "EndsWith")]
    out += [(one, "text", ("text",)) for one in ("Lower", "Upper", "Trim")]
    out += [
        ("Length", "int", ("text",)),
        ("Concat", "text", ("text",) * 2),
        ("Concat", "text", ("text",) * 3),
    ]
    for kind in LISTS:
        inner = element(kind)
        out += [("ListContains", "bool", (kind, inner)), ("ListLength", "int", (kind,))]
        both = (kind, kind), (kind, f"={kind}")
        for operator in ("ListOverlaps", "ListContainsAll", "ListDisjoint"):
            out += [(operator, "bool", pair) for pair in both]
        for which in ("Any", "All"):
            for test in ("Equal", "NotEqual", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
                out.append((f"{which}{test}", "bool", (kind, inner)))
    out += [("JsonGet", "text", ("json", "=path")), ("JsonGet", "text", ("json", "=path"))]
    for operator in ("Year", "Quarter", "Month", "Week", "Day", "WeekDay", "YearDay", "Epoch"):
        out += [(operator, "int", (kind,)) for kind in DATED]
    for operator in ("Hour", "Minute", "Second"):
        out += [(operator, "int", (kind,)) for kind in ("time", "timestamp", "timestamp[utc]")]
    for unit in ("Year", "Quarter", "Month", "Week", "Day", "Hour", "Minute", "Second"):
        out += [(f"Truncate{unit}", "timestamp", (kind,)) for kind in DATED]
    mixed = [(a, b, _wider(a, b)) for a in NUMBERS for b in NUMBERS if a != b]
    for kind in every:
        out += [("Coalesce", kind, (kind, kind)), ("Case", kind, ("bool", kind, kind))]
        out.append(("Case", kind, ("bool", kind, "bool", kind, kind)))
    for kind in ORDERED:
        out += [(one, kind, (kind,) * many) for one in ("Least", "Greatest") for many in (2, 3)]
    for a, b, result in mixed:
        out += [(one, result, (a, b)) for one in ("Coalesce", "Least", "Greatest")]
        out.append(("Case", result, ("bool", a, b)))
    for operator, result in (("ToInt", "int"), ("ToFloat", "float")):
        out += [(operator, result, (kind,)) for kind in (*NUMBERS, "text", "bool")]
    out += [("ToText", "text", (kind,)) for kind in ("int", "text", "uuid", "date", "json")]
    out.append(("GeoWithin", "bool", ("=degrees", "=degrees", "float", "decimal", "=metres")))
    out.append(("GeoWithin", "bool", ("float", "int", "=degrees", "=degrees", "=metres")))
    return out


PRODUCTIONS = _productions()
LITERALS: dict[str, list[Any]] = {
    "like": [
        "%",
        "_",
        "a%",
        "%b",
        "%a%",
        "",
        "a_b",
        "a\\_b",
        "50\\%",
        "\\\\",
        "%\\\\%",
        "[%",
        "*",
        "?%",
        "_%_",
        "É%",
    ],
    "regex": [
        "a",
        "^a",
        "b$",
        r"\d+",
        r"^\s*[-+]?\d",
        "[a-c]b",
        "(a|é)",
        r"\\",
        "a.b",
        r"\w\W",
        "^$",
        r"x{1,2}",
        r"\*",
    ],
    "path": [
        ("a",),
        ("b", 0),
        ("b", 1),
        ("b", 2),
        ("b", -1),
        ("k k",),
        (1,),
        ("none",),
        ("b", "a"),
    ],
    "degrees": [0.0, 10.0, -33.5, 52, 2.5, -0.25],
    "metres": [0, 500_000, 1_000_000.5, 5e6, 2e7],
}


class Maker:
    """Draws expressions over the columns of a schema, and counts the operators."""

    def __init__(self, dice: random.Random, columns: list[Column]) -> None:
        self.dice = dice
        self.names: dict[str, list[str]] = {}
        for column in columns:
            self.names.setdefault(column.kind, []).append(column.name)
        self.names["int"].remove("id")
        self.reached: dict[str, int] = {}
        self._by_kind: dict[str, dict[str, list[Production]]] = {}
        for production in PRODUCTIONS:
            operators = self._by_kind.setdefault(production[1], {})
            operators.setdefault(production[0], []).append(production)

    def expression(self, kind: str, depth: int) -> str:
        """An expression of a kind, at most so many levels deep."""
        operators = self._by_kind.get(kind)
        if depth <= 0 or operators is None or self.dice.random() < 0.1:
            return self._leaf(kind)
        # The least reached of three: what is rarely possible is taken when it is.
        drawn = [self.dice.choice(list(operators)) for _ in range(3)]
        operator = min(drawn, key=lambda one: self.reached.get(one, 0))
        _, _, wanted = self.dice.choice(operators[operator])
        self.reached[operator] = self.reached.get(operator, 0) + 1
        return self._call(operator, [self._operand(one, depth - 1) for one in wanted])

    def _operand(self, wanted: str, depth: int) -> str:
        if not wanted.startswith("="):
            return self.expression(wanted, self.dice.choice([depth, depth, depth - 1, 0]))
        if wanted.startswith("=list["):
            pool = [
                one for one in POOLS[element(wanted[1:])] if one == one and one not in NOT_IN_JSON
            ]
            return _literal([self.dice.choice(pool) for _ in range(self.dice.randrange(4))])
        return repr(self.dice.choice(LITERALS[wanted[1:]]))

    def _call(self, operator: str, operands: list[str]) -> str:
        if operator == "Case":
            *branches, default = operands
            pairs = ", ".join(
                f"({a}, {b})" for a, b in zip(branches[::2], branches[1::2], strict=True)
            )
            return f"case({pairs}, default={default})"
        if operator == "JsonGet":
            steps = eval(operands[1])
            return operands[0] + "".join(f"[{step!r}]" for step in steps)
        notation = NOTATION[operator].replace("{*}", ", ".join(operands))
        made = re.sub(r"\{(\d)\}", lambda found: operands[int(found[1])], notation)
        return (
            made
            if notation.startswith(("{0}.", "c", "l", "g")) and " " not in NOTATION[operator]
            else f"({made})"
        )

    def _leaf(self, kind: str) -> str:
        names = self.names.get(kind)
        if names and self.dice.random() < 0.7:
            usual = [name for name in names if name != f"{kind[0]}2"] or names
            return self.dice.choice(usual if self.dice.random() < 0.9 else names)
        return self.literal(kind)

    def literal(self, kind: str) -> str:
        """A value of a kind, as an expression."""
        if kind.startswith("list[") or kind == "json":
            return self.names[kind][0]  # a dict is what its place wants: a composite, or JSON
        ends = ENDS.get(kind) if self.dice.random() < 0.05 else None
        return _literal(self.dice.choice(ends or POOLS[kind]))


def _literal(value: Any) -> str:
    # repr() of dates names their module, which has the name of a class.
    return f"lit({value!r})".replace("datetime.", "")
