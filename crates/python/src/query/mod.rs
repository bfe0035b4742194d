//! Expressions and queries as Python sees them.

mod ask;
mod assigned;
mod dialect;
mod expression;
mod functions;
pub(crate) mod neighbours;
mod page;
mod prepared;
mod raw;
mod reading;
mod source;
mod writing;

pub(crate) use ask::{asked, nested, statement};
pub(crate) use dialect::dialect;
pub(crate) use expression::{Col, Expr, Labeled, Quantified, expression, raised};
pub(crate) use functions::*;
pub(crate) use page::{Page, Paging};
pub(crate) use prepared::{Call, Prepared, parameter};
pub(crate) use raw::{Raw, sql};
pub(crate) use reading::{Select, select};
pub(crate) use source::{Source, Subquery, kind_named, source_of};
pub(crate) use writing::{Delete, Insert, Update, delete, insert, update, upsert};
