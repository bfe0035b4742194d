"""From where on something is worth a word: every threshold of the doctor, in one place."""

from __future__ import annotations

# Rows of evidence that a check keeps, and that a terminal shows.
EVIDENCE = 1_000
SHOWN = 8

# Seconds a statement of the doctor's own may take, and milliseconds it waits for a lock: none of
# those that it takes is waited for, unless somebody alters a table at this moment.
STATEMENT = 10.0
LOCK_MS = 50
# Seconds for everything.
ALL = 60.0

# Statistics younger than this (days) do not tell that an index is of no use.
STATISTICS_DAYS = 7
# Blocks that must have been asked for before a ratio says anything (80 MB), and the ratios below
# which it is worth a note and a warning.
CACHE_BLOCKS = 10_000
CACHE_NOTE, CACHE_WARNING = 0.95, 0.90
# Blocks from which on an index that nobody uses, or has twice, counts: a smaller one costs nothing.
INDEX_PAGES = 8
# Rows of a table from which on a missing index is felt.
TABLE_ROWS = 10_000
# Whole scans of such a table from which on they are a habit.
SCANS = 20
# Share, and bytes, of a table or index that hold nothing.
BLOAT_SHARE, BLOAT_BYTES = 0.5, 10 * 1024 * 1024
# Dead rows, and their share of all.
DEAD_ROWS, DEAD_SHARE = 10_000, 0.2
# Rows changed since a table that was never analyzed was made.
NEVER_ANALYZED_ROWS = 1_000
# Transaction ids: multiples of what autovacuum lets come before it freezes; of 2.1 thousand million
# the server stops at the end.
FREEZE_BEHIND = 1.5
WRAPAROUND = 1_500_000_000
# Seconds of a transaction, of one that does nothing, and of waiting for a lock.
LONG_TRANSACTION, VERY_LONG_TRANSACTION = 300, 3_600
IDLE_IN_TRANSACTION = 60
BLOCKED_PROBLEM = 60
# Share of the connections that may be open.
CONNECTIONS_WARNING, CONNECTIONS_PROBLEM = 0.8, 0.95
# Share of a sequence's numbers that is used up.
SEQUENCE_WARNING, SEQUENCE_PROBLEM = 0.75, 0.9
# Bytes of log that a replication slot holds back.
SLOT_WARNING, SLOT_PROBLEM = 1024**3, 10 * 1024**3
# A statement is slow from this mean (ms), this share of all time and so many calls on: what ran once
# or twice was an import, or somebody's question.
SLOW_MS, SLOW_SHARE, SLOW_CALLS = 100.0, 0.1, 3
# How many of the worst statements are shown by each measure.
TOP = 5

# SQLite: share and bytes of a file that hold nothing; a write-ahead log that is larger than its
# file and this.
FREE_SHARE, FREE_BYTES = 0.25, 1024 * 1024
WAL_BYTES = 64 * 1024 * 1024
# Messages of an integrity check.
MESSAGES = 100
# Pages of a file from which on the planner's guesses cost something.
STATISTICS_PAGES = 100
