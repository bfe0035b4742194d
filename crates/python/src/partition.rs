use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use rowmill::Cut;

/// How `stream` cuts a result into parts, which several connections read side by side on one snapshot:
/// by ranges of a column of the result, NULL being a range of its own.
///
/// >>> for frame in db.stream("select * from orders", partition=rm.Partition("id", parts=8)):
/// ...     print(len(frame))
/// 2
///
/// The statement runs once for each part, so it has to give the same rows each time: no `random()`, no
/// `limit` without an order. That is cheap where the column has an index. SQLite reads the same rows on
/// one connection.
///
/// Args:
///     on: The column. "ctid" cuts a whole PostgreSQL table by its pages, with no index: then the
///         statement is the table's name alone.
///     parts: How many. The connections that are free share them, all but one of the pool's at most;
///         where values crowd together, more parts than connections even that out.
///     by: "range" cuts equal steps from the smallest to the greatest value: numbers, dates, times,
///         UUIDs. "rows" cuts equal counts of rows, of any type that has an order; the server sorts the
///         column's values for that.
///     ordered: Whether the rows come in the order of the column, NULL last, as by `order by`. Without,
///         each Frame comes as soon as it is there. In order, connections wait for the part before
///         theirs once they have read some 24 MiB ahead together: many small parts keep them busy.
#[pyclass(frozen, module = "rowmill", eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Partition {
    /// The column.
    #[pyo3(get)]
    on: String,
    /// How many parts.
    #[pyo3(get)]
    parts: usize,
    by: Cut,
    /// Whether rows come in the column's order.
    #[pyo3(get)]
    ordered: bool,
}

#[pymethods]
impl Partition {
    #[new]
    #[pyo3(signature = (on, /, *, parts=4, by="range", ordered=false))]
    fn new(on: String, parts: usize, by: &str, ordered: bool) -> PyResult<Self> {
        let by = match by {
            "range" => Cut::Range,
            "rows" => Cut::Rows,
            other => {
                let message = format!("by is \"range\" or \"rows\", not {other:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        if !(1..=10_000).contains(&parts) {
            return Err(PyValueError::new_err(format!("parts is 1 to 10,000, not {parts}")));
        }
        if on.is_empty() || on.contains('\0') {
            return Err(PyValueError::new_err(format!("{on:?} is no column's name")));
        }
        Ok(Self { on, parts, by, ordered })
    }

    /// "range" or "rows".
    #[getter]
    fn by(&self) -> &'static str {
        match self.by {
            Cut::Range => "range",
            Cut::Rows => "rows",
        }
    }

    fn __repr__(&self) -> String {
        let Self { on, parts, ordered, .. } = self;
        let ordered = if *ordered { "True" } else { "False" };
        format!("Partition({on:?}, parts={parts}, by={:?}, ordered={ordered})", self.by())
    }
}

/// What `partition=` takes: a Partition, or the name of a column.
pub(crate) fn partition(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<rowmill::Partition>> {
    let Some(given) = given else { return Ok(None) };
    let Partition { on, parts, by, ordered } = if let Ok(known) = given.cast::<Partition>() {
        known.get().clone()
    } else if let Ok(on) = given.extract::<String>() {
        Partition::new(on, 4, "range", false)?
    } else {
        return Err(PyTypeError::new_err("partition is a Partition, or a column's name"));
    };
    let partition = rowmill::Partition::new(on).parts(parts).cut(by);
    Ok(Some(if ordered { partition.ordered() } else { partition }))
}
