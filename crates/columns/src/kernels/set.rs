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
            Some(span) if span < BITMAP => {
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
            Self::Bitmap { .. } | Self::Many(_) => wanted.keep(|row| self.has(cells[row])),
        }
    }
}

#[inline(always)]
fn in_bitmap(bit: i128, words: &[u64]) -> bool {
    (0..BITMAP).contains(&bit)
        && words.get(bit as usize / 64).is_some_and(|word| word >> (bit as usize % 64) & 1 == 1)
}

/// Texts, found by their lengths first and then by a hash of both their ends.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    /// A bit for each length that occurs, the last one for all from 63 on.
    lengths: u64,
    table: HashTable<(Key, Box<[u8]>)>,
    hasher: RandomState,
}

impl Texts {
    pub(crate) fn new<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Self {
        let hasher = RandomState::default();
        let mut set = Self { lengths: 0, table: HashTable::new(), hasher };
        for text in texts {
            if set.has(text) {
                continue;
            }
            set.lengths |= 1 << text.len().min(63);
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
        if self.lengths >> text.len().min(63) & 1 == 0 {
            return false;
        }
        let key = Key::of(text);
        let found = self.table.find(hash(&self.hasher, key, text), |(other, whole)| {
            *other == key
                && whole.len() == text.len()
                && (text.len() <= Key::WHOLE || **whole == *text)
        });
        found.is_some()
    }

    pub(crate) fn find(&self, strings: Strings<'_>, start: usize, wanted: &Bits) -> Bits {
        wanted.keep(|row| self.has(strings.get(start + row)))
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
        (Set::Texts(set), Values::Bytes(strings)) => set.find(*strings, start, wanted),
        (Set::Texts(set), Values::Uuid(cells)) => wanted.keep(|row| set.has(&cells[start + row])),
        (Set::Integers(set), Values::I128(cells)) => set.find(&cells[start..start + len], wanted),
        (Set::Integers(set), values) => {
            integers!(values, |cells| set.find(&cells[start..start + len], wanted), else Bits::NONE)
        }
        _ => Bits::NONE,
    }
}
