use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;

use crate::value::{Extension, Value, read, read_as};
use crate::{ColumnError, Type};

/// One finished, immutable column, shared by reference count.
///
/// Equality is that of stored type and values: NULL equals NULL and NaN equals NaN.
#[derive(Clone, Debug)]
pub struct Column(ArrayRef);

impl Column {
    pub(crate) fn from_array(array: ArrayRef) -> Self {
        Self(array)
    }

    pub(crate) fn into_array(self) -> ArrayRef {
        self.0
    }

    pub(crate) fn array(&self) -> &ArrayRef {
        &self.0
    }

    /// A column without rows.
    pub fn empty(kind: &Type) -> Self {
        Self(arrow_array::new_empty_array(&kind.storage()))
    }

    /// A column of `rows` NULLs.
    pub fn nulls(kind: &crate::Type, rows: usize) -> Self {
        Self(arrow_array::new_null_array(&kind.storage(), rows))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many rows are NULL.
    pub fn null_count(&self) -> usize {
        if self.nulls_are_elsewhere() { self.0.logical_null_count() } else { self.0.null_count() }
    }

    /// Whether `row` is NULL.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn is_null(&self, row: usize) -> bool {
        if self.nulls_are_elsewhere() {
            read(&*self.0, Extension::None, row).is_null()
        } else {
            self.0.is_null(row)
        }
    }

    /// Whether the bitmap does not tell all: nulls may stand in a dictionary's or a run's values.
    fn nulls_are_elsewhere(&self) -> bool {
        use DataType as D;
        matches!(
            self.0.data_type(),
            D::Null | D::Dictionary(..) | D::RunEndEncoded(..) | D::Union(..)
        )
    }

    /// The cell of `row`; `kind` is the type of this column's field. Nothing is copied or
    /// allocated, but for values that become [`Value::Foreign`].
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn value(&self, kind: &Type, row: usize) -> Value<'_> {
        read_as(&*self.0, kind, row)
    }

    /// Rows `offset` to `offset + len`, sharing this column's memory.
    ///
    /// # Panics
    /// If there are not so many rows.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        Self(self.0.slice(offset, len))
    }

    /// Bytes that the rows take, bitmaps and offsets included; memory shared with other columns
    /// counts in each.
    pub fn byte_len(&self) -> usize {
        let data = self.0.to_data();
        data.get_slice_memory_size().unwrap_or_else(|_| data.get_buffer_memory_size())
    }

    /// The bytes of a fixed-width column's values, one after the other in native order, NULL slots
    /// among them (NaN for floats and NaT, `i64::MIN`, for timestamps that Rowmill decoded).
    ///
    /// Integers, floats, dates, times, timestamps, durations, uuids and decimals have such a form;
    /// other columns give `None`.
    ///
    /// ```
    /// use rowmill_columns::{Type, build::Fixed};
    /// let mut ids = Fixed::new(0_i32);
    /// ids.push(1);
    /// ids.push(-1);
    /// let column = ids.finish(&Type::Int32).slice(1, 1);
    /// assert_eq!(column.fixed_bytes(), Some((-1_i32).to_ne_bytes().as_slice()));
    /// ```
    pub fn fixed_bytes(&self) -> Option<&[u8]> {
        if let Some(array) = self.0.as_fixed_size_binary_opt() {
            return Some(array.value_data());
        }
        let array = &*self.0;
        arrow_array::downcast_primitive_array!(
            array => Some(array.values().inner().as_slice()),
            _ => None,
        )
    }

    /// Appends one byte for each row, 1 where it is true and 0 where it is false or NULL; `None`
    /// for columns that are not `Bool`.
    pub fn write_bools(&self, out: &mut Vec<u8>) -> Option<()> {
        let array = self.0.as_boolean_opt()?;
        out.extend(array.values().iter().map(u8::from));
        Some(())
    }

    /// Appends one byte for each row, 1 where it has a value and 0 where it is NULL.
    pub fn write_validity(&self, out: &mut Vec<u8>) {
        match self.0.logical_nulls() {
            Some(nulls) => out.extend(nulls.iter().map(u8::from)),
            None => out.resize(out.len() + self.len(), 1),
        }
    }

    /// The rows of `indices`, in that order.
    pub(crate) fn take(&self, indices: &arrow_array::UInt32Array) -> Result<Self, ColumnError> {
        Ok(Self(arrow_select::take::take(&*self.0, indices, None)?))
    }

    /// The rows of all columns, one after the other.
    pub(crate) fn concat(columns: &[&Self]) -> Result<Self, ColumnError> {
        let arrays: Vec<_> = columns.iter().map(|column| &*column.0).collect();
        Ok(Self(arrow_select::concat::concat(&arrays)?))
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        if self.0.data_type() != other.0.data_type() || self.len() != other.len() {
            return false;
        }
        if has_no_float(self.0.data_type()) {
            return *self.0 == *other.0;
        }
        // Arrow compares floats bit by bit; here -0.0 is 0.0 and every NaN is NaN.
        let none = Extension::None;
        (0..self.len()).all(|row| read(&*self.0, none, row) == read(&*other.0, none, row))
    }
}

fn has_no_float(kind: &DataType) -> bool {
    !kind.is_nested() && !kind.is_floating() && !matches!(kind, DataType::Dictionary(..))
}
