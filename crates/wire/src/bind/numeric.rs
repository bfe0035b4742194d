//! `numeric` in binary: a sign, and digits to the base of ten thousand.

/// The parts of a number in decimal notation.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// How far the point is moved to the right.
    exponent: i32,
}

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const MINUS_INFINITY: u16 = 0xf000;

/// PostgreSQL's own bounds: digits before and after the point.
const MOST_WHOLE: i64 = 131_072;
const MOST_FRACTION: i64 = 16_383;

/// Appends a number written as `-12.50`, `1E+3`, `NaN` or `-Infinity`.
pub(super) fn write(out: &mut Vec<u8>, text: &str) -> Result<(), String> {
    match text.strip_prefix('-').unwrap_or(text).to_ascii_lowercase().as_str() {
        "nan" => {
            header(out, 0, 0, NAN, 0);
            return Ok(());
        }
        "infinity" | "inf" => {
            let sign = if text.starts_with('-') { MINUS_INFINITY } else { INFINITY };
            header(out, 0, 0, sign, 0);
            return Ok(());
        }
        _ => {}
    }
    let parts = parts(text.as_bytes()).ok_or_else(|| format!("{text:?} is no number"))?;
    digits(out, &parts).ok_or_else(|| {
        format!(
            "{text} has more than {MOST_WHOLE} digits before the point or {MOST_FRACTION} after it"
        )
    })
}

fn header(out: &mut Vec<u8>, groups: u16, weight: i16, sign: u16, scale: u16) {
    out.extend_from_slice(&groups.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
}

fn parts(text: &[u8]) -> Option<Parts<'_>> {
    let (negative, text) = match text {
        [sign @ (b'-' | b'+'), rest @ ..] => (*sign == b'-', rest),
        rest => (false, rest),
    };
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?.parse().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = match number.iter().position(|&byte| byte == b'.') {
        Some(at) => (&number[..at], &number[at + 1..]),
        None => (number, &number[number.len()..]),
    };
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    let any = !whole.is_empty() || !fraction.is_empty();
    (all_digits && any).then_some(Parts { negative, whole, fraction, exponent })
}

/// Appends header and groups; `None` where PostgreSQL holds no such number.
fn digits(out: &mut Vec<u8>, parts: &Parts<'_>) -> Option<()> {
    let count = parts.whole.len() + parts.fraction.len();
    let digit = |at: usize| -> u16 {
        let byte = match at.checked_sub(parts.whole.len()) {
            None => parts.whole[at],
            Some(at) => parts.fraction[at],
        };
        u16::from(byte - b'0')
    };
    let scale = (parts.fraction.len() as i64 - i64::from(parts.exponent)).max(0);
    if scale > MOST_FRACTION {
        return None;
    }
    let first = (0..count).find(|&at| digit(at) != 0);
    let Some(first) = first else {
        header(out, 0, 0, 0, scale as u16);
        return Some(());
    };
    let last = (0..count).rfind(|&at| digit(at) != 0).unwrap_or(first);
    // The power of ten of a digit, and the group of four it is in, counted from the point.
    let power = |at: usize| parts.whole.len() as i64 + i64::from(parts.exponent) - 1 - at as i64;
    if power(first) >= MOST_WHOLE {
        return None;
    }
    let (highest, lowest) = (power(first).div_euclid(4), power(last).div_euclid(4));
    let groups = highest - lowest + 1;
    let sign = if parts.negative { NEGATIVE } else { 0 };
    header(out, u16::try_from(groups).ok()?, i16::try_from(highest).ok()?, sign, scale as u16);
    let (mut group, mut of) = (0_u16, highest);
    for at in first..=last {
        let here = power(at).div_euclid(4);
        while of > here {
            out.extend_from_slice(&group.to_be_bytes());
            (group, of) = (0, of - 1);
        }
        group += digit(at) * 10_u16.pow(power(at).rem_euclid(4) as u32);
    }
    out.extend_from_slice(&group.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Header and groups as numbers.
    fn written(text: &str) -> Vec<u16> {
        let mut out = Vec::new();
        write(&mut out, text).unwrap();
        out.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    /// Reads what the groups say, with the scale's digits after the point.
    fn read(words: &[u16]) -> String {
        let [groups, weight, sign, scale] = words[..4] else { panic!("no header") };
        assert_eq!(words.len(), 4 + usize::from(groups));
        let weight = i32::from(weight as i16);
        let at = |power: i32| {
            let index = weight - power.div_euclid(4);
            let group = usize::try_from(index).ok().and_then(|at| words[4..].get(at));
            group.map_or(0, |group| group / 10_u16.pow(power.rem_euclid(4) as u32) % 10)
        };
        let top = (weight * 4 + 3).max(0);
        let whole: String = (0..=top).rev().map(|power| at(power).to_string()).collect();
        let whole = whole.trim_start_matches('0');
        let fraction: String = (1..=i32::from(scale)).map(|power| at(-power).to_string()).collect();
        let sign = if sign == NEGATIVE { "-" } else { "" };
        let point = if scale == 0 { "" } else { "." };
        format!("{sign}{}{point}{fraction}", if whole.is_empty() { "0" } else { whole })
    }

    #[test]
    fn numbers_are_groups_of_four_digits() {
        assert_eq!(written("0"), [0, 0, 0, 0]);
        assert_eq!(written("-0.00"), [0, 0, 0, 2]);
        assert_eq!(written("12345.678"), [3, 1, 0, 3, 1, 2345, 6780]);
        assert_eq!(written("-0.0001"), [1, 0xffff, NEGATIVE, 4, 1]);
        assert_eq!(written("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(written("1E+3"), [1, 0, 0, 0, 1000]);
        assert_eq!(written("1.5e-3"), [1, 0xffff, 0, 4, 15]);
        assert_eq!(written("100000000.00000001"), [5, 2, 0, 8, 1, 0, 0, 0, 1]);
        assert_eq!(written("NaN"), [0, 0, NAN, 0]);
        assert_eq!(written("-Infinity"), [0, 0, MINUS_INFINITY, 0]);
    }

    #[test]
    fn what_is_no_number_is_said_to_be_none() {
        for text in ["", "-", ".", "1e", "1e+", "1.2.3", "0x1f", "1_000", "--1", "1e99999999999"] {
            assert!(write(&mut Vec::new(), text).is_err(), "{text:?}");
        }
        for text in ["1e131072", "1e-16384"] {
            let error = write(&mut Vec::new(), text).unwrap_err();
            assert!(error.contains("digits"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_digit_is_kept(negative: bool, whole in "[1-9][0-9]{0,40}|0", fraction in "[0-9]{0,40}") {
            let is_zero = whole == "0" && fraction.bytes().all(|byte| byte == b'0');
            let sign = if negative && !is_zero { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            let text = format!("{sign}{whole}{point}{fraction}");
            prop_assert_eq!(read(&written(&text)), text);
        }
    }
}
