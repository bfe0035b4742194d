"""What expressions mean, slowly: an interpreter of one row at a time that knows nothing of the library's.

It is written from the documentation of the operators and used by tests alone. The same Python text that
makes an `rm.Expr` of columns makes a `Node` of `Node.column`s, and `value(node, row)` computes it:

    >>> a = Node.column("a", "int")
    >>> value((a + 1 > 5) & a.is_not_null(), {"a": 7})
    True

Values are Python's own: decimals are fractions, a point in time is an aware datetime, JSON is `Json`, an
interval `rm.Interval`. Whoever asks for SQLite's way gets NULL for NaN, which SQLite cannot hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import rowmill as rm
from tests import expression_functions as functions
from tests.expression_functions import Json, OutOfRangeError, UnsureError, compare, fraction

__all__ = [
    "NAMES",
    "Json",
    "Node",
    "OutOfRangeError",
    "UnsureError",
    "computed",
    "inner",
    "kind_of",
    "value",
]

_KINDS = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (Fraction, "decimal"),
    (Json, "json"),
    (str, "text"),
    (bytes, "bytes"),
    (UUID, "uuid"),
    (datetime, "timestamp"),
    (date, "date"),
    (time, "time"),
    (timedelta, "interval"),
    (rm.Interval, "interval"),
)


def kind_of(given: Any) -> str:
    """The kind of a value."""
    if isinstance(given, list):
        inner = next((kind_of(one) for one in given if one is not None), "null")
        return f"list[{inner}]"
    if isinstance(given, datetime) and given.tzinfo is not None:
        return "timestamp[utc]"
    return next((kind for known, kind in _KINDS if isinstance(given, known)), "null")


def inner(given: Any) -> Any:
    """A literal as the interpreter keeps it."""
    if isinstance(given, list):
        return [inner(one) for one in given]
    if isinstance(given, Decimal):
        return fraction(given)
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.astimezone(UTC)
    return Json(given) if isinstance(given, dict) else given


def _wider(kinds: list[str]) -> str:
    """The kind of which values of these kinds are, where one of them is taken."""
    known = [kind for kind in kinds if kind != "null"]
    for wide in ("float", "decimal"):
        if wide in known:
            return wide
    return known[0] if known else "null"


class Node:
    """An operator and its operands, a column, or a value."""

    def __init__(self, operator: str, args: tuple[Any, ...], kind: str) -> None:
        self.operator = operator
        self.args = args
        self.kind = kind

    @classmethod
    def column(cls, name: str, kind: str) -> Node:
        """A column of a row."""
        return cls("column", (name,), kind)

    @classmethod
    def of(cls, given: Any) -> Node:
        """A node as it is, anything else as a literal."""
        if isinstance(given, Node):
            return given
        kept = inner(given)
        return cls("literal", (kept,), kind_of(kept))

    @classmethod
    def call(cls, operator: str, *operands: Any) -> Node:
        """An operator by its name in the table."""
        args = _fitted(operator, tuple(cls.of(operand) for operand in operands))
        kinds = [arg.kind for arg in args]
        return cls(operator, args, _result(operator, kinds))

    @property
    def is_literal(self) -> bool:
        """Whether it is a value by itself."""
        return self.operator == "literal"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "cast":
            return lambda kind: Node.call(f"To{_CASTS[kind]}", self)
        if name == "trunc":
            return lambda unit: Node.call(f"Truncate{unit.capitalize()}", self)
        if name in ("any", "all"):
            return lambda: _Quantified(self, name.capitalize())
        of_list = self.kind.startswith("list[") and name in ("contains", "length")
        operator = f"List{name.capitalize()}" if of_list else _METHODS.get(name)
        if operator is None:
            raise AttributeError(name)
        return lambda *operands: Node.call(operator, self, *operands)

    def __getitem__(self, step: str | int) -> Node:
        if self.operator == "JsonGet":
            return Node("JsonGet", (*self.args, step), "text")
        return Node("JsonGet", (self, step), "text")

    def __eq__(self, other: object) -> Any:
        return Node.call("Equal", self, other)

    def __ne__(self, other: object) -> Any:
        return Node.call("NotEqual", self, other)

    __hash__ = object.__hash__


_CASTS = {"int": "Int", "float": "Float", "text": "Text"}
_METHODS = {
    "is_null": "IsNull",
    "is_not_null": "IsNotNull",
    "is_distinct_from": "IsDistinct",
    "is_not_distinct_from": "IsNotDistinct",
    "between": "Between",
    "in_": "In",
    "not_in": "NotIn",
    "abs": "Abs",
    "floor": "Floor",
    "ceil": "Ceil",
    "like": "Like",
    "ilike": "ILike",
    "contains": "Contains",
    "starts_with": "StartsWith",
    "ends_with": "EndsWith",
    "matches": "Matches",
    "lower": "Lower",
    "upper": "Upper",
    "length": "Length",
    "trim": "Trim",
    "overlaps": "ListOverlaps",
    "contains_all": "ListContainsAll",
    "disjoint": "ListDisjoint",
    "year": "Year",
    "quarter": "Quarter",
    "month": "Month",
    "week": "Week",
    "day": "Day",
    "weekday": "WeekDay",
    "yearday": "YearDay",
    "hour": "Hour",
    "minute": "Minute",
    "second": "Second",
    "epoch": "Epoch",
}
_SYMBOLS = {
    "and": "And",
    "or": "Or",
    "lt": "Less",
    "le": "LessOrEqual",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "add": "Add",
    "sub": "Subtract",
    "mul": "Multiply",
    "truediv": "Divide",
    "floordiv": "Quotient",
    "mod": "Remainder",
    "neg": "Negate",
    "invert": "Not",
}


def _symbol(operator: str) -> tuple[Callable[..., Node], Callable[..., Node]]:
    return (
        lambda self, *others: Node.call(operator, self, *others),
        lambda self, other: Node.call(operator, other, self),
    )


for _name, _operator in _SYMBOLS.items():
    _forward, _reflected = _symbol(_operator)
    setattr(Node, f"__{_name}__", _forward)
    setattr(Node, f"__r{_name}__", _reflected)


class _Quantified:
    """Any or all of a list's elements, to be compared."""

    def __init__(self, of: Node, which: str) -> None:
        self._of = of
        self._which = which

    def _compared(self, test: str, other: object) -> Any:
        return Node.call(f"{self._which}{test}", self._of, other)

    def __eq__(self, other: object) -> Any:
        return self._compared("Equal", other)

    def __ne__(self, other: object) -> Any:
        return self._compared("NotEqual", other)

    def __lt__(self, other: object) -> Any:
        return self._compared("Less", other)

    def __le__(self, other: object) -> Any:
        return self._compared("LessOrEqual", other)

    def __gt__(self, other: object) -> Any:
        return self._compared("Greater", other)

    def __ge__(self, other: object) -> Any:
        return self._compared("GreaterOrEqual", other)

    __hash__ = object.__hash__


def _fitted(operator: str, args: tuple[Node, ...]) -> tuple[Node, ...]:
    """A float given beside a decimal is its shortest decimal; of two values, the first goes with the second."""
    if operator not in ("Add", "Subtract", "Multiply", "Divide"):
        return args
    left, right = args
    if right.kind == "decimal" and _is_short(left):
        return Node.of(Decimal(repr(left.args[0]))), right
    if left.kind == "decimal" and not left.is_literal and _is_short(right):
        return left, Node.of(Decimal(repr(right.args[0])))
    return args


def _is_short(node: Node) -> bool:
    """Whether it is a float that has not hundreds of digits as a decimal."""
    return _is_float(node) and (node.args[0] == 0 or 1e-30 <= abs(node.args[0]) < 1e30)


def _result(operator: str, kinds: list[str]) -> str:
    """The kind of an operator's result."""
    if operator in ("Add", "Subtract", "Multiply", "Divide"):
        return _sum(operator, kinds)
    if operator in ("Negate", "Abs", "Floor", "Ceil"):
        return kinds[0]
    if operator in ("Coalesce", "Least", "Greatest"):
        return _wider(kinds)
    if operator == "Case":
        return _wider([*kinds[1::2], *kinds[-1:]])
    if operator in ("Lower", "Upper", "Trim", "Concat", "ToText"):
        return "text"
    if operator.startswith("Truncate"):
        return "timestamp"
    if operator == "ToFloat":
        return "float"
    if operator in functions.TO_INT:
        return "int"
    return "bool"


def _sum(operator: str, kinds: list[str]) -> str:
    dated = next((kind for kind in kinds if kind in ("date", "timestamp", "timestamp[utc]")), None)
    if dated is not None:
        return "timestamp" if dated == "date" else dated
    if operator == "Divide" and set(kinds) <= {"int", "null"}:
        return "float"
    return "interval" if "interval" in kinds else _wider(kinds)


def case(*branches: tuple[Any, Any], default: Any = None) -> Node:
    """`rm.case`."""
    return Node.call("Case", *[one for branch in branches for one in branch], default)


def function(operator: str) -> Callable[..., Node]:
    """A function of many operands: `rm.least` is `function("Least")`."""
    return lambda *operands: Node.call(operator, *operands)


NAMES: dict[str, Any] = {
    "lit": Node.of,
    "case": case,
    "coalesce": function("Coalesce"),
    "least": function("Least"),
    "greatest": function("Greatest"),
    "concat": function("Concat"),
    "geo_within": function("GeoWithin"),
}


def value(node: Node, row: dict[str, Any], *, sqlite: bool = False) -> Any:
    """The value of an expression in a row; every part of it is computed.

    Raises:
        OutOfRangeError: a part is a number beyond its kind.
        UnsureError: it hangs on digits that the engines may round in different ways.
    """
    found = _value(node, row, sqlite)
    if sqlite and isinstance(found, float) and math.isnan(found):
        return None
    if sqlite and isinstance(found, Fraction) and abs(found) > 2**53:
        raise UnsureError  # SQLite's decimals are floats
    return found


def _value(node: Node, row: dict[str, Any], sqlite: bool) -> Any:
    operator = node.operator
    if operator == "column":
        given = row[node.args[0]]
        return Json(given) if node.kind == "json" and given is not None else inner(given)
    if operator == "literal":
        return node.args[0]
    if operator == "JsonGet":
        return functions.json_get(value(node.args[0], row, sqlite=sqlite), node.args[1:])
    args = [value(arg, row, sqlite=sqlite) for arg in node.args]
    if sqlite and any(isinstance(arg, Fraction) for arg in args) and _has_large(args):
        raise UnsureError
    if operator in _OWN:
        return _OWN[operator](node, args)
    if any(arg is None for arg in args):
        return None
    if operator in _TESTS:
        return _TESTS[operator](_compare(node, args, 0, 1))
    return functions.FUNCTIONS[operator](*args)


def _has_large(args: list[Any]) -> bool:
    return any(isinstance(arg, int) and abs(arg) > 2**53 for arg in args)


def computed(node: Node, row: dict[str, Any]) -> bool:
    """Whether no part of an expression is NULL in a row, but for those that are out of range."""
    if _unless_beyond(node, row) is None:
        return False
    # Nothing that is divided by zero has to be computed, whatever it is.
    if node.operator in ("Divide", "Quotient", "Remainder") and not _unless_beyond(
        node.args[1], row
    ):
        return False
    operands = node.args if node.operator not in ("column", "literal", "JsonGet") else ()
    return all(computed(arg, row) for arg in operands)


def _unless_beyond(node: Node, row: dict[str, Any]) -> Any:
    try:
        return value(node, row)
    except (OutOfRangeError, UnsureError):
        return math.inf  # something that is neither NULL nor zero


_TESTS: dict[str, Callable[[int], bool]] = {
    "Equal": lambda order: order == 0,
    "NotEqual": lambda order: order != 0,
    "Less": lambda order: order < 0,
    "LessOrEqual": lambda order: order <= 0,
    "Greater": lambda order: order > 0,
    "GreaterOrEqual": lambda order: order >= 0,
}


def _compare(node: Node, args: list[Any], left: int, right: int) -> int:
    # A float against something computed is fitted to it; against another literal it is as it stands.
    one, other = node.args[left], node.args[right]
    fitted = _is_float(one) != _is_float(other) and one.is_literal != other.is_literal
    raw = all(node.args[at].operator in ("column", "literal") for at in (left, right))
    return compare(args[left], args[right], fitted=fitted, raw=raw)


def _is_float(node: Node) -> bool:
    return node.is_literal and isinstance(node.args[0], float)


def _any(found: list[bool | None]) -> bool | None:
    return True if True in found else None if None in found else False


def _all(found: list[bool | None]) -> bool | None:
    return False if False in found else None if None in found else True


def _distinct(node: Node, args: list[Any]) -> bool:
    if args[0] is None or args[1] is None:
        return args[0] is not args[1]
    return _compare(node, args, 0, 1) != 0


def _between(node: Node, args: list[Any]) -> bool | None:
    low = None if None in (args[0], args[1]) else _compare(node, args, 0, 1) >= 0
    high = None if None in (args[0], args[2]) else _compare(node, args, 0, 2) <= 0
    return _all([low, high])


def _in(node: Node, args: list[Any]) -> bool | None:
    if args[1] is None:
        return None
    if args[0] is None:
        return None if args[1] else False
    literal = node.args[1].is_literal
    raw = literal and node.args[0].operator in ("column", "literal")
    return any(
        compare(args[0], one, fitted=literal and isinstance(one, float), raw=raw) == 0
        for one in args[1]
    )


def _not(found: bool | None) -> bool | None:
    return None if found is None else not found


def _case(node: Node, args: list[Any]) -> Any:
    conditions, values = args[:-1:2], args[1::2]
    taken = [one for condition, one in zip(conditions, values, strict=True) if condition is True]
    return functions.widened((taken or args[-1:])[0], node.kind)


def _first(node: Node, args: list[Any]) -> Any:
    return functions.widened(next((one for one in args if one is not None), None), node.kind)


def _extreme(wanted: int) -> Callable[[Node, list[Any]], Any]:
    def extreme(node: Node, args: list[Any]) -> Any:
        best = None
        for one in (functions.widened(arg, node.kind) for arg in args):
            if one is not None and (best is None or compare(one, best) == wanted):
                best = one
        return best

    return extreme


def _quantified(
    test: Callable[[int], bool], join: Callable[[list[bool | None]], bool | None]
) -> Callable[[Node, list[Any]], bool | None]:
    def quantified(_: Node, args: list[Any]) -> bool | None:
        elements, one = args
        if elements is None:
            return None
        found = [
            None if None in (element, one) else test(compare(element, one)) for element in elements
        ]
        return join(found)

    return quantified


_OWN: dict[str, Callable[[Node, list[Any]], Any]] = {
    "And": lambda _, args: _all(args),
    "Or": lambda _, args: _any(args),
    "IsNull": lambda _, args: args[0] is None,
    "IsNotNull": lambda _, args: args[0] is not None,
    "IsDistinct": _distinct,
    "IsNotDistinct": lambda node, args: not _distinct(node, args),
    "Between": _between,
    "In": _in,
    "NotIn": lambda node, args: _not(_in(node, args)),
    "Coalesce": _first,
    "Case": _case,
    "Least": _extreme(-1),
    "Greatest": _extreme(1),
}
for _name, _test in _TESTS.items():
    _OWN[f"Any{_name}"] = _quantified(_test, _any)
    _OWN[f"All{_name}"] = _quantified(_test, _all)
