"""Rows as instances of a class: what `Frame.into` and `Row.into` stand on."""

from __future__ import annotations

from functools import lru_cache
from itertools import starmap

from rowmill._errors import DataError, ProgrammingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from rowmill._rowmill import Frame, Row

    # Instances of columns, a list of values each.
    Make = Callable[[list[Sequence[Any]]], Iterable[Any]]
    # Fields, whether there may be others, and what makes `Make` of the names of fields and of columns.
    Fields = tuple[list["_Field"], bool, Callable[[tuple[str, ...], list[str]], Make]]


def frame_into(frame: Frame, cls: Any, extra: str) -> list[Any]:
    """A list of instances, one for each row."""
    if not isinstance(cls, type):
        raise _wrong(cls)
    places, make = _planned(cls, tuple(frame.columns), extra)
    if not places:
        return [_one(cls, make, [()])[0] for _ in range(len(frame))]
    if len(places) == frame.shape[1]:
        frame._copied()
    return list(make([frame._column(at).to_list() for at in places]))


def row_into(row: Row, cls: Any, extra: str) -> Any:
    """One instance."""
    if not isinstance(cls, type):
        raise _wrong(cls)
    places, make = _planned(cls, row.keys(), extra)
    values = row.to_tuple()
    return _one(cls, make, [(values[at],) for at in places])[0]


def _one(cls: Any, make: Make, columns: list[Sequence[Any]]) -> list[Any]:
    return list(make(columns)) if columns and columns[0] else [cls()]


class _Field:
    """A field of a class: the columns it may come from, and the name that it is given by."""

    __slots__ = ("key", "names", "required")

    def __init__(self, key: str, names: tuple[str, ...], required: bool) -> None:
        self.key = key
        self.names = names
        self.required = required


def _plan(cls: Any, columns: tuple[str, ...], extra: str) -> tuple[list[int], Make]:
    """Which columns are taken, in the order of the fields, and what makes instances of them."""
    if extra not in ("error", "ignore"):
        raise ProgrammingError(f'extra is "error" or "ignore", not {extra!r}')
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise ProgrammingError(
            f"two columns are named {twice!r}: give one another name in the query"
        )
    if cls is dict:
        return list(range(len(columns))), _dicts(columns)
    fields, takes_more, maker = _fields(cls)
    given: dict[str, int] = {}
    for field in fields:
        found = [columns.index(name) for name in field.names if name in columns]
        if len(found) > 1:
            both = " and ".join(repr(columns[at]) for at in found)
            raise ProgrammingError(f"the columns {both} are both for {cls.__name__}.{field.key}")
        if found:
            given[field.key] = found[0]
        elif field.required:
            wanted = " or ".join(map(repr, field.names))
            raise ProgrammingError(
                f"{cls.__name__} wants a column {wanted}; there are {', '.join(map(repr, columns))}"
            )
    rest = [name for at, name in enumerate(columns) if at not in given.values()]
    if takes_more:
        given.update({name: columns.index(name) for name in rest})
    elif rest and extra == "error":
        raise ProgrammingError(
            f"{cls.__name__} has no field for the column {rest[0]!r}; select without it, or pass "
            'extra="ignore"'
        )
    return list(given.values()), maker(tuple(given), [columns[at] for at in given.values()])


# As many as a program has classes for its answers.
_planned = lru_cache(maxsize=256)(_plan)


def _fields(cls: Any) -> Fields:
    """The fields of a class, whether it takes any others, and how instances are made."""
    if hasattr(cls, "__struct_fields__"):
        return _of_msgspec(cls)
    if hasattr(cls, "__pydantic_core_schema__") and hasattr(cls, "model_fields"):
        return _of_pydantic(cls)
    if hasattr(cls, "__dataclass_fields__"):
        return _of_dataclass(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        names, defaults = cls._fields, cls._field_defaults
        fields = [_Field(name, (name,), name not in defaults) for name in names]
        return fields, False, lambda keys, _: _called(cls, keys, names)
    if issubclass(cls, dict) and hasattr(cls, "__required_keys__"):
        return _of_typed_dict(cls)
    raise _wrong(cls)


def _wrong(cls: Any) -> TypeError:
    return TypeError(
        "into() takes a dataclass, a msgspec.Struct, a pydantic model, a TypedDict, a NamedTuple or "
        f"dict, not {cls!r}"
    )


def _dicts(keys: tuple[str, ...]) -> Make:
    return lambda columns: [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _called(cls: Any, keys: tuple[str, ...], positional: tuple[str, ...]) -> Make:
    """Calls the class: by position where the columns are its first parameters, else by name."""
    if keys == positional[: len(keys)]:
        return lambda columns: starmap(cls, zip(*columns, strict=True))
    return lambda columns: (
        cls(**dict(zip(keys, row, strict=True))) for row in zip(*columns, strict=True)
    )


def _of_typed_dict(cls: Any) -> Fields:
    from typing import NotRequired, Required, get_origin, get_type_hints

    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError:
        # Names of a function: what is required is then known where they are no text.
        hints = cls.__annotations__
    marks = {name: get_origin(hint) for name, hint in hints.items()}
    required = {name for name, mark in marks.items() if mark is Required} | {
        name for name in cls.__required_keys__ if marks[name] is not NotRequired
    }
    listed = [_Field(name, (name,), name in required) for name in hints]
    return listed, False, lambda keys, _: _dicts(keys)


def _of_dataclass(cls: Any) -> Fields:
    from dataclasses import MISSING, fields

    own = [field for field in fields(cls) if field.init]
    positional = tuple(field.name for field in own if not field.kw_only)

    def required(field: Any) -> bool:
        return field.default is MISSING and field.default_factory is MISSING

    listed = [_Field(field.name, (field.name,), required(field)) for field in own]
    return listed, False, lambda keys, _: _called(cls, keys, positional)


def _of_msgspec(cls: Any) -> Fields:
    from types import GenericAlias

    import msgspec

    own = {field.name: field for field in msgspec.structs.fields(cls)}

    def maker(keys: tuple[str, ...], columns: list[str]) -> Make:
        call = _called(cls, keys, cls.__match_args__)
        # A column at a time: one call for all its values, which says what each is to be. SQLite's bools
        # are 0 and 1.
        lists = [
            (name, GenericAlias(list, (own[key].type,)), own[key].type not in (bool, bool | None))
            for name, key in zip(columns, keys, strict=True)
        ]

        def make(values: list[Sequence[Any]]) -> Iterable[Any]:
            fitted: list[Sequence[Any]] = []
            for (name, kinds, strict), column in zip(lists, values, strict=True):
                try:
                    fitted.append(msgspec.convert(column, kinds, strict=strict))
                except msgspec.ValidationError as error:
                    raise DataError(
                        f"the column {name!r} does not fit {cls.__name__}: {error}"
                    ) from error
            return call(fitted)

        return make

    names = {name: dict.fromkeys((field.encode_name, name)) for name, field in own.items()}
    listed = [_Field(name, tuple(names[name]), field.required) for name, field in own.items()]
    return listed, False, maker


def _of_pydantic(cls: Any) -> Fields:
    from pydantic import TypeAdapter, ValidationError

    config = cls.model_config
    by_alias = config.get("validate_by_alias", True)
    listed = []
    for name, field in cls.model_fields.items():
        alias = field.validation_alias or field.alias
        aliases = [one for one in getattr(alias, "choices", [alias]) if isinstance(one, str)]
        key = aliases[0] if aliases and by_alias else name
        listed.append(_Field(key, tuple(dict.fromkeys((*aliases, name))), field.is_required()))

    def maker(keys: tuple[str, ...], columns: list[str]) -> Make:
        validate = TypeAdapter(list[cls]).validate_python
        dicts = _dicts(keys)

        def make(values: list[Sequence[Any]]) -> Iterable[Any]:
            try:
                return validate(dicts(values))
            except ValidationError as error:
                at, *where = error.errors()[0]["loc"]
                column = columns[keys.index(where[0])] if where and where[0] in keys else None
                what = "row" if column is None else f"column {column!r} of row"
                message = error.errors()[0]["msg"]
                raise DataError(
                    f"the {what} {at} does not fit {cls.__name__}: {message}"
                ) from error

        return make

    return listed, config.get("extra") == "allow", maker
