"""PgBouncer's programs: an old one, which knows no prepared statements, and a new one, which does.

Distributions have one version each, and a test run wants both whatever the machine has. So on Debian both are
fetched from the machine's own mirror, each with every library it is linked to, its C library included, and kept
unpacked under `target/`: nothing is installed, and no right is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

Release = Literal["old", "new"]

# The suites of Debian that hold them: PgBouncer 1.18 and 1.24. Prepared statements came with 1.21.
SUITES: dict[Release, str] = {"old": "bookworm", "new": "trixie"}
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
CACHE = Path(__file__).parent.parent / "target" / "pgbouncer"
FETCH_TIMEOUT = 300.0  # seconds for a package list of 10 MB and a few packages


class PoolerUnavailableError(RuntimeError):
    """No PgBouncer of the wanted kind could be found or fetched."""


def pooler_command(release: Release) -> list[str]:
    """The command that starts PgBouncer: that of `ROWMILL_PGBOUNCER_OLD` or `_NEW`, else Debian's.

    Raises:
        PoolerUnavailableError: why there is none.
    """
    if chosen := os.environ.get(f"ROWMILL_PGBOUNCER_{release.upper()}"):
        return [chosen]
    tree = CACHE / SUITES[release]
    if not tree.is_dir():
        partial = CACHE / f"{SUITES[release]}.{os.getpid()}"
        try:
            _Archive(partial, SUITES[release]).unpack_into(partial / "tree")
            try:
                (partial / "tree").rename(tree)
            except OSError:
                if not tree.is_dir():  # else another run was first
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    loader = next(iter(sorted(tree.glob("**/ld-linux-*.so.*"))), None)
    program = tree / "usr/sbin/pgbouncer"
    if loader is None or not program.is_file():
        raise PoolerUnavailableError(f"{tree} holds no PgBouncer: remove it to fetch it again")
    libraries = {str(path.parent) for path in tree.glob("**/*.so.*")}
    return [str(loader), "--library-path", ":".join(sorted(libraries)), str(program)]


class _Archive:
    """Debian's packages of one suite, by an apt whose state is its own."""

    def __init__(self, state: Path, suite: str) -> None:
        for program in ("apt-get", "apt-cache", "dpkg-deb"):
            if shutil.which(program) is None:
                raise PoolerUnavailableError(
                    f"no {program} to fetch PgBouncer with: set ROWMILL_PGBOUNCER_OLD and _NEW"
                )
        self.debs = state / "debs"
        for directory in (state / "lists/partial", state / "archives/partial", self.debs):
            directory.mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        signed = f" [signed-by={KEYS}]" if KEYS.is_file() else ""
        source = state / "sources.list"
        source.write_text(f"deb{signed} {self._mirror()} {suite} main\n")
        self.options = [
            "--quiet",
            f"-oDir::State={state}",
            f"-oDir::State::lists={state / 'lists'}",
            f"-oDir::State::status={state / 'status'}",
            f"-oDir::Cache={state}",
            f"-oDir::Cache::archives={state / 'archives'}",
            f"-oDir::Etc::sourcelist={source}",
            "-oDir::Etc::sourceparts=-",
            "-oAPT::Sandbox::User=",
            "-oAcquire::Languages=none",
            "-oAcquire::Retries=3",
            "-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
        ]

    def _mirror(self) -> str:
        """Where this machine gets its packages."""
        listed = self._run("apt-get", "indextargets", "--format", "$(REPO_URI)")
        for address in listed.splitlines():
            if address.rstrip("/").endswith("/debian"):
                return address
        raise PoolerUnavailableError(
            "this machine has no mirror of Debian to fetch PgBouncer from: "
            "set ROWMILL_PGBOUNCER_OLD and _NEW"
        )

    def unpack_into(self, tree: Path) -> None:
        """Fetches PgBouncer and its libraries, and unpacks them."""
        self._run("apt-get", *self.options, "update")
        names = self._with_libraries("pgbouncer")
        self._run("apt-get", *self.options, "download", *names)
        for package in self.debs.glob("*.deb"):
            self._run("dpkg-deb", "-x", str(package), str(tree))

    def _with_libraries(self, first: str) -> list[str]:
        """A package and the libraries it needs, and they need; not the programs it asks for."""
        names, asked = [first], 0
        while asked < len(names):
            said = self._run(
                "apt-cache",
                *self.options,
                "depends",
                "--no-recommends",
                "--no-suggests",
                *names[asked:],
            )
            asked = len(names)
            for line in said.splitlines():
                relation, _, name = line.strip().partition(": ")
                if relation == "Depends" and name.startswith("lib") and name not in names:
                    names.append(name)
        return names

    def _run(self, *command: str) -> str:
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                command,
                cwd=self.debs,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=FETCH_TIMEOUT,
            )
        except subprocess.CalledProcessError as error:
            why = error.stderr.strip().splitlines()[-1:] or [f"exit status {error.returncode}"]
            raise PoolerUnavailableError(
                f"{command[0]} could not get PgBouncer: {why[0]}"
            ) from None
        except subprocess.TimeoutExpired:
            raise PoolerUnavailableError(f"{command[0]} did not answer in time") from None
        return done.stdout
