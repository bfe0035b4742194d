"""What expressions are to type checkers. The module is a stub's part: at run time its names are those of
`rowmill._rowmill`."""

# An int is a float to a type checker, so the signatures for numbers overlap as the numbers do.
# mypy: disable-error-code="overload-overlap"

from collections.abc import Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import GenericAlias
from typing import Any, Generic, Literal, NoReturn, TypeAlias, TypeVar, final, overload
from uuid import UUID

from rowmill._interval import Interval
from rowmill._queries import Raw, Select, Source

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

# What is compared with its like alone. Numbers, texts, and dates with points in time, are families.
_V = TypeVar(
    "_V", bound=bytes | time | timedelta | Interval | UUID | Enum | list[Any] | dict[str, Any]
)
_Condition: TypeAlias = Expr[bool | None]
_Key: TypeAlias = Expr[Any] | Raw
_Text: TypeAlias = str | Expr[str | None] | Raw
_Number: TypeAlias = float | Decimal | Expr[float | Decimal | None]
_Date: TypeAlias = date | Expr[date | None]
_Span: TypeAlias = timedelta | Interval | Expr[timedelta | Interval | None]
_Json: TypeAlias = dict[str, Any] | list[Any]
_Unit: TypeAlias = Literal["year", "quarter", "month", "week", "day", "hour", "minute", "second"]

class Expr(Generic[_T_co]):
    """Something computed from columns and values; it means the same to PostgreSQL, to SQLite and to
    `Frame.filter`.

    For type checkers `Expr[int]` says what a value is where there is one: each may be NULL.
    """

    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def to_json(self) -> str: ...
    @staticmethod
    def from_json(text: str) -> Expr[Any]: ...
    @overload  # type: ignore[override]
    def __eq__(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __eq__(self: Expr[str | None], other: _Text | Select, /) -> Expr[bool]: ...
    @overload
    def __eq__(self: Expr[date | None], other: _Date | Raw | Select, /) -> Expr[bool]: ...
    @overload
    def __eq__(self: Expr[Enum | None], other: str, /) -> Expr[bool]: ...
    @overload
    def __eq__(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload  # type: ignore[override]
    def __ne__(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __ne__(self: Expr[str | None], other: _Text | Select, /) -> Expr[bool]: ...
    @overload
    def __ne__(self: Expr[date | None], other: _Date | Raw | Select, /) -> Expr[bool]: ...
    @overload
    def __ne__(self: Expr[Enum | None], other: str, /) -> Expr[bool]: ...
    @overload
    def __ne__(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __lt__(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __lt__(self: Expr[str | None], other: _Text | Select, /) -> Expr[bool]: ...
    @overload
    def __lt__(self: Expr[date | None], other: _Date | Raw | Select, /) -> Expr[bool]: ...
    @overload
    def __lt__(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __le__(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __le__(self: Expr[str | None], other: _Text | Select, /) -> Expr[bool]: ...
    @overload
    def __le__(self: Expr[date | None], other: _Date | Raw | Select, /) -> Expr[bool]: ...
    @overload
    def __le__(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __gt__(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __gt__(self: Expr[str | None], other: _Text | Select, /) -> Expr[bool]: ...
    @overload
    def __gt__(self: Expr[date | None], other: _Date | Raw | Select, /) -> Expr[bool]: ...
    @overload
    def __gt__(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __ge__(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select, /
    ) -> Expr[bool]: ...
    @overload
    def __ge__(self: Expr[str | None], other: _Text | Select, /) -> Expr[bool]: ...
    @overload
    def __ge__(self: Expr[date | None], other: _Date | Raw | Select, /) -> Expr[bool]: ...
    @overload
    def __ge__(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select, /
    ) -> Expr[bool]: ...
    def __hash__(self) -> int: ...
    def __bool__(self) -> NoReturn: ...
    def __contains__(self, value: object, /) -> NoReturn: ...
    def __iter__(self) -> NoReturn: ...
    def __and__(self: _Condition, other: bool | _Condition | Raw, /) -> Expr[bool]: ...
    def __rand__(self: _Condition, other: bool, /) -> Expr[bool]: ...
    def __or__(self: _Condition, other: bool | _Condition | Raw, /) -> Expr[bool]: ...
    def __ror__(self: _Condition, other: bool, /) -> Expr[bool]: ...
    def __invert__(self: _Condition) -> Expr[bool]: ...
    def __neg__(self) -> Expr[_T_co]: ...
    @overload
    def __abs__(self: Expr[int | None]) -> Expr[int]: ...
    @overload
    def __abs__(self: Expr[float | None]) -> Expr[float]: ...
    @overload
    def __abs__(self: Expr[Decimal | None]) -> Expr[Decimal]: ...
    @overload
    def __add__(self: Expr[int | None], other: int | Expr[int | None], /) -> Expr[int]: ...
    @overload
    def __add__(
        self: Expr[int | None], other: Decimal | Expr[Decimal | None], /
    ) -> Expr[Decimal]: ...
    @overload
    def __add__(self: Expr[float | None], other: _Number, /) -> Expr[float]: ...
    @overload
    def __add__(
        self: Expr[Decimal | None], other: float | Decimal | Expr[int | Decimal | None], /
    ) -> Expr[Decimal]: ...
    @overload
    def __add__(self: Expr[Decimal | None], other: Expr[float | None], /) -> Expr[float]: ...
    @overload
    def __add__(self: Expr[date | None], other: _Span, /) -> Expr[datetime]: ...
    @overload
    def __add__(self: Expr[timedelta | Interval | None], other: _Span, /) -> Expr[Interval]: ...
    @overload
    def __radd__(self: Expr[int | None], other: int, /) -> Expr[int]: ...
    @overload
    def __radd__(self: Expr[float | None], other: float, /) -> Expr[float]: ...
    @overload
    def __radd__(
        self: Expr[float | Decimal | None], other: float | Decimal, /
    ) -> Expr[Decimal]: ...
    @overload
    def __radd__(self: Expr[timedelta | Interval | None], other: date, /) -> Expr[datetime]: ...
    @overload
    def __radd__(
        self: Expr[date | timedelta | Interval | None], other: timedelta | Interval, /
    ) -> Expr[Any]: ...
    @overload
    def __sub__(self: Expr[int | None], other: int | Expr[int | None], /) -> Expr[int]: ...
    @overload
    def __sub__(
        self: Expr[int | None], other: Decimal | Expr[Decimal | None], /
    ) -> Expr[Decimal]: ...
    @overload
    def __sub__(self: Expr[float | None], other: _Number, /) -> Expr[float]: ...
    @overload
    def __sub__(
        self: Expr[Decimal | None], other: float | Decimal | Expr[int | Decimal | None], /
    ) -> Expr[Decimal]: ...
    @overload
    def __sub__(self: Expr[Decimal | None], other: Expr[float | None], /) -> Expr[float]: ...
    @overload
    def __sub__(self: Expr[date | None], other: _Span, /) -> Expr[datetime]: ...
    @overload
    def __sub__(self: Expr[timedelta | Interval | None], other: _Span, /) -> Expr[Interval]: ...
    @overload
    def __rsub__(self: Expr[int | None], other: int, /) -> Expr[int]: ...
    @overload
    def __rsub__(self: Expr[float | None], other: float, /) -> Expr[float]: ...
    @overload
    def __rsub__(
        self: Expr[float | Decimal | None], other: float | Decimal, /
    ) -> Expr[Decimal]: ...
    @overload
    def __rsub__(self: Expr[timedelta | Interval | None], other: date, /) -> Expr[datetime]: ...
    @overload
    def __rsub__(
        self: Expr[date | timedelta | Interval | None], other: timedelta | Interval, /
    ) -> Expr[Any]: ...
    @overload
    def __mul__(self: Expr[int | None], other: int | Expr[int | None], /) -> Expr[int]: ...
    @overload
    def __mul__(
        self: Expr[int | None], other: Decimal | Expr[Decimal | None], /
    ) -> Expr[Decimal]: ...
    @overload
    def __mul__(self: Expr[float | None], other: _Number, /) -> Expr[float]: ...
    @overload
    def __mul__(
        self: Expr[Decimal | None], other: float | Decimal | Expr[int | Decimal | None], /
    ) -> Expr[Decimal]: ...
    @overload
    def __mul__(self: Expr[Decimal | None], other: Expr[float | None], /) -> Expr[float]: ...
    @overload
    def __rmul__(self: Expr[int | None], other: int, /) -> Expr[int]: ...
    @overload
    def __rmul__(self: Expr[float | None], other: float, /) -> Expr[float]: ...
    @overload
    def __rmul__(
        self: Expr[float | Decimal | None], other: float | Decimal, /
    ) -> Expr[Decimal]: ...
    @overload
    def __truediv__(
        self: Expr[float | None], other: float | Expr[float | None], /
    ) -> Expr[float]: ...
    @overload
    def __truediv__(self: Expr[float | Decimal | None], other: _Number, /) -> Expr[Decimal]: ...
    @overload
    def __rtruediv__(self: Expr[float | None], other: float, /) -> Expr[float]: ...
    @overload
    def __rtruediv__(
        self: Expr[float | Decimal | None], other: float | Decimal, /
    ) -> Expr[Decimal]: ...
    def __floordiv__(self: Expr[int | None], other: int | Expr[int | None], /) -> Expr[int]: ...
    def __rfloordiv__(self: Expr[int | None], other: int, /) -> Expr[int]: ...
    def __mod__(self: Expr[int | None], other: int | Expr[int | None], /) -> Expr[int]: ...
    def __rmod__(self: Expr[int | None], other: int, /) -> Expr[int]: ...
    def __getitem__(self: Expr[_Json | str | None], step: str | int, /) -> Expr[str]: ...
    def is_null(self) -> Expr[bool]:
        """Whether there is no value."""
    def is_not_null(self) -> Expr[bool]:
        """Whether there is a value."""
    @overload
    def is_distinct_from(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select | None
    ) -> Expr[bool]: ...
    @overload
    def is_distinct_from(self: Expr[str | None], other: _Text | Select | None) -> Expr[bool]: ...
    @overload
    def is_distinct_from(
        self: Expr[date | None], other: _Date | Raw | Select | None
    ) -> Expr[bool]: ...
    @overload
    def is_distinct_from(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select | None
    ) -> Expr[bool]:
        """Whether they are not the same, where NULL is the same as NULL."""
    @overload
    def is_not_distinct_from(
        self: Expr[float | Decimal | None], other: _Number | Raw | Select | None
    ) -> Expr[bool]: ...
    @overload
    def is_not_distinct_from(
        self: Expr[str | None], other: _Text | Select | None
    ) -> Expr[bool]: ...
    @overload
    def is_not_distinct_from(
        self: Expr[date | None], other: _Date | Raw | Select | None
    ) -> Expr[bool]: ...
    @overload
    def is_not_distinct_from(
        self: Expr[_V | None], other: _V | Expr[_V | None] | Raw | Select | None
    ) -> Expr[bool]:
        """Whether they are the same, where NULL is the same as NULL."""
    @overload
    def between(
        self: Expr[float | Decimal | None],
        low: _Number | Raw | Select,
        high: _Number | Raw | Select,
    ) -> Expr[bool]: ...
    @overload
    def between(
        self: Expr[str | None], low: _Text | Select, high: _Text | Select
    ) -> Expr[bool]: ...
    @overload
    def between(
        self: Expr[date | None], low: _Date | Raw | Select, high: _Date | Raw | Select
    ) -> Expr[bool]: ...
    @overload
    def between(
        self: Expr[_V | None],
        low: _V | Expr[_V | None] | Raw | Select,
        high: _V | Expr[_V | None] | Raw | Select,
    ) -> Expr[bool]:
        """Whether it is neither below `low` nor above `high`."""
    @overload
    def in_(
        self: Expr[float | Decimal | None],
        values: Sequence[float | Decimal] | Set[float | Decimal] | Select,
    ) -> Expr[bool]: ...
    @overload
    def in_(self: Expr[str | None], values: Sequence[str] | Set[str] | Select) -> Expr[bool]: ...
    @overload
    def in_(self: Expr[date | None], values: Sequence[date] | Set[date] | Select) -> Expr[bool]: ...
    @overload
    def in_(self: Expr[Enum | None], values: Sequence[str] | Set[str]) -> Expr[bool]: ...
    @overload
    def in_(self: Expr[_V | None], values: Sequence[_V] | Set[_V] | Select) -> Expr[bool]:
        """Whether it is one of a list's values, or of a query's. The list is one parameter."""
    @overload
    def not_in(
        self: Expr[float | Decimal | None],
        values: Sequence[float | Decimal] | Set[float | Decimal] | Select,
    ) -> Expr[bool]: ...
    @overload
    def not_in(self: Expr[str | None], values: Sequence[str] | Set[str] | Select) -> Expr[bool]: ...
    @overload
    def not_in(
        self: Expr[date | None], values: Sequence[date] | Set[date] | Select
    ) -> Expr[bool]: ...
    @overload
    def not_in(self: Expr[Enum | None], values: Sequence[str] | Set[str]) -> Expr[bool]: ...
    @overload
    def not_in(self: Expr[_V | None], values: Sequence[_V] | Set[_V] | Select) -> Expr[bool]:
        """Whether it is none of a list's values, or of a query's."""
    def like(self: Expr[str | None], pattern: str) -> Expr[bool]:
        """Whether the text fits a pattern of % and _. Capitals count."""
    def ilike(self: Expr[str | None], pattern: str) -> Expr[bool]:
        """As `like`, where the case of ASCII letters does not count."""
    @overload
    def contains(self: Expr[str | None], other: _Text) -> Expr[bool]: ...
    @overload
    def contains(self: Expr[list[_T] | None], other: _T | Expr[_T | None]) -> Expr[bool]:
        """Whether a text is somewhere in this one, or a value in this list."""
    def starts_with(self: Expr[str | None], other: _Text) -> Expr[bool]:
        """Whether the text begins with another."""
    def ends_with(self: Expr[str | None], other: _Text) -> Expr[bool]:
        """Whether the text ends with another."""
    def matches(self: Expr[str | None], pattern: str) -> Expr[bool]:
        """Whether a regular expression matches somewhere in the text."""
    def lower(self: Expr[str | None]) -> Expr[str]:
        """The text in small letters."""
    def upper(self: Expr[str | None]) -> Expr[str]:
        """The text in capitals."""
    def length(self: Expr[str | list[Any] | None]) -> Expr[int]:
        """The characters of a text, or the elements of a list."""
    def trim(self: Expr[str | None]) -> Expr[str]:
        """The text without the spaces at its ends."""
    def overlaps(
        self: Expr[list[_T] | None], other: Sequence[_T] | Expr[list[_T] | None]
    ) -> Expr[bool]:
        """Whether the lists have a value in common."""
    def contains_all(
        self: Expr[list[_T] | None], other: Sequence[_T] | Expr[list[_T] | None]
    ) -> Expr[bool]:
        """Whether this list holds each value of another."""
    def disjoint(
        self: Expr[list[_T] | None], other: Sequence[_T] | Expr[list[_T] | None]
    ) -> Expr[bool]:
        """Whether the lists have no value in common."""
    def any(self: Expr[list[_T] | None]) -> Quantified[_T]:
        """The list's elements, of which one is to compare so: `col("scores").any() > 5`."""
    def all(self: Expr[list[_T] | None]) -> Quantified[_T]:
        """The list's elements, of which each is to compare so."""
    def year(self: Expr[date | None]) -> Expr[int]:
        """The year, in UTC where it is a point in time."""
    def quarter(self: Expr[date | None]) -> Expr[int]:
        """The quarter, 1 to 4."""
    def month(self: Expr[date | None]) -> Expr[int]:
        """The month, 1 to 12."""
    def week(self: Expr[date | None]) -> Expr[int]:
        """The week of ISO 8601, 1 to 53."""
    def day(self: Expr[date | None]) -> Expr[int]:
        """The day of the month, 1 to 31."""
    def weekday(self: Expr[date | None]) -> Expr[int]:
        """The day of the week, Monday 1 to Sunday 7."""
    def yearday(self: Expr[date | None]) -> Expr[int]:
        """The day of the year, 1 to 366."""
    def hour(self: Expr[datetime | time | None]) -> Expr[int]:
        """The hour, 0 to 23."""
    def minute(self: Expr[datetime | time | None]) -> Expr[int]:
        """The minute, 0 to 59."""
    def second(self: Expr[datetime | time | None]) -> Expr[int]:
        """The second, 0 to 59."""
    def epoch(self: Expr[date | None]) -> Expr[int]:
        """Whole seconds since 1970, in UTC."""
    def trunc(self: Expr[date | None], unit: _Unit) -> Expr[datetime]:
        """The beginning of its year, quarter, month, week (Monday), day, hour, minute or second, as a
        wall clock (of UTC, where it is a point in time)."""
    @overload
    def cast(self, kind: Literal["int"] | type[int]) -> Expr[int]: ...
    @overload
    def cast(self, kind: Literal["float"] | type[float]) -> Expr[float]: ...
    @overload
    def cast(self, kind: Literal["text"] | type[str]) -> Expr[str]:
        """As another kind. A float becomes an int towards zero; text that is no number becomes NULL."""
    @overload
    def floor(self: Expr[int | None]) -> Expr[int]: ...
    @overload
    def floor(self: Expr[float | None]) -> Expr[float]: ...
    @overload
    def floor(self: Expr[Decimal | None]) -> Expr[Decimal]:
        """The largest whole number that is not above it."""
    @overload
    def ceil(self: Expr[int | None]) -> Expr[int]: ...
    @overload
    def ceil(self: Expr[float | None]) -> Expr[float]: ...
    @overload
    def ceil(self: Expr[Decimal | None]) -> Expr[Decimal]:
        """The smallest whole number that is not below it."""
    @overload
    def abs(self: Expr[int | None]) -> Expr[int]: ...
    @overload
    def abs(self: Expr[float | None]) -> Expr[float]: ...
    @overload
    def abs(self: Expr[Decimal | None]) -> Expr[Decimal]:
        """The number without its sign."""
    def count(self) -> Expr[int]:
        """How many rows of the group have a value."""
    def count_distinct(self) -> Expr[int]:
        """How many values the group has, each counted once."""
    @overload
    def sum(self: Expr[int | None]) -> Expr[int]: ...
    @overload
    def sum(self: Expr[float | None]) -> Expr[float]: ...
    @overload
    def sum(self: Expr[Decimal | None]) -> Expr[Decimal]:
        """The group's sum; NULL where there is no value."""
    @overload
    def mean(self: Expr[float | None]) -> Expr[float]: ...
    @overload
    def mean(self: Expr[Decimal | None]) -> Expr[Decimal]:
        """The group's mean."""
    def min(self) -> Expr[_T_co]:
        """The group's lowest value."""
    def max(self) -> Expr[_T_co]:
        """The group's highest value."""
    def where(self, condition: _Condition | Raw) -> Expr[_T_co]:
        """The aggregate over the rows for which a condition is true: `rm.count().where(Log.is_bot)`."""
    def lag(self, rows: int = 1) -> Expr[_T_co]:
        """The value so many rows before, in a window."""
    def lead(self, rows: int = 1) -> Expr[_T_co]:
        """The value so many rows after, in a window."""
    def first_value(self) -> Expr[_T_co]:
        """The value of the first row of a window's frame."""
    def last_value(self) -> Expr[_T_co]:
        """The value of the last row of a window's frame."""
    def over(
        self,
        *,
        partition_by: _Key | Sequence[_Key] | None = None,
        order_by: _Key | Sequence[_Key] | None = None,
    ) -> Expr[_T_co]:
        """An aggregate or a window function over a window of rows."""
    def desc(self) -> Expr[_T_co]:
        """As an order's key: downwards. So is `-column`."""
    def asc(self) -> Expr[_T_co]:
        """As an order's key: upwards, as it is anyway."""
    def nulls_first(self) -> Expr[_T_co]:
        """As an order's key: NULLs before all values."""
    def nulls_last(self) -> Expr[_T_co]:
        """As an order's key: NULLs after all values."""
    def label(self, name: str) -> Labeled:
        """The same under another name in an answer."""

@final
class Col(Expr[_T_co]):
    """A column of a table, or of a frame by `rm.col`. `rm.Col[int]` declares one."""

    @property
    def name(self) -> str:
        """The column's name in the database."""
    @property
    def _source(self) -> Source: ...
    @property
    def _references(self) -> tuple[str, str] | None: ...
    @property
    def _table(self) -> str | None: ...

@final
class Labeled:
    """An expression with the name that it has in an answer."""

@final
class Quantified(Generic[_T_co]):
    """The elements of a list, of which any or all are compared: `col("scores").any() > 5`."""

    def __eq__(self: Quantified[_T], other: _T | Expr[_T | None], /) -> Expr[bool]: ...  # type: ignore[override]
    def __ne__(self: Quantified[_T], other: _T | Expr[_T | None], /) -> Expr[bool]: ...  # type: ignore[override]
    def __lt__(self: Quantified[_T], other: _T | Expr[_T | None], /) -> Expr[bool]: ...
    def __le__(self: Quantified[_T], other: _T | Expr[_T | None], /) -> Expr[bool]: ...
    def __gt__(self: Quantified[_T], other: _T | Expr[_T | None], /) -> Expr[bool]: ...
    def __ge__(self: Quantified[_T], other: _T | Expr[_T | None], /) -> Expr[bool]: ...
    __hash__ = None  # type: ignore[assignment]
    def __bool__(self) -> NoReturn: ...

def col(name: str) -> Col[Any]:
    """The column of this name: of the frame that is filtered, or of the one table of a query."""

@overload
def lit(value: Expr[_T]) -> Expr[_T]: ...
@overload
def lit(value: _T) -> Expr[_T]:
    """A value as an expression, for where Python would compute by itself."""

def count() -> Expr[int]:
    """How many rows the group has."""

@overload
def coalesce(first: Expr[_T | None], /, *values: Any) -> Expr[_T]: ...
@overload
def coalesce(*values: Any) -> Expr[Any]:
    """The first value that is not NULL."""

@overload
def least(first: Expr[_T | None], /, *values: Any) -> Expr[_T]: ...
@overload
def least(*values: Any) -> Expr[Any]:
    """The lowest of the values that are not NULL."""

@overload
def greatest(first: Expr[_T | None], /, *values: Any) -> Expr[_T]: ...
@overload
def greatest(*values: Any) -> Expr[Any]:
    """The highest of the values that are not NULL."""

def concat(*texts: _Text) -> Expr[str]:
    """One text after the other."""

def case(*branches: tuple[_Condition | Raw, Any], default: Any = None) -> Expr[Any]:
    """The value of the first condition that is true."""

def geo_within(
    latitude: _Number,
    longitude: _Number,
    of_latitude: _Number,
    of_longitude: _Number,
    metres: _Number,
) -> Expr[bool]:
    """Whether a point is at most so many metres from another: degrees, on a sphere."""

def exists(query: Select) -> Expr[bool]:
    """Whether a query has a row."""

def row_number() -> Expr[int]:
    """The row's number in its partition, from 1; for `over`."""

def rank() -> Expr[int]:
    """The row's rank in its partition, with gaps after equal rows; for `over`."""

def dense_rank() -> Expr[int]:
    """The row's rank in its partition, without gaps; for `over`."""
