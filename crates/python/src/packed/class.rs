use std::sync::Arc;

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};
use rowmill::packed::{Held, Layout, PackedField};
use rowmill::{ColumnError, Type};

use super::record::Record;
use super::{read, write};
use crate::errors;

/// What a class of records is made of: `rowmill._packed` reads it from the annotations.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct PackedClass {
    pub(super) layout: Layout,
    pub(super) fields: Vec<Given>,
    /// The number of each field by its name; of what was given up none.
    pub(super) positions: Py<PyDict>,
}

/// A field as it was declared.
pub(super) struct Given {
    pub(super) name: Py<PyString>,
    /// Its type as it was written, for messages.
    pub(super) shown: String,
    /// Whether it is a span of days and seconds, which is stored as an interval.
    pub(super) is_timedelta: bool,
    /// The class of the records in it.
    pub(super) class: Option<Py<PyType>>,
}

/// Name, kind, class of records, whether it is a list, may be None, was given up, and its type as it was written.
type Spec<'py> = (Bound<'py, PyString>, String, Option<Py<PyType>>, bool, bool, bool, String);

#[pymethods]
impl PackedClass {
    #[new]
    fn new(
        py: Python<'_>,
        name: &str,
        fields: Vec<Spec<'_>>,
        defaults: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let positions = PyDict::new(py);
        let (mut given, mut laid_out) = (Vec::new(), Vec::new());
        for (at, (name, kind, class, is_list, nullable, is_removed, shown)) in
            fields.into_iter().enumerate()
        {
            laid_out.push(PackedField {
                name: name.to_cow()?.as_ref().into(),
                held: held(py, &kind, class.as_ref(), is_list)?,
                nullable,
                is_required: !is_removed && !defaults.contains(&name)?,
                is_removed,
            });
            if !is_removed {
                positions.set_item(&name, at)?;
            }
            let is_timedelta = kind == "timedelta";
            given.push(Given { name: name.unbind(), shown, is_timedelta, class });
        }
        let layout = Layout::new(name, laid_out).map_err(|error| refused(&error))?;
        let layout = layout.with_defaults(|packer| {
            for (at, given) in given.iter().enumerate() {
                if let Some(value) = defaults.get_item(&given.name)? {
                    write::set(packer, at, given, &value)?;
                }
            }
            PyResult::Ok(())
        })?;
        Ok(Self { layout, fields: given, positions: positions.unbind() })
    }

    /// What reads a field of a record.
    fn property(slf: Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<Property> {
        let at = slf.get().positions.bind(slf.py()).get_item(name)?;
        let at = at.ok_or_else(|| PyTypeError::new_err("there is no such field"))?;
        Ok(Property { at: at.extract()?, class: slf.unbind() })
    }
}

fn refused(error: &ColumnError) -> PyErr {
    PyTypeError::new_err(error.to_string())
}

fn held(py: Python<'_>, kind: &str, class: Option<&Py<PyType>>, is_list: bool) -> PyResult<Held> {
    if let Some(class) = class {
        // The layout of its own, as it was when it was declared.
        let inner = Arc::new(of(class.bind(py))?.get().layout.clone());
        return Ok(if is_list { Held::Records(inner) } else { Held::Record(inner) });
    }
    let kind = match kind {
        "bool" => Type::Bool,
        "int" => Type::Int64,
        "float" => Type::Float64,
        "decimal" => Type::Decimal { precision: 38, scale: 0 },
        "text" => Type::Text,
        "bytes" => Type::Bytes,
        "uuid" => Type::Uuid,
        "date" => Type::Date,
        "time" => Type::Time,
        "timestamp" => Type::Timestamp { utc: false },
        "timestamp[utc]" => Type::Timestamp { utc: true },
        "interval" | "timedelta" => Type::Interval,
        other => return Err(PyTypeError::new_err(format!("{other} is no type of a field"))),
    };
    Ok(if is_list { Held::List(kind) } else { Held::One(kind) })
}

/// What a class of records is made of.
///
/// # Errors
/// `TypeError` of a class that is none.
pub(super) fn of<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PackedClass>> {
    let found = class.getattr_opt(pyo3::intern!(class.py(), "_packed"))?;
    match found.and_then(|found| found.cast_into::<PackedClass>().ok()) {
        Some(found) => Ok(found),
        None => {
            let name = class.qualname()?;
            Err(PyTypeError::new_err(format!(
                "{name} is no class of packed records: see rm.packed"
            )))
        }
    }
}

/// A field of a class of records: read by way of an instance.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Property {
    class: Py<PackedClass>,
    at: usize,
}

#[pymethods]
impl Property {
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        record: &Bound<'py, PyAny>,
        _class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let Ok(record) = record.cast::<Record>() else { return Ok(slf.clone().into_any()) };
        if !record.get().class.is(&this.class) {
            return Err(PyTypeError::new_err("a field of another class of records"));
        }
        read::field(py, record.get(), this.at)
    }

    /// What a base class without slots would otherwise let an instance have beside its field.
    fn __set__(&self, record: &Bound<'_, PyAny>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.__delete__(record)
    }

    fn __delete__(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = self.class.get().fields[self.at].name.bind(record.py()).to_string_lossy();
        Err(PyAttributeError::new_err(format!(
            "a packed record does not change: replace({name}=...) gives another one"
        )))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let class = self.class.get();
        let given = &class.fields[self.at];
        format!("<field {}.{}: {}>", class.layout.name(), given.name.bind(py), given.shown)
    }
}

/// What went wrong with a record's bytes.
#[cold]
pub(super) fn broken(py: Python<'_>, error: &ColumnError) -> PyErr {
    errors::columns(py, error)
}
