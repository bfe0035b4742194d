"""An IRC log, asked as its application does: nine kinds of query through query layers and drivers."""

from __future__ import annotations

from dataclasses import replace

from bench.context import Context, simple
from bench.harness import Case, progress
from bench.irc import KINDS, Log, load_postgres, load_sqlite
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = (
    *(f"{kind}_us" for kind in KINDS),
    "cpu",
    "wall",
    *("first_us", "second_us", "steady_us", "first_x"),
    *("build_us", "ten_us", "traced_us", "in_us"),
)
DRIVERS = {"SQLite": ("sqlite3", "sqlite3"), "PostgreSQL": ("psycopg", "psycopg")}
LAYERS = {
    "rowmill": "rowmill",
    "rowmill traced": "rowmill_traced",
    "rowmill text": "rowmill_text",
    "sqlalchemy core": "core",
    "sqlalchemy orm": "orm",
    "django": "django",
}


def run(context: Context) -> None:
    """Every kind on both databases; the first hundred of a process; what building alone costs."""
    assert context.server
    lines = context.sizes.lines
    progress("loading the IRC log")
    file, log = context.directory / "irc.db", Log(lines)
    load_sqlite(file, log)
    with context.server.fresh_database() as url:
        load_postgres(url, log)
        for database, place in (("SQLite", f"sqlite:///{file}"), ("PostgreSQL", url)):
            job = Job("", "", url=place, keys=lines, count=context.sizes.queries)
            context.run("queries", f"queries, {database}", cases(database, "queries", job))
            first = replace(job, count=context.sizes.queries * 4)
            context.run("queries", f"first queries, {database}", cases(database, "first", first))
        with context.one_core() as core:
            job = Job("", "", url=url, keys=lines, count=context.sizes.queries, core=core)
            if core is not None:
                together = cases("PostgreSQL", "queries", job)
                context.run("queries", "queries, PostgreSQL, one core", together)
            building = replace(job, count=max(10, context.sizes.queries // 10))
            context.run(
                "queries",
                "building",
                [
                    simple("rowmill", "building", "rowmill", building),
                    simple("sqlalchemy core", "building", "sqlalchemy", building),
                ],
            )


def cases(database: str, task: str, job: Job) -> list[Case]:
    """The raw driver, and the layers."""
    label, arm = DRIVERS[database]
    arms = {label: arm} | LAYERS
    return [simple(label, "irc", task, replace(job, other=arm)) for label, arm in arms.items()]
