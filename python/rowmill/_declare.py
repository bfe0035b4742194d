"""Tables made from what a database or another library says of them."""

from __future__ import annotations

import datetime
import decimal
import keyword
import re
import types
import uuid
from typing import Any, NamedTuple

from rowmill._rowmill import Col
from rowmill._table import Declared, Table

# What columns are, as it is written in a declaration, and as Python has it.
TYPES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "Decimal": decimal.Decimal,
    "str": str,
    "bytes": bytes,
    "dict": dict,
    "UUID": uuid.UUID,
    "date": datetime.date,
    "time": datetime.time,
    "datetime": datetime.datetime,
    "timedelta": datetime.timedelta,
    "Any": Any,
}
_IMPORTS = {
    "Decimal": "decimal",
    "UUID": "uuid",
    "Any": "typing",
    **dict.fromkeys(("date", "time", "datetime", "timedelta"), "datetime"),
}


class Described(NamedTuple):
    """A column: its name in the database, and what it holds."""

    name: str
    type: str
    nullable: bool
    primary: bool = False
    references: str | None = None
    """`table.column`, or `schema.table.column`."""
    naive: bool = False
    attribute: str | None = None
    """The name in Python, where it is another."""
    is_list: bool = False

    def annotation(self) -> Any:
        """What the class's annotation is."""
        kind: Any = TYPES[self.type]
        if self.is_list:
            kind = types.GenericAlias(list, (kind,))
        if self.nullable and self.type != "Any":
            kind |= None
        return types.GenericAlias(Col, (kind,))

    def annotated(self) -> str:
        """The same as it is written."""
        kind = f"list[{self.type}]" if self.is_list else self.type
        return f"rm.Col[{kind} | None]" if self.nullable and kind != "Any" else f"rm.Col[{kind}]"


class Declaration:
    """A table: the class of it, and how the class is written."""

    def __init__(self, name: str, table: str, schema: str | None, columns: list[Described]) -> None:
        self.name = name
        self.table = table
        self.schema = schema
        self.columns: dict[str, Described] = {}
        for described in columns:
            taken = {*self.columns, *dir(Table)}
            self.columns[identifier(described.attribute or described.name, taken)] = described

    def made(self, module: str) -> type[Table]:
        """The class."""
        body: dict[str, Any] = {
            "__module__": module,
            "__annotations__": {name: one.annotation() for name, one in self.columns.items()},
        }
        for attribute, one in self.columns.items():
            body[attribute] = Declared(
                one.name, primary=one.primary, references=one.references, naive=one.naive
            )
        make: Any = type(Table)
        table: type[Table] = make(self.name, (Table,), body, name=self.table, schema=self.schema)
        return table

    def written(self) -> str:
        """The class as Python."""
        named = f"name={_quoted(self.table)}"
        if self.schema is not None:
            named += f", schema={_quoted(self.schema)}"
        lines = [f"class {self.name}(rm.Table, {named}):"]
        for attribute, one in self.columns.items():
            lines.append(f"    {attribute}: {one.annotated()}{_value(attribute, one)}")
        return "\n".join(lines) + "\n"


def _value(attribute: str, column: Described) -> str:
    own = [] if attribute == column.name else [_quoted(column.name)]
    naive = ["naive=True"] if column.naive else []
    if column.references is not None:
        primary = ["primary=True"] if column.primary else []
        given, verb = [_quoted(column.references), *own, *primary, *naive], "fk"
    elif column.primary:
        given, verb = [*own, *naive], "pk"
    elif own or naive:
        given, verb = [*own, *naive], "column"
    else:
        return ""
    return f" = rm.{verb}({', '.join(given)})"


def imports(declarations: list[Declaration]) -> str:
    """The lines above the classes."""
    wanted: dict[str, set[str]] = {}
    for declaration in declarations:
        for column in declaration.columns.values():
            if column.type in _IMPORTS:
                wanted.setdefault(_IMPORTS[column.type], set()).add(column.type)
    lines = [
        f"from {module} import {', '.join(sorted(names, key=lambda name: (name.islower(), name)))}\n"
        for module, names in sorted(wanted.items())
    ]
    return "".join([*lines, "\n" if lines else "", "import rowmill as rm\n"])


def identifier(name: str, taken: set[str]) -> str:
    """A name that Python takes, and that nothing else has."""
    made = re.sub(r"\W", "_", name)
    if not made or made[0].isdigit():
        made = f"_{made}"
    if made[0] == "_":
        made = f"c{made}"
    while keyword.iskeyword(made) or made in taken:
        made += "_"
    return made


def class_name(table: str, taken: set[str]) -> str:
    """`bots_channel` as `BotsChannel`."""
    words = [word[:1].upper() + word[1:] for word in re.split(r"\W|_", table) if word]
    return identifier("".join(words) or "Table", taken)


def _quoted(text: str) -> str:
    # As ruff and black write it: with double quotes.
    shown = repr(text)
    if shown[0] == "'" and '"' not in shown:
        return f'"{shown[1:-1]}"'
    return shown
