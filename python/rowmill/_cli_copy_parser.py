"""The words of `rowmill copy`."""

from __future__ import annotations

import argparse

from rowmill._cli_numbers import BATCH_ROWS, positive

COPY = """\
Copy a table, the result of a query or a file into a table or a file. All rows arrive or
none; a copy of any size needs the memory of a few batches.
"""

COPY_MORE = """\
SRC and DST
  a database: postgresql://user@host:5432/db, sqlite:///file.db or the path of an SQLite file
  (postgresql:// takes all it does not say from PGHOST, PGUSER ...), or a file by its suffix:
  .parquet .arrow .arrows .feather .csv, and as DST also .ndjson .jsonl .json
  Files need pyarrow, but to write CSV or JSON.

types
  --create takes the types from the source. What the database has no type for becomes text:
  in SQLite decimals (it would keep them as floats) and intervals; lists become JSON there.
  Text that goes into a column of another type is read as that type, or is an error that
  names column and row (counted from 0). CSV has no types: it is read as the table's, and as
  text where there is no table yet.

examples
  rowmill copy shop.db postgresql:///shop --table orders --create
  rowmill copy postgresql:///shop orders.parquet --query "select * from orders where total > $1" \\
      --param 100
  rowmill copy orders.csv shop.db --into orders --on-conflict update --key id

exit status
  0 done
  1 the statement, a database, a value or the output failed
  2 wrong usage: an option, a URL, a file that is to be read and is not there
  130 interrupted: nothing was copied (with --commit-each what was committed stays)
"""


def copy_parser() -> argparse.ArgumentParser:
    """The parser of `rowmill copy`."""
    parser = argparse.ArgumentParser(
        prog="rowmill copy",
        usage="rowmill copy SRC DST [--table NAME | --query SQL] [--into TABLE] [--create] ...",
        description=COPY,
        epilog=COPY_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("source", metavar="SRC", help="where the rows are: see below")
    parser.add_argument("destination", metavar="DST", help="where they go")
    add = parser.add_argument_group("from a database").add_argument
    add("-t", "--table", metavar="NAME", help="the table to copy: NAME or SCHEMA.NAME")
    add(
        "-q",
        "--query",
        metavar="SQL",
        help="or a query's result; - reads it from standard input, @FILE a file",
    )
    add("-p", "--param", action="append", default=[], metavar="VALUE", help="as for rowmill query")
    add = parser.add_argument_group("into a database").add_argument
    add("-i", "--into", metavar="TABLE", help="the table to fill (default: the one of --table)")
    add(
        "--create",
        action="store_true",
        help="make the table if it is not there; --key becomes its primary key",
    )
    add("--replace", action="store_true", help="empty the table first, in the same transaction")
    add(
        "--on-conflict",
        choices=("nothing", "update"),
        help="leave a row out whose key is there, or update that row (default: an error)",
    )
    add(
        "--key",
        type=names,
        default=[],
        metavar="A,B",
        help="the columns of the key (default: the primary key)",
    )
    add(
        "--commit-each",
        type=positive,
        metavar="N",
        help="commit after each N rows: what was committed stays if a later row fails",
    )
    parser.add_argument(
        "--batch-rows",
        type=positive,
        default=BATCH_ROWS,
        metavar="N",
        help="rows held in memory at a time (default: %(default)s)",
    )
    return parser


def names(word: str) -> list[str]:
    """Names with commas between."""
    found = [name.strip() for name in word.split(",")]
    if not all(found):
        raise ValueError
    return found
