//! Eight bytes of text at a time, the first one lowest.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// The high bit of the first byte that ends a plain text, which is a quotation mark, a backslash or a control; those of
/// bytes behind it may be wrong.
#[inline]
pub(super) fn marks(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES << 5) & !word;
    (is_zero(word ^ (ONES * 0x22)) | is_zero(word ^ (ONES * 0x5c)) | control) & HIGH
}

/// How many bytes are before the first high bit.
#[inline]
pub(super) fn before(high: u64) -> usize {
    high.trailing_zeros() as usize / 8
}

/// The number that the digits at the start spell, and how many they are.
#[inline]
pub(super) fn digits(word: u64) -> (u64, usize) {
    let values = word ^ (ONES * 0x30);
    let others = (((values & !HIGH) + ONES * 0x76) | values) & HIGH;
    let count = before(others);
    if count == 0 {
        return (0, 0);
    }
    // Noughts come before the digits; then pairs, fours and all eight are put together.
    let digits = values << (8 * (8 - count));
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (((fours * 10_000) + (fours >> 32)) & 0xffff_ffff, count)
}
