use std::fmt::Write as _;

use super::room::{Grow, Out};
use crate::text::civil_from_days;

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

#[inline]
fn pair(number: u32) -> [u8; 2] {
    PAIRS[(number % 100) as usize]
}

/// Sets the bytes of a template from `at` on.
#[inline]
fn set<const N: usize, const M: usize>(to: &mut [u8; N], at: usize, bytes: [u8; M]) {
    to[at..at + M].copy_from_slice(&bytes);
}

#[inline]
fn set_date<const N: usize>(to: &mut [u8; N], at: usize, (year, month, day): (i32, u32, u32)) {
    set(to, at, pair(year as u32 / 100));
    set(to, at + 2, pair(year as u32));
    set(to, at + 5, pair(month));
    set(to, at + 8, pair(day));
}

/// Hours, minutes, seconds and the fraction; a time beyond 99 hours has no meaning here.
#[inline]
fn set_clock<const N: usize>(to: &mut [u8; N], at: usize, micros: u64) {
    let (seconds, part) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
    set(to, at, pair(seconds / 3_600));
    set(to, at + 3, pair(seconds / 60 % 60));
    set(to, at + 6, pair(seconds % 60));
    set(to, at + 9, pair(part / 10_000));
    set(to, at + 11, pair(part / 100));
    set(to, at + 13, pair(part));
}

impl<G: Grow> Out<G> {
    /// A date, quoted.
    #[inline]
    pub(super) fn put_date(&mut self, days: i32) {
        let date = civil_from_days(days);
        if (0..=9_999).contains(&date.0) {
            let mut text = *b"\"0000-00-00\"....";
            set_date(&mut text, 1, date);
            self.put(&text, 12);
        } else {
            self.put_far(date, None);
        }
    }

    /// A time of day, quoted.
    #[inline]
    pub(super) fn put_time(&mut self, micros: i64) {
        let mut text = *b"\"00:00:00.000000\"";
        set_clock(&mut text, 1, micros as u64);
        if micros % 1_000_000 == 0 {
            text[9] = b'"';
            self.put(&text, 10);
        } else {
            self.put(&text, 17);
        }
    }

    /// A timestamp, quoted.
    #[inline]
    pub(super) fn put_timestamp(&mut self, micros: i64, utc: bool) {
        const MICROS_A_DAY: i64 = 86_400_000_000;
        // The quotient is at most 106,751,991 days.
        let days = micros.div_euclid(MICROS_A_DAY) as i32;
        let clock = micros.rem_euclid(MICROS_A_DAY) as u64;
        let date = civil_from_days(days);
        if !(0..=9_999).contains(&date.0) {
            return self.put_far(date, Some((clock, utc)));
        }
        let mut text = *b"\"0000-00-00T00:00:00.000000Z\"...";
        set_date(&mut text, 1, date);
        set_clock(&mut text, 12, clock);
        let mut len = if clock.is_multiple_of(1_000_000) { 20 } else { 27 };
        if utc {
            text[len] = b'Z';
            len += 1;
        }
        text[len] = b'"';
        self.put(&text, len + 1);
    }

    /// A date or timestamp before year 0 or after year 9999.
    #[cold]
    fn put_far(&mut self, (year, month, day): (i32, u32, u32), time: Option<(u64, bool)>) {
        let mut text = String::new();
        let mut written = write!(text, "\"{year:+07}-{month:02}-{day:02}");
        if let Some((clock, utc)) = time {
            let (seconds, part) = (clock / 1_000_000, clock % 1_000_000);
            let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            written = written.and(write!(text, "T{hour:02}:{minute:02}:{second:02}"));
            if part != 0 {
                written = written.and(write!(text, ".{part:06}"));
            }
            text.push_str(if utc { "Z" } else { "" });
        }
        debug_assert!(written.is_ok(), "a String takes everything");
        text.push('"');
        self.put_short(text.as_bytes());
    }

    /// An interval as PostgreSQL prints it with `IntervalStyle` `iso_8601`, quoted. There must be
    /// room for 128 bytes.
    pub(super) fn put_interval(&mut self, months: i32, days: i32, nanos: i64) {
        self.put_short(b"\"P");
        let seconds = nanos / 1_000_000_000;
        let date = [(months / 12, b'Y'), (months % 12, b'M'), (days, b'D')];
        for (value, unit) in date.into_iter().filter(|(value, _)| *value != 0) {
            self.put_short(itoa::Buffer::new().format(value).as_bytes());
            self.put_byte(unit);
        }
        if nanos != 0 || (months, days) == (0, 0) {
            self.put_byte(b'T');
            for (value, unit) in [(seconds / 3_600, b'H'), (seconds / 60 % 60, b'M')] {
                if value != 0 {
                    self.put_short(itoa::Buffer::new().format(value).as_bytes());
                    self.put_byte(unit);
                }
            }
            let (whole, part) = (seconds % 60, nanos % 1_000_000_000);
            if (whole, part) != (0, 0) || nanos == 0 {
                self.put_short(if nanos < 0 { b"-" } else { b"" });
                self.put_short(itoa::Buffer::new().format(whole.unsigned_abs()).as_bytes());
                if part != 0 {
                    let digits = format!(".{:09}", part.unsigned_abs());
                    self.put_short(digits.trim_end_matches('0').as_bytes());
                }
                self.put_byte(b'S');
            }
        }
        self.put_byte(b'"');
    }
}
