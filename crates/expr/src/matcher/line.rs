use hashbrown::HashTable;

/// Slots of a block, each a bit: 512, which is one line of the processor's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Line(pub(crate) [u64; WORDS]);

pub(crate) const WORDS: usize = 8;
/// Slots of a block.
pub(crate) const BLOCK: usize = 64 * WORDS;

impl Line {
    pub(crate) const NONE: Self = Self([0; WORDS]);
    pub(crate) const ALL: Self = Self([u64::MAX; WORDS]);

    /// The first so many slots.
    pub(crate) fn first(count: usize) -> Self {
        let mut line = Self::NONE;
        (0..count.min(BLOCK)).for_each(|at| line.flip(at));
        line
    }

    /// The slots of the last block, of so many in all.
    pub(crate) fn last(slots: usize) -> Self {
        match slots % BLOCK {
            0 => Self::ALL,
            left => Self::first(left),
        }
    }

    #[inline]
    pub(crate) fn flip(&mut self, at: usize) {
        self.0[(at >> 6) % WORDS] ^= 1 << (at & 63);
    }

    #[inline]
    pub(crate) fn set(&mut self, at: usize) {
        self.0[(at >> 6) % WORDS] |= 1 << (at & 63);
    }

    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) != 0
    }

    #[inline]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    #[inline]
    pub(crate) fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & !other.0[at]))
    }

    #[inline]
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    #[inline]
    pub(crate) fn xor(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] ^ other.0[at]))
    }

    /// The slots, in order.
    #[inline]
    pub(crate) fn each(&self, mut visit: impl FnMut(usize)) {
        for (at, word) in self.0.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                visit(at * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    fn hash(&self) -> u64 {
        self.0.iter().fold(0x9e37_79b9_7f4a_7c15, |hash: u64, word| {
            let wide = u128::from(hash ^ word) * 0xd6e8_feb8_6659_fd93_u128;
            (wide >> 64) as u64 ^ (wide as u64).rotate_left(17)
        })
    }
}

/// Lines, each once.
#[derive(Debug)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    known: HashTable<u32>,
}

impl Lines {
    /// The number of the line without a slot.
    pub(crate) const NONE: u32 = 0;

    pub(crate) fn new() -> Self {
        let mut lines = Self { lines: Vec::new(), known: HashTable::new() };
        lines.intern(&Line::NONE);
        lines.intern(&Line::ALL);
        lines
    }

    pub(crate) fn intern(&mut self, line: &Line) -> u32 {
        let hash = line.hash();
        if let Some(&at) = self.known.find(hash, |&at| self.lines[at as usize] == *line) {
            return at;
        }
        let at = self.lines.len() as u32;
        self.lines.push(*line);
        self.known.insert_unique(hash, at, |&at| self.lines[at as usize].hash());
        at
    }

    pub(crate) fn get(&self, number: u32) -> &Line {
        &self.lines[number as usize]
    }

    pub(crate) fn into_lines(self) -> Vec<Line> {
        let mut lines = self.lines;
        lines.shrink_to_fit();
        lines
    }
}
