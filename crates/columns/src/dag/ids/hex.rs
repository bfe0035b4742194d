//! Hexadecimal digits, eight at a time: each byte of a `u64` is one of them.

const ONES: u64 = 0x0101_0101_0101_0101;

/// The digits of values below 16.
fn digits(values: u64) -> u64 {
    let letters = (values + 6 * ONES) >> 4 & ONES;
    values + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
}

/// The digits of bytes, of which there are a multiple of four.
pub(super) fn write(bytes: &[u8], out: &mut [u8]) {
    for (&four, eight) in bytes.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<8>().0) {
        let mut spread = u64::from(u32::from_be_bytes(four));
        spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
        spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
        spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        *eight = digits(spread).to_be_bytes();
    }
}

/// The bytes that such digits stand for; false if they are others, or not so many.
pub(super) fn read(text: &[u8], out: &mut [u8]) -> bool {
    if text.len() != out.len() * 2 {
        return false;
    }
    let mut is_hex = true;
    for (four, eight) in out.as_chunks_mut::<4>().0.iter_mut().zip(text.as_chunks::<8>().0) {
        let eight = u64::from_be_bytes(*eight);
        let values = (eight & (15 * ONES)) + (eight >> 6 & ONES) * 9;
        // What is no digit is not that of its value, or has none below 16.
        is_hex &= values & (0xf0 * ONES) == 0 && digits(values) == eight;
        let mut packed = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
        packed = (packed | packed >> 8) & 0x0000_ffff_0000_ffff;
        packed |= packed >> 16;
        *four = (packed as u32).to_be_bytes();
    }
    is_hex
}
