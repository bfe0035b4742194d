//! Packed records in Python: the class of them, one of them, its properties, and many as columns.

mod class;
mod columns;
mod memory;
mod read;
mod record;
mod write;

pub(crate) use class::PackedClass;
pub(crate) use columns::{from_packed, to_packed};
pub(crate) use record::Record;
