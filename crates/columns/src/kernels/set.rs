use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashSet, HashTable};

use super::Bits;
use super::compare::Integer;
use super::pack::pack;
use super::text::Key;
use super::view::{Strings, Values, integers};

/// The values that IN allows, in the form that is asked fastest.
#[derive(Clone, Debug)]
pub(crate) enum Set {
    Integers(Integers),
    /// Floats by their bits, with one NaN and one zero.
    Floats(HashSet<u64, RandomState>),
    Texts(Texts),
}

/// Whole numbers, as a column stores them.
#[derive(Clone, Debug)]
pub(crate) enum Integers {
    /// So few that comparing with each is a few vector instructions.
    Few(Vec<i128>),
    /// Close together: a bit for each from the least on.
    Bitmap {
        least: i128,
        words: Vec<u64>,
    },
    Many(HashSet<i128, RandomState>),
}

const FEW: usize = 4;
/// 8 KiB of bits: in the first-level cache, and far below what the list itself took.
const BITMAP: i128 = 65_536;
/// So many bits for each value, which is a few times what a hash takes, and a third of the time.
const EACH: i128 = 1_024;
/// 1 MiB: more is further away than a hash.
const MOST: i128 = 1 << 23;

impl Integers {
    pub(crate) fn new(mut values: Vec<i128>) -> Self {
        values.sort_unstable();
        values.dedup();
        let (Some(&least), Some(&most)) = (values.first(), values.last()) else {
            return Self::Few(values);
        };
        if values.len() <= FEW {
            return Self::Few(values);
        }
        match most.checked_sub(least) {
            Some(span) if span < (values.len() as i128 * EACH).clamp(BITMAP, MOST) => {
                let mut words = vec![0_u64; span as usize / 64 + 1];
                for value in values {
                    let bit = (value - least) as usize;
                    words[bit / 64] |= 1 << (bit % 64);
                }
                Self::Bitmap { least, words }
            }
            _ => Self::Many(values.into_iter().collect()),
        }
    }

    #[inline(always)]
    fn has<T: Integer>(&self, value: T) -> bool {
        let value = value.wide();
        match self {
            Self::Few(values) => values.contains(&value),
            Self::Bitmap { least, words } => in_bitmap(value - least, words),
            Self::Many(values) => values.contains(&value),
        }
    }

    fn find<T: Integer>(&self, cells: &[T], wanted: &Bits) -> Bits {
        match self {
            Self::Few(values) => values.iter().fold(Bits::NONE, |found, &value| {
                let narrow = T::clamped(value);
                if narrow.wide() == value {
                    found | pack(cells, |cell| cell == narrow)
                } else {
                    found
                }
            }),
            // Without a branch for each, if most are asked for.
            Self::Bitmap { least, words } if !wanted.few(cells.len(), cells.len() / 2) => {
                *wanted & pack(cells, |cell| in_bitmap(cell.wide() - least, words))
            }
            Self::Bitmap { .. } | Self::Many(_) => wanted.keep(|row| self.has(cells[row])),
        }
    }
}

#[inline(always)]
fn in_bitmap(bit: i128, words: &[u64]) -> bool {
    (0..MOST).contains(&bit)
        && words.get(bit as usize / 64).is_some_and(|word| word >> (bit as usize % 64) & 1 == 1)
}

/// Texts, found by a sieve first, and then by a hash of both their ends.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    sieve: Sieve,
    table: HashTable<(Key, Box<[u8]>)>,
    hasher: RandomState,
}

impl Texts {
    pub(crate) fn new<'a>(texts: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        let sieve = Sieve::new(texts.len());
        let mut set = Self { sieve, table: HashTable::new(), hasher: RandomState::default() };
        for text in texts {
            if set.has(text) {
                continue;
            }
            set.sieve.add(text);
            let Self { table, hasher, .. } = &mut set;
            let key = Key::of(text);
            let hash = hash(hasher, key, text);
            table.insert_unique(hash, (key, text.into()), |(key, text)| {
                self::hash(hasher, *key, text)
            });
        }
        set
    }

    #[inline(always)]
    pub(crate) fn has(&self, text: &[u8]) -> bool {
        self.sieve.may_have(text) && self.found(text)
    }

    fn found(&self, text: &[u8]) -> bool {
        let key = Key::of(text);
        let found = self.table.find(hash(&self.hasher, key, text), |(other, whole)| {
            *other == key
                && whole.len() == text.len()
                && (text.len() <= Key::WHOLE || **whole == *text)
        });
        found.is_some()
    }

    fn find(&self, strings: Strings<'_>, start: usize, len: usize, wanted: &Bits) -> Bits {
        let get = |row| strings.get(start + row);
        if wanted.few(len, len / 2) {
            return wanted.keep(|row| self.has(get(row)));
        }
        (*wanted & self.sieve.all(strings, start, len)).keep(|row| self.found(get(row)))
    }
}

/// A bit for each text of a set, where its ends and its length say: most texts that are not in the set
/// find none there, in a quarter of the time that the table takes.
#[derive(Clone, Debug)]
struct Sieve {
    words: Box<[u64]>,
    shift: u32,
}

impl Sieve {
    /// Thirty-two bits for each text, so that 3 in 100 others come through by chance; at most 32 KiB,
    /// which stay in the cache beside the texts.
    fn new(texts: usize) -> Self {
        let words = (texts / 2).clamp(4, 1 << 12).next_power_of_two();
        Self { words: vec![0; words].into(), shift: 64 - words.trailing_zeros() }
    }

    /// The word and the bit. The ends of a text of eight bytes are the same, so one is turned.
    #[inline(always)]
    fn place(&self, text: &[u8]) -> (usize, u32) {
        let (head, tail) = match (text.first_chunk(), text.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => Key::short(text),
        };
        let mixed = (head ^ tail.rotate_left(29)).wrapping_add(text.len() as u64);
        let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> self.shift) as usize, (mixed >> 40) as u32 % 64)
    }

    fn add(&mut self, text: &[u8]) {
        let (word, bit) = self.place(text);
        self.words[word] |= 1 << bit;
    }

    #[inline(always)]
    fn may_have(&self, text: &[u8]) -> bool {
        let (word, bit) = self.place(text);
        self.words[word] >> bit & 1 == 1
    }

    fn all(&self, strings: Strings<'_>, start: usize, len: usize) -> Bits {
        let mut bits = Bits::NONE;
        let offsets = &strings.offsets[start..=start + len];
        let mut from = offsets[0] as usize;
        for (word, ends) in bits.0.iter_mut().zip(offsets[1..].chunks(64)) {
            for (at, &end) in ends.iter().enumerate() {
                let text = &strings.data[from..end as usize];
                *word |= u64::from(self.may_have(text)) << at;
                from = end as usize;
            }
        }
        bits
    }
}

/// Texts that differ only in the middle would all have one hash, so long ones are hashed whole.
#[inline(always)]
fn hash(hasher: &RandomState, key: Key, text: &[u8]) -> u64 {
    if text.len() <= Key::WHOLE { hasher.hash_one(key.ends()) } else { hasher.hash_one(text) }
}

/// The bits of a float, the same for floats that are equal.
pub(crate) fn float_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

/// Which of the `wanted` rows of `start` to `start + len` hold a value of the set.
pub(crate) fn find(
    values: &Values<'_>,
    set: &Set,
    start: usize,
    len: usize,
    wanted: &Bits,
) -> Bits {
    match (set, values) {
        (Set::Floats(set), Values::F64(cells)) => {
            wanted.keep(|row| set.contains(&float_bits(cells[start + row])))
        }
        (Set::Floats(set), Values::F32(cells)) => {
            wanted.keep(|row| set.contains(&float_bits(cells[start + row].into())))
        }
        (Set::Texts(set), Values::Bytes(strings)) => set.find(*strings, start, len, wanted),
        (Set::Texts(set), Values::Uuid(cells)) => wanted.keep(|row| set.has(&cells[start + row])),
        (Set::Integers(set), Values::I128(cells)) => set.find(&cells[start..start + len], wanted),
        (Set::Integers(set), values) => {
            integers!(values, |cells| set.find(&cells[start..start + len], wanted), else Bits::NONE)
        }
        _ => Bits::NONE,
    }
}
