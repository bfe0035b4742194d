"""docs/graphs.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parent.parent / "docs" / "graphs.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs() -> None:
    assert len(BLOCKS) >= 5
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(BLOCKS, 1):
        exec(compile(block, f"docs/graphs.md, block {number}", "exec", dont_inherit=True), names)
    assert len(names["dag"]) == 6
    assert len(names["commits"]) == 3
