use std::io::Write as _;

use rowmill_columns::{Elements, Scalar, Value};

use super::{scalar, unfit};
use crate::limits::JSON_DEPTH;

/// Appends a list as a JSON array, named values as an object.
pub(super) fn write(out: &mut Vec<u8>, nested: &Scalar) -> Result<(), String> {
    value(out, nested, JSON_DEPTH)
}

fn array(out: &mut Vec<u8>, list: &Elements, depth: usize) -> Result<(), String> {
    out.push(b'[');
    for (at, element) in list.each().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        value(out, &element, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn object(out: &mut Vec<u8>, fields: &[(String, Scalar)], depth: usize) -> Result<(), String> {
    out.push(b'{');
    for (at, (name, field)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        value(out, field, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn value(out: &mut Vec<u8>, value: &Scalar, depth: usize) -> Result<(), String> {
    let written = match value {
        Scalar::Null => write!(out, "null"),
        Scalar::Bool(value) => write!(out, "{value}"),
        Scalar::Int(value) => write!(out, "{value}"),
        // With a point or an exponent: 1.0 stays a float to whoever reads it.
        Scalar::Float(value) if value.is_finite() => write!(out, "{value:?}"),
        Scalar::Decimal(value) if is_number(value) => write!(out, "{value}"),
        Scalar::Float(_) | Scalar::Decimal(_) => {
            return Err("JSON has no such number".to_owned());
        }
        Scalar::Text(value) => {
            string(out, value);
            Ok(())
        }
        Scalar::Json(value) => return scalar::text(out, value),
        Scalar::List(_) | Scalar::Struct(_) if depth == 0 => {
            return Err(format!("its values are nested more than {JSON_DEPTH} deep"));
        }
        Scalar::List(list) => return array(out, list, depth - 1),
        Scalar::Struct(fields) => return object(out, fields, depth - 1),
        other => {
            let value = plain(other).ok_or_else(|| unfit(other, "a JSON value"))?;
            rowmill_columns::json::write_value(&value, out);
            return Ok(());
        }
    };
    debug_assert!(written.is_ok(), "a Vec takes everything");
    Ok(())
}

/// What JSON writes as a string, as `fetch_json` does.
fn plain(value: &Scalar) -> Option<Value<'_>> {
    Some(match *value {
        Scalar::Uuid(uuid) => Value::Uuid(uuid),
        Scalar::Date(days) => Value::Date(days),
        Scalar::Time(micros) => Value::Time(micros),
        Scalar::Timestamp { micros, utc } => Value::Timestamp { micros, utc },
        Scalar::Interval { months, days, micros } => {
            Value::Interval { months, days, nanos: micros.checked_mul(1_000)? }
        }
        _ => return None,
    })
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
        }
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leads_with_zero = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leads_with_zero && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            ..0x20 => {
                let written = write!(out, "\\u{byte:04x}");
                debug_assert!(written.is_ok(), "a Vec takes everything");
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
