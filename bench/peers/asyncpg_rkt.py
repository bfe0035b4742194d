"""asyncpg-rkt: asyncpg decoding into NumPy arrays (runs in bench/.venv-rkt)."""

from __future__ import annotations

from typing import Any

import asyncpg
import numpy as np
import pandas as pd
from asyncpg.rkt import set_query_dtype

from bench.measure import Job, Measure, run

TYPES: dict[str, Any] = {
    "int4": np.int32,
    "int8": np.int64,
    "float8": np.float64,
    "bool": np.bool_,
    "timestamptz": "datetime64[us]",
    "date": "datetime64[D]",
}


def pandas(job: Job) -> Measure:
    """One block per type, as its authors hand it to pandas."""

    async def main() -> Measure:
        connection = await asyncpg.connect(job.url)
        attributes = (await connection.prepare(job.sql)).get_attributes()
        fields = [(a.name, TYPES.get(a.type.name, object)) for a in attributes]
        dtype = np.dtype(fields, metadata={"blocks": True})
        await frame_of(connection, set_query_dtype(job.warm, dtype), dtype)
        query = set_query_dtype(job.sql, dtype)
        with Measure() as m:
            frame = await frame_of(connection, query, dtype, m)
        m.rows = len(frame)
        await connection.close()
        return m

    return run(main())


async def frame_of(connection: Any, query: str, dtype: Any, m: Measure | None = None) -> Any:
    """Fetches, and puts the blocks (one 2-d array per type) beside each other without copying."""
    columns, _nulls = await connection.fetch(query)
    if m:
        m.received()
    names: dict[Any, list[str]] = {}
    blocks: dict[Any, Any] = {}
    for name, column in zip(dtype.names, columns, strict=True):
        names.setdefault(dtype[name], []).append(name)
        blocks[dtype[name]] = column.base
    parts = [pd.DataFrame(b.T, columns=names[kind], copy=False) for kind, b in blocks.items()]
    return pd.concat(parts, axis=1, copy=False)
