"""Tables as classes: names and types of columns, and nothing that runs."""

from __future__ import annotations

import sys

from rowmill._rowmill import Col, Source, TableClass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any, Self

# The kinds of the types that a column may be declared with, by the name of the class: nothing is imported
# for those that a program does not use.
_KINDS = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "Decimal": "decimal",
    "str": "text",
    "bytes": "bytes",
    "UUID": "uuid",
    "date": "date",
    "time": "time",
    "datetime": "timestamp[utc]",
    "timedelta": "interval",
    "Interval": "interval",
    "dict": "json",
    "Any": "any",
    "object": "any",
}


class Declared:
    """What `column`, `pk` and `fk` say of a column; the class makes a column of it."""

    __slots__ = ("naive", "name", "primary", "references")

    def __init__(
        self,
        name: str | None = None,
        *,
        primary: bool = False,
        references: Any = None,
        naive: bool = False,
    ) -> None:
        self.name = name
        self.primary = primary
        self.references = references
        self.naive = naive


def column(name: str | None = None, *, naive: bool = False) -> Any:
    """A column, with what its annotation does not say.

    Args:
        name: Its name in the database, where that is another than the attribute's.
        naive: Of a datetime: whether it is a wall clock without a zone (PostgreSQL's `timestamp`).
    """
    return Declared(name, naive=naive)


def pk(name: str | None = None, *, naive: bool = False) -> Any:
    """A column of the primary key."""
    return Declared(name, primary=True, naive=naive)


def fk(
    references: Any, name: str | None = None, *, primary: bool = False, naive: bool = False
) -> Any:
    """A column that refers to another: `rm.fk(Channel.id)`, or `rm.fk("channels.id")` by its names in the
    database, where the class is not there yet.
    """
    return Declared(name, primary=primary, references=references, naive=naive)


class _Columns(TableClass):
    """The class of tables: says which column is meant where there is none of a name."""

    if not TYPE_CHECKING:

        def _unknown(self, name: str) -> Any:
            source = None if name.startswith("__") else self.__dict__.get("_source")
            if source is None:
                raise AttributeError(f"{self.__name__} has no attribute {name!r}")
            from difflib import get_close_matches

            known = source.labels()
            near = get_close_matches(name, known, 1)
            said = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
            raise AttributeError(f"{self.__name__} has no column {name!r}; {said}")

        def __call__(self, *args: Any, **kwds: Any) -> Any:
            raise TypeError(
                f"{self.__name__} names a table and has no instances: rm.insert({self.__name__}).values(...) makes a "
                "row, and rows come from db.fetch"
            )

    def __repr__(self) -> str:
        source = self.__dict__.get("_source")
        return super().__repr__() if source is None else f"<table {source.name} as {self.__name__}>"


class Table(metaclass=_Columns):
    """A table as a class: `class Order(rm.Table, name="orders")`, with `rm.Col[type]` for its columns.

    >>> import rowmill as rm
    >>> class Channel(rm.Table, name="channels"):
    ...     id: rm.Col[int] = rm.pk()
    ...     slug: rm.Col[str]
    >>> class Log(rm.Table, name="logs"):
    ...     id: rm.Col[int] = rm.pk()
    ...     channel_id: rm.Col[int] = rm.fk(Channel.id)
    ...     text: rm.Col[str | None]
    >>> print(rm.select(Log.id, Channel.slug).join(Channel))
    select "logs"."id", "channels"."slug" from "logs" join "channels" on "logs"."channel_id" = "channels"."id"

    A class names what is in the database; it creates nothing there, and is not instantiated: rows come as
    Frames and Rows. `Col[X | None]` is a column that may hold NULL.
    """

    _source: Source

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        schema: str | None = None,
        _source: Source | None = None,
        **rest: Any,
    ) -> None:
        super().__init_subclass__(**rest)
        if _source is not None:
            _fill(cls, _source, _source.labels())
            return
        if name == "":
            raise TypeError(f"{cls.__name__}: a table's name is not empty")
        declared = _columns(cls, sys._getframe(1))
        source = Source(
            schema, cls.__name__ if name is None else name, [row for _, row in declared]
        )
        _fill(cls, source, [attribute for attribute, _ in declared])

    @classmethod
    def alias(cls, name: str) -> type[Self]:
        """The same table under another name, to join it with itself."""
        body: dict[str, Any] = {
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
        }
        from rowmill._edge import Edge

        # Of their own class each, which is this one.
        body.update({n: edge._with() for n, edge in vars(cls).items() if isinstance(edge, Edge)})
        make: Any = type(cls)
        other: type[Self] = make(cls.__name__, cls.__bases__, body, _source=cls._source.alias(name))
        return other


def _fill(cls: type[Table], source: Source, attributes: list[str]) -> None:
    cls._source = source
    for attribute, made in zip(attributes, source.columns(), strict=True):
        setattr(cls, attribute, made)


def _columns(cls: type[Table], frame: FrameType) -> list[tuple[str, tuple[Any, ...]]]:
    """The class's columns, in order, those of plain classes that it is made of first: the attribute, and what
    `Source` takes."""
    found: dict[str, tuple[Any, ...]] = {}
    others: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base is not cls and "_source" in base.__dict__:
            raise TypeError(
                f"{cls.__name__}: {base.__name__} is a table, which hands on no columns"
            )
        if not issubclass(Table, base):
            found.update(_declared(cls, base, frame, others))
    if not found:
        raise TypeError(f"{cls.__name__} declares no column: name: rm.Col[type]")
    for attribute, shown in others.items():
        raise TypeError(
            f"{cls.__name__}.{attribute}: {shown} is no column: write {attribute}: rm.Col[{shown}], or "
            "ClassVar[...] for what is none"
        )
    return list(found.items())


def _declared(
    cls: type[Table], base: type, frame: FrameType, others: dict[str, str]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    annotations = _annotations(base)
    for attribute, given in base.__dict__.items():
        if isinstance(given, Declared) and attribute not in annotations:
            raise TypeError(f"{cls.__name__}.{attribute} is a column: annotate it as rm.Col[type]")
    for attribute, annotation in annotations.items():
        given = base.__dict__.get(attribute)
        written = annotation
        if isinstance(annotation, str):
            annotation = _evaluated(cls, attribute, annotation, frame, base.__module__)
        if getattr(annotation, "__origin__", None) is not Col:
            if isinstance(given, Declared):
                raise TypeError(
                    f"{cls.__name__}.{attribute} is a column: annotate it as rm.Col[type]"
                )
            if not attribute.startswith("_") and not _is_of_the_class(written, annotation, given):
                others[attribute] = written if isinstance(written, str) else _named(written)
            continue
        if attribute == "_source" or attribute in dir(Table):
            raise TypeError(
                f"{cls.__name__}.{attribute} is what every table has; name the column's attribute otherwise: "
                f'{attribute}_: rm.Col[...] = rm.column("{attribute}")'
            )
        if given is not None and not isinstance(given, Declared):
            raise TypeError(
                f"{cls.__name__}.{attribute} is a column: its value is rm.column(), rm.pk() or rm.fk(), "
                f"not {given!r}"
            )
        declared = given or Declared()
        kind, nullable = _kind(cls, attribute, annotation.__args__[0])
        if declared.naive:
            kind = "timestamp"
        label = attribute if declared.name not in (None, attribute) else None
        references = _reference(cls, attribute, declared.references)
        row = (declared.name or attribute, label, kind, nullable, declared.primary, references)
        yield attribute, row


def _is_of_the_class(written: Any, annotation: Any, given: Any) -> bool:
    """Whether an annotation is of no column, and says so."""
    # Known by their names: `typing` is not imported for them, and a text may not be read.
    said = written if isinstance(written, str) else repr(annotation)
    said = said.partition("[")[0].rpartition(".")[2]
    return said in ("ClassVar", "Final") or type(given).__name__ == "Edge"


def _named(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else repr(annotation)


def _annotations(cls: type) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.FORWARDREF)
    # `inspect`, which has a function for it, takes longer to import than all of this package.
    return dict(cls.__dict__.get("__annotations__", {}))  # noqa: RUF063


def _evaluated(
    cls: Any, attribute: str, annotation: str, frame: FrameType, module: str | None = None
) -> Any:
    """An annotation that `from __future__ import annotations` left as text. Its names are those of the
    module, and of the function that declares the class."""
    names: dict[str, Any] = {}
    around: FrameType | None = frame
    known = frame.f_globals
    if module is not None and module != known.get("__name__"):
        known, around = vars(sys.modules[module]), None
    scopes = []
    while around is not None and around.f_globals is frame.f_globals:
        scopes.append(around.f_locals)
        around = around.f_back
    for scope in reversed(scopes):
        names.update(scope)
    try:
        return eval(annotation, dict(known), names)
    except Exception as error:
        if "Col[" not in annotation:
            return None
        raise TypeError(
            f"{cls.__name__}.{attribute}: {annotation} cannot be read: {error}"
        ) from error


def _kind(cls: Any, attribute: str, kind: Any) -> tuple[str, bool]:
    """The name of a type's kind, and whether it may be NULL."""
    nullable = False
    members = getattr(kind, "__args__", ())
    if type(None) in members:
        nullable = True
        rest = [member for member in members if member is not type(None)]
        kind = rest[0] if len(rest) == 1 else object
    origin = getattr(kind, "__origin__", None)
    if origin in (list, tuple, set, frozenset):
        element, _ = _kind(cls, attribute, kind.__args__[0])
        return (
            f"list[{element}]" if "[" not in element or element == "timestamp[utc]" else "other"
        ), nullable
    if origin is not None:
        kind = origin
    bases = getattr(kind, "__mro__", (kind,))
    for base in bases:
        name = _KINDS.get(getattr(base, "__name__", ""))
        if name is not None and (name != "any" or base is kind):
            return name, nullable
        if getattr(base, "__name__", "") in ("Enum", "StrEnum"):
            return "text", nullable
        if getattr(base, "__name__", "") in ("Range", "IPv4Address", "IPv6Address"):
            return "other", nullable
    shown = getattr(kind, "__name__", None) or repr(kind)
    raise TypeError(
        f"{cls.__name__}.{attribute}: rm.Col[{shown}] is no type of a column; it takes bool, int, float, Decimal, "
        "str, bytes, UUID, date, time, datetime, timedelta, dict (JSON), an Enum, list[...] of these, each with "
        "| None, or Any"
    )


def _reference(cls: type[Table], attribute: str, references: Any) -> tuple[str, str] | None:
    if references is None:
        return None
    if isinstance(references, str):
        table, dot, column = references.rpartition(".")
        if dot and table and column:
            return table, column
    elif isinstance(references, Col):
        source = references._table
        if source is not None:
            return source, references.name
    raise TypeError(
        f'{cls.__name__}.{attribute}: fk() takes a column of a table, as Channel.id, or "channels.id", not '
        f"{references!r}"
    )
