use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rowmill_expr::{Dialect, Statement};

use crate::transaction::refused;
use crate::words::begins_or_ends;
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

    /// The statement of `sql`, which is none that begins or ends a transaction behind the library's
    /// back. (SQLite's are told apart where they are run.)
    pub(crate) fn get(&self, sql: &str) -> Result<Arc<Statement>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = known.get(sql) {
            return Ok(Arc::clone(statement));
        }
        if self.dialect == Dialect::Postgres && begins_or_ends(sql) {
            return Err(refused().with_query(sql));
        }
        let statement = Statement::parse(sql, self.dialect)
            .map_err(|error| crate::Error::from(error).with_query(sql))?;
        let statement = Arc::new(statement);
        if sql.len() <= limits::TEXT_BYTES {
            if known.len() >= limits::TEXTS {
                known.clear();
            }
            known.insert(sql.into(), Arc::clone(&statement));
        }
        Ok(statement)
    }
}
