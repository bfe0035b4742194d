use std::sync::Arc;

use rowmill_columns::Scalar;
use rowmill_expr::Statement;

use crate::{Arguments, Error, Result};

/// One statement and many rows of parameters for it: all of them are run, or none.
#[derive(Debug)]
pub(crate) struct Many {
    pub(crate) statement: Arc<Statement>,
    pub(crate) rows: Vec<Vec<Scalar>>,
}

impl Many {
    pub(crate) fn new(
        statement: Arc<Statement>,
        rows: impl IntoIterator<Item = Arguments>,
    ) -> Result<Self> {
        let rows = rows.into_iter().enumerate().map(|(at, row)| {
            row.arrange(&statement).map_err(|error| in_row(at as u64, error.about(&statement)))
        });
        let rows = rows.collect::<Result<_>>()?;
        Ok(Self { statement, rows })
    }
}

/// The error, with the row it is about.
#[cold]
pub(crate) fn in_row(row: u64, mut error: Error) -> Error {
    let message = format!("row {row}: {}", error.message());
    error.set(error.kind(), message);
    error
}
