use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyList, PyString};
use rowmill::build::{Bytes, Fixed};
use rowmill::{Batch, Field, Schema, Type};

use crate::value;

/// The ids that conditions are stored under, and the numbers that stand for them: an int is its own number.
#[derive(Default)]
pub(super) struct Ids {
    sort: Option<Sort>,
    numbers: HashMap<Arc<str>, u64>,
    texts: HashMap<u64, (Arc<str>, Py<PyString>)>,
    next: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Int,
    Text,
}

/// An id as it is given.
pub(super) struct Id<'py> {
    given: Bound<'py, PyAny>,
    kept: Kept,
}

/// An id without Python.
#[derive(Clone)]
pub(super) enum Kept {
    Int(i64),
    Text(Arc<str>),
}

impl<'py> FromPyObject<'_, 'py> for Id<'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let given = given.to_owned();
        let kept = if let Ok(text) = given.cast::<PyString>() {
            Kept::Text((*crate::text::text(text)?).into())
        } else if given.is_instance_of::<PyInt>() && !given.is_instance_of::<PyBool>() {
            let Ok(number) = given.extract() else {
                return Err(PyTypeError::new_err("an id that is an int has at most 64 bits"));
            };
            Kept::Int(number)
        } else {
            let class = value::class_name(&given);
            return Err(PyTypeError::new_err(format!("an id is an int or a str, not {class}")));
        };
        Ok(Self { given, kept })
    }
}

impl<'py> Id<'py> {
    pub(super) fn given(&self) -> &Bound<'py, PyAny> {
        &self.given
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept.clone()
    }
}

impl Ids {
    /// The number of an id that is stored, or was; an int's in any case.
    ///
    /// # Errors
    /// Where the ids that there are are of the other sort.
    pub(super) fn find(&self, id: &Id<'_>) -> PyResult<Option<u64>> {
        let sort = match id.kept {
            Kept::Int(_) => Sort::Int,
            Kept::Text(_) => Sort::Text,
        };
        if self.sort.is_some_and(|known| known != sort) {
            let (known, other) = match sort {
                Sort::Int => ("str", "int"),
                Sort::Text => ("int", "str"),
            };
            let message = format!(
                "the ids of this matcher are {known}, and {} is {other}",
                value::repr(&id.given)?
            );
            return Err(PyTypeError::new_err(message));
        }
        Ok(match &id.kept {
            Kept::Int(id) => Some(*id as u64),
            Kept::Text(text) => self.numbers.get(text).copied(),
        })
    }

    /// The same, of an id to be stored: a new one gets a number, which no other ever has.
    pub(super) fn number(&mut self, py: Python<'_>, id: &Id<'_>) -> PyResult<u64> {
        if let Some(number) = self.find(id)? {
            self.sort.get_or_insert(Sort::Int);
            return Ok(number);
        }
        let Kept::Text(text) = &id.kept else { return Ok(0) };
        self.sort = Some(Sort::Text);
        let number = self.next;
        self.next += 1;
        self.numbers.insert(Arc::clone(text), number);
        self.texts.insert(number, (Arc::clone(text), PyString::new(py, text).unbind()));
        Ok(number)
    }

    pub(super) fn forget(&mut self, id: &Id<'_>) {
        self.forget_kept(&id.kept);
    }

    pub(super) fn forget_kept(&mut self, id: &Kept) {
        if let Kept::Text(text) = id
            && let Some(number) = self.numbers.remove(text)
        {
            self.texts.remove(&number);
        }
    }

    /// The ids of these numbers; what was removed a moment ago is left out.
    pub(super) fn list<'py>(
        &self,
        py: Python<'py>,
        numbers: &[u64],
    ) -> PyResult<Bound<'py, PyList>> {
        if self.sort == Some(Sort::Text) {
            let texts = numbers.iter().filter_map(|number| self.texts.get(number));
            let texts: Vec<&Py<PyString>> = texts.map(|(_, text)| text).collect();
            return PyList::new(py, texts);
        }
        PyList::new(py, numbers.iter().map(|&number| number as i64))
    }

    /// A frame of rows and ids.
    pub(super) fn frame(&self, rows: &[u32], numbers: &[u64]) -> Batch {
        let mut places = Fixed::new(0_i64);
        if self.sort == Some(Sort::Text) {
            let mut texts = Bytes::text();
            for (row, number) in rows.iter().zip(numbers) {
                if let Some((text, _)) = self.texts.get(number) {
                    places.push((*row).into());
                    texts.push(text.as_bytes());
                }
            }
            if let Ok(texts) = texts.finish() {
                return table(places, Type::Text, texts);
            }
            places = Fixed::new(0_i64);
        }
        let mut ids = Fixed::new(0_i64);
        rows.iter().for_each(|&row| places.push(row.into()));
        numbers.iter().for_each(|&number| ids.push(number as i64));
        table(places, Type::Int64, ids.finish(&Type::Int64))
    }
}

fn table(rows: Fixed<i64>, kind: Type, ids: rowmill::Column) -> Batch {
    let schema = Schema::new(vec![Field::new("row", Type::Int64), Field::new("id", kind)]);
    let count = ids.len();
    Batch::new(Arc::new(schema), vec![rows.finish(&Type::Int64), ids], count)
}
