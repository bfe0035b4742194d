//! Frames joined, and rows that are equal.

use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use rowmill::kernels::{Join, Keep, comparable};
use rowmill::{ColumnError, Field, Schema, Type};

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
    for (frame, whose) in [(left, "this"), (right, "the other")] {
        if let Some(field) = frame.batch.schema().repeated() {
            let name = &field.name;
            let message = format!(
                "{whose} frame has several columns {name:?}: name them apart with AS in the query"
            );
            return Err(errors::programming(py, &message));
        }
    }
    for &(a, b) in &keys {
        let (a, b) = (&left.batch.schema().fields[a], &right.batch.schema().fields[b]);
        if !comparable(&a.kind, &b.kind) {
            let is_number = |field: &Field| {
                matches!(field.kind, Type::Float32 | Type::Float64)
                    || comparable(&field.kind, &Type::Int64)
            };
            let way = if is_number(a) && is_number(b) {
                ": cast one of them in a select, with .cast(\"float\")"
            } else {
                ": make them of one type before"
            };
            let message = format!(
                "{:?} is {}, and {:?} of the other frame {}, which are not compared{way}",
                a.name, a.kind, b.name, b.kind
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
    let work = || {
        let joined = left.batch.join(&right.batch, &keys, join, &schema, &wanted)?;
        rowmill::filter::copy_few(&joined);
        Ok(joined)
    };
    let large = if left.batch.reach() < right.batch.reach() { right } else { left };
    // Two small frames may have many pairs.
    let joined = if left.batch.rows().saturating_mul(right.batch.rows()) < MANY_PAIRS {
        detached(py, &large.batch, work)
    } else {
        py.detach(work)
    };
    joined.map(Frame::from).map_err(|error: ColumnError| errors::columns(py, &error))
}

/// Pairs that take longer than it takes to let other Python threads run.
const MANY_PAIRS: usize = 1 << 18;

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
    let found = detached(py, &frame.batch, || {
        let found = frame.batch.unique(&places, keep)?;
        rowmill::filter::copy_few(&found);
        Ok(found)
    });
    found.map(Frame::from).map_err(|error: ColumnError| errors::columns(py, &error))
}
