use super::exact::Range;
use super::pack::pack_pairs;
use super::{Bits, CHUNK, Mask, Ready};

/// What a test of a list's elements says of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// Some element passes; one that is NULL does not.
    Contains,
    /// Some element passes, else NULL where one of them is NULL.
    Any,
    /// All elements pass, else NULL where the rest of them are NULL.
    All,
}

/// What the lists of the `wanted` rows are: their elements are tested a chunk at a time, as a
/// column, and then each list looks at its bits.
pub(crate) fn test(
    offsets: &[i64],
    quantifier: Quantifier,
    element: &Ready<'_>,
    start: usize,
    len: usize,
    wanted: &Bits,
) -> Mask {
    let (first, end) = (offsets[start] as usize, offsets[start + len] as usize);
    let Some(elements) = tested(element, first, end) else {
        return by_list(offsets, quantifier, element, start, wanted);
    };
    let mut mask = Mask { truth: Bits::NONE, known: Bits::ALL };
    if matches!(quantifier, Quantifier::Contains) {
        let truth = owners(&elements.truth, &offsets[start..=start + len]) & *wanted;
        return Mask { truth, ..mask };
    }
    wanted.each(|row| {
        let from = offsets[start + row] as usize - first;
        let to = offsets[start + row + 1] as usize - first;
        let passes = any(&elements.truth, from, to);
        let fails = || any_not(&elements.truth, &elements.known, from, to);
        let unknown = || any_zero(&elements.known, from, to);
        set(&mut mask, row, quantifier, passes, fails, unknown);
    });
    mask
}

/// The lists that have one of the elements: from those that pass, which are few, to the lists.
fn owners(elements: &[u64], offsets: &[i64]) -> Bits {
    let (first, ends) = (offsets[0], &offsets[1..]);
    let (mut found, mut list) = (Bits::NONE, 0);
    for (at, &word) in elements.iter().enumerate() {
        let mut left = word;
        while left != 0 {
            let element = first + (at * 64) as i64 + i64::from(left.trailing_zeros());
            list += ends[list..].iter().take_while(|&&end| end <= element).count();
            // Beyond the last element the bits are anything.
            if list == ends.len() {
                return found;
            }
            found.set(list);
            left &= left - 1;
        }
    }
    found
}

fn set(
    mask: &mut Mask,
    row: usize,
    quantifier: Quantifier,
    passes: bool,
    fails: impl Fn() -> bool,
    unknown: impl Fn() -> bool,
) {
    let (truth, known) = match quantifier {
        Quantifier::Contains => (passes, true),
        Quantifier::Any => (passes, passes || !unknown()),
        Quantifier::All if fails() => (false, true),
        Quantifier::All => {
            let unknown = unknown();
            (!unknown, !unknown)
        }
    };
    if truth {
        mask.truth.set(row);
    }
    if !known {
        mask.known.0[row / 64] &= !(1 << (row % 64));
    }
}

struct Elements {
    truth: Vec<u64>,
    known: Vec<u64>,
}

/// More elements than this are tested list by list, so that memory stays bounded.
const MOST: usize = 64 * CHUNK;

fn tested(element: &Ready<'_>, first: usize, end: usize) -> Option<Elements> {
    let count = end - first;
    if count > MOST {
        return None;
    }
    let words = count.div_ceil(64);
    let mut elements =
        Elements { truth: Vec::with_capacity(words), known: Vec::with_capacity(words) };
    for from in (first..end).step_by(CHUNK) {
        let len = CHUNK.min(end - from);
        let mask = element.run(from, len, &Bits::first(len));
        let words = len.div_ceil(64);
        elements.truth.extend_from_slice(&mask.truth.0[..words]);
        elements.known.extend_from_slice(&mask.known.0[..words]);
    }
    Some(elements)
}

fn by_list(
    offsets: &[i64],
    quantifier: Quantifier,
    element: &Ready<'_>,
    start: usize,
    wanted: &Bits,
) -> Mask {
    let mut mask = Mask { truth: Bits::NONE, known: Bits::ALL };
    wanted.each(|row| {
        let (from, to) = (offsets[start + row] as usize, offsets[start + row + 1] as usize);
        let (mut passes, mut fails, mut unknown) = (false, false, false);
        for at in (from..to).step_by(CHUNK) {
            let len = CHUNK.min(to - at);
            let (all, found) = (Bits::first(len), element.run(at, len, &Bits::first(len)));
            passes |= !(found.truth & all).is_empty();
            fails |= !(found.falsity() & all).is_empty();
            unknown |= !(all & !found.known).is_empty();
        }
        set(&mut mask, row, quantifier, passes, || fails, || unknown);
    });
    mask
}

/// Whether `words(word)` has a bit from `from` to `to`.
#[inline(always)]
fn any_of(from: usize, to: usize, word: impl Fn(usize) -> u64) -> bool {
    if from >= to {
        return false;
    }
    let (first, last) = (from / 64, (to - 1) / 64);
    let head = !0 << (from % 64);
    let tail = !0 >> (63 - (to - 1) % 64);
    if first == last {
        return word(first) & head & tail != 0;
    }
    word(first) & head != 0 || (first + 1..last).any(|at| word(at) != 0) || word(last) & tail != 0
}

fn any(words: &[u64], from: usize, to: usize) -> bool {
    any_of(from, to, |at| words[at])
}

fn any_zero(words: &[u64], from: usize, to: usize) -> bool {
    any_of(from, to, |at| !words[at])
}

fn any_not(truth: &[u64], known: &[u64], from: usize, to: usize) -> bool {
    any_of(from, to, |at| known[at] & !truth[at])
}

/// Which lists have a number of elements in the range.
pub(crate) fn length(offsets: &[i64], range: &Range, start: usize, len: usize) -> Bits {
    let ends = &offsets[start..=start + len];
    let found = pack_pairs(&ends[..len], &ends[1..], |from, to| {
        (range.low..=range.high).contains(&i128::from(to - from))
    });
    if range.outside { !found } else { found }
}
