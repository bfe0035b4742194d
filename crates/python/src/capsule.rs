//! The Arrow PyCapsule interface: columns to other libraries and from them, without a copy.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;
use std::sync::Arc;

use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use rowmill::{ArrowSchema, Batch, ColumnError, Field, Schema, TextLayout, Type};

use crate::errors;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// A schema for `__arrow_c_schema__`.
pub(crate) fn schema<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let exported = schema.export().map_err(|error| errors::columns(py, &error))?;
    PyCapsule::new_with_value(py, exported, SCHEMA)
}

/// The schema of one column.
pub(crate) fn field<'py>(py: Python<'py>, field: &Field) -> PyResult<Bound<'py, PyCapsule>> {
    let exported = field.export().map_err(|error| errors::columns(py, &error))?;
    PyCapsule::new_with_value(py, exported, SCHEMA)
}

/// A stream of one batch; each call makes a new one.
pub(crate) fn stream<'py>(
    py: Python<'py>,
    batch: &Batch,
    requested: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let wanted = wanted(requested)?;
    // To make another layout of text takes time.
    let exported = py.detach(move || batch.export_stream(wanted.as_ref().map(Foreign::schema)));
    let exported = exported.map_err(|error| errors::columns(py, &error))?;
    PyCapsule::new_with_value(py, exported, STREAM)
}

/// A stream whose text is laid out as views, JSON as plain text: for Polars, which would make JSON
/// a type of its own without a method.
pub(crate) fn stream_of_views<'py>(
    py: Python<'py>,
    batch: &Batch,
) -> PyResult<Bound<'py, PyCapsule>> {
    let fields = batch.schema().fields.iter().map(|field| match field.kind {
        Type::Json => Field { kind: Type::Text, ..field.clone() },
        _ => field.clone(),
    });
    let schema = Arc::new(Schema::new(fields.collect()));
    let batch = Batch::new(schema, batch.columns().to_vec(), batch.rows());
    let exported = py.detach(|| batch.export_stream_as(TextLayout::View));
    let exported = exported.map_err(|error| errors::columns(py, &error))?;
    PyCapsule::new_with_value(py, exported, STREAM)
}

/// A stream of a batch's first column.
pub(crate) fn column_stream<'py>(
    py: Python<'py>,
    batch: &Batch,
    requested: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let wanted = wanted(requested)?;
    let field = &batch.schema().fields[0];
    let exported = py.detach(move || {
        batch.columns()[0].export_stream(field, wanted.as_ref().map(Foreign::schema))
    });
    let exported = exported.map_err(|error| errors::columns(py, &error))?;
    PyCapsule::new_with_value(py, exported, STREAM)
}

/// Schema and array of a batch's first column.
pub(crate) fn array<'py>(
    py: Python<'py>,
    batch: &Batch,
    requested: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let wanted = wanted(requested)?;
    let field = &batch.schema().fields[0];
    let exported = py.detach(move || {
        batch.columns()[0].export_array(field, wanted.as_ref().map(Foreign::schema))
    });
    let (schema, array) = exported.map_err(|error| errors::columns(py, &error))?;
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    (schema, PyCapsule::new_with_value(py, array, ARRAY)?).into_pyobject(py)
}

/// The schema that somebody asks for; the capsule must outlive it.
fn wanted(capsule: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Foreign>> {
    let Some(capsule) = capsule else { return Ok(None) };
    let Ok(capsule) = capsule.cast::<PyCapsule>() else {
        return Err(PyTypeError::new_err("requested_schema is a capsule named \"arrow_schema\""));
    };
    Ok(Some(Foreign(capsule.pointer_checked(Some(SCHEMA))?)))
}

/// A batch from an object with the stream or the array method; `None` where it has neither.
pub(crate) fn import(data: &Bound<'_, PyAny>) -> PyResult<Option<Batch>> {
    let py = data.py();
    if let Some(export) = data.getattr_opt(intern!(py, "__arrow_c_stream__"))? {
        let capsule = export.call0()?;
        let stream = Foreign(capsule.cast::<PyCapsule>()?.pointer_checked(Some(STREAM))?);
        // The producer may be waiting for a thread that waits for the interpreter.
        let batch = py.detach(move || stream.read());
        return batch.map(Some).map_err(|error| errors::columns(py, &error));
    }
    if let Some(export) = data.getattr_opt(intern!(py, "__arrow_c_array__"))? {
        let pair = export.call0()?;
        let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let schema = schema.cast::<PyCapsule>()?.pointer_checked(Some(SCHEMA))?;
        let array = array.cast::<PyCapsule>()?.pointer_checked(Some(ARRAY))?;
        // SAFETY: capsules of these names hold pointers to the C data interface's structs of one
        // array; they were made for this call, so that nobody else uses them, and live until its
        // end.
        let batch = unsafe { rowmill::import_array(schema.as_ptr(), array.as_ptr()) };
        return batch.map(Some).map_err(|error| errors::columns(py, &error));
    }
    Ok(None)
}

/// One column from such an object; `None` where it has neither method.
pub(crate) fn import_column(data: &Bound<'_, PyAny>) -> PyResult<Option<(Type, rowmill::Column)>> {
    let batch = match import(data) {
        Ok(Some(batch)) => batch,
        Ok(None) => return Ok(None),
        // A pandas Series exports through PyArrow, which need not be there.
        Err(error) if error.is_instance_of::<PyImportError>(data.py()) => return Ok(None),
        Err(error) => return Err(error),
    };
    match (batch.schema().fields.as_slice(), batch.columns()) {
        ([field], [column]) => Ok(Some((field.kind.clone(), column.clone()))),
        (fields, _) => {
            let message = format!(
                "a column is one column, not a table of {}: write table[\"name\"]",
                fields.len()
            );
            Err(PyTypeError::new_err(message))
        }
    }
}

/// A struct of the Arrow C interfaces in a capsule that outlives this.
struct Foreign(NonNull<c_void>);

// SAFETY: the interfaces bind their structs to no thread; one thread alone uses this one, the
// thread that was called and that lets the interpreter go meanwhile.
unsafe impl Send for Foreign {}

impl Foreign {
    fn read(&self) -> Result<Batch, ColumnError> {
        // SAFETY: a capsule of the stream's name holds a pointer to an `ArrowArrayStream`; it was
        // made for this call, so that nobody else uses it, and lives until the call's end.
        unsafe { rowmill::import_stream(self.0.as_ptr()) }
    }

    fn schema(&self) -> &ArrowSchema {
        // SAFETY: a capsule of the schema's name holds a pointer to an `ArrowSchema` of the C data
        // interface, of which ours is a transparent wrapper; it lives until the call's end.
        unsafe { self.0.cast().as_ref() }
    }
}
