//! The limits of what may be asked, in one place.

/// Nodes of one expression, those that are shared counted as often as they stand: SQL is written out.
pub const NODES: u32 = 1_000_000;

/// Levels of an expression in SQL: SQLite reads no deeper (its `SQLITE_MAX_EXPR_DEPTH`).
pub const SQLITE_DEPTH: u32 = 1_000;

/// Levels of an expression in SQL for PostgreSQL, whose stack of 2 MiB ends somewhere beyond.
pub const POSTGRES_DEPTH: u32 = 4_000;

/// Characters of an expression in a message.
pub const SHOWN: usize = 160;

/// Queries within each other.
pub const QUERIES: u32 = 64;

/// Parameters of one statement of PostgreSQL: its protocol counts them in 16 bits.
pub const POSTGRES_PARAMETERS: usize = 65_535;

/// Parameters of one statement of SQLite (its `SQLITE_MAX_VARIABLE_NUMBER`).
pub const SQLITE_PARAMETERS: usize = 32_766;

/// Queries that SQLite puts together (its `SQLITE_MAX_COMPOUND_SELECT`).
pub const SQLITE_MEMBERS: usize = 500;

/// Levels of an expression in a filter, a chain of `&` or `|` counted as one: each is a call within a call.
pub const FILTER_DEPTH: usize = 400;

/// Levels of an expression in which a group's key is looked for.
pub const SHARED_DEPTH: u32 = 100;

/// Levels of a stored expression: readers of JSON commonly stop at 128.
pub const STORED_DEPTH: usize = 100;
