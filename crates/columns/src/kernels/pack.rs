//! Comparisons into bits, in a form that LLVM turns into vector instructions.

use super::Bits;

/// What `test` says of each value, and beyond the last one anything: first as bytes, a loop without a
/// branch, then eight bytes to a byte by one multiplication.
#[inline(always)]
pub(crate) fn pack<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Bits {
    let mut bits = Bits::NONE;
    let (blocks, rest) = values.as_chunks::<64>();
    for (word, block) in bits.0.iter_mut().zip(blocks) {
        *word = word_of(block, &test);
    }
    // A last block that is not whole is made so, with values that were there already: sixty-four at once
    // take less time than a few one by one, and frames are often shorter than two blocks.
    if let (Some(word), Some(&first)) = (bits.0.get_mut(blocks.len()), rest.first()) {
        *word = match values.last_chunk::<64>() {
            Some(block) => word_of(block, &test) >> (64 - rest.len()),
            None => {
                let mut block = [first; 64];
                block[..rest.len()].copy_from_slice(rest);
                word_of(&block, &test)
            }
        };
    }
    bits
}

#[inline(always)]
fn word_of<T: Copy>(block: &[T; 64], test: impl Fn(T) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    bytes.iter_mut().zip(block).for_each(|(byte, &value)| *byte = u8::from(test(value)));
    gather(&bytes)
}

/// The same for pairs of values.
#[inline(always)]
pub(crate) fn pack_pairs<A: Copy, B: Copy>(a: &[A], b: &[B], test: impl Fn(A, B) -> bool) -> Bits {
    let mut bits = Bits::NONE;
    let len = a.len().min(b.len());
    let (a, b) = (&a[..len], &b[..len]);
    let ((some, rest), (others, _)) = (a.as_chunks::<64>(), b.as_chunks::<64>());
    for ((word, a), b) in bits.0.iter_mut().zip(some).zip(others) {
        *word = word_of_pairs(a, b, &test);
    }
    let rest = rest.len();
    if let Some(word) = bits.0.get_mut(some.len()).filter(|_| rest > 0) {
        *word = match (a.last_chunk::<64>(), b.last_chunk::<64>()) {
            (Some(a), Some(b)) => word_of_pairs(a, b, &test) >> (64 - rest),
            _ => a
                .iter()
                .zip(b)
                .enumerate()
                .fold(0, |word, (at, (&a, &b))| word | u64::from(test(a, b)) << at),
        };
    }
    bits
}

#[inline(always)]
fn word_of_pairs<A: Copy, B: Copy>(a: &[A; 64], b: &[B; 64], test: impl Fn(A, B) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    for ((byte, &a), &b) in bytes.iter_mut().zip(a).zip(b) {
        *byte = u8::from(test(a, b));
    }
    gather(&bytes)
}

/// The lowest bit of each byte.
#[inline(always)]
fn gather(bytes: &[u8; 64]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().enumerate().fold(0, |word, (at, eight)| {
        // Byte i times 2^(56-7i) lands on bit 56+i, and no two of the sixty-four products share a bit.
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word | (bits << (at * 8))
    })
}
