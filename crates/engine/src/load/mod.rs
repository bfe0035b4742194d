//! Rows into tables: what goes where, told once for every way to run it.

mod rows;
mod sql;
mod table;

use rowmill_columns::{Batch, Schema};

pub(crate) use self::rows::Piece;
pub use self::rows::Rows;
pub(crate) use self::sql::{columns, conflict_sql, insert_sql, list};
pub(crate) use self::table::{TableName, quoted};

use crate::{Error, ErrorKind, Result};

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It is an error.
    #[default]
    Fail,
    /// The row is left out.
    Nothing,
    /// The row that is there takes the new one's values.
    Update,
}

/// Rows on their way into a table: all of them or none, unless [`commit_each`](Self::commit_each)
/// says otherwise.
///
/// PostgreSQL gets them by COPY in its binary format, SQLite by one prepared insert. Columns go by
/// name; a value of another type than its column's is refused, never guessed.
///
/// ```
/// # use std::sync::Arc;
/// # use rowmill::{Batch, Database, Field, Load, OnConflict, Schema, Type, build::Fixed};
/// let db = Database::open("sqlite://")?;
/// db.script("create table t (id integer primary key)")?;
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let rows = Batch::new(schema, vec![ids.finish(&Type::Int64)], 3);
/// assert_eq!(db.load(Load::new("t", &rows))?, 3);
/// assert_eq!(db.load(Load::new("t", &rows).on_conflict(OnConflict::Nothing))?, 0);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a load does nothing until a database runs it"]
pub struct Load<'a> {
    pub(crate) table: String,
    pub(crate) rows: Rows<'a>,
    pub(crate) on_conflict: OnConflict,
    /// The columns that make a row the same; none are the primary key.
    pub(crate) key: Vec<String>,
    commit_each: Option<usize>,
    returning: Vec<String>,
    /// The rows as they are in the table, where columns of them were asked for.
    pub(crate) returned: Option<Batch>,
}

impl<'a> Load<'a> {
    /// `rows` into `table`: `table` or `schema.table`, as they are named in the database, where
    /// capitals count. A part that holds a point is given in double quotes.
    pub fn new(table: impl Into<String>, rows: impl Into<Rows<'a>>) -> Self {
        Self {
            table: table.into(),
            rows: rows.into(),
            on_conflict: OnConflict::Fail,
            key: Vec::new(),
            commit_each: None,
            returning: Vec::new(),
            returned: None,
        }
    }

    /// What becomes of a row whose key is there already.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// The columns of the unique constraint that decides; without it the primary key does.
    pub fn key<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.key = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Columns of the rows whose name in the table is another, or none: then they are left out.
    pub fn columns<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = (S, Option<S>)>,
    ) -> Self {
        let names = names.into_iter().map(|(from, to)| (from.into(), to.map(Into::into)));
        self.rows.rename(names.collect());
        self
    }

    /// Commits after each so many rows, at least one: where a later one fails the earlier ones stay, and the error
    /// says how many.
    pub fn commit_each(mut self, rows: usize) -> Self {
        self.commit_each = Some(rows.max(1));
        self
    }

    /// Columns of the table that [`Database::load_returning`](crate::Database::load_returning) gives
    /// back.
    pub fn returning<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.returning = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Told now and then how many rows were sent so far. An error ends the load.
    pub fn progress(mut self, tell: impl FnMut(u64) -> Result<()> + Send + 'a) -> Self {
        self.rows.tell(tell);
        self
    }

    /// Runs `load` for all rows, or for each part that is committed.
    pub(crate) fn each(&mut self, load: impl FnMut(&mut Self) -> Result<u64>) -> Result<u64> {
        if self.is_returning() && self.commit_each.is_some() {
            let message = "a load gives its rows back all at once, not by commit_each";
            return Err(Error::new(ErrorKind::Programming, message));
        }
        let mut committed = 0;
        self.each_part(&mut committed, load).map_err(|error| {
            if committed == 0 {
                return error;
            }
            let told = format!("{committed} rows were committed before");
            let hint = error.hint().map_or(told.clone(), |hint| format!("{told}; {hint}"));
            error.with_hint(hint)
        })
    }

    fn each_part(
        &mut self,
        committed: &mut u64,
        mut load: impl FnMut(&mut Self) -> Result<u64>,
    ) -> Result<u64> {
        let mut loaded = 0;
        loop {
            self.rows.limit(self.commit_each);
            if self.rows.schema()?.is_none() && !self.is_returning() {
                return Ok(loaded);
            }
            loaded += load(self)?;
            *committed = self.rows.given();
            if self.rows.is_over()? {
                return Ok(loaded);
            }
        }
    }

    /// Whether the rows are to be given back.
    pub(crate) fn is_returning(&self) -> bool {
        !self.returning.is_empty()
    }

    /// ` returning "t"."id" as "id"`, where something is to be given back.
    pub(crate) fn returning_sql(&self, table: &TableName) -> String {
        if self.is_returning() {
            format!(" returning {}", self.returned_columns(table))
        } else {
            String::new()
        }
    }

    /// What gives no rows of the columns that are to be given back, in place of a load without rows.
    pub(crate) fn none_returned_sql(&self, table: &TableName) -> String {
        format!("select {} from {table} where false", self.returned_columns(table))
    }

    /// Of the table by name: a column in quotes that is not there would be text to SQLite.
    fn returned_columns(&self, table: &TableName) -> String {
        let table = quoted(&table.name);
        let column = |name: &String| format!("{table}.{0} as {0}", quoted(name));
        sql::list(self.returning.iter().map(column))
    }

    /// What a load came to that was to give rows back.
    pub(crate) fn into_returned(self) -> Result<Batch> {
        self.returned.ok_or_else(|| {
            let message = "a load gives back the columns that it was told to, and was told none";
            Error::new(ErrorKind::Programming, message)
        })
    }

    /// Makes the primary key the key of an update that names none, and sees that the rows have it:
    /// without, none of them could be told to be there.
    pub(crate) fn find_key(
        &mut self,
        schema: &Schema,
        primary_key: impl FnOnce() -> Result<Vec<String>>,
    ) -> Result<()> {
        let wrong = |message: String| Error::new(ErrorKind::Programming, message);
        if self.key.is_empty() && self.on_conflict == OnConflict::Update {
            self.key = primary_key()?;
            if self.key.is_empty() {
                let message = format!("{} has no primary key to update by", self.table);
                return Err(
                    wrong(message).with_hint("name the columns of a unique constraint as the key")
                );
            }
        }
        match self.key.iter().find(|name| schema.position(name).is_none()) {
            Some(name) if self.on_conflict != OnConflict::Fail => Err(wrong(format!(
                "the rows have no column {name:?}, which tells whether one is there"
            ))),
            _ => Ok(()),
        }
    }

    /// A load in a transaction, which commits when that does.
    pub(crate) fn check_inside(&self) -> Result<()> {
        if self.commit_each.is_none() {
            return Ok(());
        }
        let message = "a load inside a transaction is committed with it, not by commit_each";
        Err(Error::new(ErrorKind::Programming, message))
    }
}

impl<'a> From<&'a Batch> for Rows<'a> {
    fn from(batch: &'a Batch) -> Self {
        Self::from(batch.clone())
    }
}

impl From<Batch> for Rows<'_> {
    fn from(batch: Batch) -> Self {
        Self::parts(std::iter::once(Ok(batch)))
    }
}
