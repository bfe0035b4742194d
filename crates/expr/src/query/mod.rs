//! What is asked of a database: queries as values, built step by step, that know no SQL.

mod edge;
mod given;
mod keyset;
mod select;
mod source;
mod token;
mod union_or;
mod write;

#[cfg(test)]
mod tests;

pub use edge::foreign_keys;
pub(crate) use edge::sources_of;
pub use given::Given;
pub use keyset::Keyset;
pub use select::{Join, JoinForm, Measured, Output, Outputs, Select, SetOperation, Top};
pub use source::{Derived, DerivedForm, Reference, Source, Table, TableColumn};
pub use token::Place;
pub use write::{Conflict, Delete, Insert, Then, Update};

use std::sync::Arc;

use crate::kind::Kind;
use crate::node::Expr;
use crate::shape::Shape;

/// Any query.
#[derive(Clone, Debug)]
pub enum Query {
    /// Reads.
    Select(Arc<Select>),
    /// Adds rows, or changes those that are there.
    Insert(Arc<Insert>),
    /// Changes rows.
    Update(Arc<Update>),
    /// Removes rows.
    Delete(Arc<Delete>),
    /// SQL as it is.
    Raw(Expr),
}

impl Query {
    /// What it looks like, values left out.
    pub fn shape(&self) -> u128 {
        match self {
            Self::Select(query) => query.shape(),
            Self::Insert(query) => query.shape(),
            Self::Update(query) => query.shape(),
            Self::Delete(query) => query.shape(),
            Self::Raw(raw) => Shape::of(20).with(raw.shape()).finish(),
        }
    }

    /// What the columns of its answer hold; [`Kind::Any`] where that is not known.
    pub fn kinds(&self) -> Vec<Kind> {
        let of =
            |outputs: &Outputs| outputs.list().iter().map(|one| one.expression.kind()).collect();
        match self {
            Self::Select(query) => query.kinds(),
            Self::Insert(query) => of(&query.returning),
            Self::Update(query) => of(&query.returning),
            Self::Delete(query) => of(&query.returning),
            Self::Raw(_) => Vec::new(),
        }
    }

    /// All expressions, in one fixed order.
    pub(crate) fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Select(query) => query.expressions(visit),
            Self::Insert(query) => query.expressions(visit),
            Self::Update(query) => query.expressions(visit),
            Self::Delete(query) => query.expressions(visit),
            Self::Raw(raw) => visit(raw),
        }
    }
}
