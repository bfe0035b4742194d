use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyInt, PyList, PySlice, PyTuple};
use rowmill::{Batch, Field, Type};

use crate::buffer::Buffer;
use crate::{capsule, errors, numpy, row, value};

/// One column of a frame: a name, a type and values that are decoded when they are asked for.
///
/// >>> column = rm.Frame({"id": [1, None, 3]})["id"]
/// >>> column.name, column.type, len(column), column.null_count, column[-1]
/// ('id', 'int64', 3, 1, 3)
///
/// Slices share the frame's memory. NumPy, pandas, Polars and PyArrow take a column as it is, by
/// the Arrow PyCapsule interface or `to_numpy`.
#[pyclass(frozen, sequence, module = "rowmill", weakref)]
pub(crate) struct Column {
    /// Of this one column.
    pub(crate) batch: Batch,
}

impl Column {
    pub(crate) fn of(batch: &Batch, at: usize) -> Self {
        Self { batch: batch.select(&[at]) }
    }

    pub(crate) fn field(&self) -> &Field {
        &self.batch.schema().fields[0]
    }

    pub(crate) fn data(&self) -> &rowmill::Column {
        &self.batch.columns()[0]
    }

    /// What a layout gives, or the error for a type that has none of the kind.
    fn laid_out<T>(&self, memory: Option<T>) -> PyResult<T> {
        memory.ok_or_else(|| {
            PyTypeError::new_err(format!("{} values have no such layout", self.field().kind))
        })
    }
}

#[pymethods]
impl Column {
    /// The name.
    #[getter]
    fn name(&self) -> &str {
        &self.field().name
    }

    /// What the values are, in words: `int64`, `timestamp[utc]`, `list[text]`.
    #[getter]
    fn r#type(&self) -> String {
        self.field().kind.to_string()
    }

    /// How many values are NULL.
    #[getter]
    fn null_count(&self) -> usize {
        self.data().null_count()
    }

    /// Bytes that the values take; memory shared with other columns counts in each.
    #[getter]
    fn nbytes(&self) -> usize {
        self.data().byte_len()
    }

    fn __len__(&self) -> usize {
        self.batch.rows()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let len = self.batch.rows();
        if key.is_instance_of::<PyInt>() {
            return match key.extract().ok().and_then(|at| row::offset(at, len)) {
                Some(row) => value::cell(py, &self.batch, 0, row),
                None => Err(PyIndexError::new_err(format!("row {key} of a column of {len}"))),
            };
        }
        match key.cast::<PySlice>() {
            Ok(slice) => value::any(py, Self { batch: sliced(&self.batch, slice)? }),
            Err(_) => {
                let class = value::class_name(key);
                Err(PyTypeError::new_err(format!(
                    "a column takes a position or a slice, not {class}"
                )))
            }
        }
    }

    fn __iter__(slf: Py<Self>) -> ColumnIterator {
        ColumnIterator { column: slf, next: AtomicUsize::new(0) }
    }

    /// The values as Python objects, NULL as None.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        value::list(py, &self.batch, 0)
    }

    /// The values as a NumPy array, a view where the type allows; see `Frame.to_numpy`.
    fn to_numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._out")?.call_method1("column_to_numpy", (slf,))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> bool {
        let other = &other.get().batch;
        py.detach(|| self.batch == *other)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = value::repr(&value::any(py, self.name())?)?;
        let shown: Vec<String> = (0..self.batch.rows().min(8))
            .map(|row| text(&self.batch, 0, row, 24).unwrap_or_else(|| "NULL".to_owned()))
            .collect();
        let more = if self.batch.rows() > shown.len() { ", …" } else { "" };
        let (kind, rows) = (&self.field().kind, self.batch.rows());
        Ok(format!("Column({name}, {kind}, {rows} rows: [{}{more}])", shown.join(", ")))
    }

    /// The values as a pair of Arrow capsules, schema and array.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        capsule::array(py, &self.batch, requested_schema)
    }

    /// The values as an Arrow capsule; each call makes a new stream.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::column_stream(py, &self.batch, requested_schema)
    }

    /// The type as an Arrow capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::field(py, self.field())
    }

    /// The memory of fixed-width values: bytes in native order, NULL slots among them.
    fn _buffer(&self) -> PyResult<Buffer> {
        self.laid_out(Buffer::of_column(self.data()))
    }

    /// The memory of floats, NULL as NaN.
    fn _floats(&self, py: Python<'_>) -> PyResult<Buffer> {
        let size = if self.field().kind == Type::Float32 { 4 } else { 8 };
        self.laid_out(py.detach(|| numpy::floats(self.data(), size)))
    }

    /// The memory of timestamps in microseconds, NULL as NumPy's NaT.
    fn _timestamps(&self, py: Python<'_>) -> PyResult<Buffer> {
        match self.laid_out(py.detach(|| numpy::timestamps(self.data())))? {
            Ok(buffer) => Ok(buffer),
            Err(numpy::Unrepresentable(row)) => {
                let Field { name, kind } = self.field();
                let message = format!(
                    "column {name:?}, row {row}: NumPy cannot hold -infinity ({kind}), \
                     which would read as NULL"
                );
                let hint = "filter it by isfinite() in the query, cast the column to text, \
                            or read it by to_arrow()";
                Err(errors::data(py, &message, hint))
            }
        }
    }

    /// The days of a date column times `scale` in 64 bits, NULL as NumPy's NaT.
    fn _dates(&self, py: Python<'_>, scale: i64) -> PyResult<Buffer> {
        self.laid_out(py.detach(|| numpy::dates(self.data(), scale)))
    }

    /// One byte for each value of a bool column, 1 for true.
    fn _bools(&self, py: Python<'_>) -> PyResult<Buffer> {
        self.laid_out(py.detach(|| numpy::bools(self.data())))
    }

    /// One byte for each row, 1 where it is NULL.
    fn _nulls(&self, py: Python<'_>) -> Buffer {
        py.detach(|| numpy::nulls(self.data()))
    }
}

/// The values of a column, one after the other.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct ColumnIterator {
    column: Py<Column>,
    next: AtomicUsize,
}

#[pymethods]
impl ColumnIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let batch = &self.column.get().batch;
        let Some(row) = row::next(&self.next, batch.rows()) else { return Ok(None) };
        value::cell(py, batch, 0, row).map(Some)
    }

    fn __length_hint__(&self) -> usize {
        self.column.get().batch.rows() - self.next.load(Relaxed)
    }
}

/// The rows of a Python slice: a view where they follow one another, else a copy.
pub(crate) fn sliced(batch: &Batch, slice: &Bound<'_, PySlice>) -> PyResult<Batch> {
    let at = slice.indices(batch.rows() as isize)?;
    if at.step == 1 {
        return Ok(batch.slice(at.start as usize, at.slicelength));
    }
    let rows = (0..at.slicelength as isize).map(|step| (at.start + step * at.step) as u32);
    let rows: Vec<u32> = rows.collect();
    batch.take(&rows).map_err(|error| errors::columns(slice.py(), &error))
}

/// A cell as text of at most `most` characters, for people; `None` for NULL.
pub(crate) fn text(batch: &Batch, column: usize, row: usize, most: usize) -> Option<String> {
    use std::fmt::Write as _;
    let value = batch.value(column, row);
    if value.is_null() {
        return None;
    }
    let mut out = Cut { text: String::new(), left: most };
    // The writer stops the printing of a megabyte after `most` characters.
    if write!(out, "{value}").is_err() {
        out.text.push('…');
    }
    Some(out.text)
}

struct Cut {
    text: String,
    left: usize,
}

impl std::fmt::Write for Cut {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        for character in part.chars() {
            if self.left == 0 {
                return Err(std::fmt::Error);
            }
            self.left -= 1;
            self.text.push(character);
        }
        Ok(())
    }
}
