"""docs/frames.md runs as it stands."""

from __future__ import annotations

from tests.pages import blocks, run

PAGE = "frames.md"


def test_the_page_runs() -> None:
    assert len(blocks(PAGE)) >= 4
    names = run(PAGE)
    assert len(names["found"]) == 3
