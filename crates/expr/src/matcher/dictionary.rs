use std::borrow::Cow;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::key::Key;

/// The values of one attribute that expressions name, numbered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    numbers: HashMap<i64, u32, RandomState>,
    short: HashMap<Short, u32, RandomState>,
    long: HashMap<Box<[u8]>, u32, RandomState>,
    /// The number of each value, of those that are numbers.
    values: Vec<i64>,
    /// Of numbers that lie close together, from `lowest` on: the number of each, counted from 1.
    direct: Vec<u32>,
    lowest: i64,
}

impl Dictionary {
    /// With room for so many numbers, and for texts of these lengths.
    pub(crate) fn with_capacity(numbers: usize, lengths: impl Iterator<Item = usize>) -> Self {
        let (mut short, mut long) = (0, 0);
        lengths.for_each(|length| *(if length > SHORT { &mut long } else { &mut short }) += 1);
        Self {
            numbers: HashMap::with_capacity_and_hasher(numbers, RandomState::default()),
            short: HashMap::with_capacity_and_hasher(short, RandomState::default()),
            long: HashMap::with_capacity_and_hasher(long, RandomState::default()),
            values: Vec::with_capacity(numbers),
            direct: Vec::new(),
            lowest: 0,
        }
    }

    /// The values that are numbers, in the order of theirs.
    pub(crate) fn values(&self) -> &[i64] {
        &self.values
    }

    /// The values that are not, in the order of their numbers.
    pub(crate) fn texts(&self) -> Vec<Cow<'_, [u8]>> {
        let short = self.short.iter().map(|(text, &number)| (number, Cow::Owned(text.bytes())));
        let long = self.long.iter().map(|(text, &number)| (number, Cow::Borrowed(&**text)));
        let mut texts: Vec<(u32, Cow<'_, [u8]>)> = short.chain(long).collect();
        texts.sort_unstable();
        texts.into_iter().map(|(_, text)| text).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len() + self.short.len() + self.long.len()
    }

    /// The number of a value, which it gets now if it has none.
    pub(crate) fn intern(&mut self, key: Key<'_>) -> u32 {
        let next = self.len() as u32;
        match key {
            Key::Number(number) => *self.numbers.entry(number).or_insert_with(|| {
                self.values.push(number);
                next
            }),
            Key::Bytes(bytes) => match Short::new(bytes) {
                Some(short) => *self.short.entry(short).or_insert(next),
                None => match self.long.get(bytes) {
                    Some(&id) => id,
                    None => {
                        self.long.insert(bytes.into(), next);
                        next
                    }
                },
            },
        }
    }

    #[inline]
    pub(crate) fn find(&self, key: Key<'_>) -> Option<u32> {
        match key {
            Key::Number(number) if !self.direct.is_empty() => {
                let at = usize::try_from(number.wrapping_sub(self.lowest)).ok()?;
                self.direct.get(at)?.checked_sub(1)
            }
            Key::Number(number) => self.numbers.get(&number).copied(),
            Key::Bytes(bytes) => match Short::new(bytes) {
                Some(short) => self.short.get(&short).copied(),
                None => self.long.get(bytes).copied(),
            },
        }
    }

    /// Makes finding quicker, when all are there.
    pub(crate) fn settle(&mut self) {
        let (Some(&low), Some(&high)) = (self.values.iter().min(), self.values.iter().max()) else {
            return;
        };
        // A few bytes for each value are less than a hash table's.
        let most = 8 * self.values.len() as u64 + 256;
        let Some(range) =
            high.checked_sub(low).map(i64::unsigned_abs).filter(|range| *range < most)
        else {
            return;
        };
        self.lowest = low;
        self.direct = vec![0; range as usize + 1];
        for (id, value) in (1..).zip(&self.values) {
            self.direct[(value - low) as usize] = id;
        }
    }

    /// The value of a number, where values are numbers.
    pub(crate) fn number(&self, id: u32) -> Option<i64> {
        self.values.get(id as usize).copied()
    }

    /// Bytes that it takes, about.
    pub(crate) fn byte_len(&self) -> usize {
        let texts: usize = self.long.keys().map(|text| text.len().next_multiple_of(16)).sum();
        self.numbers.allocation_size()
            + self.short.allocation_size()
            + self.long.allocation_size()
            + texts
            + self.values.len() * 8
            + self.direct.len() * 4
    }
}

/// The length of the longest texts that are kept in their table.
const SHORT: usize = 15;

/// A text of at most so many bytes, noughts behind it and its length last: it is compared where it stands in its table, and
/// not by way of memory of its own, which a record's 16 texts would wait for one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Short(u64, u64);

impl Short {
    #[inline]
    fn new(text: &[u8]) -> Option<Self> {
        let length = text.len();
        // Read from both ends, which may overlap: a copy of a length that is not known is a call.
        let (low, high) = if length > SHORT {
            return None;
        } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>())
        {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            (first, last.checked_shr(8 * (16 - length as u32)).unwrap_or(0))
        } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>())
        {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            (u64::from(first) | u64::from(last) << (8 * (length - 4)), 0)
        } else {
            (text.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0)
        };
        Some(Self(low, high | (length as u64) << 56))
    }

    fn bytes(self) -> Vec<u8> {
        let mut all = [self.0.to_le_bytes(), self.1.to_le_bytes()].concat();
        all.truncate(usize::from(all[SHORT]));
        all
    }
}
