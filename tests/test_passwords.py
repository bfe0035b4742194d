"""A password, wherever it came from and whatever is in it, is in nothing that is shown."""

from __future__ import annotations

import asyncio
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

import rowmill as rm
from tests.cli import rowmill
from tests.postgres_server import PASSWORD, PostgresServer

SECRET = "hunter2"  # in the middle of each: a part that is shown is seen
ODD = [
    f"a{SECRET}z",
    f":@/{SECRET}?#[]&=+%41",
    f"' \" \\ {SECRET} ü✓",
    f"%3A{SECRET}%",
]


def by_url(url: str, password: str, _: Path, __: pytest.MonkeyPatch) -> str:
    return url.replace("scram_user@", f"scram_user:{quote(password, safe='')}@")


def by_option(url: str, password: str, _: Path, __: pytest.MonkeyPatch) -> str:
    return f"{url}&password={quote(password, safe='')}"


def by_environment(url: str, password: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGPASSWORD", password)
    return url


def by_password_file(
    url: str, password: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    file = directory / "pgpass"
    file.write_text(f"*:*:*:*:{escaped}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    return url


def by_service(url: str, password: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    file = directory / "services"
    file.write_text(f"[shop]\npassword={password}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    return f"{url}&service=shop"


WAYS = [by_url, by_option, by_environment, by_password_file, by_service]
Way = Callable[[str, str, Path, pytest.MonkeyPatch], str]


def shown(error: BaseException) -> str:
    """All that an exception tells of itself."""
    names = ("sqlstate", "detail", "hint", "query", "position", "args", "__notes__")
    parts = [str(getattr(error, name, "")) for name in names]
    return "\n".join([str(error), repr(error), *parts, *traceback.format_exception(error)])


@pytest.mark.direct("a pooler refuses a password in words of its own, seconds later")
@pytest.mark.parametrize("password", ODD)
@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_not_shown(
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
    password: str,
) -> None:
    url = way(postgres.dsn(user="scram_user", password=""), password, tmp_path, monkeypatch)
    everything = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with rm.Database(url) as db:
            with pytest.raises(rm.ConnectError) as caught:
                db.fetch("select 1")
            everything += [shown(caught.value), repr(db), str(db), str(db.stats())]
            everything.append(repr(db.transaction()))

        async def run() -> None:
            async with rm.AsyncDatabase(url) as db:
                with pytest.raises(rm.ConnectError) as caught:
                    await db.fetch("select 1")
                everything.extend([shown(caught.value), repr(db), str(db.stats())])
                everything.extend([repr(db.transaction()), repr(db.stream("select 1"))])

        asyncio.run(run())
    everything += [str(warning.message) for warning in warned]
    assert "password authentication failed" in everything[0]
    assert SECRET not in "\n".join(everything)


@pytest.mark.parametrize("way", WAYS)
def test_the_right_password_is_not_shown(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    """It works, so each way is one by which a password really comes."""
    url = way(postgres.dsn(user="scram_user", password=""), PASSWORD, tmp_path, monkeypatch)
    with rm.Database(url) as db:
        assert db.fetch_value("select 1") == 1
        with pytest.raises(rm.ProgrammingError) as caught:
            db.fetch("select nowhere")
        everything = [shown(caught.value), repr(db), str(db.stats())]
    assert "battery" not in "\n".join(everything)


@pytest.mark.parametrize("way", [by_url, by_option, by_environment, by_password_file])
@pytest.mark.parametrize("password", [ODD[1], ODD[2]])
def test_the_command_does_not_show_it(
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
    password: str,
) -> None:
    url = way(postgres.dsn(user="scram_user", password=""), password, tmp_path, monkeypatch)
    more = {
        name: value
        for name, value in (("PGPASSWORD", password), ("PGPASSFILE", str(tmp_path / "pgpass")))
        if way.__name__.startswith("by_env" if name == "PGPASSWORD" else "by_password")
    }
    for words in (
        ["query", url, "select 1"],
        ["copy", url, str(tmp_path / "out.csv"), "--table", "t"],
        ["query", url.replace(str(postgres.socket_dir), "/nowhere"), "select 1"],
    ):
        done = rowmill(*words, status=1, **more)
        assert done.stderr
        assert SECRET not in done.stdout + done.stderr
