//! Frames joined, and rows that are equal.

use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use rowmill::kernels::{Join, Keep};
use rowmill::{Field, Schema, Type};

use crate::filter::detached;
use crate::frame::Frame;
use crate::text::text;
use crate::{errors, schema, value};

/// The columns by which frames are joined, as Python says them.
pub(crate) struct Keys<'a, 'py> {
    pub(crate) on: Option<&'a Bound<'py, PyAny>>,
    pub(crate) left: Option<&'a Bound<'py, PyAny>>,
    pub(crate) right: Option<&'a Bound<'py, PyAny>>,
}

impl Keys<'_, '_> {
    /// Their places on both sides.
    fn places(&self, py: Python<'_>, left: &Frame, right: &Frame) -> PyResult<Vec<(usize, usize)>> {
        let (left_names, right_names) = match (self.on, self.left, self.right) {
            (Some(on), None, None) => (names("on", on)?, names("on", on)?),
            (None, Some(left), Some(right)) => (names("left_on", left)?, names("right_on", right)?),
            _ => {
                let message = "join() takes on=, or both left_on= and right_on=";
                return Err(errors::programming(py, message));
            }
        };
        if left_names.len() != right_names.len() || left_names.is_empty() {
            let (left, right) = (left_names.len(), right_names.len());
            let message = format!(
                "join() takes as many columns of one side as of the other, not {left} and {right}"
            );
            return Err(errors::programming(py, &message));
        }
        let pairs = left_names.iter().zip(&right_names);
        pairs
            .map(|(a, b)| Ok((place(py, left, a, "")?, place(py, right, b, "the other frame: ")?)))
            .collect()
    }
}

/// A name, or several.
fn names(argument: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let wrong = |given: &Bound<'_, PyAny>| {
        let class = value::class_name(given);
        PyTypeError::new_err(format!(
            "{argument} is a column's name or a list of names, not {class}"
        ))
    };
    if let Ok(name) = given.cast::<PyString>() {
        return Ok(vec![text(name)?.into_owned()]);
    }
    if !given.is_instance_of::<PyList>() && !given.is_instance_of::<PyTuple>() {
        return Err(wrong(given));
    }
    let mut found = Vec::new();
    for name in given.try_iter()? {
        let name = name?;
        found.push(text(name.cast::<PyString>().map_err(|_| wrong(&name))?)?.into_owned());
    }
    Ok(found)
}

fn place(py: Python<'_>, frame: &Frame, name: &str, whose: &str) -> PyResult<usize> {
    let known = frame.batch.schema();
    match known.position(name) {
        Some(at) => Ok(at),
        None => Err(PyKeyError::new_err(format!("{whose}{}", schema::missing(py, known, name)?))),
    }
}

/// `Frame.join`.
pub(crate) fn join(
    py: Python<'_>,
    left: &Frame,
    right: &Frame,
    keys: &Keys<'_, '_>,
    how: &str,
    suffix: &str,
) -> PyResult<Frame> {
    let join = match how {
        "inner" => Join::Inner,
        "left" => Join::Left,
        "semi" => Join::Semi,
        "anti" => Join::Anti,
        other => {
            let hint = match other {
                "right" => ": join the other frame with this one",
                "outer" | "full" | "cross" => ": ask the database, or frame.to_polars()",
                _ => "",
            };
            let message =
                format!("how is \"inner\", \"left\", \"semi\" or \"anti\", not {other:?}{hint}");
            return Err(errors::programming(py, &message));
        }
    };
    let keys = keys.places(py, left, right)?;
    for &(a, b) in &keys {
        let (a, b) = (&left.batch.schema().fields[a], &right.batch.schema().fields[b]);
        let is_whole = |field: &Field| {
            use Type as T;
            let kind = &field.kind;
            matches!(kind, T::Int8 | T::Int16 | T::Int32 | T::Int64)
                || matches!(kind, T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64)
        };
        if a.kind != b.kind && !(is_whole(a) && is_whole(b)) {
            let message = format!(
                "{:?} is {}, and {:?} of the other frame {}, which are never equal: cast one of them, as in \
                 .select(..., {}=rm.col({:?}).cast(...))",
                a.name, a.kind, b.name, b.kind, a.name, a.name
            );
            return Err(errors::programming(py, &message));
        }
    }
    let mut fields = left.batch.schema().fields.clone();
    let mut wanted = Vec::new();
    if matches!(join, Join::Inner | Join::Left) {
        for (at, field) in right.batch.schema().fields.iter().enumerate() {
            if keys.iter().any(|&(_, key)| key == at) {
                continue;
            }
            let is_taken = |name: &str| fields.iter().any(|field| *field.name == *name);
            let mut field = field.clone();
            if is_taken(&field.name) {
                let name = format!("{}{suffix}", field.name);
                if is_taken(&name) {
                    let message = format!(
                        "both frames have a column {:?}, and there is a column {name:?} already: give another suffix=",
                        field.name
                    );
                    return Err(errors::programming(py, &message));
                }
                field.name = name.into();
            }
            fields.push(field);
            wanted.push(at);
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let large = if left.batch.reach() < right.batch.reach() { right } else { left };
    let joined =
        detached(py, &large.batch, || left.batch.join(&right.batch, &keys, join, &schema, &wanted));
    joined.map(Frame::from).map_err(|error| errors::columns(py, &error))
}

/// `Frame.unique`.
pub(crate) fn unique(frame: &Frame, keys: &Bound<'_, PyTuple>, keep: &str) -> PyResult<Frame> {
    let py = keys.py();
    let keep = match keep {
        "first" => Keep::First,
        "last" => Keep::Last,
        "none" => Keep::Alone,
        other => {
            let message = format!("keep is \"first\", \"last\" or \"none\", not {other:?}");
            return Err(errors::programming(py, &message));
        }
    };
    let mut places = Vec::with_capacity(keys.len());
    for key in keys.iter_borrowed() {
        let Ok(name) = key.cast::<PyString>() else {
            let class = value::class_name(&key);
            let message = format!(
                "unique() takes names of columns, not {class}: write unique(\"id\", \"name\")"
            );
            return Err(PyTypeError::new_err(message));
        };
        places.push(frame.column_at(&name)?);
    }
    if places.is_empty() {
        places = (0..frame.batch.width()).collect();
    }
    let found = detached(py, &frame.batch, || frame.batch.unique(&places, keep));
    found.map(Frame::from).map_err(|error| errors::columns(py, &error))
}
