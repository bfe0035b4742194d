"""What `import rowmill` shows, and that it shows nothing else."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import rowmill as rm

PACKAGE = Path(rm.__file__).parent


def test_all_is_complete() -> None:
    # Its order is the linter's to keep.
    assert len(rm.__all__) == len(set(rm.__all__))
    public = {
        name
        for name in dir(rm)
        if not name.startswith("_")
        and not isinstance(getattr(rm, name), ModuleType)
        and name != "annotations"
    }
    assert {name for name in rm.__all__ if not name.startswith("_")} == public


def test_every_module_is_private() -> None:
    modules = [path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".pyi", ".so"}]
    assert [path.name for path in modules if not path.name.startswith("_")] == []
    shown = {name for name, value in vars(rm).items() if isinstance(value, ModuleType)}
    assert {name for name in shown if not name.startswith("_")} == set()


@pytest.mark.parametrize("name", [name for name in rm.__all__ if not name.startswith("_")])
def test_names_say_where_they_live_and_what_they_do(name: str) -> None:
    value = getattr(rm, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        assert value.__module__ == "rowmill"
        assert value.__doc__, f"{name} has no docstring"


def test_both_worlds_have_the_same_verbs() -> None:
    def parameters(verb: object) -> list[tuple[str, object, object]]:
        # Without annotations: one twin is written in Rust, whose signatures have none.
        signature = inspect.signature(verb)  # type: ignore[arg-type]
        after_self = list(signature.parameters.values())[1:]
        return [(p.name, p.kind, p.default) for p in after_self]

    def verbs(cls: type) -> dict[str, object]:
        public = {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_")}
        return {
            name: parameters(value) if inspect.isroutine(value) else "attribute"
            for name, value in public.items()
        }

    assert verbs(rm.Database) == verbs(rm.AsyncDatabase)


def test_import_brings_nothing_from_outside_the_standard_library() -> None:
    program = (
        "import sys; before = set(sys.modules); import rowmill;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(new - set(sys.stdlib_module_names) - {'rowmill'}))"
    )
    # -S leaves .pth files out, which may import anything; the package's own directory goes in.
    run = [sys.executable, "-S", "-c", f"import sys; sys.path.append({str(PACKAGE.parent)!r});"]
    run[-1] += program
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    lazy = "import sys, rowmill; print(*sorted({'asyncio', 'decimal', 'uuid'} & set(sys.modules)))"
    run[-1] = f"import sys; sys.path.append({str(PACKAGE.parent)!r});" + lazy
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "", "imported at once, needed only sometimes"
