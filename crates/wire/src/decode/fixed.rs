//! Rows whose every cell has a fixed width and a value: a block of them is read column by column.
//!
//! Such rows have one length, so a cell of a column stands at one distance from the next, and the
//! loop over a block has no decision left in it but the checks.

use rowmill_columns::build::{Fixed, Native};

use super::column::{ColumnDecoder, boolean};
use super::time;
use super::{CellError, ColumnPlan};
use crate::split::HEADER;

/// Rows read at once: a block of the narrowest useful rows stays within a first-level cache.
const BLOCK_BYTES: usize = 16 << 10;

/// Where the cells of a row of fixed width stand.
#[derive(Debug)]
pub(crate) struct FixedRows {
    /// What each row begins with: `D`, its length, the number of cells.
    header: [u8; HEADER + 2],
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    /// Where each cell's length stands in the row, and what it must be.
    cells: Vec<(usize, u8)>,
}

impl FixedRows {
    /// For rows of these columns, if each has a fixed width.
    pub(crate) fn new(columns: &[ColumnPlan]) -> Option<Self> {
        let mut at = HEADER + 2;
        let mut cells = Vec::with_capacity(columns.len());
        for column in columns {
            let width = width(&column.decoder())?;
            cells.push((at, width));
            at += 4 + usize::from(width);
        }
        if cells.is_empty() {
            return None;
        }
        let mut header = [b'D', 0, 0, 0, 0, 0, 0];
        header[1..5].copy_from_slice(&(at as u32 - 1).to_be_bytes());
        header[5..].copy_from_slice(&(cells.len() as u16).to_be_bytes());
        Some(Self { header, stride: at, cells })
    }

    /// How many rows at the start of `bytes` are of this form, `most` at most.
    pub(super) fn count(&self, bytes: &[u8], most: usize) -> usize {
        let most = most.min((BLOCK_BYTES / self.stride).max(1));
        let mut rows = 0;
        for row in bytes.chunks_exact(self.stride).take(most) {
            if row.first_chunk() != Some(&self.header) {
                break;
            }
            rows += 1;
        }
        // Row by row the lengths add up; that each is its own is still to be seen.
        let mut block = &bytes[..rows * self.stride];
        for &(at, width) in &self.cells {
            let expected = u32::from(width).to_be_bytes();
            let wrong = block
                .chunks_exact(self.stride)
                .position(|row| row.get(at..at + 4) != Some(expected.as_slice()));
            if let Some(wrong) = wrong {
                block = &block[..wrong * self.stride];
            }
        }
        block.len() / self.stride
    }

    /// Reads a block that [`count`](Self::count) has seen.
    pub(super) fn take(
        &self,
        block: &[u8],
        columns: &mut [ColumnDecoder],
    ) -> Result<(), CellError> {
        for (column, &(at, _)) in columns.iter_mut().zip(&self.cells) {
            self.column(block, at + 4, column)?;
        }
        Ok(())
    }

    fn column(&self, block: &[u8], at: usize, column: &mut ColumnDecoder) -> Result<(), CellError> {
        match column {
            ColumnDecoder::Bool(values) => {
                for [byte] in self.cells(block, at) {
                    values.push(boolean(byte)?);
                }
            }
            ColumnDecoder::Int2(values) => self.push(block, at, values, i16::from_be_bytes),
            ColumnDecoder::Int4(values) => self.push(block, at, values, i32::from_be_bytes),
            ColumnDecoder::Int8(values) => self.push(block, at, values, i64::from_be_bytes),
            ColumnDecoder::Oid(values) => self.push(block, at, values, u32::from_be_bytes),
            ColumnDecoder::Xid8(values) => self.push(block, at, values, u64::from_be_bytes),
            ColumnDecoder::Float4(values) => self.push(block, at, values, f32::from_be_bytes),
            ColumnDecoder::Float8(values) => self.push(block, at, values, f64::from_be_bytes),
            ColumnDecoder::Uuid(values) => self.push(block, at, values, i128::from_ne_bytes),
            ColumnDecoder::Date(values) => {
                self.try_push(block, at, values, |cell| time::date(i32::from_be_bytes(cell)))?;
            }
            ColumnDecoder::Time(values) => {
                self.try_push(block, at, values, |cell| time::time(i64::from_be_bytes(cell)))?;
            }
            ColumnDecoder::Timestamp(values) => {
                let read = |cell| time::timestamp(i64::from_be_bytes(cell));
                self.try_push(block, at, values, read)?;
            }
            ColumnDecoder::Interval(values) => self.try_push(block, at, values, time::interval)?,
            _ => return Err(CellError::Malformed("no fixed width among fixed ones")),
        }
        Ok(())
    }

    #[inline(always)]
    fn cells<const N: usize>(&self, block: &[u8], at: usize) -> impl Iterator<Item = [u8; N]> {
        block.chunks_exact(self.stride).filter_map(move |row| row.get(at..)?.first_chunk().copied())
    }

    #[inline(always)]
    fn push<const N: usize, T: Native>(
        &self,
        block: &[u8],
        at: usize,
        values: &mut Fixed<T>,
        read: impl Fn([u8; N]) -> T,
    ) {
        values.reserve(block.len() / self.stride);
        self.cells(block, at).for_each(|cell| values.push(read(cell)));
    }

    #[inline(always)]
    fn try_push<const N: usize, T: Native>(
        &self,
        block: &[u8],
        at: usize,
        values: &mut Fixed<T>,
        read: impl Fn([u8; N]) -> Result<T, CellError>,
    ) -> Result<(), CellError> {
        values.reserve(block.len() / self.stride);
        for cell in self.cells(block, at) {
            values.push(read(cell)?);
        }
        Ok(())
    }
}

/// The bytes of every value of a column, where that is one number.
fn width(column: &ColumnDecoder) -> Option<u8> {
    Some(match column {
        ColumnDecoder::Bool(_) => 1,
        ColumnDecoder::Int2(_) => 2,
        ColumnDecoder::Int4(_)
        | ColumnDecoder::Oid(_)
        | ColumnDecoder::Float4(_)
        | ColumnDecoder::Date(_) => 4,
        ColumnDecoder::Int8(_)
        | ColumnDecoder::Xid8(_)
        | ColumnDecoder::Float8(_)
        | ColumnDecoder::Time(_)
        | ColumnDecoder::Timestamp(_) => 8,
        ColumnDecoder::Uuid(_) | ColumnDecoder::Interval(_) => 16,
        _ => return None,
    })
}
