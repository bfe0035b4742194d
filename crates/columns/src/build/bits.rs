use std::sync::Arc;

use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, Buffer};

use super::Validity;
use crate::Column;
use crate::kernels::Mask;

/// A builder of booleans, one bit each.
///
/// ```
/// let mut active = rowmill_columns::build::Bits::default();
/// active.push(true);
/// active.push_null();
/// assert_eq!(active.finish().len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
    validity: Validity,
}

impl Bits {
    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: bool) {
        let bit = self.len % 64;
        if bit == 0 {
            self.words.push(u64::from(value));
        } else if let Some(word) = self.words.last_mut() {
            *word |= u64::from(value) << bit;
        }
        self.len += 1;
    }

    /// Appends a NULL (its slot holds false).
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null_at(self.len);
        self.push(false);
    }

    /// Appends what is known of the first `len` rows of a chunk; what is not is NULL.
    ///
    /// # Panics
    /// If the rows so far are not of whole words, of 64 rows.
    pub fn extend(&mut self, mask: &Mask, len: usize) {
        assert!(self.len.is_multiple_of(64), "only the last chunk may be of any length");
        let words = mask.truth.0.iter().zip(&mask.known.0).take(len.div_ceil(64));
        for (at, (&truth, &known)) in words.enumerate() {
            let all = u64::MAX >> (64 - (len - at * 64).min(64));
            self.words.push(truth & known & all);
            let mut nulls = !known & all;
            while nulls != 0 {
                self.validity.null_at(self.len + at * 64 + nulls.trailing_zeros() as usize);
                nulls &= nulls - 1;
            }
        }
        self.len += len;
    }

    /// Rows so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes held so far.
    pub fn byte_len(&self) -> usize {
        self.words.len() * 8
    }

    /// The finished column, of type `Bool`.
    pub fn finish(self) -> Column {
        let bits = BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.len);
        Column::from_array(Arc::new(BooleanArray::new(bits, self.validity.finish(self.len))))
    }
}
