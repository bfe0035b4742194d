//! The statements of a load.

use rowmill_columns::Schema;

use super::OnConflict;
use super::table::quoted;

/// The columns of the rows, quoted, with commas between.
pub(crate) fn columns(schema: &Schema) -> String {
    list(schema.fields.iter().map(|field| quoted(&field.name)))
}

pub(crate) fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// `INSERT` of one row by parameters.
pub(crate) fn insert_sql(table: &str, schema: &Schema, conflict: &str) -> String {
    let marks = list((1..=schema.fields.len()).map(|at| format!("${at}")));
    format!("insert into {table} ({}) values ({marks}){conflict}", columns(schema))
}

/// The clause for rows that are there; `key` is not empty for an update.
pub(crate) fn conflict_sql(on_conflict: OnConflict, key: &[String], schema: &Schema) -> String {
    let target = if key.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(key.iter().map(|name| quoted(name))))
    };
    match on_conflict {
        OnConflict::Fail => String::new(),
        OnConflict::Nothing => format!(" on conflict{target} do nothing"),
        OnConflict::Update => {
            let others = schema.fields.iter().map(|field| &*field.name);
            let others = others.filter(|name| key.iter().all(|key| key != name));
            let set = list(others.map(|name| format!("{0} = excluded.{0}", quoted(name))));
            // Where the key is all there is, the row that is there is the new one already.
            if set.is_empty() {
                format!(" on conflict{target} do nothing")
            } else {
                format!(" on conflict{target} do update set {set}")
            }
        }
    }
}
