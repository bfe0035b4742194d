//! Parameters: how each kind of value is given to SQLite, which has integers, floats, text and
//! bytes.
//!
//! Booleans become 0 and 1; decimals, JSON and uuids text (so that no digit is lost); times, and dates
//! and timestamps where nothing else is said, ISO 8601 text, with `+00:00` for instants; a list becomes a JSON array, to be
//! used as `where id in (select value from json_each($1))`.

use std::ffi::c_int;
use std::fmt::Write as _;

use rowmill_columns::text::time_with_zone;
use rowmill_columns::{Batch, Scalar, Value};
use rowmill_expr::{Parameters, Statement};
use rusqlite::ffi;

use super::dates::{Dates, Stored};
use super::fits;
use super::raw_statement::RawStatement;
use super::statement::{ColumnPlan, Prepared};
use crate::{Error, ErrorKind, Result};

/// Binds all parameters.
pub(super) fn bind(
    prepared: &mut Prepared,
    statement: &Statement,
    parameters: &[Scalar],
) -> Result<()> {
    let wanted = prepared.parameters;
    if parameters.len() != wanted {
        return Err(wrong_count(wanted, parameters.len()));
    }
    for (at, value) in parameters.iter().enumerate() {
        if matches!(value, Scalar::List(_)) && !speaks_json(statement.text()) {
            return Err(list_for_value(&name(statement, at)));
        }
        bind_one(&mut prepared.raw, at as c_int + 1, value, prepared.dates).map_err(|refusal| {
            refusal.into_error(&format!("parameter {}", name(statement, at)), value)
        })?;
    }
    Ok(())
}

/// Whether a statement may know what to do with a list, which is given to it as JSON.
fn speaks_json(sql: &str) -> bool {
    sql.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json")) || sql.contains("->")
}

/// A list in a statement that does not know JSON: it would be compared, or stored, as its text.
#[cold]
fn list_for_value(name: &str) -> Error {
    let message = format!("parameter {name} is a list, which this statement would take for text");
    Error::new(ErrorKind::Programming, message).with_hint(
        "give values one by one, as in fetch(sql, 1, 2); a list is given as JSON: \
         `id in (select value from json_each($1))`, or `json($1)` to store it",
    )
}

#[cold]
fn wrong_count(wanted: usize, given: usize) -> Error {
    let plural = if wanted == 1 { "" } else { "s" };
    let were = if given == 1 { "was" } else { "were" };
    let message =
        format!("the statement takes {wanted} parameter{plural} and {given} {were} given");
    Error::new(ErrorKind::Programming, message)
}

/// The parameter as its statement writes it.
fn name(statement: &Statement, at: usize) -> String {
    match statement.parameters() {
        Parameters::Named(names) => {
            names.get(at).map_or_else(|| format!("${}", at + 1), |name| format!(":{name}"))
        }
        Parameters::Numbered(_) => format!("${}", at + 1),
    }
}

/// Binds one row of a batch to a statement with as many parameters as it has columns, which are to
/// fit the `targets`; errors call it `number`.
pub(super) fn bind_row(
    prepared: &mut Prepared,
    targets: &[ColumnPlan],
    batch: &Batch,
    row: usize,
    number: u64,
) -> Result<()> {
    let (raw, dates) = (&mut prepared.raw, prepared.dates);
    for (at, (column, field)) in batch.columns().iter().zip(&batch.schema().fields).enumerate() {
        let place = at as c_int + 1;
        let value = column.value(&field.kind, row);
        if let Some(target) = targets.get(at) {
            fits::check(target, dates, &value, number)?;
        }
        let bound = match value {
            Value::Null => code(raw.bind_null(place)),
            Value::Bool(value) => code(raw.bind_int(place, i64::from(value))),
            Value::Int(value) => code(raw.bind_int(place, value)),
            Value::Float(value) if !value.is_nan() => code(raw.bind_float(place, value)),
            Value::Text(value) | Value::Json(value) => code(raw.bind_text(place, value)),
            Value::Bytes(value) => code(raw.bind_bytes(place, value)),
            Value::Date(days) => bind_time(raw, place, &Scalar::Date(days), dates),
            Value::Timestamp { micros, utc } => {
                bind_time(raw, place, &Scalar::Timestamp { micros, utc }, dates)
            }
            ref value => match value.to_scalar() {
                Some(scalar) => bind_one(raw, place, &scalar, dates),
                None => Err(Refusal::NotSupported("give it as JSON text")),
            },
        };
        bound.map_err(|refusal| {
            let scalar = value.to_scalar().unwrap_or(Scalar::Null);
            refusal.into_error(&format!("column {:?}, row {number},", field.name), &scalar)
        })?;
    }
    Ok(())
}

fn code(code: c_int) -> std::result::Result<(), Refusal> {
    match code {
        ffi::SQLITE_OK => Ok(()),
        ffi::SQLITE_TOOBIG => Err(Refusal::TooBig),
        code => Err(Refusal::Failed(code)),
    }
}

/// Why a value cannot be bound.
pub(super) enum Refusal {
    NotSupported(&'static str),
    OutOfRange(&'static str),
    TooBig,
    Failed(c_int),
}

impl Refusal {
    #[cold]
    fn into_error(self, what: &str, value: &Scalar) -> Error {
        let kind = value.kind();
        match self {
            Self::NotSupported(why) => Error::new(
                ErrorKind::NotSupported,
                format!("{what} is {kind}, which SQLite cannot hold"),
            )
            .with_hint(why),
            Self::OutOfRange(why) => Error::new(ErrorKind::Data, format!("{what} is {kind} {why}")),
            Self::TooBig => Error::new(
                ErrorKind::Data,
                format!("{what} is {kind} larger than SQLite takes (1,000,000,000 bytes)"),
            ),
            Self::Failed(code) => {
                Error::new(ErrorKind::Internal, format!("SQLite refused {what} with code {code}"))
            }
        }
    }
}

/// An integer beyond 64 bits, as Python's can be.
fn is_whole(decimal: &str) -> bool {
    let digits = decimal.strip_prefix('-').unwrap_or(decimal);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && decimal.parse::<i64>().is_err()
}

fn bind_one(
    raw: &mut RawStatement,
    at: c_int,
    value: &Scalar,
    dates: Dates,
) -> std::result::Result<(), Refusal> {
    let code = match value {
        Scalar::Null => raw.bind_null(at),
        Scalar::Bool(value) => raw.bind_int(at, i64::from(*value)),
        Scalar::Int(value) => raw.bind_int(at, *value),
        Scalar::Float(value) if value.is_nan() => {
            return Err(Refusal::OutOfRange("that is NaN, which SQLite would store as NULL"));
        }
        Scalar::Float(value) => raw.bind_float(at, *value),
        // A column's integer affinity would turn the text into a float, and lose digits unseen.
        Scalar::Decimal(text) if is_whole(text) => {
            return Err(Refusal::OutOfRange("beyond SQLite's 64-bit integers; pass it as text"));
        }
        Scalar::Text(text) | Scalar::Json(text) | Scalar::Decimal(text) => raw.bind_text(at, text),
        Scalar::Bytes(bytes) => raw.bind_bytes(at, bytes),
        Scalar::Uuid(_) | Scalar::Date(_) | Scalar::Time(_) | Scalar::Timestamp { .. } => {
            return bind_time(raw, at, value, dates);
        }
        Scalar::TimeTz { micros, offset } => raw.bind_text(at, &time_with_zone(*micros, *offset)),
        Scalar::Interval { .. } => {
            return Err(Refusal::NotSupported("pass its parts as integers"));
        }
        Scalar::List(_) | Scalar::Struct(_) => {
            let mut json = String::new();
            // A document keeps its dates as text: its reader has JSON alone to go by.
            let is_document = matches!(value, Scalar::Struct(_));
            let dates = if is_document { Dates::Text } else { dates };
            write_json(&mut json, value, is_document, dates)?;
            raw.bind_text(at, &json)
        }
    };
    self::code(code)
}

/// Binds a uuid, date, time or timestamp.
fn bind_time(
    raw: &mut RawStatement,
    at: c_int,
    value: &Scalar,
    dates: Dates,
) -> std::result::Result<(), Refusal> {
    code(match dates.store(value)? {
        Stored::Text(text) => raw.bind_text(at, text.as_str()),
        Stored::Int(value) => raw.bind_int(at, value),
        Stored::Float(value) => raw.bind_float(at, value),
    })
}

/// `as_document` for an object, which is stored: a list is for `json_each`, which makes a float of what
/// is no integer of SQLite's.
fn write_json(
    out: &mut String,
    value: &Scalar,
    as_document: bool,
    dates: Dates,
) -> std::result::Result<(), Refusal> {
    match value {
        Scalar::Null => out.push_str("null"),
        Scalar::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Scalar::Int(value) => {
            let written = write!(out, "{value}");
            debug_assert!(written.is_ok(), "a String takes everything");
        }
        Scalar::Float(value) if !value.is_finite() => {
            return Err(Refusal::OutOfRange("with a float that JSON cannot hold"));
        }
        Scalar::Float(value) => {
            let written = write!(out, "{value:?}");
            debug_assert!(written.is_ok(), "a String takes everything");
        }
        Scalar::Json(json) => out.push_str(json),
        Scalar::Decimal(text) if as_document && text.parse::<f64>().is_ok_and(f64::is_finite) => {
            out.push_str(text);
        }
        Scalar::Decimal(text) if is_whole(text) => {
            return Err(Refusal::OutOfRange("that holds an integer beyond SQLite's 64 bits"));
        }
        Scalar::Text(text) | Scalar::Decimal(text) => write_json_text(out, text),
        Scalar::Uuid(_) | Scalar::Date(_) | Scalar::Time(_) | Scalar::Timestamp { .. } => {
            let number = match dates.store(value)? {
                Stored::Text(text) => {
                    write_json_text(out, text.as_str());
                    return Ok(());
                }
                Stored::Int(value) => Scalar::Int(value),
                Stored::Float(value) => Scalar::Float(value),
            };
            write_json(out, &number, as_document, dates)?;
        }
        Scalar::TimeTz { micros, offset } => {
            write_json_text(out, &time_with_zone(*micros, *offset));
        }
        Scalar::Bytes(_) => return Err(Refusal::NotSupported("bytes have no JSON form")),
        Scalar::Interval { .. } => {
            return Err(Refusal::NotSupported("pass the parts of intervals as integers"));
        }
        Scalar::List(values) => {
            out.push('[');
            for (at, value) in values.each().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(out, &value, as_document, dates)?;
            }
            out.push(']');
        }
        Scalar::Struct(fields) => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json_text(out, name);
                out.push(':');
                write_json(out, value, as_document, dates)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_json_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                let written = write!(out, "\\u{:04x}", control as u32);
                debug_assert!(written.is_ok(), "a String takes everything");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
