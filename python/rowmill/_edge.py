"""Edges between tables: what belongs to a row, fetched beside it when it is asked for and never else."""

from __future__ import annotations

from rowmill._rowmill import Col, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from rowmill._rowmill import Expr, Raw, Select
    from rowmill._table import Table


class Edge:
    """The rows of one table that belong to those of another; see `many` and `one`.

    >>> import rowmill as rm
    >>> class Channel(rm.Table, name="channels"):
    ...     id: rm.Col[int] = rm.pk()
    ...     logs = rm.many(lambda: Log)
    >>> class Log(rm.Table, name="logs"):
    ...     id: rm.Col[int] = rm.pk()
    ...     channel_id: rm.Col[int] = rm.fk(Channel.id)
    >>> rm.select(Channel).with_(Channel.logs.order_by(-Log.id).top(10))
    <rowmill.Select select "channels"."id" from "channels">
    """

    __slots__ = ("_by", "_many", "_name", "_owner", "_rows", "_steps", "_target")

    def __init__(self, many: bool, target: Callable[[], Any], by: str | None = None) -> None:
        self._many = many
        self._by = by
        self._target = target
        self._name = ""
        self._owner: type[Table] | None = None
        self._steps: tuple[Callable[[Select], Select], ...] = ()
        self._rows: int | None = None

    def __set_name__(self, owner: type[Table], name: str) -> None:
        self._owner, self._name = owner, name

    def _with(
        self, step: Callable[[Select], Select] | None = None, rows: int | None = None
    ) -> Self:
        other = type(self)(self._many, self._target, self._by)
        other._owner, other._name = self._owner, self._name
        other._steps = (*self._steps, step) if step else self._steps
        other._rows = self._rows if rows is None else rows
        return other

    def top(self, rows: int) -> Self:
        """Only so many rows for each, the first in their order; of `many` alone."""
        if not self._many:
            raise TypeError(f"{self!r} has one row for each; top() is of rm.many()")
        return self._with(rows=rows)

    def order_by(self, *keys: Expr[Any] | Raw) -> Self:
        """The order of the rows that belong to one."""
        return self._with(lambda query: query.order_by(*keys))

    def where(self, *conditions: Expr[Any] | Raw) -> Self:
        """Only rows for which all conditions hold."""
        return self._with(lambda query: query.where(*conditions))

    def select(self, *columns: Any, **named: Any) -> Self:
        """Other columns in place of all of the table's."""
        return self._with(lambda query: query.select(*columns, **named))

    def with_(self, *edges: Edge) -> Self:
        """With what belongs to those rows in turn: one query more for each."""
        return self._with(lambda query: query.with_(*edges))

    def __repr__(self) -> str:
        owner = self._owner.__name__ if self._owner else "?"
        return f"<rowmill.Edge {owner}.{self._name}>"

    def _column(self) -> tuple[Col[Any], Col[Any]]:
        """The column of the rows that are asked, and that of the rows that belong to them."""
        if self._owner is None:
            raise TypeError("an edge is an attribute of a table's class")
        own, target = self._owner._source, self._target()
        if isinstance(target, Col) and not self._many:
            raise TypeError(f"{self!r}: rm.one() names the table that is referred to")
        other = _source(target)
        child, parent = (other, own) if self._many else (own, other)
        # The foreign key itself, where there are several.
        named = target if isinstance(target, Col) else None
        if self._by is not None:
            named = _labeled(child, self._by)
        key, referred = self._key(child, parent, named)
        return (referred, key) if self._many else (key, referred)

    def _key(
        self, child: Source, parent: Source, named: Col[Any] | None
    ) -> tuple[Col[Any], Col[Any]]:
        """The foreign key, and the column that it refers to."""
        keys = child._keys_to(parent)
        found = [pair for pair in keys if named is None or pair[0].name == named.name]
        if len(found) == 1:
            return found[0]
        if named is None:
            count = f"are {len(found)} foreign keys" if found else "is no foreign key"
            how = "rm.many(lambda: T.column)" if self._many else 'rm.one(lambda: T, by="column")'
            raise TypeError(f"{self!r}: there {count} between the tables; name the column: {how}")
        if named._references is None:
            raise TypeError(f"{self!r}: {named!r} is no foreign key; declare it with rm.fk()")
        raise TypeError(
            f"{self!r}: {named!r} refers to {'.'.join(named._references)}, which {parent.name} does not declare"
        )

    def _query(self, key: Col[Any], keys: list[Any], is_sqlite: bool) -> tuple[Select, int, int]:
        """The rows that belong to these, the place of their key, and the columns that are shown."""
        from rowmill._rowmill import select, sql

        query: Select = select(key._source)
        for step in self._steps:
            query = step(query)
        query, at, shown = query._keyed(key, "rowmill_edge")
        if is_sqlite and keys and isinstance(keys[0], bytes):
            # Its lists of values are JSON, which has no bytes.
            listed = "[" + ",".join(f'"{one.hex()}"' for one in keys) + "]"
            found = sql(
                "{key} in (select unhex(value) from json_each({keys}))", key=key, keys=listed
            )
            query = query.where(found)
            return (query if self._rows is None else query.top_n(self._rows, per=key)), at, shown
        if self._rows is None:
            return query.where(key.in_(keys)), at, shown
        return query.top_n(self._rows, per=key, groups=keys), at, shown


def _source(of: Any) -> Source:
    source = (
        of if isinstance(of, Source) else getattr(of, "_source", None)
    )  # a table's, or a column's
    if not isinstance(source, Source):
        raise TypeError(f"an edge leads to a table or a column of one, not to {of!r}")
    return source


def _labeled(source: Source, label: str) -> Col[Any]:
    for known, column in zip(source.labels(), source.columns(), strict=True):
        if known == label:
            return column
    raise TypeError(f"{source.name} has no column {label!r}; it has {', '.join(source.labels())}")


def many(target: Callable[[], Any]) -> Any:
    """The rows of another table that refer to this one's: `logs = rm.many(lambda: Log)`, or
    `rm.many(lambda: Log.channel_id)` where several columns do. For `Select.with_`.
    """
    return Edge(True, _late("many", target))


def one(target: Callable[[], Any], *, by: str | None = None) -> Any:
    """The row of another table that this one's refers to: `channel = rm.one(lambda: Channel)`, or
    `author = rm.one(lambda: User, by="author_id")` by its attribute where several columns refer to that.
    """
    return Edge(False, _late("one", target), by)


def _late(verb: str, target: Any) -> Callable[[], Any]:
    if callable(target) and not isinstance(target, type):
        late: Callable[[], Any] = target
        return late
    named = target if isinstance(target, str) else getattr(target, "__name__", "T")
    raise TypeError(
        f"rm.{verb}() takes a function, for the other class may come later: rm.{verb}(lambda: {named})"
    )
