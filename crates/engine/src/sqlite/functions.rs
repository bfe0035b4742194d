//! What expressions need and SQLite has not: functions on every connection.

use std::sync::Arc;

use regex::Regex;
use rowmill_expr::regex::spelled;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};

/// The mean radius of the Earth in metres, as of the IUGG.
const EARTH: f64 = 6_371_008.8;

/// Bytes that a compiled pattern may take: a longer one is refused, not compiled.
const PATTERN_BYTES: usize = 4 << 20;

/// Adds `text regexp pattern`, `floor`, `ceil` and `rowmill_metres` to a connection.
pub(super) fn add(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("regexp", 2, flags, regexp)?;
    connection
        .create_scalar_function("floor", 1, flags, |context| Ok(rounded(context, f64::floor)))?;
    connection
        .create_scalar_function("ceil", 1, flags, |context| Ok(rounded(context, f64::ceil)))?;
    connection.create_scalar_function("rowmill_metres", 4, flags, |context| Ok(metres(context)))
}

/// `regexp(pattern, text)`, which is what `text regexp pattern` calls.
fn regexp(context: &Context<'_>) -> Result<Option<bool>> {
    let compile = |value: ValueRef<'_>| -> std::result::Result<Regex, BoxError> {
        let pattern = value.as_str()?;
        Ok(regex::RegexBuilder::new(&spelled(pattern)).size_limit(PATTERN_BYTES).build()?)
    };
    if context.get_raw(0) == ValueRef::Null {
        return Ok(None);
    }
    let pattern: Arc<Regex> = context.get_or_create_aux(0, compile)?;
    match context.get_raw(1) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => Ok(Some(pattern.is_match(&String::from_utf8_lossy(text)))),
        ValueRef::Integer(value) => Ok(Some(pattern.is_match(&value.to_string()))),
        ValueRef::Real(value) => Ok(Some(pattern.is_match(&value.to_string()))),
        ValueRef::Blob(_) => Err(Error::UserFunctionError("regexp takes text, not a blob".into())),
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn rounded(context: &Context<'_>, round: fn(f64) -> f64) -> Value {
    match context.get_raw(0) {
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(round(value)),
        _ => Value::Null,
    }
}

/// The distance of two points in degrees, on a sphere.
fn metres(context: &Context<'_>) -> Option<f64> {
    let mut degrees = [0.0_f64; 4];
    for (at, degree) in degrees.iter_mut().enumerate() {
        *degree = match context.get_raw(at) {
            ValueRef::Integer(value) => value as f64,
            ValueRef::Real(value) => value,
            _ => return None,
        };
    }
    let [latitude, longitude, of_latitude, of_longitude] = degrees.map(f64::to_radians);
    let across = ((of_latitude - latitude) / 2.0).sin().powi(2);
    let along = ((of_longitude - longitude) / 2.0).sin().powi(2);
    let half = latitude.cos().mul_add(of_latitude.cos() * along, across);
    Some(2.0 * EARTH * half.min(1.0).sqrt().asin())
}
