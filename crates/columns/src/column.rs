use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;

use crate::value::{Extension, Value, read, read_as};
use crate::{ColumnError, Type};

/// One finished, immutable column, shared by reference count.
///
/// Equality is that of stored type and values: NULL equals NULL and NaN equals NaN.
#[derive(Clone, Debug)]
pub struct Column {
    array: ArrayRef,
    marked: bool,
}

impl Column {
    pub(crate) fn from_array(array: ArrayRef) -> Self {
        Self { array, marked: false }
    }

    /// As [`from_array`](Self::from_array), of values that [mark](Self::marks_nulls) their NULLs.
    pub(crate) fn from_marked_array(array: ArrayRef, marked: bool) -> Self {
        Self { array, marked }
    }

    pub(crate) fn into_array(self) -> ArrayRef {
        self.array
    }

    pub(crate) fn array(&self) -> &ArrayRef {
        &self.array
    }

    /// A column without rows.
    pub fn empty(kind: &Type) -> Self {
        Self::from_array(arrow_array::new_empty_array(&kind.storage()))
    }

    /// A column of `rows` NULLs.
    pub fn nulls(kind: &crate::Type, rows: usize) -> Self {
        Self::from_array(arrow_array::new_null_array(&kind.storage(), rows))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// True where there are no rows.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// How many rows are NULL.
    pub fn null_count(&self) -> usize {
        if self.nulls_are_elsewhere() {
            self.array.logical_null_count()
        } else {
            self.array.null_count()
        }
    }

    /// Whether `row` is NULL.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn is_null(&self, row: usize) -> bool {
        if self.nulls_are_elsewhere() {
            read(&*self.array, Extension::None, row).is_null()
        } else {
            self.array.is_null(row)
        }
    }

    /// Whether the bitmap does not tell all: nulls may stand in a dictionary's or a run's values.
    fn nulls_are_elsewhere(&self) -> bool {
        use DataType as D;
        matches!(
            self.array.data_type(),
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
        read_as(&*self.array, kind, row)
    }

    /// Rows `offset` to `offset + len`, sharing this column's memory.
    ///
    /// # Panics
    /// If there are not so many rows.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        Self { array: self.array.slice(offset, len), marked: self.marked }
    }

    /// Bytes that the rows take, bitmaps and offsets included; memory shared with other columns
    /// counts in each.
    pub fn byte_len(&self) -> usize {
        let data = self.array.to_data();
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
        let array = &*self.array;
        arrow_array::downcast_primitive_array!(
            array => Some(array.values().inner().as_slice()),
            DataType::FixedSizeBinary(_) => {
                array.as_fixed_size_binary_opt().map(|array| array.value_data())
            }
            _ => None,
        )
    }

    /// Where each value of a `Text`, `Json` or `Bytes` column begins, with one end more, and the bytes of
    /// all of them; other columns give `None`. A NULL's slot is empty or holds anything.
    ///
    /// ```
    /// use rowmill_columns::build::Bytes;
    /// let mut names = Bytes::text();
    /// names.push(b"Ada");
    /// names.push(b"Bob");
    /// let column = names.finish().unwrap().slice(1, 1);
    /// assert_eq!(column.variable_bytes(), Some(([3, 6].as_slice(), b"AdaBob".as_slice())));
    /// ```
    pub fn variable_bytes(&self) -> Option<(&[i64], &[u8])> {
        if let Some(array) = self.array.as_string_opt::<i64>() {
            return Some((array.value_offsets(), array.value_data()));
        }
        let array = self.array.as_binary_opt::<i64>()?;
        Some((array.value_offsets(), array.value_data()))
    }

    /// Whether the NULL slots of [`fixed_bytes`](Self::fixed_bytes) are known to hold NaN or NaT, and
    /// no other slot NaT, so that NumPy may view the bytes as they are. True of what
    /// [`Fixed::marking`](crate::build::Fixed::marking) built and of its slices.
    pub fn marks_nulls(&self) -> bool {
        self.marked
    }

    /// Appends one byte for each row, 1 where it is true and 0 where it is false or NULL; `None`
    /// for columns that are not `Bool`.
    pub fn write_bools(&self, out: &mut Vec<u8>) -> Option<()> {
        let array = self.array.as_boolean_opt()?;
        spread(array.values(), out);
        Some(())
    }

    /// Appends one byte for each row, 1 where it has a value and 0 where it is NULL.
    pub fn write_validity(&self, out: &mut Vec<u8>) {
        match self.array.logical_nulls() {
            Some(nulls) => spread(nulls.inner(), out),
            None => out.resize(out.len() + self.len(), 1),
        }
    }

    /// The rows of `indices`, in that order.
    pub(crate) fn take(&self, indices: &arrow_array::UInt32Array) -> Result<Self, ColumnError> {
        let array = arrow_select::take::take(&*self.array, indices, None)?;
        Ok(Self { array, marked: self.marked && indices.null_count() == 0 })
    }

    /// The rows of all columns, one after the other.
    pub(crate) fn concat(columns: &[&Self]) -> Result<Self, ColumnError> {
        let arrays: Vec<_> = columns.iter().map(|column| &*column.array).collect();
        let array = arrow_select::concat::concat(&arrays)?;
        Ok(Self { array, marked: columns.iter().all(|column| column.marked) })
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        if self.array.data_type() != other.array.data_type() || self.len() != other.len() {
            return false;
        }
        if has_no_float(self.array.data_type()) {
            return *self.array == *other.array;
        }
        // Arrow compares floats bit by bit; here -0.0 is 0.0 and every NaN is NaN.
        let none = Extension::None;
        (0..self.len()).all(|row| read(&*self.array, none, row) == read(&*other.array, none, row))
    }
}

/// Appends one byte for each bit, eight at a time.
fn spread(bits: &BooleanBuffer, out: &mut Vec<u8>) {
    let chunks = bits.bit_chunks();
    out.reserve(bits.len());
    for chunk in &chunks {
        for byte in chunk.to_le_bytes() {
            out.extend_from_slice(&eight(byte).to_le_bytes());
        }
    }
    let rest = chunks.remainder_bits().to_le_bytes();
    let rest = rest.iter().flat_map(|&byte| eight(byte).to_le_bytes());
    out.extend(rest.take(chunks.remainder_len()));
}

/// The bits of a byte, lowest first, as bytes of 0 and 1.
fn eight(bits: u8) -> u64 {
    // Every byte of the product is the whole, of which the mask leaves the bit that is its place;
    // adding 0x7f carries that bit, wherever in its byte it is, to the top.
    let places = (u64::from(bits) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    ((places + 0x7f7f_7f7f_7f7f_7f7f) >> 7) & 0x0101_0101_0101_0101
}

fn has_no_float(kind: &DataType) -> bool {
    !kind.is_nested() && !kind.is_floating() && !matches!(kind, DataType::Dictionary(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_bits_are_the_bits() {
        let bits: Vec<bool> = (0..1_000).map(|n| n % 3 == 0 || n % 7 == 2).collect();
        let buffer = BooleanBuffer::from(bits.clone());
        for (from, len) in [(0, 1_000), (1, 999), (3, 64), (5, 0), (7, 130), (63, 9), (64, 8)] {
            let mut out = vec![9];
            spread(&buffer.slice(from, len), &mut out);
            let expected: Vec<u8> = std::iter::once(9)
                .chain(bits[from..from + len].iter().map(|&bit| bit.into()))
                .collect();
            assert_eq!(out, expected, "{len} bits from {from}");
        }
        assert!(
            (0..=255)
                .all(|byte: u8| (0..8).all(|at| eight(byte).to_le_bytes()[at] == byte >> at & 1))
        );
    }

    #[test]
    fn marked_columns_stay_so_where_their_slots_do() {
        let mut cells = crate::build::Fixed::marking(f64::NAN);
        cells.push(1.5);
        cells.push_null();
        let column = cells.finish(&Type::Float64);
        let rows = arrow_array::UInt32Array::from(vec![1, 0, 1]);
        let missing = arrow_array::UInt32Array::from(vec![Some(0), None]);
        assert!(column.slice(1, 1).marks_nulls());
        assert!(column.take(&rows).is_ok_and(|taken| taken.marks_nulls()));
        assert!(column.take(&missing).is_ok_and(|taken| !taken.marks_nulls()));
        let plain = Column::nulls(&Type::Float64, 1);
        assert!(Column::concat(&[&column, &column]).is_ok_and(|both| both.marks_nulls()));
        assert!(Column::concat(&[&column, &plain]).is_ok_and(|both| !both.marks_nulls()));
    }
}
