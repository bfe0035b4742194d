#![allow(unsafe_code)]
use std::sync::Arc;

use arrow_array::{ArrayRef, LargeBinaryArray, LargeStringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::Validity;
use crate::Column;

/// How much text may wait before it is checked: it is still in the second-level cache then, and
/// one check of many cells runs at several GB/s where a check per cell costs 5-8 ns each.
const CHECK_EVERY: usize = 64 * 1024;

/// A cell of a text column that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextError {
    /// The row, counted from 0 within the batch.
    pub row: usize,
}

/// A builder of variable-length values, bytes or text: 64-bit offsets into one buffer.
///
/// Text is validated once, here, in blocks: a block of whole cells that is valid UTF-8, in which
/// no cell begins with a continuation byte, holds only valid cells.
///
/// ```
/// let mut names = rowmill_columns::build::Bytes::text();
/// names.push(b"Zo\xc3\xab");
/// names.push_null();
/// assert_eq!(names.finish().unwrap().len(), 2);
///
/// let mut broken = rowmill_columns::build::Bytes::text();
/// broken.push(b"fine");
/// broken.push(&[0xff]);
/// assert_eq!(broken.finish().unwrap_err().row, 1);
/// ```
#[derive(Debug)]
pub struct Bytes {
    offsets: Vec<i64>,
    data: Vec<u8>,
    validity: Validity,
    text: Option<TextCheck>,
}

#[derive(Debug, Default)]
struct TextCheck {
    checked_bytes: usize,
    checked_rows: usize,
    broken: bool,
    error: Option<TextError>,
}

impl Bytes {
    /// An empty builder of text.
    pub fn text() -> Self {
        Self { text: Some(TextCheck::default()), ..Self::binary() }
    }

    /// An empty builder of bytes.
    pub fn binary() -> Self {
        Self { offsets: vec![0], data: Vec::new(), validity: Validity::default(), text: None }
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, cell: &[u8]) {
        self.data.extend_from_slice(cell);
        self.end_cell(cell.first());
    }

    /// Appends a value that `write` appends to the buffer, for cells that are made, not copied.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.data.len();
        write(&mut self.data);
        let first = self.data.get(start).copied();
        self.end_cell(first.as_ref());
    }

    #[inline]
    fn end_cell(&mut self, first: Option<&u8>) {
        self.offsets.push(self.data.len() as i64);
        if let Some(text) = &mut self.text {
            text.broken |= first.is_some_and(|byte| byte & 0xc0 == 0x80);
            if self.data.len() - text.checked_bytes >= CHECK_EVERY {
                text.check(&self.data, &self.offsets);
            }
        }
    }

    /// Appends a NULL (an empty slot).
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null_at(self.len());
        self.offsets.push(self.data.len() as i64);
    }

    /// Rows so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held so far, offsets included.
    pub fn byte_len(&self) -> usize {
        self.data.len() + self.offsets.len() * 8
    }

    /// The cell of `row` (empty for a NULL).
    ///
    /// # Panics
    /// If there is no such row.
    pub fn cell(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// The finished column, of type `Text` or `Bytes` by how the builder was made.
    ///
    /// # Errors
    /// [`TextError`] with the first row that is not UTF-8.
    pub fn finish(self) -> Result<Column, TextError> {
        self.into_array().map(Column::from_array)
    }

    pub(crate) fn into_array(mut self) -> Result<ArrayRef, TextError> {
        if let Some(text) = &mut self.text {
            text.check(&self.data, &self.offsets);
            if let Some(error) = text.error {
                return Err(error);
            }
        }
        let rows = self.len();
        let nulls: Option<NullBuffer> = self.validity.finish(rows);
        let offsets = ScalarBuffer::<i64>::from(self.offsets);
        let data = Buffer::from_vec(self.data);
        // SAFETY: offsets start at 0 and each is a later length of `data`, so they never decrease.
        let offsets = unsafe { OffsetBuffer::new_unchecked(offsets) };
        Ok(match self.text {
            // SAFETY: every cell was validated by `TextCheck`, the offsets end inside `data`, and
            // the bitmap has one bit a row. A second validation would read every byte again.
            Some(_) => unsafe { Arc::new(LargeStringArray::new_unchecked(offsets, data, nulls)) },
            None => Arc::new(LargeBinaryArray::new(offsets, data, nulls)),
        })
    }
}

impl TextCheck {
    /// Checks the cells that came since the last check.
    #[cold]
    fn check(&mut self, data: &[u8], offsets: &[i64]) {
        let block = &data[self.checked_bytes..];
        if self.error.is_none() && (self.broken || simdutf8::basic::from_utf8(block).is_err()) {
            self.error = (self.checked_rows..offsets.len() - 1)
                .find(|&row| {
                    let cell = &data[offsets[row] as usize..offsets[row + 1] as usize];
                    std::str::from_utf8(cell).is_err()
                })
                .map(|row| TextError { row });
        }
        self.checked_bytes = data.len();
        self.checked_rows = offsets.len() - 1;
    }
}
