//! The first words of a statement.

/// The word that `sql` begins with, and what follows it.
pub(crate) fn word(sql: &str) -> (&str, &str) {
    let sql = space(sql);
    let end = sql
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'))
        .unwrap_or(sql.len());
    sql.split_at(end)
}

/// `sql` without white space, comments and empty statements before its first word.
pub(crate) fn space(sql: &str) -> &str {
    let mut sql = sql;
    loop {
        sql = sql.trim_start_matches([' ', '\t', '\n', '\r', '\x0c', ';', '\u{feff}']);
        if let Some(comment) = sql.strip_prefix("--") {
            sql = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = sql.strip_prefix("/*") {
            sql = comment.split_once("*/").map_or("", |(_, after)| after);
        } else {
            return sql;
        }
    }
}

/// Whether PostgreSQL would begin or end a transaction by this statement. (Those of two phases are
/// ended outside of any.)
pub(crate) fn begins_or_ends(sql: &str) -> bool {
    let (first, rest) = word(sql);
    let is = |keyword: &str| first.eq_ignore_ascii_case(keyword);
    // A word is compared by its length before its letters.
    if is("BEGIN") || is("END") || is("ABORT") {
        return true;
    }
    let second = || word(rest).0;
    if is("START") || is("PREPARE") {
        return second().eq_ignore_ascii_case("TRANSACTION");
    }
    if is("COMMIT") {
        return !second().eq_ignore_ascii_case("PREPARED");
    }
    if !is("ROLLBACK") {
        return false;
    }
    let (second, rest) = word(rest);
    let is_noise = ["TRANSACTION", "WORK"].iter().any(|word| second.eq_ignore_ascii_case(word));
    let next = if is_noise { word(rest).0 } else { second };
    !["TO", "PREPARED"].iter().any(|word| next.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_or_ends_a_transaction() {
        for sql in [
            "begin",
            "  /* now */ BEGIN isolation level serializable",
            "start  transaction read only",
            "commit;",
            "-- done\nCommit and chain",
            "END",
            "abort",
            "rollback",
            "rollback work",
            "rollback and no chain",
            "prepare transaction 'x'",
        ] {
            assert!(begins_or_ends(sql), "{sql}");
        }
        for sql in [
            "",
            "select 1",
            "rollback to savepoint a",
            "rollback work to a",
            "ROLLBACK TRANSACTION TO a",
            "commit prepared 'x'",
            "rollback prepared 'x'",
            "prepare p as select 1",
            "savepoint a",
            "release a",
            "beginning",
            "end_of_day()",
        ] {
            assert!(!begins_or_ends(sql), "{sql}");
        }
    }
}
