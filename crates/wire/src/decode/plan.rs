use std::sync::Arc;

use rowmill_columns::Type;
use rowmill_columns::build::{Bits, Bytes, Decimal, Fixed};

use super::CellError;
use super::array::ArrayDecoder;
use super::column::ColumnDecoder;
use super::first;
use crate::DecodeError;
use crate::catalogue::{Resolved, Shape};
use crate::message::ColumnDescription;
use crate::oid::{self, Kind};

/// How one column is read, worked out once for a statement.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) name: Arc<str>,
    /// PostgreSQL's name of its type.
    type_name: Arc<str>,
    read: Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// In text format, whatever it is.
    AsText,
    Scalar(Scalar),
    Array {
        oid: u32,
        element: Scalar,
    },
}

/// A scalar with what its decoder has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    kind: Kind,
    /// Precision and scale, where the type declares them.
    digits: Option<(u8, u8)>,
}

/// The widest decimal there is.
const MAX_DIGITS: u32 = 76;

impl ColumnPlan {
    pub(crate) fn new(column: &ColumnDescription, resolved: Resolved) -> Self {
        let declared = oid::numeric_modifier(resolved.typmod).and_then(|(precision, scale)| {
            // A negative scale rounds to tens, hundreds: whole numbers of more digits. A scale
            // beyond the precision: a fraction that begins with zeros.
            let digits = if scale < 0 { precision + scale.unsigned_abs() } else { precision };
            let scale = u32::try_from(scale).unwrap_or(0);
            let digits = digits.max(scale).max(1);
            let fits = digits <= MAX_DIGITS;
            fits.then_some((digits as u8, scale as u8))
        });
        let scalar = |kind| Scalar { kind, digits: declared.filter(|_| kind == Kind::Numeric) };
        let read = match resolved.shape {
            Shape::Scalar(kind) | Shape::Array { element: kind, .. } if !kind.decodes_binary() => {
                Read::AsText
            }
            // More digits than decimals hold: exact as text, from the first row on.
            Shape::Scalar(Kind::Numeric) if resolved.typmod >= 0 && declared.is_none() => {
                Read::AsText
            }
            Shape::Scalar(kind) => Read::Scalar(scalar(kind)),
            Shape::Array { oid, element } => Read::Array { oid, element: scalar(element) },
        };
        Self { name: Arc::clone(&column.name), type_name: resolved.name.into(), read }
    }

    /// Whether its values go into a row without columns.
    pub(crate) fn is_plain(&self) -> bool {
        match self.read {
            Read::AsText => true,
            Read::Scalar(scalar) => first::is_plain(scalar.kind),
            Read::Array { .. } => false,
        }
    }

    /// How its cells are read, where it is [plain](Self::is_plain).
    pub(super) fn plain_kind(&self) -> Kind {
        match self.read {
            Read::Scalar(scalar) => scalar.kind,
            Read::AsText | Read::Array { .. } => Kind::Text,
        }
    }

    /// Whether it is asked for in binary.
    pub(crate) fn binary(&self) -> bool {
        self.read != Read::AsText
    }

    /// Reads the column as text, whatever its type.
    pub(crate) fn become_text(&mut self) {
        self.read = Read::AsText;
    }

    /// The column's type, as far as it is known before any row.
    pub(crate) fn kind(&self) -> Type {
        match self.read {
            Read::AsText => Type::Text,
            Read::Scalar(scalar) => scalar.column_type(),
            Read::Array { element, .. } => Type::List(Box::new(element.column_type())),
        }
    }

    /// An empty decoder of this column.
    pub(crate) fn decoder(&self) -> ColumnDecoder {
        match self.read {
            Read::AsText => ColumnDecoder::Plain(Bytes::text()),
            Read::Scalar(scalar) => scalar.decoder(),
            Read::Array { oid, element } => {
                ColumnDecoder::Array(Box::new(ArrayDecoder::new(oid, element)))
            }
        }
    }

    /// What to say of a value of this column, in row `row` of the result, that could not be taken.
    pub(crate) fn error(&self, row: u64, message: impl Into<String>) -> DecodeError {
        DecodeError {
            column: self.name.to_string(),
            row,
            type_name: self.type_name.to_string(),
            message: message.into(),
        }
    }

    /// As [`error`](Self::error), of text that is not UTF-8.
    pub(crate) fn not_utf8(&self, row: u64) -> DecodeError {
        let name = self.name.replace('"', "\"\"");
        self.error(
            row,
            format!(
                "text that is not UTF-8; cast it to bytea, as in convert_to(\"{name}\", 'SQL_ASCII')"
            ),
        )
    }

    /// As [`error`](Self::error), of what a decoder said, with the way out.
    pub(crate) fn cell_error(&self, row: u64, error: CellError) -> DecodeError {
        let what = match error {
            CellError::NotUtf8 => return self.not_utf8(row),
            CellError::Malformed(what) | CellError::Unrepresentable(what) => what.to_owned(),
            CellError::Depth { column, value } => format!(
                "an array of {value} dimensions, where earlier ones of the column have {column}"
            ),
        };
        let name = self.name.replace('"', "\"\"");
        self.error(row, format!("{what}; cast it in the statement: \"{name}\"::text"))
    }
}

impl Scalar {
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
            Kind::Text | Kind::Char | Kind::Void | Kind::Unknown => Type::Text,
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
            Kind::Uuid => ColumnDecoder::Uuid(Fixed::new(0)),
            Kind::Enum => ColumnDecoder::Enum(Box::default()),
        }
    }
}
