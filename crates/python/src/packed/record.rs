use std::ops::Range;

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple, PyType};
use rowmill::packed::Packed;

use super::class::{self, PackedClass, broken};
use super::memory::{Memory, Part};
use super::{columns, read, write};
use crate::value;

/// What classes of packed records derive from.
#[pyclass(frozen, subclass, module = "rowmill._rowmill")]
pub(crate) struct Record {
    pub(super) class: Py<PackedClass>,
    pub(super) memory: Memory,
    place: Range<usize>,
}

impl Record {
    pub(crate) fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        self.memory.bytes(py).get(self.place.clone()).unwrap_or_default()
    }

    pub(super) fn packed<'a>(&'a self, py: Python<'a>) -> PyResult<Packed<'a>> {
        Packed::open(&self.class.get().layout, self.bytes(py)).map_err(|error| broken(py, &error))
    }

    /// A record that was made for somebody, and has bytes of its own.
    fn made(class: Py<PackedClass>, bytes: &Bound<'_, PyBytes>) -> Self {
        let place = 0..bytes.as_bytes().len();
        Self { class, memory: Memory::Bytes(bytes.clone().unbind()), place }
    }
}

#[pymethods]
impl Record {
    /// Of one positional argument it is opened, of others by name it is packed.
    #[new]
    #[classmethod]
    #[pyo3(signature = (*args, **fields))]
    fn new(
        cls: &Bound<'_, PyType>,
        args: &Bound<'_, PyTuple>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = cls.py();
        let class = class::of(cls)?;
        if fields.is_none() && args.len() == 1 {
            let data = &args.get_item(0)?;
            let (memory, place) = match data.cast::<Part>() {
                Ok(part) => (part.get().memory.clone_ref(py), part.get().place.clone()),
                Err(_) => {
                    let part = Part::of(data)?;
                    (part.memory, part.place)
                }
            };
            let record = Self { class: class.unbind(), memory, place };
            record.packed(py)?;
            return Ok(record);
        }
        if !args.is_empty() {
            let name = class.get().layout.name();
            return Err(PyTypeError::new_err(format!("{name}() takes its fields by name")));
        }
        let bytes = write::packed(class.get(), fields, None)?;
        Ok(Self::made(class.unbind(), &PyBytes::new(py, &bytes)))
    }

    /// A record of bytes, which are read where they lie.
    #[classmethod]
    #[pyo3(signature = (data, /))]
    fn open<'py>(
        cls: &Bound<'py, PyType>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        cls.call1((data,))
    }

    /// Many of them: of a column they share its memory.
    #[classmethod]
    #[pyo3(signature = (records, /))]
    fn open_all<'py>(
        cls: &Bound<'py, PyType>,
        records: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        columns::open_all(cls, records)
    }

    /// The same with other values in some fields.
    #[pyo3(signature = (**fields))]
    fn replace<'py>(
        slf: &Bound<'py, Self>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let bytes = write::packed(this.class.get(), fields, Some(this.packed(py)?))?;
        slf.get_type().call1((PyBytes::new(py, &bytes),))
    }

    #[pyo3(signature = (**fields))]
    fn __replace__<'py>(
        slf: &Bound<'py, Self>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::replace(slf, fields)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        if let Memory::Bytes(bytes) = &self.memory
            && self.place == (0..bytes.as_bytes(py).len())
        {
            return bytes.bind(py).clone();
        }
        PyBytes::new(py, self.bytes(py))
    }

    fn __richcmp__(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        operator: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let is_equal = self.class.is(&other.class) && self.bytes(py) == other.bytes(py);
        match operator {
            CompareOp::Eq => Ok(value::any(py, is_equal)?.unbind()),
            CompareOp::Ne => Ok(value::any(py, !is_equal)?.unbind()),
            _ => Ok(py.NotImplemented()),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.__bytes__(py).hash()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let py = slf.py();
        let (this, class) = (slf.get(), slf.get().class.get());
        let mut shown = Vec::new();
        for (at, given) in class.fields.iter().enumerate() {
            if !class.layout.fields()[at].is_removed {
                let value = read::field(py, this, at)?;
                shown.push(format!("{}={}", given.name.bind(py), value::repr(&value)?));
            }
        }
        Ok(format!("{}({})", slf.get_type().qualname()?, shown.join(", ")))
    }

    /// A pickle has the class and the bytes; so has a copy.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Bound<'py, PyBytes>,)) {
        (slf.get_type(), (slf.get().__bytes__(slf.py()),))
    }
}
