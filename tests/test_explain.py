"""`explain`: what a database means to do, what it did, and that nothing of that stays."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm

EVIL = "a\"'<script>alert(1)</script>&\n-->\x1b[31m"
QUOTED = '"' + EVIL.replace('"', '""') + '"'
SHOP = """
    create table customers (id integer primary key, name text);
    create table orders (id integer primary key, customer integer references customers, total integer);
    create index orders_customer on orders (customer);
"""
COUNTING = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {}) select i"


@pytest.fixture
def shop(any_url: str) -> str:
    with rm.Database(any_url) as db:
        db.execute_script(SHOP)
        db.load("customers", {"id": list(range(1000)), "name": [f"n{i}" for i in range(1000)]})
        orders = {"id": list(range(20000)), "customer": [i % 1000 for i in range(20000)]}
        db.load("orders", {**orders, "total": list(range(20000))})
        db.execute("analyze")
    return any_url


@pytest.mark.parametrize("analyze", [False, True])
def test_a_plan_names_what_is_read(shop: str, analyze: bool) -> None:
    with rm.Database(shop) as db:
        plan = db.explain("select * from orders where customer = $1", 7, analyze=analyze)
        named = db.explain("select * from orders where customer = :c", c=7, analyze=analyze)
        text = db.explain("select * from orders where customer = $1", {"c": 1}["c"])
    assert [node.index for node in plan.walk() if node.index] == ["orders_customer"]
    assert {node.table for node in plan.walk() if node.table} == {"orders"}
    assert (
        [n.kind for n in named.walk()]
        == [n.kind for n in plan.walk()]
        == [n.kind for n in text.walk()]
    )
    assert plan.analyzed is analyze
    assert plan.rows == (20 if analyze else None)
    assert (plan.execution_ms is not None) is analyze
    assert "orders" in str(plan)
    assert repr(plan).startswith("<rowmill.Plan ")


def test_what_analyze_changes_is_undone(shop: str) -> None:
    with rm.Database(shop) as db:
        plan = db.explain("delete from orders where id < $1", 100, analyze=True)
        assert plan.analyzed
        assert db.fetch_value("select count(*) from orders") == 20_000
        returned = db.explain("update orders set total = 0 returning id", analyze=True)
        assert returned.rows == 20_000
        assert db.fetch_value("select max(total) from orders") == 19_999
        with db.transaction() as tx:
            tx.execute("delete from orders where id = 5")
            tx.explain("delete from orders", analyze=True)
            tx.explain("select * from orders", analyze=True)
            assert tx.fetch_value("select count(*) from orders") == 19_999
        assert db.fetch_value("select count(*) from orders") == 19_999


async def test_the_awaited_twin(shop: str) -> None:
    async with rm.AsyncDatabase(shop) as db:
        plan = await db.explain("select * from orders where customer = $1", 7)
        assert [node.index for node in plan.walk() if node.index] == ["orders_customer"]
        done = await db.explain("delete from orders", analyze=True)
        assert done.analyzed
        async with db.transaction() as tx:
            await tx.execute("delete from orders where id = 5")
            counted = await tx.explain("delete from orders returning id", analyze=True)
            assert counted.rows == 19_999
        assert await db.fetch_value("select count(*) from orders") == 19_999
        with pytest.raises(rm.ProgrammingError):
            await db.explain("select nope", analyze=True)
        with pytest.raises(TypeError, match="the statement is a str or a query, not int"):
            await db.explain(5)  # type: ignore[arg-type]


class Order(rm.Table, name="orders"):
    id: rm.Col[int] = rm.pk()
    customer: rm.Col[int]
    total: rm.Col[int]


ORDERS: Any = rm.select(Order)


@rm.query
def of_customer(customer: int) -> rm.Select:
    return rm.select(Order).where(Order.customer == customer)


async def test_queries_and_calls_of_both_worlds(shop: str) -> None:
    query = rm.select(Order).where(Order.customer == 7)
    raw = rm.sql("select * from {orders} where customer = {c}", orders=Order, c=7)
    update = rm.update(Order).set(total=0).where(Order.customer == 7)
    insert = rm.insert(Order).values(id=-1, customer=1, total=1).returning(Order.id)
    asked: list[Any] = [
        query,
        raw,
        of_customer(7),
        update,
        rm.delete(Order).where(Order.customer == 7),
    ]
    with rm.Database(shop) as db:
        for each in asked:
            plan = db.explain(each)
            assert [node.index for node in plan.walk() if node.index] == ["orders_customer"]
            assert str(each.explain(db)) == str(plan)
        assert (
            query.explain(db, analyze=True).rows
            == of_customer(7).explain(db, analyze=True).rows
            == 20
        )
        assert insert.explain(db, analyze=True).rows == 1
        with db.transaction() as tx:
            assert insert.explain(tx, analyze=True).analyzed
        assert db.fetch_value("select count(*) from orders") == 20_000
    async with rm.AsyncDatabase(shop) as adb:
        for each in asked:
            await adb.explain(each)
            plan = await each.explain(adb, analyze=True)
            assert plan.analyzed
        async with adb.transaction() as atx:
            assert (await query.explain(atx, analyze=True)).rows == 20


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda db: db.explain(of_customer), r"with its values: explain\(f\(...\)\)"),
        (lambda db: db.explain(Order), "a str or a query, not _Columns"),
        (lambda db: db.explain(rm.select(Order), 7), "a query holds its values"),
        (lambda db: db.explain(rm.select(Order), c=7), "a query holds its values"),
        (
            lambda db: ORDERS.explain(rm.select(Order)),
            "a database or a transaction, not rowmill.Select",
        ),
        (lambda db: ORDERS.explain(rm.Database), "a database or a transaction, not type"),
        (lambda db: ORDERS.explain("sqlite"), "a database or a transaction, not str"),
    ],
)
def test_what_is_no_statement(shop: str, asked: Any, said: str) -> None:
    with rm.Database(shop) as db, pytest.raises(TypeError, match=said):
        asked(db)


@pytest.mark.parametrize("dates", ["text", "unix", "julian"])
def test_the_statement_is_that_which_runs_whatever_dates_are(tmp_path: Path, dates: str) -> None:
    class Event(rm.Table, name="events"):
        id: rm.Col[int] = rm.pk()
        at: rm.Col[dt.datetime]

    ten = dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC)
    query = rm.select(Event.id).where(Event.at.hour() == 10)
    with rm.Database(f"sqlite:///{tmp_path / 'e.db'}?dates={dates}") as db:
        db.execute("create table events (id integer primary key, at timestamp)")
        db.execute(rm.insert(Event).values([{"id": at, "at": ten} for at in range(3)]))
        with db.expect(max_queries=1) as ran:
            assert len(db.fetch(query)) == 3
        plan = query.explain(db, analyze=True)
        assert (plan.rows, plan.sql) == (3, ran.queries[0])


def test_errors_are_the_statements_own(shop: str) -> None:
    with rm.Database(shop) as db:
        for analyze in (False, True):
            with pytest.raises(rm.ProgrammingError, match="nope"):
                db.explain("select nope from orders", analyze=analyze)
        with pytest.raises(TypeError, match="the statement is a str or a query, not bytes"):
            db.explain(b"select 1")  # type: ignore[arg-type]
        with pytest.raises(rm.Error):
            db.explain("select 1; delete from orders", analyze=True)
        with pytest.raises(rm.Error):
            db.explain("analyze delete from orders")
        with pytest.raises(rm.Error):
            db.explain("")
        # The session, and the transaction, are as good as before.
        with db.transaction() as tx:
            with pytest.raises(rm.Error), tx.savepoint():
                tx.explain("select nope", analyze=True)
            assert tx.fetch_value("select count(*) from orders") == 20_000


def test_a_deadline_is_kept(shop: str) -> None:
    with rm.Database(shop) as db, pytest.raises(rm.QueryTimeout):
        db.explain(COUNTING.format(10**12) + " from n", analyze=True, timeout=0.3)


def test_json_and_picture_have_all_nodes(shop: str, tmp_path: Path) -> None:
    sql = "select name, count(*) from customers c join orders o on o.customer = c.id group by name order by 2"
    with rm.Database(shop) as db:
        plan = db.explain(sql, analyze=True)
    told = json.loads(plan.to_json())
    assert told["sql"] == sql
    assert told["nodes"][0]["kind"] == plan.nodes[0].kind
    count = len(list(plan.walk()))
    assert plan.to_json().count(b'"kind":') == count
    plan.save(tmp_path / "plan.html")
    page = (tmp_path / "plan.html").read_text("utf-8")
    assert page == plan.to_html()
    assert page.count('tabindex="0"') == count
    # One node is lit.
    assert page.count('class="node hot"') == 1
    assert plan.hottest in list(plan.walk())
    assert str(plan).count("▶") == 1
    check_self_contained(page)
    assert plan._repr_html_() in page


class Elements(HTMLParser):
    """Every element that was opened, and how deep it is at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_self_contained(page: str) -> None:
    found = Elements()
    found.feed(page)
    assert found.open == []
    known = "html head meta title style body div pre ul li b i span p dl dt dd footer br"
    assert found.names <= set(known.split())
    assert not any(name.startswith("on") or name in {"src", "href"} for name in found.attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "prefers-color-scheme:dark" in page
    assert "default-src 'none'" in page


def test_hostile_names_stay_names(any_url: str) -> None:
    with rm.Database(any_url) as db:
        db.execute(f"create table {QUOTED} (id integer primary key, {QUOTED} text)")
        db.execute(f'create index {QUOTED[:-1]} 2" on {QUOTED} ({QUOTED})')
        sql = (
            f"select * from {QUOTED} where {QUOTED} = '</pre><script>' order by 2, 1 -- {EVIL[:10]}"
        )
        plan = db.explain(sql, analyze=True)
    page, text = plan.to_html(), str(plan)
    check_self_contained(page)
    assert "<script" not in page
    assert html.escape("<script>alert(1)</script>") in page
    assert "\x1b" not in page + text
    assert "\\x1b[31m" in text
    assert json.loads(plan.to_json())["sql"] == sql
    if any_url.startswith("postgres"):
        assert next(node.table for node in plan.walk() if node.table) == EVIL


# PostgreSQL


def test_estimates_that_are_off_and_filters(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute("create table t (id int, g int)")
        db.execute("alter table t set (autovacuum_enabled = off)")
        db.execute("insert into t select i, 1 from generate_series(1, 50000) i")
        off = db.explain("select * from t where g = 1", analyze=True)
        assert "estimate off" in off.nodes[0].warnings[0]
        assert "! estimate off" in str(off)
        db.execute("analyze t")
        right = db.explain("select * from t where g = 1", analyze=True)
        assert right.nodes[0].warnings == ()
        few = db.explain("select * from t where id = 7", analyze=True)
        assert few.nodes[0].warnings == (
            "seq scan filtered away 99.9 % of 50k rows: an index would not read them",
        )
        assert few.nodes[0].filter == "(id = 7)"
        assert few.nodes[0].rows_removed == 49_999
        # A scan that is stopped early is not held to its estimate.
        first = db.explain("select * from t limit 5", analyze=True)
        assert [w for node in first.walk() for w in node.warnings] == []
        # Without being run nothing is known to be off.
        assert all(not node.warnings for node in db.explain("select * from t where id = 7").walk())


def test_what_spills_to_disk(pg_url: str) -> None:
    with rm.Database(pg_url) as db, db.transaction() as tx:
        tx.execute("set local work_mem = '64kB'")
        tx.execute("set local hash_mem_multiplier = 1")
        series = "select i, repeat('x', 50) as t from generate_series(1, 20000) i"
        sort = tx.explain(f"{series} order by 2, 1", analyze=True)
        assert any("sort spilled to disk" in w for node in sort.walk() for w in node.warnings)
        assert any(node.buffers and node.buffers.temp_written for node in sort.walk())
        tx.execute("set local enable_mergejoin = off")
        tx.execute("set local enable_nestloop = off")
        joined = tx.explain(
            f"select count(*) from ({series}) a join ({series}) b using (t, i)", analyze=True
        )
        assert any("by way of the disk" in w for node in joined.walk() for w in node.warnings)


def test_sub_queries_that_run_again_and_again(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute("create table t as select i from generate_series(1, 1000) i")
        plan = db.explain("select (select max(i) from t b where b.i < a.i) from t a", analyze=True)
    warnings = [warning for node in plan.walk() for warning in node.warnings]
    assert "sub-query ran 1,000 times, once for each row outside" in warnings
    assert "read the whole of t 1,000 times" in warnings
    assert plan.hottest is not None
    assert plan.hottest.kind == "Seq Scan"
    assert plan.hottest.loops == 1000
    # The own times are the whole, to what rounding of a thousand loops leaves.
    own = sum(node.own_ms or 0 for node in plan.walk())
    assert own == pytest.approx(plan.nodes[0].total_ms, rel=0.1)


def test_a_ctes_time_is_counted_once(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        sql = "with c as materialized (select i, md5(i::text) m from generate_series(1, 50000) i)"
        plan = db.explain(f"{sql} select count(*) from c where m > 'a'", analyze=True)
    own = sum(node.own_ms or 0 for node in plan.walk())
    assert own == pytest.approx(plan.nodes[0].total_ms, rel=0.1)


def test_parallel_workers_share_the_time(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute("create table t as select i from generate_series(1, 100000) i")
        with db.transaction() as tx:
            for setting in (
                "parallel_setup_cost",
                "parallel_tuple_cost",
                "min_parallel_table_scan_size",
            ):
                tx.execute(f"set local {setting} = 0")
            # Else the leader may be done before a worker has begun.
            tx.execute("set local parallel_leader_participation = off")
            tx.execute("set local max_parallel_workers_per_gather = 2")
            plan = tx.explain("select count(*) from t where i % 7 = 3", analyze=True)
    scan = next(node for node in plan.walk() if node.kind == "Seq Scan")
    assert scan.detail == "Parallel"
    assert (scan.loops or 0) > 1
    assert plan.execution_ms is not None
    assert scan.total_ms is not None
    assert scan.total_ms <= plan.execution_ms


def test_triggers_are_told(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script(SHOP)
        db.execute("insert into customers values (1, 'ada'), (2, 'bob')")
        plan = db.explain("delete from customers", analyze=True)
        assert plan.rows == 0
    ((name, calls, ms),) = plan.triggers
    assert (name, calls) == ("orders_customer_fkey", 2)
    assert ms >= 0
    assert "orders_customer_fkey: 2 calls" in str(plan)


def test_what_never_ran(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute("create table t (i int)")
        plan = db.explain("select * from (select 1 where false) x, t", analyze=True)
        plan2 = db.explain("select * from t a join t b using (i)", analyze=True)
    assert plan.rows == 0
    never = [node for node in plan2.walk() if node.loops == 0]
    assert never
    assert "never" in str(plan2)
    assert "never run" in plan2.to_html()


def test_a_plan_deeper_than_the_stack_is_one_error(pg_url: str) -> None:
    sql = "select 1 as a"
    for _ in range(1500):
        sql = f"select a from ({sql}) t limit 5"
    with rm.Database(pg_url) as db:
        with pytest.raises(rm.NotSupportedError, match="deeper than Python's stack"):
            db.explain(sql)
        shallow = "select 1 as a"
        for _ in range(220):
            shallow = f"select a from ({shallow}) t limit 5"
        deep = db.explain(shallow)
    assert "deeper than is drawn" in deep.to_html()
    assert len(str(deep).splitlines()) > 200
    check_self_contained(deep.to_html())
    assert deep.to_json().count(b'"kind":') == len(list(deep.walk()))


# SQLite


def test_sqlite_steps(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script(SHOP)
        plan = db.explain(
            "select c.name from customers c join orders o on o.customer = c.id"
            " where o.total > 5 order by c.name"
        )
        assert [(n.kind, n.table, n.index) for n in plan.nodes] == [
            ("SCAN", "o", None),
            ("SEARCH", "c", "integer primary key"),
            ("USE TEMP B-TREE FOR ORDER BY", None, None),
        ]
        assert plan.nodes[0].warnings == ("reads the whole of o",)
        assert plan.nodes[1].conditions == (("Condition", "rowid=?"),)
        assert "sorts all rows for order by" in plan.nodes[2].warnings[0]
        assert plan.hottest is plan.nodes[0]
        assert db.explain("values (1), (2)").hottest is None
        nested = db.explain(
            "select (select max(total) from orders where customer = c.id) from customers c"
        )
        assert [n.kind for n in nested.walk()] == ["SCAN", "CORRELATED SCALAR SUBQUERY 1", "SEARCH"]
        assert "again for each row" in nested.nodes[1].warnings[0]
        automatic = db.explain("select * from orders a join orders b on a.total = b.total")
        assert any("an index of b for this one" in w for n in automatic.walk() for w in n.warnings)


@pytest.mark.parametrize(
    "sql",
    [
        "pragma user_version = 7",
        "/* x */ -- y\n PRAGMA user_version = 7",
        "vacuum",
        "explain select 1",
        "",
        "attach 'x' as x",
    ],
)
def test_sqlite_has_no_plan_for_the_rest(sqlite_url: str, sql: str) -> None:
    with rm.Database(sqlite_url) as db:
        for analyze in (False, True):
            with pytest.raises(rm.InterfaceError, match="SQLite has no plan for"):
                db.explain(sql, analyze=analyze)
        assert db.fetch_value("pragma user_version") == 0


def test_sqlite_reads_are_measured_without_a_lock(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script(SHOP)
        with db.transaction() as tx:
            tx.execute("insert into customers values (1, 'ada')")
            # A writer is at work; who only reads does not wait for it.
            assert db.explain("select * from customers", analyze=True, timeout=1).rows == 0


def test_docstring_names(sqlite_url: str) -> None:
    for name in ("Plan", "PlanNode", "PlanBuffers"):
        assert re.match(r"[A-Z]", getattr(rm, name).__doc__)
