//! Many stored conditions against one record: which of them are true?
//!
//! The conditions are indexed, so that a record is not held against each of them. What an index does not know is
//! computed as a filter does, for those conditions alone of which all else is true. A condition means here what it
//! means to a [filter](crate::filter): it matches where it is true, neither where it is false nor where it is NULL.
//!
//! ```
//! use std::sync::Arc;
//! use rowmill_columns::{Field, Schema, Type};
//! use rowmill_expr::matcher::{Attributes, Base, Record, Scratch};
//! use rowmill_expr::{Expr, Operator};
//! let fields = vec![Field::new("country", Type::Text), Field::new("age", Type::Int64)];
//! let attributes = Attributes::new(Arc::new(Schema::new(fields)));
//! let german = Expr::call(Operator::Equal, [Expr::named("country"), Expr::literal("DE")])?;
//! let adult = Expr::call(Operator::GreaterOrEqual, [Expr::named("age"), Expr::literal(18)])?;
//! let mut builder = Base::builder(&attributes);
//! builder.insert(7, &german)?;
//! builder.insert(8, &Expr::call(Operator::And, [german, adult])?)?;
//! let base = builder.build();
//!
//! let (mut record, mut scratch, mut ids) = (Record::new(&attributes), Scratch::new(), Vec::new());
//! record.set_text(0, "DE")?;
//! base.matches(&record, &mut scratch, &mut ids)?;
//! assert_eq!(ids, [7], "the age is not known");
//! # Ok::<(), rowmill_expr::ExprError>(())
//! ```
//!
//! How it works: an expression becomes a few conjunctions of clauses, each about one attribute, and a conjunction is
//! a *slot*, a bit of a bitmap. For each attribute there is a row of bits for each of its values: the slots that the
//! value leaves. Slots are sorted so that those stand together that fail together, in blocks of one cache line; of a
//! block of which nothing is left no further line is read.

mod attributes;
mod base;
mod bitmap;
mod builder;
mod clause;
mod dictionary;
mod explain;
mod expressions;
mod fill;
mod find;
mod form;
mod gather;
mod json;
mod key;
mod layer;
mod leaf;
mod line;
mod live;
mod merge;
mod narrow;
mod order;
mod record;
mod residual;
mod scratch;
mod slots;
mod snapshot;
mod stats;
mod step;
#[cfg(test)]
mod tests;
mod top;
mod view;

pub use attributes::Attributes;
pub use base::Base;
pub use bitmap::set_bits;
pub use builder::Builder;
pub use bytes::Bytes;
pub use explain::Said;
pub use live::{Live, RECENT};
pub use merge::Merge;
pub(crate) use record::HeldList;
pub use record::Record;
pub use scratch::Scratch;
pub use snapshot::Snapshot;
pub use stats::{LayerStats, Stats};
pub use top::Top;
pub use view::View;
