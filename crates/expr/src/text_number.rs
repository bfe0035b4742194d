//! What text is as a number, to every engine that has no way of its own to say so.

/// What POSIX calls white space.
const SPACE: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

/// The text without white space at its ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches(SPACE)
}

/// The integer of 64 bits that a text is: digits after a sign or none, between white space.
///
/// ```
/// use rowmill_expr::text_number::int;
/// assert_eq!(int(" +0000000000000000000042\n"), Some(42));
/// assert_eq!(int("9223372036854775808"), None);
/// ```
pub fn int(text: &str) -> Option<i64> {
    trimmed(text).parse().ok()
}

/// The float that a text is: digits with a point, a sign and an exponent or without, between white space.
/// None where it would be infinite, or zero without being it.
///
/// ```
/// use rowmill_expr::text_number::float;
/// assert_eq!(float(" -.5e1\t"), Some(-5.0));
/// assert_eq!([float("1e309"), float("1e-400"), float("inf")], [None; 3]);
/// assert_eq!(float("0e-400"), Some(0.0));
/// ```
pub fn float(text: &str) -> Option<f64> {
    let text = trimmed(text);
    // Rust also reads "inf" and "nan", which are no numbers here.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let is_zero = || mantissa.bytes().all(|byte| !matches!(byte, b'1'..=b'9'));
    text.parse().ok().filter(|value: &f64| value.is_finite() && (*value != 0.0 || is_zero()))
}
