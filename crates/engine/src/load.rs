use std::fmt;
use std::time::Duration;

use rowmill_columns::Batch;
use rowmill_expr::{Dialect, Statement};

use crate::query::Target;
use crate::{Control, Error, ErrorKind, Result};

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It is an error, and nothing is loaded.
    #[default]
    Fail,
    /// The row is left out.
    Nothing,
    /// The row that is there takes the new one's values.
    Update,
}

/// Rows on their way into a table: all of them, or none.
///
/// PostgreSQL gets them by COPY in its binary format, SQLite by one prepared insert.
///
/// ```
/// # use std::sync::Arc;
/// # use rowmill::{Batch, Database, Field, OnConflict, Schema, Type, build::Fixed};
/// let db = Database::open("sqlite://")?;
/// db.script("create table t (id integer primary key)")?;
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let rows = Batch::new(schema, vec![ids.finish(&Type::Int64)], 3);
/// assert_eq!(db.load("t", &rows).run()?, 3);
/// assert_eq!(db.load("t", &rows).on_conflict(OnConflict::Nothing).run()?, 0);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a load does nothing until it is run"]
pub struct Load<'a> {
    target: Target<'a>,
    batch: &'a Batch,
    into: Into<'a>,
    control: Control<'a>,
}

/// Where rows go, and what of those that are there.
#[derive(Clone, Debug)]
pub(crate) struct Into<'a> {
    pub(crate) table: &'a str,
    pub(crate) on_conflict: OnConflict,
    /// The columns that make a row the same; none are the primary key.
    pub(crate) key: Vec<String>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(target: Target<'a>, table: &'a str, batch: &'a Batch) -> Self {
        let into = Into { table, on_conflict: OnConflict::Fail, key: Vec::new() };
        Self { target, batch, into, control: target.control() }
    }

    /// What becomes of a row whose key is there already.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.into.on_conflict = on_conflict;
        self
    }

    /// The columns of the unique constraint that decides; without it the primary key does.
    pub fn key<S: AsRef<str>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.into.key = columns.into_iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// A deadline that far from now.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.control.deadline = Control::timeout(timeout).deadline;
        self
    }

    /// Asked about ten times a second while the load runs; true stops it.
    pub fn interrupt(mut self, interrupt: &'a dyn Fn() -> bool) -> Self {
        self.control = self.control.interrupted_by(interrupt);
        self
    }

    /// Loads; how many rows were inserted or updated.
    ///
    /// # Errors
    /// `Data` and `Integrity` name row and column where they can; `Programming` for a table or
    /// columns that are not there. Nothing is loaded then.
    pub fn run(self) -> Result<u64> {
        check(self.batch)?;
        match self.target {
            Target::Database(database) => {
                database.load_batch(self.batch, &self.into, &self.control)
            }
            Target::Transaction(transaction) => {
                transaction.load_batch(self.batch, &self.into, &self.control)
            }
        }
    }
}

/// Rows need columns, each of a name of its own.
fn check(batch: &Batch) -> Result<()> {
    let fields = &batch.schema().fields;
    if fields.is_empty() {
        return Err(Error::new(ErrorKind::Programming, "the rows have no columns"));
    }
    let twice = fields
        .iter()
        .enumerate()
        .find(|(at, field)| fields[..*at].iter().any(|earlier| earlier.name == field.name));
    match twice {
        Some((_, field)) => {
            let message = format!("two columns of the rows are named {:?}", field.name);
            Err(Error::new(ErrorKind::Programming, message))
        }
        None => Ok(()),
    }
}

/// A name as SQL writes it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name, and its schema's where that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl TableName {
    /// `table` or `schema.table`, as they are named in the database: capitals count. A part that
    /// holds a point is given in quotes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let message = format!("{text:?} is no table's name; write table or schema.table");
            Error::new(ErrorKind::Programming, message)
        };
        let (first, rest) = part(text).ok_or_else(wrong)?;
        let Some(rest) = rest.strip_prefix('.') else {
            return if rest.is_empty() {
                Ok(Self { schema: None, name: first })
            } else {
                Err(wrong())
            };
        };
        match part(rest) {
            Some((name, "")) => Ok(Self { schema: Some(first), name }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        f.write_str(&quoted(&self.name))
    }
}

/// The name that `text` begins with, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let (name, rest) = match text.strip_prefix('"') {
        None => {
            let end = text.find('.').unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
        Some(inside) => {
            let (mut name, mut rest) = (String::new(), inside);
            loop {
                let (before, after) = rest.split_once('"')?;
                name.push_str(before);
                match after.strip_prefix('"') {
                    Some(after) => {
                        name.push('"');
                        rest = after;
                    }
                    None => break (name, after),
                }
            }
        }
    };
    (!name.is_empty() && !name.contains('\0')).then_some((name, rest))
}

/// The columns of the rows, quoted, with commas between.
pub(crate) fn columns(batch: &Batch) -> String {
    list(batch.schema().fields.iter().map(|field| quoted(&field.name)))
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// `INSERT` of one row by parameters.
pub(crate) fn insert_sql(table: &str, batch: &Batch, conflict: &str) -> String {
    let marks = list((1..=batch.columns().len()).map(|at| format!("${at}")));
    format!("insert into {table} ({}) values ({marks}){conflict}", columns(batch))
}

/// The clause for rows that are there; `key` is not empty for an update.
pub(crate) fn conflict_sql(on_conflict: OnConflict, key: &[String], batch: &Batch) -> String {
    let target = if key.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(key.iter().map(|name| quoted(name))))
    };
    match on_conflict {
        OnConflict::Fail => String::new(),
        OnConflict::Nothing => format!(" on conflict{target} do nothing"),
        OnConflict::Update => {
            let others = batch.schema().fields.iter().map(|field| &*field.name);
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

/// The statement of a text of ours.
pub(crate) fn statement(sql: &str, dialect: Dialect) -> Result<Statement> {
    Ok(Statement::parse(sql, dialect)?)
}

/// What to say where an update has nothing to go by.
pub(crate) fn no_key(table: &str) -> Error {
    Error::new(ErrorKind::Programming, format!("{table} has no primary key to update by"))
        .with_hint("name the columns of a unique constraint as the key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        for (name, expected) in [
            ("orders", r#""orders""#),
            ("shop.orders", r#""shop"."orders""#),
            (r#""a.b"."c""d""#, r#""a.b"."c""d""#),
            (r#"x"; drop table y; --"#, r#""x""; drop table y; --""#),
            ("Größe", r#""Größe""#),
        ] {
            assert_eq!(TableName::parse(name).unwrap().to_string(), expected, "{name}");
        }
        for name in ["", ".", "a.", ".b", "a.b.c", r#""a"#, r#""a"b"#, "a\0b", r#""""#] {
            assert_eq!(
                TableName::parse(name).unwrap_err().kind(),
                ErrorKind::Programming,
                "{name:?}"
            );
        }
    }
}
