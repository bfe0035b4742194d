"""What `import X` costs a fresh interpreter, and what `import rowmill` brings along."""

from __future__ import annotations

import sys

from bench.context import Context
from bench.harness import Case

NEEDS_POSTGRES = False
COLUMNS = ("wall", "cpu", "importtime_ms", "third_party")
MODULES = {
    "bare Python": "",
    "rowmill": "rowmill",
    "asyncpg": "asyncpg",
    "psycopg": "psycopg",
    "adbc": "adbc_driver_postgresql.dbapi",
    "connectorx": "connectorx",
    "aiosqlite": "aiosqlite",
    "apsw": "apsw",
    "pandas": "pandas",
    "polars": "polars",
}


def run(context: Context) -> None:
    """Every module in its own interpreter, started by a small stopwatch process."""
    cases = [
        Case(label, command=[sys.executable, "-m", "bench.stopwatch", module])
        for label, module in MODULES.items()
    ]
    context.run("import", "import", cases)
