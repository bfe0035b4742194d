//! What is asked: a statement's text, its placeholders and its identity.
//!
//! SQL is written once, with `$1` or `:name` placeholders, for every database; [`Statement::parse`]
//! gives the text in the database's own spelling, with the parameters numbered. This crate does no
//! IO, reads no clock, starts no thread, holds no global and knows no Python.

mod error;
mod lexer;
mod statement;
#[cfg(test)]
mod tests;

pub use error::StatementError;
pub use statement::{Dialect, Parameters, Statement};
