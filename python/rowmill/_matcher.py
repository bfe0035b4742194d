"""What a matcher's attributes are declared as, and what it says of a record."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rowmill._table import _kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rowmill._rowmill import Expr


class Reason(NamedTuple):
    """What a condition, or a part of it, says of a record."""

    condition: Expr[Any]
    truth: bool | None
    """None where it is unknown, for what it asks of is missing."""
    depth: int
    """0 for the whole condition, 1 for its parts, and so on."""


Reason.__module__ = "rowmill"


def attributes(declared: Any) -> list[tuple[str, str]]:
    """Names, and names of kinds."""
    if not hasattr(declared, "items"):
        raise TypeError(
            "a matcher's attributes are a dict of names and types, the schema of a frame, or an rm.Table, not "
            f"{type(declared).__name__}"
        )
    found = [(_name(name), _declared(name, kind)) for name, kind in declared.items()]
    if not found:
        raise TypeError("a matcher has one attribute or more: rm.Matcher({'country': str})")
    return found


class _Matcher:
    """Whose the attributes are, in the message of a type that is none."""


_Matcher.__name__ = "Matcher"


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"an attribute's name is a str, not {name!r}")
    return name


def _declared(name: str, kind: Any) -> str:
    # As `Schema` names it, whatever its width; a datetime without a zone has no other name.
    if isinstance(kind, str):
        return re.sub(r"u?(int|float)\d+", r"\1", kind)
    return _kind(_Matcher, name, kind)[0]
