//! Which type a column has, by the words its table declares it with.

use rowmill_expr::{Base, Kind};

/// How a column's cells are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellType {
    Int,
    Float,
    Bool,
    Text,
    Bytes,
    Date,
    Time,
    /// The first value says whether the column's values carry a zone.
    Timestamp,
    /// Instants; a value without a zone is UTC, as SQLite's own functions take it.
    Instant,
    Json,
    Uuid,
    /// No declared type, or one that says nothing certain: the values decide.
    Found,
}

/// The type for the declared words, as `varchar(20)`, `BIGINT`, `timestamp with time zone`.
///
/// SQLite's own affinity rules, which look for parts of words, come last and without their
/// accidents (`POINT` and `INTERVAL` hold `INT`). `NUMERIC` and `DECIMAL` are floats: SQLite keeps
/// 10.00 as the integer 10, and a column's type must not hang on which prices are whole.
pub(super) fn cell_type(declared: &str) -> CellType {
    let upper = declared.to_ascii_uppercase();
    let base = upper.split('(').next().unwrap_or_default().trim();
    let first = base.split_ascii_whitespace().next().unwrap_or_default();
    let zoned = first.ends_with("TZ") || upper.contains("WITH TIME ZONE");
    match first {
        "BOOL" | "BOOLEAN" => CellType::Bool,
        "DATE" => CellType::Date,
        "TIME" if !zoned => CellType::Time,
        "DATETIME" | "TIMESTAMP" | "TIMESTAMPTZ" if zoned => CellType::Instant,
        "DATETIME" | "TIMESTAMP" => CellType::Timestamp,
        "JSON" | "JSONB" => CellType::Json,
        "NUMERIC" | "DECIMAL" | "DEC" => CellType::Float,
        "UUID" => CellType::Uuid,
        _ if base.split_ascii_whitespace().any(is_integer) => CellType::Int,
        _ if ["CHAR", "CLOB", "TEXT"].iter().any(|part| base.contains(part)) => CellType::Text,
        _ if base.contains("BLOB") => CellType::Bytes,
        _ if ["REAL", "FLOA", "DOUB"].iter().any(|part| base.contains(part)) => CellType::Float,
        _ => CellType::Found,
    }
}

/// The type for what an expression is, where SQLite has no type of its own for it; all else is what it is found to be.
pub(super) fn computed_type(kind: Kind) -> CellType {
    match kind {
        Kind::One(Base::Bool) => CellType::Bool,
        Kind::One(Base::Float | Base::Decimal) => CellType::Float,
        Kind::One(Base::Json) | Kind::List(_) => CellType::Json,
        Kind::One(Base::Uuid) => CellType::Uuid,
        Kind::One(Base::Date) => CellType::Date,
        Kind::One(Base::Time) => CellType::Time,
        Kind::One(Base::Timestamp) => CellType::Timestamp,
        Kind::One(Base::Instant) => CellType::Instant,
        Kind::Any | Kind::One(_) => CellType::Found,
    }
}

fn is_integer(word: &str) -> bool {
    let sized = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
    matches!(sized, "INT" | "INTEGER" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BIGINT" | "UINT")
}
