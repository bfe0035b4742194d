use std::fmt;

use super::cell::{Cell, Elements};
use super::layout::{Held, Layout, width};
use super::read::Packed;
use super::{ALIGN, HEAD, MAGIC};
use crate::{ColumnError, Type};

/// A record in the making; what is not set is NULL.
///
/// Fields are set once each and in their order, which is that of the tail: so records that are equal are equal bytes.
#[derive(Debug)]
pub struct Packer<'l> {
    layout: &'l Layout,
    bytes: Vec<u8>,
    slots: usize,
}

impl<'l> Packer<'l> {
    /// A record of NULLs.
    pub fn new(layout: &'l Layout) -> Self {
        Self::into(layout, Vec::new())
    }

    /// The same, in the memory of another, whose bytes are thrown away.
    pub fn into(layout: &'l Layout, mut bytes: Vec<u8>) -> Self {
        let count = layout.fields().len();
        let slots = Layout::slots(count);
        bytes.clear();
        bytes.reserve(slots + layout.offset(count) + ROOM);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(count as u16).to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&layout.identity().to_le_bytes());
        // Bits of fields that are not there are 0, so that equal records are equal bytes.
        bytes.resize(HEAD + count / 8, 0xff);
        if !count.is_multiple_of(8) {
            bytes.push(0xff >> (8 - count % 8));
        }
        bytes.resize(slots + layout.offset(count), 0);
        Self { layout, bytes, slots }
    }

    /// What the record is of.
    pub fn layout(&self) -> &'l Layout {
        self.layout
    }

    /// Sets a field.
    ///
    /// # Errors
    /// If the value is of another type, NULL where there must be a value, or makes the record larger than 4 GiB.
    ///
    /// # Panics
    /// If the layout has no such field.
    #[inline]
    pub fn set(&mut self, field: usize, cell: Cell<'_>) -> Result<(), ColumnError> {
        let given = &self.layout.fields()[field];
        match (&given.held, cell) {
            (_, Cell::Null) if given.nullable || given.is_removed => Ok(()),
            (Held::One(Type::Text), Cell::Text(text)) => self.piece(field, text.as_bytes()),
            (Held::One(Type::Bytes), Cell::Bytes(bytes)) => self.piece(field, bytes),
            (Held::One(kind), cell) => {
                let mut value = [0; WIDEST];
                match encode(kind, cell, &mut value) {
                    Some(width) => {
                        self.slot(field).copy_from_slice(&value[..width]);
                        Ok(())
                    }
                    None => Err(self.refused(field, cell)),
                }
            }
            (Held::Record(layout), Cell::Record(bytes)) => {
                Packed::open(layout, bytes)?;
                self.piece(field, bytes)
            }
            (Held::List(_) | Held::Records(_), Cell::List(elements)) => {
                let mut list = self.list(field, elements.len())?;
                for at in 0..elements.len() {
                    let element = elements.get(at)?;
                    list.push(match (&given.held, element) {
                        (Held::Records(_), Cell::Bytes(bytes)) => Cell::Record(bytes),
                        _ => element,
                    })?;
                }
                list.finish()
            }
            _ => Err(self.refused(field, cell)),
        }
    }

    /// Begins a field that is a list of `len` elements, which are then pushed.
    ///
    /// # Errors
    /// If the field is none.
    pub fn list<'p>(
        &'p mut self,
        field: usize,
        len: usize,
    ) -> Result<ListPacker<'p, 'l>, ColumnError> {
        let layout = self.layout;
        let held = &layout.fields()[field].held;
        let (Held::List(_) | Held::Records(_)) = held else {
            return Err(self.refused(field, Cell::List(Elements::NONE)));
        };
        let start = self.begin();
        let has_ends = !matches!(held, Held::List(kind) if width(kind).is_some());
        let data = start + if has_ends { len * 4 } else { 0 };
        self.bytes.resize(data, 0);
        Ok(ListPacker {
            packer: self,
            held,
            field,
            len,
            start,
            data: has_ends.then_some(data),
            at: 0,
        })
    }

    /// Sets a field to its default.
    ///
    /// # Errors
    /// If it has none.
    pub fn set_default(&mut self, field: usize) -> Result<(), ColumnError> {
        if self.layout.fields()[field].is_required {
            return Err(self.missing(field));
        }
        let cell = self.layout.default(field)?;
        self.set(field, cell)
    }

    /// The record.
    ///
    /// # Errors
    /// If a field that must have a value has none.
    pub fn finish(self) -> Result<Vec<u8>, ColumnError> {
        let bits = &self.bytes[HEAD..];
        let missing = bits.iter().zip(self.layout.must()).position(|(null, must)| null & must != 0);
        let Some(byte) = missing else { return Ok(self.bytes) };
        let bit = (bits[byte] & self.layout.must()[byte]).trailing_zeros();
        Err(self.missing(byte * 8 + bit as usize))
    }

    /// The record, whatever is missing.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The slot of a field that gets a value.
    fn slot(&mut self, field: usize) -> &mut [u8] {
        self.bytes[HEAD + field / 8] &= !(1 << (field % 8));
        let start = self.slots + self.layout.offset(field);
        &mut self.bytes[start..self.slots + self.layout.offset(field + 1)]
    }

    /// Where the next piece of the tail begins.
    fn begin(&mut self) -> usize {
        let start = self.bytes.len().next_multiple_of(ALIGN);
        self.bytes.resize(start, 0);
        start
    }

    fn piece(&mut self, field: usize, bytes: &[u8]) -> Result<(), ColumnError> {
        let start = self.begin();
        self.bytes.extend_from_slice(bytes);
        self.place(field, start, bytes.len())
    }

    /// Writes where a field's piece is. Once the record is larger than 4 GiB no piece has a place any more.
    fn place(&mut self, field: usize, start: usize, len: usize) -> Result<(), ColumnError> {
        let (Ok(at), Ok(count), Ok(_)) =
            (u32::try_from(start), u32::try_from(len), u32::try_from(self.bytes.len()))
        else {
            return Err(self.wrong(field, "makes the record larger than 4 GiB"));
        };
        let slot = self.slot(field);
        slot[..4].copy_from_slice(&at.to_le_bytes());
        slot[4..].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    /// The error of a value that a field is not for.
    #[cold]
    pub(super) fn mismatch(&self, field: usize, given: &dyn fmt::Display) -> ColumnError {
        let held = &self.layout.fields()[field].held;
        self.wrong(field, &format!("is {held}, not {given}"))
    }

    #[cold]
    fn missing(&self, field: usize) -> ColumnError {
        self.wrong(field, "is missing: it has no default, and may not be NULL")
    }

    #[cold]
    fn refused(&self, field: usize, cell: Cell<'_>) -> ColumnError {
        let held = &self.layout.fields()[field].held;
        match cell {
            Cell::Decimal(value) if matches!(held, Held::One(Type::Decimal { .. })) => {
                self.wrong(field, &format!("does not hold {value}: 38 digits at most"))
            }
            Cell::Null => self.wrong(field, "may not be NULL"),
            _ => self.mismatch(field, &cell.kind()),
        }
    }

    #[cold]
    fn wrong(&self, field: usize, what: &str) -> ColumnError {
        let name = &self.layout.fields()[field].name;
        ColumnError::new(format!("{}: the field {name:?} {what}", self.layout.name()))
    }
}

/// What is reserved behind the slots at first.
const ROOM: usize = 256;
/// The width of a decimal.
const WIDEST: usize = 17;

/// A list in the making: as many elements are pushed as were announced.
#[derive(Debug)]
pub struct ListPacker<'p, 'l> {
    packer: &'p mut Packer<'l>,
    held: &'l Held,
    field: usize,
    len: usize,
    start: usize,
    /// Where texts begin, behind their ends.
    data: Option<usize>,
    at: usize,
}

impl ListPacker<'_, '_> {
    /// Adds an element.
    ///
    /// # Errors
    /// If it is of another type, or NULL, or one more than there should be.
    #[inline]
    pub fn push(&mut self, cell: Cell<'_>) -> Result<(), ColumnError> {
        let out = &mut self.packer.bytes;
        match (self.held, cell) {
            _ if self.at == self.len => {
                return Err(self.wrong("has more elements than it began with"));
            }
            (Held::List(Type::Text), Cell::Text(text)) => out.extend_from_slice(text.as_bytes()),
            (Held::List(Type::Bytes), Cell::Bytes(bytes)) => out.extend_from_slice(bytes),
            (Held::Records(layout), Cell::Record(bytes)) => {
                Packed::open(layout, bytes)?;
                out.extend_from_slice(bytes);
            }
            (Held::List(kind), cell) => {
                let mut value = [0; WIDEST];
                match encode(kind, cell, &mut value) {
                    Some(width) => out.extend_from_slice(&value[..width]),
                    None => return Err(self.refused(cell)),
                }
            }
            _ => return Err(self.refused(cell)),
        }
        if let Some(data) = self.data {
            let Ok(end) = u32::try_from(self.packer.bytes.len() - data) else {
                return Err(self.wrong("makes the record larger than 4 GiB"));
            };
            let place = self.start + self.at * 4;
            self.packer.bytes[place..place + 4].copy_from_slice(&end.to_le_bytes());
        }
        self.at += 1;
        Ok(())
    }

    /// Ends the list.
    ///
    /// # Errors
    /// If elements are missing, or the record is larger than 4 GiB.
    pub fn finish(self) -> Result<(), ColumnError> {
        if self.at < self.len {
            return Err(self.wrong("has fewer elements than it began with"));
        }
        self.packer.place(self.field, self.start, self.len)
    }

    #[cold]
    fn refused(&self, cell: Cell<'_>) -> ColumnError {
        let (held, at) = (self.held, self.at);
        self.wrong(&format!("is {held}, and element {at} of what was given is {}", cell.kind()))
    }

    #[cold]
    fn wrong(&self, what: &str) -> ColumnError {
        self.packer.wrong(self.field, what)
    }
}

/// Writes a value of a fixed width, and says how wide it is; `None` where it is of another type.
#[inline]
fn encode(kind: &Type, cell: Cell<'_>, out: &mut [u8; WIDEST]) -> Option<usize> {
    let number = match (kind, cell) {
        (Type::Int64, Cell::Int(value))
        | (Type::Time, Cell::Time(value))
        | (Type::Timestamp { .. }, Cell::Timestamp(value)) => value.to_le_bytes(),
        (Type::Float64, Cell::Float(value)) => value.to_le_bytes(),
        (Type::Bool, Cell::Bool(value)) => {
            out[0] = value.into();
            return Some(1);
        }
        (Type::Date, Cell::Date(days)) => {
            out[..4].copy_from_slice(&days.to_le_bytes());
            return Some(4);
        }
        (Type::Uuid, Cell::Uuid(value)) => {
            out[..16].copy_from_slice(&value);
            return Some(16);
        }
        (Type::Interval, Cell::Interval { months, days, nanos }) => {
            out[..4].copy_from_slice(&months.to_le_bytes());
            out[4..8].copy_from_slice(&days.to_le_bytes());
            out[8..16].copy_from_slice(&nanos.to_le_bytes());
            return Some(16);
        }
        (Type::Decimal { .. }, Cell::Decimal(value)) => {
            let unscaled =
                value.unscaled().filter(|value| value.unsigned_abs() < 10_u128.pow(38))?;
            out[..16].copy_from_slice(&unscaled.to_le_bytes());
            out[16..].copy_from_slice(&value.scale().to_le_bytes());
            return Some(17);
        }
        _ => return None,
    };
    out[..8].copy_from_slice(&number);
    Some(8)
}
