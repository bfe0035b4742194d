//! Rows into a table, by one prepared insert.

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Dialect;

use super::connection::Connection;
use super::transaction::{SqliteTransaction, ended};
use super::watch::Orders;
use crate::load::{Into, OnConflict, TableName, conflict_sql, insert_sql, no_key, statement};
use crate::{Control, Result};

impl SqliteTransaction {
    /// Loads rows. Where one fails none of them stay.
    pub(crate) fn load(
        &self,
        batch: &Batch,
        into: &Into<'_>,
        control: &Control<'_>,
    ) -> Result<u64> {
        let table = TableName::parse(into.table)?;
        let mut held = self.held().lock()?;
        let session = held.as_mut().ok_or_else(ended)?;
        session.check()?;
        let connection = session.lease.connection();
        let orders = Orders::of(control);
        let mut key = into.key.clone();
        if key.is_empty() && into.on_conflict == OnConflict::Update {
            key = primary_key(connection, &table, &orders)?;
            if key.is_empty() {
                return Err(no_key(&table.to_string()));
            }
        }
        let conflict = conflict_sql(into.on_conflict, &key, batch);
        let insert = statement(&insert_sql(&table.to_string(), batch, &conflict), Dialect::Sqlite)?;
        connection.script("savepoint rowmill_load", &Orders::default(), false)?;
        let done = connection.insert_all(&insert, batch, control);
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
}

/// The columns of the primary key, in its order.
fn primary_key(
    connection: &mut Connection,
    table: &TableName,
    orders: &Orders<'_>,
) -> Result<Vec<String>> {
    let sql = "select name from pragma_table_info($1, $2) where pk > 0 order by pk";
    let sql = statement(sql, Dialect::Sqlite)?;
    let schema = table.schema.clone().map_or(Scalar::Null, Scalar::Text);
    let parameters = [Scalar::Text(table.name.clone()), schema];
    let found = connection.fetch(&sql, &parameters, orders)?;
    Ok((0..found.batch.rows()).map(|row| found.batch.value(0, row).to_string()).collect())
}
