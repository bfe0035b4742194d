"""The command line and the terminal: widths, progress, Ctrl-C, a reader that goes away."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import sqlite3
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.cli import COMMAND, COUNTING, environment

SQLITE = "sqlite://"


def on_a_terminal(*words: str, columns: int = 60, **more: str) -> str:
    """Run the command on a terminal of its own and return what it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [*COMMAND, *words], stdout=theirs, stderr=theirs, env=environment(**more)
    ) as process:
        os.close(theirs)
        drawn = bytearray()
        try:
            while part := os.read(ours, 65_536):
                drawn += part
        except OSError:
            pass  # how Linux says that the other end is closed
        os.close(ours)
        assert process.wait(60) == 0, drawn
    return drawn.decode()


def test_table_fits_the_terminal() -> None:
    sql = f"select 1 as a, '{'long ' * 40}' as b, null as c"
    drawn = on_a_terminal("query", SQLITE, sql, NO_COLOR="1")
    assert "\x1b" not in drawn
    assert "…" in drawn
    assert max(map(len, drawn.split("\r\n"))) <= 60
    assert "\x1b[2mNULL\x1b[0m" in on_a_terminal("query", SQLITE, sql)


def test_a_report_fits_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table a (id integer primary key)")
        connection.execute(f"create table b{'long' * 20} (a integer references a)")
    connection.close()
    drawn = on_a_terminal("doctor", str(path), NO_COLOR="1")
    lines = drawn.split("\r\n")
    assert "\x1b" not in drawn
    # What is to be copied stays in one piece, and what is said of the file has its whole name.
    prose = [line for line in lines if ">" not in line and str(path) not in line]
    assert max(map(len, prose)) <= 60
    assert "\x1b[33;1mwarning\x1b[0m" in on_a_terminal("doctor", str(path))


def test_progress_on_a_long_result(tmp_path: Path) -> None:
    drawn = on_a_terminal(
        "query", SQLITE, COUNTING.format(1_500_000), "-o", str(tmp_path / "o.csv"), columns=100
    )
    assert "rows/s" in drawn
    assert "1,500,000 rows" in drawn.rpartition("\r\x1b[K")[2]


def test_progress_of_a_copy(tmp_path: Path) -> None:
    words = ("copy", SQLITE, f"sqlite:///{tmp_path / 'o.db'}?mode=rwc", "--into", "t", "--create")
    drawn = on_a_terminal(*words, "--query", COUNTING.format(1_500_000), columns=100)
    assert " rows  " in drawn
    assert "rows/s" in drawn
    assert drawn.rpartition("\r\x1b[K")[2] == "1,500,000 rows copied\r\n"


def test_binary_is_kept_from_the_terminal() -> None:
    with pytest.raises(AssertionError, match="is binary"):
        on_a_terminal("query", SQLITE, "select 1", "-f", "arrow")


def test_closed_pipe_is_quiet() -> None:
    with subprocess.Popen(
        [*COMMAND, "query", SQLITE, COUNTING.format(1_000_000), "-f", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"i,name\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 128 + signal.SIGPIPE


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # A statement that is never done: rows after which nothing more comes for a long time.
    with subprocess.Popen(
        [*COMMAND, "query", SQLITE, COUNTING.format(10**12), "-o", str(out / "o.csv")],
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        while not any(out.iterdir()):
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == b"rowmill: interrupted\n"
    assert not any(out.iterdir())
