"""Tables out of the models of SQLAlchemy and Django, which are only looked at: neither is imported here."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any

from rowmill._declare import Declaration, Described, class_name
from rowmill._table import Table

_PYTHON: list[tuple[type, str]] = [
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (decimal.Decimal, "Decimal"),
    (enum.Enum, "str"),
    (str, "str"),
    (bytes, "bytes"),
    (dict, "dict"),
    (uuid.UUID, "UUID"),
    (datetime.datetime, "datetime"),
    (datetime.date, "date"),
    (datetime.time, "time"),
    (datetime.timedelta, "timedelta"),
]

_DJANGO = {
    **dict.fromkeys(("AutoField", "BigAutoField", "SmallAutoField"), "int"),
    **dict.fromkeys(("IntegerField", "BigIntegerField", "SmallIntegerField"), "int"),
    **dict.fromkeys(("PositiveIntegerField", "PositiveBigIntegerField"), "int"),
    "PositiveSmallIntegerField": "int",
    "BooleanField": "bool",
    **dict.fromkeys(("CharField", "TextField", "SlugField", "FileField", "FilePathField"), "str"),
    "UUIDField": "UUID",
    "DateField": "date",
    "DateTimeField": "datetime",
    "TimeField": "time",
    "DurationField": "timedelta",
    "DecimalField": "Decimal",
    "FloatField": "float",
    "BinaryField": "bytes",
    "JSONField": "dict",
}


def from_sqlalchemy(model: Any) -> type[Table]:
    """The table of a declarative class of SQLAlchemy 2, or of its `Table`, as `rm.Table` declares it.

    Attributes have the model's names, columns the table's. Types without a counterpart are `Any`.

    >>> Order = rm.from_sqlalchemy(models.Order)  # doctest: +SKIP
    >>> db.fetch(rm.select(Order).where(Order.total > 100))  # doctest: +SKIP

    Raises:
        TypeError: It is neither.
    """
    table = getattr(model, "__table__", model)
    if not hasattr(table, "columns") or not hasattr(table, "fullname"):
        raise TypeError(
            f"from_sqlalchemy() takes a declarative class or a sqlalchemy.Table, not {model!r}"
        )
    attributes = {}
    if table is not model:
        for attribute in model.__mapper__.column_attrs:
            attributes.update(dict.fromkeys(attribute.columns, attribute.key))
    columns = [_of_sqlalchemy(column, attributes.get(column)) for column in table.columns]
    name = model.__name__ if table is not model else _capitals(table.name)
    return Declaration(name, table.name, table.schema, columns).made(_module(model))


from_sqlalchemy.__module__ = "rowmill"


def _of_sqlalchemy(column: Any, attribute: str | None) -> Described:
    kind, is_list = column.type, False
    if hasattr(kind, "item_type") and hasattr(kind, "dimensions"):
        kind, is_list = kind.item_type, True
    try:
        python = kind.python_type
    except NotImplementedError:
        python = object
    if any(base.__name__ == "JSON" for base in type(kind).__mro__):
        python = dict  # what its values may be besides says nothing of the column
    named = next((name for base, name in _PYTHON if issubclass(python, base)), "Any")
    zoned = getattr(kind, "timezone", None)
    if named == "datetime" and zoned is None:
        named = "Any"  # a type of one's own, which does not say what it is in the database
    references = [
        key.target_fullname
        for key in column.foreign_keys
        if key.constraint is None or len(key.constraint.elements) == 1
    ]
    return Described(
        column.name,
        named,
        bool(column.nullable) and not column.primary_key,
        bool(column.primary_key),
        references[0] if references else None,
        named == "datetime" and not zoned,
        attribute,
        is_list and named != "Any",
    )


def from_django(model: Any) -> type[Table]:
    """The table of a Django model, as `rm.Table` declares it.

    Attributes have the model's names, a foreign key's that of its column (`author_id`). Types without a
    counterpart are `Any`.

    >>> Order = rm.from_django(shop.models.Order)  # doctest: +SKIP
    >>> db.fetch(rm.select(Order).where(Order.customer_id == 7))  # doctest: +SKIP

    Raises:
        TypeError: It is no model, or an abstract one, which has no table.
    """
    meta = getattr(model, "_meta", None)
    if meta is None or not hasattr(meta, "local_concrete_fields"):
        raise TypeError(f"from_django() takes a model of Django, not {model!r}")
    if meta.abstract:
        raise TypeError(f"{model.__name__} is abstract: it has no table")
    columns = [_of_django(field) for field in meta.local_concrete_fields]
    return Declaration(model.__name__, meta.db_table, None, columns).made(_module(model))


from_django.__module__ = "rowmill"


def _of_django(field: Any) -> Described:
    references, typed = None, field
    while typed.is_relation:
        typed = typed.target_field
        if references is None:
            references = f"{typed.model._meta.db_table}.{typed.column}"
    is_list = typed.get_internal_type() == "ArrayField"
    if is_list:
        typed = typed.base_field
    named = _DJANGO.get(typed.get_internal_type(), "Any")
    return Described(
        field.column,
        named,
        field.null and not field.primary_key,
        field.primary_key,
        references,
        named == "datetime" and not _django_has_zones(),
        field.attname,
        is_list and named != "Any",
    )


def _django_has_zones() -> bool:
    from django.conf import settings

    return bool(settings.USE_TZ)


def _module(model: Any) -> str:
    module = getattr(model, "__module__", None)
    return module if isinstance(module, str) else "rowmill"


def _capitals(name: str) -> str:
    return class_name(name, set())
