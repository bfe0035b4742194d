use std::sync::atomic::{AtomicU64, Ordering};

use rowmill_columns::{Schema, Type};
use rowmill_expr::{Dialect, Statement};
use rowmill_wire::Output;

use super::{run, run_script};
use crate::load::{list, quoted};
use crate::process;
use crate::pump::Link;
use crate::{Control, Error, ErrorKind, Result};

/// Numbers the rooms, so that no other has the name.
static WAITING_ROOMS: AtomicU64 = AtomicU64::new(0);

/// A temporary table where rows wait that may not all be wanted, or that have values of types that
/// only text is exchanged for. It ends with the transaction, if not before.
pub(super) struct WaitingRoom {
    /// Its name, with its schema.
    pub(super) name: String,
    /// Its columns as the table takes them.
    pub(super) values: String,
    /// The names of those that are text here alone.
    as_text: Vec<String>,
}

impl WaitingRoom {
    /// For rows of this schema; those of its columns that `as_text` counts are text here.
    pub(super) fn make(
        link: &mut Link,
        table: &str,
        schema: &Schema,
        as_text: &[usize],
        control: &Control<'_>,
    ) -> Result<Self> {
        let types = if as_text.is_empty() { Vec::new() } else { types(link, table, control)? };
        let (mut columns, mut values, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (at, field) in schema.fields.iter().enumerate() {
            let name = quoted(&field.name);
            let known = types.iter().find(|(column, _)| **column == *field.name);
            match known.filter(|_| as_text.contains(&at)) {
                Some((_, kind)) => {
                    let is_list = matches!(field.kind, Type::List(_));
                    let text = if is_list { "text[]" } else { "text" };
                    columns.push(format!("null::{text} as {name}"));
                    values.push(format!("{name}::{kind}"));
                    texts.push(name);
                }
                None => {
                    columns.push(name.clone());
                    values.push(name);
                }
            }
        }
        let number = WAITING_ROOMS.fetch_add(1, Ordering::Relaxed);
        let room = format!("rowmill_load_{}_{number}", process::id());
        let columns = list(columns.into_iter());
        let make = format!(
            "create temporary table {room} on commit drop as select {columns} from {table} with no data"
        );
        run_script(link, &make, control)?;
        let values = list(values.into_iter());
        Ok(Self { name: format!("pg_temp.{room}"), values, as_text: texts })
    }

    /// The error of moving the rows into the table: which value the server could not read, it says
    /// without its column.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.as_text.is_empty() || error.kind() != ErrorKind::Data {
            return error;
        }
        let columns = self.as_text.join(", ");
        error.with_hint(format!("the server read these columns from text: {columns}"))
    }

    pub(super) fn remove(&self, link: &mut Link, control: &Control<'_>) -> Result<()> {
        run_script(link, &format!("drop table {}", self.name), control).map(drop)
    }
}

/// The types of a table's columns, as a cast names them. Domains are taken off and lengths too: a cast
/// would cut what is too long, where putting a value into its column refuses it.
fn types(link: &mut Link, table: &str, control: &Control<'_>) -> Result<Vec<(String, String)>> {
    let sql = "with recursive base(name, oid) as (\
               select attname::text, atttypid from pg_catalog.pg_attribute \
               where attrelid = $1::text::regclass and attnum > 0 and not attisdropped \
               union all select name, typbasetype from base \
               join pg_catalog.pg_type t on t.oid = base.oid where t.typtype = 'd') \
               select name, pg_catalog.format_type(base.oid, -1) from base \
               join pg_catalog.pg_type t on t.oid = base.oid where t.typtype <> 'd'";
    let sql = Statement::parse(sql, Dialect::Postgres)?;
    let found = run(link, &sql, vec![table.into()], Output::Batch, control)?.batch;
    let text = |row, column| found.value(column, row).to_string();
    Ok((0..found.rows()).map(|row| (text(row, 0), text(row, 1))).collect())
}
