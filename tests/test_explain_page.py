"""The picture of a plan as a browser shows it: on a desk and on a phone, by day and by night."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

import rowmill as rm
from tests.browser import chromium

SIZES = {"desk": (1280, 800), "phone": (360, 740)}
SQL = """
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
    select a.i, count(*) from n a join n b on b.i = a.i join (select i % 7 as k from n group by 1) c on c.k = a.i % 7
    where a.i in (select i from n where i > 5) and a.i <> 12345678901234567890 group by a.i order by 2, 1 limit 5
"""
# Of each card: whether it is the lit one, its colours, and whether what Tab opens of it stays on the screen.
CARDS = """() => [...document.querySelectorAll('.node')].map(card => {
    const {backgroundColor: paper, color: ink, boxShadow: glow} = getComputedStyle(card);
    card.focus();
    const details = card.querySelector('dl');
    const {left, right} = details.getBoundingClientRect();
    const opened = getComputedStyle(details).display;
    const {width} = card.getBoundingClientRect();
    return {hot: card.classList.contains('hot'), paper, ink, glow, opened, left, right, width};
})"""
SIDEWAYS = """() => [document.scrollingElement, document.querySelector('.rowmill-plan')]
    .map(one => one.scrollWidth - one.clientWidth)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def picture(any_url: str, tmp_path: Path) -> Path:
    with rm.Database(any_url) as db:
        db.explain(SQL, analyze=True).save(tmp_path / "plan.html")
    return tmp_path / "plan.html"


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_plan_is_seen_whole(
    browser: Browser, picture: Path, size: str, scheme: Literal["light", "dark"]
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        is_mobile=size == "phone",
    )
    told: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(picture.as_uri())

    assert page.evaluate("innerWidth") == width
    assert page.evaluate(SIDEWAYS) == [0, 0]
    cards: list[dict[str, Any]] = page.evaluate(CARDS)
    assert len(cards) > 5
    [hot] = [card for card in cards if card["hot"]]
    [plain] = {(card["paper"], card["glow"]) for card in cards if not card["hot"]}
    assert hot["paper"] != plain[0]
    assert hot["glow"] != plain[1] == "none"
    night = page.evaluate(
        "getComputedStyle(document.querySelector('.rowmill-plan')).backgroundColor"
    )
    assert (_luminance(night) < 0.05) is (scheme == "dark")
    for card in cards:
        assert _contrast(card["ink"], card["paper"]) > 7
        assert card["opened"] == "grid"
        assert card["left"] >= 0
        assert card["right"] <= width
        assert card["width"] >= 150
    assert page.evaluate(SIDEWAYS) == [0, 0]
    assert told == []
    context.close()
