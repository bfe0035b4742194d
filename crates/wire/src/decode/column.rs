use rowmill_columns::build::{Bits, Bytes, Decimal, Dictionary, Fixed, TextError, TextMap};
use rowmill_columns::{Column, Type};

use super::array::ArrayDecoder;
use super::composite::CompositeDecoder;
use super::made::MadeText;
use super::range::{MultirangeDecoder, RangeDecoder};
use super::text_array::TextArrayDecoder;
use super::vector::VectorDecoder;
use super::{CellError, hstore, numeric, text, time};

/// A column's builder, and by its variant the way cells are read into it.
///
/// An enum rather than a trait object: the row loop matches and the push is inlined there.
#[derive(Debug)]
pub(crate) enum ColumnDecoder {
    Bool(Bits),
    Int2(Fixed<i16>),
    Int4(Fixed<i32>),
    Int8(Fixed<i64>),
    Oid(Fixed<u32>),
    Float4(Fixed<f32>),
    Float8(Fixed<f64>),
    /// Text or bytes, as they are.
    Plain(Bytes),
    Jsonb(Bytes),
    Char(Bytes),
    Void(Bytes),
    Date(Fixed<i32>),
    Time(Fixed<i64>),
    Timestamp(Fixed<i64>),
    Interval(Fixed<i128>),
    Uuid(Fixed<i128>),
    Numeric(Decimal),
    Enum(Box<Dictionary>),
    Xid8(Fixed<u64>),
    Made(Box<MadeText>),
    Map(Box<TextMap>),
    Vector(Box<VectorDecoder>),
    Array(Box<ArrayDecoder>),
    TextArray(Box<TextArrayDecoder>),
    Range(Box<RangeDecoder>),
    Multirange(Box<MultirangeDecoder>),
    Composite(Box<CompositeDecoder>),
}

/// A column that could not be finished, as it holds text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinishError {
    /// In this row of the batch.
    Row(usize),
    /// In this element, counted over all rows of the batch.
    Element(usize),
}

impl From<TextError> for FinishError {
    fn from(error: TextError) -> Self {
        Self::Row(error.row)
    }
}

impl FinishError {
    /// The error of text that stands within the column's values.
    pub(super) fn element(error: TextError) -> Self {
        Self::Element(error.row)
    }

    /// The error of a column that stands within another.
    pub(super) fn inner(self) -> Self {
        match self {
            Self::Row(at) | Self::Element(at) => Self::Element(at),
        }
    }
}

impl ColumnDecoder {
    /// The decoder of the next batch, where this one has found something that the next must know:
    /// a decimal's scale, an array's depth. What was found can then only grow.
    pub(super) fn next(&self) -> Option<Self> {
        match self {
            Self::Numeric(decimals) => Some(Self::Numeric(decimals.next())),
            Self::Array(array) => Some(Self::Array(Box::new(array.next()))),
            Self::TextArray(array) => Some(Self::TextArray(Box::new(array.next()))),
            Self::Range(ranges) => Some(Self::Range(Box::new(ranges.next()))),
            Self::Multirange(ranges) => Some(Self::Multirange(Box::new(ranges.next()))),
            Self::Composite(rows) => Some(Self::Composite(Box::new(rows.next()))),
            _ => None,
        }
    }
}

/// The cell, which must have this very length.
#[inline(always)]
pub(super) fn exactly<const N: usize>(cell: &[u8]) -> Result<[u8; N], CellError> {
    match cell.try_into() {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(CellError::Malformed("a value that does not have its type's length")),
    }
}

#[inline(always)]
pub(super) fn boolean(byte: u8) -> Result<bool, CellError> {
    if byte > 1 {
        Err(CellError::Malformed("a bool that is neither 0 nor 1"))
    } else {
        Ok(byte == 1)
    }
}

impl ColumnDecoder {
    /// Appends a value.
    ///
    /// What is longer than a few instructions is a call from here, so that the loop over a row
    /// keeps its state in registers.
    #[inline(always)]
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        match self {
            Self::Bool(values) => {
                let [byte] = exactly(cell)?;
                values.push(boolean(byte)?);
            }
            Self::Int2(values) => values.push(i16::from_be_bytes(exactly(cell)?)),
            Self::Int4(values) => values.push(i32::from_be_bytes(exactly(cell)?)),
            Self::Int8(values) => values.push(i64::from_be_bytes(exactly(cell)?)),
            Self::Oid(values) => values.push(u32::from_be_bytes(exactly(cell)?)),
            Self::Float4(values) => values.push(f32::from_be_bytes(exactly(cell)?)),
            Self::Float8(values) => values.push(f64::from_be_bytes(exactly(cell)?)),
            Self::Plain(values) => values.push(cell),
            Self::Jsonb(values) => text::push_jsonb(values, cell)?,
            Self::Char(values) => text::push_char(values, cell)?,
            Self::Void(values) => values.push_null(),
            Self::Date(values) => values.push(time::date(i32::from_be_bytes(exactly(cell)?))?),
            Self::Time(values) => values.push(time::time(i64::from_be_bytes(exactly(cell)?))?),
            Self::Timestamp(values) => {
                values.push(time::timestamp(i64::from_be_bytes(exactly(cell)?))?);
            }
            Self::Interval(values) => values.push(time::interval(exactly(cell)?)?),
            Self::Uuid(values) => values.push(i128::from_ne_bytes(exactly(cell)?)),
            Self::Numeric(values) => numeric::push(values, cell)?,
            Self::Enum(values) => values.push(cell),
            Self::Xid8(values) => values.push(u64::from_be_bytes(exactly(cell)?)),
            Self::Made(values) => values.push(cell)?,
            Self::Map(values) => hstore::push(values, cell)?,
            Self::Vector(values) => values.push(cell)?,
            Self::Array(values) => values.push(cell)?,
            Self::TextArray(values) => values.push(cell)?,
            Self::Range(values) => values.push(cell)?,
            Self::Multirange(values) => values.push(cell)?,
            Self::Composite(values) => values.push(cell)?,
        }
        Ok(())
    }

    /// Appends a NULL.
    #[cold]
    pub(crate) fn push_null(&mut self) {
        match self {
            Self::Bool(values) => values.push_null(),
            Self::Int2(values) => values.push_null(),
            Self::Int4(values) | Self::Date(values) => values.push_null(),
            Self::Int8(values) | Self::Time(values) | Self::Timestamp(values) => values.push_null(),
            Self::Oid(values) => values.push_null(),
            Self::Float4(values) => values.push_null(),
            Self::Float8(values) => values.push_null(),
            Self::Plain(values) | Self::Jsonb(values) | Self::Char(values) | Self::Void(values) => {
                values.push_null();
            }
            Self::Interval(values) | Self::Uuid(values) => values.push_null(),
            Self::Numeric(values) => values.push_null(),
            Self::Enum(values) => values.push_null(),
            Self::Xid8(values) => values.push_null(),
            Self::Made(values) => values.texts.push_null(),
            Self::Map(values) => values.push_null(),
            Self::Vector(values) => values.push_null(),
            Self::Array(values) => values.push_null(),
            Self::TextArray(values) => values.push_null(),
            Self::Range(values) => values.push_null(),
            Self::Multirange(values) => values.push_null(),
            Self::Composite(values) => values.push_null(),
        }
    }

    /// Values so far.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int2(values) => values.len(),
            Self::Int4(values) | Self::Date(values) => values.len(),
            Self::Int8(values) | Self::Time(values) | Self::Timestamp(values) => values.len(),
            Self::Oid(values) => values.len(),
            Self::Float4(values) => values.len(),
            Self::Float8(values) => values.len(),
            Self::Plain(values) | Self::Jsonb(values) | Self::Char(values) | Self::Void(values) => {
                values.len()
            }
            Self::Interval(values) | Self::Uuid(values) => values.len(),
            Self::Numeric(values) => values.len(),
            Self::Enum(values) => values.len(),
            Self::Xid8(values) => values.len(),
            Self::Made(values) => values.texts.len(),
            Self::Map(values) => values.len(),
            Self::Vector(values) => values.len(),
            Self::Array(values) => values.len(),
            Self::TextArray(values) => values.len(),
            Self::Range(values) => values.len(),
            Self::Multirange(values) => values.len(),
            Self::Composite(values) => values.len(),
        }
    }

    /// The finished column and its type: `kind`, unless the values showed more.
    pub(crate) fn finish(self, kind: &Type) -> Result<(Type, Column), FinishError> {
        let column = match self {
            Self::Bool(values) => values.finish(),
            Self::Int2(values) => values.finish(kind),
            Self::Int4(values) | Self::Date(values) => values.finish(kind),
            Self::Int8(values) | Self::Time(values) | Self::Timestamp(values) => {
                values.finish(kind)
            }
            Self::Oid(values) => values.finish(kind),
            Self::Float4(values) => values.finish(kind),
            Self::Float8(values) => values.finish(kind),
            Self::Plain(values) | Self::Jsonb(values) | Self::Char(values) | Self::Void(values) => {
                values.finish()?
            }
            Self::Interval(values) | Self::Uuid(values) => values.finish(kind),
            Self::Numeric(values) => return Ok(values.finish()),
            Self::Enum(values) => values.finish()?,
            Self::Xid8(values) => values.finish(kind),
            Self::Made(values) => values.texts.finish()?,
            Self::Map(values) => values.finish().map_err(FinishError::element)?,
            Self::Vector(values) => values.finish(),
            Self::Array(values) => return values.finish(),
            Self::TextArray(values) => return values.finish(),
            Self::Range(values) => return values.finish(),
            Self::Multirange(values) => return values.finish(),
            Self::Composite(values) => return values.finish(),
        };
        Ok((kind.clone(), column))
    }
}
