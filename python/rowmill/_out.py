"""Where frames go: NumPy, pandas, Polars and PyArrow, each imported when it is asked for.

Nothing is copied where the types allow. What each type becomes:

| type | NumPy | pandas | with NULLs |
|---|---|---|---|
| bool | `bool` | `bool` | masked array / `boolean` |
| int8..int64, uint8..uint64 | the same, a view | the same, a view | masked array / `Int8`..`UInt64` over the same memory |
| float32, float64 | the same, a view | the same, a view | NaN |
| timestamp | `datetime64[us]`, a view | `datetime64[us]`, a view | NaT |
| timestamp[utc] | `datetime64[us]` in UTC, a view | `datetime64[us, UTC]`, a view | NaT |
| date | `datetime64[D]` | `datetime64[s]` | NaT |
| text, json | objects | `str` over the same memory | None / missing |
| enum | objects | `category` | None / missing |
| bytes, decimal, time, list, others | objects | `ArrowDtype` over the same memory | None / `<NA>` |
| uuid | objects | `ArrowDtype` of its sixteen bytes, the same memory | None / `<NA>` |
| interval, lists of intervals or uuids | objects | objects | None |

A column of whole numbers or booleans is never turned into floats because of a NULL. PostgreSQL's
infinite dates and timestamps never come here: to fetch one raises `DataError`, which names the
column and says to cast it to text. Arrow data can hold the timestamp that NumPy reads as NaT; that
stands for NULL, and so it raises `DataError`, too.

Views are read-only, for a frame is shared: assign to a copy. Without PyArrow, what would share
memory through it becomes Python objects, and so it does with `to_pandas(objects=True)`.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    import pandas
    import polars
    import pyarrow

    from rowmill._rowmill import Column, Frame

    _Array = numpy.ndarray[Any, Any]

_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_FLOATS = frozenset(("float32", "float64"))
_TIMESTAMPS = frozenset(("timestamp", "timestamp[utc]"))
_SECONDS_PER_DAY = 86_400


def to_numpy(frame: Frame) -> dict[str, _Array]:
    """A dict of arrays by column name; the table above says which."""
    _want("numpy")
    names = frame.columns
    if len(set(names)) != len(names):
        from rowmill._errors import ProgrammingError

        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise ProgrammingError(
            f"two columns are named {twice!r}, which a dict cannot hold; "
            "name them apart with AS in the query"
        )
    frame._copied()
    return {name: column_to_numpy(frame._column(at)) for at, name in enumerate(names)}


def column_to_numpy(column: Column) -> _Array:
    """One column as an array."""
    import numpy as np

    kind = column.type
    if kind in _FLOATS:
        return np.frombuffer(column._floats(), kind)
    if kind in _TIMESTAMPS:
        return np.frombuffer(column._timestamps(), "datetime64[us]")
    if kind == "date":
        return np.frombuffer(column._dates(1), "datetime64[D]")
    if kind == "bool" or kind in _INTEGERS:
        values = _whole(column)
        return np.ma.MaskedArray(values, _nulls(column)) if column.null_count else values
    return _objects(column)


def to_pandas(frame: Frame, objects: bool = False) -> pandas.DataFrame:
    """A DataFrame whose columns are views, each a block of its own, where the type allows."""
    _want("pandas", "pandas")
    import pandas as pd

    frame._copied()
    columns = [_to_pandas(frame._column(at), objects) for at in range(frame.shape[1])]
    names = pd.Index(frame.columns, dtype=None if columns else "str")
    rows = pd.RangeIndex(len(frame))
    try:
        from pandas.api.internals import create_dataframe_from_blocks as assemble
    except ImportError:  # before pandas 3
        # By position: names may repeat.
        table = pd.DataFrame(dict(enumerate(columns)), index=rows, copy=False)
        table.columns = names
        return table
    return assemble([_block(values, at) for at, values in enumerate(columns)], rows, names)


def _block(values: Any, at: int) -> tuple[Any, _Array]:
    """Values and their place as pandas keeps them, so that it need not look at them."""
    import numpy as np

    return values.reshape(1, -1) if type(values) is np.ndarray else values, np.array([at])


def _to_pandas(column: Column, objects: bool) -> Any:
    """One column as what a DataFrame takes."""
    import numpy as np
    import pandas as pd

    kind = column.type
    if kind == "timestamp[utc]":
        instants = np.frombuffer(column._timestamps(), "int64")
        return pd.array(instants, dtype=pd.DatetimeTZDtype("us", "UTC"), copy=False)
    if kind in _FLOATS or kind == "timestamp":
        return column_to_numpy(column)
    if kind == "date":
        return np.frombuffer(column._dates(_SECONDS_PER_DAY), "datetime64[s]")
    if kind == "bool" or kind in _INTEGERS:
        values = _whole(column)
        if not column.null_count:
            return values
        masked = pd.arrays.BooleanArray if kind == "bool" else pd.arrays.IntegerArray
        return masked(values, _nulls(column))
    if kind == "enum":
        return _categories(pd, column)
    arrow = _pyarrow()
    if kind in ("text", "json"):
        return _text(pd, column, arrow)
    # Of intervals pandas has no dtype, and lists of uuids it cannot print.
    rare = kind == "null" or "interval" in kind.lower() or "[uuid]" in kind
    if objects or arrow is None or rare:
        return _objects(column)
    values = arrow.array(column)
    if kind == "uuid":
        # PyArrow cannot compare, group or join its uuids; their bytes it can.
        values = getattr(values, "storage", values)
    return pd.arrays.ArrowExtensionArray(values)


def _text(pd: Any, column: Column, arrow: Any) -> Any:
    """Text as the default string type of this pandas, over the same memory with PyArrow."""
    if arrow is None:
        return pd.array(column.to_list(), dtype="str" if _three(pd) else "string")
    values = arrow.array(column)
    # PyArrow knows JSON as a type of its own over text.
    return _strings(pd, getattr(values, "storage", values))


def _strings(pd: Any, values: Any) -> Any:
    if _three(pd):
        return pd.arrays.ArrowStringArray(values, dtype=pd.StringDtype(na_value=float("nan")))
    return pd.arrays.ArrowStringArray(values)


def _three(pd: Any) -> bool:
    """Whether this pandas has a string type of its own by default."""
    return int(pd.__version__.partition(".")[0]) >= 3


def _categories(pd: Any, column: Column) -> Any:
    """An enum's codes over its labels; a label that no row holds is kept if the decoder met it."""
    arrow = _pyarrow()
    if arrow is None:
        return pd.Categorical(column.to_list())
    values = arrow.array(column)
    codes = values.indices.fill_null(-1).to_numpy()
    labels = pd.Index(_strings(pd, values.dictionary), copy=False)
    return pd.Categorical.from_codes(codes, categories=labels)


def _whole(column: Column) -> _Array:
    """Integers or booleans, whatever stands in the NULL slots."""
    import numpy as np

    if column.type == "bool":
        return np.frombuffer(column._bools(), "bool")
    return np.frombuffer(column._buffer(), column.type)


def _nulls(column: Column) -> _Array:
    """True where there is no value."""
    import numpy as np

    return np.frombuffer(column._nulls(), "bool")


def _objects(column: Column) -> _Array:
    """Python objects, lists among them as one object each."""
    import numpy as np

    return np.fromiter(column, dtype=object, count=len(column))


def to_arrow(frame: Frame) -> pyarrow.Table:
    """A PyArrow table over the same memory."""
    _want("pyarrow", "arrow")
    import pyarrow

    return pyarrow.table(frame)


def to_polars(frame: Frame) -> polars.DataFrame:
    """A Polars DataFrame over the same memory.

    Polars has no uuid and no interval: a uuid becomes its sixteen bytes as Binary, an interval a
    Struct of months, days and microseconds.

    Raises:
        NotSupportedError: A decimal of more than 38 digits, or an interval within a list.
    """
    _want("polars", "polars")
    import polars as pl

    kinds = frame.schema.types
    for name, kind in zip(frame.columns, kinds, strict=True):
        _refuse_for_polars(name, kind)
    intervals = [at for at, kind in enumerate(kinds) if kind == "interval"]
    if not intervals:
        return pl.DataFrame(_Views(frame))
    names = frame.columns
    rest = frame[[name for name, kind in zip(names, kinds, strict=True) if kind != "interval"]]
    table = pl.DataFrame(_Views(rest))
    parts = dict.fromkeys(("months", "days"), pl.Int32) | {"microseconds": pl.Int64}
    for at in intervals:
        spans = frame._column(at).to_list()
        rows = [None if span is None else span._asdict() for span in spans]
        table.insert_column(at, pl.Series(names[at], rows, pl.Struct(parts)))
    return table


def _refuse_for_polars(name: str, kind: str) -> None:
    """Raise for what Polars would end in a panic."""
    wide = kind.rpartition("decimal(")[2].partition(",")[0]
    if (wide.isdecimal() and int(wide) > 38) or ("interval" in kind.lower() and kind != "interval"):
        from rowmill._errors import NotSupportedError

        raise NotSupportedError(
            f"column {name!r}: Polars cannot hold {kind}",
            hint="cast the column in the query, or take the frame by to_arrow() or to_pandas()",
        )


class _Views:
    """A frame that offers its text in Arrow's view layout, which is Polars' own."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame._stream_of_views()


def _want(library: str, extra: str = "") -> None:
    """Says how a library is installed that is not there."""
    if library not in sys.modules and importlib.util.find_spec(library) is None:
        package = f"'rowmill[{extra}]'" if extra else library
        message = f"{library} is not installed: pip install {package}"
        raise ModuleNotFoundError(message, name=library)


def _pyarrow() -> Any:
    """PyArrow, or None where it is not installed."""
    try:
        import pyarrow
    except ImportError:
        return None
    return pyarrow
