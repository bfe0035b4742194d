use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, TimeUnit};

use crate::{Column, Type};

/// A column's memory with its layout known, found once for all kernels and chunks of a run.
pub(crate) struct View<'a> {
    pub(crate) values: Values<'a>,
    pub(crate) nulls: Option<&'a NullBuffer>,
    pub(crate) len: usize,
}

/// The layouts that kernels read. Dates, times and decimals are the integers they are stored as.
pub(crate) enum Values<'a> {
    Bool(&'a BooleanArray),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    I128(&'a [i128]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    /// Text or bytes.
    Bytes(Strings<'a>),
    /// Sixteen bytes a row.
    Uuid(&'a [[u8; 16]]),
    Codes(Codes<'a>, &'a ArrayRef),
    List(&'a [i64], &'a ArrayRef),
    /// What has no kernel.
    Other,
}

/// Where each text begins, with one end more, and the bytes of all.
#[derive(Clone, Copy)]
pub(crate) struct Strings<'a> {
    pub(crate) offsets: &'a [i64],
    pub(crate) data: &'a [u8],
}

impl<'a> Strings<'a> {
    #[inline(always)]
    pub(crate) fn get(&self, row: usize) -> &'a [u8] {
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        &self.data[start..end]
    }
}

/// A dictionary's keys.
#[derive(Clone, Copy)]
pub(crate) enum Codes<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
}

impl Codes<'_> {
    #[inline(always)]
    pub(crate) fn get(&self, row: usize) -> usize {
        match self {
            Self::I8(codes) => codes[row] as usize,
            Self::I16(codes) => codes[row] as usize,
            Self::I32(codes) => codes[row] as usize,
            Self::U8(codes) => codes[row] as usize,
            Self::U16(codes) => codes[row] as usize,
            Self::U32(codes) => codes[row] as usize,
        }
    }
}

/// Runs the body with the values of any layout that is integers of at most 64 bits.
macro_rules! integers {
    ($values:expr, |$cells:ident| $body:expr, else $other:expr) => {
        match $values {
            $crate::kernels::view::Values::I8($cells) => $body,
            $crate::kernels::view::Values::I16($cells) => $body,
            $crate::kernels::view::Values::I32($cells) => $body,
            $crate::kernels::view::Values::I64($cells) => $body,
            $crate::kernels::view::Values::U8($cells) => $body,
            $crate::kernels::view::Values::U16($cells) => $body,
            $crate::kernels::view::Values::U32($cells) => $body,
            $crate::kernels::view::Values::U64($cells) => $body,
            _ => $other,
        }
    };
}
pub(crate) use integers;

impl<'a> View<'a> {
    pub(crate) fn new(column: &'a Column) -> Self {
        Self::of(column.array())
    }

    pub(crate) fn of(array: &'a ArrayRef) -> Self {
        use DataType as D;
        macro_rules! cells {
            ($layout:ident, $type:ty) => {
                Values::$layout(array.as_primitive::<$type>().values())
            };
        }
        let values = match array.data_type() {
            D::Boolean => Values::Bool(array.as_boolean()),
            D::Int8 => cells!(I8, Int8Type),
            D::Int16 => cells!(I16, Int16Type),
            D::Int32 => cells!(I32, Int32Type),
            D::Int64 => cells!(I64, Int64Type),
            D::UInt8 => cells!(U8, UInt8Type),
            D::UInt16 => cells!(U16, UInt16Type),
            D::UInt32 => cells!(U32, UInt32Type),
            D::UInt64 => cells!(U64, UInt64Type),
            D::Float32 => cells!(F32, Float32Type),
            D::Float64 => cells!(F64, Float64Type),
            D::Decimal32(..) => cells!(I32, Decimal32Type),
            D::Decimal64(..) => cells!(I64, Decimal64Type),
            D::Decimal128(..) => cells!(I128, Decimal128Type),
            D::Date32 => cells!(I32, Date32Type),
            D::Time32(TimeUnit::Second) => cells!(I32, Time32SecondType),
            D::Time32(_) => cells!(I32, Time32MillisecondType),
            D::Time64(TimeUnit::Nanosecond) => cells!(I64, Time64NanosecondType),
            D::Time64(_) => cells!(I64, Time64MicrosecondType),
            D::Timestamp(TimeUnit::Second, _) => cells!(I64, TimestampSecondType),
            D::Timestamp(TimeUnit::Millisecond, _) => cells!(I64, TimestampMillisecondType),
            D::Timestamp(TimeUnit::Microsecond, _) => cells!(I64, TimestampMicrosecondType),
            D::Timestamp(TimeUnit::Nanosecond, _) => cells!(I64, TimestampNanosecondType),
            D::Duration(TimeUnit::Second) => cells!(I64, DurationSecondType),
            D::Duration(TimeUnit::Millisecond) => cells!(I64, DurationMillisecondType),
            D::Duration(TimeUnit::Microsecond) => cells!(I64, DurationMicrosecondType),
            D::Duration(TimeUnit::Nanosecond) => cells!(I64, DurationNanosecondType),
            D::LargeUtf8 => {
                let array = array.as_string::<i64>();
                Values::Bytes(Strings { offsets: array.value_offsets(), data: array.value_data() })
            }
            D::LargeBinary => {
                let array = array.as_binary::<i64>();
                Values::Bytes(Strings { offsets: array.value_offsets(), data: array.value_data() })
            }
            D::FixedSizeBinary(16) => {
                Values::Uuid(array.as_fixed_size_binary().value_data().as_chunks().0)
            }
            D::Dictionary(..) => Self::codes(array),
            D::LargeList(_) => {
                let list = array.as_list::<i64>();
                Values::List(list.value_offsets(), list.values())
            }
            _ => Values::Other,
        };
        Self { values, nulls: array.nulls(), len: array.len() }
    }

    fn codes(array: &'a ArrayRef) -> Values<'a> {
        let Some(dictionary) = array.as_any_dictionary_opt() else { return Values::Other };
        let (keys, values) = (dictionary.keys(), dictionary.values());
        // A NULL among the values makes rows NULL that the bitmap does not tell of.
        if values.null_count() > 0 || values.is_empty() {
            return Values::Other;
        }
        macro_rules! codes {
            ($layout:ident, $type:ty) => {
                Codes::$layout(keys.as_primitive::<$type>().values())
            };
        }
        let codes = match keys.data_type() {
            DataType::Int8 => codes!(I8, Int8Type),
            DataType::Int16 => codes!(I16, Int16Type),
            DataType::Int32 => codes!(I32, Int32Type),
            DataType::UInt8 => codes!(U8, UInt8Type),
            DataType::UInt16 => codes!(U16, UInt16Type),
            DataType::UInt32 => codes!(U32, UInt32Type),
            _ => return Values::Other,
        };
        Values::Codes(codes, values)
    }
}

/// A dictionary's values as a column, and their type.
pub(super) fn typed(labels: &ArrayRef) -> (Type, Column) {
    let kind = Type::from_field(&Field::new("", labels.data_type().clone(), true));
    (kind, Column::from_array(labels.clone()))
}
