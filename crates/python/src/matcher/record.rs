use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyType};
use rowmill::expr::{Expr, ExprError, Kind};
use rowmill::matcher::{Attributes, Record};
use rowmill::{Batch, Scalar, Type, Value};

use crate::frame::Frame;
use crate::parameter::{Place, json, scalar};
use crate::query::raised;
use crate::row::Row;
use crate::text::text;
use crate::{errors, infer, value};

/// Fills a record from whatever one is given as.
pub(super) fn of(
    record: &mut Record,
    names: &[Py<PyString>],
    given: &Bound<'_, PyAny>,
    ignores_unknown: bool,
) -> PyResult<()> {
    if let Ok(dict) = given.cast::<PyDict>() {
        return fill(record, names, dict, ignores_unknown);
    }
    let set = |record: &mut Record, json: &[u8]| {
        record.set_json(json, ignores_unknown).map_err(|error| wrong(given.py(), &error))
    };
    if let Ok(json) = given.cast::<PyBytes>() {
        return set(record, json.as_bytes());
    }
    if let Ok(json) = given.cast::<PyString>() {
        return set(record, text(json)?.as_bytes());
    }
    if let Ok(row) = given.cast::<Row>()
        && set_each(record, row, ignores_unknown)?
    {
        return Ok(());
    }
    if is_frame(given)? {
        let message =
            "a frame has many records: match_batch() takes it, and match() one of its rows";
        return Err(PyTypeError::new_err(message));
    }
    if let Some(dict) = infer::record(given)? {
        return fill(record, names, &dict, ignores_unknown);
    }
    let class = value::class_name(given);
    Err(PyTypeError::new_err(format!(
        "a record is a dict, a dataclass, a named tuple, a Row, or JSON in bytes or a str, not {class}"
    )))
}

/// Whether it is a frame, of whatever library.
pub(super) fn is_frame(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_class = given.is_instance_of::<PyType>();
    Ok(!is_class && (given.is_instance_of::<Frame>() || given.hasattr("__arrow_c_stream__")?))
}

/// Sets what a row has: false where that is known to Python alone.
fn set_each(record: &mut Record, row: &Bound<'_, Row>, ignores_unknown: bool) -> PyResult<bool> {
    let (py, mut next) = (row.py(), 0);
    row.get().each(|name, value| match record.attributes().number_from(next, name) {
        Some(attribute) => {
            next = attribute + 1;
            record.set_cell(attribute, value).map_err(|error| wrong(py, &error))
        }
        None if ignores_unknown => Ok(()),
        None => Err(errors::programming(py, &record.attributes().unknown(name))),
    })
}

/// What is wrong with a record: a name that is not declared is a mistake of the program, a value one in the data.
fn wrong(py: Python<'_>, error: &ExprError) -> PyErr {
    let told = if error.names_nothing() { errors::programming } else { errors::value };
    told(py, &error.to_string())
}

/// Fills a record from a dict.
pub(super) fn fill(
    record: &mut Record,
    names: &[Py<PyString>],
    dict: &Bound<'_, PyDict>,
    ignores_unknown: bool,
) -> PyResult<()> {
    let py = dict.py();
    let mut found = 0;
    for (at, name) in names.iter().enumerate() {
        if let Some(value) = dict.get_item(name.bind(py))? {
            found += 1;
            set(record, at, &value)?;
        }
    }
    if found < dict.len() && !ignores_unknown {
        for name in dict.keys() {
            let Ok(name) = name.cast::<PyString>() else {
                let shown = value::repr(&name)?;
                return Err(PyTypeError::new_err(format!(
                    "an attribute's name is a str, not {shown}"
                )));
            };
            let name = text(name)?;
            if record.attributes().number(&name).is_none() {
                return Err(errors::programming(py, &record.attributes().unknown(&name)));
            }
        }
    }
    Ok(())
}

/// What a dict sets, to be kept: the attributes, and their values as JSON.
pub(super) fn kept(
    record: &Record,
    names: &[Py<PyString>],
    dict: &Bound<'_, PyDict>,
) -> PyResult<Vec<(usize, String)>> {
    let mut kept = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(value) = dict.get_item(name)? {
            let value = if value.is_none() { Scalar::Null } else { general(record, at, &value)? };
            let value = match value {
                Scalar::Text(text) if is_json(record, at) => Scalar::Json(text),
                value => value,
            };
            let json = Expr::literal(value).to_json();
            kept.push((at, json.map_err(|error| raised(dict.py(), &error))?));
        }
    }
    Ok(kept)
}

#[inline]
fn set(record: &mut Record, at: usize, given: &Bound<'_, PyAny>) -> PyResult<()> {
    let done = if is_json(record, at) && !given.is_none() {
        match general(record, at, given)? {
            Scalar::Text(text) => record.set_json_text(at, &text),
            json => record.set_scalar(at, &json),
        }
    } else if let Ok(given) = given.cast_exact::<PyString>()
        && let Ok(text) = given.to_str()
    {
        record.set_text(at, text)
    } else if given.is_exact_instance_of::<PyInt>()
        && let Ok(number) = given.extract()
    {
        record.set_int(at, number)
    } else if let Ok(float) = given.cast_exact::<PyFloat>() {
        record.set_float(at, float.value())
    } else if let Ok(flag) = given.cast_exact::<PyBool>() {
        record.set_bool(at, flag.is_true())
    } else if given.is_none() {
        record.set_null(at);
        Ok(())
    } else if let Ok(list) = given.cast_exact::<PyList>() {
        let held = texts(list);
        // One with a surrogate is told of by the other way.
        let held: Option<Vec<&str>> =
            held.iter().flatten().map(|text| text.to_str().ok()).collect();
        match held.filter(|held| held.len() == list.len()) {
            Some(texts) => record.set_list(at, texts.into_iter().map(Value::Text)),
            None => record.set_scalar(at, &general(record, at, given)?),
        }
    } else {
        record.set_scalar(at, &general(record, at, given)?)
    };
    done.map_err(|error| wrong(given.py(), &error))
}

fn is_json(record: &Record, at: usize) -> bool {
    record.attributes().schema().fields[at].kind == Type::Json
}

/// The texts of a list that holds nothing else.
fn texts<'py>(list: &Bound<'py, PyList>) -> Option<Vec<Bound<'py, PyString>>> {
    list.iter().map(|element| element.cast_into_exact().ok()).collect()
}

/// What has no quicker way; JSON that is given as text is that text.
#[cold]
fn general(record: &Record, at: usize, given: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    let field = &record.attributes().schema().fields[at];
    let place = Place::Attribute(&field.name, Kind::of(&field.kind));
    let read = match given.cast::<PyString>() {
        Err(_) if field.kind == Type::Json => json(given, place),
        _ => scalar(given, place),
    };
    read.map_err(|error| errors::as_value(given.py(), error))
}

/// The attributes that a batch's columns are: pairs of places.
pub(super) fn columns(
    py: Python<'_>,
    attributes: &Attributes,
    batch: &Batch,
    ignores_unknown: bool,
) -> PyResult<Vec<(usize, usize)>> {
    let mut columns = Vec::new();
    for (at, field) in batch.schema().fields.iter().enumerate() {
        match attributes.number(&field.name) {
            Some(attribute) => columns.push((at, attribute)),
            None if ignores_unknown => {}
            None => return Err(errors::programming(py, &attributes.unknown(&field.name))),
        }
    }
    Ok(columns)
}

/// Sets what a row of a batch has; the attributes of which it has nothing stay as they are.
pub(super) fn set_row(
    record: &mut Record,
    batch: &Batch,
    row: usize,
    columns: &[(usize, usize)],
) -> Result<(), ExprError> {
    for &(column, attribute) in columns {
        record.set_cell(attribute, &batch.value(column, row))?;
    }
    Ok(())
}
