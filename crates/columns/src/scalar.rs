use crate::Elements;

/// One owned value: a parameter, a literal, a key.
///
/// Units are those of the columns: days and microseconds since 1970 for dates and timestamps,
/// microseconds for times.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// An exact number in decimal notation, as `-12.50`, `1E+3`, `NaN`, `Infinity`; also integers
    /// beyond 64 bits.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// JSON text, already serialised.
    Json(String),
    /// A UUID's sixteen bytes.
    Uuid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// A time of day in a zone of one offset; no column holds such.
    TimeTz {
        /// Microseconds since midnight.
        micros: i64,
        /// Seconds east of UTC.
        offset: i32,
    },
    /// Microseconds since 1970-01-01 00:00, wall clock without a zone (`utc` false) or instant.
    Timestamp {
        /// Microseconds since 1970-01-01 00:00.
        micros: i64,
        /// True for an instant, false for a wall clock.
        utc: bool,
    },
    /// Months, days and microseconds, kept apart.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Microseconds.
        micros: i64,
    },
    /// A list of values.
    List(Elements),
    /// Values with names, in order: a composite, a range (`lower`, `upper`, `bounds`), an `hstore`, a
    /// JSON object.
    Struct(Vec<(String, Scalar)>),
}

impl Scalar {
    /// A list of these.
    ///
    /// ```
    /// use rowmill_columns::Scalar;
    ///
    /// assert_eq!(Scalar::list([1, 2]), Scalar::List(vec![1, 2].into()));
    /// ```
    pub fn list(elements: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self::List(elements.into_iter().map(Into::into).collect())
    }

    /// What kind of value this is, in words for an error message.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Decimal(_) => "a decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Json(_) => "JSON",
            Self::Uuid(_) => "a UUID",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::TimeTz { .. } => "a time with time zone",
            Self::Timestamp { utc: false, .. } => "a timestamp",
            Self::Timestamp { utc: true, .. } => "a timestamp with time zone",
            Self::Interval { .. } => "an interval",
            Self::List(_) => "a list",
            Self::Struct(_) => "named values",
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident $(as $to:ty)?),+ $(,)?) => {$(
        impl From<$from> for Scalar {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}
from!(bool => Bool, i16 => Int, i32 => Int, i64 => Int, u32 => Int, f32 => Float, f64 => Float,
      &str => Text, String => Text, Vec<u8> => Bytes, &[u8] => Bytes, [u8; 16] => Uuid);

impl<T: Into<Scalar>> From<Option<T>> for Scalar {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
