"""The README's Python runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_there_is_an_example() -> None:
    assert BLOCKS


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_runs_and_runs_again(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # its database file goes there
    monkeypatch.delenv("DATABASE_URL", raising=False)
    code = compile(BLOCKS[number], f"README.md, block {number + 1}", "exec")
    exec(code, {"__name__": "readme"})
    first = capsys.readouterr().out
    exec(code, {"__name__": "readme"})
    assert capsys.readouterr().out == first


def test_the_first_example_runs_on_postgres(pg_url: str) -> None:
    program = BLOCKS[0].replace("sqlite:///shop.db", pg_url)
    assert program != BLOCKS[0]
    exec(compile(program, "README.md, block 1", "exec"), {"__name__": "readme"})
