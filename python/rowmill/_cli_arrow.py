"""The binary formats, Arrow IPC and Parquet, which PyArrow writes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rowmill._cli_output import Output, OutputError

if TYPE_CHECKING:
    import rowmill as rm


class Arrow:
    """Arrow IPC: the file format, or the stream format where the reader cannot seek."""

    name = "Arrow"
    other = "another --format"
    _writer: Any = None

    def __init__(self, out: Output, *, stream: bool) -> None:
        self._pa = pyarrow("pyarrow.ipc", "arrow output")
        self._out = out
        self._open = self._pa.ipc.new_stream if stream else self._pa.ipc.new_file

    def write(self, frame: rm.Frame) -> None:
        """One or more record batches."""
        try:
            table = frame.to_arrow()
            if self._writer is None:
                self._schema = table.schema
                self._writer = self._open(self._out, self._schema)
            self._writer.write_table(conformed(table, self._schema))
        except self._pa.ArrowException as error:
            raise OutputError(self._refusal(error, frame)) from None

    def finish(self, rows: int, more: bool) -> None:
        """The end of the stream, and the footer of a file."""
        if self._writer is None:
            return
        try:
            self._writer.close()
        except self._pa.ArrowException as error:
            raise OutputError(f"{self.name} output failed: {on_a_line(error)}") from None

    def _refusal(self, error: Exception, frame: rm.Frame) -> str:
        """What PyArrow refused, and the way out."""
        names, kinds = frame.columns, frame.schema.types
        found = self._alone(frame)
        if not found and "ictionary" in str(error):
            # An Arrow file holds one set of labels, and a later part of the result has others.
            found = [at for at, kind in enumerate(kinds) if kind == "enum"]
        if not found:
            return f"{self.name} output failed: {on_a_line(error)}"
        columns = " or ".join(f"column {names[at]!r} ({kinds[at]})" for at in found)
        return (
            f"{self.name} cannot hold {columns}: {on_a_line(error)};"
            f" cast it in the query, as in cast(x as text), or use {self.other}"
        )

    def _alone(self, frame: rm.Frame) -> list[int]:
        """The first column that cannot be written even alone, where there is one."""
        for at in range(frame.shape[1]):
            try:
                table = self._pa.table([self._pa.array(frame._column(at))], ["column"])
                with self._open(self._pa.MockOutputStream(), table.schema) as alone:
                    alone.write_table(table)
            except self._pa.ArrowException:
                return [at]
        return []


class Parquet(Arrow):
    """Parquet, compressed with zstd; a row group for each frame."""

    name = "Parquet"
    other = "--format arrow"

    def __init__(self, out: Output) -> None:
        self._pa = pyarrow("pyarrow.parquet", "parquet output")
        self._out = out
        self._open = self._create

    def _create(self, out: Any, schema: Any) -> Any:
        return self._pa.parquet.ParquetWriter(out, schema, compression="zstd")

    def __del__(self) -> None:
        # A writer that was not finished would write its footer to a file that is gone.
        if self._writer is not None:
            self._writer.is_open = False


def conformed(table: Any, schema: Any) -> Any:
    """The table in the first frame's schema, as a file has but one.

    Later rows can need another: a numeric column without declared digits shows its own as it goes.
    """
    if table.schema == schema:
        return table
    try:
        return table.cast(schema)
    except (ValueError, NotImplementedError) as error:
        raise OutputError(
            "a later row does not fit the columns of the first rows"
            f" ({on_a_line(error)}); give the column a type in the SQL, as in cast(x as numeric(20, 6))"
        ) from None


def on_a_line(error: Exception) -> str:
    """The error's words, with no line break and no full stop."""
    return " ".join(str(error).split()).rstrip(".")


def pyarrow(module: str, what: str) -> Any:
    """The pyarrow package with one of its modules loaded."""
    try:
        importlib.import_module(module)
        return importlib.import_module("pyarrow")
    except ImportError:
        raise OutputError(f"{what} needs pyarrow: pip install 'rowmill[arrow]'") from None
