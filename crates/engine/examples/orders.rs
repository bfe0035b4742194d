//! Orders in a database, asked for as columns, as JSON and in parts.
//!
//! `cargo run --example orders` uses SQLite in memory; give a URL for another database:
//! `cargo run --example orders postgresql://user@host/database`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use rowmill::{Control, Database, Orient, Result, TransactionMode, Value};

fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite://".into());
    let db = Database::open(&url)?;
    let now = Control::default();

    // A transaction that is dropped without a commit is rolled back: this leaves nothing behind.
    let tx = db.transaction(TransactionMode::default(), &now)?;
    tx.script(
        "create table rowmill_orders (id integer primary key, customer text, total float)",
        &now,
    )?;
    let insert = "insert into rowmill_orders values ($1, $2, $3)";
    for (id, customer, total) in [(1, "ada", 120.0), (2, "bob", 80.5), (3, "ada", 310.25)] {
        tx.query(insert).bind(id).bind(customer).bind(total).execute()?;
    }

    let batch = tx
        .query("select customer, sum(total) as total from rowmill_orders group by 1 order by 1")
        .timeout(Duration::from_secs(5))
        .fetch()?;
    for (field, column) in batch.schema().fields.iter().zip(batch.columns()) {
        let cells = (0..batch.rows()).map(|row| column.value(&field.kind, row).to_string());
        println!("{} ({}): {}", field.name, field.kind, cells.collect::<Vec<_>>().join(", "));
    }

    let json = tx.query("select * from rowmill_orders order by id").fetch_json(Orient::Records)?;
    println!("{}", String::from_utf8_lossy(&json));

    for part in tx.query("select id from rowmill_orders order by id").stream(2)? {
        println!("a part of {} rows", part?.rows());
    }

    let row = tx.query("select * from rowmill_orders where id = :id").bind_named("id", 2);
    if let Some(row) = row.fetch_one()? {
        println!("order 2 is {}'s", row.get("customer").unwrap_or(Value::Null));
    }
    Ok(())
}
