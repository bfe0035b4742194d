use rowmill_columns::Scalar;
use rowmill_columns::text::{parse_uuid, time_with_zone};

use super::{hstore, unfit, vector};
use crate::oid::Kind;

pub(crate) const EPOCH_DAYS: i32 = 10_957;
const MICROS_A_DAY: i64 = 86_400_000_000;
pub(crate) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * MICROS_A_DAY;

/// Appends a value that is neither NULL nor a list, in the format of its kind.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, kind: Kind, value: &Scalar) -> Result<(), String> {
    match kind {
        Kind::Bool => match value {
            Scalar::Bool(value) => out.push(u8::from(*value)),
            other => return Err(unfit(other, "a bool")),
        },
        Kind::Int2 => out.extend_from_slice(&integer::<i16>(value, "int2")?.to_be_bytes()),
        Kind::Int4 => out.extend_from_slice(&integer::<i32>(value, "int4")?.to_be_bytes()),
        Kind::Int8 => out.extend_from_slice(&integer::<i64>(value, "int8")?.to_be_bytes()),
        Kind::Xid8 => out.extend_from_slice(&xid8(value)?.to_be_bytes()),
        Kind::Oid => out.extend_from_slice(&integer::<u32>(value, "oid")?.to_be_bytes()),
        Kind::Float4 => out.extend_from_slice(&float4(value)?.to_be_bytes()),
        Kind::Float8 => out.extend_from_slice(&float8(value)?.to_be_bytes()),
        Kind::Numeric => numeric(out, value)?,
        Kind::Text | Kind::Enum => match value {
            Scalar::Text(value) => text(out, value)?,
            other => return Err(unfit(other, "text")),
        },
        Kind::Char => match value {
            // The empty one is the byte 0.
            Scalar::Text(value) if value.is_empty() => out.push(0),
            Scalar::Text(value) if value.len() == 1 => text(out, value)?,
            Scalar::Text(_) => return Err("wants one character, not more".to_owned()),
            other => return Err(unfit(other, "text of one character")),
        },
        Kind::Bytea => match value {
            Scalar::Bytes(value) => out.extend_from_slice(value),
            other => return Err(unfit(other, "bytes")),
        },
        Kind::Hstore => hstore::write(out, value)?,
        Kind::Vector => vector::write(out, value)?,
        Kind::Json => json(out, value)?,
        Kind::Jsonb => {
            out.push(1);
            json(out, value)?;
        }
        Kind::Uuid => match value {
            Scalar::Uuid(value) => out.extend_from_slice(value),
            Scalar::Text(value) => {
                let uuid = parse_uuid(value.as_bytes());
                out.extend_from_slice(&uuid.ok_or_else(|| format!("{value:?} is no UUID"))?);
            }
            other => return Err(unfit(other, "a UUID")),
        },
        Kind::Date | Kind::Time | Kind::Timestamp | Kind::Timestamptz | Kind::Interval => {
            time(out, kind, value)?;
        }
        Kind::Timetz => match value {
            Scalar::TimeTz { micros, offset } => {
                out.extend_from_slice(time_with_zone(*micros, *offset).as_bytes());
            }
            Scalar::Text(value) => text(out, value)?,
            other => return Err(unfit(other, "a time with its zone's offset")),
        },
        Kind::Void | Kind::Inet | Kind::Macaddr | Kind::Bits | Kind::Halfvec | Kind::Unknown => {
            match value {
                Scalar::Text(value) => text(out, value)?,
                other => return Err(unfit(other, "its text form")),
            }
        }
    }
    Ok(())
}

/// Appends text, which in PostgreSQL cannot hold NUL.
pub(super) fn text(out: &mut Vec<u8>, value: &str) -> Result<(), String> {
    if let Some(at) = memchr::memchr(0, value.as_bytes()) {
        return Err(holds_nul(at));
    }
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

#[cold]
pub(crate) fn holds_nul(at: usize) -> String {
    format!("byte {at} of the text is NUL, which PostgreSQL cannot store")
}

fn json(out: &mut Vec<u8>, value: &Scalar) -> Result<(), String> {
    match value {
        Scalar::Json(value) | Scalar::Text(value) => text(out, value),
        Scalar::List(_) | Scalar::Struct(_) => super::json::write(out, value),
        other => Err(unfit(other, "JSON")),
    }
}

#[inline]
fn integer<T: TryFrom<i64>>(value: &Scalar, name: &str) -> Result<T, String> {
    match value {
        Scalar::Int(value) => T::try_from(*value).map_err(|_| out_of_range(value, name)),
        // What Python has no other type for, and decimals that are whole.
        Scalar::Decimal(value) if is_whole(value) => {
            let fits = value.parse().ok().and_then(|value: i64| T::try_from(value).ok());
            fits.ok_or_else(|| out_of_range(&value, name))
        }
        other => Err(unfit(other, "an integer")),
    }
}

fn xid8(value: &Scalar) -> Result<u64, String> {
    match value {
        Scalar::Int(value) => u64::try_from(*value).map_err(|_| out_of_range(value, "xid8")),
        Scalar::Decimal(value) if is_whole(value) => {
            value.parse().map_err(|_| out_of_range(&value, "xid8"))
        }
        other => Err(unfit(other, "an integer")),
    }
}

#[cold]
fn out_of_range(value: &impl std::fmt::Display, name: &str) -> String {
    format!("{value} is out of range for {name}")
}

fn is_whole(decimal: &str) -> bool {
    let digits = decimal.strip_prefix(['-', '+']).unwrap_or(decimal);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn float8(value: &Scalar) -> Result<f64, String> {
    match value {
        Scalar::Float(value) => Ok(*value),
        // Up to 2^53 every integer is a float; beyond, the conversion back tells.
        Scalar::Int(value) if *value as f64 as i128 == i128::from(*value) => Ok(*value as f64),
        Scalar::Int(value) => Err(inexact(*value, "float8")),
        other => Err(unfit(other, "a float")),
    }
}

fn float4(value: &Scalar) -> Result<f32, String> {
    match value {
        Scalar::Float(value) if value.is_finite() && (*value as f32).is_infinite() => {
            Err(format!("{value:?} is out of range for float4"))
        }
        Scalar::Float(value) => Ok(*value as f32),
        Scalar::Int(value) if *value as f32 as i128 == i128::from(*value) => Ok(*value as f32),
        Scalar::Int(value) => Err(inexact(*value, "float4")),
        other => Err(unfit(other, "a float")),
    }
}

#[cold]
fn inexact(value: i64, name: &str) -> String {
    format!("{value} is not exact as {name}; give a float")
}

fn numeric(out: &mut Vec<u8>, value: &Scalar) -> Result<(), String> {
    match value {
        Scalar::Int(value) => super::numeric::write(out, &value.to_string()),
        // The shortest digits that read back as the same float.
        Scalar::Float(value) => super::numeric::write(out, &value.to_string()),
        Scalar::Decimal(value) => super::numeric::write(out, value),
        other => Err(unfit(other, "a number")),
    }
}

fn time(out: &mut Vec<u8>, kind: Kind, value: &Scalar) -> Result<(), String> {
    let micros = match (kind, value) {
        (Kind::Date, Scalar::Date(days)) => {
            // The least of all stands for "-infinity".
            let shifted = days.checked_sub(EPOCH_DAYS).filter(|days| *days != i32::MIN);
            let days = shifted.ok_or_else(|| out_of_range(days, "date"))?;
            out.extend_from_slice(&days.to_be_bytes());
            return Ok(());
        }
        (Kind::Interval, Scalar::Interval { months, days, micros }) => {
            out.extend_from_slice(&micros.to_be_bytes());
            out.extend_from_slice(&days.to_be_bytes());
            out.extend_from_slice(&months.to_be_bytes());
            return Ok(());
        }
        (Kind::Time, Scalar::Time(micros)) => *micros,
        (Kind::Timestamp, Scalar::Timestamp { micros, utc: false })
        | (Kind::Timestamptz, Scalar::Timestamp { micros, utc: true }) => {
            let shifted = micros.checked_sub(EPOCH_MICROS).filter(|micros| *micros != i64::MIN);
            shifted.ok_or_else(|| out_of_range(micros, "timestamp"))?
        }
        // Midnight of that day, with no zone to guess.
        (Kind::Timestamp, Scalar::Date(days)) => i64::from(*days)
            .checked_mul(MICROS_A_DAY)
            .and_then(|micros| micros.checked_sub(EPOCH_MICROS))
            .ok_or_else(|| out_of_range(&format_args!("day {days}"), "timestamp"))?,
        (_, other) => return Err(wrong_time(kind, other)),
    };
    out.extend_from_slice(&micros.to_be_bytes());
    Ok(())
}

#[cold]
fn wrong_time(kind: Kind, value: &Scalar) -> String {
    match (kind, value) {
        (Kind::Timestamptz, Scalar::Timestamp { utc: false, .. }) => {
            "wants an instant, not a timestamp without a zone; give it its time zone".to_owned()
        }
        (Kind::Timestamptz, Scalar::Date(_)) => {
            "wants an instant, not a date; give a timestamp with its time zone".to_owned()
        }
        (Kind::Timestamp, Scalar::Timestamp { utc: true, .. }) => {
            "wants a wall clock, not a timestamp with a zone; take the zone off".to_owned()
        }
        (Kind::Date, other) => unfit(other, "a date"),
        (Kind::Time, other) => unfit(other, "a time"),
        (Kind::Interval, other) => unfit(other, "an interval"),
        (_, other) => unfit(other, "a timestamp"),
    }
}
