//! Where a statement goes, by its first words.

use crate::words::{space, word};

/// Which connection a statement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// A reader.
    Read,
    /// A reader if SQLite says that it only reads, else the writer: `with ... insert`.
    Ask,
    /// The writer, together with others in one transaction.
    Write,
    /// The writer, outside of any transaction: `vacuum`, `pragma journal_mode=...`.
    Alone,
    /// `attach` and `detach`, which reach one connection only.
    Attach,
    /// `begin`, `commit`, `end`, `rollback`.
    Transaction,
    /// `savepoint`, `release`, `rollback to`.
    Savepoint,
}

/// PRAGMAs that only tell something, of the whole database, when they are given no value.
const TELLING: &[&str] = &[
    "APPLICATION_ID",
    "COLLATION_LIST",
    "COMPILE_OPTIONS",
    "DATA_VERSION",
    "DATABASE_LIST",
    "ENCODING",
    "FOREIGN_KEY_CHECK",
    "FOREIGN_KEY_LIST",
    "FREELIST_COUNT",
    "FUNCTION_LIST",
    "INDEX_INFO",
    "INDEX_LIST",
    "INDEX_XINFO",
    "INTEGRITY_CHECK",
    "JOURNAL_MODE",
    "MODULE_LIST",
    "PAGE_COUNT",
    "PAGE_SIZE",
    "PRAGMA_LIST",
    "QUICK_CHECK",
    "SCHEMA_VERSION",
    "TABLE_INFO",
    "TABLE_LIST",
    "TABLE_XINFO",
    "USER_VERSION",
];

/// Those of them that take a name in parentheses, which is no value to set.
const ASKING: &[&str] = &[
    "FOREIGN_KEY_CHECK",
    "FOREIGN_KEY_LIST",
    "INDEX_INFO",
    "INDEX_LIST",
    "INDEX_XINFO",
    "INTEGRITY_CHECK",
    "QUICK_CHECK",
    "TABLE_INFO",
    "TABLE_LIST",
    "TABLE_XINFO",
];

/// The route of the first statement of `sql`.
pub(super) fn route(sql: &str) -> Route {
    let (first, rest) = word(sql);
    let is = |keyword: &str| first.eq_ignore_ascii_case(keyword);
    // The most frequent first; a word is compared by its length before its letters.
    if is("SELECT") || is("VALUES") {
        Route::Read
    } else if is("INSERT") || is("UPDATE") || is("DELETE") || is("REPLACE") {
        Route::Write
    } else if is("WITH") || is("EXPLAIN") {
        Route::Ask
    } else if is("PRAGMA") {
        pragma(rest)
    } else if is("VACUUM") {
        Route::Alone
    } else if is("ATTACH") || is("DETACH") {
        Route::Attach
    } else if is("BEGIN") || is("COMMIT") || is("END") {
        Route::Transaction
    } else if is("SAVEPOINT") || is("RELEASE") {
        Route::Savepoint
    } else if is("ROLLBACK") {
        let (second, rest) = word(rest);
        let next = if second.eq_ignore_ascii_case("TRANSACTION") { word(rest).0 } else { second };
        if next.eq_ignore_ascii_case("TO") { Route::Savepoint } else { Route::Transaction }
    } else {
        Route::Write
    }
}

/// Whether a statement that writes has a count of rows of its own. One that changes the schema has
/// not: SQLite goes on telling that of the statement before.
pub(super) fn counts(sql: &str) -> bool {
    let sql = space(sql);
    ["insert", "update", "delete", "replace", "with"]
        .iter()
        .any(|word| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}

fn pragma(rest: &str) -> Route {
    let (mut name, mut rest) = word(rest);
    if let Some(after) = space(rest).strip_prefix('.') {
        (name, rest) = word(after);
    }
    let upper = name.to_ascii_uppercase();
    let tells = match space(rest).bytes().next() {
        Some(b'=' | b'(') => ASKING.contains(&upper.as_str()),
        _ => TELLING.contains(&upper.as_str()),
    };
    if tells { Route::Read } else { Route::Alone }
}
