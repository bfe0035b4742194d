//! Which regular expressions PostgreSQL's AREs and Rust's read alike.

use regex_syntax::hir::{Hir, HirKind, Look};

use crate::ExprError;

/// The most often that PostgreSQL repeats something by `{}`.
const REPETITIONS: u32 = 255;

/// How Rust is to read a pattern, so that it means what PostgreSQL reads: `.` takes line ends.
pub fn spelled(pattern: &str) -> String {
    format!("(?s)(?:{})", ascii(pattern))
}

/// The pattern with its classes in ASCII, which both would read as Unicode's, PostgreSQL by its collation.
pub(crate) fn ascii(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[0-9A-Za-z_]"),
            Some('W') => out.push_str("[^0-9A-Za-z_]"),
            Some('s') => out.push_str("[ \\t\\n\\r\\f\\v]"),
            Some('S') => out.push_str("[^ \\t\\n\\r\\f\\v]"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// # Errors
/// Where the pattern is none, or is read in different ways.
pub(crate) fn check(pattern: &str) -> Result<(), ExprError> {
    let wrong = |why: String| ExprError::new(format!("the regular expression {pattern:?} {why}"));
    // AREs know these by other names, or not at all.
    let mut letters = pattern.chars();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(next)
                    if next.is_ascii_punctuation()
                        || matches!(next, 'n' | 't' | 'r')
                        || !in_class && matches!(next, 'd' | 'w' | 's' | 'D' | 'W' | 'S') => {}
                Some(next) => {
                    return Err(wrong(format!(
                        "has \\{next}, which PostgreSQL and Rust read differently or not at all"
                    )));
                }
                None => return Err(wrong("ends in a backslash".to_owned())),
            },
            '[' if in_class => return Err(wrong("has [ within [ ]; write \\[".to_owned())),
            '[' => in_class = true,
            ']' => in_class = false,
            '&' | '~' | '-' if in_class && letters.clone().next() == Some(letter) => {
                return Err(wrong(format!(
                    "has {letter}{letter} within [ ], which is an operation in Rust alone"
                )));
            }
            '(' if letters.clone().next() == Some('?') && !in_class => {
                let mut after = letters.clone();
                after.next();
                if after.next() != Some(':') {
                    return Err(wrong(
                        "has a group that begins with (?, of which (?: alone is read alike"
                            .to_owned(),
                    ));
                }
            }
            '*' | '+' | '?' | '}'
                if !in_class && matches!(letters.clone().next(), Some('+' | '*' | '{')) =>
            {
                return Err(wrong("repeats a repetition".to_owned()));
            }
            '^' | '$'
                if !in_class && matches!(letters.clone().next(), Some('+' | '*' | '?' | '{')) =>
            {
                return Err(wrong(format!("repeats {letter}, which PostgreSQL does not")));
            }
            _ => {}
        }
    }
    if pattern.starts_with("***") {
        return Err(wrong("begins with ***, which is a directive in PostgreSQL".to_owned()));
    }
    let parsed = regex_syntax::ParserBuilder::new()
        .unicode(true)
        .dot_matches_new_line(true)
        .nest_limit(100)
        .build()
        .parse(pattern);
    let hir = parsed.map_err(|error| wrong(format!("is none: {error}")))?;
    match unlike(&hir) {
        Some(why) => Err(wrong(why)),
        None => Ok(()),
    }
}

/// What in it the engines do not have alike.
fn unlike(hir: &Hir) -> Option<String> {
    let mut stack = vec![hir];
    while let Some(hir) = stack.pop() {
        match hir.kind() {
            HirKind::Look(Look::Start | Look::End) => {}
            HirKind::Look(_) => {
                return Some("looks around in a way that is not read alike".to_owned());
            }
            HirKind::Repetition(repetition) => {
                if repetition.max.unwrap_or(repetition.min).max(repetition.min) > REPETITIONS {
                    return Some(format!("repeats more than {REPETITIONS} times"));
                }
                stack.push(&repetition.sub);
            }
            HirKind::Capture(capture) => stack.push(&capture.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => stack.extend(parts),
            _ => {}
        }
    }
    None
}
