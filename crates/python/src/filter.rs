//! A frame's rows and columns by expressions.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use rowmill::expr::filter::{Order, Projection};
use rowmill::expr::{self, ExprError, Operator};
use rowmill::filter::{Failure, Filter, Filters};
use rowmill::{Batch, Schema};

use crate::frame::Frame;
use crate::query::{Expr, Labeled, raised};
use crate::text::text;
use crate::{errors, value};

static FILTERS: Filters = Filters::new();

/// From how many rows on other Python threads may run meanwhile, also those of a frame that is filtered and not
/// copied yet: below, letting them takes as long as the filter.
const DETACH_ROWS: usize = 2_000;

pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    batch: &Batch,
    work: impl Send + FnOnce() -> T,
) -> T {
    if batch.reach() < DETACH_ROWS { work() } else { py.detach(work) }
}

pub(crate) fn out_of_range(py: Python<'_>, error: &ExprError) -> PyErr {
    errors::value(py, &error.to_string())
}

/// A filter as Python asked for it, found again without a look at what the names name.
struct Asked {
    conditions: Vec<expr::Expr>,
    names: Option<Vec<Py<PyAny>>>,
    schema: Arc<Schema>,
    filter: Arc<Filter>,
}

/// The last ones, each where its first condition says: of a small frame, to compile takes a hundred times
/// as long as to filter, and to look up three names half as long.
static ASKED: Mutex<[Option<Asked>; 16]> = Mutex::new([const { None }; 16]);

fn place_of(condition: Option<&expr::Expr>) -> usize {
    // Nodes are a hundred bytes and more apart.
    condition.map_or(0, |condition| condition.id() / 64 % 16)
}

impl Asked {
    /// Whether this is of the same objects: of names that are, the text is.
    fn is(
        &self,
        schema: &Arc<Schema>,
        conditions: &Bound<'_, PyTuple>,
        columns: Option<&Bound<'_, PyAny>>,
    ) -> bool {
        Arc::ptr_eq(&self.schema, schema)
            && conditions.len() == self.conditions.len()
            && self.conditions.iter().zip(conditions.iter_borrowed()).all(|(known, asked)| {
                asked.cast::<Expr>().is_ok_and(|asked| known.is(&asked.get().0))
            })
            && match (&self.names, columns) {
                (None, None) => true,
                (Some(known), Some(columns)) => same_names(known, columns),
                _ => false,
            }
    }
}

fn same_names(known: &[Py<PyAny>], columns: &Bound<'_, PyAny>) -> bool {
    if let Ok(names) = columns.cast::<PyList>() {
        return names.len() == known.len()
            && names.iter().zip(known).all(|(name, known)| name.is(known));
    }
    columns.cast::<PyTuple>().is_ok_and(|names| {
        names.len() == known.len()
            && names.iter_borrowed().zip(known).all(|(name, known)| name.is(known))
    })
}

/// `Frame.filter`.
pub(crate) fn filter(
    frame: &Frame,
    conditions: &Bound<'_, PyTuple>,
    columns: Option<&Bound<'_, PyAny>>,
) -> PyResult<Frame> {
    let py = conditions.py();
    let filter = known(frame, conditions, columns)
        .map_or_else(|| compiled(frame, conditions, columns), Ok)?;
    match detached(py, &frame.batch, || filter.run(&frame.batch)) {
        Ok(batch) => Ok(batch.into()),
        Err(Failure::Expression(error)) => Err(out_of_range(py, &error)),
        Err(Failure::Columns(error)) => Err(errors::columns(py, &error)),
    }
}

fn known(
    frame: &Frame,
    conditions: &Bound<'_, PyTuple>,
    columns: Option<&Bound<'_, PyAny>>,
) -> Option<Arc<Filter>> {
    let first = conditions.get_borrowed_item(0).ok()?;
    let at = place_of(Some(&first.cast::<Expr>().ok()?.get().0));
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = asked[at].as_ref()?;
    found.is(frame.batch.schema(), conditions, columns).then(|| Arc::clone(&found.filter))
}

fn compiled(
    frame: &Frame,
    conditions: &Bound<'_, PyTuple>,
    columns: Option<&Bound<'_, PyAny>>,
) -> PyResult<Arc<Filter>> {
    let py = conditions.py();
    let mut asked = Vec::with_capacity(conditions.len());
    for condition in conditions.iter_borrowed() {
        match condition.cast::<Expr>() {
            Ok(condition) => asked.push(&condition.get().0),
            Err(_) => return Err(no_condition(&condition)),
        }
    }
    let places = columns.map(|columns| places(frame, columns)).transpose()?;
    let filter = FILTERS
        .get(&asked, frame.batch.schema(), places.as_deref())
        .map_err(|error| raised(py, &error))?;
    let names = match columns {
        None => None,
        Some(columns) => {
            Some(columns.try_iter()?.map(|name| Ok(name?.unbind())).collect::<PyResult<_>>()?)
        }
    };
    let new = Asked {
        conditions: asked.iter().map(|&condition| condition.clone()).collect(),
        names,
        schema: Arc::clone(frame.batch.schema()),
        filter: Arc::clone(&filter),
    };
    let at = place_of(new.conditions.first());
    let old = ASKED.lock().unwrap_or_else(PoisonError::into_inner)[at].replace(new);
    // What it holds may take long to free.
    drop(old);
    Ok(filter)
}

fn no_condition(given: &Bound<'_, PyAny>) -> PyErr {
    let class = value::class_name(given);
    let message = format!(
        "filter() takes conditions as rm.col(\"total\") > 100, not {class}; a mask of NumPy or pandas is for \
         frame.to_pandas()"
    );
    PyTypeError::new_err(message)
}

/// The places of the columns that names name.
fn places(frame: &Frame, names: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    if let Ok(names) = names.cast::<PyList>() {
        let mut places = Vec::with_capacity(names.len());
        for name in names.iter() {
            places.push(place(frame, &name)?);
        }
        return Ok(places);
    }
    if let Ok(names) = names.cast::<PyTuple>() {
        let mut places = Vec::with_capacity(names.len());
        for name in names.iter_borrowed() {
            places.push(place(frame, &name)?);
        }
        return Ok(places);
    }
    let class = value::class_name(names);
    Err(PyTypeError::new_err(format!("columns is a list of names, not {class}")))
}

fn place(frame: &Frame, name: &Bound<'_, PyAny>) -> PyResult<usize> {
    match name.cast::<PyString>() {
        Ok(name) => frame.column_at(name),
        Err(_) => {
            let class = value::class_name(name);
            Err(PyTypeError::new_err(format!("columns is a list of names, not of {class}")))
        }
    }
}

/// `Frame.select`.
pub(crate) fn select(
    frame: &Frame,
    columns: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<Frame> {
    let py = columns.py();
    let wanted = wanted("select", columns, named)?;
    let projection = Projection::new(&wanted, frame.batch.schema());
    let projection = projection.map_err(|error| raised(py, &error))?;
    let batch = detached(py, &frame.batch, || projection.run(&frame.batch));
    batch.map(Frame::from).map_err(|error| out_of_range(py, &error))
}

/// Expressions with the names of the columns that they become.
pub(crate) fn wanted(
    verb: &str,
    columns: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<(Arc<str>, expr::Expr)>> {
    let py = columns.py();
    let mut wanted: Vec<(Arc<str>, expr::Expr)> = Vec::with_capacity(columns.len());
    for column in columns.iter_borrowed() {
        if let Ok(name) = column.cast::<PyString>() {
            let name: Arc<str> = (&*text(&name)?).into();
            wanted.push((Arc::clone(&name), expr::Expr::named(name)));
        } else if let Ok(labeled) = column.cast::<Labeled>() {
            let labeled = labeled.get();
            wanted.push((Arc::clone(&labeled.label), labeled.expression.clone()));
        } else if let Ok(expression) = column.cast::<Expr>() {
            let expression = &expression.get().0;
            let Some(column) = expression.as_column() else {
                let message = format!(
                    "{expression} has no name: write {verb}(name={expression}), or label(\"name\") after it"
                );
                return Err(errors::programming(py, &message));
            };
            wanted.push((Arc::clone(&column.name), expression.clone()));
        } else {
            let class = value::class_name(&column);
            let message = format!("{verb}() takes names and expressions, not {class}");
            return Err(PyTypeError::new_err(message));
        }
    }
    for (name, column) in named.into_iter().flatten() {
        let name: Arc<str> = text(name.cast::<PyString>()?)?.as_ref().into();
        // Beside names that are columns it would be taken for one.
        if let Ok(given) = column.repr()
            && column.is_instance_of::<PyString>()
        {
            let message = format!(
                "{verb}({name}={given}): is the column meant, rm.col({given}), or the text, rm.lit({given})?"
            );
            return Err(errors::programming(py, &message));
        }
        wanted.push((name, crate::query::expression(&column)?));
    }
    Ok(wanted)
}

/// `Frame.sort`.
pub(crate) fn sort(
    frame: &Frame,
    keys: &Bound<'_, PyTuple>,
    nulls: Option<&str>,
) -> PyResult<Frame> {
    let py = keys.py();
    let nulls = match nulls {
        None => None,
        Some("first") => Some(Operator::NullsFirst),
        Some("last") => Some(Operator::NullsLast),
        Some(other) => {
            let message = format!("nulls is \"first\" or \"last\", not {other:?}");
            return Err(errors::programming(py, &message));
        }
    };
    let mut by = Vec::with_capacity(keys.len());
    for key in keys.iter_borrowed() {
        let key = if let Ok(name) = key.cast::<PyString>() {
            expr::Expr::named(&*text(&name)?)
        } else if let Ok(key) = key.cast::<Expr>() {
            key.get().0.clone()
        } else {
            let class = value::class_name(&key);
            let message = format!("sort() takes names and expressions, not {class}");
            return Err(PyTypeError::new_err(message));
        };
        by.push(match nulls {
            // What a key says itself stands further in, and what stands further out counts.
            Some(nulls) if !says_nulls(&key) => {
                expr::Expr::call(nulls, [key]).map_err(|error| raised(py, &error))?
            }
            _ => key,
        });
    }
    let order = Order::new(&by, frame.batch.schema()).map_err(|error| raised(py, &error))?;
    let sorted = detached(py, &frame.batch, || {
        let rows = order.run(&frame.batch).map_err(Failure::Expression)?;
        frame.batch.reorder(&rows).map_err(Failure::Columns)
    });
    match sorted {
        Ok(batch) => Ok(batch.into()),
        Err(Failure::Expression(error)) => Err(out_of_range(py, &error)),
        Err(Failure::Columns(error)) => Err(errors::columns(py, &error)),
    }
}

fn says_nulls(key: &expr::Expr) -> bool {
    let mut found = false;
    let mut inner = key;
    while let expr::Op::Call(operator) = inner.op() {
        match operator {
            Operator::NullsFirst | Operator::NullsLast => found = true,
            Operator::Descending | Operator::Negate => {}
            _ => break,
        }
        inner = &inner.args()[0];
    }
    found
}
