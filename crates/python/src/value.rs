//! A cell as a Python object, made when it is asked for.

use pyo3::IntoPyObjectExt as _;
use pyo3::PyTypeInfo as _;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTime, PyTuple,
    PyType, PyTzInfo,
};
use rowmill::text::civil_from_days;
use rowmill::{Batch, StructValue, Type, Value};

use crate::errors;

/// 0001-01-01 and 9999-12-31 in days since 1970: what `datetime.date` can hold.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Why a value has no Python object.
pub(crate) enum Fault {
    /// Python itself failed.
    Python(PyErr),
    /// The value is beyond what the Python type holds; the word says which type.
    Beyond(&'static str),
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// One cell of a batch.
///
/// # Errors
/// `DataError` naming column and row where Python's type cannot hold the value.
pub(crate) fn cell<'py>(
    py: Python<'py>,
    batch: &Batch,
    column: usize,
    row: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let field = &batch.schema().fields[column];
    let value = batch.column(column).value(&field.kind, row);
    object(py, &value).map_err(|fault| match fault {
        Fault::Python(error) => error,
        Fault::Beyond(class) => {
            let value = batch.column(column).value(&field.kind, row);
            let message = format!(
                "column {:?}, row {row}: Python's {class} cannot hold {value} ({})",
                field.name, field.kind
            );
            let hint = "cast the column to text in the query, or read it by to_arrow()";
            errors::data(py, &message, hint)
        }
    })
}

/// One cell of a row; None where it has no such column.
///
/// # Errors
/// As of [`cell`].
pub(crate) fn of_row<'py>(
    py: Python<'py>,
    row: &rowmill::Row,
    column: usize,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some((batch, index)) = row.view()
        && column < row.len()
    {
        return cell(py, batch, column, index);
    }
    let value = row.value(column).unwrap_or(Value::Null);
    object(py, &value).map_err(|fault| match fault {
        Fault::Python(error) => error,
        Fault::Beyond(class) => {
            let name = row.name(column).unwrap_or_default();
            let kind = row.kind(column).map_or_else(String::new, |kind| format!(" ({kind})"));
            let message = format!("column {name:?}: Python's {class} cannot hold {value}{kind}");
            errors::data(py, &message, "cast the column to text in the query")
        }
    })
}

/// A value as a Python object.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value<'_>) -> Result<Bound<'py, PyAny>, Fault> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Int(value) => PyInt::new(py, *value).into_any(),
        Value::UInt(value) => PyInt::new(py, *value).into_any(),
        Value::Float(value) => PyFloat::new(py, *value).into_any(),
        Value::Float32(value) => PyFloat::new(py, f64::from(*value)).into_any(),
        Value::Text(value) | Value::Json(value) => PyString::new(py, value).into_any(),
        Value::Bytes(value) => PyBytes::new(py, value).into_any(),
        Value::Decimal(value) => decimal(py)?.call1((value.to_string(),))?,
        Value::Uuid(value) => {
            let named = PyDict::new(py);
            named.set_item(pyo3::intern!(py, "int"), u128::from_be_bytes(*value))?;
            uuid(py)?.call((), Some(&named))?
        }
        Value::Date(days) => {
            if !DAYS.contains(days) {
                return Err(Fault::Beyond("date"));
            }
            let (year, month, day) = civil_from_days(*days);
            PyDate::new(py, year, month as u8, day as u8)?.into_any()
        }
        Value::Time(micros) => {
            // 24:00:00 is a time in PostgreSQL, and none in Python.
            if !(0..MICROS_PER_DAY).contains(micros) {
                return Err(Fault::Beyond("time"));
            }
            let (hour, minute, second, micro) = clock(*micros);
            PyTime::new(py, hour, minute, second, micro, None)?.into_any()
        }
        Value::Timestamp { micros, utc } => {
            // 2^63 microseconds are 107 million days.
            let days = micros.div_euclid(MICROS_PER_DAY) as i32;
            if !DAYS.contains(&days) {
                return Err(Fault::Beyond("datetime"));
            }
            moment(py, days, micros.rem_euclid(MICROS_PER_DAY), *utc)?
        }
        Value::Interval { months, days, nanos } => {
            if nanos % 1_000 != 0 {
                return Err(Fault::Beyond("Interval"));
            }
            interval(py)?.call1((*months, *days, nanos / 1_000))?
        }
        Value::List(list) => {
            let elements: Vec<_> =
                list.iter().map(|value| object(py, &value)).collect::<Result<_, _>>()?;
            PyList::new(py, elements)?.into_any()
        }
        Value::Struct(fields) if is_range(fields) => {
            let [lower, upper, bounds] = [0, 1, 2].map(|at| object(py, &fields.get(at)));
            range(py)?.call1((lower?, upper?, bounds?))?
        }
        Value::Struct(fields) => dict(py, fields.iter())?,
        Value::Map(entries) => dict(py, entries.iter())?,
        Value::Foreign(_) => return Err(Fault::Beyond("datetime")),
    })
}

fn dict<'py, 'a>(
    py: Python<'py>,
    fields: impl Iterator<Item = (&'a str, Value<'a>)>,
) -> Result<Bound<'py, PyAny>, Fault> {
    let dict = PyDict::new(py);
    for (name, value) in fields {
        dict.set_item(name, object(py, &value)?)?;
    }
    Ok(dict.into_any())
}

/// Whether these are the fields that a range has: no extension type says it, for most libraries warn
/// of those they do not know.
fn is_range(fields: &StructValue<'_>) -> bool {
    let names = ["lower", "upper", "bounds"];
    fields.len() == names.len()
        && names.iter().enumerate().all(|(at, name)| fields.name(at) == *name)
        && matches!(fields.get(2), Value::Text("[)" | "[]" | "(]" | "()" | "empty"))
}

/// The sequence of one column's values, `rows` of it.
pub(crate) fn list<'py>(
    py: Python<'py>,
    batch: &Batch,
    column: usize,
) -> PyResult<Bound<'py, PyList>> {
    // PyList wants to know how many come: collect first, for a cell may fail.
    PyList::new(py, objects(py, batch, column)?)
}

/// The values of one column. Which type it is of is asked once for the commonest.
fn objects<'py>(py: Python<'py>, batch: &Batch, at: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let (column, rows) = (batch.column(at), batch.rows());
    let none = || py.None().into_bound(py);
    let nulls = column.null_count() > 0;
    let is_null = |row: usize| nulls && column.is_null(row);
    match (&batch.schema().fields[at].kind, column.fixed_bytes(), column.variable_bytes()) {
        (Type::Int64, Some(bytes), _) => {
            let values =
                bytes.as_chunks().0.iter().map(|bytes| i64::from_ne_bytes(*bytes)).enumerate();
            let object =
                |(row, value)| if is_null(row) { none() } else { PyInt::new(py, value).into_any() };
            Ok(values.map(object).collect())
        }
        (Type::Int32, Some(bytes), _) => {
            let values =
                bytes.as_chunks().0.iter().map(|bytes| i32::from_ne_bytes(*bytes)).enumerate();
            let object =
                |(row, value)| if is_null(row) { none() } else { PyInt::new(py, value).into_any() };
            Ok(values.map(object).collect())
        }
        (Type::Float64, Some(bytes), _) => {
            let values =
                bytes.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes)).enumerate();
            let object = |(row, value)| {
                if is_null(row) { none() } else { PyFloat::new(py, value).into_any() }
            };
            Ok(values.map(object).collect())
        }
        (Type::Text, _, Some((ends, bytes))) => {
            let text = |row: usize| {
                let (from, to) = (ends[row] as usize, ends[row + 1] as usize);
                match std::str::from_utf8(&bytes[from..to]) {
                    Ok(text) if !is_null(row) => PyString::new(py, text).into_any(),
                    _ => none(),
                }
            };
            Ok((0..rows).map(text).collect())
        }
        _ => (0..rows).map(|row| cell(py, batch, at, row)).collect(),
    }
}

/// The rows, each as the tuple of its values.
pub(crate) fn tuples<'py>(py: Python<'py>, batch: &Batch) -> PyResult<Bound<'py, PyList>> {
    let columns = (0..batch.width()).map(|at| objects(py, batch, at).map(Vec::into_iter));
    let mut columns = columns.collect::<PyResult<Vec<_>>>()?;
    let mut rows = Vec::with_capacity(batch.rows());
    for _ in 0..batch.rows() {
        let row = columns
            .iter_mut()
            .map(|column| column.next().unwrap_or_else(|| py.None().into_bound(py)));
        rows.push(PyTuple::new(py, row)?);
    }
    PyList::new(py, rows)
}

/// The classes that are not always loaded, each imported when its first value is met.
macro_rules! imported {
    ($($(#[$doc:meta])* $name:ident = $module:literal . $class:literal;)+) => {$(
        $(#[$doc])*
        pub(crate) fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, $module, $class)
        }
    )+};
}
imported! {
    /// `decimal.Decimal`.
    decimal = "decimal"."Decimal";
    /// `uuid.UUID`.
    uuid = "uuid"."UUID";
    /// `rowmill.Interval`.
    interval = "rowmill._interval"."Interval";
    /// `rowmill.Range`.
    range = "rowmill._range"."Range";
    /// `enum.Enum`.
    enumeration = "enum"."Enum";
}

/// Hour, minute, second and microsecond of microseconds since midnight.
/// A datetime, by the ten bytes that it pickles as: half the time of seven numbers, each an object.
fn moment(py: Python<'_>, days: i32, micros: i64, utc: bool) -> PyResult<Bound<'_, PyAny>> {
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second, micro) = clock(micros);
    let [high, low] = (year as u16).to_be_bytes();
    let [_, micro_high, micro_mid, micro_low] = micro.to_be_bytes();
    let state =
        [high, low, month as u8, day as u8, hour, minute, second, micro_high, micro_mid, micro_low];
    let state = PyBytes::new(py, &state);
    let class = PyDateTime::type_object(py);
    if utc { class.call1((state, PyTzInfo::utc(py)?)) } else { class.call1((state,)) }
}

fn clock(micros: i64) -> (u8, u8, u8, u32) {
    let seconds = micros / MICROS_PER_SECOND;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    (hour as u8, minute as u8, second as u8, (micros % MICROS_PER_SECOND) as u32)
}

/// An object's class as people name it: `int`, `datetime.timedelta`, `numpy.ndarray`.
pub(crate) fn class_name(value: &Bound<'_, PyAny>) -> String {
    let class = value.get_type();
    let name = class.qualname().map_or_else(|_| "object".into(), |name| name.to_string());
    match class.module() {
        Ok(module) if module != "builtins" => format!("{module}.{name}"),
        _ => name,
    }
}

/// Python's own text of a value.
pub(crate) fn repr(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(value.repr()?.to_cow()?.into_owned())
}

/// What `into_bound_py_any` gives, so that callers need not import the trait.
pub(crate) fn any<'py>(
    py: Python<'py>,
    value: impl IntoPyObject<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    value.into_bound_py_any(py)
}
