"""Running the command line in a process of its own, for the tests of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "rowmill"]
COUNTING = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < {})"
    " select i, 'row ' || i as name from n"
)


def environment(**more: str) -> dict[str, str]:
    """This environment without what would choose a database or change the output."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("PG") and name not in ("DATABASE_URL", "NO_COLOR", "COLUMNS")
    }
    return {**kept, "PYTHONIOENCODING": "utf-8", "TERM": "xterm", **more}


def rowmill(
    *words: str, status: int = 0, given: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command and check its exit status."""
    done = subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        encoding="utf-8",
        input=given,
        env=environment(**more),
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


def example(*command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run an example's program in the repository and check its exit status."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
