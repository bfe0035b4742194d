"""Transfers between accounts, by threads and by tasks, while connections and the server are killed.

Each transfer has an id, which is inserted in the transaction that moves the money. Who hears that it
is not known whether that committed looks for the id before the next try. In the end the ids are those
that were asked for, each once, and the balances are what the transfers come to.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import rowmill as rm
from tests.faults.conversations import Awaited, finish
from tests.faults.mortal_server import MortalServer
from tests.faults.proxy import Fault, Proxy, Side
from tests.faults.sweep import UNKNOWN

ACCOUNTS, BALANCE = 20, 1000
THREADS, TASKS, POOL = 4, 4, 3
SCHEMA = f"""
    create table accounts (id integer primary key, balance integer not null);
    insert into accounts select n, {BALANCE} from generate_series(1, {ACCOUNTS}) as n;
    create table transfers (
        id integer primary key, source integer, target integer, amount integer
    )
"""
# What kills, and how often of a hundred times.
WAYS = {"cut": 62, "terminate": 30, "kill backend": 4, "kill server": 4}
CUT_WITHIN = 1500  # bytes of a connection after which one is cut, at the latest
GIVE_UP = 60.0  # seconds without a transfer that succeeds


@dataclass
class Ledger:
    """What was asked for, and what was told about it."""

    seed: int
    transfers: int
    kills: int
    told: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    wrong: list[BaseException] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def step(self, number: int) -> int:
        """How many transfers are to be made before a kill."""
        return number * self.transfers // (self.kills + 1)

    async def take(self, pause: Any) -> int | None:
        """The next transfer's id; none when all are done, or something is wrong. The work does not
        run away from the kills."""
        with self._lock:
            number = next(self._ids)
        while number > self.step(self.killed.total() + 2) and not self.wrong:
            await pause(0.001)
        return None if number > self.transfers or self.wrong else number

    def tell(self, what: str) -> None:
        """Counts what a caller was told."""
        with self._lock:
            self.told[what] += 1
            self.done += what == "committed"

    async def work(self, db: Any, pause: Any) -> None:
        """Makes transfers until all are made."""
        try:
            while (number := await self.take(pause)) is not None:
                await self.transfer(db, number, pause)
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.wrong.append(error)

    async def transfer(self, db: Any, number: int, pause: Any) -> None:
        """Makes one transfer, however often it has to be tried."""
        may_be_there = False
        give_up = time.monotonic() + GIVE_UP
        while True:
            assert time.monotonic() < give_up, f"transfer {number} does not get through"
            try:
                await move(db, number, self.seed)
                return self.tell("committed")
            except rm.IntegrityError:
                # The id is there: a try that was told to have failed would have lied.
                assert may_be_there, f"transfer {number} was there after all"
                self.tell("found by its key")
                return self.tell("committed")
            except rm.SerializationError:
                self.tell("deadlock")
            except rm.ConnectError:
                self.tell("no connection")
                await pause(0.01)
            except rm.ConnectionLost as error:
                if UNKNOWN not in str(error) and not is_single(number):
                    self.tell("failed")
                    continue
                self.tell("unknown")
                may_be_there = True
                if await self.is_there(db, number, pause):
                    self.tell("found")
                    return self.tell("committed")

    async def is_there(self, db: Any, number: int, pause: Any) -> bool:
        """Looks for the id."""
        give_up = time.monotonic() + GIVE_UP
        while True:
            assert time.monotonic() < give_up, "the database does not come back"
            try:
                sql = "select count(*) from transfers where id = $1"
                return bool(await db.fetch_value(sql, number))
            except (rm.ConnectError, rm.ConnectionLost):
                await pause(0.01)

    def kill(self, server: MortalServer, proxy: Proxy) -> None:
        """Kills at even steps of the work, in ways and at places that the seed draws."""
        chance = random.Random(self.seed)
        try:
            for step in range(1, self.kills + 1):
                while self.done < self.step(step):
                    if self.wrong:
                        return
                    time.sleep(0.001)
                (way,) = chance.choices(list(WAYS), list(WAYS.values()))
                if step == self.kills // 2:
                    way = "kill server"  # however few there are
                self._kill(way, chance, server, proxy)
                self.killed[way] += 1
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.wrong.append(error)

    def _kill(self, way: str, chance: random.Random, server: MortalServer, proxy: Proxy) -> None:
        if way == "cut":
            side: Side = chance.choice(["client", "server"])
            at, connection = chance.randrange(CUT_WITHIN), chance.randrange(2 * POOL - 2)
            # Where that connection is not in use, the next that is.
            for fault in (Fault("cut", side, at, connection), Fault("cut", side, 0)):
                proxy.arm(fault)
                give_up = time.monotonic() + 0.05
                while not proxy.fired and time.monotonic() < give_up:
                    time.sleep(0.0005)
                if proxy.fired:
                    break
            else:
                self.killed["cut that nobody met"] += 1
                self.killed["cut"] -= 1
            proxy.arm(None)
        elif way == "kill server":
            server.kill()
            server.restart()
        else:
            pids = self._backends(server)
            for pid in chance.sample(pids, min(1, len(pids))):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM if way == "terminate" else signal.SIGKILL)

    def _backends(self, server: MortalServer) -> list[int]:
        with contextlib.suppress(RuntimeError):  # it may just be recovering
            sql = "select pid from pg_stat_activity where datname like 'fresh%' and state <> 'idle'"
            return [int(pid) for pid in server.psql(sql).split()]
        return []

    def run(self, server: MortalServer, proxy: Proxy, url: str) -> None:
        """Makes all transfers under all kills.

        Raises:
            AssertionError: what was told and what is there differ.
        """
        with rm.Database(url) as direct:
            direct.execute_script(SCHEMA)

        async def blocking_pause(seconds: float) -> None:
            time.sleep(seconds)  # noqa: ASYNC251 - there is no loop

        async def tasks() -> None:
            async with (
                rm.AsyncDatabase(proxy.url(url), pool_size=POOL) as db,
                asyncio.TaskGroup() as group,
            ):
                for _ in range(TASKS):
                    group.create_task(self.work(db, asyncio.sleep))

        with rm.Database(proxy.url(url), pool_size=POOL) as db:
            awaited = Awaited(db)
            workers = [
                threading.Thread(target=lambda: finish(self.work(awaited, blocking_pause)))
                for _ in range(THREADS)
            ]
            workers.append(threading.Thread(target=asyncio.run, args=(tasks(),)))
            workers.append(threading.Thread(target=self.kill, args=(server, proxy)))
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        for error in self.wrong:
            raise error
        self.check(url)

    def check(self, url: str) -> None:
        """Ids and sums."""
        with rm.Database(url) as db:
            give_up = time.monotonic() + GIVE_UP
            while time.monotonic() < give_up:
                with contextlib.suppress(rm.ConnectError, rm.ConnectionLost):
                    db.fetch_value("select 1")
                    break
            ids = db.fetch("select id from transfers order by id")["id"].to_list()
            assert ids == list(range(1, self.transfers + 1))
            assert db.fetch_value("select sum(balance)::int from accounts") == ACCOUNTS * BALANCE
            balances = db.fetch("select balance from accounts order by id")["balance"].to_list()
        wanted = [BALANCE] * ACCOUNTS
        for number in ids:
            source, target, amount = terms(number, self.seed)
            wanted[source - 1] -= amount
            wanted[target - 1] += amount
        assert balances == wanted
        assert self.told["committed"] == self.transfers


def terms(number: int, seed: int) -> tuple[int, int, int]:
    """Source, target and amount of a transfer."""
    chance = random.Random(f"{seed} {number}")
    source, target = chance.sample(range(1, ACCOUNTS + 1), 2)
    return source, target, chance.randint(1, 9)


def is_single(number: int) -> bool:
    """Whether the transfer is one statement, which commits by itself."""
    return number % 4 == 3


async def move(db: Any, number: int, seed: int) -> None:
    """One try of a transfer, in one of four ways."""
    source, target, amount = terms(number, seed)
    update = "update accounts set balance = balance + $1 where id = $2"
    insert = "insert into transfers values ($1, $2, $3, $4)"
    if is_single(number):
        both = f"with id as ({insert} returning source, target, amount) update accounts set balance"
        both += " = balance + case when accounts.id = id.target then id.amount else -id.amount end"
        both += " from id where accounts.id in (id.source, id.target)"
        assert await db.execute(both, number, source, target, amount) == 2
        return
    async with db.transaction() as tx:
        if number % 4 == 1:
            row = {"id": number, "source": source, "target": target, "amount": amount}
            assert await tx.load("transfers", [row]) == 1
        else:
            assert await tx.execute(insert, number, source, target, amount) == 1
        if number % 4 == 2:
            assert await tx.execute_many(update, [(-amount, source), (amount, target)]) == 2
        else:
            assert await tx.execute(update, -amount, source) == 1
            assert await tx.execute(update, amount, target) == 1
