"""Three questions to ask of a history, and the one that is only many rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the statement that answers it; every order is total, so answers compare."""

    title: str
    sql: str


WEEKS = Question(
    "Weekly activity",
    """
    with totals as (
        select commit_id, sum(added) as added, sum(deleted) as deleted
        from changes group by commit_id
    )
    select date(authored, 'unixepoch', 'weekday 0', '-6 days') as monday,
           count(*) as commits,
           count(distinct author_id) as authors,
           coalesce(sum(added), 0) as added,
           coalesce(sum(deleted), 0) as deleted
    from commits left join totals on totals.commit_id = commits.id
    where authored is not null
    group by monday
    having monday is not null       -- a date beyond the year 9999
    order by monday
    """,
)

AUTHORS = Question(
    "The authors",
    """
    with totals as (
        select commit_id, sum(added) as added, sum(deleted) as deleted
        from changes group by commit_id
    )
    select name, email,
           count(*) as commits,
           coalesce(sum(added), 0) as added,
           coalesce(sum(deleted), 0) as deleted,
           date(min(authored), 'unixepoch') as first,
           date(max(authored), 'unixepoch') as last,
           count(distinct authored / 86400) as active_days
    from authors
    join commits on commits.author_id = authors.id
    left join totals on totals.commit_id = commits.id
    group by authors.id
    order by commits desc, name, email
    """,
)

# A commit of more than 30 files says little about any two of them, and costs their square.
# `materialized`: three readers share one result, which newer versions of SQLite would compute thrice.
TOGETHER = Question(
    "Files that change together most",
    """
    with small as (
        select commit_id from changes group by commit_id having count(*) between 2 and 30
    ), kept as materialized (
        select commit_id, file_id from changes join small using (commit_id)
    ), times as (
        select file_id, count(*) as changes from kept group by file_id
    ), pairs as (
        select a.file_id as a, b.file_id as b, count(*) as together
        from kept as a join kept as b on b.commit_id = a.commit_id and b.file_id > a.file_id
        group by a.file_id, b.file_id
    )
    select x.path as file, y.path as other, together,
           1.0 * together / (tx.changes + ty.changes - together) as overlap
    from pairs
    join files as x on x.id = pairs.a join files as y on y.id = pairs.b
    join times as tx on tx.file_id = pairs.a join times as ty on ty.file_id = pairs.b
    order by together desc, overlap desc, file, other
    limit 1000
    """,
)

CHANGES = Question(
    "Every changed file",
    """
    select commits.hash, commits.authored, authors.name as author, files.path, added, deleted
    from changes
    join commits on commits.id = changes.commit_id
    join authors on authors.id = commits.author_id
    join files on files.id = changes.file_id
    order by changes.rowid
    """,
)
