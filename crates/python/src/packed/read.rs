//! A field of a record as a Python object.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDelta, PyFloat, PyInt, PyList, PyString, PyType};
use rowmill::packed::{Cell, Elements, Held};
use rowmill::{Type, Value};

use super::class::{Given, broken};
use super::memory::Part;
use super::record::Record;
use crate::errors;
use crate::value::{self, Fault};

/// Nanoseconds of a day.
const NANOS_PER_DAY: i64 = value::MICROS_PER_DAY * 1_000;

/// The value of a field.
///
/// # Errors
/// `DataError` where the record is broken, was written without the field, or holds what Python cannot.
#[inline]
pub(super) fn field<'py>(
    py: Python<'py>,
    record: &Record,
    at: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let class = record.class.get();
    let (given, held) = (&class.fields[at], &class.layout.fields()[at].held);
    let packed = record.packed(py)?;
    let cell = packed.get(at).map_err(|error| broken(py, &error))?;
    let found = match (held, cell) {
        (_, Cell::Null) => return Ok(py.None().into_bound(py)),
        (_, Cell::Int(value)) => return Ok(PyInt::new(py, value).into_any()),
        (_, Cell::Float(value)) => return Ok(PyFloat::new(py, value).into_any()),
        (_, Cell::Text(text)) => return Ok(PyString::new(py, text).into_any()),
        (Held::One(kind), cell) => object(py, given, kind, cell),
        (Held::List(kind), Cell::List(elements)) => list(py, given, kind, &elements),
        (_, Cell::Record(bytes)) => inner(py, record, given, bytes),
        (_, Cell::List(elements)) => inners(py, record, given, &elements),
        _ => Ok(py.None().into_bound(py)),
    };
    found.map_err(|fault| match fault {
        Fault::Python(error) => error,
        Fault::Beyond(class) => {
            let message = format!(
                "{}: the field {:?}: Python's {class} cannot hold what is there",
                record.class.get().layout.name(),
                given.name.bind(py).to_string_lossy(),
            );
            errors::value(py, &message)
        }
    })
}

fn object<'py>(
    py: Python<'py>,
    given: &Given,
    kind: &Type,
    cell: Cell<'_>,
) -> Result<Bound<'py, PyAny>, Fault> {
    let value = match cell {
        Cell::Null | Cell::List(_) | Cell::Record(_) => Value::Null,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Int(value) => Value::Int(value),
        Cell::Float(value) => Value::Float(value),
        Cell::Decimal(value) => Value::Decimal(value),
        Cell::Text(text) => Value::Text(text),
        Cell::Bytes(bytes) => Value::Bytes(bytes),
        Cell::Uuid(value) => Value::Uuid(value),
        Cell::Date(days) => Value::Date(days),
        Cell::Time(micros) => Value::Time(micros),
        Cell::Timestamp(micros) => {
            Value::Timestamp { micros, utc: matches!(kind, Type::Timestamp { utc: true }) }
        }
        Cell::Interval { months, days, nanos } if given.is_timedelta => {
            if months != 0 || nanos % 1_000 != 0 {
                return Err(Fault::Beyond("timedelta"));
            }
            let days = i64::from(days) + nanos.div_euclid(NANOS_PER_DAY);
            let micros = nanos.rem_euclid(NANOS_PER_DAY) / 1_000;
            let (seconds, micros) = ((micros / 1_000_000) as i32, (micros % 1_000_000) as i32);
            let days = i32::try_from(days).map_err(|_| Fault::Beyond("timedelta"))?;
            return match PyDelta::new(py, days, seconds, micros, true) {
                Ok(span) => Ok(span.into_any()),
                Err(_) => Err(Fault::Beyond("timedelta")),
            };
        }
        Cell::Interval { months, days, nanos } => Value::Interval { months, days, nanos },
    };
    value::object(py, &value)
}

fn list<'py>(
    py: Python<'py>,
    given: &Given,
    kind: &Type,
    elements: &Elements<'_>,
) -> Result<Bound<'py, PyAny>, Fault> {
    each(py, elements, |cell| object(py, given, kind, cell))
}

/// A list of what `make` makes of each element.
fn each<'py, 'a>(
    py: Python<'py>,
    elements: &Elements<'a>,
    make: impl Fn(Cell<'a>) -> Result<Bound<'py, PyAny>, Fault>,
) -> Result<Bound<'py, PyAny>, Fault> {
    let objects =
        (0..elements.len()).map(|at| make(elements.get(at).map_err(|error| broken(py, &error))?));
    // PyList wants to know how many come: collect first, for one may fail.
    let objects: Vec<_> = objects.collect::<Result<_, Fault>>()?;
    Ok(PyList::new(py, objects)?.into_any())
}

/// A record in a record, over the same memory.
fn inner<'py>(
    py: Python<'py>,
    record: &Record,
    given: &Given,
    bytes: &[u8],
) -> Result<Bound<'py, PyAny>, Fault> {
    let Some(class) = &given.class else { return Ok(py.None().into_bound(py)) };
    let whole = record.memory.bytes(py);
    let start = bytes.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    let place = start..start.wrapping_add(bytes.len());
    let part = match whole.get(place.clone()) {
        Some(_) => Part { memory: record.memory.clone_ref(py), place },
        // A default, which is elsewhere.
        None => Part::made(&PyBytes::new(py, bytes)),
    };
    Ok(made(class.bind(py), part)?)
}

fn inners<'py>(
    py: Python<'py>,
    record: &Record,
    given: &Given,
    elements: &Elements<'_>,
) -> Result<Bound<'py, PyAny>, Fault> {
    each(py, elements, |cell| match cell {
        Cell::Bytes(bytes) => inner(py, record, given, bytes),
        _ => Ok(py.None().into_bound(py)),
    })
}

/// An instance of a class of records.
pub(super) fn made<'py>(class: &Bound<'py, PyType>, part: Part) -> PyResult<Bound<'py, PyAny>> {
    class.call1((Bound::new(class.py(), part)?,))
}
