use std::sync::Arc;

use rowmill_columns::Type;
use rowmill_columns::build::{Bits, Bytes, Decimal, Fixed};

use super::array::ArrayDecoder;
use super::column::ColumnDecoder;
use super::composite::{self, CompositeDecoder};
use super::made::MadeText;
use super::range::{self, MultirangeDecoder, RangeDecoder};
use super::vector::{self, VectorDecoder};
use crate::catalogue::{self, Resolved, Shape};
use crate::oid::{self, Kind};

/// How values that come in binary are read, worked out once for a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Scalar(Scalar),
    /// An array; `oid` is what its own header names the elements by.
    Array {
        oid: u32,
        element: Arc<Reader>,
    },
    Range(Arc<Reader>),
    Multirange(Arc<Reader>),
    Composite(Arc<[Member]>),
}

/// An attribute of a composite; `oid` is what each value names its type by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: Arc<str>,
    pub(crate) oid: u32,
    pub(crate) reader: Reader,
}

/// A scalar with what its decoder has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(super) kind: Kind,
    /// Precision and scale, where the type declares them.
    digits: Option<(u8, u8)>,
    /// The length of vectors, where the type declares it.
    dimension: Option<usize>,
}

/// The longest vector of pgvector; a NULL takes as much room as a value does.
const MAX_DIMENSION: usize = 16_000;

/// The widest decimal there is.
const MAX_DIGITS: u32 = 76;

impl Reader {
    /// For a column of this type; `None` where it is better had as text.
    pub(crate) fn new(resolved: &Resolved) -> Option<Self> {
        if !resolved.shape.all(Kind::decodes_binary) {
            return None;
        }
        let reader = Self::nested(resolved);
        // More digits than decimals hold: exact as text, from the first row on.
        let is_too_wide = matches!(
            reader,
            Self::Scalar(Scalar { kind: Kind::Numeric, digits: None, .. }) if resolved.typmod >= 0
        );
        (!is_too_wide).then_some(reader)
    }

    fn nested(resolved: &Resolved) -> Self {
        let part = |part: &Resolved| Arc::new(Self::nested(part));
        match &resolved.shape {
            Shape::Scalar(kind) => Self::Scalar(Scalar::new(*kind, resolved.typmod)),
            Shape::Array { oid, element } => Self::Array { oid: *oid, element: part(element) },
            Shape::Range(bound) => Self::Range(part(bound)),
            Shape::Multirange(bound) => Self::Multirange(part(bound)),
            Shape::Composite(members) => {
                let member = |member: &catalogue::Member| Member {
                    name: member.name.as_str().into(),
                    oid: member.oid,
                    reader: Self::nested(&member.resolved),
                };
                Self::Composite(members.iter().map(member).collect())
            }
        }
    }

    /// The type of the column, as far as it is known before any value.
    pub(crate) fn column_type(&self) -> Type {
        match self {
            Self::Scalar(scalar) => scalar.column_type(),
            Self::Array { element, .. } => Type::List(Box::new(element.column_type())),
            Self::Range(bound) => range::column_type(&bound.column_type()),
            Self::Multirange(bound) => {
                Type::List(Box::new(range::column_type(&bound.column_type())))
            }
            Self::Composite(members) => composite::column_type(members),
        }
    }

    /// An empty decoder.
    pub(crate) fn decoder(&self) -> ColumnDecoder {
        match self {
            Self::Scalar(scalar) => scalar.decoder(),
            Self::Array { oid, element } => {
                ColumnDecoder::Array(Box::new(ArrayDecoder::new(*oid, Arc::clone(element))))
            }
            Self::Range(bound) => ColumnDecoder::Range(Box::new(RangeDecoder::new(bound))),
            Self::Multirange(bound) => {
                ColumnDecoder::Multirange(Box::new(MultirangeDecoder::new(bound)))
            }
            Self::Composite(members) => {
                ColumnDecoder::Composite(Box::new(CompositeDecoder::new(members)))
            }
        }
    }
}

impl Scalar {
    fn new(kind: Kind, typmod: i32) -> Self {
        let declared = oid::numeric_modifier(typmod).and_then(|(precision, scale)| {
            // A negative scale rounds to tens, hundreds: whole numbers of more digits. A scale
            // beyond the precision: a fraction that begins with zeros.
            let digits = if scale < 0 { precision + scale.unsigned_abs() } else { precision };
            let scale = u32::try_from(scale).unwrap_or(0);
            let digits = digits.max(scale).max(1);
            let fits = digits <= MAX_DIGITS;
            fits.then_some((digits as u8, scale as u8))
        });
        let is_vector = matches!(kind, Kind::Vector | Kind::Halfvec);
        let dimension = usize::try_from(typmod)
            .ok()
            .filter(|len| is_vector && (1..=MAX_DIMENSION).contains(len));
        Self { kind, digits: declared.filter(|_| kind == Kind::Numeric), dimension }
    }

    pub(crate) fn column_type(self) -> Type {
        match self.kind {
            Kind::Bool => Type::Bool,
            Kind::Int2 => Type::Int16,
            Kind::Int4 => Type::Int32,
            Kind::Int8 => Type::Int64,
            Kind::Oid => Type::UInt32,
            Kind::Float4 => Type::Float32,
            Kind::Float8 => Type::Float64,
            Kind::Numeric => match self.digits {
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
            Kind::Vector | Kind::Halfvec => vector::column_type(self.dimension),
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
    pub(crate) fn decoder(self) -> ColumnDecoder {
        match self.kind {
            Kind::Bool => ColumnDecoder::Bool(Bits::default()),
            Kind::Int2 => ColumnDecoder::Int2(Fixed::new(0)),
            Kind::Int4 => ColumnDecoder::Int4(Fixed::new(0)),
            Kind::Int8 => ColumnDecoder::Int8(Fixed::new(0)),
            Kind::Oid => ColumnDecoder::Oid(Fixed::new(0)),
            Kind::Float4 => ColumnDecoder::Float4(Fixed::marking(f32::NAN)),
            Kind::Float8 => ColumnDecoder::Float8(Fixed::marking(f64::NAN)),
            Kind::Numeric => ColumnDecoder::Numeric(match self.digits {
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
                ColumnDecoder::Made(Box::new(MadeText { kind: self.kind, texts }))
            }
            Kind::Hstore => ColumnDecoder::Map(Box::default()),
            Kind::Vector | Kind::Halfvec => {
                let is_half = self.kind == Kind::Halfvec;
                ColumnDecoder::Vector(Box::new(VectorDecoder::new(is_half, self.dimension)))
            }
            Kind::Enum => ColumnDecoder::Enum(Box::default()),
        }
    }
}
