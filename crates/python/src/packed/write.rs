//! Python values as the fields of a record.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use rowmill::expr::{Base, Kind, kept};
use rowmill::kernels::parse_decimal;
use rowmill::packed::{Cell, Held, Packed, Packer};
use rowmill::{ColumnError, DecimalValue, Scalar, Type};

use super::class::{Given, PackedClass, broken};
use super::record::Record;
use crate::errors;
use crate::parameter::{self, Place};
use crate::value;

/// The bytes of a record of these fields; what is not given is as it is in `base`, or has its default.
pub(super) fn packed(
    class: &PackedClass,
    fields: Option<&Bound<'_, PyDict>>,
    base: Option<Packed<'_>>,
) -> PyResult<Vec<u8>> {
    let py = fields.map(Bound::py);
    let mut given = vec![None; class.fields.len()];
    if let Some(fields) = fields {
        arrange(class, fields, &mut given)?;
    }
    let mut packer = Packer::new(&class.layout);
    let mut missing = Vec::new();
    for (at, (field, value)) in class.fields.iter().zip(&given).enumerate() {
        let laid_out = &class.layout.fields()[at];
        match (value, base) {
            (Some(value), _) => set(&mut packer, at, field, value)?,
            // What was given up is not handed on.
            (None, Some(_)) if laid_out.is_removed => {}
            (None, Some(base)) => {
                let copied = base.get(at).and_then(|cell| packer.set(at, cell));
                copied.map_err(|error| raised(py, &error))?;
            }
            (None, None) if laid_out.is_required => missing.push(format!("'{}'", laid_out.name)),
            (None, None) => packer.set_default(at).map_err(|error| raised(py, &error))?,
        }
    }
    if !missing.is_empty() {
        let (name, missing) = (class.layout.name(), missing.join(", "));
        return Err(PyTypeError::new_err(format!("{name}() is missing {missing}")));
    }
    packer.finish().map_err(|error| raised(py, &error))
}

#[cold]
fn raised(py: Option<Python<'_>>, error: &ColumnError) -> PyErr {
    match py {
        Some(py) => broken(py, error),
        None => Python::attach(|py| broken(py, error)),
    }
}

/// The values in the order of the fields. Most come in it; then no name is looked up.
fn arrange<'py>(
    class: &PackedClass,
    fields: &Bound<'py, PyDict>,
    given: &mut [Option<Bound<'py, PyAny>>],
) -> PyResult<()> {
    let py = fields.py();
    let mut next = 0;
    for (name, value) in fields {
        let is_next = class.fields.get(next).is_some_and(|field| name.is(&field.name));
        let at = if is_next {
            next
        } else {
            match class.positions.bind(py).get_item(&name)? {
                Some(at) => at.extract()?,
                None => return Err(unexpected(class, &name)),
            }
        };
        given[at] = Some(value);
        next = at + 1;
    }
    Ok(())
}

#[cold]
fn unexpected(class: &PackedClass, name: &Bound<'_, PyAny>) -> PyErr {
    let own = class.layout.fields().iter().filter(|field| !field.is_removed);
    let own: Vec<&str> = own.map(|field| &*field.name).collect();
    let message =
        format!("{}() has no field '{name}'; it has {}", class.layout.name(), own.join(", "));
    PyTypeError::new_err(message)
}

/// Sets a field.
///
/// # Errors
/// `TypeError` of a value of another type, `DataError` of one that no field holds, naming the field.
#[inline]
pub(super) fn set(
    packer: &mut Packer<'_>,
    at: usize,
    given: &Given,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = value.py();
    let layout = packer.layout();
    let field = &layout.fields()[at];
    if value.is_none() {
        if !field.nullable {
            return Err(mismatch(packer, given, value));
        }
        return packer.set(at, Cell::Null).map_err(|error| broken(py, &error));
    }
    match &field.held {
        Held::One(kind) => {
            let set = |cell: Cell<'_>| packer.set(at, cell);
            match one(value, kind, &field.name, set)? {
                Some(()) => Ok(()),
                None => Err(mismatch(packer, given, value)),
            }
        }
        Held::Record(_) => match inner(given, value) {
            Some(record) => {
                let set = packer.set(at, Cell::Record(record.get().bytes(py)));
                set.map_err(|error| broken(py, &error))
            }
            None => Err(mismatch(packer, given, value)),
        },
        held => {
            let values = match value.cast_exact::<PyList>() {
                Ok(list) => list.to_tuple(),
                Err(_) => match value.cast_exact::<PyTuple>() {
                    Ok(tuple) => tuple.clone(),
                    Err(_) if is_one(value) => return Err(mismatch(packer, given, value)),
                    Err(_) => match value.try_iter() {
                        Ok(values) => PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)?,
                        Err(_) => return Err(mismatch(packer, given, value)),
                    },
                },
            };
            let mut list = packer.list(at, values.len()).map_err(|error| broken(py, &error))?;
            for value in &values {
                let mut push = |cell: Cell<'_>| list.push(cell);
                let pushed = match held {
                    Held::List(kind) => one(&value, kind, &field.name, push)?,
                    _ => match inner(given, &value) {
                        Some(record) => {
                            let pushed = push(Cell::Record(record.get().bytes(py)));
                            Some(pushed.map_err(|error| broken(py, &error))?)
                        }
                        None => None,
                    },
                };
                if pushed.is_none() {
                    return Err(mismatch(packer, given, &value));
                }
            }
            list.finish().map_err(|error| broken(py, &error))
        }
    }
}

/// A record of the class that a field is for.
fn inner<'a, 'py>(given: &Given, value: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, Record>> {
    let class = given.class.as_ref()?.bind(value.py());
    if value.get_type().is(class) { value.cast::<Record>().ok() } else { None }
}

/// What has elements and is no list of values all the same.
fn is_one(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyDict>()
}

/// Gives `set` the value; `None` where it is of another type.
#[inline]
fn one(
    value: &Bound<'_, PyAny>,
    kind: &Type,
    name: &str,
    set: impl FnOnce(Cell<'_>) -> Result<(), ColumnError>,
) -> PyResult<Option<()>> {
    let text;
    let cell = match kind {
        Type::Int64 if value.is_exact_instance_of::<PyInt>() => match value.extract() {
            Ok(value) => Some(Cell::Int(value)),
            Err(_) => return Err(beyond(value, name, "64 bits")),
        },
        Type::Float64 => value.cast_exact::<PyFloat>().ok().map(|float| Cell::Float(float.value())),
        Type::Text => match value.cast_exact::<PyString>() {
            Ok(given) => {
                text = crate::text::text(given)?;
                Some(Cell::Text(&text))
            }
            Err(_) => None,
        },
        Type::Timestamp { utc } if value.is_exact_instance_of::<PyDateTime>() => {
            match parameter::moment(value)? {
                Some(Scalar::Timestamp { micros, utc: has_zone }) if has_zone == *utc => {
                    Some(Cell::Timestamp(micros))
                }
                _ => return Err(zone(value, name, *utc)),
            }
        }
        Type::Bool => value.cast::<PyBool>().ok().map(|flag| Cell::Bool(flag.is_true())),
        Type::Bytes => {
            value.cast_exact::<PyBytes>().ok().map(|given| Cell::Bytes(given.as_bytes()))
        }
        _ => None,
    };
    match cell {
        Some(cell) => set(cell).map(Some).map_err(|error| broken(value.py(), &error)),
        None => other(value, kind, name, set),
    }
}

/// What is not of the very class that nearly all values of a type are: Enums, NumPy's scalars, pandas' timestamps.
#[cold]
fn other(
    value: &Bound<'_, PyAny>,
    kind: &Type,
    name: &str,
    set: impl FnOnce(Cell<'_>) -> Result<(), ColumnError>,
) -> PyResult<Option<()>> {
    let py = value.py();
    let scalar = parameter::scalar(value, Place::Attribute(name, Kind::of(kind)))?;
    let cell = match (kind, &scalar) {
        (Type::Bool, Scalar::Bool(value)) => Cell::Bool(*value),
        (Type::Int64, Scalar::Int(value)) => Cell::Int(*value),
        (Type::Float64, Scalar::Float(value)) => Cell::Float(*value),
        (Type::Float64, Scalar::Int(int)) => match kept(&scalar, Base::Float) {
            Some(_) => Cell::Float(*int as f64),
            None => return Err(beyond(value, name, "a float")),
        },
        (Type::Decimal { .. }, Scalar::Decimal(text)) => match decimal(text) {
            Some(value) => Cell::Decimal(value),
            None => return Err(beyond(value, name, "38 digits")),
        },
        (Type::Decimal { .. }, Scalar::Int(value)) => {
            Cell::Decimal(DecimalValue::new((*value).into(), 0))
        }
        (Type::Text, Scalar::Text(text)) => Cell::Text(text),
        (Type::Bytes, Scalar::Bytes(bytes)) => Cell::Bytes(bytes),
        (Type::Uuid, Scalar::Uuid(value)) => Cell::Uuid(*value),
        (Type::Date, Scalar::Date(days)) => Cell::Date(*days),
        (Type::Time, Scalar::Time(micros)) => Cell::Time(*micros),
        (Type::Timestamp { utc: wanted }, Scalar::Timestamp { micros, utc }) => {
            if wanted != utc {
                return Err(zone(value, name, *wanted));
            }
            Cell::Timestamp(*micros)
        }
        (Type::Interval, Scalar::Interval { months, days, micros }) => {
            let Some(nanos) = micros.checked_mul(1_000) else {
                return Err(beyond(value, name, "64 bits of nanoseconds"));
            };
            Cell::Interval { months: *months, days: *days, nanos }
        }
        _ => return Ok(None),
    };
    set(cell).map(Some).map_err(|error| broken(py, &error))
}

/// A decimal with all its digits, zeros at the end included.
fn decimal(text: &str) -> Option<DecimalValue> {
    let (unscaled, places) = parse_decimal(text)?;
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let written = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let written = i32::try_from(written).ok()?.checked_sub(exponent.parse().ok()?)?;
    let zeros = 10_i128.checked_pow(u32::try_from(written - places).ok()?)?;
    Some(DecimalValue::new(unscaled.checked_mul(zeros)?, i8::try_from(written).ok()?))
}

#[cold]
fn mismatch(packer: &Packer<'_>, given: &Given, value: &Bound<'_, PyAny>) -> PyErr {
    let name = given.name.bind(value.py());
    let class = if value.is_none() { "None".to_owned() } else { value::class_name(value) };
    let (of, shown) = (packer.layout().name(), &given.shown);
    PyTypeError::new_err(format!("{of}: the field '{name}' is {shown}, not {class}"))
}

#[cold]
fn beyond(value: &Bound<'_, PyAny>, name: &str, what: &str) -> PyErr {
    let shown = value.str().map_or_else(|_| "a long int".to_owned(), |text| text.to_string());
    errors::value(value.py(), &format!("the field '{name}': {what} do not hold {shown}"))
}

#[cold]
fn zone(value: &Bound<'_, PyAny>, name: &str, wants_one: bool) -> PyErr {
    let message = if wants_one {
        "has no time zone: give it one, or declare the field as rm.column(naive=True)"
    } else {
        "has a time zone, and the field is declared as naive"
    };
    errors::programming(value.py(), &format!("the field '{name}': {value} {message}"))
}
