"""What can go wrong: the tree of PEP 249, and the few branches that callers tell apart.

```
Exception
├─ Warning
└─ Error
   ├─ InterfaceError             misuse: a closed handle, another process, another event loop
   └─ DatabaseError
      ├─ DataError               a value out of range, or one that cannot be represented
      ├─ OperationalError        the database could not serve the request
      │  ├─ ConnectError         no connection could be made
      │  ├─ ConnectionLost       a connection broke; whether the statement ran is not known
      │  ├─ PoolTimeout          no connection became free in time           also a TimeoutError
      │  ├─ QueryTimeout         a statement ran past its deadline           also a TimeoutError
      │  └─ SerializationError   transactions collided; trying again may succeed
      ├─ IntegrityError          a constraint was violated
      ├─ InternalError           the database broke its own rules, or its protocol
      ├─ ProgrammingError        wrong SQL, an unknown name, wrong parameters, a missing right
      └─ NotSupportedError       a thing the database or this library does not do
```
"""

from __future__ import annotations

# Characters of a line of SQL that are shown around the place of an error.
_WINDOW = 100


class Warning(Exception):  # noqa: N818 - the name PEP 249 gives it
    """Something worth knowing that stops nothing."""


class Error(Exception):
    """Anything that went wrong in Rowmill or in the database behind it.

    `str(error)` is the whole story: the message, the line of SQL with a caret under the place,
    and what the server added. The parts are attributes.

    Attributes:
        sqlstate: The five characters by which a PostgreSQL server names the cause; a violated
            constraint has them on SQLite too: "23505" unique, "23502" not null, "23503" foreign
            key, "23514" check.
        detail: More about the cause, as the server gave it.
        hint: The way out.
        position: Where in `query`, as a character count from 1.
        query: The SQL the error is about.
        schema, table, column, constraint: What of the database it is about, as far as that says:
            a violated constraint has its table, a value that is missing its column.
    """

    sqlstate: str | None
    detail: str | None
    hint: str | None
    position: int | None
    query: str | None
    schema: str | None
    table: str | None
    column: str | None
    constraint: str | None

    def __init__(
        self,
        message: str = "",
        *,
        sqlstate: str | None = None,
        detail: str | None = None,
        hint: str | None = None,
        position: int | None = None,
        query: str | None = None,
        schema: str | None = None,
        table: str | None = None,
        column: str | None = None,
        constraint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.detail = detail
        self.hint = hint
        self.position = position
        self.query = query
        self.schema = schema
        self.table = table
        self.column = column
        self.constraint = constraint

    def __str__(self) -> str:
        lines = [super().__str__()]
        if self.sqlstate:
            lines[0] = f"{lines[0]} [{self.sqlstate}]".lstrip()
        if self.query and self.position:
            lines += _pointed(self.query, self.position)
        if self.detail:
            lines.append(f"  detail: {self.detail}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class InterfaceError(Error):
    """A handle used after it was closed, in a forked process or on another event loop."""


class DatabaseError(Error):
    """Anything that went wrong with the database."""


class DataError(DatabaseError):
    """A value out of range, or one that the other side cannot represent."""


class OperationalError(DatabaseError):
    """The database could not serve the request: disk full, shutting down, locked."""


class ConnectError(OperationalError):
    """No connection could be made."""


class ConnectionLost(OperationalError):  # noqa: N818
    """A connection broke; whether the statement ran is not known."""


class PoolTimeout(OperationalError, TimeoutError):  # noqa: N818
    """No connection became free in time."""


class QueryTimeout(OperationalError, TimeoutError):  # noqa: N818
    """A statement ran past its deadline and was cancelled."""


class SerializationError(OperationalError):
    """Concurrent transactions collided; trying again may succeed."""


class IntegrityError(DatabaseError):
    """A constraint was violated."""


class InternalError(DatabaseError):
    """The database broke its own rules, or its protocol."""


class ProgrammingError(DatabaseError):
    """Wrong SQL, an unknown name, wrong parameters, a missing right."""


class NotSupportedError(DatabaseError):
    """A thing the database or this library does not do."""


def _pointed(query: str, position: int) -> list[str]:
    """The line of a query that holds a place, and a caret under it."""
    at = position - 1
    if not 0 <= at <= len(query):
        return []
    start = query.rfind("\n", 0, at) + 1
    end = query.find("\n", at)
    line = query[start : end if end >= 0 else len(query)]
    column = at - start
    left = max(0, min(column - _WINDOW // 2, len(line) - _WINDOW))
    before = ("…" if left else "") + _plain(line[left:column])
    after = _plain(line[column : left + _WINDOW]) + ("…" if left + _WINDOW < len(line) else "")
    label = f"  line {query.count(chr(10), 0, at) + 1}: "
    return [label + before + after, " " * (len(label) + len(before)) + "^"]


def _plain(text: str) -> str:
    """Text in which each character takes one place: no tab moves the caret."""
    return "".join(c if c.isprintable() else " " for c in text)
