//! What is asked: expressions, queries and their SQL, a statement's text, its placeholders and its
//! identity.
//!
//! SQL is written once, with `$1` or `:name` placeholders, for every database; [`Statement::parse`]
//! gives the text in the database's own spelling, with the parameters numbered. An [`Expr`] is written
//! once for every engine: [`sql`] spells it, and a filter runs it over columns. This crate does no
//! IO, reads no clock, starts no thread, holds no global and knows no Python.

mod coerce;
mod display;
mod error;
mod expr_error;
pub mod filter;
mod kind;
mod lexer;
pub mod limits;
pub mod matcher;
mod nearest;
mod node;
mod normal;
mod operators;
pub mod query;
pub mod regex;
mod rules;
mod shape;
pub mod sql;
mod statement;
pub mod stored;
#[cfg(test)]
mod tests;
pub mod text_number;
mod text_value;

pub use coerce::kept;
pub use error::StatementError;
pub use expr_error::ExprError;
pub use kind::{Base, Kind};
pub use node::{ColumnRef, Expr, Op, Parameter, QueryForm};
pub use operators::{Binding, Entry, Nulls, Operator, Place, TABLE};
pub use rules::{Mismatch, Rule};
pub use statement::{Dialect, Parameters, Statement};
