//! What changes a matcher's conditions: one thread after the other, without the GIL, and without Python until it is
//! done, so that nobody who holds the GIL waits for somebody who wants it.

use std::collections::HashSet;
use std::sync::PoisonError;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use rowmill::expr::{Expr, ExprError};
use rowmill::matcher::Base;

use super::Matcher;
use super::ids::{Id, Sort};
use crate::errors;
use crate::query::raised;

/// Why nothing was changed; the number is that of the id.
pub(super) enum Refusal {
    Taken(usize),
    Twice(usize),
    Missing,
    Sort(Sort),
    Mixed(&'static str),
    /// Of many.
    Condition(usize, ExprError),
    Other(ExprError),
}

impl Refusal {
    pub(super) fn told(self, py: Python<'_>, ids: &[Id]) -> PyErr {
        let shown = |at: usize| ids[at].shown(py);
        match self {
            Self::Taken(at) => errors::programming(
                py,
                &format!("there is a condition {} already; replace() changes it", shown(at)),
            ),
            Self::Twice(at) => {
                errors::programming(py, &format!("the id {} is given twice", shown(at)))
            }
            Self::Missing => PyKeyError::new_err(format!("there is no condition {}", shown(0))),
            Self::Sort(Sort::Int) => PyTypeError::new_err(format!(
                "the ids of this matcher are str, and {} is an int; a matcher's ids are of one kind",
                shown(0)
            )),
            Self::Sort(Sort::Text) => PyTypeError::new_err(format!(
                "the ids of this matcher are int, and {} is a str; a matcher's ids are of one kind",
                shown(0)
            )),
            Self::Mixed(message) => PyTypeError::new_err(message),
            Self::Condition(at, error) => {
                errors::programming(py, &format!("the condition of {}: {error}", shown(at)))
            }
            Self::Other(error) => raised(py, &error),
        }
    }
}

impl Matcher {
    fn change<T: Send>(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        py.detach(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            work()
        })
    }

    /// The number of an id that is stored.
    pub(super) fn stored(&self, id: &Id) -> Result<Option<u64>, Refusal> {
        let ids = self.ids();
        let view = self.inner.view();
        if ids.sort().is_some_and(|known| known != id.sort()) && !view.is_empty() {
            return Err(Refusal::Sort(id.sort()));
        }
        Ok(ids.find(id).filter(|&number| view.contains(number)))
    }

    pub(super) fn insert_one(
        &self,
        py: Python<'_>,
        id: &mut Id,
        condition: &Expr,
        priority: f64,
    ) -> Result<(), Refusal> {
        self.change(py, || {
            if self.stored(id)?.is_some() {
                return Err(Refusal::Taken(0));
            }
            let number = self.ids().number(id);
            self.inner.insert_with_priority(number, condition, priority).map_err(|error| {
                self.ids().forget(id);
                Refusal::Other(error)
            })
        })
    }

    pub(super) fn replace_one(
        &self,
        py: Python<'_>,
        id: &mut Id,
        condition: &Expr,
        priority: Option<f64>,
    ) -> Result<bool, Refusal> {
        self.change(py, || {
            let was = self.stored(id)?.is_some();
            let number = self.ids().number(id);
            let stored = match priority {
                Some(priority) => self.inner.replace_with_priority(number, condition, priority),
                None => self.inner.replace(number, condition),
            };
            stored.map_err(|error| {
                if !was {
                    self.ids().forget(id);
                }
                Refusal::Other(error)
            })
        })
    }

    pub(super) fn remove_one(&self, py: Python<'_>, id: &Id) -> Result<(), Refusal> {
        self.change(py, || {
            let number = self.stored(id)?.ok_or(Refusal::Missing)?;
            self.inner.remove(number);
            self.ids().forget(id);
            Ok(())
        })
    }

    /// All or none.
    pub(super) fn insert_all(
        &self,
        py: Python<'_>,
        ids: &mut [Id],
        conditions: &[(Expr, f64)],
    ) -> Result<(), Refusal> {
        self.change(py, || {
            let mut done = 0;
            let stored = self.build(ids, conditions, &mut done);
            if stored.is_err() {
                // The one at fault may be stored already, or be one of those before it.
                ids[..done].iter().for_each(|id| self.ids().forget(id));
            }
            stored
        })
    }

    fn build(
        &self,
        ids: &mut [Id],
        conditions: &[(Expr, f64)],
        done: &mut usize,
    ) -> Result<(), Refusal> {
        let mut builder = Base::builder(self.inner.attributes());
        let mut numbers = HashSet::with_capacity(ids.len());
        let first = ids.first().map(Id::sort);
        for (at, (id, (condition, priority))) in ids.iter_mut().zip(conditions).enumerate() {
            if let Some(sort) = first.filter(|&first| first != id.sort()) {
                let message = match sort {
                    Sort::Int => {
                        "some of the ids are int and some str; a matcher's are of one kind"
                    }
                    Sort::Text => {
                        "some of the ids are str and some int; a matcher's are of one kind"
                    }
                };
                return Err(Refusal::Mixed(message));
            }
            if self.stored(id)?.is_some() {
                return Err(Refusal::Taken(at));
            }
            let number = self.ids().number(id);
            if !numbers.insert(number) {
                return Err(Refusal::Twice(at));
            }
            *done = at + 1;
            let added = builder.insert_with_priority(number, condition, *priority);
            added.map_err(|error| Refusal::Condition(at, error))?;
        }
        self.inner.insert_base(builder.build()).map_err(Refusal::Other)
    }
}
