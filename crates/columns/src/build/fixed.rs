use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, FixedSizeBinaryArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, Buffer, IntervalMonthDayNano, NullBuffer, ScalarBuffer};

use super::Validity;
use crate::{Column, Type};

/// A value that takes the same number of bytes in every row.
pub trait Native: ArrowNativeType {}
impl<T: ArrowNativeType> Native for T {}

/// A builder of fixed-width values: integers, floats, dates, times, uuids (as `i128`).
///
/// A NULL row still has a slot; `null_slot` says what stands there. Floats take NaN and timestamps
/// `i64::MIN` (NumPy's NaT), so that NumPy and pandas can view the buffer without a copy.
///
/// ```
/// use rowmill_columns::{Type, build::Fixed};
/// let mut ids = Fixed::new(0_i64);
/// ids.push(7);
/// ids.push_null();
/// let column = ids.finish(&Type::Int64);
/// assert_eq!((column.len(), column.null_count()), (2, 1));
/// ```
#[derive(Debug)]
pub struct Fixed<T> {
    values: Vec<T>,
    validity: Validity,
    null_slot: T,
    marking: bool,
}

impl<T: Native> Fixed<T> {
    /// An empty builder; NULL rows will hold `null_slot`.
    pub fn new(null_slot: T) -> Self {
        Self { values: Vec::new(), validity: Validity::default(), null_slot, marking: false }
    }

    /// As [`new`](Self::new), with a null slot that no value is equal to: NaN, or NaT for
    /// timestamps that end before it. The column then [says so](Column::marks_nulls).
    pub fn marking(null_slot: T) -> Self {
        Self { marking: true, ..Self::new(null_slot) }
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: T) {
        debug_assert!(!self.marking || value != self.null_slot, "a value marks a NULL");
        self.values.push(value);
    }

    /// Appends a NULL.
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null_at(self.values.len());
        self.values.push(self.null_slot);
    }

    /// Appends a cell for each item, NULL for `None`, and says whether there was one. Where it is known how many come,
    /// this is quicker than one by one.
    #[inline]
    pub(crate) fn extend(&mut self, cells: impl Iterator<Item = Option<T>>) -> bool {
        let (first, null_slot, nulls) = (self.values.len(), self.null_slot, self.validity.nulls());
        let validity = &mut self.validity;
        let mut null = |at: usize| {
            validity.null_at(first + at);
            null_slot
        };
        self.values.extend(cells.enumerate().map(|(at, cell)| cell.unwrap_or_else(|| null(at))));
        self.validity.nulls() > nulls
    }

    /// Rows so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values so far, NULL slots among them.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Makes room for `more` rows.
    pub fn reserve(&mut self, more: usize) {
        self.values.reserve(more);
    }

    /// Bytes held by the values so far.
    pub fn byte_len(&self) -> usize {
        size_of_val(self.values.as_slice())
    }

    /// Replaces every value by `rescale` of it; false, with values as they were, if one has none.
    pub(crate) fn rescale(&mut self, rescale: impl Fn(T) -> Option<T>) -> bool {
        let rescaled: Option<Vec<T>> = self.values.iter().map(|&value| rescale(value)).collect();
        rescaled.map(|values| self.values = values).is_some()
    }

    /// The same rows as another type; NULLs stay NULL.
    pub(crate) fn map<U: Native>(self, null_slot: U, map: impl Fn(T) -> U) -> Fixed<U> {
        let values = self.values.into_iter().map(map).collect();
        Fixed { values, validity: self.validity, null_slot, marking: false }
    }

    /// The values and the bitmap, for builders that stand on this one.
    pub(crate) fn into_parts(self) -> (Vec<T>, Option<NullBuffer>) {
        let rows = self.values.len();
        (self.values, self.validity.finish(rows))
    }

    /// The finished column.
    ///
    /// # Panics
    /// If `T` is not what `kind` is stored as: that is a mistake in the calling code, never in
    /// data. `Int8`..`UInt64` and the floats hold themselves, `Date` is `i32` days, `Time` and
    /// `Timestamp` are `i64` microseconds, `Interval` is [`IntervalMonthDayNano`], `Uuid` is the
    /// sixteen bytes in memory order as `i128`.
    pub fn finish(self, kind: &Type) -> Column {
        let marking = self.marking;
        let (values, nulls) = self.into_parts();
        let rows = values.len();
        let buffer = Buffer::from_vec(values);
        macro_rules! primitive {
            ($arrow:ty, $native:ty) => {{
                assert_eq!(size_of::<T>(), size_of::<$native>(), "{kind:?} is not stored as this");
                let values = ScalarBuffer::<$native>::new(buffer, 0, rows);
                Arc::new(PrimitiveArray::<$arrow>::new(values, nulls)) as ArrayRef
            }};
        }
        let array = match kind {
            Type::Int8 => primitive!(Int8Type, i8),
            Type::Int16 => primitive!(Int16Type, i16),
            Type::Int32 => primitive!(Int32Type, i32),
            Type::Int64 => primitive!(Int64Type, i64),
            Type::UInt8 => primitive!(UInt8Type, u8),
            Type::UInt16 => primitive!(UInt16Type, u16),
            Type::UInt32 => primitive!(UInt32Type, u32),
            Type::UInt64 => primitive!(UInt64Type, u64),
            Type::Float32 => primitive!(Float32Type, f32),
            Type::Float64 => primitive!(Float64Type, f64),
            Type::Date => primitive!(Date32Type, i32),
            Type::Time => primitive!(Time64MicrosecondType, i64),
            Type::Interval => primitive!(IntervalMonthDayNanoType, IntervalMonthDayNano),
            Type::Timestamp { utc } => {
                assert_eq!(size_of::<T>(), 8, "{kind:?} is not stored as this");
                let values = ScalarBuffer::<i64>::new(buffer, 0, rows);
                let array = PrimitiveArray::<TimestampMicrosecondType>::new(values, nulls);
                Arc::new(if *utc { array.with_timezone("UTC") } else { array }) as ArrayRef
            }
            Type::Uuid => {
                assert_eq!(size_of::<T>(), 16, "{kind:?} is not stored as this");
                Arc::new(FixedSizeBinaryArray::new(16, buffer, nulls)) as ArrayRef
            }
            other => panic!("{other:?} has no fixed width"),
        };
        Column::from_marked_array(array, marking)
    }
}
