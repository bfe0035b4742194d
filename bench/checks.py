"""The performance targets, each as one comparison within one interleaved run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.data import Sizes
from bench.harness import Results
from bench.peers.groups import KEYS

Value = Callable[[Results], float | None]


@dataclass(frozen=True)
class Target:
    """`value` must be at most (or at least) `limit`."""

    workload: str
    text: str
    value: Value
    limit: float
    at_least: bool = False
    unit: str = "x"

    def verdict(self, results: Results) -> list[str] | None:
        """Text, target, measured, holds; None if this run has not measured the workload."""
        if not results.tasks(self.workload):
            return None
        sign = ">=" if self.at_least else "<="
        goal = f"{sign} {self.limit:.3g} {self.unit}"
        measured = self.value(results)
        if measured is None:
            return [self.text, goal, "not measured", "?"]
        holds = measured >= self.limit if self.at_least else measured <= self.limit
        return [self.text, goal, f"{measured:.3g} {self.unit}", "yes" if holds else "NO"]


def ratio(task: str, figure: str, of: str, to: str, to_task: str = "") -> Value:
    """The median figure of one peer divided by another's."""

    def value(results: Results) -> float | None:
        a = results.median(task, of, figure)
        b = results.median(to_task or task, to, figure)
        return None if a is None or not b else a / b

    return value


def figure(task: str, peer: str, name: str) -> Value:
    """A median as it is."""
    return lambda results: results.median(task, peer, name)


def over(name: str) -> Value:
    """What a call of `Matcher.match` costs without a condition."""
    return figure("match 150", "rowmill", f"empty_{name}")


def smallest_peak(results: Results) -> float | None:
    """Rowmill's peak memory to that of the better of asyncpg and psycopg."""
    task = "wide to pandas"
    ours = results.median(task, "rowmill", "rss_mb")
    peers = [results.median(task, p, "rss_mb") for p in ("asyncpg", "psycopg")]
    theirs = [p for p in peers if p]
    return ours / min(theirs) if ours is not None and theirs else None


def lateness(results: Results) -> float | None:
    """p99 lateness beside a fetch, less that of the same load in another process."""
    ours = results.median("ticker", "rowmill async", "late_p99_ms")
    control = results.median("ticker", "elsewhere", "late_p99_ms")
    return None if ours is None or control is None else max(0.0, ours - control)


def import_cost(results: Results) -> float | None:
    """Milliseconds over bare Python."""
    ours = results.median("import", "rowmill", "wall")
    bare = results.median("import", "bare Python", "wall")
    return None if ours is None or bare is None else (ours - bare) * 1e3


def foreign(results: Results) -> float | None:
    """How many third-party modules `import rowmill` imports."""
    lists = [
        r["third_party"] for r in results.records if r["peer"] == "rowmill" and "third_party" in r
    ]
    return float(len(lists[-1].split())) if lists else None


RM, RA, DRAIN = "rowmill", "rowmill async", "drain floor"
READ = "rowmill, all columns read"
WA, WP, NA = "wide to Arrow", "wide to pandas", "narrow to Arrow"
ONE, MANY = "point, 1 task", "point, 32 tasks"
COLUMNS = "SQLite to columns"
LOAD, LITE = "load to PostgreSQL", "load to SQLite"
STREAM = "stream"
QL, QP = "queries, SQLite", "queries, PostgreSQL"
SHARED = f"{QP}, one core"
CORE, ORM = "sqlalchemy core", "sqlalchemy orm"
ORDERS = ("ascending", "descending", "mixed", "NULLs")

SIX = ("num", "streq", "in100", "null", "window", "listc")


def ten(rows: int, peer: str) -> Value:
    """How many times as long a peer takes for ten conditions."""
    return ratio(f"filter {rows}", "ten_us", peer, RM)


def times(task: str, names: tuple[str, ...], peer: str, nth: int = 0, of: str = RM) -> Value:
    """How many times as long as Rowmill a peer takes: of these figures the least, or the `nth` after it."""

    def value(results: Results) -> float | None:
        found = [ratio(task, f"{name}_us", peer, of)(results) for name in names]
        known = sorted(one for one in found if one)
        return known[nth] if len(known) > nth else None

    return value


def longest(task: str, names: tuple[str, ...]) -> Value:
    """The most microseconds that Rowmill takes."""

    def value(results: Results) -> float | None:
        found = [results.median(task, RM, f"{name}_us") for name in names]
        return max((one for one in found if one), default=None)

    return value


def joins() -> Iterator[Target]:
    """What is held of each verb."""
    for verb in ("join", "unique", "isin"):
        for peer, limit in (("polars", 2), ("pandas", 5), ("numpy", 5)):
            measured = times("joins of 10000", (f"{verb}_int", f"{verb}_text"), peer)
            yield Target("joins", f"10,000 rows, {verb}: times {peer}", measured, limit, True)


def history() -> Iterator[Target]:
    """What is held of graphs."""
    commits = Sizes().commits
    for text, task in (
        ("real", "history, real"),
        (f"{commits:,} commits", f"history of {commits}"),
    ):
        for peer, limit in (("rustworkx", 7), ("igraph", 7), ("networkx", 80)):
            measured = ratio(task, "ancestors_ms", peer, RM)
            yield Target("history", f"{text}, ancestors: times {peer}", measured, limit, True)
        for peer, limit in (("python", 10), ("git", 1000)) if text == "real" else ():
            measured = ratio(task, "owners_ms", peer, RM)
            yield Target("history", f"{text}, owners: times {peer}", measured, limit, True)


# fmt: off
TARGETS = [
    Target("fetch", "wide to Arrow: CPU / drain floor", ratio(WA, "cpu", RM, DRAIN), 2.5),
    Target("fetch", "wide to Arrow: CPU / ADBC", ratio(WA, "cpu", RM, "adbc"), 1 / 3),
    Target("fetch", "wide to Arrow: wall / drain floor", ratio(WA, "wall", RM, DRAIN), 1.15),
    Target("fetch", "wide to pandas: CPU / asyncpg", ratio(WP, "cpu", RM, "asyncpg"), 1 / 15),
    Target("fetch", "wide to pandas: CPU / asyncpg-rkt", ratio(WP, "cpu", RM, "asyncpg-rkt"), 1 / 4),
    Target("fetch", "wide to pandas: CPU / ADBC", ratio(WP, "cpu", RM, "adbc"), 1 / 4),
    Target("fetch", "wide to pandas: peak / best of asyncpg, psycopg", smallest_peak, 1 / 2),
    Target("fetch", "wide to pandas: after the last byte", figure(WP, RM, "after_ms"), 5, unit="ms"),
    Target("fetch", "narrow to Arrow: CPU / drain floor", ratio(NA, "cpu", RM, DRAIN), 2.2),
    Target("fetch", "narrow to Arrow: CPU / ADBC", ratio(NA, "cpu", RM, "adbc"), 1 / 4),
    Target("fetch", "narrow to Arrow: asyncio / sync, wall", ratio(NA, "wall", RA, RM), 1.1),
    Target("fetch", "narrow to Arrow: asyncio / sync, CPU", ratio(NA, "cpu", RA, RM), 1.1),
    Target("ticker", "ticker p99 beyond the control", lateness, 10, unit="ms"),
    Target("point", "sync: queries per CPU / psycopg", ratio("point, sync", "cpu", "psycopg", RM), 1.4, True),
    Target("point", "32 tasks: queries/s / asyncpg pool", ratio(MANY, "wall", "asyncpg pool", RA), 4, True),
    Target("point", "32 tasks: CPU per query / asyncpg pool", ratio(MANY, "cpu", RA, "asyncpg pool"), 1 / 4),
    Target("point", "1 task: p50 / asyncpg", ratio(ONE, "p50_us", RA, "asyncpg"), 1.15),
    Target("json", "JSON: CPU / asyncpg + orjson", ratio("JSON", "cpu", RM, "asyncpg + orjson"), 1 / 6),
    Target("json", "JSON: wall / json_agg", ratio("JSON", "wall", RM, "json_agg"), 1),
    Target("json", "JSON: same values as asyncpg + orjson", figure("same values", RM, "same"), 1, True, ""),
    Target("sqlite", "SQLite to Arrow: wall / connectorx", ratio(COLUMNS, "wall", RM, "connectorx"), 0.7),
    Target("sqlite", "SQLite to Arrow: wall / polars", ratio(COLUMNS, "wall", RM, "polars over sqlite3"), 0.3),
    Target("sqlite", "1 thread: queries/s / sqlite3", ratio("SQLite point, 1 thread", "wall", "sqlite3", RM), 1.3, True),
    Target("sqlite", "1 task: queries/s / aiosqlite", ratio("SQLite point, 1 task", "wall", "aiosqlite", RA), 5, True),
    Target("sqlite", "8 tasks: queries/s / aiosqlite", ratio("SQLite point, 8 tasks", "wall", "aiosqlite", RA), 5, True),
    Target("load", "load to PostgreSQL: wall / server's COPY of a file", ratio(LOAD, "wall", RM, "server's COPY of a file"), 1.25),
    Target("load", "load to PostgreSQL: CPU / pgpq", ratio(LOAD, "cpu", RM, "pgpq + psycopg"), 1 / 2),
    Target("load", "load to PostgreSQL: CPU / ADBC", ratio(LOAD, "cpu", RM, "adbc"), 1 / 3),
    Target("load", "load to SQLite: rows/s / executemany", ratio(LITE, "wall", "sqlite3 executemany", RM), 4, True),
    Target("load", "load to SQLite: rows/s / insert floor", ratio(LITE, "wall", "insert floor", RM), 0.7, True),
    Target("stream", "stream: peak above start", figure(STREAM, RM, "rss_mb"), 64, unit="MiB"),
    Target("stream", "asyncio: peak above start", figure(STREAM, RA, "rss_mb"), 64, unit="MiB"),
    Target("stream", "in a transaction: peak above start", figure(STREAM, f"{RM} in a transaction", "rss_mb"), 64, unit="MiB"),
    Target("stream", "asyncio, in a transaction: peak above start", figure(STREAM, f"{RA} in a transaction", "rss_mb"), 64, unit="MiB"),
    Target("stream", "stream: rows/s / one fetch", ratio(STREAM, "wall", "one fetch", RM), 0.9, True),
    Target("stream", "asyncio: rows/s / one fetch", ratio(STREAM, "wall", "one fetch async", RA), 0.9, True),
    Target("stream", "in a transaction: rows/s / one fetch", ratio(STREAM, "wall", "one fetch", f"{RM} in a transaction"), 0.9, True),
    Target("stream", "asyncio, in a transaction: rows/s / one fetch", ratio(STREAM, "wall", "one fetch async", f"{RA} in a transaction"), 0.9, True),
    Target("queries", "SQLite: CPU / SQLAlchemy Core", ratio(QL, "cpu", RM, CORE), 1 / 6),
    Target("queries", "SQLite: CPU / SQLAlchemy ORM", ratio(QL, "cpu", RM, ORM), 1 / 10),
    Target("queries", "SQLite: CPU / Django", ratio(QL, "cpu", RM, "django"), 1 / 14),
    Target("queries", "SQLite: CPU / sqlite3", ratio(QL, "cpu", RM, "sqlite3"), 1.5),
    Target("queries", "PostgreSQL, one core: CPU / Core", ratio(SHARED, "cpu", RM, CORE), 1 / 8),
    Target("queries", "PostgreSQL, one core: CPU / ORM", ratio(SHARED, "cpu", RM, ORM), 1 / 12),
    Target("queries", "PostgreSQL, one core: CPU / Django", ratio(SHARED, "cpu", RM, "django"), 1 / 20),
    Target("queries", "PostgreSQL, one core: CPU / psycopg", ratio(SHARED, "cpu", RM, "psycopg"), 1.5),
    Target("queries", "SQLite: first hundred / steady", figure(f"first {QL}", RM, "first_x"), 1.5),
    Target("queries", "PostgreSQL: first hundred / steady", figure(f"first {QP}", RM, "first_x"), 1.5),
    Target("queries", "traced: CPU added", figure("building", RM, "traced_us"), 3, unit="us"),
    Target("queries", "ten predicates afresh: CPU added", figure("building", RM, "ten_us"), 8, unit="us"),
    Target("queries", "IN of 10,000: CPU added", figure("building", RM, "in_us"), 300, unit="us"),
    *(
        Target("paging", f"{place}, {order}: deep page / shallow", figure(f"page {order}, {place}", RM, "deep_x"), 1.3)
        for place in ("SQLite", "PostgreSQL")
        for order in ORDERS
    ),
    Target("paging", "SQLite, top 10 of 50: wall / correlated IN", ratio("top 10 of 50, SQLite", "wall", RM, "correlated IN"), 2),
    Target("paging", "PostgreSQL, top 10 of 50: wall / LATERAL", ratio("top 10 of 50, PostgreSQL", "wall", RM, "LATERAL"), 2),
    Target("matching", "150 campaigns: a dict, over none", over("dict_us"), 6, unit="us"),
    Target("matching", "150 campaigns: JSON, over none", over("json_us"), 4, unit="us"),
    Target("matching", "150 campaigns: closures / a dict", ratio("match 150", "dict_us", "closures", RM), 4, True),
    Target("matching", "150 campaigns: closures on PyPy / a dict", ratio("match 150", "dict_us", "closures on PyPy", RM), 4, True),
    Target("matching", "100,000 campaigns: a change, p99", figure("match 100000", RM, "change_p99_us"), 1_000, unit="us"),
    Target("matching", "100,000 campaigns: two threads", figure("match 100000", RM, "two_threads_x"), 1.8, True),
    Target("filter", "100 rows x 11 columns", longest("filter 100", SIX), 2, unit="us"),
    Target("filter", "100 rows, three columns", longest("filter 100, three columns", SIX), 0.6, unit="us"),
    Target("filter", "100 rows, ten conditions", figure("filter 100", RM, "ten_us"), 3, unit="us"),
    Target("filter", "100 rows: times Polars", times("filter 100", SIX, "polars"), 20, True),
    Target("filter", "100 rows: times pandas", times("filter 100", SIX, "pandas"), 100, True),
    Target("filter", "100 rows, ten conditions: times Polars", ten(100, "polars"), 80, True),
    Target("filter", "10,000 rows: times Polars", times("filter 10000", SIX, "polars"), 1.8, True),
    Target("filter", "10,000 rows, ten conditions: times Polars", ten(10_000, "polars"), 12, True),
    Target("filter", "300,000 rows: times Polars", times("filter 300000", SIX, "polars"), 1.1, True),
    Target("filter", "300,000 rows, ten conditions: times Polars", ten(300_000, "polars"), 2, True),
    Target("filter", "100 rows, all columns read: times Polars", times("filter 100", SIX, "polars", of=READ), 20, True),
    Target("filter", "10,000 rows, all columns read: times Polars", times("filter 10000", SIX, "polars", of=READ), 1.8, True),
    Target("filter", "300,000 rows, all columns read: times Polars", times("filter 300000", SIX, "polars", of=READ), 1.1, True),
    Target("filter", "10,000,000 rows, ten conditions: times Polars", ten(10_000_000, "polars"), 1.5, True),
    Target("groups", "100 rows", longest("groups of 100", KEYS), 5, unit="us"),
    Target("groups", "100 rows: times Polars", times("groups of 100", KEYS, "polars"), 30, True),
    Target("groups", "100 rows: times pandas", times("groups of 100", KEYS, "pandas"), 40, True),
    Target("groups", "10,000 rows: times Polars", times("groups of 10000", KEYS, "polars"), 3, True),
    Target("groups", "300,000 rows: times Polars, four of six", times("groups of 300000", KEYS, "polars", 2), 1.5, True),
    Target("groups", "300,000 rows: times Polars, each", times("groups of 300000", KEYS, "polars"), 0.7, True),
    *joins(),
    *history(),
    Target("import", "import rowmill over bare Python", import_cost, 12, unit="ms"),
    Target("import", "third-party modules imported", foreign, 0, unit=""),
]
# fmt: on


def verdicts(results: Results) -> list[list[str]]:
    """One row per target of the workloads that ran, under a head row."""
    rows = [target.verdict(results) for target in TARGETS]
    return [["target", "limit", "measured", "holds"], *(row for row in rows if row)]
