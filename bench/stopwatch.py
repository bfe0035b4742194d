"""Times `python -c "import X"` from outside: `python -m bench.stopwatch X` (nothing: bare)."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from typing import Any

LIST_FOREIGN = """
import sys, sysconfig
from pathlib import Path
import {module}
site = {{sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}}
own = "{module}".partition(".")[0]
names = {{m.__name__.partition(".")[0] for m in list(sys.modules.values())
          if getattr(m, "__file__", None) and any(m.__file__.startswith(s) for s in site)}}
print(" ".join(sorted(n for n in names if n not in (own, "_" + own, "_virtualenv", "_distutils_hack"))))
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the interpreter as a user would: compiled files kept, no preloads."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def children_cpu() -> float:
    """Seconds of the interpreters started so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Wall and CPU of the child, the interpreter's own figure, and the foreign modules."""
    module = sys.argv[1]
    code = f"import {module}" if module else "pass"
    first = python("-c", code)  # writes the compiled files
    if first.returncode:
        print(json.dumps({"unavailable": first.stderr.strip().splitlines()[-1]}))
        return
    cpu, wall = children_cpu(), time.perf_counter()
    python("-c", code)
    figures: dict[str, Any] = {"wall": time.perf_counter() - wall}
    figures["cpu"] = children_cpu() - cpu
    if module:
        listing = python("-X", "importtime", "-c", code).stderr
        # Each line: self | cumulative | nested package, in microseconds; depth is indentation.
        top = re.findall(r"\|\s+(\d+) \| (\S+)$", listing, re.MULTILINE)
        root = module.partition(".")[0]
        wanted = {root, module}
        figures["importtime_ms"] = sum(int(t) for t, name in top if name in wanted) / 1e3
        figures["third_party"] = python("-c", LIST_FOREIGN.format(module=module)).stdout.strip()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
