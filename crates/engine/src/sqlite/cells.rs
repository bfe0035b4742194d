//! A column under construction: cells go in, checked against the column's type.

use std::ffi::c_int;

use rowmill_columns::build::{Bits, Bytes, Fixed, TextError};
use rowmill_columns::json::validate_json;
use rowmill_columns::text::{parse_date, parse_time, parse_timestamp, parse_uuid};
use rowmill_columns::{Column, Type};

use super::dates::Dates;
use super::found::Found;
use super::raw_statement::{Kind, RawStatement};
use super::types::CellType;

/// What NumPy reads as "not a time".
const NAT: i64 = i64::MIN;

#[derive(Debug)]
pub(super) enum Cells {
    Int(Fixed<i64>),
    Float(Fixed<f64>),
    Bool(Bits),
    Text(Bytes),
    Bytes(Bytes),
    Date(Fixed<i32>, Dates),
    Time(Fixed<i64>),
    Timestamp(Fixed<i64>, Zone, Dates),
    Json(Bytes),
    Uuid(Fixed<i128>),
    Found(Found),
}

/// Whether a column's timestamps carry a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// No value yet.
    Unknown,
    /// None does.
    Without,
    /// All do.
    With,
    /// Those that do not are UTC.
    Assumed,
}

impl Cells {
    pub(super) fn new(kind: CellType, dates: Dates) -> Self {
        match kind {
            CellType::Int => Self::Int(Fixed::new(0)),
            CellType::Float => Self::Float(Fixed::marking(f64::NAN)),
            CellType::Bool => Self::Bool(Bits::default()),
            CellType::Text => Self::Text(Bytes::text()),
            CellType::Bytes => Self::Bytes(Bytes::binary()),
            CellType::Date => Self::Date(Fixed::new(0), dates),
            CellType::Time => Self::Time(Fixed::new(0)),
            CellType::Timestamp => Self::Timestamp(Fixed::marking(NAT), Zone::Unknown, dates),
            CellType::Instant => Self::Timestamp(Fixed::marking(NAT), Zone::Assumed, dates),
            CellType::Json => Self::Json(Bytes::text()),
            CellType::Uuid => Self::Uuid(Fixed::new(0)),
            CellType::Found => Self::Found(Found::default()),
        }
    }

    /// Empty cells for the next part of a stream: what this part found is the type from here on.
    pub(super) fn next_part(&self) -> Self {
        match self {
            Self::Int(_) => Self::Int(Fixed::new(0)),
            Self::Float(_) => Self::Float(Fixed::marking(f64::NAN)),
            Self::Bool(_) => Self::Bool(Bits::default()),
            Self::Text(_) => Self::Text(Bytes::text()),
            Self::Bytes(_) => Self::Bytes(Bytes::binary()),
            Self::Date(_, dates) => Self::Date(Fixed::new(0), *dates),
            Self::Time(_) => Self::Time(Fixed::new(0)),
            Self::Timestamp(_, zone, dates) => {
                let zone = if *zone == Zone::Unknown { Zone::Without } else { *zone };
                Self::Timestamp(Fixed::marking(NAT), zone, *dates)
            }
            Self::Json(_) => Self::Json(Bytes::text()),
            Self::Uuid(_) => Self::Uuid(Fixed::new(0)),
            Self::Found(found) => Self::Found(found.next_part()),
        }
    }

    /// Appends the cell `column` of the present row; false where it does not fit.
    #[inline(always)]
    pub(super) fn push(&mut self, row: &mut RawStatement, column: c_int) -> bool {
        let kind = row.kind(column);
        match (&mut *self, kind) {
            (Self::Int(cells), Kind::Int) => cells.push(row.int(column)),
            (Self::Text(cells), Kind::Text) => cells.push(row.text(column)),
            (Self::Float(cells), Kind::Float) => cells.push(row.float(column)),
            (Self::Found(found), _) => return found.push(row, column, kind),
            _ => return self.push_rare(row, column, kind),
        }
        true
    }

    fn push_rare(&mut self, row: &mut RawStatement, column: c_int, kind: Kind) -> bool {
        match (self, kind) {
            (cells, Kind::Null) => cells.push_null(),
            (Self::Float(cells), Kind::Int) => match exact_float(row.int(column)) {
                Some(value) => cells.push(value),
                None => return false,
            },
            (Self::Bool(cells), Kind::Int) => match row.int(column) {
                value @ (0 | 1) => cells.push(value == 1),
                _ => return false,
            },
            (Self::Bytes(cells), Kind::Blob) => cells.push(row.blob(column)),
            (Self::Date(cells, _), Kind::Text) => match parse_date(row.text(column)) {
                Some(days) => cells.push(days),
                None => return false,
            },
            (Self::Date(cells, dates), kind) => {
                match number(row, column, kind, *dates).and_then(Dates::day) {
                    Some(days) => cells.push(days),
                    None => return false,
                }
            }
            (Self::Time(cells), Kind::Text) => match parse_time(row.text(column)) {
                Some(micros) => cells.push(micros),
                None => return false,
            },
            (Self::Timestamp(cells, zone, _), Kind::Text) => {
                match timestamp(row.text(column), zone) {
                    Some(micros) => cells.push(micros),
                    None => return false,
                }
            }
            (Self::Timestamp(cells, _, dates), kind) => match number(row, column, kind, *dates) {
                Some(micros) => cells.push(micros),
                None => return false,
            },
            (Self::Json(cells), Kind::Text) => {
                let text = row.text(column);
                if validate_json(text).is_err() {
                    return false;
                }
                cells.push(text);
            }
            // The affinity of a column declared JSON makes numbers of texts that look like one.
            (Self::Json(cells), Kind::Int) => cells.push(row.int(column).to_string().as_bytes()),
            (Self::Json(cells), Kind::Float) => match row.float(column) {
                value if value.is_finite() => cells.push(format!("{value:?}").as_bytes()),
                _ => return false,
            },
            (Self::Uuid(cells), Kind::Text) => match parse_uuid(row.text(column)) {
                Some(uuid) => cells.push(i128::from_ne_bytes(uuid)),
                None => return false,
            },
            (Self::Uuid(cells), Kind::Blob) => match row.blob(column).try_into() {
                Ok(uuid) => cells.push(i128::from_ne_bytes(uuid)),
                Err(_) => return false,
            },
            _ => return false,
        }
        true
    }

    fn push_null(&mut self) {
        match self {
            Self::Int(cells) | Self::Time(cells) | Self::Timestamp(cells, ..) => cells.push_null(),
            Self::Float(cells) => cells.push_null(),
            Self::Bool(cells) => cells.push_null(),
            Self::Text(cells) | Self::Bytes(cells) | Self::Json(cells) => cells.push_null(),
            Self::Date(cells, _) => cells.push_null(),
            Self::Uuid(cells) => cells.push_null(),
            Self::Found(found) => found.push_null(),
        }
    }

    /// Bytes held so far.
    pub(super) fn byte_len(&self) -> usize {
        match self {
            Self::Int(cells) | Self::Time(cells) | Self::Timestamp(cells, ..) => cells.byte_len(),
            Self::Float(cells) => cells.byte_len(),
            Self::Bool(cells) => cells.byte_len(),
            Self::Text(cells) | Self::Bytes(cells) | Self::Json(cells) => cells.byte_len(),
            Self::Date(cells, _) => cells.byte_len(),
            Self::Uuid(cells) => cells.byte_len(),
            Self::Found(found) => found.byte_len(),
        }
    }

    /// The column and its type; an error names the row, counted from 0, that is not UTF-8.
    pub(super) fn finish(self) -> Result<(Type, Column), TextError> {
        let fixed = |kind: Type, cells: Fixed<i64>| (kind.clone(), cells.finish(&kind));
        Ok(match self {
            Self::Int(cells) => fixed(Type::Int64, cells),
            Self::Float(cells) => (Type::Float64, cells.finish(&Type::Float64)),
            Self::Bool(cells) => (Type::Bool, cells.finish()),
            Self::Text(cells) => (Type::Text, cells.finish()?),
            Self::Bytes(cells) => (Type::Bytes, cells.finish()?),
            Self::Date(cells, _) => (Type::Date, cells.finish(&Type::Date)),
            Self::Time(cells) => fixed(Type::Time, cells),
            Self::Timestamp(cells, zone, _) => {
                let utc = matches!(zone, Zone::With | Zone::Assumed);
                fixed(Type::Timestamp { utc }, cells)
            }
            Self::Json(cells) => (Type::Json, cells.finish()?),
            Self::Uuid(cells) => (Type::Uuid, cells.finish(&Type::Uuid)),
            Self::Found(found) => return found.finish(),
        })
    }

    /// What a cell must hold, for an error message.
    pub(super) fn wants(&self) -> &'static str {
        match self {
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float, or an integer that a float holds exactly",
            Self::Bool(_) => "0 or 1",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_, Dates::Text) => "a date such as 2024-01-31",
            Self::Date(_, Dates::Julian) => {
                "a date such as 2024-01-31, or the Julian day number of its midnight (UTC)"
            }
            Self::Date(_, Dates::Unix) => {
                "a date such as 2024-01-31, or the seconds from 1970 to its midnight (UTC)"
            }
            Self::Time(_) => "a time such as 13:45:00",
            Self::Timestamp(_, Zone::With, _) => {
                "a timestamp with a zone such as 2024-01-31 13:45:00+00:00, as the values before it"
            }
            Self::Timestamp(_, Zone::Without, _) => {
                "a timestamp without a zone such as 2024-01-31 13:45:00, as the values before it"
            }
            Self::Timestamp(.., Dates::Text) => "a timestamp such as 2024-01-31 13:45:00",
            Self::Timestamp(.., Dates::Julian) => {
                "a timestamp such as 2024-01-31 13:45:00, or a Julian day number"
            }
            Self::Timestamp(.., Dates::Unix) => {
                "a timestamp such as 2024-01-31 13:45:00, or seconds since 1970 (milliseconds are \
                 divided by 1000 in the query)"
            }
            Self::Json(_) => "JSON",
            Self::Uuid(_) => "a UUID as text or sixteen bytes",
            Self::Found(found) => found.wants(),
        }
    }
}

/// The microseconds of a timestamp, in UTC where it carries a zone.
fn timestamp(text: &[u8], zone: &mut Zone) -> Option<i64> {
    let (micros, offset) = parse_timestamp(text)?;
    match (*zone, offset) {
        (Zone::Unknown, _) => *zone = if offset.is_some() { Zone::With } else { Zone::Without },
        (Zone::Without, Some(_)) | (Zone::With, None) => return None,
        _ => {}
    }
    let micros = micros.checked_sub(i64::from(offset.unwrap_or(0)) * 1_000_000)?;
    // That one number of microseconds stands for NULL.
    (micros != NAT).then_some(micros)
}

/// The microseconds of an instant that is stored as a number.
fn number(row: &mut RawStatement, column: c_int, kind: Kind, dates: Dates) -> Option<i64> {
    match kind {
        Kind::Int => dates.micros_of_int(row.int(column)),
        Kind::Float => dates.micros_of_float(row.float(column)),
        Kind::Null | Kind::Text | Kind::Blob => None,
    }
}

/// The float of the same value, where there is one.
pub(super) fn exact_float(value: i64) -> Option<f64> {
    let float = value as f64;
    // 2^63 itself would saturate back to the largest integer.
    (float < 9_223_372_036_854_775_808.0 && float as i64 == value).then_some(float)
}
