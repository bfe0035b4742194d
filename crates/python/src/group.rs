#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rowmill::grouping::Groupings;
use rowmill::kernels::NullKeys;
use rowmill::{Batch, expr};

use crate::errors;
use crate::filter::{detached, out_of_range, wanted};
use crate::frame::Frame;
use crate::query::raised;

static GROUPINGS: Groupings = Groupings::new();

/// A frame's rows by groups, made by `Frame.group_by`; `agg` says what each group comes to.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct GroupBy {
    batch: Batch,
    keys: Vec<(Arc<str>, expr::Expr)>,
    nulls: NullKeys,
}

impl GroupBy {
    pub(crate) fn new(
        frame: &Frame,
        keys: &Bound<'_, PyTuple>,
        drop_nulls: bool,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = keys.py();
        let keys = wanted("group_by", keys, named)?;
        if let Some((name, key)) = keys.iter().find(|(_, key)| key.value().is_some()) {
            let message = format!(
                "group_by({name}={key}): a key is a column, or computed of columns; the option for keys that are NULL is \
                 drop_nulls"
            );
            return Err(errors::programming(py, &message));
        }
        let nulls = if drop_nulls { NullKeys::Dropped } else { NullKeys::Kept };
        // A misspelt key is told here, not where the results are.
        GROUPINGS
            .get(&keys, &[], nulls, frame.batch.schema())
            .map_err(|error| raised(py, &error))?;
        Ok(Self { batch: frame.batch.clone(), keys, nulls })
    }
}

#[pymethods]
impl GroupBy {
    /// A row for each group, in the order of their first rows: its keys, and what it comes to.
    ///
    /// >>> frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
    /// >>> frame.group_by("team").agg(games=rm.count(), best=rm.col("points").max()).to_dict()
    /// {'team': ['a', 'b'], 'games': [2, 1], 'best': [4, 5]}
    ///
    /// Each result is an aggregate, or computed from aggregates and keys. Aggregates pass over NULLs and mean what they
    /// mean in a query: a sum of no values is NULL, and one beyond 64 bits is an error.
    #[pyo3(signature = (*results, **named))]
    fn agg(
        &self,
        results: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Frame> {
        let py = results.py();
        let results = wanted("agg", results, named)?;
        let grouping = GROUPINGS
            .get(&self.keys, &results, self.nulls, self.batch.schema())
            .map_err(|error| raised(py, &error))?;
        let found = detached(py, &self.batch, || grouping.run(&self.batch));
        found.map(Frame::from).map_err(|error| out_of_range(py, &error))
    }

    fn __repr__(&self) -> String {
        let names: Vec<&str> = self.keys.iter().map(|(name, _)| &**name).collect();
        let rows = self.batch.rows();
        format!("<rowmill.GroupBy of {rows} rows by {}>", names.join(", "))
    }
}
