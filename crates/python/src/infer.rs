//! A frame out of Python's own values: the type of each column is told by its values.

use std::sync::Arc;

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyType};
use rowmill::build::{Bits, Bytes, Decimal, Fixed, ListOffsets, Native, Structure};
use rowmill::{Batch, Field, Scalar, Schema, Type};

use crate::column::Column;
use crate::parameter::{self, Place};
use crate::text::text;
use crate::{capsule, errors, value};

/// A batch of the columns in a dict.
///
/// # Errors
/// `TypeError` for what is no column, `ProgrammingError` for values that do not fit together.
pub(crate) fn frame(dict: &Bound<'_, PyDict>) -> PyResult<Batch> {
    let py = dict.py();
    let (mut fields, mut columns) = (Vec::new(), Vec::<rowmill::Column>::new());
    for (name, values) in dict {
        let Ok(name) = name.cast::<PyString>() else {
            let class = value::class_name(&name);
            return Err(PyTypeError::new_err(format!("a column's name is a str, not {class}")));
        };
        let name = text(name)?;
        let (kind, column) = column(&name, &values)?;
        if let Some(first) = columns.first().filter(|first| first.len() != column.len()) {
            let Field { name: other, .. } = &fields[0];
            let message = format!(
                "column {name:?} has {} rows and column {other:?} has {}",
                column.len(),
                first.len()
            );
            return Err(errors::programming(py, &message));
        }
        fields.push(Field::new(&*name, kind));
        columns.push(column);
    }
    let rows = columns.first().map_or(0, rowmill::Column::len);
    Ok(Batch::new(Arc::new(Schema::new(fields)), columns, rows))
}

/// A batch of the rows in a list: dicts, dataclasses or rows, all of the first one's columns.
///
/// # Errors
/// `TypeError` for what is no row, `ProgrammingError` for a row of other columns.
pub(crate) fn rows(list: &Bound<'_, PyList>) -> PyResult<Batch> {
    let py = list.py();
    let columns = PyDict::new(py);
    for (at, row) in list.iter().enumerate() {
        let row = row_dict(&row, at)?;
        if at == 0 {
            for name in row.keys() {
                columns.set_item(name, PyList::empty(py))?;
            }
        }
        for (name, values) in &columns {
            let Some(value) = row.get_item(&name)? else {
                return Err(other_columns(
                    py,
                    &format!("row {at} has no column {}", value::repr(&name)?),
                ));
            };
            values.cast::<PyList>()?.append(value)?;
        }
        if row.len() != columns.len() {
            let other = row.keys().iter().find(|name| !columns.contains(name).unwrap_or(true));
            let name = other.map_or_else(|| Ok(String::new()), |name| value::repr(&name))?;
            return Err(other_columns(
                py,
                &format!("row {at} has a column {name} that row 0 has not"),
            ));
        }
    }
    if columns.is_empty() && !list.is_empty() {
        return Err(errors::programming(py, "row 0 has no columns"));
    }
    frame(&columns)
}

/// The error of a row of other columns than the first one's.
fn other_columns(py: Python<'_>, what: &str) -> PyErr {
    let way_out = "all rows have the same columns, and None is NULL";
    errors::programming(py, &format!("{what}; {way_out}"))
}

fn row_dict<'py>(row: &Bound<'py, PyAny>, at: usize) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(dict) = row.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    if let Some(dict) = record(row)? {
        return Ok(dict);
    }
    let class = value::class_name(row);
    let way_out = if row.hasattr("model_dump")? { "; give row.model_dump()" } else { "" };
    Err(PyTypeError::new_err(format!(
        "row {at} must be a dict, a dataclass, a named tuple or a Row, not {class}{way_out}"
    )))
}

/// The named values of a dataclass, a named tuple or a Row.
pub(crate) fn record<'py>(row: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = row.py();
    if row.is_instance_of::<PyType>() {
        return Ok(None);
    }
    if let Some(fields) = row.getattr_opt("__dataclass_fields__")? {
        let dict = PyDict::new(py);
        for name in fields.cast::<PyDict>()?.keys() {
            dict.set_item(&name, row.getattr(name.cast::<PyString>()?)?)?;
        }
        return Ok(Some(dict));
    }
    for method in ["to_dict", "_asdict"] {
        if let Some(method) = row.getattr_opt(method)? {
            return Ok(Some(method.call0()?.cast_into::<PyDict>()?));
        }
    }
    Ok(None)
}

/// A column of values, and its type.
///
/// # Errors
/// As [`frame`].
pub(crate) fn column(name: &str, values: &Bound<'_, PyAny>) -> PyResult<(Type, rowmill::Column)> {
    if let Ok(column) = values.cast::<Column>() {
        let column = column.get();
        return Ok((column.field().kind.clone(), column.data().clone()));
    }
    if let Some(column) = numpy(values)? {
        return Ok(column);
    }
    if let Some(column) = capsule::import_column(values)? {
        return Ok(column);
    }
    let text = values.is_instance_of::<PyString>() || values.is_instance_of::<PyBytes>();
    let Some(values) = values.try_iter().ok().filter(|_| !text) else {
        let class = value::class_name(values);
        let message = format!(
            "column {name:?} must be a list, an array or an Arrow column, not {class}; one row is given as a list of it: [row]"
        );
        return Err(PyTypeError::new_err(message));
    };
    let py = values.py();
    let scalars = values
        .enumerate()
        .map(|(row, value)| parameter::scalar(&value?, Place::Cell { column: name, row }))
        .collect::<PyResult<Vec<Scalar>>>()?;
    let scalars: Vec<&Scalar> = scalars.iter().collect();
    let kind = unify(py, name, &scalars)?;
    build(py, name, &kind, &scalars)
}

/// A NumPy array of a plain type, through its buffer; others go value by value.
fn numpy(values: &Bound<'_, PyAny>) -> PyResult<Option<(Type, rowmill::Column)>> {
    let Some(dtype) = values.getattr_opt("dtype")? else { return Ok(None) };
    if values.hasattr("mask")? || !values.hasattr("__array_interface__")? {
        return Ok(None);
    }
    let Some(code) = dtype.getattr_opt("str")? else { return Ok(None) };
    let Ok(code) = code.extract::<String>() else { return Ok(None) };
    let native = if cfg!(target_endian = "little") { '<' } else { '>' };
    let Some(code) = code.strip_prefix([native, '|']) else { return Ok(None) };
    macro_rules! fixed {
        ($type:ty, $kind:ident) => {
            Some((Type::$kind, copied::<$type>(values, &Type::$kind)?))
        };
    }
    Ok(match code {
        "i1" => fixed!(i8, Int8),
        "i2" => fixed!(i16, Int16),
        "i4" => fixed!(i32, Int32),
        "i8" => fixed!(i64, Int64),
        "u1" => fixed!(u8, UInt8),
        "u2" => fixed!(u16, UInt16),
        "u4" => fixed!(u32, UInt32),
        "u8" => fixed!(u64, UInt64),
        "f4" => fixed!(f32, Float32),
        "f8" => fixed!(f64, Float64),
        "b1" => {
            let mut bits = Bits::default();
            for byte in elements::<u8>(&values.call_method1("view", ("u1",))?)? {
                bits.push(byte != 0);
            }
            Some((Type::Bool, bits.finish()))
        }
        "M8[us]" => {
            let mut moments = Fixed::marking(i64::MIN);
            for micros in elements::<i64>(&values.call_method1("view", ("i8",))?)? {
                if micros == i64::MIN { moments.push_null() } else { moments.push(micros) }
            }
            let kind = Type::Timestamp { utc: false };
            let column = moments.finish(&kind);
            Some((kind, column))
        }
        _ => None,
    })
}

fn elements<T: Element>(array: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let buffer = PyBuffer::<T>::get(array)?;
    if buffer.dimensions() != 1 {
        let message = format!("a column has one dimension, not {}", buffer.dimensions());
        return Err(pyo3::exceptions::PyValueError::new_err(message));
    }
    buffer.to_vec(array.py())
}

fn copied<T: Element + Native + Default>(
    array: &Bound<'_, PyAny>,
    kind: &Type,
) -> PyResult<rowmill::Column> {
    let values = elements::<T>(array)?;
    let mut column = Fixed::new(T::default());
    column.reserve(values.len());
    for value in values {
        column.push(value);
    }
    Ok(column.finish(kind))
}

/// The one type of all values.
fn unify(py: Python<'_>, name: &str, scalars: &[&Scalar]) -> PyResult<Type> {
    let mut found: Option<(usize, Type)> = None;
    for (row, scalar) in scalars.iter().enumerate() {
        let kind = match scalar {
            Scalar::Null => continue,
            // The elements of all lists stand in one column of their own.
            Scalar::List(_) => Type::List(Box::new(Type::Null)),
            scalar => plain(scalar),
        };
        found = match found {
            None => Some((row, kind)),
            Some((first, known)) => match joined(&known, &kind) {
                Some(kind) => Some((first, kind)),
                None => {
                    let message = format!(
                        "column {name:?}: row {row} is {}, row {first} is {}; \
                         a column has one type",
                        scalar.kind(),
                        scalars[first].kind()
                    );
                    return Err(errors::programming(py, &message));
                }
            },
        };
    }
    match found {
        Some((_, Type::List(_))) => Ok(Type::List(Box::new(unify(py, name, &flattened(scalars))?))),
        Some((_, kind)) => Ok(kind),
        None => Ok(Type::Null),
    }
}

fn flattened<'a>(scalars: &[&'a Scalar]) -> Vec<&'a Scalar> {
    let lists = scalars.iter().filter_map(|scalar| match scalar {
        Scalar::List(elements) => Some(elements),
        _ => None,
    });
    lists.flatten().collect()
}

/// The type of one value; decimals find their precision and scale while they are built.
fn plain(scalar: &Scalar) -> Type {
    match scalar {
        // A time with its zone is never a cell of a column.
        Scalar::Null | Scalar::TimeTz { .. } => Type::Null,
        Scalar::Bool(_) => Type::Bool,
        Scalar::Int(_) => Type::Int64,
        Scalar::Float(_) => Type::Float64,
        Scalar::Decimal(_) => Type::Decimal { precision: 38, scale: 0 },
        Scalar::Text(_) => Type::Text,
        Scalar::Bytes(_) => Type::Bytes,
        Scalar::Json(_) => Type::Json,
        Scalar::Uuid(_) => Type::Uuid,
        Scalar::Date(_) => Type::Date,
        Scalar::Time(_) => Type::Time,
        Scalar::Timestamp { utc, .. } => Type::Timestamp { utc: *utc },
        Scalar::Interval { .. } => Type::Interval,
        Scalar::List(_) => Type::List(Box::new(Type::Null)),
        // Its fields' types are found while they are built.
        Scalar::Struct(_) => Type::structure(&[]),
    }
}

/// The type that holds values of both: whole numbers go with floats and decimals, as in Python.
fn joined(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Type::Int64, Type::Float64) | (Type::Float64, Type::Int64) => Some(Type::Float64),
        (Type::Int64, decimal @ Type::Decimal { .. })
        | (decimal @ Type::Decimal { .. }, Type::Int64) => Some(decimal.clone()),
        _ => None,
    }
}

/// The column of these values, all of `kind` or NULL.
fn build(
    py: Python<'_>,
    name: &str,
    kind: &Type,
    scalars: &[&Scalar],
) -> PyResult<(Type, rowmill::Column)> {
    macro_rules! fixed {
        ($null:expr, $($pattern:pat => $value:expr),+) => {{
            let mut column = Fixed::new($null);
            column.reserve(scalars.len());
            for scalar in scalars {
                match scalar {
                    $($pattern => column.push($value),)+
                    _ => column.push_null(),
                }
            }
            column.finish(kind)
        }};
    }
    let broken =
        || errors::programming(py, &format!("column {name:?} holds text that is not UTF-8"));
    let column = match kind {
        Type::Bool => {
            let mut column = Bits::default();
            for scalar in scalars {
                match scalar {
                    Scalar::Bool(value) => column.push(*value),
                    _ => column.push_null(),
                }
            }
            column.finish()
        }
        Type::Int64 => fixed!(0_i64, Scalar::Int(value) => *value),
        Type::Float64 => {
            exact_floats(py, name, scalars)?;
            fixed!(f64::NAN, Scalar::Float(value) => *value, Scalar::Int(value) => *value as f64)
        }
        Type::Decimal { .. } => return decimals(py, name, scalars),
        Type::Text | Type::Json | Type::Bytes => {
            let text = *kind != Type::Bytes;
            let mut column = if text { Bytes::text() } else { Bytes::binary() };
            for scalar in scalars {
                match scalar {
                    Scalar::Text(value) | Scalar::Json(value) => column.push(value.as_bytes()),
                    Scalar::Bytes(value) => column.push(value),
                    _ => column.push_null(),
                }
            }
            column.finish().map_err(|_| broken())?
        }
        Type::Uuid => fixed!(0_i128, Scalar::Uuid(value) => i128::from_ne_bytes(*value)),
        Type::Date => fixed!(0_i32, Scalar::Date(value) => *value),
        Type::Time => fixed!(0_i64, Scalar::Time(value) => *value),
        Type::Timestamp { .. } => {
            fixed!(i64::MIN, Scalar::Timestamp { micros, .. } => *micros)
        }
        Type::Interval => {
            beyond_nanoseconds(py, name, scalars)?;
            fixed!(0_i128, Scalar::Interval { months, days, micros } => interval(*months, *days, *micros))
        }
        Type::List(element) => {
            let (kind, elements) = build(py, name, element, &flattened(scalars))?;
            let (mut offsets, mut end) = (ListOffsets::default(), 0);
            for scalar in scalars {
                match scalar {
                    Scalar::List(elements) => {
                        end += elements.len();
                        offsets.push(end);
                    }
                    _ => offsets.push_null(),
                }
            }
            let column = offsets.finish(&kind, elements);
            return Ok((Type::List(Box::new(kind)), column));
        }
        kind if *kind == Type::structure(&[]) => return structure(py, name, scalars),
        _ => rowmill::Column::nulls(kind, scalars.len()),
    };
    Ok((kind.clone(), column))
}

/// A column of named values, by the names of the first.
fn structure(py: Python<'_>, name: &str, scalars: &[&Scalar]) -> PyResult<(Type, rowmill::Column)> {
    let mut rows = Structure::default();
    let mut named: Vec<Option<&Vec<(String, Scalar)>>> = Vec::with_capacity(scalars.len());
    for scalar in scalars {
        match scalar {
            Scalar::Struct(fields) => {
                rows.push();
                named.push(Some(fields));
            }
            _ => {
                rows.push_null();
                named.push(None);
            }
        }
    }
    let first = named.iter().flatten().next();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (key, _) in first.into_iter().flat_map(|fields| fields.iter()) {
        let values: Vec<&Scalar> = named
            .iter()
            .map(|row| {
                let found = row.and_then(|fields| fields.iter().find(|(other, _)| other == key));
                found.map_or(&Scalar::Null, |(_, value)| value)
            })
            .collect();
        let kind = unify(py, name, &values)?;
        let (kind, column) = build(py, name, &kind, &values)?;
        fields.push(Field::new(key.as_str(), kind));
        columns.push(column);
    }
    Ok(rows.finish(&fields, columns))
}

/// Whole numbers among floats must be floats too: 2^53 + 1 is none.
fn exact_floats(py: Python<'_>, name: &str, scalars: &[&Scalar]) -> PyResult<()> {
    let inexact = |scalar: &&Scalar| match scalar {
        Scalar::Int(value) => (*value as f64) as i128 != i128::from(*value),
        _ => false,
    };
    match scalars.iter().position(inexact) {
        Some(row) => {
            let message = format!(
                "column {name:?}, row {row}: the whole number is no float64, and other rows are \
                 floats; make all of them int, float or Decimal"
            );
            Err(errors::programming(py, &message))
        }
        None => Ok(()),
    }
}

/// An interval as Arrow stores it: months and days in 32 bits, nanoseconds in 64, native order.
fn interval(months: i32, days: i32, micros: i64) -> i128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&months.to_ne_bytes());
    bytes[4..8].copy_from_slice(&days.to_ne_bytes());
    bytes[8..].copy_from_slice(&(micros.wrapping_mul(1_000)).to_ne_bytes());
    i128::from_ne_bytes(bytes)
}

fn beyond_nanoseconds(py: Python<'_>, name: &str, scalars: &[&Scalar]) -> PyResult<()> {
    let beyond = |scalar: &&Scalar| match scalar {
        Scalar::Interval { micros, .. } => micros.checked_mul(1_000).is_none(),
        _ => false,
    };
    match scalars.iter().position(beyond) {
        Some(row) => {
            let message = format!(
                "column {name:?}, row {row}: more than 292 years of microseconds; use months or days"
            );
            Err(errors::programming(py, &message))
        }
        None => Ok(()),
    }
}

fn decimals(py: Python<'_>, name: &str, scalars: &[&Scalar]) -> PyResult<(Type, rowmill::Column)> {
    let mut column = Decimal::undeclared();
    for (row, scalar) in scalars.iter().enumerate() {
        let pushed = match scalar {
            Scalar::Decimal(text) => push(&mut column, text),
            Scalar::Int(value) => push(&mut column, &value.to_string()),
            _ => {
                column.push_null();
                Some(())
            }
        };
        if pushed.is_none() {
            let message = format!(
                "column {name:?}, row {row}: this decimal has more than 76 digits, or none"
            );
            return Err(errors::programming(py, &message));
        }
    }
    match column.finish() {
        (Type::Text, _) => {
            let message =
                format!("column {name:?}: its decimals need more than 76 digits together");
            Err(errors::programming(py, &message))
        }
        finished => Ok(finished),
    }
}

/// Appends a decimal in Python's notation (`-12.50`, `1E+3`) as groups of four digits.
fn push(column: &mut Decimal, text: &str) -> Option<()> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['E', 'e']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() < 1_000)?;
    let scale = (fraction.len() as i32 - exponent).max(0);
    // All digits, as a whole number with `scale` of them after the point.
    let mut digits = format!("{whole}{fraction}");
    digits.extend(std::iter::repeat_n('0', (exponent - fraction.len() as i32).max(0) as usize));
    // The point falls between two groups: pad the fraction's end and the number's beginning.
    digits.extend(std::iter::repeat_n('0', (4 - scale % 4) as usize % 4));
    let missing = (4 - digits.len() % 4) % 4;
    let fraction_groups = (scale + 3) / 4;
    let mut groups: Vec<u8> = Vec::new();
    let padded = "0".repeat(missing) + &digits;
    for group in padded.as_bytes().chunks_exact(4) {
        let value = group.iter().fold(0_u16, |value, digit| value * 10 + u16::from(digit - b'0'));
        groups.extend_from_slice(&value.to_be_bytes());
    }
    let weight = (groups.len() / 2) as i32 - fraction_groups - 1;
    column.push(negative, &groups, weight as i16, scale as u16).ok()
}
