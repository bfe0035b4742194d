use super::read::value;
use crate::{ColumnError, DecimalValue, Type};

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// None.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A decimal.
    Decimal(DecimalValue),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A UUID.
    Uuid([u8; 16]),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970.
    Timestamp(i64),
    /// Months, days and nanoseconds.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Nanoseconds.
        nanos: i64,
    },
    /// Values of one type.
    List(Elements<'a>),
    /// Another record.
    Record(&'a [u8]),
}

impl Cell<'_> {
    /// What kind of value this is, in words for an error message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Decimal(_) => "a decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a UUID",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::Timestamp(_) => "a timestamp",
            Self::Interval { .. } => "an interval",
            Self::List(_) => "a list",
            Self::Record(_) => "a record",
        }
    }
}

/// The values of a list, where they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elements<'a> {
    /// Values of one width, one after the other.
    Fixed {
        /// What they are.
        kind: &'a Type,
        /// Their bytes.
        bytes: &'a [u8],
        /// How many there are.
        len: usize,
    },
    /// Texts: where each ends, as a u32, and all of them.
    Texts {
        /// What they are.
        kind: &'a Type,
        /// Where each ends, four bytes each.
        ends: &'a [u8],
        /// The texts, one after the other.
        bytes: &'a [u8],
    },
}

impl<'a> Elements<'a> {
    /// The elements of an empty list.
    pub(super) const NONE: Self = Self::Fixed { kind: &Type::Null, bytes: &[], len: 0 };

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Fixed { len, .. } => *len,
            Self::Texts { ends, .. } => ends.len() / 4,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element.
    ///
    /// # Errors
    /// Where its bytes are none of its type.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn get(&self, at: usize) -> Result<Cell<'a>, ColumnError> {
        assert!(at < self.len(), "element {at} of {}", self.len());
        let found = match self {
            Self::Fixed { kind, bytes, len } => {
                let width = bytes.len() / len;
                value(kind, &bytes[at * width..(at + 1) * width])
            }
            Self::Texts { kind: Type::Bytes, .. } => self.text(at).map(Cell::Bytes),
            Self::Texts { .. } => {
                self.text(at).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(Cell::Text)
            }
        };
        found.ok_or_else(|| ColumnError::new(format!("element {at} of a list is broken")))
    }

    /// Texts as they lie; none of values of one width.
    #[inline]
    pub(super) fn pieces(&self) -> impl Iterator<Item = &'a [u8]> {
        let this = *self;
        (0..this.len()).map_while(move |at| this.text(at))
    }

    /// The bytes of a text. Where they are was looked at when the list was opened.
    #[inline]
    fn text(&self, at: usize) -> Option<&'a [u8]> {
        let Self::Texts { ends, bytes, .. } = self else { return None };
        let end = |at: usize| Some(u32::from_le_bytes(*ends.as_chunks().0.get(at)?) as usize);
        let start = if at == 0 { 0 } else { end(at - 1)? };
        bytes.get(start..end(at)?)
    }
}
