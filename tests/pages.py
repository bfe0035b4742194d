"""Pages of docs/ whose Python runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"


def text(page: str) -> str:
    """The page."""
    return (DOCS / page).read_text("utf-8")


def blocks(page: str) -> list[str]:
    """Its blocks of Python, in order."""
    return re.findall(r"^```python\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL)


def run(page: str) -> dict[str, Any]:
    """The names that its blocks leave, which run one after the other."""
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(blocks(page), 1):
        exec(compile(block, f"docs/{page}, block {number}", "exec", dont_inherit=True), names)
    return names
