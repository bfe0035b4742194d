//! A matcher's conditions and their index as bytes, which another process reads instead of building it.
//!
//! ```text
//! "ROWMATCH", version: u32, 0: u32 | what the caller keeps beside it | attributes | conditions of no index | indexes |
//! length: u64, BLAKE3 of all before: [u8; 32], "ROWM.END"
//! ```
//!
//! Numbers are little-endian. The index's arrays are copied out of the bytes and every number in them is looked at, so
//! that none leads out of bounds, whatever the bytes are. Conditions stay as they are in the bytes, and one is made an
//! expression when it is asked for.

mod base;
mod layer;
mod out;
mod packed;
mod schema;
mod source;

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use self::out::Out;
pub(crate) use self::packed::Packed;
use self::packed::Packer;
use self::source::{Source, damaged};
use super::attributes::Attributes;
use super::base::Base;
use super::live::Live;
use super::view::{Dead, Level, View};
use crate::ExprError;

const MAGIC: &[u8; 8] = b"ROWMATCH";
const END: &[u8; 8] = b"ROWM.END";
const VERSION: u32 = 1;
/// Bytes before what is written, and after it.
const HEAD: usize = 16;
const FOOT: usize = 48;

/// What a [`View`] has, ready to be written.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Field, Schema, Type};
/// use rowmill_expr::matcher::{Attributes, Live, Record, Scratch};
/// use rowmill_expr::{Expr, Operator};
/// let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("age", Type::Int64)])));
/// let live = Live::new(&attributes);
/// live.insert(7, &Expr::call(Operator::Greater, [Expr::named("age"), Expr::literal(17)])?)?;
/// let bytes = live.view().snapshot(b"whose it is")?.to_bytes();
///
/// let (live, beside) = Live::from_bytes(&bytes.into())?;
/// assert_eq!(&*beside, b"whose it is");
/// let (mut record, mut scratch, mut ids) = (Record::new(live.attributes()), Scratch::new(), Vec::new());
/// record.set_int(0, 30)?;
/// live.view().matches(&record, &mut scratch, &mut ids)?;
/// assert_eq!(ids, [7]);
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Snapshot<'v> {
    view: &'v View,
    beside: &'v [u8],
    /// The conditions of no index.
    recent: Packed,
    /// Of each index the conditions that are computed, and all.
    packed: Vec<(Packed, Packed)>,
}

impl View {
    /// What is stored, ready to be written; `beside` is what the caller wants to find again with it.
    ///
    /// # Errors
    /// Where an attribute is of a type that is not stored, or a condition is [none](crate::Expr::to_json) that is.
    pub fn snapshot<'v>(&'v self, beside: &'v [u8]) -> Result<Snapshot<'v>, ExprError> {
        schema::check(self.attributes())?;
        let mut packer = Packer::new(self.attributes());
        for recent in &self.recent {
            packer.push(&recent.expression)?;
        }
        let recent = packer.finish();
        let packed = self.levels.iter().map(|level| level.base.packed()).collect::<Result<_, _>>();
        Ok(Snapshot { view: self, beside, recent, packed: packed? })
    }
}

impl Snapshot<'_> {
    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Nothing is refused by memory.
        let _ = self.write(&mut bytes);
        bytes
    }

    /// Writes the bytes, in pieces of up to a mebibyte or as large as they are in memory.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut dyn io::Write) -> io::Result<()> {
        let mut out = Out::new(to);
        out.raw(MAGIC)?;
        out.u32(VERSION)?;
        out.u32(0)?;
        out.bytes(self.beside)?;
        schema::write(self.view.attributes(), &mut out)?;
        let recent = &self.view.recent;
        out.u64s(recent.iter().map(|recent| recent.id))?;
        out.u64s(recent.iter().map(|recent| recent.priority.to_bits()))?;
        self.recent.write(&mut out)?;
        out.u64(self.view.levels.len() as u64)?;
        for (level, packed) in self.view.levels.iter().zip(&self.packed) {
            let dead: &[u64] = level.dead.as_ref().map_or(&[], |dead| &dead.words);
            out.u64s(dead.iter().copied())?;
            level.base.write(packed, &mut out)?;
        }
        out.end(END)
    }
}

impl Live {
    /// What a [`Snapshot`] wrote, and what was kept beside it. The conditions stay in `bytes`, which may be a file's
    /// mapping; the rest is copied.
    ///
    /// # Errors
    /// Where the bytes are no snapshot, not a whole one, damaged, or of a later version of Rowmill.
    pub fn from_bytes(bytes: &Bytes) -> Result<(Self, Bytes), ExprError> {
        let body = checked(bytes)?;
        let mut source = Source::new(bytes, body);
        let beside = source.shared()?;
        let attributes = Attributes::new(Arc::new(schema::read(&mut source)?));
        let live = Self::new(&attributes);
        let ids = source.u64s()?;
        let priorities = source.f64s()?;
        let recent = Packed::read(&attributes, &mut source)?;
        if recent.len() != ids.len() || priorities.len() != ids.len() {
            return Err(damaged("conditions of no index"));
        }
        let mut view = View::empty(&attributes);
        for _ in 0..source.u64()? {
            let dead = source.u64s()?;
            let base = Base::read(&attributes, &mut source)?;
            let dead = dead_of(dead, base.len())?;
            let level = Level { base: Arc::new(base), dead, is_fixed: false };
            if view.levels.iter().any(|other| level.meets(other)) {
                return Err(damaged("an id is in two indexes"));
            }
            view.levels.push(level);
        }
        source.end()?;
        live.publish(view);
        for (at, (&id, priority)) in ids.iter().zip(priorities).enumerate() {
            live.insert_with_priority(id, &recent.get(at)?, priority)?;
        }
        Ok((live, beside))
    }
}

/// Where the body is of what is a snapshot, and whole.
fn checked(bytes: &Bytes) -> Result<std::ops::Range<usize>, ExprError> {
    if bytes.len() < HEAD || !bytes.starts_with(MAGIC) {
        return Err(ExprError::new("is no snapshot of a matcher"));
    }
    let version = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    if version != VERSION {
        return Err(ExprError::new(format!(
            "the snapshot is of format {version}, and this version of Rowmill reads {VERSION}: build the matcher from its \
             conditions, or read it with the version that wrote it"
        )));
    }
    let Some(end) = bytes.len().checked_sub(FOOT).filter(|_| bytes.ends_with(END)) else {
        return Err(ExprError::new("the snapshot is cut short: its end is not there"));
    };
    let (content, foot) = bytes.split_at(end);
    if foot[..8] != (end as u64).to_le_bytes() || blake3::hash(content) != foot[8..40] {
        return Err(ExprError::new(
            "the snapshot is damaged: its checksum is that of other bytes; write it anew",
        ));
    }
    Ok(HEAD..end)
}

fn dead_of(words: Vec<u64>, of: usize) -> Result<Option<Arc<Dead>>, ExprError> {
    if words.is_empty() {
        return Ok(None);
    }
    let beyond = !of.is_multiple_of(64) && words.last().is_some_and(|last| last >> (of % 64) != 0);
    if words.len() != of.div_ceil(64) || beyond {
        return Err(damaged("what was removed"));
    }
    let count = words.iter().map(|word| word.count_ones() as usize).sum();
    Ok(Some(Arc::new(Dead { words, count })))
}
