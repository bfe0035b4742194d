//! Frames grouped: what was asked last is compiled once.

use std::sync::Arc;

use rowmill_columns::Schema;
use rowmill_columns::kernels::NullKeys;
use rowmill_expr::filter::Grouping;
use rowmill_expr::{Expr, ExprError};

use crate::filter::is_schema;
use crate::recent::Recent;

/// A column under a name, as a key or a result.
type Named = (Arc<str>, Expr);

/// The groupings that were used last: for a hundred rows to compile one takes several times what grouping does.
#[derive(Debug)]
pub struct Groupings {
    recent: Recent<Asked, Grouping>,
}

#[derive(Debug)]
struct Asked {
    keys: Vec<Named>,
    results: Vec<Named>,
    nulls: NullKeys,
    schema: Arc<Schema>,
}

impl Groupings {
    /// None yet.
    pub const fn new() -> Self {
        Self { recent: Recent::new() }
    }

    /// The grouping of these keys and results.
    ///
    /// # Errors
    /// As [`Grouping::new`].
    pub fn get(
        &self,
        keys: &[Named],
        results: &[Named],
        nulls: NullKeys,
        schema: &Arc<Schema>,
    ) -> Result<Arc<Grouping>, ExprError> {
        let same = |known: &[Named], asked: &[Named]| {
            let mut pairs = known.iter().zip(asked);
            known.len() == asked.len()
                && pairs.all(|(one, other)| one.0 == other.0 && one.1.same(&other.1))
        };
        let is_it = |known: &Asked, _: &Grouping| {
            known.nulls == nulls
                && same(&known.keys, keys)
                && same(&known.results, results)
                && is_schema(&known.schema, schema)
        };
        self.recent.get(is_it, || {
            let grouping = Grouping::new(keys, results, nulls, schema)?;
            let (keys, results) = (keys.to_vec(), results.to_vec());
            Ok((Asked { keys, results, nulls, schema: Arc::clone(schema) }, grouping))
        })
    }
}

impl Default for Groupings {
    fn default() -> Self {
        Self::new()
    }
}
