//! The floor of a load into SQLite: one prepared insert in one transaction, the values at hand.
//!
//! `insert_floor SOURCE TARGET TABLE` reads the table from SOURCE into memory, then inserts it into
//! TARGET, a new file. Prints one line of JSON.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program of the bench")]

use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("usage: insert_floor SOURCE TARGET TABLE");
    let (source, target, table) = (argument(), argument(), argument());

    let source = Connection::open(source)?;
    let sql = "select sql from sqlite_schema where name = $1";
    let schema: String = source.query_row(sql, [&table], |row| row.get(0))?;
    let mut select = source.prepare(&format!("select * from {table}"))?;
    let columns = select.column_count();
    let rows: Vec<Vec<Value>> = select
        .query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?
        .collect::<Result<_>>()?;

    let mut target = Connection::open(target)?;
    target.execute_batch("pragma journal_mode = wal; pragma synchronous = normal")?;
    target.execute_batch(&schema)?;
    let start = Instant::now();
    let transaction = target.transaction()?;
    let marks = vec!["?"; columns].join(", ");
    let mut insert = transaction.prepare(&format!("insert into {table} values ({marks})"))?;
    for row in &rows {
        insert.execute(params_from_iter(row))?;
    }
    drop(insert);
    transaction.commit()?;
    println!("{{\"wall\": {}, \"rows\": {}}}", start.elapsed().as_secs_f64(), rows.len());
    Ok(())
}
