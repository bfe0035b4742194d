//! Comparisons into bits, in a form that LLVM turns into vector instructions.

use super::Bits;

/// What `test` says of each value, and beyond the last one anything: first as bytes, a loop without a branch, then eight bytes to a
/// byte by one multiplication.
#[inline(always)]
pub(crate) fn pack<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Bits {
    let mut bits = Bits::NONE;
    let (blocks, rest) = values.as_chunks::<64>();
    for (word, block) in bits.0.iter_mut().zip(blocks) {
        let mut bytes = [0_u8; 64];
        bytes.iter_mut().zip(block).for_each(|(byte, &value)| *byte = u8::from(test(value)));
        *word = gather(&bytes);
    }
    // A last block that is not whole is made so: sixty-four at once take less time than a few one by
    // one, and frames are often shorter than two blocks.
    if let (Some(word), Some(&first)) = (bits.0.get_mut(blocks.len()), rest.first()) {
        let mut block = [first; 64];
        block[..rest.len()].copy_from_slice(rest);
        let mut bytes = [0_u8; 64];
        for (byte, &value) in bytes.iter_mut().zip(&block) {
            *byte = u8::from(test(value));
        }
        *word = gather(&bytes);
    }
    bits
}

/// The same for pairs of values.
#[inline(always)]
pub(crate) fn pack_pairs<A: Copy, B: Copy>(a: &[A], b: &[B], test: impl Fn(A, B) -> bool) -> Bits {
    let mut bits = Bits::NONE;
    for ((word, a), b) in bits.0.iter_mut().zip(a.chunks(64)).zip(b.chunks(64)) {
        let mut bytes = [0_u8; 64];
        for ((byte, &a), &b) in bytes.iter_mut().zip(a).zip(b) {
            *byte = u8::from(test(a, b));
        }
        *word = gather(&bytes);
    }
    bits
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
