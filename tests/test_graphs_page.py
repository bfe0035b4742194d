"""docs/graphs.md runs as it stands."""

from __future__ import annotations

from tests.pages import blocks, run

PAGE = "graphs.md"


def test_the_page_runs() -> None:
    assert len(blocks(PAGE)) >= 5
    names = run(PAGE)
    assert len(names["dag"]) == 6
    assert len(names["commits"]) == 3
