"""docs/queries.md runs as it stands, on both databases."""

from __future__ import annotations

import re

import pytest

from tests.pages import blocks, run, text

PAGE = "queries.md"
(PRINTED,) = re.findall(r"^prints$\n\n^```\n(.*?)^```$", text(PAGE), re.DOTALL | re.MULTILINE)


def test_the_tour(
    any_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", any_url)
    names = run(PAGE)
    names["db"].close()
    assert capsys.readouterr().out.rstrip() == PRINTED.rstrip()


def test_the_blocks_were_found() -> None:
    assert len(blocks(PAGE)) > 8
