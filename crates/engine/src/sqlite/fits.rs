//! Whether a value may be loaded into a column: SQLite itself would take anything, and what does not
//! fit the declared words could not be read again.

use rowmill_columns::Value;
use rowmill_columns::json::validate_json;
use rowmill_columns::text::{parse_date, parse_time, parse_timestamp, parse_uuid};

use super::cells::{Cells, exact_float};
use super::dates::Dates;
use super::read::{SHOWN, shown};
use super::statement::ColumnPlan;
use super::types::CellType;
use crate::{Error, ErrorKind, Result};

/// Refuses what a column of these words would not give back.
#[inline]
pub(super) fn check(column: &ColumnPlan, dates: Dates, value: &Value<'_>, row: u64) -> Result<()> {
    if fits(column.kind, value) { Ok(()) } else { Err(misfit(column, dates, value, row)) }
}

#[inline]
fn fits(kind: CellType, value: &Value<'_>) -> bool {
    match (kind, value) {
        (CellType::Found, _)
        | (_, Value::Null)
        | (CellType::Int, Value::Int(_) | Value::UInt(_) | Value::Bool(_))
        | (CellType::Float, Value::Float(_) | Value::Float32(_) | Value::Decimal(_))
        | (CellType::Bool, Value::Bool(_) | Value::Int(0 | 1) | Value::UInt(0 | 1))
        | (CellType::Bytes, Value::Bytes(_))
        | (CellType::Date, Value::Date(_))
        | (CellType::Time, Value::Time(_))
        | (CellType::Timestamp | CellType::Instant, Value::Timestamp { .. } | Value::Date(_))
        | (CellType::Json, Value::Json(_) | Value::List(_) | Value::Struct(_) | Value::Map(_))
        | (CellType::Uuid, Value::Uuid(_)) => true,
        // Whatever becomes text here.
        (CellType::Text, value) => !matches!(
            value,
            Value::Bool(_)
                | Value::Int(_)
                | Value::UInt(_)
                | Value::Float(_)
                | Value::Float32(_)
                | Value::Bytes(_)
        ),
        (CellType::Float, Value::Int(value)) => exact_float(*value).is_some(),
        (CellType::Float, Value::UInt(value)) => {
            i64::try_from(*value).is_ok_and(|value| exact_float(value).is_some())
        }
        (CellType::Int, Value::Decimal(value)) => value.to_string().parse::<i64>().is_ok(),
        (kind, Value::Text(text)) => text_fits(kind, text.as_bytes()),
        (CellType::Uuid, Value::Bytes(bytes)) => bytes.len() == 16,
        _ => false,
    }
}

/// Text in SQLite's own customs, which is read as what it stands for.
fn text_fits(kind: CellType, text: &[u8]) -> bool {
    match kind {
        CellType::Date => parse_date(text).is_some(),
        CellType::Time => parse_time(text).is_some(),
        CellType::Timestamp | CellType::Instant => parse_timestamp(text).is_some(),
        CellType::Json => validate_json(text).is_ok(),
        CellType::Uuid => parse_uuid(text).is_some(),
        _ => false,
    }
}

#[cold]
fn misfit(column: &ColumnPlan, dates: Dates, value: &Value<'_>, row: u64) -> Error {
    let what = match value {
        Value::Text(text) => shown(text),
        value => {
            let kind = value.to_scalar().map_or("a value of another type", |scalar| scalar.kind());
            let text = value.to_string();
            if text.len() <= SHOWN { format!("{kind} ({text})") } else { kind.to_owned() }
        }
    };
    let wants = Cells::new(column.kind, dates).wants();
    let (name, declared) = (&column.name, column.declared.as_deref().unwrap_or_default());
    let message =
        format!("column {name:?} (declared {declared}), row {row}: {what} is not {wants}");
    Error::new(ErrorKind::Data, message)
}
