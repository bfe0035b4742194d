"""The invariants of ARCHITECTURE.md that a file can be asked about."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = {
    "columns": "rowmill-columns",
    "expr": "rowmill-expr",
    "wire": "rowmill-wire",
    "engine": "rowmill",
    "python": "rowmill-python",
}

# Crate -> the crates it names. One way, no other.
ARROWS = {
    "columns": set(),
    "expr": {"columns"},
    "wire": {"columns"},
    "engine": {"columns", "expr", "wire"},
    "python": {"engine"},
}

# Dependency -> the one crate that may name it, so that its upgrade is that crate's change.
ONE_HOME = {
    r"arrow(-.*)?": "columns",
    r"pyo3(-.*)?": "python",
    r"postgres-protocol|sha2": "wire",
    r"rusqlite|libsqlite3-sys": "engine",
    r"regex-syntax|siphasher|blake3": "expr",
    r"rustls(-.*)?": "engine",
    r"rustix|libc|polling|memmap2": "engine",
}

# Nowhere in the tree: each would be a second way to do what one crate does.
BANNED = re.compile(r"tokio(-.*)?|async-std|smol|futures(-.*)?|openssl(-sys)?|chrono|once_cell")

# The same list stands in ARCHITECTURE.md, with the reason for each.
UNSAFE = {
    "crates/columns/src/build/bytes.rs",
    "crates/columns/src/export/layout.rs",
    "crates/columns/src/export/stream.rs",
    "crates/columns/src/import.rs",
    "crates/columns/src/kernels/strings.rs",
    "crates/engine/src/matcher/file.rs",
    "crates/engine/src/process.rs",
    "crates/engine/src/sqlite/raw.rs",
    "crates/engine/src/sqlite/raw_statement.rs",
    "crates/engine/src/sqlite/watch.rs",
    "crates/python/src/buffer.rs",
    "crates/python/src/capsule.rs",
    "crates/python/src/table_class.rs",
}

# What a crate without IO, clock, threads and globals does not name, tests excepted.
IMPURE = re.compile(
    r"\bstd\s*::\s*(?:fs|net|os|env|process|thread)\b"
    r"|\b(?:Instant\s*::\s*now|SystemTime|LazyLock|thread_local|stdin|stdout|stderr)\b"
    r"|\bstatic\s+mut\b"
    r"|\bstatic\s+\w+\s*:\s*[^=;]*\b(?:Atomic\w+|Mutex|RwLock|OnceLock|\w*Cell)\b"
)
GROUPED_USE = re.compile(r"\buse\s+std\s*::\s*\{[^;]*\b(?:fs|net|os|env|process|thread)\b")

MAX_LINES = 800

# Comments, strings and characters, in the order in which Rust's lexer would meet them.
NOT_CODE = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|\bb?r(?P<hashes>#*)".*?"(?P=hashes)'
    r'|b?"(?:\\.|[^"\\])*"'
    r"|b?'(?:\\[^']+|\\'|[^'\\])'",
    re.DOTALL,
)


def code(path: Path) -> str:
    """The file without comments and literals; line numbers stay."""
    text = path.read_text(encoding="utf-8")
    return NOT_CODE.sub(lambda match: "\n" * match[0].count("\n") or " ", text)


def section(document: str, heading: str) -> str:
    """What stands under a second-level heading."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    )
    assert found, f"{document} has a section «{heading}»"
    return found[1]


def rust_files(crate: str = "*") -> Iterator[Path]:
    yield from sorted((ROOT / "crates").glob(f"{crate}/**/*.rs"))


def is_test(path: Path) -> bool:
    parts = path.relative_to(ROOT / "crates").parts
    return path.stem == "tests" or bool({"tests", "examples", "benches"}.intersection(parts[1:]))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def manifest(crate: str) -> dict[str, dict[str, object]]:
    with (ROOT / "crates" / crate / "Cargo.toml").open("rb") as file:
        loaded: dict[str, dict[str, object]] = tomllib.load(file)
    return loaded


def dependencies(crate: str, *tables: str) -> set[str]:
    """Package names in the named tables of a crate's manifest, those of its targets included."""
    root = manifest(crate)
    targets = root.get("target", {}).values()
    found: set[str] = set()
    for holder in (root, *targets):
        assert isinstance(holder, dict)
        for table in tables:
            found.update(holder.get(table, {}))
    return found


RUNTIME = ("dependencies", "build-dependencies")
EVERY = (*RUNTIME, "dev-dependencies")


def test_the_crates_are_these_five() -> None:
    there = {path.parent.name for path in (ROOT / "crates").glob("*/Cargo.toml")}
    assert there == set(PACKAGES)
    assert {crate: manifest(crate)["package"]["name"] for crate in PACKAGES} == PACKAGES


@pytest.mark.parametrize("crate", PACKAGES)
def test_arrows_point_one_way(crate: str) -> None:
    ours = {package: short for short, package in PACKAGES.items()}
    named = {ours[package] for package in dependencies(crate, *RUNTIME) if package in ours}
    assert named == ARROWS[crate]
    tested_with = {ours[package] for package in dependencies(crate, *EVERY) if package in ours}
    assert tested_with <= ARROWS[crate], "a test may not turn an arrow round either"


@pytest.mark.parametrize("crate", PACKAGES)
def test_each_frequent_breaker_has_one_home(crate: str) -> None:
    for package in dependencies(crate, *RUNTIME):
        for pattern, home in ONE_HOME.items():
            if re.fullmatch(pattern, package):
                assert crate == home, f"{package} belongs to crates/{home} alone"


@pytest.mark.parametrize("crate", PACKAGES)
def test_no_runtime_and_no_second_way(crate: str) -> None:
    assert [found for found in dependencies(crate, *RUNTIME) if BANNED.fullmatch(found)] == []


@pytest.mark.parametrize("crate", PACKAGES)
def test_each_dependency_has_its_reason_in_design(crate: str) -> None:
    reasons = section("DESIGN.md", "Why these dependencies?")
    words = set(re.findall(r"[\w-]+", reasons))
    assert dependencies(crate, *EVERY) - set(PACKAGES.values()) - words == set()


@pytest.mark.parametrize("crate", PACKAGES)
def test_no_cargo_feature_changes_behaviour(crate: str) -> None:
    assert "features" not in manifest(crate)
    for path in rust_files(crate):
        assert not re.search(r"\bcfg(?:_attr)?!?\s*\([^)]*\bfeature\b", code(path)), name(path)


@pytest.mark.parametrize("crate", ["columns", "expr", "wire"])
def test_pure_crates_do_no_io_and_hold_no_global(crate: str) -> None:
    found = []
    for path in filter(lambda path: not is_test(path), rust_files(crate)):
        source = code(path)
        for pattern in (IMPURE, GROUPED_USE):
            for match in pattern.finditer(source):
                line = source.count("\n", 0, match.start()) + 1
                found.append(f"{name(path)}:{line}: {' '.join(match[0].split())}")
    assert found == []


def test_unsafe_stands_where_it_is_listed() -> None:
    unsafe = {
        name(path)
        for path in rust_files()
        if not is_test(path) and re.search(r"\bunsafe\b", code(path))
    }
    assert unsafe == UNSAFE
    listed = re.findall(r"`(crates/[^`]+\.rs)`", section("ARCHITECTURE.md", "Unsafe"))
    assert set(listed) == UNSAFE


def test_the_map_names_only_what_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:crates|python|tests|bench|fuzz|examples)/[\w./]*)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_unsafe_block_says_why_it_is_safe() -> None:
    """SAFETY stands within the dozen lines above each block and impl."""
    missing = []
    for path in rust_files():
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(code(path).splitlines()):
            if not re.search(r"\bunsafe\s*(?:\{|impl\b)", line):
                continue
            above = number
            while above > 0 and number - above < 12 and "SAFETY" not in lines[above]:
                above -= 1
            if "SAFETY" not in lines[above]:
                missing.append(f"{name(path)}:{number + 1}")
    assert missing == []


def test_only_the_tls_file_names_rustls() -> None:
    home = "crates/engine/src/pump/tls.rs"
    named = {name(path) for path in rust_files() if re.search(r"\brustls\w*\b", code(path))}
    assert {path for path in named if not path.startswith(home.removesuffix(".rs"))} <= {home}


def test_files_stay_short() -> None:
    places = ("crates", "python", "tests", "bench", "examples", "fuzz")
    long = {}
    for path in (ROOT / "dev", *(path for place in places for path in (ROOT / place).rglob("*"))):
        if any(part.startswith(".") or part == "target" for part in path.relative_to(ROOT).parts):
            continue
        if path.suffix in {".rs", ".py", ".pyi", ".c", ".h"} or path.name == "dev":
            lines = path.read_bytes().count(b"\n")
            if lines > (200 if path.name == "dev" else MAX_LINES):
                long[name(path)] = lines
    assert long == {}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('let a = "unsafe"; // unsafe', "let a =  ;  "),
        ("/* unsafe\n */ fn f<'a>(x: &'a str) {}", "\n fn f<'a>(x: &'a str) {}"),
        ("let c = '\"'; let d = '\\''; unsafe {}", "let c =  ; let d =  ; unsafe {}"),
        ('let r = r#"a "quoted" unsafe"#;', "let r =  ;"),
    ],
)
def test_the_reader_sees_code_only(tmp_path: Path, source: str, expected: str) -> None:
    path = tmp_path / "lib.rs"
    path.write_text(source, encoding="utf-8")
    assert code(path) == expected
