use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rowmill_expr::{Dialect, Statement};

use crate::{Result, limits};

/// Statements by the SQL they were read from, so that a text is read once.
#[derive(Debug)]
pub(crate) struct Texts {
    dialect: Dialect,
    known: Mutex<HashMap<Box<str>, Arc<Statement>>>,
}

impl Texts {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, known: Mutex::default() }
    }

    /// The statement of `sql`.
    pub(crate) fn get(&self, sql: &str) -> Result<Arc<Statement>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = known.get(sql) {
            return Ok(Arc::clone(statement));
        }
        let statement = Statement::parse(sql, self.dialect)
            .map_err(|error| crate::Error::from(error).with_query(sql))?;
        let statement = Arc::new(statement);
        if known.len() >= limits::TEXTS {
            known.clear();
        }
        known.insert(sql.into(), Arc::clone(&statement));
        Ok(statement)
    }
}
