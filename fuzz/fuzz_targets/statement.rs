//! Statements: any text is spelled so that it has the same parameters again, or is an error with a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rowmill_expr::{Dialect, Parameters, Statement};

fuzz_target!(|sql: &str| {
    let characters = sql.chars().count();
    let statement = match Statement::parse(sql, Dialect::Postgres) {
        Ok(statement) => statement,
        Err(error) => {
            assert!(error.position().is_some_and(|place| (1..=characters).contains(&place)));
            return;
        }
    };
    assert_eq!(&**statement.source(), sql);
    let count = match statement.parameters() {
        Parameters::Numbered(count) => *count,
        Parameters::Named(names) => names.len(),
    };
    let again = Statement::parse(statement.text(), Dialect::Postgres).expect("it is spelled right");
    assert_eq!(again.text(), statement.text());
    assert_eq!(again.key(), statement.key());
    assert_eq!(*again.parameters(), Parameters::Numbered(count));
    for place in 1..=statement.text().chars().count() {
        assert!(statement.source_position(place) <= characters);
    }
    let sqlite = Statement::parse(sql, Dialect::Sqlite).expect("the dialects differ in one letter");
    assert_eq!(sqlite.parameters(), statement.parameters());
});
