//! On real files, each in a folder of its own that is removed afterwards, and in memory.

mod budget;
mod concurrency;
mod control;
mod first_rows;
mod opening;
mod parameters;
mod refusals;
mod routes;
mod streams;
mod transactions;
mod values;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rowmill_columns::{Batch, Scalar, Value};
use rowmill_expr::{Dialect, Statement};

use super::{Dates, Sqlite, SqliteConfig};
use crate::{Completion, Control, Error, Result};

/// A folder that lives as long as the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rowmill-sqlite-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(config(Some(&self.path("test.db")))).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn config(path: Option<&Path>) -> SqliteConfig {
    SqliteConfig {
        path: path.map(Path::to_owned),
        readers: 3,
        statements: 8,
        busy_timeout: Duration::from_secs(2),
        read_only: false,
        dates: Dates::Text,
    }
}

fn memory() -> Sqlite {
    Sqlite::open(config(None)).unwrap()
}

/// Both kinds of database, because one has many connections and the other one.
fn both() -> (Folder, [Sqlite; 2]) {
    let folder = Folder::new();
    let databases = [folder.open(), memory()];
    (folder, databases)
}

fn statement(sql: &str) -> Statement {
    Statement::parse(sql, Dialect::Sqlite).unwrap()
}

fn try_run(db: &Sqlite, sql: &str, parameters: &[Scalar]) -> Result<Completion> {
    db.fetch(&statement(sql), parameters, &Control::default())
}

fn run(db: &Sqlite, sql: &str, parameters: &[Scalar]) -> Completion {
    try_run(db, sql, parameters).unwrap()
}

fn rows(db: &Sqlite, sql: &str) -> Batch {
    run(db, sql, &[]).batch
}

fn fails(db: &Sqlite, sql: &str) -> Error {
    match try_run(db, sql, &[]) {
        Ok(_) => panic!("{sql} went well"),
        Err(error) => error,
    }
}

fn script(db: &Sqlite, sql: &str) {
    db.script(sql, &Control::default()).unwrap();
}

fn int(db: &Sqlite, sql: &str) -> i64 {
    match rows(db, sql).value(0, 0) {
        Value::Int(value) => value,
        other => panic!("{sql}: {other:?}"),
    }
}

/// A column as text, for comparing.
fn texts(batch: &Batch, column: usize) -> Vec<String> {
    (0..batch.rows()).map(|row| batch.value(column, row).to_string()).collect()
}

fn types(batch: &Batch) -> Vec<String> {
    batch.schema().fields.iter().map(|field| field.kind.to_string()).collect()
}

/// A statement that runs for minutes unless it is stopped.
const ENDLESS: &str =
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000000)
     select sum(i) from n";
