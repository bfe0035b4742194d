//! Which regular expressions PostgreSQL's AREs and Rust's read alike.

use regex_syntax::hir::{Hir, HirKind, Look};

use crate::ExprError;

/// How Rust is to read a pattern, so that it means what PostgreSQL reads: `.` takes line ends, classes are ASCII.
pub fn spelled(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    out.push_str("(?s)(?:");
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
    out.push(')');
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
                if !in_class && matches!(letters.clone().next(), Some('+' | '*')) =>
            {
                return Err(wrong("repeats a repetition".to_owned()));
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
    if has_other_looks(&hir) {
        return Err(wrong("looks around in a way that is not read alike".to_owned()));
    }
    Ok(())
}

fn has_other_looks(hir: &Hir) -> bool {
    let mut stack = vec![hir];
    while let Some(hir) = stack.pop() {
        match hir.kind() {
            HirKind::Look(Look::Start | Look::End) => {}
            HirKind::Look(_) => return true,
            HirKind::Repetition(repetition) => stack.push(&repetition.sub),
            HirKind::Capture(capture) => stack.push(&capture.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => stack.extend(parts),
            _ => {}
        }
    }
    false
}
