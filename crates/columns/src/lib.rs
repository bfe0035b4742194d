//! What data is: types, builders, immutable batches, JSON and the Arrow C interface.
//!
//! This crate does no IO, reads no clock, starts no thread, holds no global and knows no Python.
//! It is the only one that names arrow.

mod batch;
pub mod build;
mod column;
mod dag;
mod elements;
mod error;
mod export;
mod import;
pub mod json;
pub mod kernels;
mod nest;
pub mod packed;
mod row;
mod scalar;
mod schema;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod text;
mod types;
mod value;

pub use batch::Batch;
pub use column::Column;
pub use dag::{Dag, Typed};
pub use elements::Elements;
pub use error::ColumnError;
pub use export::{ArrowArray, ArrowSchema, ArrowStream, TextLayout};
pub use import::{import_array, import_stream};
pub use nest::Nesting;
pub use row::OwnedRow;
pub use scalar::Scalar;
pub use schema::{Field, Schema};
pub use types::{ForeignType, Type};
pub use value::{DecimalValue, ListIter, ListValue, MapValue, StructValue, Value};
