"""The data path of a Python API server: PostgreSQL and SQLite to columns and JSON.

>>> import rowmill as rm
>>> db = rm.Database("sqlite://")
>>> frame = db.fetch("select 1 as id, 'Ada' as name")
>>> frame.to_json()
b'[{"id":1,"name":"Ada"}]'

`Database` blocks, `AsyncDatabase` is awaited; both have the same verbs. A result is a `Frame`:
columns in Arrow's layout, handed to NumPy, pandas, Polars and PyArrow without a copy where the type
allows. Nothing beyond the standard library is needed, or imported, until a frame is asked for the
form that needs it.
"""

from rowmill._aio import AsyncDatabase, AsyncStream, AsyncTransaction
from rowmill._edge import Edge, many, one
from rowmill._errors import (
    ConnectError,
    ConnectionLost,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PoolTimeout,
    ProgrammingError,
    QueryTimeout,
    SerializationError,
    Warning,
)
from rowmill._interval import Interval
from rowmill._query import query
from rowmill._range import Range
from rowmill._rowmill import (
    Col,
    Column,
    Dag,
    Database,
    Delete,
    Expr,
    Frame,
    GroupBy,
    Insert,
    Matcher,
    NodeSet,
    Page,
    Partition,
    Raw,
    Row,
    Schema,
    Select,
    Stream,
    Transaction,
    Update,
    __version__,
    case,
    coalesce,
    col,
    concat,
    count,
    delete,
    dense_rank,
    exists,
    geo_within,
    greatest,
    insert,
    least,
    lit,
    rank,
    row_number,
    select,
    sql,
    update,
    upsert,
)
from rowmill._table import Table, column, fk, pk

# What few programs need is imported by whoever asks for it.
_LATE = {
    "Finding": "_doctor_report",
    "Packed": "_packed",
    "Plan": "_plan",
    "PlanBuffers": "_plan",
    "PlanNode": "_plan",
    "Reason": "_matcher",
    "Report": "_doctor_report",
    "Reflected": "_reflect",
    "doctor": "_doctor",
    "from_django": "_adopt",
    "from_sqlalchemy": "_adopt",
    "packed": "_packed",
    "reflect": "_reflect",
    "removed": "_packed",
    "transient": "_packed",
}
# As `typing.TYPE_CHECKING`, whose import takes longer than the rest of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from rowmill._adopt import from_django, from_sqlalchemy
    from rowmill._doctor import doctor
    from rowmill._doctor_report import Finding, Report
    from rowmill._matcher import Reason
    from rowmill._packed import Packed, packed, removed, transient
    from rowmill._plan import Plan, PlanBuffers, PlanNode
    from rowmill._reflect import Reflected, reflect

__all__ = [
    "AsyncDatabase",
    "AsyncStream",
    "AsyncTransaction",
    "Col",
    "Column",
    "ConnectError",
    "ConnectionLost",
    "Dag",
    "DataError",
    "Database",
    "DatabaseError",
    "Delete",
    "Edge",
    "Error",
    "Expr",
    "Finding",
    "Frame",
    "GroupBy",
    "Insert",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interval",
    "Matcher",
    "NodeSet",
    "NotSupportedError",
    "OperationalError",
    "Packed",
    "Page",
    "Partition",
    "Plan",
    "PlanBuffers",
    "PlanNode",
    "PoolTimeout",
    "ProgrammingError",
    "QueryTimeout",
    "Range",
    "Raw",
    "Reason",
    "Reflected",
    "Report",
    "Row",
    "Schema",
    "Select",
    "SerializationError",
    "Stream",
    "Table",
    "Transaction",
    "Update",
    "Warning",
    "__version__",
    "case",
    "coalesce",
    "col",
    "column",
    "concat",
    "count",
    "delete",
    "dense_rank",
    "doctor",
    "exists",
    "fk",
    "from_django",
    "from_sqlalchemy",
    "geo_within",
    "greatest",
    "insert",
    "least",
    "lit",
    "many",
    "one",
    "packed",
    "pk",
    "query",
    "rank",
    "reflect",
    "removed",
    "row_number",
    "select",
    "sql",
    "transient",
    "update",
    "upsert",
]

for _name in __all__:
    _value = globals().get(_name)
    if callable(_value):
        # Where a name is public is where its repr, its pickle and its documentation say it lives.
        _value.__module__ = "rowmill"
del TYPE_CHECKING, _name, _value


def __getattr__(name: str) -> object:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"rowmill.{_LATE[name]}"), name)
    raise AttributeError(f"module 'rowmill' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
