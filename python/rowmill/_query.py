"""Functions that are queries: traced once, then a call binds values and builds nothing."""

from __future__ import annotations

import sys

from rowmill._rowmill import Prepared, parameter
from rowmill._table import _evaluated, _kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec

    from rowmill._queries import _Traced

    P = ParamSpec("P")

_VARIADIC = 0x04 | 0x08  # of `code.co_flags`: takes *args or **kwargs


def query(function: Callable[P, _Traced], /) -> Prepared[P]:
    """Makes a prepared query of a function that builds one.

    >>> import rowmill as rm
    >>> class Order(rm.Table, name="orders"):
    ...     id: rm.Col[int] = rm.pk()
    ...     total: rm.Col[float]
    >>> @rm.query
    ... def above(floor: float):
    ...     return rm.select(Order).where(Order.total > floor)
    >>> print(above.sql())
    select "orders"."id", "orders"."total" from "orders" where "orders"."total" > $1::float8
    >>> db.fetch(above(100.0)).shape
    (1, 2)

    The function is called once, here, with stand-ins for its values: it cannot look at them. Each
    parameter's annotation says what it takes, as that of a column does.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        raise TypeError(f"rm.query takes a function, not {type(function).__name__}")
    if code.co_flags & _VARIADIC:
        raise TypeError(f"{function.__name__}: a query has named parameters, no * and **")
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = dict(
        zip(
            reversed(names[: code.co_argcount]), reversed(function.__defaults__ or ()), strict=False
        )
    )
    defaults.update(function.__kwdefaults__ or {})
    declared = []
    for name in names:
        kind, nullable = "any", True
        annotation = function.__annotations__.get(name)
        if isinstance(annotation, str):
            annotation = _evaluated(function, name, annotation, sys._getframe(1))
        if annotation is not None:
            kind, nullable = _kind(function, name, annotation)
        declared.append((name, kind, nullable, (defaults[name],) if name in defaults else ()))
    # A datetime is compared with columns that have a zone and with those that have none.
    kinds = ["any" if kind == "timestamp[utc]" else kind for _, kind, _, _ in declared]
    stand_ins: list[Any] = [
        parameter(at, *pair) for at, pair in enumerate(zip(names, kinds, strict=True))
    ]
    positional = stand_ins[: code.co_argcount]
    keywords = dict(zip(names[code.co_argcount :], stand_ins[code.co_argcount :], strict=True))
    build: Any = function
    traced = build(*positional, **keywords)
    prepared: Prepared[P] = Prepared(traced, declared, code.co_argcount)
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(prepared, attribute, getattr(function, attribute))
    prepared.__wrapped__ = function
    return prepared
