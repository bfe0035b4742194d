/// Text of known pieces, up to 40 bytes, without memory of its own: a load writes two dates a row,
/// for which `write!` takes five times as long.
#[derive(Default)]
pub(super) struct ShortText {
    bytes: [[u8; 8]; 5],
    len: usize,
}

impl ShortText {
    #[inline]
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

    fn two_digits(&mut self, before: &[u8], value: u32) {
        self.put(before);
        self.put(&[value / 10 % 10, value % 10].map(|digit| b'0' + digit as u8));
    }

    /// `2024-02-29`
    pub(super) fn date(&mut self, year: u32, month: u32, day: u32) {
        self.two_digits(b"", year / 100);
        self.two_digits(b"", year % 100);
        self.two_digits(b"-", month);
        self.two_digits(b"-", day);
    }

    /// `23:59:59.000001`, without a fraction where it is zero, as SQLite's own functions write it:
    /// times are compared as text.
    pub(super) fn clock(&mut self, micros: i64) {
        let (seconds, fraction) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
        self.two_digits(b"", seconds / 3_600);
        self.two_digits(b":", seconds / 60 % 60);
        self.two_digits(b":", seconds % 60);
        if fraction > 0 {
            self.two_digits(b".", fraction / 10_000);
            self.two_digits(b"", fraction / 100 % 100);
            self.two_digits(b"", fraction % 100);
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
