use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Which rows hold a value, built so that a row that does costs nothing.
///
/// Only NULLs are recorded: words start as all ones and a NULL clears its bit, so the path of a
/// value never touches this structure.
#[derive(Debug, Default)]
pub struct Validity {
    words: Vec<u64>,
    nulls: usize,
}

impl Validity {
    /// Marks `row` (counted from 0) as NULL. A row may be marked once.
    pub fn null_at(&mut self, row: usize) {
        let word = row / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, !0);
        }
        self.words[word] &= !(1 << (row % 64));
        self.nulls += 1;
    }

    /// How many rows have been marked NULL.
    pub fn nulls(&self) -> usize {
        self.nulls
    }

    /// The bitmap for `rows` rows, or `None` where none is NULL.
    pub(crate) fn finish(mut self, rows: usize) -> Option<NullBuffer> {
        if self.nulls == 0 {
            return None;
        }
        self.words.resize(rows.div_ceil(64), !0);
        let bits = BooleanBuffer::new(Buffer::from_vec(self.words), 0, rows);
        Some(NullBuffer::new(bits))
    }
}
