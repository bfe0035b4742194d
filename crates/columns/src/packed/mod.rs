//! Records in one piece of bytes each: what a cache or a column of a database holds, read where it lies.
//!
//! All numbers are little-endian.
//!
//! ```text
//!  0  "RMP1"
//!  4  u16    how many fields it was written with
//!  6  u16    0
//!  8  u64    the identity of those fields: names, types and order
//! 16  bits   of each field 1 where it is NULL, in words of 64
//!  .  slots  of each field its value, or where its elements are: u32 from the start, u32 how many
//!  .  tail   from a multiple of 8 on, each piece from a multiple of 8
//! ```
//!
//! A field's slot depends on the fields before it alone, so one more at the end leaves records that were written
//! before readable, and its identity says that they are of the same family. A field that is given up keeps its slot.
//! Whatever the bytes say is looked at before it is read.

mod cell;
mod columns;
mod layout;
mod pack;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use cell::{Cell, Elements};
pub use layout::{Held, Layout, PackedField};
pub use read::Packed;
pub use write::{ListPacker, Packer};

/// What every record begins with.
const MAGIC: [u8; 4] = *b"RMP1";
/// Where the bits of NULLs begin.
const HEAD: usize = 16;
/// Pieces of the tail begin at multiples of so many bytes, so that lists of numbers can be looked at where they lie.
const ALIGN: usize = 8;
