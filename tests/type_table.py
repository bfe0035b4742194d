"""The table of types in docs/types.md: made of what the tests' cases give, compared by a test.

    python -m tests.type_table        rewrite the rows that this machine's servers can make

A row stands for a case of `tests/type_cases.py` or of `tests/test_types_sqlite.py`, so that each has
its tests. Rows of types that a server does not have (of extensions, mostly) stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rowmill as rm
from tests.type_cases import ARRAYS, EXTENSIONS, NESTED, NUMERICS, PRINTED, SCALARS, SETUP, source

PAGE = Path(__file__).parent.parent / "docs" / "types.md"
HEAD = "| {} | `schema` | Python | NumPy | pandas | Polars | Arrow |"
LINE = "|---|---|---|---|---|---|---|"
MARKS = {"PostgreSQL": "<!-- postgresql -->", "SQLite": "<!-- sqlite -->"}

# One row for several cases that differ in their values alone.
POSTGRES = [*SCALARS, *NUMERICS, *ARRAYS, *NESTED, *PRINTED, *EXTENSIONS]


def _python(value: Any) -> str:
    """The class of a value: `list[int]`, `dict`, `datetime`."""
    if isinstance(value, list):
        inner = next((part for part in value if part is not None), None)
        return f"list[{_python(inner)}]"
    name = type(value).__name__
    return f"rm.{name}" if isinstance(value, (rm.Interval, rm.Range)) else name


def _cells(frame: rm.Frame) -> Iterator[str]:
    value = next(value for value in frame["v"].to_list() if value not in (None, [], [None]))
    yield frame.schema.types[0]
    yield _python(value)
    yield str(frame.to_numpy()["v"].dtype)
    yield str(frame.to_pandas().dtypes.iloc[0])
    try:
        yield str(frame.to_polars().dtypes[0])
    except rm.NotSupportedError:
        yield "cannot hold it"
    yield str(frame.to_arrow().schema.field(0).type).replace("'", "")


def row(name: str, frame: rm.Frame) -> str:
    """A type's row; `frame` has a column `v` of it without NULL."""
    cells = (cell.replace("|", "\\|") for cell in _cells(frame))
    return f"| `{name}` | " + " | ".join(f"`{cell}`" for cell in cells) + " |"


def set_up(db: rm.Database) -> None:
    """Makes the types that the cases name, as far as the server has them."""
    db.execute_script(SETUP)
    for name in ("hstore", "citext", "vector"):
        if db.fetch_value("select 1 from pg_available_extensions where name = $1::text", name):
            db.execute_script(f"create extension {name}")


def postgres_rows(db: rm.Database) -> dict[str, str]:
    """The rows that a server can make where `set_up` was, by the type's SQL name and its schema."""
    rows: dict[str, str] = {}
    for case in POSTGRES:
        texts = [text for text in case.texts if text not in ("{}", "empty")]
        try:
            frame = db.fetch(f"select v::{case.sql} as v from ({source(case.sql, texts)}) x")
        except (rm.ProgrammingError, rm.NotSupportedError):
            if case in EXTENSIONS:
                continue
            raise
        rows.setdefault(key(f"`{case.sql}` | `{case.kind}`"), row(case.sql, frame))
    return rows


def sqlite_rows() -> dict[str, str]:
    """The rows of SQLite's declared types."""
    from tests.test_types_sqlite import DECLARED

    rows: dict[str, str] = {}
    for declared, kind, cells, _ in DECLARED:
        with rm.Database("sqlite://") as db:
            db.execute_script(f"create table t (v {declared})")
            for cell in cells:
                db.execute("insert into t values ($1)", cell)
            name = declared or "(none)"
            rows.setdefault(key(f"`{name}` | `{kind}`"), row(name, db.fetch("select v from t")))
    return rows


def key(row: str) -> str:
    """What tells a row from others: the type's SQL name and its schema."""
    return "|".join(row.strip("| ").split("|")[:2]).strip()


def documented(database: str) -> dict[str, str]:
    """The rows of the page."""
    text = PAGE.read_text().split(MARKS[database])[1]
    lines = (line for line in text.strip().splitlines() if line.startswith("|"))
    return {key(line): line for line in list(lines)[2:]}


def _rewrite(database: str, rows: dict[str, str]) -> None:
    before, _, after = PAGE.read_text().split(MARKS[database])
    table = "\n".join([HEAD.format(database), LINE, *rows.values()])
    PAGE.write_text(f"{before}{MARKS[database]}\n{table}\n{MARKS[database]}{after}")


def main() -> None:
    """Rewrites the page."""
    from tests.postgres_server import PostgresServer

    with PostgresServer() as server, rm.Database(server.url) as db:
        set_up(db)
        made = postgres_rows(db)
    kept = documented("PostgreSQL")
    order = [key(f"`{case.sql}` | `{case.kind}`") for case in POSTGRES]
    rows = {known: made.get(known) or kept.get(known) for known in dict.fromkeys(order)}
    _rewrite("PostgreSQL", {known: line for known, line in rows.items() if line})
    _rewrite("SQLite", sqlite_rows())


if __name__ == "__main__":
    main()
