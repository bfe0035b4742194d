"""What is said while a fault comes: each a few calls, written once for both kinds of database.

A conversation is a coroutine over the awaited verbs; `Awaited` gives them to a `Database`. It gets
a number that no other attempt has, checks what it is told, and raises what the database raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import decimal
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

import rowmill as rm

T = TypeVar("T")

TABLE = "create table kept (attempt integer, part integer, primary key (attempt, part))"
PARTS = 3  # rows that an attempt writes


class Awaited:
    """The awaited verbs over a blocking database, transaction or stream: nothing ever waits."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in ("stream", "transaction"):
            return lambda *arguments, **named: Awaited(method(*arguments, **named))

        async def call(*arguments: Any, **named: Any) -> Any:
            return method(*arguments, **named)

        return call

    async def __aenter__(self) -> Awaited:
        return Awaited(self._inner.__enter__())

    async def __aexit__(self, *exception: Any) -> None:
        self._inner.__exit__(*exception)

    def __aiter__(self) -> Awaited:
        return self

    async def __anext__(self) -> Any:
        for part in self._inner:
            return part
        raise StopAsyncIteration


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to that never waits."""
    try:
        work.send(None)
    except StopIteration as stopped:
        return stopped.value  # type: ignore[no-any-return]
    raise AssertionError("it waits for something")


@dataclass
class Attempt:
    """One time that a conversation is held.

    Attributes:
        number: no other attempt has it.
        another: another database of the same kind, which logs in with a password.
        committing: set by the conversation once nothing but the COMMIT is left.
    """

    number: int
    another: Callable[[], Any]
    committing: bool = False


@dataclass(frozen=True)
class Conversation:
    """What is said, and what may come of it.

    Attributes:
        name: for messages.
        hold: holds it; raises what the database raises.
        raises: the exceptions that a lost connection may show up as.
        may_succeed: whether all can be well though the connection was lost: nobody wanted the rest.
        writes: how many rows of `kept` it leaves.
        transaction: whether it ends with COMMIT, whose loss must be told as an unknown outcome.
        kinds: of the database that can hold it.
    """

    name: str
    hold: Callable[[Any, Attempt], Awaitable[None]]
    raises: tuple[type[BaseException], ...] = (rm.ConnectionLost,)
    may_succeed: bool = False
    writes: int = 0
    transaction: bool = False
    kinds: tuple[str, ...] = ("sync", "async")


VALUES: dict[str, tuple[str, Any]] = {
    "i": ("int4", -7),
    "t": ("text", "naïve ✓"),
    "f": ("float8", 0.25),
    "n": ("text", None),
    "b": ("bytea", b"\x00\xff"),
    "d": ("date", dt.date(2024, 2, 29)),
    "z": ("timestamptz", dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)),
    "m": ("numeric", decimal.Decimal("12.340")),
    "u": ("uuid", uuid.UUID(int=1 << 100)),
    "a": ("int8[]", [1, None, 3]),
    "y": ("bool", True),
}


async def next_one(db: Any, attempt: Attempt) -> None:
    """A statement behind one that was given up: it waits until the connection has come to rest."""
    assert await db.fetch_value("select $1::int", attempt.number) == attempt.number


async def login(_: Any, attempt: Attempt) -> None:
    """A connection is made, and SCRAM spoken on it. Where that fails the next one is made well."""
    async with attempt.another() as db:
        try:
            await next_one(db, attempt)
        except rm.Error:
            await next_one(db, attempt)
            raise


async def select(db: Any, attempt: Attempt) -> None:
    """A statement that the server has not seen, with parameters of several types."""
    columns = ", ".join(
        f"${n}::{kind} as {name}" for n, (name, (kind, _)) in enumerate(VALUES.items(), 1)
    )
    sent = [value for _, value in VALUES.values()]
    frame = await db.fetch(f"select {columns} -- {attempt.number:06}", *sent)
    assert frame.to_dict() == {name: [value] for name, (_, value) in VALUES.items()}


async def error(db: Any, attempt: Attempt) -> None:
    """An error of the server in the middle of the rows."""
    sql = f"select 10 / (3 - n) from generate_series(1, 3) as n -- {attempt.number:06}"
    with pytest.raises(rm.DataError) as caught:
        await db.fetch(sql)
    assert caught.value.sqlstate == "22012"


async def script(db: Any, attempt: Attempt) -> None:
    """The simple protocol."""
    await db.execute_script(f"select 1; select {attempt.number}; select 'three'")


async def execute(db: Any, attempt: Attempt) -> None:
    """One statement that writes, by itself."""
    sql = f"insert into kept select $1::int, n from generate_series(1, {PARTS}) as n"
    assert await db.execute(f"{sql} -- {attempt.number:06}", attempt.number) == PARTS


async def transaction(db: Any, attempt: Attempt) -> None:
    """Several statements and a COMMIT."""
    async with db.transaction() as tx:
        for part in range(1, PARTS + 1):
            sql = f"insert into kept values ($1, $2) -- {attempt.number:06}"
            assert await tx.execute(sql, attempt.number, part) == 1
        attempt.committing = True


async def stream(db: Any, attempt: Attempt) -> None:
    """A stream that is left after its first part."""
    sql = f"select n, 'row ' || n as word from generate_series(1, 15) as n -- {attempt.number:06}"
    async with db.stream(sql, batch_rows=5) as parts:
        async for part in parts:
            assert part["n"].to_list()[:2] == [1, 2]
            break
    await next_one(db, attempt)


async def load(db: Any, attempt: Attempt) -> None:
    """COPY."""
    rows = {"attempt": [attempt.number] * PARTS, "part": list(range(1, PARTS + 1))}
    assert await db.load("kept", rows) == PARTS


async def execute_many(db: Any, attempt: Attempt) -> None:
    """One statement for several rows."""
    sql = f"insert into kept values ($1, $2) -- {attempt.number:06}"
    rows = [(attempt.number, part) for part in range(1, PARTS + 1)]
    assert await db.execute_many(sql, rows) == PARTS


async def deadline(db: Any, attempt: Attempt) -> None:
    """A statement that runs past its deadline, and is cancelled on the server."""
    try:
        await db.fetch(f"select 1 from pg_sleep(30) -- {attempt.number:06}", timeout=0.005)
    except rm.QueryTimeout:
        return await next_one(db, attempt)
    raise AssertionError("it did not sleep")


async def cancelled(db: Any, attempt: Attempt) -> None:
    """A task that is cancelled while its statement runs."""
    call = asyncio.create_task(db.fetch(f"select 1 from pg_sleep(30) -- {attempt.number:06}"))
    await asyncio.sleep(0.005)
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call
    await next_one(db, attempt)


async def pipelined(db: Any, attempt: Attempt) -> None:
    """Requests of several tasks on one connection, one of which the server refuses."""
    first = 10 * attempt.number
    calls = [db.fetch_value(f"select $1::int -- {attempt.number:06}", first + n) for n in range(4)]
    calls.append(db.fetch_value(f"select 1 / $1::int -- {attempt.number:06}", 0))
    calls.append(db.fetch_json(f"select $1::text as t -- {attempt.number:06}", "last"))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    right = [first, first + 1, first + 2, first + 3, rm.DataError, b'[{"t":"last"}]']
    lost = (rm.ConnectionLost, rm.InternalError)
    for answer, wanted in zip(answers, right, strict=True):
        assert answer == wanted or type(answer) in (wanted, *lost), answer
    for answer in answers:
        if isinstance(answer, lost):
            raise answer


CONVERSATIONS = [
    Conversation("login", login, raises=(rm.ConnectError, rm.ConnectionLost), may_succeed=True),
    Conversation("select", select),
    Conversation("error", error),
    Conversation("script", script),
    Conversation("execute", execute, writes=PARTS),
    Conversation("transaction", transaction, writes=PARTS, transaction=True),
    Conversation("stream", stream, may_succeed=True),
    Conversation("load", load, writes=PARTS, transaction=True),
    Conversation("execute_many", execute_many, writes=PARTS, transaction=True),
    Conversation("deadline", deadline, may_succeed=True),
    Conversation("cancelled", cancelled, may_succeed=True, kinds=("async",)),
    Conversation("pipelined", pipelined, kinds=("async",)),
]
