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
from rowmill._range import Range
from rowmill._rowmill import (
    Col,
    Column,
    Database,
    Delete,
    Expr,
    Frame,
    Insert,
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

__all__ = [
    "AsyncDatabase",
    "AsyncStream",
    "AsyncTransaction",
    "Col",
    "Column",
    "ConnectError",
    "ConnectionLost",
    "DataError",
    "Database",
    "DatabaseError",
    "Delete",
    "Error",
    "Expr",
    "Frame",
    "Insert",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interval",
    "NotSupportedError",
    "OperationalError",
    "Partition",
    "PoolTimeout",
    "ProgrammingError",
    "QueryTimeout",
    "Range",
    "Raw",
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
    "exists",
    "fk",
    "geo_within",
    "greatest",
    "insert",
    "least",
    "lit",
    "pk",
    "rank",
    "row_number",
    "select",
    "sql",
    "update",
    "upsert",
]

for _name in __all__:
    _value = globals()[_name]
    if isinstance(_value, type):
        # Where a name is public is where its repr, its pickle and its documentation say it lives.
        _value.__module__ = "rowmill"
del _name, _value
