"""The awaited twins of Database, Transaction and Stream."""

from __future__ import annotations

from rowmill._errors import Error, InterfaceError, OperationalError
from rowmill._rowmill import Options, Pump, Select

# As `typing.TYPE_CHECKING`, whose import takes longer than the rest of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
    from os import PathLike
    from types import TracebackType
    from typing import Any, Literal, Self, TypeVar, overload
    from weakref import WeakSet

    from rowmill._plan import Plan
    from rowmill._queries import Call, _Query
    from rowmill._rowmill import (
        Expected,
        Frame,
        Page,
        Partition,
        Row,
        StreamHandle,
        _Data,
        _Parameters,
    )
    from rowmill._transact import AsyncSavepoint, Isolation, Mode

    Result = TypeVar("Result")

    Orient = Literal["records", "columns", "ndjson"]
    Submitted = tuple[Any, int | None, bool]

# Answers that need no wait are given without one; after this many in a row the loop gets a turn,
# or a task that reads SQLite in a circle would keep all others out.
_TURN = 32

# Seconds that a rollback after an exception has, where the database names no timeout: as long as a
# cancelled statement. The server rolls back by itself once the connection is gone.
_ROLLBACK = 5.0


def _has_edges(sql: object) -> bool:
    return type(sql) is Select and sql._has_edges


async def _nested(on: _Verbs, sql: Any, first: bool, timeout: float | None) -> Frame:
    from rowmill._prefetch import nested_async

    return await nested_async(on, sql, first, timeout)


class _Verbs:
    """What a database and a transaction have in common."""

    _timeout: float | None = None
    _pool_timeout: float = 30.0
    _instant = 0

    def _pump(self) -> Pump:
        raise NotImplementedError

    def _transaction_id(self) -> int | None:
        return None

    @property
    def _is_sqlite(self) -> bool:
        raise NotImplementedError

    @property
    def _dialect(self) -> str:
        raise NotImplementedError

    async def _answer(self, pump: Pump, submitted: Submitted, timeout: float | None) -> Any:
        answer, call, queued = submitted
        if call is None:
            self._instant += 1
            if self._instant % _TURN == 0:
                import asyncio

                await asyncio.sleep(0)
            return answer
        if timeout is None:
            timeout = self._timeout
        timers: tuple[asyncio.TimerHandle, ...] = ()
        if timeout is not None or queued:
            timers = self._timers(pump, answer.get_loop(), call, queued, timeout)
        try:
            return await answer
        except BaseException:
            # A future that has its answer, if only an exception, left nothing to stop.
            if answer.cancelled() or not answer.done():
                pump.cancel(call)
            raise
        finally:
            for timer in timers:
                timer.cancel()
            # A future that failed holds its exception, whose traceback holds this frame.
            del answer, submitted, pump

    def _timers(
        self,
        pump: Pump,
        loop: asyncio.AbstractEventLoop,
        call: int,
        queued: bool,
        timeout: float | None,
    ) -> tuple[asyncio.TimerHandle, ...]:
        timers = []
        if timeout is not None:
            timers.append(loop.call_later(timeout, pump.expire, call, timeout))
        if queued:
            timers.append(loop.call_later(self._pool_timeout, pump.expire_waiting, call))
        return tuple(timers)

    async def fetch(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> Frame:
        """All rows, as a Frame."""
        if _has_edges(sql):
            return await _nested(self, sql, False, timeout)
        pump = self._pump()
        submitted = pump.submit("frame", sql, parameters, named, self._transaction_id(), timeout)
        frame: Frame = await self._answer(pump, submitted, timeout)
        return frame

    async def fetch_one(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> Row | None:
        """The first row, or None where there is none."""
        if _has_edges(sql):
            frame = await _nested(self, sql, True, timeout)
            return frame[0] if len(frame) else None
        pump = self._pump()
        submitted = pump.submit("row", sql, parameters, named, self._transaction_id(), timeout)
        row: Row | None = await self._answer(pump, submitted, timeout)
        return row

    async def fetch_value(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> Any:
        """The first column of the first row, or None where there is no row."""
        pump = self._pump()
        submitted = pump.submit("value", sql, parameters, named, self._transaction_id(), timeout)
        return await self._answer(pump, submitted, timeout)

    async def fetch_json(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        orient: Orient = "records",
        timeout: float | None = None,
        **named: Any,
    ) -> bytes:
        """All rows as JSON bytes: "records", "columns" or "ndjson".

        Floats that are NaN or infinite become null, as JSON has neither.
        """
        if _has_edges(sql):
            return (await _nested(self, sql, False, timeout)).to_json(orient)
        pump = self._pump()
        submitted = pump.submit(orient, sql, parameters, named, self._transaction_id(), timeout)
        json: bytes = await self._answer(pump, submitted, timeout)
        return json

    async def page(
        self,
        query: Select | Call,
        /,
        size: int = 50,
        *,
        after: str | None = None,
        before: str | None = None,
        secret: bytes | str | None = None,
        timeout: float | None = None,
    ) -> Page:
        """A page of a query's rows, as `Database.page`."""
        from rowmill._rowmill import Paging

        paging = Paging(query, size, after, before, secret, self._pump().address)
        return paging.finish(await self.fetch(paging.query(), timeout=timeout))

    async def execute(
        self, sql: str | _Query, /, *parameters: Any, timeout: float | None = None, **named: Any
    ) -> int:
        """Runs a statement for its effect; returns the rows affected.

        What `set` changes is undone before the next call: use the URL's `options=`, or `set local` in
        a transaction.
        """
        pump = self._pump()
        submitted = pump.submit("count", sql, parameters, named, self._transaction_id(), timeout)
        count: int = await self._answer(pump, submitted, timeout)
        return count

    async def execute_many(
        self,
        sql: str,
        rows: Iterable[_Parameters],
        /,
        *,
        timeout: float | None = None,
    ) -> int:
        """Runs a statement once for each row of parameters: all of them, or none. Returns the rows
        affected."""
        pump = self._pump()
        submitted = pump.execute_many(sql, rows, self._transaction_id(), timeout)
        count: int = await self._answer(pump, submitted, timeout)
        return count

    if TYPE_CHECKING:

        @overload
        async def load(
            self,
            table: str,
            data: _Data | Iterator[_Data],
            /,
            *,
            columns: dict[str, str | None] | None = None,
            on_conflict: Literal["nothing", "update"] | None = None,
            key: str | Sequence[str] | None = None,
            commit_each: int | None = None,
            progress: Callable[[int], object] | None = None,
            returning: None = None,
            timeout: float | None = None,
        ) -> int: ...
        @overload
        async def load(
            self,
            table: str,
            data: _Data | Iterator[_Data],
            /,
            *,
            columns: dict[str, str | None] | None = None,
            on_conflict: Literal["nothing", "update"] | None = None,
            key: str | Sequence[str] | None = None,
            commit_each: int | None = None,
            progress: Callable[[int], object] | None = None,
            returning: str | Sequence[str],
            timeout: float | None = None,
        ) -> Frame: ...

    async def load(
        self,
        table: str,
        data: _Data | Iterator[_Data],
        /,
        *,
        columns: dict[str, str | None] | None = None,
        on_conflict: Literal["nothing", "update"] | None = None,
        key: str | Sequence[str] | None = None,
        commit_each: int | None = None,
        progress: Callable[[int], object] | None = None,
        returning: str | Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> int | Frame:
        """Rows into a table: all of them, or none. Returns how many were inserted or updated, or with
        `returning` a Frame of these columns.

        The arguments are those of `Database.load`. An iterator is read, and `progress` called, on a
        worker thread.
        """
        pump, inside = self._pump(), self._transaction_id()
        submitted = pump.load(
            table,
            data,
            columns,
            on_conflict,
            key,
            commit_each,
            progress,
            returning,
            inside,
            timeout,
        )
        loaded: int | Frame = await self._answer(pump, submitted, timeout)
        return loaded

    async def execute_script(self, sql: str, /, *, timeout: float | None = None) -> None:
        """Runs several statements, separated by semicolons, without parameters."""
        pump = self._pump()
        await self._answer(pump, pump.script(sql, self._transaction_id(), timeout), timeout)

    def stream(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        batch_rows: int = 65536,
        timeout: float | None = None,
        **named: Any,
    ) -> AsyncStream:
        """The rows in Frames of about `batch_rows`, for `async for`."""
        return AsyncStream(self, sql, parameters, named, batch_rows, None, timeout)

    async def explain(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        analyze: bool = False,
        timeout: float | None = None,
        **named: Any,
    ) -> Plan:
        """How the database means to run a statement; with `analyze` how it did. What it changed is
        rolled back. The arguments are those of `Database.explain`."""
        from rowmill._explain import explain_async

        return await explain_async(self, sql, parameters, named, analyze, timeout)


def _answered(submitted: Submitted) -> Any:
    """What a call came to whose task was cancelled in the very round in which it was answered."""
    answer, call, _ = submitted
    if call is None:
        return answer
    if not answer.done() or answer.cancelled() or answer.exception() is not None:
        return None
    return answer.result()


def _leave(pump: Pump) -> None:
    """Has the loop hold nothing of a database that nobody holds any more."""
    pump.close()
    pump.finish()
    pump.detach()


class AsyncDatabase(_Verbs):
    """A database for asyncio: the verbs of `Database`, awaited.

    >>> import asyncio
    >>> import rowmill as rm
    >>> async def main():
    ...     async with rm.AsyncDatabase("sqlite://") as db:
    ...         return await db.fetch_value("select $1 + 1", 41)
    >>> asyncio.run(main())
    42

    Nothing is decoded on the event loop but small results: a large one is read and decoded by a
    worker thread, without the GIL, while the loop runs on. Calls that share a connection are
    pipelined. Cancelling the awaiting task has the server stop, as soon as no other call's statement
    waits behind it on the same connection.

    A database belongs to the event loop that first uses it; once that loop is closed, the next one
    may use it, with new connections.

    Args, and what they raise, are those of `Database`; a file is opened by the first call.
    """

    # Here too for a database whose arguments were refused, which ends as any other.
    _running: Pump | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(
        self,
        url: str | PathLike[str] | None = None,
        *,
        pool_size: int | None = None,
        pool_min: int = 0,
        pool_idle: float | None = 600.0,
        pool_lifetime: float | None = 3600.0,
        timeout: float | None = None,
        connect_timeout: float = 10.0,
        pool_timeout: float = 30.0,
        statement_cache: int = 256,
    ) -> None:
        self._options = Options(
            url,
            pool_size,
            pool_min,
            pool_idle,
            pool_lifetime,
            timeout,
            connect_timeout,
            pool_timeout,
            statement_cache,
        )
        self._label = self._options.label
        self._timeout = timeout
        self._pool_timeout = pool_timeout
        self._closed = False

    def _pump(self) -> Pump:
        import asyncio

        loop = asyncio.get_running_loop()
        if loop is self._loop:
            assert self._running is not None
            return self._running
        if self._closed:
            raise InterfaceError("the database is closed")
        if self._loop is not None and not self._loop.is_closed():
            raise InterfaceError(
                "the database is in use by another event loop",
                hint="make one AsyncDatabase for each loop",
            )
        # The last loop, where there was one, is gone and took its connections along.
        pump = Pump(loop, self._options)
        pump.attach()
        self._running, self._loop = pump, loop
        # Nothing can be imported any more where the program's end is what drops the database.
        from warnings import warn

        self._warn = warn
        return pump

    @property
    def _is_sqlite(self) -> bool:
        return self._options.is_sqlite

    @property
    def _dialect(self) -> str:
        return self._options.dialect

    def stream(
        self,
        sql: str | _Query,
        /,
        *parameters: Any,
        batch_rows: int = 65536,
        partition: Partition | str | None = None,
        timeout: float | None = None,
        **named: Any,
    ) -> AsyncStream:
        """The rows in Frames of about `batch_rows`, for `async for`. With `partition` several
        connections read them side by side: a column's name, or a `Partition` that says more."""
        return AsyncStream(self, sql, parameters, named, batch_rows, partition, timeout)

    def transaction(
        self,
        *,
        isolation: Isolation | None = None,
        read_only: bool = False,
        deferrable: bool = False,
    ) -> AsyncTransaction:
        """A transaction, for `async with`: commits at the end of the block, rolls back when it
        raises. The arguments are those of `Database.transaction`."""
        return AsyncTransaction(self, (isolation, read_only, deferrable))

    async def transact(
        self,
        work: Callable[[AsyncTransaction], Awaitable[Result]],
        /,
        *,
        retry: int = 5,
        isolation: Isolation | None = None,
        read_only: bool = False,
        deferrable: bool = False,
    ) -> Result:
        """Awaits `work` with a transaction, and again with a new one where the database says that
        it ran into another. What it may do, and the arguments, are those of `Database.transact`."""
        from rowmill._transact import transact_async

        return await transact_async(self, work, retry, (isolation, read_only, deferrable))

    async def close(self) -> None:
        """Closes the database. Calls that come later fail; calls under way end first."""
        import asyncio

        pump, self._closed = self._running, True
        if pump is None or self._loop is not asyncio.get_running_loop():
            self._running = self._loop = None
            return
        pump.close()
        # Looked at now and then: closing is rare, and an event would cost every call a little.
        while pump.in_flight():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        pump.finish()
        pump.detach()
        self._running = self._loop = None

    def expect(self, *, max_queries: int) -> Expected:
        """A `with` block in which so many queries run at most: as `Database.expect`."""
        return self._pump().expect(max_queries)

    def stats(self) -> dict[str, int]:
        """How the connections are doing: as `Database.stats`."""
        if self._running is None:
            names = ("size", "open", "idle", "waiting", "opened", "lost", "retired")
            return dict.fromkeys(names, 0)
        return self._running.stats()

    @property
    def closed(self) -> bool:
        """Whether the database was closed."""
        return self._closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        pump, loop = self._running, self._loop
        if pump is None or loop is None or loop.is_closed():
            return
        # The loop holds what it watches. This may be another thread.
        try:
            loop.call_soon_threadsafe(_leave, pump)
        except RuntimeError:
            return  # closed meanwhile
        self._warn(f"{self!r} was not closed", ResourceWarning, source=self)

    def __repr__(self) -> str:
        return f"<rowmill.AsyncDatabase {self._label}{' (closed)' if self._closed else ''}>"


class AsyncTransaction(_Verbs):
    """A transaction: the verbs of a database, all or nothing. Begins at `async with`."""

    def __init__(self, database: AsyncDatabase, mode: Mode) -> None:
        self._database = database
        self._arguments = mode
        self._timeout = database._timeout
        self._pool_timeout = database._pool_timeout
        self._id: int | None = None
        self._state = "not begun"
        # One that nobody holds has ended by itself.
        self._streams: WeakSet[AsyncStream] | None = None
        # Whether a part of it that failed could not be undone.
        self._doomed = False

    def _pump(self) -> Pump:
        if self._state != "open":
            raise InterfaceError(f"the transaction is {self._state}")
        return self._database._pump()

    def _transaction_id(self) -> int | None:
        return self._id

    @property
    def _is_sqlite(self) -> bool:
        return self._database._is_sqlite

    @property
    def _dialect(self) -> str:
        return self._database._dialect

    def savepoint(self) -> AsyncSavepoint:
        """A part of the transaction that can fail alone, for `async with`: where the block raises,
        what it did is undone, and the transaction goes on. May be nested."""
        from rowmill._transact import AsyncSavepoint

        return AsyncSavepoint(self)

    async def __aenter__(self) -> Self:
        if self._state != "not begun":
            raise InterfaceError("a transaction is entered once; make a new one")
        pump = self._database._pump()
        self._state = "beginning"
        begun = pump.begin(*self._arguments)
        try:
            self._id = await self._answer(pump, begun, None)
        except BaseException:
            self._state = "ended"
            if (begun_anyway := _answered(begun)) is not None:
                pump.forget(begun_anyway)
            raise
        self._state = "open"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        commits = kind is None and not self._doomed
        timeout = self._timeout
        if timeout is None and not commits:
            timeout = _ROLLBACK
        try:
            pump = self._pump()
            assert self._id is not None
            self._state = "ended"
            # Their connection is this transaction's, whose end waits for it.
            for stream in self._streams or ():
                stream._end()
            await self._answer(pump, pump.end(self._id, commits), timeout)
        except Error:
            # The block's own exception says more than a rollback that found the connection gone, the
            # server silent, or the database closed.
            if kind is None:
                raise
        if kind is None and self._doomed:
            raise OperationalError(
                "the transaction was rolled back: a savepoint in it could not be undone"
            )

    def __repr__(self) -> str:
        return f"<rowmill.AsyncTransaction {self._state} on {self._database._label}>"


class AsyncStream:
    """The parts of a result, one Frame at a time: iterate by `async for`, best inside
    `async with`, which has the server stop when the block is left early."""

    _handle: StreamHandle | None = None

    def __init__(
        self,
        source: _Verbs,
        sql: str | _Query,
        parameters: tuple[Any, ...],
        named: dict[str, Any],
        batch_rows: int,
        partition: Partition | str | None,
        timeout: float | None,
    ) -> None:
        self._source = source
        self._begin = (sql, parameters, named, batch_rows, partition)
        self._timeout = timeout
        self._pump: Pump | None = None
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Frame:
        if self._ended:
            raise StopAsyncIteration
        try:
            if self._handle is None:
                await self._start()
            assert self._pump is not None
            assert self._handle is not None
            # The worker keeps the deadline of a part, so that the connection survives it.
            asked = self._pump.part(self._handle, self._timeout)
            part: Frame | None = asked[0] if asked[1] is None else await self._part(asked)
        except BaseException:
            self._end()
            raise
        if part is None:
            self._end()
            raise StopAsyncIteration
        return part

    async def _start(self) -> None:
        source = self._source
        self._pump = pump = source._pump()
        begun = pump.stream(*self._begin, source._transaction_id())
        if isinstance(source, AsyncTransaction):
            if source._streams is None:
                from weakref import WeakSet

                source._streams = WeakSet()
            source._streams.add(self)
        try:
            self._handle = await source._answer(pump, begun, self._timeout)
        except BaseException:
            if (begun_anyway := _answered(begun)) is not None:
                pump.end_stream(begun_anyway)
            raise

    async def _part(self, asked: Submitted) -> Frame | None:
        answer, call, _ = asked
        try:
            part: Frame | None = await answer
        except BaseException:
            if (
                (answer.cancelled() or not answer.done())
                and call is not None
                and self._pump is not None
            ):
                self._pump.cancel(call)
            raise
        return part

    def _end(self) -> None:
        self._ended = True
        handle, self._handle = self._handle, None
        if handle is not None and self._pump is not None:
            self._pump.end_stream(handle)

    def __repr__(self) -> str:
        state = "closed" if self._ended else "open" if self._handle else "not begun"
        return f"<rowmill.AsyncStream {state}>"

    async def close(self) -> None:
        """Ends the stream: the server stops, the connection goes back. Closing twice is fine."""
        self._end()

    # As `contextlib.aclosing` wants it.
    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def __del__(self) -> None:
        self._end()
