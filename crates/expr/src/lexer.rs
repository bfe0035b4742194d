//! Finds placeholders in SQL and nothing else: it knows just enough of the language to skip what
//! only looks like one.

use crate::StatementError;

/// A placeholder and where it stands (a byte range of the text).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placeholder<'a> {
    /// `$3`
    Number { start: usize, end: usize, number: usize },
    /// `:name`
    Name { start: usize, end: usize, name: &'a str },
}

/// PostgreSQL's protocol counts parameters in 16 bits.
const MAX_PARAMETERS: usize = 65_535;

/// Every placeholder of `sql`, in order.
///
/// Skipped: `'text'` (with `''`, and backslashes in `E'...'`), `"names"`, `$tag$ bodies $tag$`,
/// `-- line` and nested `/* block */` comments, `::casts`, `:=`, and slices such as `a[1:n]`,
/// where the colon follows a value.
pub(crate) fn placeholders(sql: &str) -> Result<Vec<Placeholder<'_>>, StatementError> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // The E of a parameter `:E` makes no E'...' of what follows.
    let mut name_end = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        at = match byte {
            b'\'' => {
                let escapes = at != name_end && is_escape_string(bytes, at);
                skip_quoted(bytes, at, b'\'', escapes)
            }
            b'"' | b'`' => skip_quoted(bytes, at, byte, false),
            b'-' if next == b'-' => memchr(b'\n', bytes, at),
            b'/' if next == b'*' => skip_block_comment(bytes, at),
            b'$' if !follows_word(bytes, at) && next.is_ascii_digit() => {
                let end = skip_while(bytes, at + 1, |byte| byte.is_ascii_digit());
                let number =
                    sql[at + 1..end].parse().ok().filter(|n| (1..=MAX_PARAMETERS).contains(n));
                let Some(number) = number else {
                    let message =
                        format!("{} is not a parameter: they run from $1 to $65535", &sql[at..end]);
                    return Err(StatementError::at(message, sql[..at].chars().count() + 1));
                };
                found.push(Placeholder::Number { start: at, end, number });
                end
            }
            b'$' if !follows_word(bytes, at) => skip_dollar_quoted(bytes, at),
            b':' if next == b':' || next == b'=' => at + 2,
            b':' if !follows_value(bytes, at) && is_name_start(next) => {
                let end =
                    skip_while(bytes, at + 1, |byte| is_name_start(byte) || byte.is_ascii_digit());
                found.push(Placeholder::Name { start: at, end, name: &sql[at + 1..end] });
                name_end = end;
                end
            }
            _ => at + 1,
        };
    }
    Ok(found)
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && is_word(bytes[at - 1])
}

fn follows_value(bytes: &[u8], at: usize) -> bool {
    at > 0 && (is_word(bytes[at - 1]) || matches!(bytes[at - 1], b')' | b']' | b'"' | b'\''))
}

/// `E'...'`, where E is not the end of a longer word.
fn is_escape_string(bytes: &[u8], quote: usize) -> bool {
    quote > 0 && matches!(bytes[quote - 1], b'e' | b'E') && !follows_word(bytes, quote - 1)
}

fn memchr(wanted: u8, bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == wanted).map_or(bytes.len(), |found| from + found)
}

fn skip_while(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|&byte| !wanted(byte)).map_or(bytes.len(), |found| from + found)
}

fn skip_quoted(bytes: &[u8], open: usize, quote: u8, escapes: bool) -> usize {
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        let doubled = byte == quote && bytes.get(at + 1) == Some(&quote);
        if doubled || (escapes && byte == b'\\') {
            at += 2;
        } else if byte == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn skip_block_comment(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = open;
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// From `$tag$` to behind its twin; just the dollar where it opens nothing.
fn skip_dollar_quoted(bytes: &[u8], open: usize) -> usize {
    let end = skip_while(bytes, open + 1, |byte| is_name_start(byte) || byte.is_ascii_digit());
    if bytes.get(end) != Some(&b'$') {
        return open + 1;
    }
    let tag = &bytes[open..=end];
    let body = &bytes[end + 1..];
    body.windows(tag.len())
        .position(|window| window == tag)
        .map_or(bytes.len(), |found| end + 1 + found + tag.len())
}
