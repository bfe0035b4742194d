//! Frames grouped: what was asked last is compiled once.

use std::sync::{Arc, Mutex, PoisonError};

use rowmill_columns::Schema;
use rowmill_columns::kernels::NullKeys;
use rowmill_expr::filter::Grouping;
use rowmill_expr::{Expr, ExprError};

use crate::limits;

/// Columns under names, as keys or results.
type Named = [(Arc<str>, Expr)];

/// The groupings that were used last: for a hundred rows to compile one takes several times what grouping does.
#[derive(Debug, Default)]
pub struct Groupings {
    recent: Mutex<Vec<Arc<Grouping>>>,
}

impl Groupings {
    /// None yet.
    pub const fn new() -> Self {
        Self { recent: Mutex::new(Vec::new()) }
    }

    /// The grouping of these keys and results.
    ///
    /// # Errors
    /// As [`Grouping::new`].
    pub fn get(
        &self,
        keys: &Named,
        results: &Named,
        nulls: NullKeys,
        schema: &Arc<Schema>,
    ) -> Result<Arc<Grouping>, ExprError> {
        {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |known: &Arc<Grouping>| known.is_of(keys, results, nulls, schema);
            if let Some(at) = recent.iter().rposition(is_it) {
                let found = Arc::clone(&recent[at]);
                // The last ones are looked at first.
                if at + 2 < recent.len() {
                    recent.remove(at);
                    recent.push(Arc::clone(&found));
                }
                return Ok(found);
            }
        }
        let made = Arc::new(Grouping::new(keys, results, nulls, schema)?);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (recent.len() >= limits::FILTERS).then(|| recent.remove(0));
        recent.push(Arc::clone(&made));
        drop(recent);
        // What it holds may take long to free.
        drop(oldest);
        Ok(made)
    }
}
