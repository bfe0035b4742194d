"""The file of an SQLite database: whether it is whole, how it is kept, what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, concluded, evidence, plural
from rowmill._errors import DatabaseError

FACTS = """
select (select page_size from pragma_page_size) as page_size, (select page_count from pragma_page_count) as pages,
       (select journal_mode from pragma_journal_mode) as journal_mode, (select encoding from pragma_encoding) as encoding,
       (select auto_vacuum from pragma_auto_vacuum) as auto_vacuum,
       (select user_version from pragma_user_version) as user_version,
       (select count(*) from sqlite_schema where type = 'table') as tables,
       (select count(*) from sqlite_schema where type = 'table' and sql like '%references%') as with_foreign_keys
"""
# What stands above the messages of a check.
MAIN = "*** in database main ***"
AUTO_VACUUM = {0: "none", 1: "full", 2: "incremental"}


def facts(look: Look, path: str) -> Iterator[Finding]:
    """How the file is laid out."""
    (row,) = look.rows(FACTS)
    row["auto_vacuum"] = AUTO_VACUUM.get(row["auto_vacuum"], row["auto_vacuum"])
    row["file_bytes"] = row.pop("pages") * row["page_size"]
    with_foreign_keys = row.pop("with_foreign_keys")
    said = []
    if row["page_size"] < 4096:
        said.append(
            f"Pages of {row['page_size']} bytes are smaller than what disks and memory deal in"
            " (4096): `pragma page_size=4096; vacuum` on one connection, not in WAL mode."
        )
    if row["encoding"] != "UTF-8":
        said.append(
            f"Text is kept as {row['encoding']}, twice as large for most, and is converted each time"
            " it is read. Only a new file can have another encoding."
        )
    yield Finding(
        check="file",
        severity="note" if said else "ok",
        title=f"{path or 'in memory'}",
        meaning=" ".join(said),
        advice="Foreign keys are minded only by connections that say `pragma foreign_keys=on`, as"
        " Rowmill's do; synchronous is each connection's own too."
        if with_foreign_keys
        else "",
        evidence=evidence([row]),
    )


def journal(look: Look, path: str) -> Iterator[Finding]:
    """How changes are kept, and how many of them wait."""
    mode = look.value("pragma journal_mode")
    if mode == "memory" and not path:
        return
    if mode != "wal":
        yield Finding(
            check="journal",
            severity="note",
            title=f"the journal's mode is {mode}",
            meaning="Readers and the writer wait for each other; in WAL mode they do not.",
            advice="It stays in the file. (Not for a file on a network.)",
            statements=("pragma journal_mode = wal",),
        )
        return
    log = Path(f"{path}-wal")
    size = log.stat().st_size if log.is_file() else 0
    whole = Path(path).stat().st_size
    rows = [
        {"log_bytes": size, "file_bytes": whole, "statement": "pragma wal_checkpoint(truncate)"}
    ]
    yield concluded(
        "journal",
        rows if size >= limits.WAL_BYTES and size > whole else [],
        fine=f"the journal's mode is wal, {plural(size, 'byte', 'bytes')} wait in it",
        severity="warning",
        title="the write-ahead log is larger than the file",
        meaning="Every read looks through it. Something keeps it from being folded into the file: a reader"
        " that never ends, or a single huge transaction.",
        advice="End transactions and cursors that stay open.",
    )


def free_space(look: Look) -> Iterator[Finding]:
    """Pages that hold nothing."""
    pages, free = look.value("pragma page_count"), look.value("pragma freelist_count")
    size = look.value("pragma page_size")
    share = free / pages if pages else 0.0
    bad = share >= limits.FREE_SHARE and free * size >= limits.FREE_BYTES
    row = {"free_bytes": free * size, "file_bytes": pages * size, "share": round(share, 3)}
    yield concluded(
        "free-space",
        [{**row, "statement": "vacuum"}] if bad else [],
        fine=f"{share:.0%} of the file is free",
        severity="note",
        title=f"{share:.0%} of the file is free",
        meaning="New rows will fill it. Until then backups and copies are larger than they need to be.",
        advice="vacuum writes the file anew: it needs as much space again, and keeps writers out.",
    )


def integrity(look: Look, full: bool) -> Iterator[Finding]:
    """Whether the file is whole."""
    pragma = "integrity_check" if full else "quick_check"
    found: list[dict[str, str]] = []
    try:
        for row in look.stream(f"pragma {pragma}({limits.MESSAGES})"):
            # The first message has a line for each page.
            lines = str(next(iter(row.values()))).splitlines()
            found += [{"found": line} for line in lines if line not in ("ok", MAIN)]
    except DatabaseError as error:
        # Some files are so broken that the check itself does not come through.
        if "malformed" not in str(error):
            raise
        found.append({"found": str(error).splitlines()[0]})
    yield concluded(
        "integrity",
        found,
        fine=f"{pragma} found nothing",
        severity="problem",
        title="the file is damaged: {message|messages}",
        meaning="Pages were lost or overwritten, or rows break their table's constraints. What is read may be"
        " wrong.",
        advice="Take a copy of the file, then go back to a backup; `sqlite3 file.db .recover` saves what can be"
        " read. Where only indexes are named, `reindex` mends them.",
    )


def references(look: Look) -> Iterator[Finding]:
    """Rows whose foreign keys lead nowhere."""
    sql = """select "table", rowid as row, parent as "references" from pragma_foreign_key_check limit $1"""
    rows = look.rows(sql, limits.EVIDENCE, whole=True)
    yield concluded(
        "broken-references",
        rows,
        fine="every foreign key leads to a row",
        severity="problem",
        title="{row refers|rows refer} to what is not there",
        meaning="They were written by a connection that did not mind foreign keys.",
        advice="Every connection has to say `pragma foreign_keys=on`, as Rowmill's do.",
    )


SIZES = """
select s.name, coalesce(o.type, 'table') as kind, s.ncell as cells, s.pgsize as size_bytes, s.unused as unused_bytes
  from dbstat('main', 1) s left join sqlite_schema o on o.name = s.name
 order by s.pgsize desc limit $1
"""


def sizes(look: Look) -> Iterator[Finding]:
    """What takes the room."""
    rows = look.rows(SIZES, limits.SHOWN, whole=True)
    yield Finding(
        check="sizes",
        severity="ok",
        title="the largest tables and indexes",
        evidence=evidence(rows),
    )
