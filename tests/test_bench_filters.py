"""The filters of the bench: every library finds as many rows, and some."""

from __future__ import annotations

import pytest

from bench.workloads.filter import PEERS, PREDICATES, THREE


@pytest.mark.parametrize("columns", [None, THREE.split(",")])
def test_libraries_find_as_many_rows(columns: list[str] | None) -> None:
    for name in ("numpy", "polars", "pandas", "pyarrow"):
        pytest.importorskip(name, reason="the peers of the bench are not installed")
    from bench.peers import filters

    rows = filters.table(100_000, labels=True)
    found = {
        peer: {
            kind: len(run())
            for kind, run in getattr(filters, peer).__wrapped__(rows, columns).items()
        }
        for peer in PEERS.values()
    }
    expected = found["rowmill"]
    assert set(expected) == set(PREDICATES)
    assert all(expected.values())
    for counts in found.values():
        assert len(counts) >= len(PREDICATES) - 1
        assert counts == {kind: expected[kind] for kind in counts}
