"""docs/packed.md runs as it stands."""

from __future__ import annotations

from tests.pages import blocks, run

PAGE = "packed.md"


def test_the_page_runs() -> None:
    assert len(blocks(PAGE)) >= 5
    names = run(PAGE)
    assert names["Facts"].open(names["stored"]).language == "en"
