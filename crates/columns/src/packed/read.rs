use super::cell::{Cell, Elements};
use super::layout::{Held, Layout, width};
use super::{ALIGN, HEAD, MAGIC};
use crate::{ColumnError, DecimalValue, Type};

/// A record, read where it lies. What is asked alone is looked at.
///
/// ```
/// use rowmill_columns::packed::{Cell, Held, Layout, Packed, PackedField, Packer};
/// use rowmill_columns::Type;
/// let field = |name: &str, held| PackedField {
///     name: name.into(), held, nullable: true, is_required: false, is_removed: false,
/// };
/// let fields = vec![field("id", Held::One(Type::Int64)), field("name", Held::One(Type::Text))];
/// let layout = Layout::new("User", fields)?;
/// let mut packer = Packer::new(&layout);
/// packer.set(0, Cell::Int(7))?;
/// packer.set(1, Cell::Text("Ada"))?;
/// let bytes = packer.finish()?;
/// let record = Packed::open(&layout, &bytes)?;
/// assert_eq!((record.get(0)?, record.get(1)?), (Cell::Int(7), Cell::Text("Ada")));
/// # Ok::<(), rowmill_columns::ColumnError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    layout: &'a Layout,
    bytes: &'a [u8],
    /// How many fields it was written with.
    count: usize,
    slots: usize,
}

impl<'a> Packed<'a> {
    /// # Errors
    /// Where the bytes are no record, or none of this layout or of one that it grew from, or end too early.
    #[inline]
    pub fn open(layout: &'a Layout, bytes: &'a [u8]) -> Result<Self, ColumnError> {
        let head: &[u8; HEAD] = bytes.first_chunk().ok_or_else(|| no_record(layout, bytes))?;
        let [m0, m1, m2, m3, c0, c1, r0, r1, identity @ ..] = *head;
        if [m0, m1, m2, m3] != MAGIC || [r0, r1] != [0, 0] {
            return Err(no_record(layout, bytes));
        }
        let count = usize::from(u16::from_le_bytes([c0, c1]));
        // One of no fields would be of every class.
        if count == 0 || layout.identity_of(count) != Some(u64::from_le_bytes(identity)) {
            return Err(foreign(layout, count, u64::from_le_bytes(identity)));
        }
        let slots = Layout::slots(count);
        if bytes.len() < slots + layout.offset(count) {
            return Err(broken(layout, "it ends before its last field"));
        }
        Ok(Self { layout, bytes, count, slots })
    }

    /// How many fields it was written with.
    pub fn count(&self) -> usize {
        self.count
    }

    #[cold]
    fn without(&self, field: usize) -> Result<Self, ColumnError> {
        let layout = self.layout;
        if layout.fields()[field].is_required {
            let name = &layout.fields()[field].name;
            let message = format!(
                "{}: the record was written without the field {name:?}, which has no default",
                layout.name()
            );
            return Err(ColumnError::new(message));
        }
        let count = layout.fields().len();
        Ok(Self { layout, bytes: layout.defaults(), count, slots: Layout::slots(count) })
    }

    /// The value of a field; its default where the record was written without it.
    ///
    /// # Errors
    /// Where the bytes say what cannot be, or there is no default.
    ///
    /// # Panics
    /// If the layout has no such field.
    #[inline]
    pub fn get(&self, field: usize) -> Result<Cell<'a>, ColumnError> {
        if field >= self.count {
            return self.without(field)?.get(field);
        }
        let Some(slot) = self.slot(field)? else { return Ok(Cell::Null) };
        match &self.layout.fields()[field].held {
            Held::One(Type::Bytes) => Ok(Cell::Bytes(self.piece(field, slot, 1)?.0)),
            Held::One(Type::Text) => {
                let bytes = self.piece(field, slot, 1)?.0;
                std::str::from_utf8(bytes)
                    .map(Cell::Text)
                    .map_err(|_| self.wrong(field, "is no UTF-8"))
            }
            Held::One(kind) => {
                value(kind, slot).ok_or_else(|| self.wrong(field, "is no value of its type"))
            }
            Held::Record(_) => self.piece(field, slot, 1).map(|(bytes, _)| Cell::Record(bytes)),
            Held::List(kind) => self.list(field, kind, slot).map(Cell::List),
            Held::Records(_) => self.texts(field, &Type::Bytes, slot).map(Cell::List),
        }
    }

    /// The slot of a field that the record has; `None` where it is NULL. That it is there was looked at when the
    /// record was opened.
    #[inline(always)]
    fn slot(&self, field: usize) -> Result<Option<&'a [u8]>, ColumnError> {
        if self.bytes[HEAD + field / 8] >> (field % 8) & 1 == 1 {
            return self.null(field);
        }
        let (start, end) = (self.layout.offset(field), self.layout.offset(field + 1));
        Ok(Some(&self.bytes[self.slots + start..self.slots + end]))
    }

    /// The slots of a field, NULL as `None`, where all records have been written with the same fields, this one among
    /// them.
    #[inline(always)]
    pub(super) fn slots<const N: usize>(
        field: usize,
        records: &[Option<Self>],
    ) -> Option<impl Iterator<Item = Option<&'a [u8; N]>>> {
        let first = records.first()?.as_ref()?;
        let (count, layout) = (first.count, first.layout);
        let is_same =
            |record: &Option<Self>| record.as_ref().is_some_and(|record| record.count == count);
        let start = first.slots + layout.offset(field);
        let is_wide = layout.offset(field + 1) == layout.offset(field) + N;
        if field >= count || !is_wide || !records.iter().all(is_same) {
            return None;
        }
        let (byte, bit) = (HEAD + field / 8, 1 << (field % 8));
        Some(records.iter().map(move |record| {
            let bytes = record.as_ref()?.bytes;
            if bytes[byte] & bit == 0 { bytes.get(start..)?.first_chunk() } else { None }
        }))
    }

    /// Calls `push` with the slot of a field of each record, and with the record that has it, be it that of the
    /// defaults; with none where it is NULL. An error comes with the place of its record.
    #[inline(always)]
    pub(super) fn each(
        field: usize,
        records: &[Option<Self>],
        mut push: impl FnMut(Option<(&Self, &'a [u8])>) -> Result<(), ColumnError>,
    ) -> Result<(), (usize, ColumnError)> {
        for (at, record) in records.iter().enumerate() {
            let pushed = match record {
                Some(record) if field < record.count => match record.slot(field) {
                    Ok(slot) => push(slot.map(|slot| (record, slot))),
                    Err(error) => Err(error),
                },
                None => push(None),
                Some(record) => record.without(field).and_then(|record| {
                    let slot = record.slot(field)?;
                    push(slot.map(|slot| (&record, slot)))
                }),
            };
            if let Err(error) = pushed {
                return Err((at, error));
            }
        }
        Ok(())
    }

    #[cold]
    fn null<T>(&self, field: usize) -> Result<Option<T>, ColumnError> {
        let given = &self.layout.fields()[field];
        if given.nullable || given.is_removed {
            Ok(None)
        } else {
            Err(self.wrong(field, "is NULL"))
        }
    }

    /// What a slot points to: so many elements of a width, and how many.
    #[inline]
    pub(super) fn piece(
        &self,
        field: usize,
        slot: &[u8],
        width: usize,
    ) -> Result<(&'a [u8], usize), ColumnError> {
        let (start, len) = place(slot);
        let end = len.checked_mul(width).and_then(|bytes| start.checked_add(bytes));
        // No piece is in the head, and each begins at a multiple of eight.
        let is_tail = start >= self.slots + self.layout.offset(self.count);
        match end.and_then(|end| self.bytes.get(start..end)) {
            Some(bytes) if is_tail && start.is_multiple_of(ALIGN) => Ok((bytes, len)),
            _ => Err(self.wrong(field, "points to where it cannot be")),
        }
    }

    pub(super) fn list(
        &self,
        field: usize,
        kind: &'a Type,
        slot: &[u8],
    ) -> Result<Elements<'a>, ColumnError> {
        let Some(width) = width(kind) else { return self.texts(field, kind, slot) };
        let (bytes, len) = self.piece(field, slot, width)?;
        Ok(Elements::Fixed { kind, bytes, len })
    }

    /// A list of pieces: where each ends, and behind that all of them.
    pub(super) fn texts(
        &self,
        field: usize,
        kind: &'a Type,
        slot: &[u8],
    ) -> Result<Elements<'a>, ColumnError> {
        let (ends, _) = self.piece(field, slot, 4)?;
        let mut before = 0;
        for end in ends.as_chunks().0 {
            let end = u32::from_le_bytes(*end);
            if end < before {
                return Err(self.wrong(field, "has elements that end before they begin"));
            }
            before = end;
        }
        if ends.is_empty() {
            return Ok(Elements::Texts { kind, ends, bytes: &[] });
        }
        let rest = self.bytes.get(place(slot).0 + ends.len()..);
        match rest.and_then(|rest| rest.get(..before as usize)) {
            Some(bytes) => Ok(Elements::Texts { kind, ends, bytes }),
            None => Err(self.wrong(field, "points to where it cannot be")),
        }
    }

    #[cold]
    pub(super) fn wrong(&self, field: usize, what: &str) -> ColumnError {
        let name = &self.layout.fields()[field].name;
        broken(self.layout, &format!("the field {name:?} {what}"))
    }
}

/// Where a slot says that a piece is, and how many elements it has.
#[inline]
fn place(slot: &[u8]) -> (usize, usize) {
    let [start, len] = *slot.as_chunks().0 else { unreachable!("a slot of eight bytes") };
    (u32::from_le_bytes(start) as usize, u32::from_le_bytes(len) as usize)
}

/// A value of a fixed width; `None` of bytes that are none.
#[inline]
pub(super) fn value<'a>(kind: &Type, bytes: &[u8]) -> Option<Cell<'a>> {
    let int = || bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes));
    Some(match kind {
        Type::Bool => Cell::Bool(bool_of(*bytes.first()?)?),
        Type::Int64 => Cell::Int(int()?),
        Type::Float64 => Cell::Float(f64::from_le_bytes(*bytes.first_chunk()?)),
        Type::Date => Cell::Date(i32::from_le_bytes(*bytes.first_chunk()?)),
        Type::Time => Cell::Time(int()?),
        Type::Timestamp { .. } => Cell::Timestamp(int()?),
        Type::Uuid => Cell::Uuid(*bytes.first_chunk()?),
        Type::Interval => {
            let (months, days, nanos) = span(*bytes.first_chunk()?);
            Cell::Interval { months, days, nanos }
        }
        Type::Decimal { .. } => Cell::Decimal(decimal(bytes)?),
        _ => return None,
    })
}

#[inline]
pub(super) fn bool_of(byte: u8) -> Option<bool> {
    (byte < 2).then_some(byte == 1)
}

/// Months, days and nanoseconds.
pub(super) fn span(bytes: [u8; 16]) -> (i32, i32, i64) {
    let whole = u128::from_le_bytes(bytes);
    (whole as i32, (whole >> 32) as i32, (whole >> 64) as i64)
}

/// A whole number, and how many of its digits follow the point.
pub(super) fn decimal(bytes: &[u8]) -> Option<DecimalValue> {
    let (unscaled, rest) = bytes.split_first_chunk()?;
    let scale = i8::from_le_bytes([*rest.first()?]);
    Some(DecimalValue::new(i128::from_le_bytes(*unscaled), scale))
}

#[cold]
fn no_record(layout: &Layout, bytes: &[u8]) -> ColumnError {
    let name = layout.name();
    let len = bytes.len();
    ColumnError::new(format!("{name}: {len} bytes that are no packed record"))
}

#[cold]
fn foreign(layout: &Layout, count: usize, identity: u64) -> ColumnError {
    let (name, own) = (layout.name(), layout.fields().len());
    let message = if count > own {
        format!(
            "{name}: a record of {count} fields, and {name} has {own}: it was written by a later version, or is of \
             another class"
        )
    } else {
        format!(
            "{name}: a record of another class ({identity:016x}): fields that are not at the end were added, renamed, \
             reordered or given another type; a field that is given up stays, as rm.removed()"
        )
    };
    ColumnError::new(message)
}

#[cold]
fn broken(layout: &Layout, what: &str) -> ColumnError {
    ColumnError::new(format!("{}: the record is broken: {what}", layout.name()))
}
