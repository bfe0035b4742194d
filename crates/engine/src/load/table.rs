use std::fmt;

use crate::{Error, ErrorKind, Result};

/// A name as SQL writes it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name, and its schema's where that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl TableName {
    /// `table` or `schema.table`, as they are named in the database: capitals count. A part that
    /// holds a point is given in quotes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let message = format!("{text:?} is no table's name; write table or schema.table");
            Error::new(ErrorKind::Programming, message)
        };
        let (first, rest) = part(text).ok_or_else(wrong)?;
        let Some(rest) = rest.strip_prefix('.') else {
            return if rest.is_empty() {
                Ok(Self { schema: None, name: first })
            } else {
                Err(wrong())
            };
        };
        match part(rest) {
            Some((name, "")) => Ok(Self { schema: Some(first), name }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        f.write_str(&quoted(&self.name))
    }
}

/// The name that `text` begins with, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let (name, rest) = match text.strip_prefix('"') {
        None => {
            let end = text.find('.').unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
        Some(inside) => {
            let (mut name, mut rest) = (String::new(), inside);
            loop {
                let (before, after) = rest.split_once('"')?;
                name.push_str(before);
                match after.strip_prefix('"') {
                    Some(after) => {
                        name.push('"');
                        rest = after;
                    }
                    None => break (name, after),
                }
            }
        }
    };
    (!name.is_empty() && !name.contains('\0')).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        for (name, expected) in [
            ("orders", r#""orders""#),
            ("shop.orders", r#""shop"."orders""#),
            (r#""a.b"."c""d""#, r#""a.b"."c""d""#),
            (r#"x"; drop table y; --"#, r#""x""; drop table y; --""#),
            ("Größe", r#""Größe""#),
        ] {
            assert_eq!(TableName::parse(name).unwrap().to_string(), expected, "{name}");
        }
        for name in ["", ".", "a.", ".b", "a.b.c", r#""a"#, r#""a"b"#, "a\0b", r#""""#] {
            assert_eq!(
                TableName::parse(name).unwrap_err().kind(),
                ErrorKind::Programming,
                "{name:?}"
            );
        }
    }
}
