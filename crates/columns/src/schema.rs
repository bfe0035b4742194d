use std::collections::HashSet;
use std::sync::Arc;

use crate::Type;

/// A column's name and type. Every column may hold NULLs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name, as the database gave it; names may repeat.
    pub name: Arc<str>,
    /// What the values are.
    pub kind: Type,
}

impl Field {
    /// A field of this name and type.
    pub fn new(name: impl Into<Arc<str>>, kind: Type) -> Self {
        Self { name: name.into(), kind }
    }
}

/// The columns of a batch, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schema {
    /// The fields, in the order of the columns.
    pub fields: Vec<Field>,
}

impl Schema {
    /// A schema of these fields.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    /// The position of the first field of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| &*field.name == name)
    }

    /// The first field whose name an earlier one has.
    pub fn repeated(&self) -> Option<&Field> {
        let mut seen = HashSet::with_capacity(self.fields.len());
        self.fields.iter().find(|field| !seen.insert(&field.name))
    }

    /// How `other` differs from this, in words.
    pub(crate) fn difference(&self, other: &Self) -> String {
        if self.fields.len() != other.fields.len() {
            return format!("{} columns, not {}", other.fields.len(), self.fields.len());
        }
        let pairs = self.fields.iter().zip(&other.fields).enumerate();
        let mut differing = pairs.filter(|(_, (ours, theirs))| ours != theirs);
        differing.next().map_or_else(String::new, |(at, (ours, theirs))| {
            let (name, kind) = (&theirs.name, &theirs.kind);
            format!("column {at} is {name:?} {kind}, not {:?} {}", ours.name, ours.kind)
        })
    }
}
