/// Text of known pieces, up to 40 bytes, without memory of its own: a load writes two dates a row,
/// for which `write!` takes five times as long.
#[derive(Default)]
pub(super) struct ShortText {
    bytes: [[u8; 8]; 5],
    len: usize,
}

impl ShortText {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let space = self.bytes.as_flattened_mut().get_mut(self.len..self.len + bytes.len());
        debug_assert!(space.is_some(), "more than 40 bytes");
        if let Some(space) = space {
            space.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes.as_flattened()[..self.len]).unwrap_or_default()
    }

    /// `2024-02-29`
    pub(super) fn date(&mut self, year: u32, month: u32, day: u32) {
        let ([a, b], [c, d]) = (two(year / 100), two(year % 100));
        let ([e, f], [g, h]) = (two(month), two(day));
        self.put(&[a, b, c, d, b'-', e, f, b'-', g, h]);
    }

    /// `23:59:59.000001`, without a fraction where it is zero, as SQLite's own functions write it:
    /// times are compared as text.
    pub(super) fn clock(&mut self, micros: i64) {
        let (seconds, fraction) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
        let ([a, b], [c, d]) = (two(seconds / 3_600), two(seconds / 60 % 60));
        let [e, f] = two(seconds % 60);
        self.put(&[a, b, b':', c, d, b':', e, f]);
        if fraction > 0 {
            let ([a, b], [c, d]) = (two(fraction / 10_000), two(fraction / 100 % 100));
            let [e, f] = two(fraction % 100);
            self.put(&[b'.', a, b, c, d, e, f]);
        }
    }

    pub(super) fn uuid(&mut self, uuid: [u8; 16]) {
        for (at, byte) in uuid.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                self.put(b"-");
            }
            self.put(&[byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[digit as usize]));
        }
    }
}

#[inline]
fn two(value: u32) -> [u8; 2] {
    [value / 10 % 10, value % 10].map(|digit| b'0' + digit as u8)
}
