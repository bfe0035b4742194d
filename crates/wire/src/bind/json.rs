use std::io::Write as _;

use rowmill_columns::Scalar;

use super::{scalar, unfit};
use crate::limits::JSON_DEPTH;

/// Appends a list as a JSON array.
pub(super) fn write_list(out: &mut Vec<u8>, list: &[Scalar]) -> Result<(), String> {
    array(out, list, JSON_DEPTH)
}

fn array(out: &mut Vec<u8>, list: &[Scalar], depth: usize) -> Result<(), String> {
    if depth == 0 {
        return Err(format!("lists are nested more than {JSON_DEPTH} deep"));
    }
    out.push(b'[');
    for (at, element) in list.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        value(out, element, depth - 1)?;
    }
    out.push(b']');
    Ok(())
}

fn value(out: &mut Vec<u8>, value: &Scalar, depth: usize) -> Result<(), String> {
    let written = match value {
        Scalar::Null => write!(out, "null"),
        Scalar::Bool(value) => write!(out, "{value}"),
        Scalar::Int(value) => write!(out, "{value}"),
        Scalar::Float(value) if value.is_finite() => write!(out, "{value}"),
        Scalar::Decimal(value) if is_number(value) => write!(out, "{value}"),
        Scalar::Float(_) | Scalar::Decimal(_) => {
            return Err("JSON has no such number".to_owned());
        }
        Scalar::Text(value) => {
            string(out, value);
            Ok(())
        }
        Scalar::Json(value) => return scalar::text(out, value),
        Scalar::List(list) => return array(out, list, depth),
        other => return Err(unfit(other, "a JSON value")),
    };
    debug_assert!(written.is_ok(), "a Vec takes everything");
    Ok(())
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
