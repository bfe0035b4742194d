/// The most bytes one byte of text can become: `\u001f`.
pub(super) const LONGEST_ESCAPE: usize = 6;

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES * 0x80;

/// Marks bytes that JSON wants escaped by their high bit; those above the first mark may be wrong.
#[inline]
fn marks(word: u64) -> u64 {
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let control = below(word, 0x20);
    let quote = below(word ^ (ONES * b'"' as u64), 1);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    control | quote | backslash
}

/// Writes the text to the beginning of `to`, escaped, and says how many bytes that took.
///
/// Eight bytes are looked at and stored at a time. `to` must have room for six times the text and
/// eight bytes more.
#[inline]
pub(super) fn escape(to: &mut [u8], text: &[u8]) -> usize {
    let mut at = 0;
    let mut rest = text;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let marks = marks(u64::from_le_bytes(*chunk));
        to[at..at + 8].copy_from_slice(chunk);
        if marks == 0 {
            at += 8;
            rest = after;
        } else {
            let clean = marks.trailing_zeros() as usize / 8;
            at += clean;
            at += escape_byte(to, at, chunk[clean & 7]);
            rest = &rest[clean + 1..];
        }
    }
    let mut left = rest.len();
    let mut word = tail(text, rest);
    while left > 0 {
        let marks = marks(word) & !(u64::MAX << (8 * left));
        to[at..at + 8].copy_from_slice(&word.to_le_bytes());
        if marks == 0 {
            return at + left;
        }
        let clean = marks.trailing_zeros() as usize / 8;
        at += clean;
        at += escape_byte(to, at, (word >> (8 * clean)) as u8);
        left -= clean + 1;
        word = word.checked_shr(8 * (clean as u32 + 1)).unwrap_or(0);
    }
    at
}

/// The fewer than eight bytes of `rest`, the end of `text`, as the low bytes of a word.
#[inline]
fn tail(text: &[u8], rest: &[u8]) -> u64 {
    if rest.is_empty() {
        return 0;
    }
    if let Some(last) = text.last_chunk::<8>() {
        return u64::from_le_bytes(*last) >> (8 * (8 - rest.len()));
    }
    if let (Some(head), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let (head, last) = (u32::from_le_bytes(*head), u32::from_le_bytes(*last));
        return u64::from(head) | (u64::from(last) << (8 * (rest.len() - 4)));
    }
    rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

#[inline]
fn escape_byte(to: &mut [u8], at: usize, byte: u8) -> usize {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 15)];
            let long = [b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte)];
            to[at..at + 6].copy_from_slice(&long);
            return 6;
        }
    };
    to[at..at + 2].copy_from_slice(&[b'\\', short]);
    2
}
