use std::fmt;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::exact::Range;
use super::pack::pack_pairs;
use super::view::Strings;
use super::{Bits, CHUNK, Comparison, Like};

/// What is asked of a text, beside its order and its being one of a set.
#[derive(Clone)]
pub enum TextTest {
    /// It begins with this.
    StartsWith(Box<str>),
    /// It ends with this.
    EndsWith(Box<str>),
    /// It contains this.
    Contains(Box<Finder<'static>>),
    /// It is of this pattern.
    Like(Box<Like>),
    /// What this says.
    Holds(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl TextTest {
    /// A test for texts that contain `part`.
    pub fn contains(part: &str) -> Self {
        Self::Contains(Box::new(Finder::new(part).into_owned()))
    }
}

impl fmt::Debug for TextTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartsWith(text) => write!(f, "StartsWith({text:?})"),
            Self::EndsWith(text) => write!(f, "EndsWith({text:?})"),
            Self::Contains(part) => {
                write!(f, "Contains({:?})", String::from_utf8_lossy(part.needle()))
            }
            Self::Like(like) => like.fmt(f),
            Self::Holds(_) => f.write_str("Holds(..)"),
        }
    }
}

/// Which of the `wanted` rows, counted from `start`, pass the test.
pub(crate) fn test(strings: Strings<'_>, test: &TextTest, start: usize, wanted: &Bits) -> Bits {
    let get = |row| strings.get(start + row);
    match test {
        TextTest::StartsWith(part) => wanted.keep(|row| get(row).starts_with(part.as_bytes())),
        TextTest::EndsWith(part) => wanted.keep(|row| get(row).ends_with(part.as_bytes())),
        TextTest::Contains(part) => wanted.keep(|row| part.find(get(row)).is_some()),
        TextTest::Like(like) => wanted.keep(|row| like.matches(get(row))),
        TextTest::Holds(holds) => {
            // Text columns hold UTF-8; other columns do not come here.
            wanted.keep(|row| std::str::from_utf8(get(row)).is_ok_and(|text| holds(text)))
        }
    }
}

/// Which of the `wanted` rows compare so with `literal`.
pub(crate) fn compare(
    strings: Strings<'_>,
    comparison: Comparison,
    literal: &[u8],
    start: usize,
    wanted: &Bits,
    few: bool,
) -> Bits {
    match comparison {
        Comparison::Eq => equal(strings, literal, start, wanted, few),
        Comparison::Ne => !equal(strings, literal, start, wanted, few),
        _ => wanted.keep(|row| comparison.holds(strings.get(start + row).cmp(literal))),
    }
}

fn equal(strings: Strings<'_>, literal: &[u8], start: usize, wanted: &Bits, few: bool) -> Bits {
    let ends = &strings.offsets[start..];
    let len = (ends.len() - 1).min(CHUNK);
    // Where no length has more than 32 bits, so many are compared: a vector holds twice as many.
    let longest = (ends[len] - ends[0]).max(literal.len() as i64);
    let same_length = if few || u32::try_from(longest).is_err() {
        wanted.keep(|row| ends[row + 1] - ends[row] == literal.len() as i64)
    } else {
        // All of them without a branch: most texts are of another length.
        let wanted_length = literal.len() as u32;
        let is_it = |from: i64, to: i64| (to as u32).wrapping_sub(from as u32) == wanted_length;
        *wanted & pack_pairs(&ends[..len], &ends[1..=len], is_it)
    };
    if literal.len() > size_of::<u64>() {
        let key = Key::of(literal);
        return same_length.keep(|row| {
            let text = strings.get(start + row);
            Key::of(text) == key && (literal.len() <= Key::WHOLE || text == literal)
        });
    }
    // A short one is read as eight bytes, of which the last are those of the next text.
    let mut bytes = [0; size_of::<u64>()];
    bytes[..literal.len()].copy_from_slice(literal);
    let word = u64::from_le_bytes(bytes);
    let foreign = 64 - 8 * literal.len() as u32;
    same_length.keep(|row| {
        let rest = &strings.data[ends[row] as usize..];
        match rest.first_chunk() {
            Some(eight) => (u64::from_le_bytes(*eight) ^ word)
                .checked_shl(foreign)
                .is_none_or(|bits| bits == 0),
            None => rest.starts_with(literal),
        }
    })
}

/// Which of the `wanted` rows have a number of characters in the range.
pub(crate) fn length(strings: Strings<'_>, range: &Range, start: usize, wanted: &Bits) -> Bits {
    let found = wanted.keep(|row| {
        let characters = characters(strings.get(start + row)) as i128;
        (range.low..=range.high).contains(&characters)
    });
    if range.outside { !found } else { found }
}

/// Code points of a text.
pub(crate) fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// Both ends of a text: with its length all there is to know of one of 32 bytes or fewer, read
/// without a loop or a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    head: u128,
    tail: u128,
}

impl Key {
    /// Texts of up to so many bytes are equal where length and key are.
    pub(crate) const WHOLE: usize = 32;

    #[inline(always)]
    pub(crate) fn of(text: &[u8]) -> Self {
        let (head, tail) = match (text.first_chunk(), text.last_chunk()) {
            (Some(head), Some(tail)) => {
                let (head, tail) = (u128::from_le_bytes(*head), u128::from_le_bytes(*tail));
                return Self { head, tail };
            }
            _ => match (text.first_chunk(), text.last_chunk()) {
                (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
                _ => Self::short(text),
            },
        };
        Self { head: u128::from(head) | u128::from(tail) << 64, tail: 0 }
    }

    /// Both ends of fewer than eight bytes.
    #[inline(always)]
    pub(crate) fn short(text: &[u8]) -> (u64, u64) {
        match (text.first_chunk(), text.last_chunk(), text) {
            (Some(head), Some(tail), _) => {
                (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
            }
            (_, _, [first, .., last]) => {
                let middle = text[text.len() / 2];
                (u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16, 0)
            }
            _ => (text.first().map_or(0, |&only| only.into()), 0),
        }
    }

    /// Both ends for a hash, which mixes each of them as one.
    #[inline(always)]
    pub(crate) fn ends(self) -> (u128, u128) {
        (self.head, self.tail)
    }
}
