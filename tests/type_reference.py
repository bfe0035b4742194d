"""What the tests of values compare with: a reference for PostgreSQL's text, and every output.

Every value is brought to one *canonical* form before it is compared, so that a difference is one of
value and not of class: a date is days since 1970, a time microseconds since midnight, a timestamp
microseconds since 1970, an interval (months, days, microseconds), a float its `repr` (which tells
-0.0 and NaN apart). The reference reads the server's text with the standard library alone.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import rowmill as rm
from tests.type_notation import composite, fields_of, hstore, is_range, multirange, range_

EPOCH = datetime(1970, 1, 1)
DAY = 86_400_000_000


def days(year: int, month: int, day: int) -> int:
    """Days since 1970 of any year (0 is 1 BC): the calendar repeats every 400 years."""
    near = year % 400 + 400
    return date(near, month, day).toordinal() - 719_163 + (year - near) // 400 * 146_097


def canon(value: Any) -> Any:
    """A Python value in canonical form."""
    match value:
        case bool() | None:
            return value
        case float():
            return repr(value)
        case datetime():
            offset = value.utcoffset() or timedelta()
            return (value.replace(tzinfo=None) - offset - EPOCH) // timedelta(microseconds=1)
        case date():
            return value.toordinal() - 719_163
        case time():
            return (datetime.combine(EPOCH, value) - EPOCH) // timedelta(microseconds=1)
        case timedelta():
            return (0, value.days, value.seconds * 1_000_000 + value.microseconds)
        case rm.Interval():
            return tuple(value)
        case rm.Range():
            return {name: canon(part) for name, part in value._asdict().items()}
        case dict() if set(value) == {"months", "days", "microseconds"}:
            return tuple(value.values())
        case tuple() if hasattr(value, "nanoseconds"):  # PyArrow's MonthDayNano
            months, days_, nanos = value
            assert nanos % 1_000 == 0
            return (months, days_, nanos // 1_000)
        case dict():
            return {name: canon(part) for name, part in value.items()}
        case bytearray() | memoryview():
            return bytes(value)
        case list() | tuple():
            return [canon(element) for element in value]
    return value


# ---- the reference: PostgreSQL's own text


def _far_date(text: str) -> int:
    year, month, day = text.removesuffix(" BC").rsplit("-", 2)
    number = 1 - int(year) if text.endswith(" BC") else int(year)
    return days(number, int(month), int(day))


def _clock(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    whole, _, part = seconds.partition(".")
    micros = int(part.ljust(6, "0")) if part else 0
    return (int(hours) * 3_600 + int(minutes) * 60 + int(whole)) * 1_000_000 + micros


def _moment(text: str) -> int:
    era = " BC" if text.endswith(" BC") else ""
    day, clock = text.removesuffix(" BC").split(" ")
    return _far_date(day + era) * DAY + _clock(clock.removesuffix("+00"))


def _interval(text: str) -> tuple[int, int, int]:
    """`1 year 2 mons -3 days +04:05:06.7`: the server's default style."""
    parts = dict.fromkeys(("year", "mon", "day"), 0)
    for number, unit in re.findall(r"([+-]?\d+) (year|mon|day)s?", text):
        parts[unit] = int(number)
    micros = 0
    if found := re.search(r"([+-]?)(\d+:\d\d:\d\d(?:\.\d+)?)$", text):
        micros = _clock(found[2]) * (-1 if found[1] == "-" else 1)
    return (parts["year"] * 12 + parts["mon"], parts["day"], micros)


def float4(text: str) -> float:
    """The 32-bit float nearest to a decimal text."""
    value = float(text)
    return float(struct.unpack("f", struct.pack("f", value))[0]) if math.isfinite(value) else value


_ELEMENT = re.compile(r'[{},]|"((?:[^"\\]|\\.)*)"|[^{},"]+', re.DOTALL)


def array(text: str, element: Callable[[str], Any]) -> list[Any]:
    """An array's text: `{{1,NULL},{"a\\"b",3}}`; bounds before `=` are not kept by any client."""
    stack: list[list[Any]] = [[]]
    for token in _ELEMENT.finditer(re.sub(r"^\[[^{]*\]=", "", text)):
        match token[0]:
            case "{":
                stack.append([])
            case "}":
                done = stack.pop()
                stack[-1].append(done)
            case ",":
                pass
            case "NULL":
                stack[-1].append(None)
            case word if token[1] is None:
                stack[-1].append(element(word))
            case _:
                stack[-1].append(element(re.sub(r"\\(.)", r"\1", token[1], flags=re.DOTALL)))
    return list(stack[0][0])


_PARSERS: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: {"t": True, "f": False}[text],
    **dict.fromkeys(("int16", "int32", "int64", "uint32", "uint64"), int),
    "float32": lambda text: repr(float4(text)),
    "float64": lambda text: repr(float(text)),
    "bytes": lambda text: bytes.fromhex(text.removeprefix("\\x")),
    "date": _far_date,
    "time": _clock,
    "timestamp": _moment,
    "timestamp[utc]": _moment,
    "interval": _interval,
    "uuid": uuid.UUID,
}


def reference(kind: str, text: str | None) -> Any:
    """The canonical value of what the server prints, for a column of Rowmill's type `kind`."""
    if text is None:
        return None
    if kind.startswith("list["):
        inner = _element(kind)
        if inner.startswith("struct[") and is_range(inner) and text[1:2] in ("[", "(", "}"):
            return multirange(inner, text, reference)
        return array(text, lambda element: reference(inner, element))
    if kind.startswith("struct["):
        return (range_ if is_range(kind) else composite)(kind, text, reference)
    if kind.startswith("map["):
        return hstore(text)
    if kind.startswith("decimal("):
        return Decimal(text)
    return _PARSERS.get(kind, str)(text)


# ---- the outputs


def beyond_polars(kind: str) -> bool:
    """Whether Polars has no such type: decimals of more than 38 digits, intervals in lists."""
    return "list[interval]" in kind or any(
        int(digits) > 38 for digits in re.findall(r"decimal\((\d+)", kind)
    )


def from_row(frame: rm.Frame, at: int) -> list[Any]:
    """A column by way of the rows."""
    return [canon(row[at]) for row in frame.rows()]


def from_arrow(frame: rm.Frame, at: int) -> list[Any]:
    """A column by way of PyArrow; times as integers, for Python's end with the year 9999."""
    import pyarrow as pa

    column = frame.to_arrow().column(at)
    column.validate(full=True)
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_time64(column.type) or pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return [canon(value) for value in column.to_pylist()]


def _instants(values: Any, unit: int) -> list[int | None]:
    nat = -(2**63)
    return [None if value == nat else value // unit for value in values.view("int64").tolist()]


def from_numpy(frame: rm.Frame, at: int) -> list[Any]:
    """A column by way of NumPy; a NULL float is NaN there."""
    values = frame.to_numpy()[frame.columns[at]]
    if values.dtype.kind == "M":
        return _instants(values, 1)
    return [canon(value) for value in values.tolist()]


def from_pandas(frame: rm.Frame, at: int, objects: bool = False) -> list[Any]:
    """A column by way of pandas; a NULL float is NaN there."""
    import pandas as pd

    series = frame.to_pandas(objects=objects).iloc[:, at]
    kind = frame.schema.types[at]
    if kind == "timestamp[utc]":
        return _instants(series.dt.tz_convert(None).to_numpy(), 1)
    if kind in ("date", "timestamp"):
        return _instants(series.to_numpy(), 86_400 if kind == "date" else 1)
    if kind.startswith("float"):
        return [repr(float(value)) for value in series]
    values = [None if value is pd.NA or value != value else value for value in series.tolist()]
    return [_sixteen(kind, canon(value)) for value in values]


def from_objects(frame: rm.Frame, at: int) -> list[Any]:
    """A column by way of pandas' objects."""
    return from_pandas(frame, at, objects=True)


def from_polars(frame: rm.Frame, at: int) -> list[Any]:
    """A column by way of Polars."""
    import polars as pl

    series = frame.to_polars().to_series(at)
    if series.dtype.is_temporal():
        physical = series.to_physical().to_list()
        unit = 1_000 if series.dtype == pl.Time else 1
        return [None if value is None else value // unit for value in physical]
    return [_sixteen(frame.schema.types[at], canon(value)) for value in series.to_list()]


def _sixteen(kind: str, value: Any) -> Any:
    """Sixteen bytes as the uuid they are."""
    if "uuid" not in kind or value is None:
        return value
    if isinstance(value, list):
        return [_sixteen(kind, element) for element in value]
    if isinstance(value, dict):
        kinds = fields_of(kind)
        return {name: _sixteen(kinds[name], part) for name, part in value.items()}
    return value if isinstance(value, uuid.UUID) else uuid.UUID(bytes=value)


def from_json(frame: rm.Frame, at: int) -> list[Any]:
    """A column by way of JSON."""
    kind = _element(frame.schema.types[at])
    text = frame[[frame.columns[at]]].to_json("columns")
    [cells] = json.loads(text, parse_float=Decimal, parse_constant=_refuse).values()
    return [json_value(kind, cell) for cell in cells]


def _element(kind: str) -> str:
    """What lists are of: `list[list[int32]]`, `list[float32, 3]`."""
    while kind.startswith("list["):
        kind = re.sub(r", \d+$", "", kind[5:-1])
    return kind


def _refuse(text: str) -> Any:
    raise AssertionError(f"{text} is not JSON")


def json_value(kind: str, cell: Any) -> Any:
    """The canonical value of a JSON cell of a column of this type."""
    if cell is None or kind == "json":
        return cell
    if isinstance(cell, list):
        return [json_value(kind, element) for element in cell]
    if kind.startswith("struct["):
        fields = fields_of(kind)
        return {name: json_value(_element(fields[name]), part) for name, part in cell.items()}
    if kind in ("float64", "float32"):
        return repr(float(cell) if kind == "float64" else float4(str(cell)))
    if kind.startswith("decimal("):
        return Decimal(cell)
    if kind == "bytes":
        return base64.b64decode(cell, validate=True)
    if kind == "uuid":
        return uuid.UUID(cell)
    if kind == "time":
        return _clock(cell)
    if kind == "interval":
        return _iso_interval(cell)
    if kind == "date" or kind.startswith("timestamp"):
        day, _, clock = cell.partition("T")
        assert cell.endswith("Z") == (kind == "timestamp[utc]")
        year, month, number = day.rsplit("-", 2)
        count = days(int(year), int(month), int(number))
        return count if kind == "date" else count * DAY + _clock(clock.removesuffix("Z"))
    return cell


def _iso_interval(text: str) -> tuple[int, int, int]:
    day, _, clock = text.removeprefix("P").partition("T")
    found = {unit: Decimal(number) for number, unit in re.findall(r"([-+\d.]+)([YMD])", day)}
    parts = {unit: Decimal(number) for number, unit in re.findall(r"([-+\d.]+)([HMS])", clock)}
    seconds = parts.get("H", 0) * 3_600 + parts.get("M", 0) * 60 + parts.get("S", 0)
    months = found.get("Y", 0) * 12 + found.get("M", 0)
    return (int(months), int(found.get("D", 0)), int(seconds * 1_000_000))


OUTPUTS: dict[str, Callable[[rm.Frame, int], list[Any]]] = {
    "row": from_row,
    "arrow": from_arrow,
    "numpy": from_numpy,
    "pandas": from_pandas,
    "objects": from_objects,
    "polars": from_polars,
    "json": from_json,
}
