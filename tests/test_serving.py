"""docs/serving.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import rowmill as rm

PAGE = (Path(__file__).parent.parent / "docs" / "serving.md").read_text("utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
VALUES = re.findall(r"^\| `(.*)` \| `(.*)` \|$", PAGE.split("<!-- json -->")[1], re.MULTILINE)
TABLE = """
    create table orders (id integer primary key {}, customer text not null, total real check (total > 0));
    insert into orders (customer, total) values ('ada', 120), ('bob', 80.5)
"""


async def test_the_application(any_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    is_sqlite = any_url.startswith("sqlite")
    with rm.Database(any_url) as db:
        db.execute_script(TABLE.format("" if is_sqlite else "generated always as identity"))
    monkeypatch.setenv("DATABASE_URL", any_url)
    names: dict[str, Any] = {"__name__": "serving"}
    exec(compile(PROGRAM, "docs/serving.md", "exec", dont_inherit=True), names)
    app = names["app"]
    transport = httpx.ASGITransport(app)
    with anyio.fail_after(30):
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
        ):
            answer = await client.get("/orders", params={"floor": 100})
            assert answer.json() == [{"id": 1, "customer": "ada", "total": 120.0}]
            assert answer.headers["content-type"] == "application/json"
            made = await client.post("/orders", params={"customer": "eve", "total": 5})
            assert (made.status_code, made.json()) == (201, {"id": 3})
            lines = await client.get("/orders.ndjson")
            assert [line.count('"customer"') for line in lines.text.splitlines()] == [1, 1, 1]
            refused = await client.post("/orders", params={"customer": "eve", "total": -1})
            assert refused.status_code == 409


@pytest.mark.parametrize(("value", "json"), VALUES)
def test_values_in_json(pg_url: str, value: str, json: str) -> None:
    with rm.Database(pg_url) as db:
        assert db.fetch_json(f"select {value} as v").decode() == f'[{{"v":{json}}}]'


def test_the_table_was_found() -> None:
    assert len(VALUES) > 10
