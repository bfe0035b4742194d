//! Many rows of values for one prepared statement.

use rowmill_columns::{Batch, Field, Scalar, Schema};
use rowmill_expr::{Dialect, Statement};

use super::Sqlite;
use super::connection::Connection;
use super::read::Reading;
use super::route::{Route, route};
use super::statement::ColumnPlan;
use super::transaction::{SqliteTransaction, ended};
use super::watch::Orders;
use crate::load::{Rows, TableName, columns, conflict_sql, insert_sql};
use crate::many::Many;
use crate::transaction::refused;
use crate::{Control, Error, ErrorKind, Load, Result, limits};

impl Sqlite {
    /// Loads rows, each part that is to be committed in a transaction of its own.
    pub(crate) fn load(&self, load: &mut Load<'_>, control: &Control<'_>) -> Result<u64> {
        load.each(|load| {
            let transaction = self.begin(false, control)?;
            let loaded = transaction.load(load, control)?;
            transaction.commit(control)?;
            Ok(loaded)
        })
    }

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
        let table = TableName::parse(&load.table)?;
        let Some(schema) = load.rows.schema()? else {
            if load.is_returning() {
                load.returned = Some(self.none_returned(&load.none_returned_sql(&table), control)?);
            }
            return Ok(0);
        };
        check_names(&schema)?;
        load.find_key(&schema, || {
            self.lend(|connection| primary_key(connection, &table, &Orders::of(control)))
        })?;
        let conflict = conflict_sql(load.on_conflict, &load.key, &schema);
        let mut insert = insert_sql(&table.to_string(), &schema, &conflict);
        insert.push_str(&load.returning_sql(&table));
        let insert = Statement::parse(&insert, Dialect::Sqlite)?;
        let select = format!("select {} from {table}", columns(&schema));
        let select = Statement::parse(&select, Dialect::Sqlite)?;
        let targets = self.lend(|connection| connection.targets(&insert, &select))?;
        let load_all = |rows: &mut Rows<'_>, returned: Option<&mut Reading>| {
            self.all_or_none(|| self.insert_all(&insert, &targets, rows, returned, control))
        };
        if !load.is_returning() {
            return load_all(&mut load.rows, None);
        }
        let mut returned = Reading::default();
        let changed = load_all(&mut load.rows, Some(&mut returned))?;
        load.returned = Some(if returned.has_started() {
            self.lend(|connection| connection.take_returned(&insert, &mut returned))?
        } else {
            self.none_returned(&load.none_returned_sql(&table), control)?
        });
        Ok(changed)
    }

    fn none_returned(&self, sql: &str, control: &Control<'_>) -> Result<Batch> {
        let sql = Statement::parse(sql, Dialect::Sqlite)?;
        self.lend(|connection| connection.fetch(&sql, &[], &Orders::of(control)))
            .map(|none| none.batch)
    }

    /// Runs an insert once for each row; how many rows it changed. The connection is lent only while
    /// rows go in: where they come from may want it, too, as a stream of this transaction does.
    fn insert_all(
        &self,
        insert: &Statement,
        targets: &[ColumnPlan],
        rows: &mut Rows<'_>,
        mut returned: Option<&mut Reading>,
        control: &Control<'_>,
    ) -> Result<u64> {
        let mut changed = 0;
        while let Some(piece) = rows.next()? {
            let step = limits::ROWS_BETWEEN_LOOKS;
            for from in (0..piece.batch.rows()).step_by(step) {
                control.check()?;
                let to = piece.batch.rows().min(from + step);
                let returned = returned.as_deref_mut();
                changed += self.lend(|connection| {
                    connection.insert_some(insert, targets, &piece, from..to, returned, control)
                })?;
                rows.sent(piece.before + to as u64)?;
            }
        }
        Ok(changed)
    }

    /// Runs a statement for each row. Where one fails none of them counts.
    pub(crate) fn run_many(&self, many: &Many, control: &Control<'_>) -> Result<u64> {
        if route(many.statement.text()) == Route::Transaction {
            return Err(refused());
        }
        self.all_or_none(|| self.lend(|connection| connection.run_many(many, control)))
    }

    /// Lends the connection of a transaction that is open.
    fn lend<R>(&self, work: impl FnOnce(&mut Connection) -> Result<R>) -> Result<R> {
        let mut held = self.held().lock()?;
        let session = held.as_mut().ok_or_else(ended)?;
        session.check()?;
        work(session.lease.connection())
    }

    /// What `work` does is undone where it fails, and nothing else of the transaction.
    fn all_or_none(&self, work: impl FnOnce() -> Result<u64>) -> Result<u64> {
        let say = |sql| self.lend(|connection| connection.script(sql, &Orders::default(), false));
        say("savepoint rowmill_load")?;
        let done = work();
        if done.is_ok() {
            say("release rowmill_load")?;
        } else {
            // A failure of some kinds has undone the transaction as a whole, the savepoint with it.
            let _ = say("rollback to rowmill_load; release rowmill_load");
        }
        done
    }
}

/// SQLite's names are the same in capitals: of two such columns one value would be lost.
fn check_names(schema: &Schema) -> Result<()> {
    let fields = &schema.fields;
    for (at, field) in fields.iter().enumerate() {
        let same = |earlier: &&Field| earlier.name.eq_ignore_ascii_case(&field.name);
        if let Some(earlier) = fields[..at].iter().find(same) {
            let message =
                format!("{:?} and {:?} are one column to SQLite", earlier.name, field.name);
            return Err(Error::new(ErrorKind::Programming, message));
        }
    }
    Ok(())
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
