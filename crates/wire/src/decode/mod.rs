//! From DataRow to columns: cells go from the read buffer straight into builders.
//!
//! Structure that cannot be (a cell of a wrong length, a row of too few cells) is a
//! [`ProtocolError`](crate::ProtocolError); a value that is well-formed and that the column's type
//! cannot hold is a [`DecodeError`](crate::DecodeError), which costs the request but not the
//! connection.

mod array;
mod column;
mod composite;
mod first;
mod fixed;
mod hstore;
mod levels;
mod made;
#[cfg(test)]
mod nested_tests;
mod numeric;
mod plan;
mod range;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod text;
mod text_array;
mod time;
mod vector;

pub(crate) use first::first_row;
pub(crate) use fixed::FixedRows;
pub(crate) use plan::ColumnPlan;
pub(crate) use row::{RowDecoder, Stop};

/// Why a cell was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellError {
    /// It cannot be what the server calls it.
    Malformed(&'static str),
    /// It is a value that the column's type has no place for.
    Unrepresentable(&'static str),
    /// Text that is not UTF-8.
    NotUtf8,
    /// An array of another depth than the column's.
    Depth { column: usize, value: usize },
    /// A composite whose attributes are not those that were looked up.
    Altered,
}

/// A part behind its length, `None` for a NULL, at the start of `bytes`, and what comes after it.
#[inline(always)]
fn with_length(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (&len, rest) = bytes.split_first_chunk::<4>()?;
    match i32::from_be_bytes(len) {
        -1 => Some((None, rest)),
        len => {
            let (part, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            Some((Some(part), rest))
        }
    }
}
