#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rowmill::expr::{self, Operator as O};

use super::expression::{Col, Expr, expression, raised};
use super::reading::Select;
use super::source::source_of;
use crate::text::Text;
use crate::{errors, value};

/// The column of this name: of the frame that is filtered, or of the one table that a query is about.
///
/// >>> rm.col("total") > 100
/// col("total") > 100
#[pyfunction]
pub(crate) fn col(py: Python<'_>, name: Text<'_>) -> PyResult<Py<Col>> {
    Col::new(py, expr::Expr::named(name))
}

/// A value as an expression, for where Python would compute by itself. Used twice, it is one parameter.
#[pyfunction]
pub(crate) fn lit(value: &Bound<'_, PyAny>) -> PyResult<Expr> {
    expression(value).map(Expr)
}

fn call(py: Python<'_>, operator: O, args: Vec<expr::Expr>) -> PyResult<Expr> {
    expr::Expr::call(operator, args).map(Expr).map_err(|error| raised(py, &error))
}

fn all(args: &Bound<'_, PyTuple>) -> PyResult<Vec<expr::Expr>> {
    args.iter().map(|arg| expression(&arg)).collect()
}

fn some(operator: O, name: &str, args: &Bound<'_, PyTuple>) -> PyResult<Expr> {
    if args.is_empty() {
        return Err(errors::programming(args.py(), &format!("{name}() takes one value at least")));
    }
    call(args.py(), operator, all(args)?)
}

/// How many rows the group has.
#[pyfunction]
#[pyo3(signature = (*of), text_signature = "()")]
pub(crate) fn count(of: &Bound<'_, PyTuple>) -> PyResult<Expr> {
    if let Ok(given) = of.get_item(0) {
        let shown = value::repr(&given)?;
        let message = format!(
            "count() is of rows and takes nothing; {shown}.count() is of those that have a value there"
        );
        return Err(errors::programming(of.py(), &message));
    }
    call(of.py(), O::CountRows, Vec::new())
}

/// The first value that is not NULL.
#[pyfunction]
#[pyo3(signature = (*values))]
pub(crate) fn coalesce(values: &Bound<'_, PyTuple>) -> PyResult<Expr> {
    some(O::Coalesce, "coalesce", values)
}

/// The lowest of the values that are not NULL.
#[pyfunction]
#[pyo3(signature = (*values))]
pub(crate) fn least(values: &Bound<'_, PyTuple>) -> PyResult<Expr> {
    some(O::Least, "least", values)
}

/// The highest of the values that are not NULL.
#[pyfunction]
#[pyo3(signature = (*values))]
pub(crate) fn greatest(values: &Bound<'_, PyTuple>) -> PyResult<Expr> {
    some(O::Greatest, "greatest", values)
}

/// One text after the other.
#[pyfunction]
#[pyo3(signature = (*texts))]
pub(crate) fn concat(texts: &Bound<'_, PyTuple>) -> PyResult<Expr> {
    some(O::Concat, "concat", texts)
}

/// The value of the first condition that is true: `rm.case((a > 5, "high"), (a > 1, "low"), default="none")`.
#[pyfunction]
#[pyo3(signature = (*branches, default=None))]
pub(crate) fn case(
    branches: &Bound<'_, PyTuple>,
    default: Option<&Bound<'_, PyAny>>,
) -> PyResult<Expr> {
    let py = branches.py();
    if branches.is_empty() {
        return Err(errors::programming(py, "case() takes one (condition, value) at least"));
    }
    let mut args = Vec::with_capacity(2 * branches.len() + 1);
    for branch in branches {
        let Ok((condition, value)) = branch.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()
        else {
            return Err(errors::programming(py, "case() takes pairs: (condition, value), ..."));
        };
        args.extend([expression(&condition)?, expression(&value)?]);
    }
    args.push(match default {
        Some(value) => expression(value)?,
        None => expr::Expr::literal(rowmill::Scalar::Null),
    });
    call(py, O::Case, args)
}

/// Whether a point is at most so many metres from another: degrees of latitude and longitude, on a sphere.
#[pyfunction]
pub(crate) fn geo_within(
    latitude: &Bound<'_, PyAny>,
    longitude: &Bound<'_, PyAny>,
    of_latitude: &Bound<'_, PyAny>,
    of_longitude: &Bound<'_, PyAny>,
    metres: &Bound<'_, PyAny>,
) -> PyResult<Expr> {
    let args = [latitude, longitude, of_latitude, of_longitude, metres];
    call(latitude.py(), O::GeoWithin, args.into_iter().map(expression).collect::<PyResult<_>>()?)
}

/// Whether a query has a row.
#[pyfunction]
pub(crate) fn exists(query: &Bound<'_, PyAny>) -> PyResult<Expr> {
    let py = query.py();
    if let Ok(select) = query.cast::<Select>() {
        return select.get().exists(py);
    }
    let given = match source_of(query)? {
        Some(_) => "a table by itself".into(),
        None => value::class_name(query),
    };
    let message =
        format!("exists() takes a query, not {given}: rm.exists(rm.select(T).where(...))");
    Err(PyTypeError::new_err(message))
}

/// The row's number in its partition, from 1; for `over`.
#[pyfunction]
pub(crate) fn row_number(py: Python<'_>) -> PyResult<Expr> {
    call(py, O::RowNumber, Vec::new())
}

/// The row's rank in its partition, with gaps after equal rows; for `over`.
#[pyfunction]
pub(crate) fn rank(py: Python<'_>) -> PyResult<Expr> {
    call(py, O::Rank, Vec::new())
}

/// The row's rank in its partition, without gaps; for `over`.
#[pyfunction]
pub(crate) fn dense_rank(py: Python<'_>) -> PyResult<Expr> {
    call(py, O::DenseRank, Vec::new())
}

/// The table of operators: name, notation, whether NULL spreads, place, PostgreSQL's and SQLite's spelling, meaning.
#[pyfunction]
pub(crate) fn operators() -> Vec<[String; 7]> {
    let row = |entry: &expr::Entry| {
        let [name, nulls] = [format!("{:?}", entry.operator), format!("{:?}", entry.nulls)];
        let [notation, postgres, sqlite, doc] =
            [entry.notation, entry.postgres, entry.sqlite, entry.doc].map(str::to_owned);
        [name, notation, nulls, format!("{:?}", entry.place), postgres, sqlite, doc]
    };
    expr::TABLE.iter().map(row).collect()
}
