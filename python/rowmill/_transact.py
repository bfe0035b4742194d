"""Parts of a transaction that can fail alone, and transactions that are tried again."""

from __future__ import annotations

import itertools
import random
import time

from rowmill._errors import ConnectionLost, Error, InterfaceError, SerializationError

# As `typing.TYPE_CHECKING`, whose import takes longer than the rest of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Literal, TypeVar

    from rowmill._aio import AsyncDatabase, AsyncStream, AsyncTransaction
    from rowmill._rowmill import Database, Transaction

    Result = TypeVar("Result")
    Isolation = Literal["read committed", "repeatable read", "serializable"]
    Mode = tuple[Isolation | None, bool, bool]

# Of savepoints of one name the latest is meant, so that one name does for all.
_BEGIN = "savepoint rowmill"
_RELEASE = "release savepoint rowmill"
_UNDO = f"rollback to savepoint rowmill; {_RELEASE}"


class Savepoint:
    """A part of a transaction that can fail alone, for `with`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def __enter__(self) -> Transaction:
        self._transaction.execute_script(_BEGIN)
        return self._transaction

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._transaction.execute_script(_RELEASE)
            return
        try:
            self._transaction.execute_script(_UNDO)
        except ConnectionLost:
            # The block's own exception says more, and what it did is gone with the connection.
            return
        except BaseException as error:
            self._transaction._doom()
            if isinstance(error, Error):
                raise _not_undone() from error
            raise


class AsyncSavepoint:
    """A part of a transaction that can fail alone, for `async with`."""

    def __init__(self, transaction: AsyncTransaction) -> None:
        self._transaction = transaction
        self._before: set[AsyncStream] = set()

    async def __aenter__(self) -> AsyncTransaction:
        await self._transaction.execute_script(_BEGIN)
        self._before.update(self._transaction._streams or ())
        return self._transaction

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self._transaction.execute_script(_RELEASE)
            return
        # A stream of the block may have the connection, and ends with it.
        for stream in list(self._transaction._streams or ()):
            if stream not in self._before:
                stream._end()
        try:
            await self._transaction.execute_script(_UNDO)
        except ConnectionLost:
            return
        except BaseException as error:
            self._transaction._doomed = True
            if isinstance(error, Error):
                raise _not_undone() from error
            raise


def _not_undone() -> InterfaceError:
    """What to raise where a block's work could not be undone."""
    return InterfaceError(
        "the savepoint could not be undone, so that its transaction cannot be committed",
        hint="end what uses the transaction inside the block: `with tx.stream(...) as parts:`",
    )


def _pause(attempt: int) -> float:
    """Seconds until the next try: any time up to a bound that doubles, so that those who ran into
    each other do not meet again."""
    return random.uniform(0, min(1.0, 0.005 * 2**attempt))


def transact(
    database: Database, work: Callable[[Transaction], Result], retry: int, mode: Mode
) -> Result:
    """Calls `work` with transactions until one commits."""
    isolation, read_only, deferrable = mode
    for attempt in itertools.count():
        begun = database.transaction(
            isolation=isolation, read_only=read_only, deferrable=deferrable
        )
        try:
            with begun as transaction:
                return work(transaction)
        except SerializationError:
            if attempt >= retry:
                raise
            time.sleep(_pause(attempt))
    raise AssertionError("the loop ends by a return or an exception")


async def transact_async(
    database: AsyncDatabase,
    work: Callable[[AsyncTransaction], Awaitable[Result]],
    retry: int,
    mode: Mode,
) -> Result:
    """Awaits `work` with transactions until one commits."""
    import asyncio

    isolation, read_only, deferrable = mode
    for attempt in itertools.count():
        begun = database.transaction(
            isolation=isolation, read_only=read_only, deferrable=deferrable
        )
        try:
            async with begun as transaction:
                return await work(transaction)
        except SerializationError:
            if attempt >= retry:
                raise
            await asyncio.sleep(_pause(attempt))
    raise AssertionError("the loop ends by a return or an exception")
