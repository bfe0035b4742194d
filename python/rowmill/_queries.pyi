"""What queries are to type checkers. The module is a stub's part: at run time its names are those of
`rowmill._rowmill`."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import (
    Any,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    final,
    overload,
    type_check_only,
)

from rowmill._aio import AsyncDatabase, AsyncTransaction
from rowmill._edge import Edge
from rowmill._expressions import Col, Expr, Labeled
from rowmill._plan import Plan
from rowmill._rowmill import Database, Frame, Row, Transaction, _Dataclass
from rowmill._table import Table

_Query: TypeAlias = Select | Insert | Update | Delete | Raw | Call
_Traced: TypeAlias = Select | Insert | Update | Delete | Raw
_P = ParamSpec("_P")
_From: TypeAlias = type[Table] | Source | Subquery
_Condition: TypeAlias = Expr[bool | None] | Raw
_Key: TypeAlias = Expr[Any] | Raw
_Output: TypeAlias = Expr[Any] | Labeled | Source | Subquery | type[Table] | Select | Raw
_Given: TypeAlias = Mapping[Any, Any] | Row | _Dataclass
_Dialect: TypeAlias = (
    Literal["postgresql", "sqlite"] | Database | AsyncDatabase | Transaction | AsyncTransaction
)

class TableClass(type):
    """The class of table classes: asks `_unknown` for attributes that they do not have."""

@final
class Source:
    """A table as it was declared."""

    def __new__(
        cls,
        schema: str | None,
        name: str,
        columns: list[tuple[str, str | None, str, bool, bool, tuple[str, str] | None]],
    ) -> Self: ...
    def columns(self) -> list[Col[Any]]: ...
    def labels(self) -> list[str]: ...
    def alias(self, name: str) -> Source: ...
    def _keys_to(self, parent: Source) -> list[tuple[Col[Any], Col[Any]]]: ...
    @property
    def name(self) -> str: ...
    @property
    def table(self) -> str | None: ...

@final
class Subquery:
    """A query in a table's place. Its attributes are its columns, and nothing else."""

    def __getattr__(self, name: str, /) -> Col[Any]: ...
    def __getitem__(self, name: str, /) -> Col[Any]: ...

@type_check_only
class _Written(Protocol):
    """What all queries have in common."""

    def sql(self, dialect: _Dialect = "postgresql") -> tuple[str, list[Any]]:
        """The SQL and its parameters: (text, [values]), in a dialect or that of a database."""
    @overload
    def explain(self, on: Database | Transaction, /, *, analyze: bool = False) -> Plan:
        """The plan of the query on a database, or in a transaction, as of `db.explain(q)`."""
    @overload
    def explain(
        self, on: AsyncDatabase | AsyncTransaction, /, *, analyze: bool = False
    ) -> Awaitable[Plan]: ...

@final
class Select(_Written):
    """A query that reads, built step by step: each step gives a new one."""

    def where(self, *conditions: _Condition) -> Select:
        """Only rows for which all conditions hold; called again it adds to those."""
    def join(self, to: _From, on: _Condition | None = None, /) -> Select:
        """Other tables' rows beside those that belong to them; rows without a partner are left out.
        Without `on` by the one foreign key between the tables."""
    def left_join(self, to: _From, on: _Condition | None = None, /) -> Select:
        """As `join`; rows without a partner stay, with NULLs in its place."""
    def full_join(self, to: _From, on: _Condition | None = None, /) -> Select:
        """As `left_join`, for the rows of both sides."""
    def cross_join(self, to: _From) -> Select:
        """Each row with each of another table."""
    def from_(self, table: _From | str) -> Select:
        """Where rows come from, when the columns do not say it: a table, its name, or a query with a
        name."""
    def group_by(self, *keys: _Key) -> Select:
        """One row for all rows that are equal in these."""
    def having(self, *conditions: _Condition) -> Select:
        """Only groups for which all conditions hold."""
    def order_by(self, *keys: _Key) -> Select:
        """The order of the rows: `-key` or `key.desc()` is downwards. Replaces an order that was there."""
    def limit(self, rows: int | Expr[int] | None, /) -> Select:
        """So many rows at most; None for all."""
    def offset(self, rows: int | Expr[int] | None, /) -> Select:
        """Not the first so many rows."""
    def distinct(self) -> Select:
        """Each row once."""
    def select(self, *columns: _Output, **named: Any) -> Select:
        """Other columns in place of those selected."""
    def union(self, *others: Select) -> Select:
        """The rows of all queries, each once."""
    def union_all(self, *others: Select) -> Select:
        """The rows of all queries, as often as they are there."""
    def intersect(self, *others: Select) -> Select:
        """The rows that are in every one of the queries."""
    def except_(self, *others: Select) -> Select:
        """The rows that are in none of the others."""
    def subquery(self, name: str) -> Subquery:
        """The query under a name, to select from and join: its columns are the attributes."""
    def lateral(self, name: str) -> Subquery:
        """As `subquery`, and it may use the columns of what stands before it (PostgreSQL)."""
    def cte(self, name: str) -> Subquery:
        """As `subquery`, written once before the query, however often it is used."""
    def exists(self) -> Expr[bool]:
        """Whether there is a row, as a condition."""
    def value(self) -> Expr[Any]:
        """The one value of the one row, as an operand."""

    def top_n(self, rows: int, /, *, per: _Key, groups: Sequence[Any] | None = None) -> Select:
        """Only the first `rows` of each group, in the query's order.

        Args:
            rows: How many of each group.
            per: What the groups are by.
            groups: The groups that are wanted, a list of values: with an index on `per` and the order
                this is a thousand times faster than all groups there are, which None means.
        """
    def union_or(self) -> Select:
        """As the union of its parts, where one of the conditions is `a | b | ...`: each part once, with
        the order and the limit in each."""
    def with_(self, *edges: Edge) -> Select:
        """With the rows that belong to each row: one query more for each edge."""
    @property
    def _has_edges(self) -> bool: ...
    def _parted(self) -> tuple[list[Edge], Select]: ...
    def _first(self) -> Select: ...
    def _keyed(self, column: Expr[Any], name: str) -> tuple[Select, int, int]: ...

@final
class Page:
    """Rows of a query, and the tokens of the pages beside them."""

    @property
    def rows(self) -> Frame:
        """The rows."""
    @property
    def next(self) -> str | None:
        """The token of the page after this, or None."""
    @property
    def previous(self) -> str | None:
        """The token of the page before this, or None."""
    @property
    def has_next(self) -> bool:
        """Whether there is a page after this."""
    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Row]: ...

@final
class Paging:
    def __new__(
        cls,
        query: Select | Call,
        size: int,
        after: str | None,
        before: str | None,
        secret: bytes | str | None,
        address: str,
    ) -> Self: ...
    def query(self) -> Select | Call: ...
    def finish(self, rows: Frame) -> Page: ...

@final
class Prepared(Generic[_P]):
    """A function of a query, traced once: a call binds its values and builds nothing."""

    __name__: str
    __wrapped__: Callable[_P, _Traced]
    def __new__(
        cls,
        query: _Traced,
        parameters: list[tuple[str, str, bool, tuple[Any, ...]]],
        positional: int,
    ) -> Self: ...
    def __call__(self, *given: _P.args, **named: _P.kwargs) -> Call: ...
    def sql(self, dialect: _Dialect = "postgresql") -> str:
        """The SQL."""

@final
class Call(_Written):
    """A call of a prepared function: a query with its values."""

@final
class Expected:
    """A `with` block in which a database runs so many queries at most; `queries` are those that ran."""

    @property
    def queries(self) -> list[str]:
        """The SQL of the queries that ran so far, in their order."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

@final
class Insert(_Written):
    """Adds rows to a table: `rm.insert(Order).values(total=5.0)`."""

    def values(self, *rows: _Given | Sequence[_Given], **row: Any) -> Insert:
        """The rows: keywords for one, or a dict, a dataclass or a Row for each."""
    def from_select(self, query: Select, /, *columns: str | Col[Any]) -> Insert:
        """The rows that a query gives, for these columns in their order."""
    def on(self, *columns: str | Col[Any]) -> Insert:
        """The columns whose values are the key of an upsert, in place of the primary key."""
    def set(self, *columns: str | Col[Any], **set: Any) -> Insert:
        """What a row that is there becomes: columns that take the new row's values, or expressions by
        name. Without it all given columns do."""
    def or_nothing(self) -> Insert:
        """Rows whose key is there are left as they are."""
    def returning(self, *columns: _Output) -> Insert:
        """What is given back of the rows: `db.fetch(q)` is then a Frame of these."""

@final
class Update(_Written):
    """Changes rows of a table: `rm.update(Order).set(total=0).where(Order.id == 7)`."""

    def set(self, values: Mapping[Any, Any] | None = None, /, **set: Any) -> Update:
        """What columns become: values, or expressions of the row as it was. Names that are no keywords
        are given as a dict."""
    def where(self, *conditions: _Condition) -> Update:
        """Only rows for which all conditions hold."""
    def from_(self, table: _From) -> Update:
        """Another table, whose columns conditions and values may name."""
    def all_rows(self) -> Update:
        """Every row of the table is meant."""
    def returning(self, *columns: _Output) -> Update:
        """What is given back of the rows."""

@final
class Delete(_Written):
    """Removes rows of a table: `rm.delete(Order).where(Order.id == 7)`."""

    def where(self, *conditions: _Condition) -> Delete:
        """Only rows for which all conditions hold."""
    def all_rows(self) -> Delete:
        """Every row of the table is meant."""
    def returning(self, *columns: _Output) -> Delete:
        """What is given back of the rows."""

@final
class Raw(_Written):
    """SQL of one's own, with values, names and expressions put in safely."""

def select(*columns: _Output, **named: Any) -> Select:
    """Starts a query: tables, columns, expressions, and expressions by name."""

def insert(table: type[Table]) -> Insert:
    """Adds rows to a table."""

def upsert(table: type[Table]) -> Insert:
    """Adds rows to a table, or changes those whose key is there."""

def update(table: type[Table]) -> Update:
    """Changes rows of a table."""

def delete(table: type[Table]) -> Delete:
    """Removes rows of a table."""

def sql(text: str, /, **named: Any) -> Raw:
    """SQL of one's own. `{name}` takes a value (as a parameter), an expression, a query, or a table (as
    its name); `{{` is a brace."""

def parameter(at: int, name: str, kind: str) -> Expr[Any]: ...
