use std::sync::Arc;

use arrow_array::{MapArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::{Bytes, TextError, Validity};
use crate::{Column, Type};

/// A builder of maps from text to text; values may be NULL, keys may not.
///
/// ```
/// let mut maps = rowmill_columns::build::TextMap::default();
/// maps.push_entry(b"color", Some(b"red"));
/// maps.push_entry(b"size", None);
/// assert!(maps.push());
/// maps.push_null();
/// assert_eq!(maps.finish().unwrap().null_count(), 1);
/// ```
#[derive(Debug)]
pub struct TextMap {
    /// Where each row's entries end: Arrow's maps have offsets of 32 bits.
    ends: Vec<i32>,
    keys: Bytes,
    values: Bytes,
    validity: Validity,
}

impl Default for TextMap {
    fn default() -> Self {
        Self {
            ends: vec![0],
            keys: Bytes::text(),
            values: Bytes::text(),
            validity: Validity::default(),
        }
    }
}

impl TextMap {
    /// Appends an entry to the row that is being built.
    pub fn push_entry(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.keys.push(key);
        match value {
            Some(value) => self.values.push(value),
            None => self.values.push_null(),
        }
    }

    /// Ends a row; false where the column has more than 2^31 entries, which no map can.
    #[must_use]
    pub fn push(&mut self) -> bool {
        let end = i32::try_from(self.keys.len());
        self.ends.push(end.unwrap_or(i32::MAX));
        end.is_ok()
    }

    /// Ends a row that is NULL.
    pub fn push_null(&mut self) {
        self.validity.null_at(self.len());
        self.ends.push(self.ends.last().copied().unwrap_or(0));
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The finished column, of type [`Type::text_map`].
    ///
    /// # Errors
    /// [`TextError`] if a key or a value is not UTF-8; its row is the entry, counted over all rows.
    pub fn finish(self) -> Result<Column, TextError> {
        let nulls = self.validity.finish(self.ends.len() - 1);
        let (keys, values) = (self.keys.into_array()?, self.values.into_array()?);
        let DataType::Map(entries, _) = Type::text_map().storage() else {
            unreachable!("a map is one")
        };
        let DataType::Struct(fields) = entries.data_type() else {
            unreachable!("entries are structs")
        };
        let pairs = StructArray::new(fields.clone(), vec![keys, values], None);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let array = MapArray::new(entries, offsets, pairs, nulls, false);
        Ok(Column::from_array(Arc::new(array)))
    }
}
