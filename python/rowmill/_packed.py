"""Classes of packed records, read from their annotations."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Literal, TypeVar, dataclass_transform

from rowmill._rowmill import PackedClass, Record
from rowmill._table import _KINDS, Declared, _annotations, _evaluated, column

T = TypeVar("T")

_OTHERS = {"timedelta": "timedelta", "Interval": "interval"}
# The classes of `X | Y` and `Union[X, Y]`.
_UNIONS = ("UnionType", "_UnionGenericAlias", "Union")
_TAKEN = (
    "bool, int, float, Decimal, str, bytes, UUID, date, time, datetime, timedelta, Interval, another class of packed "
    "records, list[...] of these, each with | None"
)


class _Transient:
    """A field that is not stored: an attribute that has a default until it is set."""

    __slots__ = ("default", "slot")

    def __init__(self, default: Any) -> None:
        self.default = default

    def __set_name__(self, cls: type, name: str) -> None:
        self.slot = _slot(name)

    def __get__(self, record: Any, cls: type | None = None) -> Any:
        return self if record is None else getattr(record, self.slot, self.default)

    def __set__(self, record: Any, value: Any) -> None:
        setattr(record, self.slot, value)


def _slot(name: str) -> str:
    return f"_transient_{name}"


class _Removed:
    """What `removed` says of a field."""

    __slots__ = ()


# `init` tells type checkers that such a field is not given.
def transient(*, default: Any = None, init: Literal[False] = False) -> Any:
    """A field of a packed record that is not stored: what was computed from it, say. It is set, not given."""
    return _Transient(default)


def removed(*, init: Literal[False] = False) -> Any:
    """A field of a packed record that was given up: its place stays, so that older records can be read."""
    return _Removed()


class _Meta(type):
    """The class of classes of packed records."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **rest: Any
    ) -> _Meta:
        if "_packed" in body:
            return super().__new__(cls, name, bases, body, **rest)
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
            frame = frame.f_back
        return _made(cls, name, bases, body, frame, rest)


@dataclass_transform(
    eq_default=False, kw_only_default=True, field_specifiers=(column, transient, removed)
)
class Packed(Record, metaclass=_Meta):
    """What `rm.packed` makes of a class: a record in one piece of bytes, whose fields are read where they lie.

    >>> import rowmill as rm
    >>> class Point(rm.Packed):
    ...     x: float
    ...     y: float
    ...     label: str | None = None
    >>> point = Point(x=1.0, y=2.5)
    >>> point
    Point(x=1.0, y=2.5, label=None)
    >>> Point.open(bytes(point)) == point
    True

    `class Point(rm.Packed)` and `@rm.packed` over `class Point` are the same; type checkers know more of the first.
    """

    __module__ = "rowmill"
    __slots__ = ()
    _packed = None


@dataclass_transform(
    eq_default=False, kw_only_default=True, field_specifiers=(column, transient, removed)
)
def packed(cls: type[T]) -> type[T]:
    """Makes a class of packed records of a class with annotations.

    >>> import rowmill as rm
    >>> @rm.packed
    ... class Facts:
    ...     author: str
    ...     labels: list[str] = []
    >>> Facts(author="Ada").labels
    []
    """
    given: Any = cls
    if isinstance(given, _Meta):
        return cls
    body = {
        name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")
    }
    body["__qualname__"] = cls.__qualname__
    bases = tuple(base for base in cls.__bases__ if base is not object)
    made: Any = _Meta(cls.__name__, (*bases, Packed), body)
    return made  # type: ignore[no-any-return]


# Where they are public is where they say they live.
for _public in (transient, removed, packed):
    _public.__module__ = "rowmill"


def _made(
    meta: type[_Meta],
    name: str,
    bases: tuple[type, ...],
    body: dict[str, Any],
    frame: FrameType,
    rest: dict[str, Any],
) -> _Meta:
    for base in bases:
        if isinstance(base, _Meta) and base is not Packed:
            raise TypeError(f"{name}: {base.__name__} is a packed class, which hands on no fields")
    # Where annotations are is the interpreter's business, and it knows by the class.
    kept = ("__module__", "__annotations__", "__annotate__", "__annotate_func__")
    annotated = type(name, (), {key: body[key] for key in kept if key in body})
    fields: list[tuple[Any, ...]] = []
    defaults: dict[str, Any] = {}
    slots: list[str] = []
    annotations = _annotations(annotated)
    for attribute, given in body.items():
        if isinstance(given, (Declared, _Removed, _Transient)) and attribute not in annotations:
            raise TypeError(f"{name}.{attribute} is a field: annotate it with its type")
    for attribute, annotation in annotations.items():
        if _is_of_the_class(annotation):
            continue
        if hasattr(Packed, attribute):
            raise TypeError(
                f"{name}.{attribute} is what every packed record has: name it otherwise"
            )
        given = body.get(attribute, ...)
        # What is not stored may be of a type that only type checkers know.
        if isinstance(given, _Transient):
            slots.append(_slot(attribute))
            continue
        if isinstance(annotation, str):
            written, annotation = annotation, _evaluated(annotated, attribute, annotation, frame)
            if annotation is None:
                raise TypeError(f"{name}.{attribute}: {written} cannot be read")
            if _is_of_the_class(annotation):
                continue
        body.pop(attribute, None)
        naive = isinstance(given, Declared) and given.naive
        if isinstance(given, Declared) and (given.name or given.primary or given.references):
            raise TypeError(
                f"{name}.{attribute} is a field of a record, of which rm.column() says naive=True or nothing"
            )
        fields.append((attribute, *_held(name, attribute, annotation, naive, given)))
        if not isinstance(given, (Declared, _Removed)) and given is not ...:
            defaults[attribute] = given
    made = PackedClass(name, fields, defaults)
    body["_packed"] = made
    body["__slots__"] = tuple(slots)
    for attribute, *_, is_removed, _ in fields:
        if not is_removed:
            body[attribute] = made.property(attribute)
    return meta.__new__(meta, name, bases, body, **rest)


def _held(name: str, attribute: str, annotation: Any, naive: bool, given: Any) -> tuple[Any, ...]:
    """What `PackedClass` takes of a field after its name."""
    shown = annotation.__name__ if isinstance(annotation, type) else repr(annotation)
    kind, nullable, is_list = annotation, False, False
    members = getattr(kind, "__args__", ())
    if type(kind).__name__ in _UNIONS and type(None) in members:
        nullable = True
        rest = [member for member in members if member is not type(None)]
        kind = rest[0] if len(rest) == 1 else None
    if getattr(kind, "__origin__", None) is list:
        is_list, (kind,) = True, kind.__args__
        if isinstance(annotation, type) or not nullable:
            shown = repr(annotation)
    removed = isinstance(given, _Removed)
    if isinstance(kind, _Meta) and kind is not Packed:
        return "record", kind, is_list, nullable, removed, shown
    known = getattr(kind, "__name__", "")
    held = _OTHERS.get(known) or _KINDS.get(known)
    if held is None or held in ("any", "json") or not isinstance(kind, type):
        raise TypeError(f"{name}.{attribute}: {shown} is no type of a field; it takes {_TAKEN}")
    if naive:
        if held != "timestamp[utc]":
            raise TypeError(f"{name}.{attribute}: naive=True is for a datetime, and it is {shown}")
        held = "timestamp"
    return held, None, is_list, nullable, removed, shown


def _is_of_the_class(annotation: Any) -> bool:
    said = annotation if isinstance(annotation, str) else repr(annotation)
    said = said.partition("[")[0].rpartition(".")[2]
    return said in ("ClassVar", "Final")
