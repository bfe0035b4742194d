use rowmill_columns::Batch;

/// What a statement came to.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Its rows; no columns where it returns none.
    pub batch: Batch,
    /// Rows that it inserted, updated, deleted or returned.
    pub affected: u64,
}

impl From<rowmill_wire::Completion> for Completion {
    fn from(completion: rowmill_wire::Completion) -> Self {
        Self { batch: completion.batch, affected: completion.tag.rows }
    }
}
