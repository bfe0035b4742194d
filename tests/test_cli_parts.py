"""What the words of the command line mean, and how single values are shown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from rowmill._cli_params import UsageError, parameters, value
from rowmill._cli_passwords import without_passwords
from rowmill._cli_table import fitted
from rowmill._cli_text import cut, text
from rowmill._cli_write import format_of


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("007", "007"),
        ("2.5", 2.5),
        ("-1e3", -1000.0),
        ("1.", "1."),
        ("nan", "nan"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("", ""),
        ("٣", "٣"),
        ("text:5", "5"),
        ("text:", ""),
        ("text:text:5", "text:5"),
        ("other:5", "other:5"),
        ("decimal:9.90", Decimal("9.90")),
        ("date:2026-01-31", date(2026, 1, 31)),
        ("timestamp:2026-01-31T10:00+00:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("uuid:00000000-0000-0000-0000-000000000001", UUID(int=1)),
    ],
)
def test_a_word_becomes_a_value_of_its_type(word: str, meant: object) -> None:
    got = value(word)
    assert got == meant
    assert type(got) is type(meant)


def test_parameters_are_positional_or_named() -> None:
    assert parameters(["1", "text:a=b"]) == ([1, "a=b"], {})
    assert parameters(["id=1", "q=x=y"]) == ([], {"id": 1, "q": "x=y"})
    with pytest.raises(UsageError, match="either all positional"):
        parameters(["1", "id=1"])
    with pytest.raises(UsageError, match="given twice"):
        parameters(["id=1", "id=2"])
    with pytest.raises(UsageError, match="'soon' is not a date"):
        parameters(["date:soon"])


def test_text_of_values() -> None:
    assert text(True) == "true"
    assert text(b"\x00\xff") == "\\x00ff"
    assert text([1, None, ["a", Decimal("1.0")]]) == '[1, null, ["a", "1.0"]]'


def test_cut_and_fit_count_cells() -> None:
    assert cut("日本語", 4, "…") == "日…"
    assert cut("abc", 3, "…") == "abc"
    assert sum(fitted([10, 200, 40], 60)) + 3 * 3 - 1 <= 60
    assert fitted([3, 4], 60) == [3, 4]
    assert len(fitted([9] * 50, 60)) < 50


def test_passwords_are_replaced() -> None:
    url = "postgresql://ada:p%40ss@host/db?password=other"
    hidden = without_passwords(f"cannot reach {url}: p@ss, other", url)
    assert "p%40ss" not in hidden
    assert "p@ss" not in hidden
    assert "other" not in hidden
    unescaped = "postgresql://ada:p/s@s#w?rd@host/db"
    assert without_passwords(f"cannot read {unescaped}", unescaped).endswith("ada:***@host/db")
    assert without_passwords("relation a", "postgresql://u:a@h/d") == "relation a"


def test_a_file_of_no_known_format_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\.xlsx.*\.csv"):
        format_of(None, "out.xlsx")
    assert format_of(None, "out.txt") == "table"
    assert format_of("csv", "out.xlsx") == "csv"
