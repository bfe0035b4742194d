//! One cell, borrowed from its column.

mod decimal;
mod nested;
mod read;
#[cfg(test)]
mod tests;

use crate::Scalar;

pub use decimal::DecimalValue;
pub(crate) use decimal::write_scaled;
pub use nested::{ListIter, ListValue, MapValue, StructValue};
pub(crate) use read::{Extension, read, read_as};

/// A view of one cell: nothing is copied for text, bytes and lists.
///
/// Equality is that of values: NULL equals NULL and NaN equals NaN. `Display` prints a value as
/// PostgreSQL would with `DateStyle` ISO (see [`text`](crate::text)).
///
/// ```
/// use rowmill_columns::{Type, Value, build::Fixed};
/// let mut days = Fixed::new(0_i32);
/// days.push(19_724);
/// days.push_null();
/// let column = days.finish(&Type::Date);
/// assert_eq!(column.value(&Type::Date, 0), Value::Date(19_724));
/// assert_eq!(column.value(&Type::Date, 0).to_string(), "2024-01-02");
/// assert_eq!(column.value(&Type::Date, 1), Value::Null);
/// ```
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width.
    UInt(u64),
    /// A float of 64 bits.
    Float(f64),
    /// A float of 32 or 16 bits.
    Float32(f32),
    /// An exact decimal.
    Decimal(DecimalValue),
    /// Text, an enum's label among it.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// JSON, unparsed.
    Json(&'a str),
    /// A UUID's sixteen bytes.
    Uuid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// A point in time.
    Timestamp {
        /// Microseconds since 1970-01-01 00:00.
        micros: i64,
        /// True for an instant (UTC), false for a wall clock without a zone.
        utc: bool,
    },
    /// Months, days and nanoseconds, kept apart.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Nanoseconds.
        nanos: i64,
    },
    /// A list.
    List(ListValue<'a>),
    /// Named values.
    Struct(StructValue<'a>),
    /// Values under texts.
    Map(MapValue<'a>),
    /// A value from elsewhere that none of these can hold exactly, as text: a timestamp or time
    /// with a part below the microsecond, one beyond the range of microseconds.
    Foreign(String),
}

impl Value<'_> {
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as an owned scalar, where there is one: not of what has a part below the
    /// microsecond.
    pub fn to_scalar(&self) -> Option<Scalar> {
        Some(match self {
            Self::Null => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Int(value) => Scalar::Int(*value),
            Self::UInt(value) => i64::try_from(*value)
                .map_or_else(|_| Scalar::Decimal(value.to_string()), Scalar::Int),
            Self::Float(value) => Scalar::Float(*value),
            Self::Float32(value) => Scalar::Float(f64::from(*value)),
            Self::Decimal(value) => Scalar::Decimal(value.to_string()),
            Self::Text(value) => Scalar::Text((*value).to_owned()),
            Self::Bytes(value) => Scalar::Bytes(value.to_vec()),
            Self::Json(value) => Scalar::Json((*value).to_owned()),
            Self::Uuid(value) => Scalar::Uuid(*value),
            Self::Date(days) => Scalar::Date(*days),
            Self::Time(micros) => Scalar::Time(*micros),
            Self::Timestamp { micros, utc } => Scalar::Timestamp { micros: *micros, utc: *utc },
            Self::Interval { months, days, nanos } if nanos % 1_000 == 0 => {
                Scalar::Interval { months: *months, days: *days, micros: nanos / 1_000 }
            }
            Self::List(list) => {
                Scalar::List(list.iter().map(|value| value.to_scalar()).collect::<Option<_>>()?)
            }
            Self::Struct(fields) => named(fields.iter())?,
            Self::Map(entries) => named(entries.iter())?,
            Self::Interval { .. } | Self::Foreign(_) => return None,
        })
    }
}

fn named<'a>(fields: impl Iterator<Item = (&'a str, Value<'a>)>) -> Option<Scalar> {
    let owned = fields.map(|(name, value)| Some((name.to_owned(), value.to_scalar()?)));
    owned.collect::<Option<_>>().map(Scalar::Struct)
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::Time(a), Self::Time(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Float32(a), Self::Float32(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Decimal(a), Self::Decimal(b)) => a == b,
            (Self::Text(a), Self::Text(b)) | (Self::Json(a), Self::Json(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (
                Self::Timestamp { micros: a, utc: utc_a },
                Self::Timestamp { micros: b, utc: utc_b },
            ) => a == b && utc_a == utc_b,
            (
                Self::Interval { months: months_a, days: days_a, nanos: a },
                Self::Interval { months: months_b, days: days_b, nanos: b },
            ) => a == b && months_a == months_b && days_a == days_b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Struct(a), Self::Struct(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Foreign(a), Self::Foreign(b)) => a == b,
            _ => false,
        }
    }
}
