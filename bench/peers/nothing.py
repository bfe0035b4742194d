"""Controls for the ticker: an idle loop, and the same load in another process."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys

from bench.measure import Job, Measure, run
from bench.ticker import Ticker


def ticker_idle(job: Job) -> Measure:
    """A ticker alone for a second."""

    async def main() -> Measure:
        with Measure() as m:
            async with Ticker() as t:
                await asyncio.sleep(1.0)
        m.rows, m.extra = job.rows, t.figures()
        return m

    return run(main())


def ticker_elsewhere(job: Job) -> Measure:
    """A ticker while Rowmill fetches the same rows in another process."""
    other = dataclasses.replace(job, peer="rowmill", task="elsewhere")

    async def main() -> Measure:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.child", json.dumps(dataclasses.asdict(other))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        ready = await process.stdout.readline()
        if ready.strip() != b"ready":
            raise RuntimeError((await process.stdout.read()).decode().strip() or "no control")
        with Measure() as m:
            async with Ticker() as t:
                process.stdin.write(b"go\n")
                await process.stdout.readline()  # its figures follow at once
        figures = json.loads((await process.stdout.read()).splitlines()[-1])
        m.rows, m.extra = job.rows, t.figures() | {"cpu_elsewhere": figures["cpu"]}
        await process.wait()
        return m

    return run(main())
