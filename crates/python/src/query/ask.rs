use std::borrow::Cow;
use std::sync::Arc;

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use rowmill::expr::query::Query;
use rowmill::expr::sql::{Bound as Values, compile};
use rowmill::{Arguments, Ask, Scalar, Value};

use super::dialect::Spelling;
use super::source::source_of;
use super::{Call, Delete, Insert, Prepared, Raw, Select, Update, raised};
use crate::blocking::arguments;
use crate::frame::Frame;
use crate::{errors, value};

/// What a verb was given to run.
pub(crate) enum Asked<'a> {
    Sql(Cow<'a, str>, Arguments),
    Query(Query, Vec<Scalar>),
}

impl<'a> Asked<'a> {
    pub(crate) fn into_ask(self) -> Ask<'a> {
        match self {
            Self::Sql(text, arguments) => Ask::Sql(text, arguments),
            Self::Query(query, given) => Ask::Query(query, given),
        }
    }
}

/// SQL with its parameters, or a query.
///
/// # Errors
/// `TypeError` for anything else; `ProgrammingError` for parameters beside a query.
pub(crate) fn asked<'a>(
    sql: &'a Bound<'_, PyAny>,
    parameters: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<Asked<'a>> {
    if let Ok(text) = sql.cast::<PyString>() {
        let text = crate::text::text(text)?;
        let arguments = arguments(parameters, named, &text)?;
        return Ok(Asked::Sql(text, arguments));
    }
    let beside = || {
        let message = "a query holds its values: parameters are given beside SQL alone";
        errors::programming(sql.py(), message)
    };
    let values = !parameters.is_empty() || named.is_some_and(|named| !named.is_empty());
    let Some(query) = query(sql) else {
        if let Ok(call) = sql.cast::<Call>() {
            if values {
                return Err(beside());
            }
            let Call { query, given } = call.get();
            return Ok(Asked::Query(query.clone(), given.clone()));
        }
        let given = match source_of(sql)? {
            Some(_) => "a table by itself".into(),
            None if sql.is_instance_of::<Prepared>() => {
                "a function under rm.query by itself: call it with its values".into()
            }
            None => value::class_name(sql),
        };
        let message = format!("takes SQL as a str, or a query as of rm.select(), not {given}");
        return Err(PyTypeError::new_err(message));
    };
    if sql.cast::<Select>().is_ok_and(|select| select.get().has_edges()) {
        let message = "a query with edges runs by fetch(), fetch_one() and fetch_json() alone";
        return Err(errors::programming(sql.py(), message));
    }
    if values {
        return Err(beside());
    }
    Ok(Asked::Query(query, Vec::new()))
}

/// The SQL that runs once for each row of parameters.
///
/// # Errors
/// `TypeError` for anything but SQL.
pub(crate) fn statement<'a>(sql: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, str>> {
    if let Ok(text) = sql.cast::<PyString>() {
        return crate::text::text(text);
    }
    let way = match sql.cast::<Insert>() {
        Ok(_) => {
            "; all rows go into one insert, execute(rm.insert(T).values(rows)), or faster by load()"
        }
        Err(_) if query(sql).is_some() || sql.is_instance_of::<Call>() => {
            "; a query holds its values: execute() runs it"
        }
        Err(_) => "",
    };
    let class = value::class_name(sql);
    let message = format!("execute_many() takes SQL as a str, not {class}{way}");
    Err(PyTypeError::new_err(message))
}

/// The rows of a query with edges, and under each what belongs to it; `None` where it has none.
pub(crate) fn nested<'py>(
    on: &Bound<'py, PyAny>,
    sql: &Bound<'py, PyAny>,
    first: bool,
    timeout: Option<f64>,
) -> PyResult<Option<Bound<'py, Frame>>> {
    match sql.cast::<Select>() {
        Ok(select) if select.get().has_edges() => {
            let prefetch = on.py().import(pyo3::intern!(on.py(), "rowmill._prefetch"))?;
            let frame = prefetch.call_method1("nested", (on, sql, first, timeout))?;
            Ok(Some(frame.cast_into()?))
        }
        _ => Ok(None),
    }
}

/// The query that an object is.
pub(crate) fn query(object: &Bound<'_, PyAny>) -> Option<Query> {
    if let Ok(select) = object.cast::<Select>() {
        return Some(Query::Select(Arc::clone(&select.get().query)));
    }
    if let Ok(insert) = object.cast::<Insert>() {
        return Some(Query::Insert(Arc::clone(&insert.get().0)));
    }
    if let Ok(update) = object.cast::<Update>() {
        return Some(Query::Update(Arc::clone(&update.get().0)));
    }
    if let Ok(delete) = object.cast::<Delete>() {
        return Some(Query::Delete(Arc::clone(&delete.get().0)));
    }
    object.cast::<Raw>().ok().map(|raw| Query::Raw(raw.get().0.clone()))
}

/// The SQL of a query in a dialect, and its parameters.
pub(crate) fn text<'py>(
    py: Python<'py>,
    query: &Query,
    given: &[Scalar],
    dialect: Spelling,
) -> PyResult<Bound<'py, PyTuple>> {
    let bound = Values::of(query);
    let sql = compile(query, &bound, dialect.0).map_err(|error| raised(py, &error))?;
    let values = sql.values(&bound, given).map_err(|error| raised(py, &error))?;
    let values = values.iter().map(|value| object(py, value)).collect::<PyResult<Vec<_>>>()?;
    (&*sql.text, PyList::new(py, values)?).into_pyobject(py)
}

/// The plan that a database, or a transaction, has for a query.
///
/// # Errors
/// `TypeError` for what is neither.
pub(crate) fn explained<'py>(
    query: &Bound<'py, PyAny>,
    on: &Bound<'py, PyAny>,
    analyze: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = query.py();
    if on.is_instance_of::<PyType>() || !on.hasattr(pyo3::intern!(py, "_dialect"))? {
        let class = value::class_name(on);
        let message = format!("explain() takes a database or a transaction, not {class}");
        return Err(PyTypeError::new_err(message));
    }
    let named = PyDict::new(py);
    named.set_item("analyze", analyze)?;
    on.call_method("explain", (query,), Some(&named))
}

/// The SQL of a query without its values.
pub(crate) fn spelled(py: Python<'_>, query: &Query, dialect: Spelling) -> PyResult<String> {
    let sql = compile(query, &Values::of(query), dialect.0);
    sql.map(|sql| sql.text.to_string()).map_err(|error| raised(py, &error))
}

/// A parameter's value as a Python object.
fn object<'py>(py: Python<'py>, scalar: &Scalar) -> PyResult<Bound<'py, PyAny>> {
    let value = match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Int(*value),
        Scalar::Float(value) => Value::Float(*value),
        Scalar::Text(value) | Scalar::Json(value) => Value::Text(value),
        Scalar::Bytes(value) => Value::Bytes(value),
        Scalar::Uuid(value) => Value::Uuid(*value),
        Scalar::Date(days) => Value::Date(*days),
        Scalar::Time(micros) | Scalar::TimeTz { micros, .. } => Value::Time(*micros),
        Scalar::Timestamp { micros, utc } => Value::Timestamp { micros: *micros, utc: *utc },
        Scalar::Interval { months, days, micros } => {
            Value::Interval { months: *months, days: *days, nanos: micros.saturating_mul(1_000) }
        }
        Scalar::Decimal(text) => return py.import("decimal")?.getattr("Decimal")?.call1((text,)),
        Scalar::List(values) => {
            let values =
                values.each().map(|value| object(py, &value)).collect::<PyResult<Vec<_>>>()?;
            return PyList::new(py, values)?.into_bound_py_any(py);
        }
        Scalar::Struct(fields) => {
            let dict = PyDict::new(py);
            for (name, value) in fields {
                dict.set_item(name, object(py, value)?)?;
            }
            return dict.into_bound_py_any(py);
        }
    };
    value::object(py, &value).map_err(|fault| match fault {
        value::Fault::Python(error) => error,
        value::Fault::Beyond(class) => {
            errors::data(py, &format!("Python's {class} cannot hold {value}"), "give it as text")
        }
    })
}
