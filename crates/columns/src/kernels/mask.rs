use arrow_buffer::{BooleanBuffer, NullBuffer};

/// Rows a kernel looks at in one go: a few kilobytes of values, which stay in the first-level cache
/// from one predicate to the next, and one decision for all of them where a predicate leaves none.
pub const CHUNK: usize = 1_024;

const WORDS: usize = CHUNK / 64;

/// One bit for each row of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits(pub(crate) [u64; WORDS]);

impl Bits {
    /// No row.
    pub const NONE: Self = Self([0; WORDS]);
    /// Every row.
    pub const ALL: Self = Self([!0; WORDS]);

    /// The first `rows` rows, at most [`CHUNK`].
    ///
    /// ```
    /// use rowmill_columns::kernels::Bits;
    /// assert_eq!(Bits::first(3).iter().collect::<Vec<_>>(), [0, 1, 2]);
    /// ```
    #[must_use]
    pub fn first(rows: usize) -> Self {
        let mut bits = Self::NONE;
        let whole = (rows / 64).min(WORDS);
        bits.0[..whole].fill(!0);
        if let Some(word) = bits.0.get_mut(whole) {
            *word = (1 << (rows % 64)) - 1;
        }
        bits
    }

    /// Whether no row is there.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    /// How many rows are there.
    #[inline]
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether at most `most` of the first `len` rows are there.
    #[inline]
    pub(crate) fn few(&self, len: usize, most: usize) -> bool {
        let words = &self.0[..len.div_ceil(64)];
        len <= most || words.iter().map(|word| word.count_ones() as usize).sum::<usize>() <= most
    }

    /// Whether `row` is there.
    #[inline]
    pub fn has(&self, row: usize) -> bool {
        self.0[row / 64] >> (row % 64) & 1 == 1
    }

    /// Adds `row`.
    #[inline]
    pub fn set(&mut self, row: usize) {
        self.0[row / 64] |= 1 << (row % 64);
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + use<> {
        let words = self.0;
        words.into_iter().enumerate().filter(|&(_, word)| word != 0).flat_map(|(at, word)| {
            let first = at * 64;
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(first + bit)
            })
        })
    }

    /// Calls `each` with the rows in order: the quick form of [`iter`](Self::iter).
    #[inline(always)]
    pub(crate) fn each(&self, mut each: impl FnMut(usize)) {
        for (at, &word) in self.0.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                each(at * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    /// Those among these rows that `test` is true of.
    #[inline(always)]
    pub(crate) fn keep(&self, mut test: impl FnMut(usize) -> bool) -> Self {
        let mut kept = Self::NONE;
        for (at, (&word, out)) in self.0.iter().zip(&mut kept.0).enumerate() {
            let mut left = word;
            while left != 0 {
                let bit = left.trailing_zeros();
                *out |= u64::from(test(at * 64 + bit as usize)) << bit;
                left &= left - 1;
            }
        }
        kept
    }

    /// The bits `start` to `start + len` of a bitmap.
    #[inline]
    pub(crate) fn read(bitmap: &BooleanBuffer, start: usize, len: usize) -> Self {
        let mut bits = Self::NONE;
        let (bytes, from) = (bitmap.values(), bitmap.offset() + start);
        for (at, word) in bits.0.iter_mut().take(len.div_ceil(64)).enumerate() {
            *word = word_at(bytes, from + at * 64);
        }
        if !len.is_multiple_of(64) {
            bits.0[len / 64] &= (1 << (len % 64)) - 1;
        }
        bits
    }

    /// Which of the rows hold a value.
    #[inline]
    pub(crate) fn valid(nulls: Option<&NullBuffer>, start: usize, len: usize) -> Self {
        nulls.map_or(Self::ALL, |nulls| Self::read(nulls.inner(), start, len))
    }

    #[inline]
    fn zip(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = self;
        out.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = join(*a, b));
        out
    }
}

/// 64 bits from the bit at `from` on; what is beyond the end is zero.
#[inline]
pub(crate) fn word_at(bytes: &[u8], from: usize) -> u64 {
    let (byte, shift) = (from / 8, from % 8);
    let whole = match bytes.get(byte..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => {
            let mut eight = [0; 8];
            let rest = bytes.get(byte..).unwrap_or_default();
            eight[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(eight)
        }
    };
    if shift == 0 {
        return whole;
    }
    let next = bytes.get(byte + 8).copied().unwrap_or_default();
    (whole >> shift) | (u64::from(next) << (64 - shift))
}

impl std::ops::BitAnd for Bits {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }
}

impl std::ops::BitOr for Bits {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }
}

impl std::ops::Not for Bits {
    type Output = Self;
    fn not(self) -> Self {
        self.zip(self, |a, _| !a)
    }
}

/// What a predicate says of each row of a chunk: true, false, or unknown (NULL).
///
/// ```
/// use rowmill_columns::kernels::{Bits, Mask};
/// let yes = Mask { truth: Bits::first(2), known: Bits::first(2) };
/// // NULL is the third row: true or NULL is true, NULL and NULL is NULL.
/// assert!(yes.or(Mask::UNKNOWN).truth.has(0));
/// assert!(!yes.and(Mask::UNKNOWN).known.has(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Rows of which it is true; all of them are [`known`](Self::known).
    pub truth: Bits,
    /// Rows of which it is true or false.
    pub known: Bits,
}

impl Mask {
    /// NULL for every row.
    pub const UNKNOWN: Self = Self { truth: Bits::NONE, known: Bits::NONE };

    /// True or false for every row.
    #[must_use]
    pub fn of(value: bool) -> Self {
        Self { truth: if value { Bits::ALL } else { Bits::NONE }, known: Bits::ALL }
    }

    /// Rows of which it is false.
    #[must_use]
    pub fn falsity(&self) -> Bits {
        self.known & !self.truth
    }

    /// Kleene's and: false where either is false, else NULL where either is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let known = (self.known & other.known) | self.falsity() | other.falsity();
        Self { truth: self.truth & other.truth, known }
    }

    /// Kleene's or: true where either is true, else NULL where either is.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let truth = self.truth | other.truth;
        Self { truth, known: (self.known & other.known) | truth }
    }

    /// The contrary; NULL stays NULL.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { truth: self.falsity(), known: self.known }
    }
}
