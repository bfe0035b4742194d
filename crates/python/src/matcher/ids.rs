use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyList, PyString};
use rowmill::build::{Bytes, Fixed};
use rowmill::{Batch, Field, Schema, Type};

use crate::text::text;
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
pub(super) enum Sort {
    Int,
    Text,
}

/// An id as it is given.
pub(super) struct Id {
    key: Key,
    /// The text as an object, until it is noted.
    object: Option<Py<PyString>>,
}

enum Key {
    Int(i64),
    Text(Arc<str>),
}

impl FromPyObject<'_, '_> for Id {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(given) = given.cast::<PyString>() {
            let text = text(&given)?;
            let object = Some(PyString::new(given.py(), &text).unbind());
            return Ok(Self { key: Key::Text((*text).into()), object });
        }
        if given.is_instance_of::<PyInt>() && !given.is_instance_of::<PyBool>() {
            return match given.extract() {
                Ok(id) => Ok(Self { key: Key::Int(id), object: None }),
                Err(_) => Err(PyTypeError::new_err(
                    "an id that is an int is from -2**63 to 2**63 - 1; give a larger one as a str",
                )),
            };
        }
        let class = value::class_name(&given);
        Err(PyTypeError::new_err(format!("an id is an int or a str, not {class}")))
    }
}

impl Id {
    pub(super) fn sort(&self) -> Sort {
        match self.key {
            Key::Int(_) => Sort::Int,
            Key::Text(_) => Sort::Text,
        }
    }

    /// As Python shows it.
    pub(super) fn shown(&self, py: Python<'_>) -> String {
        match &self.key {
            Key::Int(id) => id.to_string(),
            Key::Text(id) => value::repr(PyString::new(py, id).as_any()).unwrap_or_default(),
        }
    }
}

/// Ids to be told, when nobody is kept waiting any more.
pub(super) enum Known<'n> {
    Ints(&'n [u64]),
    Texts(Vec<Py<PyString>>),
}

/// One of them.
#[derive(IntoPyObject)]
pub(super) enum One {
    Int(i64),
    Text(Py<PyString>),
}

impl Known<'_> {
    pub(super) fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        match self {
            Self::Ints(numbers) => PyList::new(py, numbers.iter().map(|&number| number as i64)),
            Self::Texts(texts) => PyList::new(py, texts),
        }
    }
}

impl Ids {
    pub(super) fn sort(&self) -> Option<Sort> {
        self.sort
    }

    /// The texts by their numbers.
    pub(super) fn texts(&self) -> Vec<(u64, Arc<str>)> {
        let texts = self.texts.iter().map(|(&number, (text, _))| (number, Arc::clone(text)));
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable_by_key(|(number, _)| *number);
        texts
    }

    /// With room for so many texts.
    pub(super) fn with_capacity(sort: Option<Sort>, texts: usize) -> Self {
        Self {
            sort,
            numbers: HashMap::with_capacity(texts),
            texts: HashMap::with_capacity(texts),
            next: 0,
        }
    }

    /// Notes a text under the number that it had; `None` where either is there, or no number is left for another.
    pub(super) fn note(&mut self, py: Python<'_>, number: u64, text: &str) -> Option<()> {
        self.next = self.next.max(number.checked_add(1)?);
        let object = PyString::new(py, text).unbind();
        let text: Arc<str> = text.into();
        let was = self.texts.insert(number, (Arc::clone(&text), object)).is_some();
        (self.numbers.insert(text, number).is_none() && !was).then_some(())
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.texts.contains_key(&number)
    }

    /// The number of an id that is stored; an int's in any case.
    pub(super) fn find(&self, id: &Id) -> Option<u64> {
        match &id.key {
            Key::Int(id) => Some(*id as u64),
            Key::Text(text) => self.numbers.get(text).copied(),
        }
    }

    /// The same, of an id to be stored: a new one gets a number, which no other ever has.
    pub(super) fn number(&mut self, id: &mut Id) -> u64 {
        self.sort = Some(id.sort());
        if let Some(number) = self.find(id) {
            return number;
        }
        let number = self.next;
        if let (Key::Text(text), Some(object)) = (&id.key, id.object.take()) {
            self.next += 1;
            self.numbers.insert(Arc::clone(text), number);
            self.texts.insert(number, (Arc::clone(text), object));
        }
        number
    }

    pub(super) fn forget(&mut self, id: &Id) {
        if let Key::Text(text) = &id.key
            && let Some(number) = self.numbers.remove(text)
        {
            self.texts.remove(&number);
        }
    }

    /// The ids of these numbers; what was removed a moment ago is left out.
    pub(super) fn of<'n>(&self, py: Python<'_>, numbers: &'n [u64]) -> Known<'n> {
        if self.sort == Some(Sort::Text) {
            let texts = numbers.iter().filter_map(|number| self.texts.get(number));
            return Known::Texts(texts.map(|(_, text)| text.clone_ref(py)).collect());
        }
        Known::Ints(numbers)
    }

    /// The same, each with its priority.
    pub(super) fn ranked(&self, py: Python<'_>, ranked: &[(u64, f64)]) -> Vec<(One, f64)> {
        let of = |&(number, priority): &(u64, f64)| {
            let one = if self.sort == Some(Sort::Text) {
                One::Text(self.texts.get(&number)?.1.clone_ref(py))
            } else {
                One::Int(number as i64)
            };
            Some((one, priority))
        };
        ranked.iter().filter_map(of).collect()
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
        for (&row, &number) in rows.iter().zip(numbers) {
            places.push(row.into());
            ids.push(number as i64);
        }
        table(places, Type::Int64, ids.finish(&Type::Int64))
    }
}

fn table(rows: Fixed<i64>, kind: Type, ids: rowmill::Column) -> Batch {
    let schema = Schema::new(vec![Field::new("row", Type::Int64), Field::new("id", kind)]);
    let count = ids.len();
    Batch::new(Arc::new(schema), vec![rows.finish(&Type::Int64), ids], count)
}
