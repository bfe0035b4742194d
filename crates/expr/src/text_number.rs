//! What text is as a number, to every engine that has no way of its own to say so.

/// What POSIX calls white space.
const SPACE: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

/// The text without white space at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
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
