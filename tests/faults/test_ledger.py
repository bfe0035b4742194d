"""Nothing is lost and nothing happens twice, whatever is killed.

ROWMILL_LEDGER_KILLS=200 ROWMILL_LEDGER_TRANSFERS=10000 ./dev test tests/faults/test_ledger.py -s
"""

from __future__ import annotations

import gc
import os
import time

import pytest

from tests.faults.ledger import Ledger
from tests.faults.mortal_server import MortalServer
from tests.faults.proxy import Proxy
from tests.watch import descriptors, eventually, sessions

SEED = int(os.environ.get("ROWMILL_LEDGER_SEED", "1"))
KILLS = int(os.environ.get("ROWMILL_LEDGER_KILLS", "20"))
TRANSFERS = int(os.environ.get("ROWMILL_LEDGER_TRANSFERS", "1000"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nothing_is_lost_and_nothing_happens_twice() -> None:
    ledger = Ledger(SEED, TRANSFERS, KILLS)
    began = time.monotonic()
    with MortalServer() as server, server.fresh_database() as url:
        before = descriptors()
        try:
            with Proxy(server.socket_file) as proxy:
                ledger.run(server, proxy, url)
        except BaseException as error:
            error.add_note(
                f"to see it again: ROWMILL_LEDGER_SEED={SEED} ROWMILL_LEDGER_KILLS={KILLS}"
                f" ROWMILL_LEDGER_TRANSFERS={TRANSFERS} ./dev test tests/faults/test_ledger.py"
            )
            raise
        finally:
            took = time.monotonic() - began
            print(
                f"seed {SEED}, {took:.1f} s: told {dict(ledger.told)}, killed {dict(ledger.killed)}"
            )
        assert sum(ledger.killed.values()) == KILLS
        gc.collect()  # tracebacks hold what their frames held
        assert eventually(lambda: descriptors() <= before)
        assert eventually(lambda: sessions(server) == 0)
