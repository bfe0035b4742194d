use std::sync::Arc;

use arrow_array::UInt32Array;

use crate::kernels::{Deferred, Held, Selection};
use crate::{Column, ColumnError, Schema, Value};

/// Columns of one length under one schema: immutable, cheap to clone.
///
/// Equality is that of names, types and values: NULL equals NULL and NaN equals NaN.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type, Value, build::Fixed};
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema, vec![ids.finish(&Type::Int64)], 3);
/// let tail = batch.slice(1, 2);
/// assert_eq!(tail.value(0, 0), Value::Int(2));
/// assert_eq!(tail, batch.take(&[1, 2]).unwrap());
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    schema: Arc<Schema>,
    columns: Columns,
    rows: usize,
}

#[derive(Clone, Debug)]
enum Columns {
    Made(Arc<[Column]>),
    /// Made when they are asked for.
    Deferred(Arc<Deferred>),
}

impl Batch {
    /// A batch of `rows` rows.
    ///
    /// # Panics
    /// If the number of columns is not that of the schema, or a column has another length.
    pub fn new(schema: Arc<Schema>, columns: Vec<Column>, rows: usize) -> Self {
        assert_eq!(schema.fields.len(), columns.len(), "one column for each field");
        assert!(columns.iter().all(|column| column.len() == rows), "columns of one length");
        Self { schema, columns: Columns::Made(columns.into()), rows }
    }

    /// The same of columns that are known to be of `rows` rows, one for each field.
    pub(crate) fn deferred(schema: Arc<Schema>, columns: Arc<Deferred>, rows: usize) -> Self {
        assert_eq!(schema.fields.len(), columns.width(), "one column for each field");
        Self { schema, columns: Columns::Deferred(columns), rows }
    }

    fn sharing(schema: Arc<Schema>, columns: Arc<[Column]>, rows: usize) -> Self {
        Self { schema, columns: Columns::Made(columns), rows }
    }

    /// A batch without rows.
    pub fn empty(schema: Arc<Schema>) -> Self {
        let columns = schema.fields.iter().map(|field| Column::empty(&field.kind)).collect();
        Self::sharing(schema, columns, 0)
    }

    /// The names and types.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many columns.
    pub fn width(&self) -> usize {
        self.schema.fields.len()
    }

    /// The columns, in the order of the schema.
    pub fn columns(&self) -> &[Column] {
        match &self.columns {
            Columns::Made(columns) => columns,
            Columns::Deferred(columns) => columns.columns(),
        }
    }

    /// The columns, to be held.
    pub(crate) fn shared(&self) -> &Arc<[Column]> {
        match &self.columns {
            Columns::Made(columns) => columns,
            Columns::Deferred(columns) => columns.columns(),
        }
    }

    /// One of the columns: of [kept](Self::keep) rows only this one is copied.
    ///
    /// # Panics
    /// If there is no such column.
    #[inline]
    pub fn column(&self, at: usize) -> &Column {
        match &self.columns {
            Columns::Made(columns) => &columns[at],
            Columns::Deferred(columns) => columns.column(at),
        }
    }

    /// Whether no column waits to be copied.
    #[inline]
    pub fn is_copied(&self) -> bool {
        match &self.columns {
            Columns::Made(_) => true,
            Columns::Deferred(columns) => columns.is_copied(),
        }
    }

    /// Of [kept](Self::keep) rows the columns that are not copied yet, and about how many bytes each will take.
    pub fn waiting(&self) -> Vec<(usize, usize)> {
        match &self.columns {
            Columns::Made(_) => Vec::new(),
            Columns::Deferred(columns) => columns.waiting(),
        }
    }

    /// Where columns of [kept](Self::keep) rows are not copied yet: the columns of all rows, and which are kept.
    pub(crate) fn source(&self) -> Option<(Held, Selection)> {
        match &self.columns {
            Columns::Made(_) => None,
            Columns::Deferred(columns) => columns.source(),
        }
    }

    /// How many rows are looked at where columns are asked for: of [kept](Self::keep) rows those of which they are.
    #[inline]
    pub fn reach(&self) -> usize {
        match &self.columns {
            Columns::Deferred(columns) if !columns.is_copied() => columns.of(),
            _ => self.rows,
        }
    }

    /// Whether at least so many bytes, about, are held for columns that are not copied yet.
    pub fn holds(&self, bytes: usize) -> bool {
        match &self.columns {
            Columns::Made(_) => false,
            Columns::Deferred(columns) => columns.holds(bytes),
        }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The cell of `row` in the column at `column`, both counted from 0.
    ///
    /// # Panics
    /// If there is no such cell.
    #[inline]
    pub fn value(&self, column: usize, row: usize) -> Value<'_> {
        self.column(column).value(&self.schema.fields[column].kind, row)
    }

    /// Bytes that the rows take, bitmaps and offsets included; memory shared with other batches
    /// counts in each.
    pub fn byte_len(&self) -> usize {
        self.columns().iter().map(Column::byte_len).sum()
    }

    /// Rows `offset` to `offset + len`, sharing this batch's memory.
    ///
    /// # Panics
    /// If there are not so many rows.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        assert!(
            offset.checked_add(len).is_some_and(|end| end <= self.rows),
            "rows {offset} and {len} more of {}",
            self.rows
        );
        let columns = self.columns().iter().map(|column| column.slice(offset, len)).collect();
        Self::sharing(self.schema.clone(), columns, len)
    }

    /// The columns at `columns`, in that order, sharing this batch's memory.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn select(&self, columns: &[usize]) -> Self {
        let fields = columns.iter().map(|&at| self.schema.fields[at].clone()).collect();
        let columns = columns.iter().map(|&at| self.column(at).clone()).collect();
        Self::sharing(Arc::new(Schema::new(fields)), columns, self.rows)
    }

    /// The same rows in memory of their own; a dictionary's labels are shared.
    ///
    /// # Errors
    /// If there are more rows than 32 bits count.
    pub fn copy(&self) -> Result<Self, ColumnError> {
        let rows = u32::try_from(self.rows).map_err(|_| ColumnError::too_many_rows())?;
        self.reorder(&(0..rows).collect::<Vec<_>>())
    }

    /// The rows at `rows`, in that order and as often as named, copied.
    ///
    /// # Errors
    /// If there is no such row, or the values become too large for their column's offsets.
    pub fn take(&self, rows: &[u32]) -> Result<Self, ColumnError> {
        if let Some(row) = rows.iter().find(|&&row| row as usize >= self.rows) {
            return Err(ColumnError::new(format!("there is no row {row} among {}", self.rows)));
        }
        let indices = UInt32Array::from(rows.to_vec());
        let columns = self.columns().iter().map(|column| column.take(&indices));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Self::sharing(self.schema.clone(), columns, rows.len()))
    }

    /// The rows of all batches, one after the other, copied (a single batch is shared).
    ///
    /// # Errors
    /// If there is no batch, the schemas differ, or the values become too large for their column's
    /// offsets.
    pub fn concat(batches: &[Self]) -> Result<Self, ColumnError> {
        let (first, rest) = match batches {
            [] => return Err(ColumnError::new("there is no batch to concatenate")),
            [only] => return Ok(only.clone()),
            [first, rest @ ..] => (first, rest),
        };
        for (at, batch) in rest.iter().enumerate() {
            if batch.schema != first.schema {
                let difference = first.schema.difference(&batch.schema);
                let message = format!("batch {} differs from batch 0: {difference}", at + 1);
                return Err(ColumnError::new(message));
            }
        }
        let columns = (0..first.columns().len()).map(|at| {
            let columns: Vec<&Column> = batches.iter().map(|batch| &batch.columns()[at]).collect();
            Column::concat(&columns).map_err(|error| error.in_column(&first.schema.fields[at].name))
        });
        let columns = columns.collect::<Result<_, _>>()?;
        let rows = batches.iter().map(|batch| batch.rows).sum();
        Ok(Self::sharing(first.schema.clone(), columns, rows))
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.schema == other.schema && self.columns() == other.columns()
    }
}
