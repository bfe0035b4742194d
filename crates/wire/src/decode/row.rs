use std::sync::Arc;

use rowmill_columns::{Batch, Field, Schema};

use super::column::{ColumnDecoder, FinishError};
use super::{CellError, ColumnPlan};
use crate::split::{self, HEADER};
use crate::statement::Prepared;
use crate::{DecodeError, ProtocolError};

/// Reads the rows of one result.
#[derive(Debug)]
pub(crate) struct RowDecoder {
    columns: Vec<ColumnDecoder>,
    /// Whether blocks of rows of fixed width are tried.
    blocks: bool,
    /// Rows of the batch being built.
    rows: usize,
    /// Bytes of the messages of those rows.
    bytes: usize,
    /// Rows of earlier batches of this result.
    rows_before: u64,
    max_rows: usize,
    max_bytes: usize,
}

/// What [`RowDecoder::take`] did.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Bytes of whole messages that are done with.
    pub(crate) bytes: usize,
    /// Why it went no further.
    pub(crate) stop: Stop,
}

#[derive(Debug)]
pub(crate) enum Stop {
    /// The next row is not there as a whole.
    Incomplete,
    /// The next message is no row.
    Other,
    /// The batch is as large as was asked for.
    Full,
    /// A value has no place in its column.
    Value(DecodeError),
}

/// Why a row was not taken.
#[derive(Clone, Copy)]
pub(super) enum RowError {
    /// Its bytes contradict themselves.
    Malformed(&'static str),
    /// A cell of this column.
    Cell(usize, CellError),
}

/// Rows read one by one after a block that was not all of one form, before the next is tried.
const ROWS_BETWEEN_BLOCKS: usize = 32;

impl RowDecoder {
    /// A decoder that ends a batch at `max_rows` rows or `max_bytes` bytes.
    pub(crate) fn new(prepared: &Prepared, max_rows: usize, max_bytes: usize) -> Self {
        let columns: Vec<_> = prepared.columns.iter().map(ColumnPlan::decoder).collect();
        Self { columns, blocks: true, rows: 0, bytes: 0, rows_before: 0, max_rows, max_bytes }
    }

    /// Bytes of the rows of the batch being built.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the batch being built is nearly as large as it may be in bytes: what is missing is not
    /// worth being asked for.
    pub(crate) fn is_about_full(&self) -> bool {
        self.bytes >= self.max_bytes - self.max_bytes / 4
    }

    /// How many rows of `width` bytes fill the batch being built, at least one. They may be wider by
    /// an eighth before the batch ends in their midst.
    pub(crate) fn room(&self, width: usize) -> usize {
        let bytes = (self.max_bytes - self.max_bytes / 8).saturating_sub(self.bytes);
        (bytes / width.max(1)).min(self.max_rows - self.rows).max(1)
    }

    /// Takes every whole row at the start of `bytes`.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        max_message: usize,
        prepared: &Prepared,
    ) -> Result<Taken, ProtocolError> {
        let mut rest = bytes;
        let mut slow_rows = 0;
        let stop = loop {
            if self.rows >= self.max_rows || self.bytes >= self.max_bytes {
                break Stop::Full;
            }
            if slow_rows == 0
                && self.blocks
                && let Some(fixed) = &prepared.fixed
            {
                let by_bytes = (self.max_bytes - self.bytes).div_ceil(fixed.stride);
                let rows = fixed.count(rest, (self.max_rows - self.rows).min(by_bytes));
                let (block, after) = rest.split_at(rows * fixed.stride);
                if rows > 0 {
                    if fixed.take(block, &mut self.columns).is_err() {
                        // Row by row once more, to name the first value in reading order. What
                        // the builders hold is of no use any more, except to count the rows.
                        self.columns = prepared.columns.iter().map(ColumnPlan::decoder).collect();
                        self.blocks = false;
                        continue;
                    }
                    self.rows += rows;
                    self.bytes += block.len();
                    rest = after;
                    continue;
                }
                slow_rows = ROWS_BETWEEN_BLOCKS;
            }
            let Some(&[kind, l3, l2, l1, l0]) = rest.first_chunk::<HEADER>() else {
                break if rest.first().is_none_or(|&kind| kind == b'D') {
                    Stop::Incomplete
                } else {
                    Stop::Other
                };
            };
            if kind != b'D' {
                break Stop::Other;
            }
            let len = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
            let row = rest.get(HEADER..len.wrapping_add(1)).filter(|_| len <= max_message);
            let Some(row) = row else {
                // Too long to be, too short to be, or not there yet.
                split::header(rest, |_| max_message)?;
                break Stop::Incomplete;
            };
            match take_row(row, &mut self.columns) {
                Ok(()) => {
                    self.rows += 1;
                    self.bytes += len + 1;
                    rest = &rest[len + 1..];
                    slow_rows = slow_rows.saturating_sub(1);
                }
                Err(error) => {
                    let row = self.rows_before + self.rows as u64;
                    let error = error.explain(row, &prepared.columns)?;
                    rest = &rest[len + 1..];
                    break Stop::Value(error);
                }
            }
        };
        Ok(Taken { bytes: bytes.len() - rest.len(), stop })
    }

    /// The batch built so far; the next one begins.
    pub(crate) fn finish(&mut self, prepared: &Prepared) -> Result<Batch, DecodeError> {
        let columns = self.columns.iter().zip(&prepared.columns);
        let next = columns.map(|(column, plan)| column.next().unwrap_or_else(|| plan.decoder()));
        let next: Vec<ColumnDecoder> = next.collect();
        let columns = std::mem::replace(&mut self.columns, next);
        self.finish_columns(columns, prepared)
    }

    /// The last batch.
    pub(crate) fn finish_last(mut self, prepared: &Prepared) -> Result<Batch, DecodeError> {
        let columns = std::mem::take(&mut self.columns);
        self.finish_columns(columns, prepared)
    }

    fn finish_columns(
        &mut self,
        columns: Vec<ColumnDecoder>,
        prepared: &Prepared,
    ) -> Result<Batch, DecodeError> {
        let mut schema = Arc::clone(&prepared.schema);
        let mut finished = Vec::with_capacity(columns.len());
        for (at, (column, plan)) in columns.into_iter().zip(&prepared.columns).enumerate() {
            let declared = &prepared.schema.fields[at].kind;
            let (kind, column) = column.finish(declared).map_err(|error| match error {
                FinishError::Row(row) => plan.not_utf8(self.rows_before + row as u64),
                FinishError::Element(element) => plan.error(
                    self.rows_before,
                    format!("element {element}, counted from this row on, is not UTF-8"),
                ),
            })?;
            if kind != *declared {
                // Only values could tell: a scale, a depth. The names stay.
                let schema: &mut Schema = Arc::make_mut(&mut schema);
                schema.fields[at] = Field { name: Arc::clone(&plan.name), kind };
            }
            finished.push(column);
        }
        let rows = std::mem::take(&mut self.rows);
        self.rows_before += rows as u64;
        self.bytes = 0;
        Ok(Batch::new(schema, finished, rows))
    }
}

impl RowError {
    /// The error of a value in row `row`, or of a server that makes no sense.
    #[cold]
    pub(super) fn explain(
        self,
        row: u64,
        columns: &[ColumnPlan],
    ) -> Result<DecodeError, ProtocolError> {
        let (column, error) = match self {
            Self::Malformed(what) => {
                let count = columns.len();
                let what = format!("row {row}, which has {count} columns, {what}");
                return Err(ProtocolError::new(what));
            }
            Self::Cell(column, error) => (column, error),
        };
        let Some(plan) = columns.get(column) else {
            return Err(ProtocolError::new("a row has more cells than columns"));
        };
        match error {
            CellError::Malformed(what) => {
                let name = &plan.name;
                Err(ProtocolError::new(format!("row {row}, column \"{name}\" holds {what}")))
            }
            error => Ok(plan.cell_error(row, error)),
        }
    }
}

/// The cells of the body of one DataRow.
pub(super) struct Cells<'a>(&'a [u8]);

impl<'a> Cells<'a> {
    #[inline(always)]
    pub(super) fn new(row: &'a [u8], columns: usize) -> Result<Self, RowError> {
        let Some((&count, cells)) = row.split_first_chunk::<2>() else {
            return Err(RowError::Malformed("has no count of cells"));
        };
        if usize::from(u16::from_be_bytes(count)) != columns {
            return Err(RowError::Malformed("has another number of cells"));
        }
        Ok(Self(cells))
    }

    /// The next cell; `None` is a NULL.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>, RowError> {
        let Some((&len, rest)) = self.0.split_first_chunk::<4>() else {
            return Err(RowError::Malformed("ends before its last cell"));
        };
        let len = i32::from_be_bytes(len);
        if len < 0 {
            if len != -1 {
                return Err(RowError::Malformed("has a cell of negative length"));
            }
            self.0 = rest;
            return Ok(None);
        }
        let Some((cell, rest)) = rest.split_at_checked(len as usize) else {
            return Err(RowError::Malformed("has a cell that is longer than the row"));
        };
        self.0 = rest;
        Ok(Some(cell))
    }

    #[inline(always)]
    pub(super) fn end(self) -> Result<(), RowError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RowError::Malformed("is longer than its cells"))
        }
    }
}

/// Reads the body of one DataRow.
#[inline(always)]
fn take_row(row: &[u8], columns: &mut [ColumnDecoder]) -> Result<(), RowError> {
    let mut cells = Cells::new(row, columns.len())?;
    for (at, column) in columns.iter_mut().enumerate() {
        match cells.next()? {
            None => column.push_null(),
            Some(cell) => column.push(cell).map_err(|error| RowError::Cell(at, error))?,
        }
    }
    cells.end()
}
