use std::sync::Arc;

use rowmill_columns::Type;
use rowmill_columns::build::{Bits, Bytes, Decimal, Fixed};

use super::array::ArrayDecoder;
use super::column::ColumnDecoder;
use super::composite::{self, CompositeDecoder};
use super::made::MadeText;
use super::range::{self, MultirangeDecoder, RangeDecoder};
use super::vector::{self, VectorDecoder};
use crate::catalogue::{Resolved, Shape};
use crate::oid::{self, Kind};

/// The longest vector of pgvector; a NULL takes as much room as a value does.
const MAX_DIMENSION: usize = 16_000;

/// The widest decimal there is.
const MAX_DIGITS: u32 = 76;

/// How values that come in binary are read.
impl Resolved {
    /// Whether a column of this type is had in binary; else it is better had as text.
    pub(crate) fn decodes_binary(&self) -> bool {
        // More digits than decimals hold: exact as text, from the first row on.
        let is_too_wide = matches!(self.shape, Shape::Scalar(Kind::Numeric))
            && self.typmod >= 0
            && self.digits().is_none();
        self.shape.all(Kind::decodes_binary) && !is_too_wide
    }

    /// The type of the column, as far as it is known before any value.
    pub(crate) fn column_type(&self) -> Type {
        match &self.shape {
            Shape::Scalar(kind) => self.scalar_type(*kind),
            Shape::Array { element, .. } => Type::List(Box::new(element.column_type())),
            Shape::Range(bound) => range::column_type(&bound.column_type()),
            Shape::Multirange(bound) => {
                Type::List(Box::new(range::column_type(&bound.column_type())))
            }
            Shape::Composite(members) => composite::column_type(members),
        }
    }

    /// An empty decoder.
    pub(crate) fn decoder(&self) -> ColumnDecoder {
        match &self.shape {
            Shape::Scalar(kind) => self.scalar_decoder(*kind),
            Shape::Array { oid, element } => {
                ColumnDecoder::Array(Box::new(ArrayDecoder::new(*oid, Arc::clone(element))))
            }
            Shape::Range(bound) => {
                ColumnDecoder::Range(Box::new(RangeDecoder::new(Arc::clone(bound))))
            }
            Shape::Multirange(bound) => {
                ColumnDecoder::Multirange(Box::new(MultirangeDecoder::new(Arc::clone(bound))))
            }
            Shape::Composite(members) => {
                ColumnDecoder::Composite(Box::new(CompositeDecoder::new(Arc::clone(members))))
            }
        }
    }

    /// Precision and scale of a `numeric`, where the type declares them and decimals hold them.
    fn digits(&self) -> Option<(u8, u8)> {
        let (precision, scale) = oid::numeric_modifier(self.typmod)?;
        // A negative scale rounds to tens, hundreds: whole numbers of more digits. A scale
        // beyond the precision: a fraction that begins with zeros.
        let digits = if scale < 0 { precision + scale.unsigned_abs() } else { precision };
        let scale = u32::try_from(scale).unwrap_or(0);
        let digits = digits.max(scale).max(1);
        (digits <= MAX_DIGITS).then_some((digits as u8, scale as u8))
    }

    /// The length of a vector, where the type declares it.
    fn dimension(&self) -> Option<usize> {
        usize::try_from(self.typmod).ok().filter(|len| (1..=MAX_DIMENSION).contains(len))
    }

    fn scalar_type(&self, kind: Kind) -> Type {
        match kind {
            Kind::Bool => Type::Bool,
            Kind::Int2 => Type::Int16,
            Kind::Int4 => Type::Int32,
            Kind::Int8 => Type::Int64,
            Kind::Oid => Type::UInt32,
            Kind::Float4 => Type::Float32,
            Kind::Float8 => Type::Float64,
            Kind::Numeric => match self.digits() {
                Some((precision, scale)) => Type::Decimal { precision, scale: scale as i8 },
                None => Type::Decimal { precision: 38, scale: 0 },
            },
            Kind::Text
            | Kind::Char
            | Kind::Void
            | Kind::Inet
            | Kind::Macaddr
            | Kind::Bits
            | Kind::Timetz
            | Kind::Unknown => Type::Text,
            Kind::Xid8 => Type::UInt64,
            Kind::Hstore => Type::text_map(),
            Kind::Vector | Kind::Halfvec => vector::column_type(self.dimension()),
            Kind::Bytea => Type::Bytes,
            Kind::Date => Type::Date,
            Kind::Time => Type::Time,
            Kind::Timestamp => Type::Timestamp { utc: false },
            Kind::Timestamptz => Type::Timestamp { utc: true },
            Kind::Interval => Type::Interval,
            Kind::Uuid => Type::Uuid,
            Kind::Json | Kind::Jsonb => Type::Json,
            Kind::Enum => Type::Enum,
        }
    }

    /// An empty decoder. NULL slots hold what NumPy and pandas take for missing, where there is
    /// such a thing: NaN, and `i64::MIN` (NaT) for times and timestamps; elsewhere zero.
    fn scalar_decoder(&self, kind: Kind) -> ColumnDecoder {
        match kind {
            Kind::Bool => ColumnDecoder::Bool(Bits::default()),
            Kind::Int2 => ColumnDecoder::Int2(Fixed::new(0)),
            Kind::Int4 => ColumnDecoder::Int4(Fixed::new(0)),
            Kind::Int8 => ColumnDecoder::Int8(Fixed::new(0)),
            Kind::Oid => ColumnDecoder::Oid(Fixed::new(0)),
            Kind::Float4 => ColumnDecoder::Float4(Fixed::marking(f32::NAN)),
            Kind::Float8 => ColumnDecoder::Float8(Fixed::marking(f64::NAN)),
            Kind::Numeric => ColumnDecoder::Numeric(match self.digits() {
                Some((precision, scale)) => Decimal::declared(precision, scale),
                None => Decimal::undeclared(),
            }),
            Kind::Text | Kind::Json | Kind::Unknown => ColumnDecoder::Plain(Bytes::text()),
            Kind::Bytea => ColumnDecoder::Plain(Bytes::binary()),
            Kind::Char => ColumnDecoder::Char(Bytes::text()),
            Kind::Void => ColumnDecoder::Void(Bytes::text()),
            Kind::Jsonb => ColumnDecoder::Jsonb(Bytes::text()),
            Kind::Date => ColumnDecoder::Date(Fixed::new(0)),
            Kind::Time => ColumnDecoder::Time(Fixed::new(i64::MIN)),
            Kind::Timestamp | Kind::Timestamptz => {
                ColumnDecoder::Timestamp(Fixed::marking(i64::MIN))
            }
            Kind::Interval => ColumnDecoder::Interval(Fixed::new(0)),
            Kind::Xid8 => ColumnDecoder::Xid8(Fixed::new(0)),
            Kind::Uuid => ColumnDecoder::Uuid(Fixed::new(0)),
            Kind::Inet | Kind::Macaddr | Kind::Bits | Kind::Timetz => {
                let texts = Bytes::text();
                ColumnDecoder::Made(Box::new(MadeText { kind, texts }))
            }
            Kind::Hstore => ColumnDecoder::Map(Box::default()),
            Kind::Vector | Kind::Halfvec => {
                let is_half = kind == Kind::Halfvec;
                ColumnDecoder::Vector(Box::new(VectorDecoder::new(is_half, self.dimension())))
            }
            Kind::Enum => ColumnDecoder::Enum(Box::default()),
        }
    }
}
