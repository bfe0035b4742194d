use crate::ExprError;

/// A name as an identifier: always quoted, so that capitals count and no name is a keyword.
///
/// # Errors
/// Where it is empty or holds a NUL, which no database takes.
pub fn quoted(name: &str) -> Result<String, ExprError> {
    within(name, '"')
}

/// A name as SQLite's identifier where no table stands before it: one in double quotes that it does not know
/// it would take for a text.
pub(super) fn quoted_alone(name: &str) -> Result<String, ExprError> {
    within(name, '`')
}

fn within(name: &str, quote: char) -> Result<String, ExprError> {
    if name.is_empty() {
        return Err(ExprError::new("a name is empty"));
    }
    if name.contains('\0') {
        return Err(ExprError::new(format!("the name {name:?} holds a NUL character")));
    }
    let mut out = String::with_capacity(name.len() + 2);
    out.push(quote);
    for letter in name.chars() {
        if letter == quote {
            out.push(quote);
        }
        out.push(letter);
    }
    out.push(quote);
    Ok(out)
}
