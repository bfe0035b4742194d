//! From DataRow to columns: cells go from the read buffer straight into builders.
//!
//! Structure that cannot be (a cell of a wrong length, a row of too few cells) is a
//! [`ProtocolError`](crate::ProtocolError); a value that is well-formed and that the column's type
//! cannot hold is a [`DecodeError`](crate::DecodeError), which costs the request but not the
//! connection.

mod array;
mod column;
mod first;
mod fixed;
mod numeric;
mod plan;
mod row;
#[cfg(test)]
mod tests;
mod text;
mod time;

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
}
