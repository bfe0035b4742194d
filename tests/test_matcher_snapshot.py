"""A matcher that is saved and loaded is the one that it was, or the error says what the bytes are."""

from __future__ import annotations

import datetime
import multiprocessing
import threading
import uuid
from decimal import Decimal
from pathlib import Path

import pytest

import rowmill as rm

ATTRIBUTES = {"country": str, "age": int, "topics": list[str]}


def campaigns() -> rm.Matcher[str]:
    matcher: rm.Matcher[str] = rm.Matcher(ATTRIBUTES)
    old, here = rm.col("age") >= 18, rm.col("country").in_(["DE", "FR"])
    pairs = [(f"campaign-{at}", rm.col("age") > at) for at in range(100)]
    matcher.insert_many(pairs)
    matcher.insert("adults", old)
    matcher.insert("here", old & here, priority=2.5)
    matcher.insert("Zoë\n", rm.col("topics").overlaps(["sport"]) | here)
    matcher.remove("campaign-7")
    return matcher


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    matcher, path = campaigns(), tmp_path / "campaigns.snapshot"
    matcher.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["campaigns.snapshot"]
    loaded: list[rm.Matcher[str]] = [
        rm.Matcher.load(path),
        rm.Matcher.load(str(path)),
        rm.Matcher.from_bytes(path.read_bytes()),
    ]
    for again in loaded:
        assert sorted(again) == sorted(matcher)
        assert again.schema == matcher.schema
        for record in ({"age": 30, "country": "DE"}, {"age": 3, "topics": ["sport"]}, {}):
            assert sorted(again.match(record)) == sorted(matcher.match(record))
        assert [id for id, _ in again.top({"age": 30, "country": "DE"}, 1)] == ["here"]
        assert str(again["adults"]) == str(matcher["adults"])
        reasons = again.explain("here", {"age": 20})
        assert [reason.truth for reason in reasons] == [None, True, None]
        assert "campaign-7" not in again
    assert matcher.to_bytes() == path.read_bytes()


def test_what_is_loaded_changes_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.snapshot"
    campaigns().save(path)
    matcher: rm.Matcher[str] = rm.Matcher.load(path)
    with pytest.raises(rm.ProgrammingError, match="'adults' already"):
        matcher.insert("adults", rm.lit(True))
    with pytest.raises(TypeError, match="ids of this matcher are str"):
        matcher.insert(7, rm.lit(True))  # type: ignore[arg-type]
    matcher.insert("campaign-7", rm.col("age") > 7)
    matcher.replace("adults", rm.col("age") >= 21)
    matcher.remove("here")
    for at in range(200):
        matcher.insert(f"late-{at}", rm.col("age") == at)
    matcher.settle()
    assert matcher.stats()["conditions"] == len(matcher)
    found = matcher.match({"age": 20})
    assert "campaign-7" in found
    assert "adults" not in found
    assert "late-20" in found
    # Over the file that is mapped.
    before: rm.Matcher[str] = rm.Matcher.load(path)
    matcher.save(path)
    after: rm.Matcher[str] = rm.Matcher.load(path)
    assert str(before["here"])
    assert "here" not in after
    assert sorted(after.match({"age": 20})) == sorted(found)


def test_ids_that_are_int_and_none_at_all() -> None:
    matcher: rm.Matcher[int] = rm.Matcher(ATTRIBUTES)
    assert len(rm.Matcher.from_bytes(matcher.to_bytes())) == 0
    matcher.insert(-(2**63), rm.col("age") > 1)
    matcher.insert_many([(2**63 - 1, rm.col("age") > 2)])
    again: rm.Matcher[int] = rm.Matcher.from_bytes(matcher.to_bytes())
    assert sorted(again.match({"age": 9})) == [-(2**63), 2**63 - 1]


def test_the_options_are_those_that_it_had() -> None:
    declared = {
        "a": int,
        "text": str,
        "price": Decimal,
        "day": datetime.date,
        "at": datetime.datetime,
        "key": uuid.UUID,
        "data": dict,
        "many": list[int],
        "none": int,
    }
    defaults = {
        "text": "XX",
        "price": Decimal("1.50"),
        "day": datetime.date(2024, 2, 29),
        "at": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
        "key": uuid.UUID(int=7),
        "data": {"a": [1]},
        "many": [1, 2],
        "none": None,
    }
    matcher: rm.Matcher[int] = rm.Matcher(
        declared, defaults=defaults, unknown="ignore", errors="skip"
    )
    for at, (name, value) in enumerate(defaults.items()):
        if name in {"text", "price", "day", "at", "key"}:
            matcher.insert(at, rm.col(name) == value)
    matcher.insert(10, rm.col("many").contains(2) & (rm.col("data")["a"].is_not_null()))
    matcher.insert(11, rm.col("a") * 2 > 0)
    expected = [0, 1, 2, 3, 4, 10]
    again: rm.Matcher[int] = rm.Matcher.from_bytes(matcher.to_bytes())
    for one in (matcher, again, rm.Matcher.from_bytes(again.to_bytes())):
        assert sorted(one.match({"other": 1, "a": 2**62})) == expected
    strict = rm.Matcher.from_bytes(rm.Matcher(declared).to_bytes())
    with pytest.raises(rm.ProgrammingError, match="other"):
        strict.match({"other": 1})


def test_what_is_no_snapshot_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.snapshot"
    with pytest.raises(FileNotFoundError, match=r"campaigns\.snapshot"):
        rm.Matcher.load(path)
    data = campaigns().to_bytes()
    newer = data[:8] + bytes([9]) + data[9:]
    middle = len(data) // 2
    changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    for wrong, message in (
        (b"", "is no snapshot of a matcher"),
        (b"PK\3\4" * 100, "is no snapshot of a matcher"),
        (data[:-9], "cut short"),
        (data[:20], "cut short"),
        (newer, "format 9, and this version of Rowmill reads 1"),
        (changed, "its checksum is that of other bytes"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(rm.DataError, match=rf"campaigns\.snapshot: .*{message}"):
            rm.Matcher.load(path)
        with pytest.raises(rm.DataError, match=message):
            rm.Matcher.from_bytes(wrong)


def test_a_file_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    matcher, path = campaigns(), tmp_path / "campaigns.snapshot"
    with pytest.raises(FileNotFoundError):
        matcher.save(tmp_path / "nowhere" / "campaigns.snapshot")
    path.mkdir()
    with pytest.raises(OSError, match=r"campaigns\.snapshot"):
        matcher.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["campaigns.snapshot"]
    path.rmdir()
    path.write_bytes(b"before")
    deep = rm.col("age") > 1
    for _ in range(200):
        deep = ~deep
    matcher.insert("deep", deep)
    with pytest.raises(rm.ProgrammingError, match="nested deeper than 100 levels"):
        matcher.save(path)
    assert path.read_bytes() == b"before"


def test_it_is_saved_as_it_was_at_one_moment(tmp_path: Path) -> None:
    matcher: rm.Matcher[str] = rm.Matcher(ATTRIBUTES)
    done = threading.Event()

    def change() -> None:
        at = 0
        while not done.is_set():
            matcher.insert(f"{at}", rm.col("age") > at % 90)
            if at >= 300:
                matcher.remove(f"{at - 300}")
            at += 1

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for at in range(20):
            path = tmp_path / f"{at % 3}.snapshot"
            matcher.save(path)
            again: rm.Matcher[str] = rm.Matcher.load(path)
            # They come and go in order.
            numbers = sorted(int(one) for one in again)
            assert numbers == [numbers[0] + next for next in range(len(numbers))]
            assert len(again.match({"age": 100})) == len(again)
    finally:
        done.set()
        writer.join()


def matched(path: str, record: dict[str, object]) -> list[str]:
    matcher: rm.Matcher[str] = rm.Matcher.load(path)
    return sorted(matcher.match(record))


def test_other_processes_load_the_same_file(tmp_path: Path) -> None:
    matcher, path = campaigns(), tmp_path / "campaigns.snapshot"
    matcher.save(path)
    record = {"age": 30, "country": "FR"}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(matched, [(str(path), record)] * 4)
    assert found == [sorted(matcher.match(record))] * 4
