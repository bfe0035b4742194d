"""docs/queries.md runs as it stands, on both databases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "queries.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(PRINTED,) = re.findall(r"^prints$\n\n^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_tour(
    any_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", any_url)
    names: dict[str, Any] = {"__name__": "queries"}
    for number, block in enumerate(BLOCKS, 1):
        exec(compile(block, f"docs/queries.md, block {number}", "exec", dont_inherit=True), names)
    names["db"].close()
    assert capsys.readouterr().out.rstrip() == PRINTED.rstrip()


def test_the_blocks_were_found() -> None:
    assert len(BLOCKS) > 8
