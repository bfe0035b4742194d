"""Records of 25 fields (nine datetimes, five ints, two floats, two bools, three texts, four lists) in bytes each.

`job.keys` is how many become columns. What a library has no way to do is left out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import pickle as pickle_
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.measure import Job, Measure
from bench.peers.filters import median

TYPES: dict[str, Any] = {
    **{f"at_{at}": dt.datetime for at in range(9)},
    **{f"int_{at}": int for at in range(5)},
    **{f"float_{at}": float for at in range(2)},
    **{f"bool_{at}": bool for at in range(2)},
    **{f"text_{at}": str for at in range(3)},
    **{f"ints_{at}": list[int] for at in range(2)},
    **{f"texts_{at}": list[str] for at in range(2)},
}
THREE = ("int_0", "float_1", "text_2")
FIXED = [name for name, kind in TYPES.items() if kind in (dt.datetime, int, float, bool)]


def values(row: int) -> dict[str, Any]:
    """The fields of a record."""
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    made: dict[type, Callable[[int], Any]] = {
        dt.datetime: lambda at: start + dt.timedelta(days=at, seconds=row, microseconds=at),
        int: lambda at: row * 10 + at,
        float: lambda at: row / (at + 3),
        bool: lambda at: (row + at) % 2 == 0,
        str: lambda at: f"the text {at} of {row}",
        list[int]: lambda at: [row, at, row + at],
        list[str]: lambda at: ["one", f"label {row % 50}", "x" * at],
    }
    return {name: made[kind](int(name[-1])) for name, kind in TYPES.items()}


def measured(
    job: Job,
    build: Callable[[dict[str, Any]], bytes],
    opened: Callable[[bytes], Any],
    three: Callable[[bytes], Any],
    columns: Callable[[list[bytes], list[str]], Any],
) -> Measure:
    """What each step takes, the columns once: they take long enough."""
    m = Measure()
    with m:
        one = values(1)
        blob = build(one)
        m.extra["bytes"] = len(blob)
        m.extra["build_us"] = median(lambda: build(one)) * 1e6
        m.extra["open_us"] = median(lambda: opened(blob)) * 1e6
        m.extra["three_us"] = median(lambda: three(blob)) * 1e6
        blobs = [build(values(row)) for row in range(job.keys)]
        for name, wanted in (("fixed_ms", FIXED), ("all_ms", list(TYPES))):
            columns(blobs, wanted)
            began = time.perf_counter()
            found = columns(blobs, wanted)
            m.extra[name] = (time.perf_counter() - began) * 1e3
            if len(found) != job.keys:
                raise AssertionError(f"{len(found)} rows of {job.keys}")
    m.extra |= dict.fromkeys(("wall", "cpu", "rss_mb", "rows"))  # of no meaning here
    return m


def frame(rows: Iterator[Any], wanted: list[str], read: Callable[[Any, str], Any]) -> Any:
    """A frame of decoded records, as one makes it without help: by way of lists."""
    import polars as pl

    decoded = list(rows)
    return pl.DataFrame({name: [read(row, name) for row in decoded] for name in wanted})


def rowmill(job: Job) -> Measure:
    """`rm.packed`."""
    import rowmill as rm

    body = {"__annotations__": TYPES, "__module__": __name__}
    cls: Any = rm.packed(type("Facts", (), body))

    def three(blob: bytes) -> tuple[Any, ...]:
        record = cls.open(blob)
        return record.int_0, record.float_1, record.text_2

    return measured(
        job,
        lambda fields: bytes(cls(**fields)),
        cls.open,
        three,
        lambda blobs, wanted: rm.Frame.from_packed(blobs, cls, columns=wanted),
    )


def msgspec(job: Job) -> Measure:
    """A `Struct` as an array of MessagePack, all of it decoded at once."""
    import msgspec as ms

    cls = ms.defstruct("Facts", list(TYPES.items()), array_like=True)
    encode = ms.msgpack.Encoder().encode
    decode = ms.msgpack.Decoder(cls).decode

    def three(blob: bytes) -> tuple[Any, ...]:
        record: Any = decode(blob)
        return record.int_0, record.float_1, record.text_2

    return measured(
        job,
        lambda fields: encode(cls(**fields)),
        decode,
        three,
        lambda blobs, wanted: frame(map(decode, blobs), wanted, getattr),
    )


def pickle(job: Job) -> Measure:
    """A dataclass with slots, pickled."""
    global Facts
    Facts = dataclasses.make_dataclass("Facts", list(TYPES.items()), slots=True)
    Facts.__module__, Facts.__qualname__ = __name__, "Facts"

    def three(blob: bytes) -> tuple[Any, ...]:
        record = pickle_.loads(blob)
        return record.int_0, record.float_1, record.text_2

    return measured(
        job,
        lambda fields: pickle_.dumps(Facts(**fields), 5),
        pickle_.loads,
        three,
        lambda blobs, wanted: frame(map(pickle_.loads, blobs), wanted, getattr),
    )


Facts: Any = None


def dictionary(job: Job) -> Measure:
    """A dict, pickled."""

    def three(blob: bytes) -> tuple[Any, ...]:
        record = pickle_.loads(blob)
        return tuple(record[name] for name in THREE)

    return measured(
        job,
        lambda fields: pickle_.dumps(dict(**fields), 5),
        pickle_.loads,
        three,
        lambda blobs, wanted: frame(map(pickle_.loads, blobs), wanted, dict.__getitem__),
    )
