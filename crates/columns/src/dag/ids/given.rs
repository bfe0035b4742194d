use arrow_schema::DataType;

use super::{Id, Spelling, hex};
use crate::kernels::view::{Values, View};
use crate::{Column, ColumnError, Type, Value};

/// The most bytes that digits stand for, and that a uuid has.
const MOST: usize = 32;

/// A column of ids as it came.
pub(in crate::dag) struct Given<'a> {
    kind: &'a Type,
    column: &'a Column,
    view: View<'a>,
}

impl<'a> Given<'a> {
    pub(in crate::dag) fn new(kind: &'a Type, column: &'a Column) -> Self {
        Self { kind, column, view: View::new(column) }
    }

    pub(in crate::dag) fn len(&self) -> usize {
        self.view.len
    }

    /// How such ids are spelled; `None` where all are NULL by their type.
    pub(in crate::dag) fn spelling(&self) -> Result<Option<Spelling>, ColumnError> {
        use Type as T;
        Ok(Some(match self.kind.meaning() {
            T::Null => return Ok(None),
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => {
                Spelling::Signed
            }
            T::UInt64 => Spelling::Unsigned,
            // A list of Python's with a number that 63 bits do not hold comes as decimals.
            T::Decimal { scale: 0, .. } => {
                let is_large = |row| decimal(&self.column.value(self.kind, row)) > i64::MAX.into();
                if (0..self.len()).any(is_large) { Spelling::Unsigned } else { Spelling::Signed }
            }
            T::Text | T::Enum => Spelling::Text,
            T::Bytes => Spelling::Bytes,
            T::Uuid => Spelling::Uuid,
            T::Foreign(foreign) if matches!(foreign.storage(), DataType::FixedSizeBinary(_)) => {
                Spelling::Bytes
            }
            other => {
                let way = match other {
                    T::Float64 => {
                        "; integers that may be missing are floats to pandas: .astype(\"Int64\")"
                    }
                    _ => "",
                };
                let message = format!("ids are integers, text, bytes or uuids, not {other}{way}");
                return Err(ColumnError::new(message));
            }
        }))
    }

    /// Whether all are text of so many digits, NULLs apart.
    pub(in crate::dag) fn is_hex(&self, bytes: usize) -> bool {
        let mut room = [0; MOST];
        (0..self.len()).all(|row| match self.id(row, Spelling::Text, &mut [0; MOST]) {
            None => true,
            Some(Id::Bytes(digits)) => hex::read(digits, &mut room[..bytes]),
            Some(Id::Number(_)) => false,
        })
    }

    /// The bytes for which the first text has the digits, if those of a hash.
    pub(in crate::dag) fn digits(&self) -> Option<usize> {
        let mut room = [0; MOST];
        let first =
            (0..self.len()).find_map(|row| match self.id(row, Spelling::Text, &mut room) {
                Some(Id::Bytes(text)) => Some(text.len()),
                _ => None,
            })?;
        // SHA-1 and SHA-256.
        [20, 32].into_iter().find(|bytes| bytes * 2 == first)
    }

    /// The id in `row`, spelled as said; `None` where it is NULL, or cannot be spelled so.
    #[inline]
    pub(in crate::dag) fn id<'b>(
        &self,
        row: usize,
        spelling: Spelling,
        room: &'b mut [u8; MOST],
    ) -> Option<Id<'b>>
    where
        'a: 'b,
    {
        if self.view.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let bytes = match &self.view.values {
            Values::I64(cells) => return number(cells[row], spelling),
            Values::Bytes(strings) => strings.get(row),
            _ => match self.column.value(self.kind, row) {
                Value::Int(cell) => return number(cell, spelling),
                Value::UInt(cell) => return unsigned(cell, spelling),
                value @ Value::Decimal(_) => {
                    let cell = decimal(&value);
                    return match i64::try_from(cell) {
                        Ok(cell) => number(cell, spelling),
                        Err(_) => unsigned(u64::try_from(cell).ok()?, spelling),
                    };
                }
                Value::Text(text) => text.as_bytes(),
                Value::Bytes(bytes) => bytes,
                Value::Uuid(uuid) => {
                    room[..16].copy_from_slice(&uuid);
                    return Some(Id::Bytes(&room[..16]));
                }
                _ => return None,
            },
        };
        match spelling {
            Spelling::Hex(width) => {
                let room = &mut room[..width];
                hex::read(bytes, room).then_some(Id::Bytes(room))
            }
            _ => Some(Id::Bytes(bytes)),
        }
    }

    /// Whether there is no id in `row`.
    pub(in crate::dag) fn is_null(&self, row: usize) -> bool {
        self.column.is_null(row)
    }

    /// The id in `row`, for messages.
    pub(in crate::dag) fn shown(&self, row: usize) -> String {
        match self.column.value(self.kind, row) {
            Value::Text(text) => format!("{text:?}"),
            Value::Null => "NULL".to_owned(),
            value => value.to_string(),
        }
    }
}

/// A whole number, and of what is none, or has no 128 bits, one that is no id.
fn decimal(value: &Value<'_>) -> i128 {
    match value {
        Value::Decimal(cell) => cell.to_string().parse().unwrap_or(i128::MIN),
        _ => i128::MIN,
    }
}

fn unsigned<'a>(cell: u64, spelling: Spelling) -> Option<Id<'a>> {
    match spelling {
        Spelling::Unsigned => Some(Id::Number(cell as i64)),
        _ => cell.try_into().ok().map(Id::Number),
    }
}

/// No unsigned id is below zero.
fn number<'a>(cell: i64, spelling: Spelling) -> Option<Id<'a>> {
    (cell >= 0 || spelling != Spelling::Unsigned).then_some(Id::Number(cell))
}
