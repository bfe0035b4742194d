"""A Chromium for the tests that look at a page as people do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing that a browser does of itself: no sandbox, which root has not, no updates and no first questions.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def program() -> str | None:
    """The program that `ROWMILL_CHROMIUM` names, or else the one on the path."""
    return os.environ.get("ROWMILL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def _is_required() -> bool:
    return os.environ.get("ROWMILL_TEST_BROWSER") == "required"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own. Without a program the test is skipped, or fails where that may not be."""
    # Here, because `./dev setup` asks for the program alone.
    import pytest
    from playwright.sync_api import sync_playwright

    found = program()
    if found is None:
        said = "no Chromium: install it (Debian's package is chromium), or name it with ROWMILL_CHROMIUM"
        if _is_required():
            pytest.fail(said)
        pytest.skip(said)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def install() -> None:
    """Installs Debian's Chromium where there is none. A person's machine is not changed without the right to."""
    # Continuous integration asks for the right itself.
    asked = ["sudo", "-n"] if os.geteuid() and _is_required() else []
    if program() or not shutil.which("apt-get") or (os.geteuid() and not asked):
        return
    print("==> installing Debian's chromium", file=sys.stderr)
    for wanted in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        quietly = [*asked, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *wanted]
        subprocess.run(quietly, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    install()
