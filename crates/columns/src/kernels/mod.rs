//! Questions about columns, a chunk of rows at a time: which rows a comparison is true of, which
//! are kept, in which order they come.
//!
//! A kernel reads the memory of a column as it is and says what it found as a [`Mask`]: a bit for
//! true and a bit for known (not NULL) of each row of a [chunk](CHUNK). A [`Selection`] is the rows
//! that are left of all chunks; taking them out of a batch copies each kept value once. Loops are
//! written so that the compiler makes vector instructions of them; nothing here is `unsafe` but how
//! texts are gathered.

mod aggregate;
mod arithmetic;
mod compare;
mod deferred;
mod exact;
mod gather;
mod groups;
mod held;
mod join;
mod like;
mod list;
mod mask;
mod numbers;
mod pack;
mod ready;
mod selection;
mod set;
mod slab;
mod sort;
mod strings;
mod test;
#[cfg(test)]
mod tests;
mod text;
mod unique;
pub(crate) mod view;

pub use aggregate::Aggregate;
pub use arithmetic::{Arithmetic, Overflow};
pub use compare::{Comparison, compare_floats};
pub(crate) use deferred::Deferred;
pub use exact::parse_decimal;
pub use groups::{Groups, NullKeys};
pub(crate) use held::Held;
pub use join::{Join, comparable};
pub use like::Like;
pub use list::Quantifier;
pub use mask::{Bits, CHUNK, Mask};
pub use numbers::{Numbers, compare_columns, decimals};
pub use ready::Ready;
pub use selection::{Kept, Selection};
pub use sort::{SortKey, order};
pub use test::Test;
pub use text::TextTest;
pub use unique::Keep;
