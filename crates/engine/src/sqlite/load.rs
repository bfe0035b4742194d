//! Many rows of values for one prepared statement.

use rowmill_columns::Scalar;
use rowmill_expr::{Dialect, Statement};

use super::Sqlite;
use super::connection::{Connection, refused};
use super::route::{Route, route};
use super::transaction::{SqliteTransaction, ended};
use super::watch::Orders;
use crate::load::{OnConflict, TableName, conflict_sql, insert_sql, no_key};
use crate::many::Many;
use crate::{Control, Load, Result};

impl Sqlite {
    /// Loads rows, each part that is to be committed in a transaction of its own.
    pub(crate) fn load(&self, load: Load<'_>, control: &Control<'_>) -> Result<u64> {
        load.each(|load| {
            let transaction = self.begin(false, control)?;
            let loaded = transaction.load(load, control)?;
            transaction.commit(control)?;
            Ok(loaded)
        })
    }
}

impl Sqlite {
    /// Runs a statement for each row in a transaction of its own.
    pub(crate) fn run_many(&self, many: &Many, control: &Control<'_>) -> Result<u64> {
        let transaction = self.begin(false, control)?;
        let done = transaction.run_many(many, control)?;
        transaction.commit(control)?;
        Ok(done)
    }
}

impl SqliteTransaction {
    /// Loads rows. Where one fails none of them stay.
    pub(crate) fn load(&self, load: &mut Load<'_>, control: &Control<'_>) -> Result<u64> {
        let Some(schema) = load.rows.schema()? else { return Ok(0) };
        let table = TableName::parse(&load.table)?;
        let mut held = self.held().lock()?;
        let session = held.as_mut().ok_or_else(ended)?;
        session.check()?;
        let connection = session.lease.connection();
        if load.key.is_empty() && load.on_conflict == OnConflict::Update {
            load.key = primary_key(connection, &table, &Orders::of(control))?;
            if load.key.is_empty() {
                return Err(no_key(&table.to_string()));
            }
        }
        let conflict = conflict_sql(load.on_conflict, &load.key, &schema);
        let insert = insert_sql(&table.to_string(), &schema, &conflict);
        let insert = Statement::parse(&insert, Dialect::Sqlite)?;
        all_or_none(connection, |connection| {
            connection.insert_all(&insert, &mut load.rows, control)
        })
    }

    /// Runs a statement for each row. Where one fails none of them counts.
    pub(crate) fn run_many(&self, many: &Many, control: &Control<'_>) -> Result<u64> {
        if route(many.statement.text()) == Route::Transaction {
            return Err(refused());
        }
        let mut held = self.held().lock()?;
        let session = held.as_mut().ok_or_else(ended)?;
        session.check()?;
        all_or_none(session.lease.connection(), |connection| connection.run_many(many, control))
    }
}

/// What `work` does is undone where it fails, and nothing else of the transaction.
fn all_or_none(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<u64>,
) -> Result<u64> {
    connection.script("savepoint rowmill_load", &Orders::default(), false)?;
    let done = work(connection);
    let end = if done.is_ok() {
        "release rowmill_load"
    } else {
        "rollback to rowmill_load; release rowmill_load"
    };
    // A failure of some kinds has undone the transaction as a whole, the savepoint with it.
    if !connection.is_autocommit() {
        connection.script(end, &Orders::default(), false)?;
    }
    done
}

/// The columns of the primary key, in its order.
fn primary_key(
    connection: &mut Connection,
    table: &TableName,
    orders: &Orders<'_>,
) -> Result<Vec<String>> {
    let sql = "select name from pragma_table_info($1, $2) where pk > 0 order by pk";
    let sql = Statement::parse(sql, Dialect::Sqlite)?;
    let schema = table.schema.clone().map_or(Scalar::Null, Scalar::Text);
    let parameters = [Scalar::Text(table.name.clone()), schema];
    let found = connection.fetch(&sql, &parameters, orders)?;
    Ok((0..found.batch.rows()).map(|row| found.batch.value(0, row).to_string()).collect())
}
