use crate::ExprError;

/// A name as an identifier: always quoted, so that capitals count and no name is a keyword.
///
/// # Errors
/// Where it is empty or holds a NUL, which no database takes.
pub fn quoted(name: &str) -> Result<String, ExprError> {
    if name.is_empty() {
        return Err(ExprError::new("a name is empty"));
    }
    if name.contains('\0') {
        return Err(ExprError::new(format!("the name {name:?} holds a NUL character")));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}
