//! Queries as SQL, for either database.
//!
//! A text is written once for each [`key`](Bound::key): two queries that differ only in their values have the
//! same, and share text and prepared statement. Finding the key and the values is one walk over the query.

mod expression;
mod leaves;
mod place;
mod quote;
mod raw;
mod select;
mod slot;
#[cfg(test)]
mod tests;
mod top;
mod write;
mod writer;

use std::sync::Arc;

use rowmill_columns::Scalar;

pub use leaves::Bound;
pub use quote::quoted;
pub(crate) use select::order_key;
pub use slot::Slot;

use crate::query::Query;
use crate::{Dialect, ExprError};
use writer::{Writer, named_in};

/// Whose SQL, and how it keeps dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// PostgreSQL.
    Postgres,
    /// SQLite with dates as text, or as Julian days.
    Sqlite,
    /// SQLite with dates as Unix time.
    SqliteUnix,
}

impl Target {
    /// The dialect.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Postgres => Dialect::Postgres,
            Self::Sqlite | Self::SqliteUnix => Dialect::Sqlite,
        }
    }

    pub(crate) fn is_sqlite(self) -> bool {
        self != Self::Postgres
    }
}

/// The SQL of a query's shape, and which of a query's values are its parameters.
#[derive(Clone, Debug)]
pub struct Sql {
    /// The text, with `$1` or `?1`.
    pub text: Arc<str>,
    /// What each parameter is.
    pub slots: Vec<Slot>,
}

impl Sql {
    /// The parameters' values for a query of this shape; `given` are those of its
    /// [parameters](crate::Parameter).
    ///
    /// # Errors
    /// Where a value does not fit its place.
    pub fn values(&self, bound: &Bound<'_>, given: &[Scalar]) -> Result<Vec<Scalar>, ExprError> {
        self.slots.iter().map(|slot| slot.value(bound, given)).collect()
    }
}

/// Writes the SQL of a query.
///
/// ```
/// use rowmill_expr::query::{Output, Query, Select, Source, Table};
/// use rowmill_expr::sql::{Bound, Target, compile};
/// use rowmill_expr::{Expr, Operator};
/// let table = Table { schema: None, name: "orders".into(), alias: None, columns: [].into() };
/// let mut select = Select::new(vec![Output { expression: Expr::named("id"), label: None }]);
/// select.from = Some(Source::Table(table).into());
/// select.filter = vec![Expr::call(Operator::Greater, [Expr::named("total"), Expr::literal(100)])?];
/// let query = Query::Select(select.into());
/// let bound = Bound::of(&query);
/// let sql = compile(&query, &bound, Target::Postgres)?;
/// assert_eq!(&*sql.text, r#"select "id" from "orders" where "total" > $1"#);
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
///
/// # Errors
/// Where the query makes no sense as a whole, or the database cannot say it.
pub fn compile(query: &Query, bound: &Bound<'_>, target: Target) -> Result<Sql, ExprError> {
    let mut writer = Writer::new(bound, target);
    writer.with(&named_in(query)?)?;
    match query {
        Query::Select(select) => writer.select(select)?,
        Query::Insert(insert) => writer.insert(insert)?,
        Query::Update(update) => writer.update(update)?,
        Query::Delete(delete) => writer.delete(delete)?,
        Query::Raw(raw) => writer.raw(raw)?,
    }
    writer.finish()
}
