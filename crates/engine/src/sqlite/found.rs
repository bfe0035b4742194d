//! A column without a declared type: the first value decides, and integers become floats where a
//! float comes and none of them loses a digit.

use std::ffi::c_int;

use rowmill_columns::build::{Bytes, Fixed, TextError};
use rowmill_columns::{Column, Type};

use super::cells::exact_float;
use super::raw_statement::{Kind, RawStatement};

#[derive(Debug)]
pub(super) struct Found {
    values: Values,
    /// Whether an earlier part of a stream has settled the type.
    settled: bool,
}

#[derive(Debug)]
enum Values {
    Nulls(usize),
    Int(Fixed<i64>),
    Float(Fixed<f64>),
    Text(Bytes),
    Bytes(Bytes),
}

impl Default for Found {
    fn default() -> Self {
        Self { values: Values::Nulls(0), settled: false }
    }
}

impl Found {
    pub(super) fn next_part(&self) -> Self {
        let values = match self.values {
            Values::Nulls(_) => Values::Nulls(0),
            Values::Int(_) => Values::Int(Fixed::new(0)),
            Values::Float(_) => Values::Float(Fixed::marking(f64::NAN)),
            Values::Text(_) => Values::Text(Bytes::text()),
            Values::Bytes(_) => Values::Bytes(Bytes::binary()),
        };
        // A part without a value has shown nothing that a later one could contradict.
        let settled = !matches!(values, Values::Nulls(_));
        Self { values, settled }
    }

    #[inline]
    pub(super) fn push(&mut self, row: &mut RawStatement, column: c_int, kind: Kind) -> bool {
        match (&mut self.values, kind) {
            (Values::Int(cells), Kind::Int) => cells.push(row.int(column)),
            (Values::Float(cells), Kind::Float) => cells.push(row.float(column)),
            (Values::Text(cells), Kind::Text) => cells.push(row.text(column)),
            (Values::Bytes(cells), Kind::Blob) => cells.push(row.blob(column)),
            (Values::Float(cells), Kind::Int) => match exact_float(row.int(column)) {
                Some(value) => cells.push(value),
                None => return false,
            },
            (_, Kind::Null) => self.push_null(),
            _ => return !self.settled && self.change(kind) && self.push(row, column, kind),
        }
        true
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Nulls(rows) => *rows += 1,
            Values::Int(cells) => cells.push_null(),
            Values::Float(cells) => cells.push_null(),
            Values::Text(cells) | Values::Bytes(cells) => cells.push_null(),
        }
    }

    /// Takes the type of `kind` where the values so far allow it.
    #[cold]
    fn change(&mut self, kind: Kind) -> bool {
        self.values = match (&mut self.values, kind) {
            (Values::Nulls(rows), Kind::Int) => Values::Int(fixed(0, *rows)),
            (Values::Nulls(rows), Kind::Float) => Values::Float(fixed(f64::NAN, *rows)),
            (Values::Nulls(rows), Kind::Text) => Values::Text(bytes(Bytes::text(), *rows)),
            (Values::Nulls(rows), Kind::Blob) => Values::Bytes(bytes(Bytes::binary(), *rows)),
            (Values::Int(cells), Kind::Float) => {
                if cells.values().iter().any(|&value| exact_float(value).is_none()) {
                    return false;
                }
                Values::Float(floats(std::mem::replace(cells, Fixed::new(0))))
            }
            _ => return false,
        };
        true
    }

    pub(super) fn byte_len(&self) -> usize {
        match &self.values {
            Values::Nulls(_) => 0,
            Values::Int(cells) => cells.byte_len(),
            Values::Float(cells) => cells.byte_len(),
            Values::Text(cells) | Values::Bytes(cells) => cells.byte_len(),
        }
    }

    pub(super) fn finish(self) -> Result<(Type, Column), TextError> {
        Ok(match self.values {
            Values::Nulls(rows) => (Type::Null, Column::nulls(&Type::Null, rows)),
            Values::Int(cells) => (Type::Int64, cells.finish(&Type::Int64)),
            Values::Float(cells) => (Type::Float64, cells.finish(&Type::Float64)),
            Values::Text(cells) => (Type::Text, cells.finish()?),
            Values::Bytes(cells) => (Type::Bytes, cells.finish()?),
        })
    }

    pub(super) fn wants(&self) -> &'static str {
        match &self.values {
            Values::Nulls(_) => "NULL, as all of the stream's first part",
            Values::Int(_) if self.settled => "an integer, as in the stream's first part",
            Values::Int(_) => {
                "an integer, as the values before it (a float would not hold each of them exactly)"
            }
            Values::Float(_) => "a float, or an integer that a float holds exactly",
            Values::Text(_) => "text, as the values before it",
            Values::Bytes(_) => "bytes, as the values before it",
        }
    }
}

fn fixed<T: rowmill_columns::build::Native>(null_slot: T, nulls: usize) -> Fixed<T> {
    let mut cells = Fixed::new(null_slot);
    (0..nulls).for_each(|_| cells.push_null());
    cells
}

fn bytes(mut cells: Bytes, nulls: usize) -> Bytes {
    (0..nulls).for_each(|_| cells.push_null());
    cells
}

/// The same values as floats; each was found to be exact.
fn floats(ints: Fixed<i64>) -> Fixed<f64> {
    let values = ints.values().to_vec();
    let column = ints.finish(&Type::Int64);
    let mut floats = Fixed::marking(f64::NAN);
    for (row, value) in values.into_iter().enumerate() {
        if column.is_null(row) { floats.push_null() } else { floats.push(value as f64) }
    }
    floats
}
