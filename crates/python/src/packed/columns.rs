//! Many records as a frame, and a frame as records.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyType};
use rowmill::{Batch, Field, Schema, Type, Value};

use super::class::{self, PackedClass, broken};
use super::memory::{Memory, Part};
use super::read;
use super::record::Record;
use crate::column::Column;
use crate::frame::Frame;
use crate::{errors, value};

/// The records of a column or of a list as a frame.
pub(crate) fn from_packed(
    records: &Bound<'_, PyAny>,
    class: Option<&Bound<'_, PyType>>,
    columns: Option<Vec<Bound<'_, PyString>>>,
) -> PyResult<Frame> {
    let py = records.py();
    if let Ok(column) = records.cast::<Column>() {
        let class = class.map(class::of).ok_or_else(no_class)??;
        let (batch, wanted) = (&column.get().batch, wanted(class.get(), columns)?);
        let cells = cells(column.get())?;
        let layout = &class.get().layout;
        let found = py.detach(|| layout.columns((0..batch.rows()).map(cells), &wanted));
        return found.map(Frame::from).map_err(|error| broken(py, &error));
    }
    // Whoever has the list may change it meanwhile: its elements are held here.
    let held = records.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let class = match class {
        Some(class) => class::of(class)?,
        None => {
            let mut found = held.iter().filter_map(|record| record.cast::<Record>().ok());
            found.next().ok_or_else(no_class)?.get().class.bind(py).clone()
        }
    };
    let wanted = wanted(class.get(), columns)?;
    let mut parts = Vec::new();
    let mut bytes = Vec::with_capacity(held.len());
    for (at, record) in held.iter().enumerate() {
        bytes.push(match record.cast::<Record>() {
            Ok(record) if record.get().class.is(&class) => Given::Record(record.get()),
            Ok(_) => {
                let (own, other) = (class.get().layout.name(), value::class_name(record));
                return Err(PyTypeError::new_err(format!("record {at} is a {other}, not a {own}")));
            }
            Err(_) if record.is_none() => Given::Null,
            Err(_) => {
                parts.push(Part::of(record)?);
                Given::Part(parts.len() - 1)
            }
        });
    }
    let slices: Vec<Option<&[u8]>> = bytes
        .iter()
        .map(|given| match given {
            Given::Record(record) => Some(record.bytes(py)),
            Given::Part(at) => Some(&parts[*at].memory.bytes(py)[parts[*at].place.clone()]),
            Given::Null => None,
        })
        .collect();
    let layout = &class.get().layout;
    let found = py.detach(|| layout.columns(slices.iter().copied(), &wanted));
    found.map(Frame::from).map_err(|error| broken(py, &error))
}

/// Where the bytes of an element of a list are.
enum Given<'a> {
    Record(&'a Record),
    Part(usize),
    Null,
}

fn no_class() -> PyErr {
    PyTypeError::new_err("bytes do not say of which class they are: from_packed(records, cls)")
}

/// The fields that become columns, by their numbers.
fn wanted(class: &PackedClass, columns: Option<Vec<Bound<'_, PyString>>>) -> PyResult<Vec<usize>> {
    let fields = class.layout.fields();
    let Some(columns) = columns else {
        let own = fields.iter().enumerate().filter(|(_, field)| !field.is_removed);
        return Ok(own.map(|(at, _)| at).collect());
    };
    let places = columns.iter().map(|name| {
        let text = name.to_cow()?;
        let at = fields.iter().position(|field| *field.name == *text && !field.is_removed);
        at.ok_or_else(|| {
            let message = format!("{} has no field {text:?}", class.layout.name());
            errors::programming(name.py(), &message)
        })
    });
    places.collect()
}

/// The bytes of each row of a column.
fn cells<'a>(column: &'a Column) -> PyResult<impl Fn(usize) -> Option<&'a [u8]> + Send + use<'a>> {
    let Field { name, kind } = column.field();
    if !matches!(kind.meaning(), Type::Bytes) {
        return Err(PyTypeError::new_err(format!(
            "packed records are in a column of bytes, and {name:?} is {kind}"
        )));
    }
    let batch = &column.batch;
    Ok(move |row| match batch.value(0, row) {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    })
}

/// A column of the records of rows.
pub(crate) fn to_packed(frame: &Frame, class: &Bound<'_, PyType>) -> PyResult<Column> {
    let py = class.py();
    let class = class::of(class)?;
    let layout = &class.get().layout;
    let rows = frame.batch.rows();
    let column = py.detach(|| layout.pack(&frame.batch)).map_err(|error| broken(py, &error))?;
    let schema = Schema::new(vec![Field::new(layout.name(), Type::Bytes)]);
    Ok(Column { batch: Batch::new(Arc::new(schema), vec![column], rows) })
}

/// Instances over the memory of a column, or of what a list has.
pub(super) fn open_all<'py>(
    class: &Bound<'py, PyType>,
    records: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = class.py();
    let none = || py.None().into_bound(py);
    let Ok(column) = records.cast::<Column>() else {
        let opened = records.try_iter()?.map(|record| match record? {
            record if record.is_none() => Ok(none()),
            record => class.call1((record,)),
        });
        return PyList::new(py, opened.collect::<PyResult<Vec<_>>>()?);
    };
    let column = column.get();
    let cells = cells(column)?;
    let data = column.data();
    let mut opened = Vec::with_capacity(column.batch.rows());
    for row in 0..column.batch.rows() {
        opened.push(match (cells(row), data.variable_bytes()) {
            (None, _) => none(),
            (Some(_), Some((ends, _))) => {
                let place = ends[row] as usize..ends[row + 1] as usize;
                read::made(class, Part { memory: Memory::Column(data.clone()), place })?
            }
            // Of another layout, as some libraries have bytes.
            (Some(bytes), None) => class.call1((pyo3::types::PyBytes::new(py, bytes),))?,
        });
    }
    PyList::new(py, opened)
}
