"""What tests of forks run: work in a child process, and what it must be refused."""

from __future__ import annotations

import textwrap

PRELUDE = """
    import os, sys
    import rowmill as rm

    def in_child(work):
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(work() or 0)
            except BaseException as error:
                print("child:", repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def refused(work):
        try:
            work()
        except rm.InterfaceError as error:
            assert "fork" in str(error), error
        else:
            raise AssertionError("the parent's connection was used")
"""


def script(body: str) -> str:
    """A program of its own: `in_child` and `refused`, then `body`."""
    return textwrap.dedent(PRELUDE) + textwrap.dedent(body)
