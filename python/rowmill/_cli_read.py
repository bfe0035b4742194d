"""The rows of Parquet, Arrow and CSV files, a part at a time, which PyArrow reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rowmill as rm
from rowmill._cli_arrow import on_a_line, pyarrow
from rowmill._cli_create import DECIMAL
from rowmill._cli_failures import CopyError

# Bytes of CSV parsed at a time; no record can be longer. PyArrow reads 32 of them ahead.
BLOCK = 1 << 20
# Bytes of a Parquet column read at a time.
BUFFER = 1 << 20
MODULES = {"csv": "pyarrow.csv", "arrow": "pyarrow.ipc", "parquet": "pyarrow.parquet"}
CELL = re.compile(r"In CSV column #(\d+): Row #(\d+): ")


def frames(
    kind: str, path: str, kinds: Mapping[str, str], rows: int
) -> Generator[rm.Frame, None, None]:
    """The rows of a file, at most `rows` in a frame; one without rows where there are none.

    `kinds` are the types of the columns of the table they go to, by which CSV is read.
    """
    pa = pyarrow(MODULES[kind], f"reading {kind}")
    with errors(pa, path):
        batches = csv_batches(pa, path, kinds) if kind == "csv" else BATCHES[kind](pa, path, rows)
        for batch in batches:
            # A file of Arrow may be a single batch.
            for at in range(0, max(batch.num_rows, 1), rows):
                yield rm.Frame(batch.slice(at, rows))


@contextmanager
def errors(pa: Any, path: str) -> Iterator[None]:
    """Says which file it was that could not be read."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        raise CopyError(f"cannot read {path}: {on_a_line(error)}") from None


def parquet_batches(pa: Any, path: str, rows: int) -> Iterator[Any]:
    """Row groups are read as they are reached, and columns of them in small pieces."""
    with pa.parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
        yield from file.iter_batches(rows, use_threads=False)
        if file.metadata.num_rows == 0:
            yield file.schema_arrow.empty_table()


def arrow_batches(pa: Any, path: str, _rows: int) -> Iterator[Any]:
    """Both formats of Arrow IPC, whatever the file is called."""
    with Path(path).open("rb") as file:
        is_file = file.read(6) == b"ARROW1"
    # Not mapped: pages of a map would count as memory of this process.
    with pa.OSFile(path) as file:
        reader = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)
        some = False
        for batch in map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader:
            some = True
            yield batch
        if not some:
            yield reader.schema.empty_table()


def csv_batches(pa: Any, path: str, kinds: Mapping[str, str]) -> Iterator[Any]:
    """CSV with a header; nothing between two commas is NULL, `""` is an empty text.

    PyArrow reads what it reads exactly in the type of the table's column; all else is text, so that
    007 stays 007.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    types = {name: arrow_type(pa, kinds.get(name, "text")) for name in header}
    options = pa.csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["true", "True", "TRUE", "t", "1"],
        false_values=["false", "False", "FALSE", "f", "0"],
    )
    reading = pa.csv.ReadOptions(use_threads=False, block_size=BLOCK)
    # The NULL of a file with one column is an empty line.
    parsing = pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(header) != 1)
    try:
        with pa.csv.open_csv(path, reading, parsing, options) as reader:
            some = False
            for batch in reader:
                some = True
                yield batch
            if not some:
                yield reader.schema.empty_table()
    except pa.ArrowInvalid as error:
        raise CopyError(f"{path}: {csv_error(on_a_line(error), header)}") from None


def csv_error(message: str, header: list[str]) -> str:
    """PyArrow's words, with the column by its name and the way out of what it does not know."""
    if "straddling" in message:
        return f"a record is longer than {BLOCK:,} bytes (take Parquet), or a quote is not closed"
    # Its advice on zones is for those who call it.
    said = message.partition(". If these timestamps")[0]
    # PyArrow counts the header as row 1; Rowmill calls the first row of values 0.
    return CELL.sub(lambda m: f"column {header[int(m[1])]!r}, row {int(m[2]) - 2}: ", said)


def arrow_type(pa: Any, kind: str) -> Any:
    """The type PyArrow reads CSV as, for a column of Rowmill's type."""
    known = {
        "bool": pa.bool_(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "timestamp[utc]": pa.timestamp("us", tz="UTC"),
    }
    if kind in known:
        return known[kind]
    if re.fullmatch(r"u?int(8|16|32|64)|float(32|64)", kind):
        return getattr(pa, kind)()
    # What a numeric column without declared digits shows is no bound for it.
    if (match := DECIMAL.fullmatch(kind)) and int(match[1]) < 38:
        return pa.decimal128(int(match[1]), int(match[2]))
    return pa.large_string()


BATCHES = {"parquet": parquet_batches, "arrow": arrow_batches}
