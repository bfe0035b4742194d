"""docs/frames.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parent.parent / "docs" / "frames.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs() -> None:
    assert len(BLOCKS) >= 4
    names: dict[str, Any] = {}
    for number, block in enumerate(BLOCKS, 1):
        exec(compile(block, f"docs/frames.md, block {number}", "exec", dont_inherit=True), names)
    assert len(names["found"]) == 3
