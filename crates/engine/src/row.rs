use rowmill_columns::{Batch, OwnedRow, Scalar, Type, Value};

use crate::{Error, ErrorKind, Result};

/// One row: a view of a batch, whose values are read when asked for, or values of its own.
///
/// ```
/// let db = rowmill::Database::open("sqlite://")?;
/// let row = db.query("select 7 as id, 'Zoë' as name").fetch_one()?.unwrap();
/// assert_eq!(row.get("name").unwrap().to_string(), "Zoë");
/// assert_eq!(row.names().collect::<Vec<_>>(), ["id", "name"]);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Row(Repr);

#[derive(Clone, Debug)]
enum Repr {
    View { batch: Batch, index: usize },
    Owned(OwnedRow),
}

impl From<OwnedRow> for Row {
    fn from(row: OwnedRow) -> Self {
        Self(Repr::Owned(row))
    }
}

impl Row {
    /// The first row of `batch`, where it has one.
    pub fn first(batch: &Batch) -> Option<Self> {
        Self::at(batch, 0)
    }

    /// Row `index` of `batch`, where there is one.
    pub fn at(batch: &Batch, index: usize) -> Option<Self> {
        (index < batch.rows()).then(|| Self(Repr::View { batch: batch.clone(), index }))
    }

    /// The batch the row is a view of and its place there; `None` where it has values of its own.
    pub fn view(&self) -> Option<(&Batch, usize)> {
        match &self.0 {
            Repr::View { batch, index } => Some((batch, *index)),
            Repr::Owned(_) => None,
        }
    }

    /// How many values it has.
    #[expect(clippy::len_without_is_empty, reason = "a row without columns is no case of its own")]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::View { batch, .. } => batch.width(),
            Repr::Owned(row) => row.len(),
        }
    }

    /// The column's name.
    pub fn name(&self, column: usize) -> Option<&str> {
        match &self.0 {
            Repr::View { batch, .. } => batch.schema().fields.get(column).map(|field| &*field.name),
            Repr::Owned(row) => row.schema().fields.get(column).map(|field| &*field.name),
        }
    }

    /// The column's type; on SQLite it may be none, where the values alone decide.
    pub fn kind(&self, column: usize) -> Option<&Type> {
        let schema = match &self.0 {
            Repr::View { batch, .. } => batch.schema(),
            Repr::Owned(row) => row.schema(),
        };
        schema.fields.get(column).map(|field| &field.kind).filter(|kind| **kind != Type::Null)
    }

    /// The columns' names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|column| self.name(column).unwrap_or_default())
    }

    /// The position of the first column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        match &self.0 {
            Repr::View { batch, .. } => batch.schema().position(name),
            Repr::Owned(row) => row.position(name),
        }
    }

    /// The value of the first column of this name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.position(name).and_then(|column| self.value(column))
    }

    /// The value of a column by its position.
    #[inline]
    pub fn value(&self, column: usize) -> Option<Value<'_>> {
        match &self.0 {
            Repr::View { batch, index } => {
                let field = batch.schema().fields.get(column)?;
                Some(batch.column(column).value(&field.kind, *index))
            }
            Repr::Owned(row) => row.value(column),
        }
    }

    /// The value of a column by its position, owned.
    ///
    /// # Errors
    /// `Data` where there is no such column or [`Scalar`] has no such type.
    pub fn scalar(&self, column: usize) -> Result<Scalar> {
        let missing = || Error::new(ErrorKind::Data, format!("the row has no column {column}"));
        let value = self.value(column).ok_or_else(missing)?;
        value.to_scalar().ok_or_else(|| {
            let name = self.name(column).unwrap_or_default();
            let kind =
                self.kind(column).map_or_else(String::new, |kind| format!(" of type {kind}"));
            Error::new(ErrorKind::Data, format!("column {name:?}{kind} is not a scalar"))
        })
    }
}
