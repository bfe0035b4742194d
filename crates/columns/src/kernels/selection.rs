use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;

use super::Bits;

/// The rows of a batch that are kept, gathered chunk by chunk.
///
/// ```
/// use rowmill_columns::kernels::{Bits, Selection};
/// let mut kept = Selection::with_capacity(3);
/// kept.push(&(!Bits::first(1)), 3);
/// assert_eq!((kept.rows(), kept.count()), (3, 2));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those of small frames lie here.
    words: SmallVec<[u64; 4]>,
    rows: usize,
    count: usize,
}

impl Selection {
    /// Of no rows yet, with room for so many.
    pub fn with_capacity(rows: usize) -> Self {
        Self { words: SmallVec::with_capacity(rows.div_ceil(64)), rows: 0, count: 0 }
    }

    /// Of so many rows these, in any order.
    ///
    /// ```
    /// use rowmill_columns::kernels::Selection;
    /// assert_eq!(Selection::of(70, [69, 3]).indices(), [3, 69]);
    /// ```
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(rows: usize, kept: impl IntoIterator<Item = u32>) -> Self {
        let mut words: SmallVec<[u64; 4]> = SmallVec::from_elem(0, rows.div_ceil(64));
        for row in kept {
            assert!((row as usize) < rows, "row {row} of {rows}");
            words[row as usize / 64] |= 1 << (row % 64);
        }
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words, rows, count }
    }

    /// Of so many rows those whose bits are set.
    pub(crate) fn of_words(rows: usize, words: Vec<u64>) -> Self {
        debug_assert_eq!(words.len(), rows.div_ceil(64));
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words: words.into(), rows, count }
    }

    pub(crate) fn into_words(self) -> Vec<u64> {
        self.words.into_vec()
    }

    /// Whether a row is kept.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn contains(&self, row: u32) -> bool {
        assert!((row as usize) < self.rows, "row {row} of {}", self.rows);
        self.words[row as usize / 64] >> (row % 64) & 1 != 0
    }

    /// The rows that are kept here or there.
    ///
    /// ```
    /// use rowmill_columns::kernels::Selection;
    /// let (a, b) = (Selection::of(70, [3, 69]), Selection::of(70, [3, 4]));
    /// assert_eq!((a.or(&b).indices(), a.and(&b).indices()), (vec![3, 4, 69], vec![3]));
    /// assert_eq!(a.without(&b).indices(), [69]);
    /// ```
    ///
    /// # Panics
    /// If they are of different numbers of rows.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.with(other, |a, b| a | b)
    }

    /// The rows that are kept here and there.
    ///
    /// # Panics
    /// As [`or`](Self::or).
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    /// The rows that are kept here and not there.
    ///
    /// # Panics
    /// As [`or`](Self::or).
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.with(other, |a, b| a & !b)
    }

    /// The rows that are kept here or there and not in both.
    ///
    /// # Panics
    /// As [`or`](Self::or).
    #[must_use]
    pub fn xor(&self, other: &Self) -> Self {
        self.with(other, |a, b| a ^ b)
    }

    /// The rows that are not kept.
    ///
    /// ```
    /// use rowmill_columns::kernels::Selection;
    /// assert_eq!(Selection::of(3, [1]).others().indices(), [0, 2]);
    /// ```
    #[must_use]
    pub fn others(&self) -> Self {
        let mut words: Vec<u64> = self.words.iter().map(|word| !word).collect();
        if let Some(last) = words.last_mut()
            && !self.rows.is_multiple_of(64)
        {
            *last &= (1 << (self.rows % 64)) - 1;
        }
        Self::of_words(self.rows, words)
    }

    fn with(&self, other: &Self, both: impl Fn(u64, u64) -> u64) -> Self {
        assert_eq!(self.rows, other.rows, "of one number of rows");
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| both(a, b));
        Self::of_words(self.rows, words.collect())
    }

    /// Appends a chunk of `len` rows, of which those of `bits` are kept.
    ///
    /// # Panics
    /// If the chunk before was not of whole words, of 64 rows.
    pub fn push(&mut self, bits: &Bits, len: usize) {
        assert!(self.rows.is_multiple_of(64), "only the last chunk may be of any length");
        let words = &bits.0[..len.div_ceil(64)];
        self.words.extend(words.iter().copied());
        if let Some(last) = self.words.last_mut()
            && !len.is_multiple_of(64)
        {
            *last &= (1 << (len % 64)) - 1;
        }
        let added = &self.words[self.rows / 64..];
        self.count += added.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        self.rows += len;
    }

    /// Appends what another selection keeps of the rows that follow.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn append(&mut self, other: &Self) {
        assert!(self.rows.is_multiple_of(64), "only the last part may be of any length");
        self.words.extend_from_slice(&other.words);
        self.rows += other.rows;
        self.count += other.count;
    }

    /// Rows, kept or not.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many rows are kept.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Of the rows that this keeps, those that another keeps of them.
    pub(crate) fn within(&self, other: &Self) -> Self {
        let mut kept = Self { words: self.words.clone(), rows: self.rows, count: other.count };
        let mut next = 0;
        for word in &mut kept.words {
            let mut left = std::mem::take(word);
            while left != 0 {
                let is_kept = other.words[next / 64] >> (next % 64) & 1;
                *word |= is_kept << left.trailing_zeros();
                left &= left - 1;
                next += 1;
            }
        }
        kept
    }

    /// The rows that are kept, in the form that is copied fastest; `None` where there are rows
    /// that 32 bits do not count.
    pub fn into_kept(self) -> Option<Kept<'static>> {
        let form = self.form()?;
        Some(Kept { form, count: self.count, words: Some(self.words.into_vec()) })
    }

    fn form(&self) -> Option<Form<'static>> {
        u32::try_from(self.rows).ok()?;
        // A run begins where a bit is set and the one before is not.
        let mut before = 0;
        let mut runs = 0;
        for &word in &self.words {
            runs += (word & !(word << 1 | before)).count_ones() as usize;
            before = word >> 63;
        }
        Some(if self.count >= runs * LONG {
            Form::Runs(self.runs(runs))
        } else {
            Form::Rows(self.indices().into())
        })
    }

    /// The rows that are kept, by their numbers.
    pub fn indices(&self) -> Vec<u32> {
        let mut indices = Vec::with_capacity(self.count);
        self.each(|row| indices.push(row));
        indices
    }

    /// The same into a slice of as many.
    pub(super) fn write_indices(&self, out: &mut [u32]) {
        let mut out = out.iter_mut();
        self.each(|row| out.next().into_iter().for_each(|out| *out = row));
    }

    #[inline(always)]
    fn each(&self, mut each: impl FnMut(u32)) {
        for (at, &word) in self.words.iter().enumerate() {
            let first = (at * 64) as u32;
            let mut left = word;
            while left != 0 {
                each(first + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }

    fn runs(&self, count: usize) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::with_capacity(count);
        for (at, &word) in self.words.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                let from = left.trailing_zeros();
                let len = (!(left >> from)).trailing_zeros().min(64 - from);
                let start = at * 64 + from as usize;
                let end = start + len as usize;
                match runs.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    _ => runs.push(start..end),
                }
                left = if from + len == 64 { 0 } else { left >> (from + len) << (from + len) };
            }
        }
        runs
    }
}

/// Rows in a row from which on copying them as one is faster than one by one.
const LONG: usize = 8;

/// Rows to be copied, in the form in which that is fast: worked out once for all columns.
#[derive(Debug)]
pub struct Kept<'a> {
    pub(crate) form: Form<'a>,
    pub(crate) count: usize,
    /// The rows as bits, where they are in order.
    pub(crate) words: Option<Vec<u64>>,
}

#[derive(Debug)]
pub(crate) enum Form<'a> {
    Rows(Cow<'a, [u32]>),
    Runs(Vec<Range<usize>>),
}

impl<'a> Kept<'a> {
    /// How many rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// These rows, in this order.
    pub(crate) fn of(rows: &'a [u32]) -> Self {
        Self { form: Form::Rows(rows.into()), count: rows.len(), words: None }
    }

    /// The rows of these runs.
    pub(crate) fn of_runs(runs: Vec<Range<usize>>) -> Self {
        let count = runs.iter().map(|run| run.len()).sum();
        Self { form: Form::Runs(runs), count, words: None }
    }

    /// The numbers of the rows; `None` where one is beyond 32 bits.
    pub(crate) fn numbers(&self) -> Option<Vec<u32>> {
        match &self.form {
            Form::Rows(rows) => Some(rows.to_vec()),
            Form::Runs(runs) => {
                let numbers = runs.iter().cloned().flatten().map(u32::try_from);
                numbers.collect::<Result<_, _>>().ok()
            }
        }
    }
}
