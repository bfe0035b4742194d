//! Builders: cells go in one by one, a [`Column`](crate::Column) comes out.
//!
//! A builder never holds a row and never allocates per cell: it appends to one growing buffer per
//! column, in the layout Arrow wants, so that `finish` moves the buffer instead of copying it.
//! Buffers are plain `Vec`s of naturally aligned values because growing those is `realloc`, which
//! the C library serves with `mremap` above 128 KiB: no byte is copied when a large column grows.

mod bits;
mod bytes;
mod decimal;
mod dictionary;
mod fixed;
mod fixed_list;
mod list;
mod structure;
#[cfg(test)]
mod tests;
mod text_map;
mod validity;

pub use arrow_buffer::IntervalMonthDayNano;
pub use bits::Bits;
pub use bytes::{Bytes, TextError};
pub use decimal::{Decimal, DecimalError};
pub use dictionary::Dictionary;
pub use fixed::{Fixed, Native};
pub use fixed_list::FixedList;
pub use list::ListOffsets;
pub use structure::Structure;
pub use text_map::TextMap;
pub use validity::Validity;
