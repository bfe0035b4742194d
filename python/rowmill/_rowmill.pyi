"""The compiled half of Rowmill. What is public is to be had from `rowmill` itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import (
    Any,
    ClassVar,
    Final,
    Literal,
    Protocol,
    Self,
    SupportsIndex,
    TypeAlias,
    TypeVar,
    final,
    overload,
    type_check_only,
)

import numpy
import pandas
import polars
import pyarrow
from typing_extensions import Buffer, CapsuleType

from rowmill._expressions import (
    Col,
    Expr,
    Labeled,
    Quantified,
    case,
    coalesce,
    col,
    concat,
    count,
    dense_rank,
    exists,
    geo_within,
    greatest,
    least,
    lit,
    rank,
    row_number,
)
from rowmill._graph import Dag, NodeSet
from rowmill._matching import Matcher as Matcher
from rowmill._packing import PackedClass as PackedClass
from rowmill._packing import Record as Record
from rowmill._plan import Plan
from rowmill._pumping import Options as Options
from rowmill._pumping import Pump as Pump
from rowmill._pumping import StreamHandle as StreamHandle
from rowmill._queries import (
    Call,
    Delete,
    Expected,
    Insert,
    Page,
    Paging,
    Prepared,
    Raw,
    Select,
    Source,
    Subquery,
    TableClass,
    Update,
    _Query,
    delete,
    insert,
    parameter,
    select,
    sql,
    update,
    upsert,
)
from rowmill._transact import Savepoint

__all__ = [
    "Call",
    "Col",
    "Column",
    "Dag",
    "Database",
    "Delete",
    "Expected",
    "Expr",
    "Frame",
    "GroupBy",
    "Insert",
    "Labeled",
    "Matcher",
    "NodeSet",
    "Options",
    "PackedClass",
    "Page",
    "Paging",
    "Partition",
    "Prepared",
    "Pump",
    "Quantified",
    "Raw",
    "Record",
    "Row",
    "Schema",
    "Select",
    "Source",
    "Stream",
    "StreamHandle",
    "Subquery",
    "TableClass",
    "Transaction",
    "Update",
    "__version__",
    "_row",
    "case",
    "coalesce",
    "col",
    "concat",
    "count",
    "delete",
    "dense_rank",
    "exists",
    "geo_within",
    "greatest",
    "insert",
    "least",
    "lit",
    "operators",
    "parameter",
    "rank",
    "row_number",
    "select",
    "sql",
    "update",
    "upsert",
]

__version__: Final[str]

_T = TypeVar("_T")
_Orient: TypeAlias = Literal["records", "columns", "ndjson"]
_Isolation: TypeAlias = Literal["read committed", "repeatable read", "serializable"]
_Array: TypeAlias = numpy.ndarray[Any, Any]

# What a call of the pump gives: the answer or a future of it, the call's id, whether it is queued.
_Submitted: TypeAlias = tuple[Any, int | None, bool]

@type_check_only
class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@type_check_only
class _ArrowArray(Protocol):
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...

@type_check_only
class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]

_Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any] | Row | _Dataclass

_Data: TypeAlias = Frame | _ArrowStream | _ArrowArray | dict[str, Any] | list[Any]

@final
class Frame:
    """A result: named, typed columns of one length, immutable.

    `rm.Frame(data)` takes anything with the Arrow PyCapsule interface (Polars, pandas, PyArrow,
    DuckDB, ...), a dict of name to values (a list, a NumPy array, an Arrow column), or a list of
    rows: dicts, dataclasses, named tuples, Rows.

    >>> frame = rm.Frame({"id": [1, 2, 3], "name": ["a", "b", None]})
    >>> frame.shape, frame.columns
    ((3, 2), ['id', 'name'])
    >>> frame["name"].to_list(), frame[0].name, len(frame[1:]), frame[["name"]].columns
    (['a', 'b', None], 'a', 2, ['name'])

    A name gives a `Column`, a number a `Row`, a slice or a list of names a `Frame` over the same
    memory. Iteration gives rows.
    """

    def __new__(cls, data: _Data, /) -> Self: ...
    @property
    def schema(self) -> Schema:
        """Names and types."""
    @property
    def columns(self) -> list[str]:
        """The columns' names."""
    def keys(self) -> list[str]:
        """The columns' names: with these a frame is turned into a dict of columns, `dict(frame)`."""
    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
    @property
    def nbytes(self) -> int:
        """Bytes that the values take; memory shared with other frames counts in each."""
    @overload
    def __getitem__(self, key: str, /) -> Column: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Row: ...
    @overload
    def __getitem__(self, key: slice | list[str] | tuple[str, ...], /) -> Frame: ...
    def __len__(self) -> int: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[Row]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]
    def filter(
        self, *conditions: Expr[Any], columns: list[str] | tuple[str, ...] | None = None
    ) -> Frame:
        """The rows of which all conditions are true: neither false nor NULL.

        >>> frame = rm.Frame({"id": [1, 2, 3], "name": ["a", "b", None]})
        >>> frame.filter(rm.col("id") > 1, rm.col("name").is_not_null()).to_dict()
        {'id': [2], 'name': ['b']}

        Several conditions are joined with `and`. What an expression means is what it means in a query.

        A column's values are copied when the column is first asked for. Until all are, or the result is
        dropped, it holds this frame's memory, as a slice does (a sixteenth of a large frame and less is
        copied at once): keep `frame.filter(...).copy()` where a result is kept long, or where the frame is
        made of another library's memory that is written to.

        Args:
            columns: The names of the columns that are wanted; the others are not copied.
        """
    def copy(self) -> Frame:
        """The same rows in memory of their own, which no other frame shares.

        A slice, and a frame that was filtered, hold the memory of the frame that they are of; a copy does not.

        >>> rm.Frame({"id": [1, 2, 3]})[1:].copy().to_dict()
        {'id': [2, 3]}
        """
    def select(self, *columns: str | Expr[Any] | Labeled, **named: Any) -> Frame:
        """Columns by their names, and columns that are computed.

        >>> frame = rm.Frame({"price": [2, 3], "count": [10, 20]})
        >>> frame.select("count", total=rm.col("price") * rm.col("count")).to_dict()
        {'count': [10, 20], 'total': [20, 60]}

        A column that is only named shares this frame's memory. A computed one has its name from the
        keyword, or from `label()`.
        """
    def group_by(
        self, *keys: str | Expr[Any] | Labeled, drop_nulls: bool = False, **named: Any
    ) -> GroupBy:
        """The rows by groups that are equal in keys: names, or expressions; then `agg` says what each group comes to.

        >>> frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
        >>> frame.group_by("team").agg(points=rm.col("points").sum()).to_dict()
        {'team': ['a', 'b'], 'points': [7, 5]}

        Without keys all rows are one group. NULL is a key like any other, as in a query, and NaN is equal to NaN.

        Args:
            drop_nulls: Whether rows of which a key is NULL are in no group.
        """
    def join(
        self,
        other: Frame,
        on: str | list[str] | tuple[str, ...] | None = None,
        *,
        left_on: str | list[str] | tuple[str, ...] | None = None,
        right_on: str | list[str] | tuple[str, ...] | None = None,
        how: Literal["inner", "left", "semi", "anti"] = "inner",
        suffix: str = "_right",
    ) -> Frame:
        """Each row with the rows of another frame that have the same values in some columns.

        >>> people = rm.Frame({"id": [1, 2, 3], "team": ["a", "b", "c"]})
        >>> teams = rm.Frame({"team": ["a", "b"], "city": ["Oslo", "Bergen"]})
        >>> people.join(teams, on="team").to_dict()
        {'id': [1, 2], 'team': ['a', 'b'], 'city': ['Oslo', 'Bergen']}
        >>> people.join(teams, on="team", how="anti")["id"].to_list()
        [3]

        Rows come in the order of this frame, and of the other where one has several. NULL is equal to nothing, as in a
        query; NaN is equal to NaN; 1 is equal to Decimal("1.0"). The other frame's keys are left out: which rows of a
        left join have no other is told by how="anti".

        Args:
            on: The columns, one name or a list, that both frames have.
            left_on: The columns of this frame, where they have other names than those of the other.
            right_on: The columns of the other frame.
            how: "inner"; "left": rows without another too, with NULLs; "semi": rows that have another, each once and
                without its columns; "anti": those that have none.
            suffix: What stands after the name of a column of the other frame, where this frame has one of the name.

        Raises:
            KeyError: There is no such column.
            ProgrammingError: The columns are of types that are not compared.
            DataError: Lists, JSON, structs and intervals are no keys; there are more rows than 32 bits count.
        """
    def unique(self, *columns: str, keep: Literal["first", "last", "none"] = "first") -> Frame:
        """One row of all that are equal in these columns, without names in all of them; in their order.

        >>> frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
        >>> frame.unique("team").to_dict()
        {'team': ['a', 'b'], 'points': [3, 5]}

        NULL is equal to NULL here, and NaN to NaN.

        Args:
            keep: Which of equal rows: "first", "last", or "none" where there are several.

        Raises:
            KeyError: There is no such column.
            DataError: Lists, JSON, structs and intervals cannot be told apart.
        """
    def sort(self, *keys: str | Expr[Any], nulls: Literal["first", "last"] | None = None) -> Frame:
        """The rows in the order of keys: names, or expressions, downwards with a minus before them.

        >>> frame = rm.Frame({"name": ["a", "b", None], "age": [3, 5, 5]})
        >>> frame.sort(-rm.col("age"), "name")["name"].to_list()
        ['b', None, 'a']

        Rows of equal keys stay as they are. NaN is greater than all numbers, text is in the order of
        code points.

        Args:
            nulls: "first" or "last", for keys that do not say themselves; without, as in PostgreSQL:
                last, and first where a key goes downwards.
        """
    def rows(self) -> Iterator[Row]:
        """The rows, one after the other."""
    def into(self, cls: type[_T], /, *, extra: Literal["error", "ignore"] = "error") -> list[_T]:
        """The rows as instances of a class whose fields are the columns.

        Args:
            cls: A dataclass, a msgspec.Struct, a pydantic model, a TypedDict, a NamedTuple, or dict.
            extra: What becomes of a column that no field is for: "error", or "ignore".

        Raises:
            ProgrammingError: A field without a default has no column, or a column no field.
            DataError: A value that the class does not take.
        """
    @staticmethod
    def from_packed(
        records: Column | Iterable[Record | Buffer | None],
        cls: type[Any] | None = None,
        *,
        columns: list[str] | tuple[str, ...] | None = None,
    ) -> Frame:
        """Packed records as a frame; `cls` is their class, where they are bytes."""
    def to_packed(self, cls: type[Any], /) -> Column:
        """The rows as packed records, one column of bytes."""
    def to_pandas(self, *, objects: bool = False) -> pandas.DataFrame:
        """A pandas DataFrame over the same memory where the type allows.

        docs/types.md has the table of types. Assign to a copy: what is shared cannot
        be written.

        Args:
            objects: Whether uuids, decimals, times, bytes and lists become Python objects, which
                takes a microsecond each, and not Arrow's own types.
        """
    def to_polars(self) -> polars.DataFrame:
        """A Polars DataFrame over the same memory."""
    def to_numpy(self) -> dict[str, _Array]:
        """NumPy arrays by column name, views where the type allows."""
    def to_arrow(self) -> pyarrow.Table:
        """A PyArrow table over the same memory."""
    def to_json(self, orient: _Orient = "records") -> bytes:
        """JSON in UTF-8. Floats that are NaN or infinite become null, as JSON has neither.

        Args:
            orient: "records" (an array of objects), "columns" (an object of arrays) or "ndjson"
                (an object a line).
        """
    def to_tuples(self) -> list[tuple[Any, ...]]:
        """The rows as a list of tuples, as other drivers give them."""
    def to_dict(self) -> dict[str, list[Any]]:
        """Lists of Python objects by column name."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType: ...
    def __arrow_c_schema__(self) -> CapsuleType: ...
    def _repr_html_(self) -> str: ...
    def _ipython_key_completions_(self) -> list[str]: ...
    def _column(self, at: int) -> Column: ...
    def _nest(
        self, name: str, at: int, children: Frame, key: int, shown: int, many: bool
    ) -> Frame: ...
    def _without(self, at: int) -> Frame: ...
    def _copied(self) -> None: ...
    def _texts(self, at: int, rows: Sequence[int], most: int) -> list[str | None]: ...
    def _stream_of_views(self) -> CapsuleType: ...

@final
class Column:
    """One column of a frame: a name, a type and values that are decoded when they are asked for.

    >>> column = rm.Frame({"id": [1, None, 3]})["id"]
    >>> column.name, column.type, len(column), column.null_count, column[-1]
    ('id', 'int64', 3, 1, 3)

    Slices share the frame's memory. NumPy, pandas, Polars and PyArrow take a column as it is, by
    the Arrow PyCapsule interface or `to_numpy`.
    """

    @property
    def name(self) -> str:
        """The name."""
    @property
    def type(self) -> str:
        """What the values are, in words: `int64`, `timestamp[utc]`, `list[text]`."""
    @property
    def null_count(self) -> int:
        """How many values are NULL."""
    @property
    def nbytes(self) -> int:
        """Bytes that the values take; memory shared with other columns counts in each."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> Column: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]
    def to_list(self) -> list[Any]:
        """The values as Python objects, NULL as None."""
    def to_numpy(self) -> _Array:
        """The values as a NumPy array, a view where the type allows; see `Frame.to_numpy`."""
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[CapsuleType, CapsuleType]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType: ...
    def __arrow_c_schema__(self) -> CapsuleType: ...
    def _buffer(self) -> Any: ...
    def _floats(self) -> Any: ...
    def _timestamps(self) -> Any: ...
    def _dates(self, scale: int) -> Any: ...
    def _bools(self) -> Any: ...
    def _nulls(self) -> Any: ...

@final
class GroupBy:
    """A frame's rows by groups, made by `Frame.group_by`; `agg` says what each group comes to."""

    def agg(self, *results: Expr[Any] | Labeled, **named: Any) -> Frame:
        """A row for each group, in the order of their first rows: its keys, and what it comes to.

        >>> frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
        >>> frame.group_by("team").agg(games=rm.count(), best=rm.col("points").max()).to_dict()
        {'team': ['a', 'b'], 'games': [2, 1], 'best': [4, 5]}

        Each result is an aggregate, or computed from aggregates and keys. Aggregates pass over NULLs and mean what they
        mean in a query: a sum of no values is NULL, and one beyond 64 bits is an error.
        """

@final
class Row:
    """One row: values by name, by position and as attributes, each decoded when it is asked for.

    >>> row = rm.Frame({"id": [7], "name": ["Ada"]})[0]
    >>> row.name, row["id"], row[-1], tuple(row), dict(row)
    ('Ada', 7, 'Ada', (7, 'Ada'), {'id': 7, 'name': 'Ada'})

    A row compares, sorts and hashes as the tuple of its values. The methods `keys`, `into`, `to_dict`
    and `to_tuple` win over columns of these names; `row["keys"]` is always the column. Where a name
    repeats it means the first of its columns; positions reach all of them.
    """

    @overload
    def __getitem__(self, key: str | SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __getattribute__(self, name: str, /) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Row | tuple[Any, ...], /) -> bool: ...
    def __le__(self, other: Row | tuple[Any, ...], /) -> bool: ...
    def __gt__(self, other: Row | tuple[Any, ...], /) -> bool: ...
    def __ge__(self, other: Row | tuple[Any, ...], /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def keys(self) -> tuple[str, ...]:
        """The columns' names."""
    def to_dict(self) -> dict[str, Any]:
        """The values by name.

        Raises:
            ProgrammingError: A name repeats: a dict would lose a value.
        """
    def into(self, cls: type[_T], /, *, extra: Literal["error", "ignore"] = "error") -> _T:
        """An instance of a class whose fields are the columns: as `Frame.into` makes them."""
    def to_tuple(self) -> tuple[Any, ...]:
        """The values in order."""

@final
class Schema:
    """The names and types of a frame's columns, in order: a read-only mapping of name to type.

    >>> rm.Frame({"id": [1, 2], "name": ["a", "b"]}).schema
    Schema({'id': 'int64', 'name': 'text'})
    """

    @property
    def names(self) -> list[str]:
        """The columns' names."""
    @property
    def types(self) -> list[str]:
        """The columns' types, in words: `int64`, `timestamp[utc]`, `list[text]`."""
    def __getitem__(self, name: str, /) -> str: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...
    @overload
    def get(self, name: str, default: _T, /) -> str | _T: ...
    def keys(self) -> list[str]:
        """The columns' names."""
    def values(self) -> list[str]:
        """The columns' types."""
    def items(self) -> list[tuple[str, str]]:
        """Pairs of name and type."""
    def __arrow_c_schema__(self) -> CapsuleType: ...

def operators() -> list[list[str]]: ...
def _row(names: tuple[str, ...], values: tuple[Any, ...]) -> Row: ...

@type_check_only
class _Verbs(Protocol):
    """What a database and a transaction have in common."""

    def fetch(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> Frame:
        """All rows, as a Frame."""
    def fetch_one(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> Row | None:
        """The first row, or None where there is none."""
    def fetch_value(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> Any:
        """The first column of the first row, or None where there is no row."""
    def page(
        self,
        query: Select | Call,
        /,
        size: int = 50,
        *,
        after: str | None = None,
        before: str | None = None,
        secret: bytes | str | None = None,
        timeout: float | None = None,
    ) -> Page:
        """A page of a query's rows, found by the place of the page before.

        Args:
            query: With an order; the primary key is appended to it, so that it tells all rows apart.
            size: Rows of a page.
            after: `next` of the page before.
            before: `previous` of the page after.
            secret: What tokens are sealed with; None is the database's address.
        """
    def fetch_json(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        orient: _Orient = "records",
        timeout: float | None = None,
        **named: Any,
    ) -> bytes:
        """All rows as JSON bytes, with no Python object on the way.

        Floats that are NaN or infinite become null, as JSON has neither.
        """
    def stream(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        batch_rows: int = 65536,
        timeout: float | None = None,
        **named: Any,
    ) -> Stream:
        """The rows in Frames of about `batch_rows`: memory stays bounded at any size."""
    def execute(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> int:
        """Runs a statement for its effect; returns the rows affected.

        What `set` changes stays on the one pooled connection that ran it: use the URL's `options=`,
        or `set local` in a transaction.
        """
    def execute_many(
        self,
        sql: str,
        rows: Iterable[_Parameters],
        /,
        *,
        timeout: float | None = None,
    ) -> int:
        """Runs a statement once for each row of parameters: all of them, or none."""
    @overload
    def load(
        self,
        table: str,
        data: _Data | Iterator[_Data],
        /,
        *,
        columns: dict[str, str | None] | None = None,
        on_conflict: Literal["nothing", "update"] | None = None,
        key: str | Sequence[str] | None = None,
        commit_each: int | None = None,
        progress: Callable[[int], object] | None = None,
        returning: None = None,
        timeout: float | None = None,
    ) -> int:
        """Rows into a table: all of them, or none. Returns how many were inserted or updated."""
    @overload
    def load(
        self,
        table: str,
        data: _Data | Iterator[_Data],
        /,
        *,
        columns: dict[str, str | None] | None = None,
        on_conflict: Literal["nothing", "update"] | None = None,
        key: str | Sequence[str] | None = None,
        commit_each: int | None = None,
        progress: Callable[[int], object] | None = None,
        returning: str | Sequence[str],
        timeout: float | None = None,
    ) -> Frame:
        """As above; returns these columns of the rows as they are in the table."""
    def execute_script(self, sql: str, /, *, timeout: float | None = None) -> None:
        """Runs several statements, separated by semicolons, without parameters."""
    def explain(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        analyze: bool = False,
        timeout: float | None = None,
        **named: Any,
    ) -> Plan:
        """How the database means to run a statement; with `analyze` how it did. What that changed is
        rolled back."""
    @property
    def _is_sqlite(self) -> bool: ...
    @property
    def _dialect(self) -> str: ...

@final
class Database(_Verbs):
    """A database for blocking code: an SQLite file, or a PostgreSQL server behind a pool."""

    def __new__(
        cls,
        url: str | PathLike[str] | None = None,
        *,
        pool_size: int | None = None,
        pool_min: int = 0,
        pool_idle: float | None = 600.0,
        pool_lifetime: float | None = 3600.0,
        timeout: float | None = None,
        connect_timeout: float = 10.0,
        pool_timeout: float = 30.0,
        statement_cache: int = 256,
    ) -> Self: ...
    def stream(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        batch_rows: int = 65536,
        partition: Partition | str | None = None,
        timeout: float | None = None,
        **named: Any,
    ) -> Stream:
        """The rows in Frames of about `batch_rows`; with `partition` several connections read them."""
    def transaction(
        self,
        *,
        isolation: _Isolation | None = None,
        read_only: bool = False,
        deferrable: bool = False,
    ) -> Transaction:
        """A transaction: commits when its `with` block ends, rolls back when it raises."""
    def transact(
        self,
        work: Callable[[Transaction], _T],
        /,
        *,
        retry: int = 5,
        isolation: _Isolation | None = None,
        read_only: bool = False,
        deferrable: bool = False,
    ) -> _T:
        """Calls `work` with a transaction, and again with a new one where it ran into another."""
    def expect(self, *, max_queries: int) -> Expected:
        """A `with` block in which so many queries run at most, for tests: more are an AssertionError."""
    def stats(self) -> dict[str, int]:
        """How the connections are doing: "size", "open", "idle", "waiting", "opened", "lost",
        "retired"."""
    def close(self) -> None:
        """Closes the database. Calls that come later fail; calls under way end as they will."""
    @property
    def closed(self) -> bool:
        """Whether the database was closed."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class Transaction(_Verbs):
    """A transaction: the verbs of a database, all or nothing. Begins at `with`."""

    def _doom(self) -> None: ...
    def savepoint(self) -> Savepoint:
        """A part that can fail alone, for `with`: what it did is undone, the transaction goes on."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> Literal[False]: ...

@final
class Partition:
    """How `stream` cuts a result into parts, which several connections read side by side."""

    def __new__(
        cls,
        on: str,
        /,
        *,
        parts: int = 4,
        by: Literal["range", "rows"] = "range",
        ordered: bool = False,
    ) -> Self: ...
    @property
    def on(self) -> str:
        """The column."""
    @property
    def parts(self) -> int:
        """How many parts."""
    @property
    def by(self) -> Literal["range", "rows"]:
        """Where to cut."""
    @property
    def ordered(self) -> bool:
        """Whether rows come in the column's order."""
    def __eq__(self, value: object, /) -> bool: ...

@final
class Stream:
    """The parts of a result, one Frame at a time."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Frame: ...
    def close(self) -> None:
        """Ends the stream: the server stops, the connection goes back. Closing twice is fine."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
