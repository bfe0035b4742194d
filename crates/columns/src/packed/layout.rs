use std::fmt;
use std::sync::Arc;

use super::{Cell, HEAD, Packed, Packer};
use crate::{ColumnError, Type};

/// What a field of a record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// One value.
    One(Type),
    /// A list of values, none of them NULL.
    List(Type),
    /// Another record.
    Record(Arc<Layout>),
    /// A list of other records, none of them NULL.
    Records(Arc<Layout>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedField {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub held: Held,
    /// Whether it may be NULL. This may change: what is NULL all the same is refused when it is read.
    pub nullable: bool,
    /// Whether records that were written before there was such a field are refused: they have no value for it.
    pub is_required: bool,
    /// Whether it was given up: its place stays.
    pub is_removed: bool,
}

/// The fields of a kind of record, and where each is.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    name: Arc<str>,
    fields: Vec<PackedField>,
    /// Where each field's slot begins, counted from the first slot; and where the last ends.
    offsets: Vec<usize>,
    /// The identity of the first so many fields.
    identities: Vec<u64>,
    /// A record of what fields are in records that were written without them.
    defaults: Vec<u8>,
    /// A bit for each field that must have a value.
    must: Vec<u8>,
}

/// More would not fit the head.
const FIELDS: usize = u16::MAX as usize;

impl Layout {
    /// The layout of fields in this order.
    ///
    /// # Errors
    /// If there are none or too many, two have one name, or one is of a type that no record holds.
    pub fn new(name: &str, fields: Vec<PackedField>) -> Result<Self, ColumnError> {
        let refused = |message: String| Err(ColumnError::new(format!("{name}: {message}")));
        if fields.is_empty() || fields.len() > FIELDS {
            return refused(format!("a record has 1 to {FIELDS} fields, not {}", fields.len()));
        }
        let mut names = std::collections::HashSet::new();
        let (mut offsets, mut offset) = (Vec::with_capacity(fields.len() + 1), 0);
        let mut identities = Vec::with_capacity(fields.len() + 1);
        let mut identity = Identity::default();
        identities.push(identity.0);
        for field in &fields {
            if !names.insert(&field.name) {
                return refused(format!("{:?} is the name of two fields", &*field.name));
            }
            let Some(width) = field.held.width() else {
                return refused(format!(
                    "{:?} is {}, which no record holds",
                    &*field.name, field.held
                ));
            };
            offsets.push(offset);
            offset += width;
            identity.add(field);
            identities.push(identity.0);
        }
        offsets.push(offset);
        let mut must = vec![0; fields.len().div_ceil(8)];
        for (at, field) in fields.iter().enumerate() {
            must[at / 8] |= u8::from(!field.nullable && !field.is_removed) << (at % 8);
        }
        let name = name.into();
        let mut layout = Self { name, fields, offsets, identities, defaults: Vec::new(), must };
        layout.defaults = Packer::new(&layout).into_bytes();
        Ok(layout)
    }

    /// The same, where records that were written without a field have what `set` sets it to.
    ///
    /// # Errors
    /// Whatever `set` gives.
    pub fn with_defaults<E>(
        mut self,
        set: impl FnOnce(&mut Packer<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut packer = Packer::new(&self);
        set(&mut packer)?;
        self.defaults = packer.into_bytes();
        Ok(self)
    }

    /// The record of defaults.
    pub(super) fn defaults(&self) -> &[u8] {
        &self.defaults
    }

    /// The default of a field.
    pub(super) fn default(&self, field: usize) -> Result<Cell<'_>, ColumnError> {
        Packed::open(self, &self.defaults)?.get(field)
    }

    /// A bit for each field that must have a value.
    #[inline]
    pub(super) fn must(&self) -> &[u8] {
        &self.must
    }

    /// What such records are called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields in their order.
    #[inline]
    pub fn fields(&self) -> &[PackedField] {
        &self.fields
    }

    /// The identity of records with all fields.
    #[inline]
    pub fn identity(&self) -> u64 {
        self.identities[self.fields.len()]
    }

    /// The identity of records that were written when there were `count` fields.
    #[inline]
    pub(super) fn identity_of(&self, count: usize) -> Option<u64> {
        self.identities.get(count).copied()
    }

    /// Where the slots of a record of `count` fields begin.
    #[inline]
    pub(super) fn slots(count: usize) -> usize {
        HEAD + count.div_ceil(64) * 8
    }

    /// Where a field's slot begins, counted from the first; of their number, where the last ends.
    #[inline]
    pub(super) fn offset(&self, field: usize) -> usize {
        self.offsets[field]
    }
}

impl Held {
    /// How many bytes a slot takes.
    pub(super) fn width(&self) -> Option<usize> {
        match self {
            Self::One(kind) => width(kind).or(is_text(kind).then_some(8)),
            Self::List(kind) => (width(kind).is_some() || is_text(kind)).then_some(8),
            Self::Record(_) | Self::Records(_) => Some(8),
        }
    }
}

/// How many bytes a value of a fixed width takes.
#[inline]
pub(super) fn width(kind: &Type) -> Option<usize> {
    Some(match kind {
        Type::Bool => 1,
        Type::Date => 4,
        Type::Int64 | Type::Float64 | Type::Time | Type::Timestamp { .. } => 8,
        Type::Uuid | Type::Interval => 16,
        // Each value has a scale of its own.
        Type::Decimal { .. } => 17,
        _ => return None,
    })
}

pub(super) fn is_text(kind: &Type) -> bool {
    matches!(kind, Type::Text | Type::Bytes)
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(Type::Decimal { .. }) => f.write_str("decimal"),
            Self::List(Type::Decimal { .. }) => f.write_str("list[decimal]"),
            Self::One(kind) => kind.fmt(f),
            Self::List(kind) => write!(f, "list[{kind}]"),
            // It has a head of its own, so that its fields come and go by themselves.
            Self::Record(_) => f.write_str("record"),
            Self::Records(_) => f.write_str("list[record]"),
        }
    }
}

/// FNV-1a of 64 bits: the same on every machine and in every version. It tells layouts apart that are not made to
/// collide, and nobody is kept out by it.
struct Identity(u64);

impl Default for Identity {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Identity {
    fn add(&mut self, field: &PackedField) {
        let text = format!("{}\0{}\0", field.name, field.held);
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
