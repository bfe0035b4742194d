//! A value out of JSON text, by its path: the text is scanned, nothing is built.

use std::borrow::Cow;

use rowmill_columns::Scalar;

/// The value under `path` as text: a string without its quotes and escapes, other values as they are
/// written. `None` for JSON's null, and where there is no such value.
pub(super) fn get<'a>(json: &'a str, path: &[Step]) -> Option<Cow<'a, str>> {
    let mut value = json.trim_matches(SPACES);
    for step in path {
        value = match step {
            Step::Key(key) => member(value, key)?,
            Step::At(at) => element(value, *at)?,
        };
    }
    match value.as_bytes().first()? {
        b'"' => unquoted(value),
        b'n' => None,
        _ => Some(value.into()),
    }
}

/// A step down a path.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(Box<str>),
    At(i64),
}

impl Step {
    /// The path that a literal gives; `None` where it is none.
    pub(super) fn path(value: &Scalar) -> Option<Vec<Self>> {
        match value {
            Scalar::List(steps) => steps.iter().map(Self::of).collect(),
            one => Some(vec![Self::of(one)?]),
        }
    }

    fn of(value: &Scalar) -> Option<Self> {
        match value {
            Scalar::Text(key) => Some(Self::Key(key.as_str().into())),
            Scalar::Int(at) => Some(Self::At(*at)),
            _ => None,
        }
    }
}

const SPACES: [char; 4] = [' ', '\n', '\t', '\r'];

fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut rest = object.strip_prefix('{')?;
    // A key that repeats has its last value, as in PostgreSQL.
    let mut found = None;
    loop {
        rest = rest.trim_start_matches(SPACES);
        if rest.starts_with('}') {
            return found;
        }
        let (name, after) = split(rest)?;
        rest = after.trim_start_matches(SPACES).strip_prefix(':')?.trim_start_matches(SPACES);
        let (value, after) = split(rest)?;
        if unquoted(name)? == key {
            found = Some(value);
        }
        rest = after.trim_start_matches(SPACES);
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn element(array: &str, at: i64) -> Option<&str> {
    let mut rest = array.strip_prefix('[')?;
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start_matches(SPACES);
        if rest.starts_with(']') {
            break;
        }
        let (value, after) = split(rest)?;
        if usize::try_from(at) == Ok(values.len()) {
            return Some(value);
        }
        values.push(value);
        rest = after.trim_start_matches(SPACES);
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    // Counted from the end.
    let back = usize::try_from(at.checked_neg()?).ok().filter(|&back| back > 0)?;
    values.len().checked_sub(back).map(|at| values[at])
}

/// The value at the beginning, and what follows it.
fn split(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let end = match bytes.first()? {
        b'"' => string_end(bytes, 0)?,
        b'{' | b'[' => {
            let (mut depth, mut at) = (0_usize, 0);
            loop {
                match bytes.get(at)? {
                    b'"' => at = string_end(bytes, at)? - 1,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    break at;
                }
            }
        }
        _ => bytes
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r'))
            .unwrap_or(bytes.len()),
    };
    (end > 0).then(|| text.split_at_checked(end)).flatten()
}

/// Behind the closing quote of the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn unquoted(string: &str) -> Option<Cow<'_, str>> {
    let inner = string.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut letters = rest[at + 1..].chars();
        let letter = letters.next()?;
        rest = letters.as_str();
        match letter {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (mut unit, mut after) = hex(rest)?;
                if (0xd800..0xdc00).contains(&unit) {
                    let (low, next) = hex(after.strip_prefix("\\u")?)?;
                    unit = 0x1_0000 + ((unit - 0xd800) << 10) + low.checked_sub(0xdc00)?;
                    after = next;
                }
                out.push(char::from_u32(unit)?);
                rest = after;
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Some(out.into())
}

fn hex(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, path: &[Scalar]) -> Option<String> {
        let steps = Step::path(&Scalar::list(path.to_vec())).unwrap();
        get(json, &steps).map(Cow::into_owned)
    }

    #[test]
    fn a_path_leads_to_a_text() {
        let json =
            r#" {"a": [1, {"b": "x\n\u00e9\ud83d\ude00"}, null], "c\"": true, "a2": {"a": 7}} "#;
        let (a, b) = (Scalar::from("a"), Scalar::from("b"));
        assert_eq!(found(json, &[a.clone(), 0_i64.into()]).unwrap(), "1");
        assert_eq!(found(json, &[a.clone(), 1_i64.into(), b]).unwrap(), "x\né😀");
        assert_eq!(found(json, &[a.clone(), (-2_i64).into(), "b".into()]).unwrap(), "x\né😀");
        assert_eq!(found(json, &[a.clone(), 2_i64.into()]), None);
        assert_eq!(found(json, &[a.clone(), 3_i64.into()]), None);
        assert_eq!(found(json, &["c\"".into()]).unwrap(), "true");
        assert_eq!(found(json, &["a2".into()]).unwrap(), r#"{"a": 7}"#);
        assert_eq!(found(json, &["x".into()]), None);
    }

    #[test]
    fn what_is_no_json_is_no_value() {
        for bad in ["", "{", "{\"a\"", "{\"a\":", "{\"a\":[", "[1", "{\"a\":\"\\", "{a:1}", "{,}"] {
            assert_eq!(found(bad, &["a".into()]), None, "{bad}");
        }
    }
}
