use std::fmt;

use rowmill_columns::{Scalar, Type};

/// What an expression's values are, as far as its meaning goes: integers of every width are one kind,
/// and so are both floats, both timestamps, text and enums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not known before a schema or a database tells: the column of `col("x")`.
    Any,
    /// One value.
    One(Base),
    /// A list of values.
    List(Base),
}

/// The kind of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// NULL alone.
    Null,
    /// True or false.
    Bool,
    /// An integer of at most 64 bits.
    Int,
    /// A float.
    Float,
    /// An exact decimal.
    Decimal,
    /// Text, or a label of an enum.
    Text,
    /// Bytes.
    Bytes,
    /// JSON.
    Json,
    /// A UUID.
    Uuid,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A wall clock: a date and a time of day without a zone.
    Timestamp,
    /// A point in time, in UTC.
    Instant,
    /// Months, days and microseconds.
    Interval,
    /// What none of these is: it can be selected, and asked whether it is NULL.
    Other,
}

impl Kind {
    /// The kind of one bool.
    pub const BOOL: Self = Self::One(Base::Bool);
    /// The kind of one integer.
    pub const INT: Self = Self::One(Base::Int);
    /// The kind of one float.
    pub const FLOAT: Self = Self::One(Base::Float);
    /// The kind of one text.
    pub const TEXT: Self = Self::One(Base::Text);

    /// The kind of a column of this type.
    pub fn of(column: &Type) -> Self {
        match column {
            Type::List(element) => match Self::of(element) {
                Self::One(base) => Self::List(base),
                _ => Self::One(Base::Other),
            },
            other => Self::One(Base::of(other)),
        }
    }

    /// The kind of a value. A list's is that of its first element; an empty list's is a list of NULL.
    pub fn of_scalar(value: &Scalar) -> Self {
        match value {
            Scalar::List(values) if values.integers().is_some_and(|all| !all.is_empty()) => {
                Self::List(Base::Int)
            }
            Scalar::List(values) => {
                let first = values.iter().map(Self::of_scalar).find(|kind| *kind != Self::NULL);
                match first {
                    Some(Self::One(base)) => Self::List(base),
                    Some(_) => Self::One(Base::Other),
                    None => Self::List(Base::Null),
                }
            }
            other => Self::One(Base::of_scalar(other)),
        }
    }

    /// The kind of NULL.
    pub const NULL: Self = Self::One(Base::Null);

    /// Whether a number may be of this kind.
    pub fn may_be_number(self) -> bool {
        match self {
            Self::Any => true,
            Self::One(base) => base.is_number() || base == Base::Null,
            Self::List(_) => false,
        }
    }

    /// Whether a value of this kind may be a `base`.
    pub fn may_be(self, base: Base) -> bool {
        matches!(self, Self::Any | Self::NULL) || self == Self::One(base)
    }
}

impl Base {
    /// The kind of a column's values.
    pub fn of(column: &Type) -> Self {
        match column {
            Type::Null => Self::Null,
            Type::Bool => Self::Bool,
            Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::UInt8
            | Type::UInt16
            | Type::UInt32
            | Type::UInt64 => Self::Int,
            Type::Float32 | Type::Float64 => Self::Float,
            Type::Decimal { .. } => Self::Decimal,
            Type::Text | Type::Enum => Self::Text,
            Type::Bytes => Self::Bytes,
            Type::Json => Self::Json,
            Type::Uuid => Self::Uuid,
            Type::Date => Self::Date,
            Type::Time => Self::Time,
            Type::Timestamp { utc: false } => Self::Timestamp,
            Type::Timestamp { utc: true } => Self::Instant,
            Type::Interval => Self::Interval,
            Type::List(_) | Type::Foreign(_) => Self::Other,
        }
    }

    fn of_scalar(value: &Scalar) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Bool(_) => Self::Bool,
            Scalar::Int(_) => Self::Int,
            Scalar::Float(_) => Self::Float,
            Scalar::Decimal(_) => Self::Decimal,
            Scalar::Text(_) => Self::Text,
            Scalar::Bytes(_) => Self::Bytes,
            Scalar::Json(_) => Self::Json,
            Scalar::Uuid(_) => Self::Uuid,
            Scalar::Date(_) => Self::Date,
            Scalar::Time(_) | Scalar::TimeTz { .. } => Self::Time,
            Scalar::Timestamp { utc: false, .. } => Self::Timestamp,
            Scalar::Timestamp { utc: true, .. } => Self::Instant,
            Scalar::Interval { .. } => Self::Interval,
            Scalar::List(_) | Scalar::Struct(_) => Self::Other,
        }
    }

    /// Whether this is a date, or a date with a time.
    pub fn is_dated(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp | Self::Instant)
    }

    /// Whether this is a number.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Decimal)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Instant => "timestamp[utc]",
            Self::Interval => "interval",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::One(base) => base.fmt(f),
            Self::List(base) => write!(f, "list[{base}]"),
        }
    }
}

impl Kind {
    /// A number of its own, for shapes.
    pub(crate) fn tag(self) -> u64 {
        match self {
            Self::Any => 0,
            Self::One(base) => 1 + base as u64,
            Self::List(base) => 100 + base as u64,
        }
    }
}
