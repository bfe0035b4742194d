use std::borrow::Cow;
use std::cmp::Ordering;

use rowmill_columns::kernels::compare_floats;
use rowmill_columns::{ListValue, Scalar, Value};

use super::dates::midnight;
use super::decimal::Decimal;
use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::matcher::HeldList;

pub(crate) const MICROS_A_DAY: i64 = 86_400_000_000;

/// One row's value of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    Json(&'a str),
    Uuid([u8; 16]),
    Date(i32),
    Time(i64),
    Timestamp(i64),
    Instant(i64),
    Interval(Span),
    List(List<'a>),
    /// What has no operators.
    Other,
}

/// Months, days and microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) micros: i64,
}

impl Span {
    /// As PostgreSQL compares intervals: a month is thirty days, a day is 24 hours.
    fn length(self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * i128::from(MICROS_A_DAY) + i128::from(self.micros)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum List<'a> {
    Value(ListValue<'a>),
    Scalars(&'a [Scalar]),
    Held(HeldList<'a>),
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Value(list) => list.len(),
            Self::Scalars(list) => list.len(),
            Self::Held(list) => list.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Cell<'a> {
        match self {
            Self::Value(list) => list.get(at).into(),
            Self::Scalars(list) => (&list[at]).into(),
            Self::Held(list) => list.get(at),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Cell<'a>> {
        (0..self.len()).map(move |at| self.get(at))
    }
}

impl<'a> From<Value<'a>> for Cell<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            // Beyond 64 bits with a sign it is a number still.
            Value::UInt(value) => i64::try_from(value)
                .map_or_else(|_| Self::Decimal(Decimal::new(value.into(), 0)), Self::Int),
            Value::Float(value) => Self::Float(value),
            Value::Float32(value) => Self::Float(value.into()),
            Value::Decimal(value) => match value.unscaled() {
                Some(unscaled) => Self::Decimal(Decimal::new(unscaled, value.scale().into())),
                None => Self::Other,
            },
            Value::Text(value) => Self::Text(value.into()),
            Value::Bytes(value) => Self::Bytes(value),
            Value::Json(value) => Self::Json(value),
            Value::Uuid(value) => Self::Uuid(value),
            Value::Date(days) => Self::Date(days),
            Value::Time(micros) => Self::Time(micros),
            Value::Timestamp { micros, utc: false } => Self::Timestamp(micros),
            Value::Timestamp { micros, utc: true } => Self::Instant(micros),
            Value::Interval { months, days, nanos } => {
                Self::Interval(Span { months, days, micros: nanos / 1_000 })
            }
            Value::List(list) => Self::List(List::Value(list)),
            Value::Struct(_) | Value::Map(_) | Value::Foreign(_) => Self::Other,
        }
    }
}

impl<'a> From<&'a Scalar> for Cell<'a> {
    fn from(value: &'a Scalar) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Int(value) => Self::Int(*value),
            Scalar::Float(value) => Self::Float(*value),
            Scalar::Decimal(text) => match Decimal::parse(text) {
                Some(value) => Self::Decimal(value),
                // NaN and infinities, which no decimal column here holds.
                None => text.parse().map_or(Self::Other, Self::Float),
            },
            Scalar::Text(value) => Self::Text(value.into()),
            Scalar::Bytes(value) => Self::Bytes(value),
            Scalar::Json(value) => Self::Json(value),
            Scalar::Uuid(value) => Self::Uuid(*value),
            Scalar::Date(days) => Self::Date(*days),
            Scalar::Time(micros) => Self::Time(*micros),
            Scalar::Timestamp { micros, utc: false } => Self::Timestamp(*micros),
            Scalar::Timestamp { micros, utc: true } => Self::Instant(*micros),
            Scalar::Interval { months, days, micros } => {
                Self::Interval(Span { months: *months, days: *days, micros: *micros })
            }
            Scalar::List(values) => Self::List(List::Scalars(values)),
            Scalar::TimeTz { .. } | Scalar::Struct(_) => Self::Other,
        }
    }
}

impl Cell<'_> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The order of two values of comparable kinds, of which none is NULL.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        use Cell as C;
        Some(match (self, other) {
            (C::Bool(a), C::Bool(b)) => a.cmp(b),
            (C::Int(a), C::Int(b))
            | (C::Time(a), C::Time(b))
            | (C::Timestamp(a), C::Timestamp(b))
            | (C::Instant(a), C::Instant(b)) => a.cmp(b),
            (C::Decimal(a), C::Decimal(b)) => a.compare(b),
            (C::Decimal(a), C::Int(b)) => a.compare(&Decimal::new((*b).into(), 0)),
            (C::Int(a), C::Decimal(b)) => Decimal::new((*a).into(), 0).compare(b),
            (C::Text(a), C::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (C::Bytes(a), C::Bytes(b)) => a.cmp(b),
            (C::Uuid(a), C::Uuid(b)) => a.cmp(b),
            (C::Date(a), C::Date(b)) => a.cmp(b),
            (C::Date(a), C::Timestamp(b)) => moment(*a).cmp(&(*b).into()),
            (C::Timestamp(a), C::Date(b)) => i128::from(*a).cmp(&moment(*b)),
            (C::Interval(a), C::Interval(b)) => a.length().cmp(&b.length()),
            (C::List(a), C::List(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    // As PostgreSQL's arrays: NULL equals NULL in them, and is above all else.
                    let order = match (a.is_null(), b.is_null()) {
                        (false, false) => a.compare(&b)?,
                        (a, b) => a.cmp(&b),
                    };
                    if order.is_ne() {
                        return Some(order);
                    }
                }
                a.len().cmp(&b.len())
            }
            (a, b) => compare_floats(a.float()?, b.float()?),
        })
    }

    /// The number as a float.
    pub(crate) fn float(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Decimal(value) => Some(value.float()),
            _ => None,
        }
    }

    /// The value as one of a wider kind, as where a float may come from another branch.
    ///
    /// # Errors
    /// Where a timestamp cannot be as far off as a date is.
    pub(crate) fn widened(self, kind: Kind) -> Result<Self, ExprError> {
        Ok(match (kind, &self) {
            (Kind::FLOAT, Self::Int(_) | Self::Decimal(_)) => {
                self.float().map_or(self, Self::Float)
            }
            (Kind::One(Base::Decimal), Self::Int(value)) => {
                Self::Decimal(Decimal::new((*value).into(), 0))
            }
            (Kind::One(Base::Timestamp), Self::Date(days)) => Self::Timestamp(midnight(*days)?),
            _ => self,
        })
    }
}

/// Where a date begins, in microseconds: dates reach further than 64 bits of these.
fn moment(days: i32) -> i128 {
    i128::from(days) * i128::from(MICROS_A_DAY)
}
