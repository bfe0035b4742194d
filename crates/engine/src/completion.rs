use rowmill_columns::{Batch, OwnedRow};

use crate::Row;

/// What a statement came to.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Its rows; no columns where it returns none.
    pub batch: Batch,
    /// The first row, where that alone was asked for and it is not in the batch.
    pub(crate) row: Option<OwnedRow>,
    /// Rows that it inserted, updated, deleted or returned.
    pub affected: u64,
}

impl From<rowmill_wire::Completion> for Completion {
    fn from(completion: rowmill_wire::Completion) -> Self {
        Self { batch: completion.batch, row: completion.row, affected: completion.tag.rows }
    }
}

impl Completion {
    /// The first row.
    pub(crate) fn into_first(self) -> Option<Row> {
        self.row.map(Row::from).or_else(|| Row::first(&self.batch))
    }
}
