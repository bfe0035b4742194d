use std::fmt;

use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::Field;

use super::{Extension, Value, read};

/// A list in a cell: its elements are read when asked for.
#[derive(Clone, Copy)]
pub struct ListValue<'a> {
    elements: &'a dyn Array,
    extension: Extension,
    start: usize,
    len: usize,
}

impl<'a> ListValue<'a> {
    pub(crate) fn new(elements: &'a ArrayRef, field: &Field, start: usize, len: usize) -> Self {
        Self { elements, extension: Extension::of(field), start, len }
    }

    pub(crate) fn of_structs(entries: &'a StructArray, start: usize, len: usize) -> Self {
        Self { elements: entries, extension: Extension::None, start, len }
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The element at `index`, counted from 0.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn get(&self, index: usize) -> Value<'a> {
        assert!(index < self.len, "element {index} of a list of {}", self.len);
        read(self.elements, self.extension, self.start + index)
    }

    /// The elements in order.
    pub fn iter(&self) -> ListIter<'a> {
        ListIter { list: *self, at: 0 }
    }
}

impl fmt::Debug for ListValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl PartialEq for ListValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<'a> IntoIterator for ListValue<'a> {
    type Item = Value<'a>;
    type IntoIter = ListIter<'a>;

    fn into_iter(self) -> ListIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &ListValue<'a> {
    type Item = Value<'a>;
    type IntoIter = ListIter<'a>;

    fn into_iter(self) -> ListIter<'a> {
        self.iter()
    }
}

/// The elements of a [`ListValue`].
#[derive(Clone, Debug)]
pub struct ListIter<'a> {
    list: ListValue<'a>,
    at: usize,
}

impl<'a> Iterator for ListIter<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.at == self.list.len {
            return None;
        }
        self.at += 1;
        Some(self.list.get(self.at - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.list.len - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for ListIter<'_> {}

/// Named values in a cell.
#[derive(Clone, Copy)]
pub struct StructValue<'a> {
    fields: &'a StructArray,
    row: usize,
}

impl<'a> StructValue<'a> {
    pub(crate) fn new(fields: &'a StructArray, row: usize) -> Self {
        Self { fields, row }
    }

    /// Fields.
    pub fn len(&self) -> usize {
        self.fields.num_columns()
    }

    /// True where there are no fields.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the field at `index`.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn name(&self, index: usize) -> &'a str {
        self.fields.field(index).name()
    }

    /// The value of the field at `index`.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn get(&self, index: usize) -> Value<'a> {
        let extension = Extension::of(self.fields.field(index));
        read(self.fields.column(index), extension, self.row)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let this = *self;
        (0..this.len()).map(move |index| (this.name(index), this.get(index)))
    }
}

impl fmt::Debug for StructValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for StructValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

/// Values under texts in a cell, in the order they were stored.
#[derive(Clone, Copy)]
pub struct MapValue<'a> {
    entries: &'a StructArray,
    start: usize,
    len: usize,
}

impl<'a> MapValue<'a> {
    /// Of entries whose keys are text.
    pub(crate) fn new(entries: &'a StructArray, start: usize, len: usize) -> Self {
        Self { entries, start, len }
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let this = *self;
        (this.start..this.start + this.len).map(move |at| {
            let entry = StructValue::new(this.entries, at);
            let key = match entry.get(0) {
                Value::Text(key) => key,
                _ => "",
            };
            (key, entry.get(1))
        })
    }
}

impl fmt::Debug for MapValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for MapValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}
