#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyAttributeError, PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyIterator, PySlice, PyString, PyTuple};
use rowmill::{Field, Schema, Type, Value};

use crate::frame::Frame;
use crate::{errors, schema, value};

/// One row: values by name, by position and as attributes, each decoded when it is asked for.
///
/// >>> row = rm.Frame({"id": [7], "name": ["Ada"]})[0]
/// >>> row.name, row["id"], row[-1], tuple(row), dict(row)
/// ('Ada', 7, 'Ada', (7, 'Ada'), {'id': 7, 'name': 'Ada'})
///
/// A row compares, sorts and hashes as the tuple of its values. The methods `keys`, `into`, `to_dict`
/// and `to_tuple` win over columns of these names; `row["keys"]` is always the column. Where a name
/// repeats it means the first of its columns; positions reach all of them.
#[pyclass(frozen, module = "rowmill", weakref)]
pub(crate) struct Row {
    source: Source,
    /// All values, once they were asked for together.
    values: PyOnceLock<Py<PyTuple>>,
}

enum Source {
    /// A view: nothing is decoded yet.
    Frame(Py<Frame>, usize),
    /// A row that owns its values: nothing of Python is made yet.
    Owned(rowmill::Row),
    /// What a pickle held: names and values.
    Values(Py<PyTuple>, Py<PyTuple>),
}

/// A cell on its way into a tuple.
struct Cell<'a>(&'a rowmill::Row, usize);

impl<'py> IntoPyObject<'py> for Cell<'_> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        value::of_row(py, self.0, self.1)
    }
}

impl Row {
    fn of(source: Source) -> Self {
        Self { source, values: PyOnceLock::new() }
    }

    pub(crate) fn new(frame: Py<Frame>, row: usize) -> Self {
        Self::of(Source::Frame(frame, row))
    }

    /// The engine's row; one that is a view of a batch becomes a view of a frame.
    pub(crate) fn from_engine(py: Python<'_>, row: rowmill::Row) -> PyResult<Self> {
        match row.view() {
            Some((batch, index)) => Ok(Self::new(Py::new(py, Frame::from(batch.clone()))?, index)),
            None => Ok(Self::of(Source::Owned(row))),
        }
    }

    /// Each column's name and value, as long as `visit` goes on; false where Python alone has the values.
    pub(crate) fn each<E>(
        &self,
        mut visit: impl FnMut(&str, &Value<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        match &self.source {
            Source::Frame(frame, row) => {
                let batch = &frame.get().batch;
                for (at, field) in batch.schema().fields.iter().enumerate() {
                    visit(&field.name, &batch.value(at, *row))?;
                }
            }
            Source::Owned(row) => {
                for (at, name) in row.names().enumerate() {
                    visit(name, &row.value(at).unwrap_or(Value::Null))?;
                }
            }
            Source::Values(..) => return Ok(false),
        }
        Ok(true)
    }

    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        match &self.source {
            Source::Frame(frame, _) => frame.get().names(py).cloned(),
            Source::Owned(row) => PyTuple::new(py, row.names()),
            Source::Values(names, _) => Ok(names.bind(py).clone()),
        }
    }

    fn value<'py>(&self, py: Python<'py>, column: usize) -> PyResult<Bound<'py, PyAny>> {
        match &self.source {
            Source::Frame(frame, row) => value::cell(py, &frame.get().batch, column, *row),
            Source::Owned(row) => value::of_row(py, row, column),
            Source::Values(_, values) => values.bind(py).get_item(column),
        }
    }

    fn position(&self, name: &Bound<'_, PyString>) -> PyResult<Option<usize>> {
        match &self.source {
            Source::Frame(frame, _) => frame.get().position(name),
            Source::Owned(row) => Ok(row.position(&name.to_string_lossy())),
            Source::Values(names, _) => Ok(names.bind(name.py()).index(name).ok()),
        }
    }

    fn missing(&self, name: &Bound<'_, PyString>) -> PyResult<String> {
        let py = name.py();
        let name = name.to_string_lossy();
        match &self.source {
            Source::Frame(frame, _) => schema::missing(py, frame.get().batch.schema(), &name),
            Source::Owned(row) => {
                let field = |name: &str| Field { name: name.into(), kind: Type::Null };
                schema::missing(py, &Schema::new(row.names().map(field).collect()), &name)
            }
            Source::Values(..) => Ok(format!("no column {name:?}")),
        }
    }

    fn tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let values = self.values.get_or_try_init(py, || {
            let values = match &self.source {
                Source::Frame(frame, row) => {
                    let batch = &frame.get().batch;
                    let values = (0..batch.width())
                        .map(|column| value::cell(py, batch, column, *row))
                        .collect::<PyResult<Vec<_>>>()?;
                    PyTuple::new(py, values)
                }
                Source::Owned(row) => PyTuple::new(py, (0..row.len()).map(|at| Cell(row, at))),
                Source::Values(_, values) => Ok(values.bind(py).clone()),
            };
            values.map(Bound::unbind)
        });
        values.map(|values| values.bind(py).clone())
    }
}

#[pymethods]
impl Row {
    fn __len__(&self, py: Python<'_>) -> usize {
        match &self.source {
            Source::Frame(frame, _) => frame.get().batch.width(),
            Source::Owned(row) => row.len(),
            Source::Values(_, values) => values.bind(py).len(),
        }
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(name) = key.cast::<PyString>() {
            return match self.position(name)? {
                Some(column) => self.value(py, column),
                None => Err(PyKeyError::new_err(self.missing(name)?)),
            };
        }
        if key.is_instance_of::<PyInt>() {
            let len = self.__len__(py);
            return match key.extract().ok().and_then(|at| offset(at, len)) {
                Some(column) => self.value(py, column),
                None => {
                    let message = format!("column {key} of a row of {len}");
                    Err(PyIndexError::new_err(message))
                }
            };
        }
        if key.is_instance_of::<PySlice>() {
            return self.tuple(py)?.into_any().get_item(key);
        }
        let class = value::class_name(key);
        Err(PyTypeError::new_err(format!("a row takes a name, a position or a slice, not {class}")))
    }

    // Not `__getattr__` alone, which is asked only after an AttributeError was made and thrown away:
    // that takes four times as long as the value.
    fn __getattribute__<'py>(
        slf: &Bound<'py, Self>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let column = match &this.source {
            Source::Frame(frame, _) => frame.get().attribute(name)?,
            Source::Owned(_) | Source::Values(..) if is_own(name) => None,
            Source::Owned(_) | Source::Values(..) => this.position(name)?,
        };
        if let Some(column) = column {
            return this.value(py, column);
        }
        if is_own(name) {
            static GENERIC: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let generic = GENERIC.get_or_try_init(py, || {
                py.get_type::<PyAny>().getattr("__getattribute__").map(Bound::unbind)
            })?;
            return generic.bind(py).call1((slf, name));
        }
        // `__getattr__` comes next and says it better.
        Err(PyAttributeError::new_err(()))
    }

    fn __getattr__(&self, name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
        let message = if is_own(name) { name.to_string() } else { self.missing(name)? };
        Err(PyAttributeError::new_err(message))
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let known = py.get_type::<PyAny>().call_method1("__dir__", (slf,))?;
        known.call_method1("__add__", (slf.get().names(py)?.to_list(),))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.tuple(py)?.try_iter()
    }

    /// The columns' names.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.names(py)
    }

    /// The values by name.
    ///
    /// Raises `ProgrammingError` where a name repeats: a dict would lose a value.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, value) in self.names(py)?.iter().zip(self.tuple(py)?.iter()) {
            dict.set_item(name, value)?;
        }
        if dict.len() != self.__len__(py) {
            return Err(repeated(py, &self.names(py)?)?);
        }
        Ok(dict)
    }

    /// An instance of a class whose fields are the columns: as `Frame.into` makes them.
    #[pyo3(signature = (cls, /, *, extra="error"))]
    fn into<'py>(
        slf: &Bound<'py, Self>,
        cls: &Bound<'py, PyAny>,
        extra: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._into")?.call_method1("row_into", (slf, cls, extra))
    }

    /// The values in order.
    fn to_tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.tuple(py)
    }

    fn __richcmp__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        let other = match other.cast::<Self>() {
            Ok(row) => row.get().tuple(py)?.into_any(),
            Err(_) if other.is_instance_of::<PyTuple>() => other.clone(),
            Err(_) => return Ok(py.NotImplemented().into_bound(py)),
        };
        self.tuple(py)?.rich_compare(other, op)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.tuple(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let pairs = self.names(py)?.iter().zip(self.tuple(py)?.iter()).map(|(name, value)| {
            let identifier = name.call_method0("isidentifier")?.is_truthy()?;
            let name = if identifier { name.str()?.to_string() } else { value::repr(&name)? };
            Ok(format!("{name}={}", value::repr(&value)?))
        });
        let pairs: Vec<String> = pairs.collect::<PyResult<_>>()?;
        Ok(format!("Row({})", pairs.join(", ")))
    }

    /// A pickle holds the values alone, not the frame.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let restore = py.import("rowmill._rowmill")?.getattr("_row")?;
        (restore, (self.names(py)?, self.tuple(py)?)).into_pyobject(py)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__<'py>(&self, py: Python<'py>, memo: &Bound<'py, PyAny>) -> PyResult<Self> {
        let copy = py.import("copy")?.call_method1("deepcopy", (self.tuple(py)?, memo))?;
        Ok(restore(self.names(py)?.unbind(), copy.cast_into::<PyTuple>()?.unbind()))
    }
}

/// Whether an attribute is a row's own, whatever its columns are named.
pub(crate) fn is_own(name: &Bound<'_, PyString>) -> bool {
    let name = name.to_string_lossy();
    matches!(&*name, "keys" | "into" | "to_dict" | "to_tuple")
        || (name.starts_with("__") && name.ends_with("__"))
}

/// A row out of its pickle.
#[pyfunction]
#[pyo3(name = "_row")]
pub(crate) fn restore(names: Py<PyTuple>, values: Py<PyTuple>) -> Row {
    Row::of(Source::Values(names, values))
}

/// The rows of a frame, one after the other.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct RowIterator {
    frame: Py<Frame>,
    next: AtomicUsize,
}

impl RowIterator {
    pub(crate) fn new(frame: Py<Frame>) -> Self {
        Self { frame, next: AtomicUsize::new(0) }
    }
}

#[pymethods]
impl RowIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> Option<Row> {
        let row = next(&self.next, self.frame.get().batch.rows())?;
        Some(Row::new(self.frame.clone_ref(py), row))
    }

    fn __length_hint__(&self) -> usize {
        self.frame.get().batch.rows() - self.next.load(Relaxed)
    }
}

/// Counts up to `end`; several threads may share the counter.
pub(crate) fn next(counter: &AtomicUsize, end: usize) -> Option<usize> {
    counter.fetch_update(Relaxed, Relaxed, |at| (at < end).then(|| at + 1)).ok()
}

/// A Python index as an offset, counted from the end where it is negative.
pub(crate) fn offset(at: isize, len: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add_unsigned(len)? } else { at };
    usize::try_from(at).ok().filter(|&at| at < len)
}

/// The error for a dict that would lose a column.
pub(crate) fn repeated(py: Python<'_>, names: &Bound<'_, PyTuple>) -> PyResult<PyErr> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        let name: String = name.extract()?;
        if !seen.insert(name.clone()) {
            let message = format!(
                "two columns are named {name:?}, which a dict cannot hold; \
                 name them apart with AS in the query"
            );
            return Ok(errors::programming(py, &message));
        }
    }
    Ok(errors::programming(py, "a column's name repeats"))
}
