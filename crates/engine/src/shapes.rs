use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rowmill_columns::Scalar;
use rowmill_expr::query::Query;
use rowmill_expr::sql::{Bound, Sql, Target, compile};
use rowmill_expr::{Dialect, ExprError, Statement};

use crate::transaction::refused;
use crate::words::begins_or_ends;
use crate::{Error, ErrorKind, Result, limits};

/// The SQL of queries by their shape, so that it is written once for all values.
#[derive(Debug)]
pub(crate) struct Shapes {
    target: Target,
    known: Mutex<HashMap<u128, Arc<Known>>>,
}

#[derive(Debug)]
struct Known {
    sql: Sql,
    statement: Arc<Statement>,
}

impl Shapes {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, known: Mutex::default() }
    }

    /// The statement of a query and its parameters' values; `given` are those of the query's own
    /// parameters.
    pub(crate) fn get(
        &self,
        query: &Query,
        given: &[Scalar],
    ) -> Result<(Arc<Statement>, Vec<Scalar>)> {
        let bound = Bound::of(query);
        let known = self.known(query, &bound)?;
        let values = known.sql.values(&bound, given).map_err(Error::from)?;
        Ok((Arc::clone(&known.statement), values))
    }

    fn known(&self, query: &Query, bound: &Bound<'_>) -> Result<Arc<Known>> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&bound.key()) {
            return Ok(Arc::clone(known));
        }
        let sql = compile(query, bound, self.target)?;
        if matches!(query, Query::Raw(_)) && begins_or_ends(&sql.text) {
            return Err(refused().with_query(&sql.text));
        }
        let mut statement = Statement::ready(Arc::clone(&sql.text), sql.slots.len());
        // PostgreSQL says what its columns hold; SQLite does of a table's alone.
        if self.target.dialect() == Dialect::Sqlite {
            statement = statement.of_kinds(&query.kinds());
        }
        let statement = Arc::new(statement);
        let known = Arc::new(Known { sql, statement });
        if known.sql.text.len() <= limits::TEXT_BYTES {
            let mut all = lock();
            if all.len() >= limits::TEXTS {
                all.clear();
            }
            all.insert(bound.key(), Arc::clone(&known));
        }
        Ok(known)
    }
}

impl From<ExprError> for Error {
    fn from(error: ExprError) -> Self {
        Self::new(ErrorKind::Programming, error.to_string())
    }
}
