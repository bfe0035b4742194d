use super::days_from_civil;

const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_DAY: i64 = 86_400 * MICROS_A_SECOND;

/// Days since 1970-01-01 of `2024-01-02`; years beyond four digits carry a sign (`+12024-01-02`,
/// `-0043-03-15` for 44 BC).
///
/// ```
/// use rowmill_columns::text::parse_date;
/// assert_eq!(parse_date(b"2024-01-02"), Some(19_724));
/// assert_eq!(parse_date(b"2024-13-02"), None);
/// ```
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let mut rest = Rest(text);
    let days = rest.date()?;
    rest.end().then_some(days)
}

/// Microseconds since midnight of `03:04`, `03:04:05` or `03:04:05.678901`.
///
/// ```
/// use rowmill_columns::text::parse_time;
/// assert_eq!(parse_time(b"00:01:02.5"), Some(62_500_000));
/// assert_eq!(parse_time(b"24:01:00"), None);
/// ```
pub fn parse_time(text: &[u8]) -> Option<i64> {
    let mut rest = Rest(text);
    let micros = rest.time()?;
    rest.end().then_some(micros)
}

/// The wall clock as written, in microseconds since 1970-01-01 00:00, and the zone's offset east
/// of UTC in seconds where one follows (`Z`, `+02`, `+0230`, `+02:30`, `+02:30:15`).
///
/// Date and time are parted by `T` or a space; a date alone is its midnight. The instant is the
/// wall clock less the offset. A fraction finer than a microsecond is refused, not rounded.
///
/// ```
/// use rowmill_columns::text::parse_timestamp;
/// let midnight = 19_724 * 86_400_000_000;
/// assert_eq!(parse_timestamp(b"2024-01-02 00:00:01"), Some((midnight + 1_000_000, None)));
/// assert_eq!(parse_timestamp(b"2024-01-02T00:00:00+02:30"), Some((midnight, Some(9_000))));
/// assert_eq!(parse_timestamp(b"2024-01-02T00:00:00.0000001Z"), None);
/// ```
pub fn parse_timestamp(text: &[u8]) -> Option<(i64, Option<i32>)> {
    let mut rest = Rest(text);
    let midnight = i64::from(rest.date()?).checked_mul(MICROS_A_DAY)?;
    if rest.end() {
        return Some((midnight, None));
    }
    if !(rest.take(b'T') || rest.take(b't') || rest.take(b' ')) {
        return None;
    }
    let micros = midnight.checked_add(rest.time()?)?;
    if rest.end() {
        return Some((micros, None));
    }
    rest.take(b' ');
    let offset = rest.offset()?;
    rest.end().then_some((micros, Some(offset)))
}

/// The sixteen bytes of a UUID in hexadecimal, with dashes after 8, 12, 16 and 20 digits or none,
/// in braces or not.
///
/// ```
/// use rowmill_columns::text::parse_uuid;
/// let uuid = parse_uuid(b"00112233-4455-6677-8899-AABBCCDDEEFF").unwrap();
/// assert_eq!(uuid[..3], [0x00, 0x11, 0x22]);
/// assert_eq!(parse_uuid(b"0011"), None);
/// ```
pub fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text = match text {
        [b'{', inner @ .., b'}'] => inner,
        bare => bare,
    };
    let dashes = match text.len() {
        32 => false,
        36 => true,
        _ => return None,
    };
    let mut rest = text;
    let mut uuid = [0; 16];
    for (at, byte) in uuid.iter_mut().enumerate() {
        if dashes && matches!(at, 4 | 6 | 8 | 10) {
            rest = rest.strip_prefix(b"-")?;
        }
        let (&[high, low], after) = rest.split_first_chunk::<2>()?;
        *byte = (hex(high)? << 4) | hex(low)?;
        rest = after;
    }
    rest.is_empty().then_some(uuid)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// What is left of the text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((&first, rest)) if first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// All digits that come, as a number and how many they were.
    fn digits(&mut self) -> Option<(u32, usize)> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        if count == 0 || count > 9 {
            return None;
        }
        self.0 = rest;
        Some((digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')), count))
    }

    /// Exactly two digits.
    fn two(&mut self) -> Option<u32> {
        let (&[tens, ones], rest) = self.0.split_first_chunk::<2>()?;
        if !(tens.is_ascii_digit() && ones.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
    }

    fn date(&mut self) -> Option<i32> {
        let negative = self.0.first() == Some(&b'-');
        let signed = negative || self.0.first() == Some(&b'+');
        if signed {
            self.0 = &self.0[1..];
        }
        let (year, count) = self.digits()?;
        if if signed { count < 4 } else { count != 4 } || !self.take(b'-') {
            return None;
        }
        let month = self.two()?;
        if !self.take(b'-') {
            return None;
        }
        let day = self.two()?;
        days_from_civil(if negative { -(year as i32) } else { year as i32 }, month, day)
    }

    fn time(&mut self) -> Option<i64> {
        let hours = self.two().filter(|hours| *hours < 24)?;
        if !self.take(b':') {
            return None;
        }
        let minutes = self.two().filter(|minutes| *minutes < 60)?;
        let mut micros = i64::from(hours * 3_600 + minutes * 60) * MICROS_A_SECOND;
        if !self.take(b':') {
            return Some(micros);
        }
        let seconds = self.two().filter(|seconds| *seconds < 60)?;
        micros += i64::from(seconds) * MICROS_A_SECOND;
        if self.take(b'.') {
            micros += self.fraction()?;
        }
        Some(micros)
    }

    /// The digits after the point, in microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        if count == 0 || digits.iter().skip(6).any(|digit| *digit != b'0') {
            return None;
        }
        let digit = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
        Some((0..6).fold(0, |micros, at| micros * 10 + digit(at)))
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i32> {
        if self.take(b'Z') || self.take(b'z') {
            return Some(0);
        }
        let sign = if self.take(b'-') {
            -1
        } else if self.take(b'+') {
            1
        } else {
            return None;
        };
        let mut seconds = self.two().filter(|hours| *hours < 24)? * 3_600;
        for unit in [60, 1] {
            if self.end() {
                break;
            }
            self.take(b':');
            seconds += self.two().filter(|part| *part < 60)? * unit;
        }
        Some(sign * seconds as i32)
    }
}
