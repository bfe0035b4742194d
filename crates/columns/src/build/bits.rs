use std::sync::Arc;

use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, Buffer};

use super::Validity;
use crate::Column;

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
