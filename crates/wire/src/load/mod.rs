//! Rows to the bytes that COPY reads: columns in, PostgreSQL's binary format out.
//!
//! What a value may become is what a parameter may become (see `bind`): nothing is rounded, cut or
//! guessed. Rows are written in blocks, a column at a time: first every column says how long each
//! row's cell will be, and refuses what does not fit, then every column puts its cells where they
//! belong. So each loop knows its type, and the block stays in the first-level cache.

mod cells;
mod general;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use rowmill_columns::Batch;

use self::cells::Cells;
use crate::encode;
use crate::split::HEADER;
use crate::statement::ParameterType;

/// A value that its column in the table cannot take. Nothing of the load is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The column's name.
    pub column: String,
    /// The row of the batch, from 0.
    pub row: usize,
    /// PostgreSQL's name of the column's type.
    pub type_name: String,
    /// What is wrong with the value.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, row, type_name, message } = self;
        write!(f, "column {column:?} ({type_name}), row {row}: {message}")
    }
}

impl std::error::Error for LoadError {}

/// What the stream begins with: a signature, no flags, no extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a row's number of columns: there are no more rows.
const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// The places of the table's columns that cannot be loaded in binary.
pub(crate) fn unloadable(columns: &[ParameterType]) -> Vec<usize> {
    (0..columns.len()).filter(|&at| !columns[at].binary()).collect()
}

/// Begins the stream.
pub(crate) fn begin(out: &mut Vec<u8>) {
    let at = encode::begin(out, b'd');
    out.extend_from_slice(SIGNATURE);
    encode::end(out, at);
}

/// Ends the stream and the COPY.
pub(crate) fn end(out: &mut Vec<u8>) {
    let at = encode::begin(out, b'd');
    out.extend_from_slice(TRAILER);
    encode::end(out, at);
    let at = encode::begin(out, b'c');
    encode::end(out, at);
}

/// The longest row, its message's head not counted: PostgreSQL's bound of a message
/// (PQ_LARGE_MESSAGE_LIMIT) with a little to spare. Beyond 4 GiB the head would lie.
const LONGEST_ROW: usize = 0x3fff_ff00;

/// Rows written at once: some 24 KiB of them.
const BLOCK: usize = 256;

/// Appends rows from `from` on as one CopyData message of about `most` bytes, one row at least;
/// which row comes next. On an error `out` is as it was.
pub(crate) fn rows(
    out: &mut Vec<u8>,
    columns: &[ParameterType],
    batch: &Batch,
    from: usize,
    most: usize,
) -> Result<usize, LoadError> {
    let fields = &batch.schema().fields;
    let sources = batch.columns().iter().zip(fields).zip(columns);
    let cells = sources.map(|((column, field), target)| Cells::new(column, &field.kind, target));
    let written = message(out, &mut cells.collect::<Vec<_>>(), from..batch.rows(), most);
    written.map_err(|Unfit { row, column, message }| {
        let (name, type_name) = (&fields[column].name, &columns[column].name);
        LoadError { column: name.to_string(), row, type_name: type_name.clone(), message }
    })
}

fn message(
    out: &mut Vec<u8>,
    cells: &mut [Cells<'_>],
    rows: Range<usize>,
    most: usize,
) -> Result<usize, Unfit> {
    let start = out.len();
    out.reserve_exact(most + HEADER);
    let at = encode::begin(out, b'd');
    let mut row = rows.start;
    while row < rows.end && out.len() - start < most {
        let room = most - (out.len() - start);
        // Not more than can fit, for what was measured in vain is measured again.
        let fit = (room / (2 + 6 * cells.len())).clamp(1, BLOCK);
        match block(out, cells, row, fit.min(rows.end - row), room) {
            Ok(written) => row += written,
            Err(unfit) => {
                out.truncate(start);
                return Err(unfit);
            }
        }
    }
    encode::end(out, at);
    Ok(row)
}

/// A cell that its column in the table cannot take.
#[derive(Debug, PartialEq)]
struct Unfit {
    row: usize,
    column: usize,
    message: String,
}

/// Appends as many of `len` rows as fit into `room`, one at least; how many.
fn block(
    out: &mut Vec<u8>,
    cells: &mut [Cells<'_>],
    from: usize,
    mut len: usize,
    room: usize,
) -> Result<usize, Unfit> {
    let mut places = [2 + 4 * cells.len(); BLOCK];
    let mut unfit = None;
    for (column, cells) in cells.iter_mut().enumerate() {
        if len == 0 {
            break;
        }
        match cells.measure(from, &mut places[..len], room) {
            Ok(measured) => len = measured,
            // Of what other columns hold only an earlier row could come before this.
            Err((at, message)) => {
                unfit = Some(Unfit { row: from + at, column, message });
                len = at;
            }
        }
    }
    if let Some(unfit) = unfit {
        return Err(unfit);
    }
    let (mut rows, mut total) = (0, 0);
    for place in &mut places[..len] {
        if *place > LONGEST_ROW {
            let message =
                "the row's values are together longer than the 1 GiB that PostgreSQL takes";
            return Err(Unfit { row: from + rows, column: 0, message: message.to_owned() });
        }
        let end = total + *place;
        if rows > 0 && end > room {
            break;
        }
        *place = total;
        total = end;
        rows += 1;
    }
    let start = out.len();
    out.resize(start + total, 0);
    let (block, places) = (&mut out[start..], &mut places[..rows]);
    let count = (cells.len() as u16).to_be_bytes();
    for place in &mut *places {
        block[*place..*place + 2].copy_from_slice(&count);
        *place += 2;
    }
    for cells in cells {
        cells.write(from, block, places);
    }
    Ok(rows)
}
