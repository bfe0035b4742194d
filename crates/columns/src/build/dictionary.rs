use std::hash::BuildHasher;
use std::sync::Arc;

use arrow_array::DictionaryArray;
use arrow_array::types::Int32Type;
use arrow_buffer::ScalarBuffer;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Bytes, Fixed, TextError};
use crate::{Column, Type};

/// A builder of text with few distinct values: a code per row and each value once.
///
/// ```
/// let mut mood = rowmill_columns::build::Dictionary::default();
/// for value in [b"ok".as_slice(), b"sad", b"ok"] {
///     mood.push(value);
/// }
/// assert_eq!(mood.distinct(), 2);
/// assert_eq!(mood.finish().unwrap().len(), 3);
/// ```
#[derive(Debug)]
pub struct Dictionary {
    codes: Fixed<i32>,
    values: Bytes,
    table: HashTable<i32>,
    hasher: RandomState,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self {
            codes: Fixed::new(0),
            values: Bytes::text(),
            table: HashTable::new(),
            hasher: RandomState::default(),
        }
    }
}

impl Dictionary {
    /// Appends a value.
    pub fn push(&mut self, cell: &[u8]) {
        let Self { values, table, hasher, .. } = self;
        let hash = hasher.hash_one(cell);
        let code = match table.find(hash, |&code| values.cell(code as usize) == cell) {
            Some(&code) => code,
            None => {
                let code = values.len() as i32;
                values.push(cell);
                let rehash = |&code: &i32| hasher.hash_one(values.cell(code as usize));
                table.insert_unique(hash, code, rehash);
                code
            }
        };
        self.codes.push(code);
    }

    /// Appends a NULL.
    pub fn push_null(&mut self) {
        self.codes.push_null();
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Distinct values so far.
    pub fn distinct(&self) -> usize {
        self.values.len()
    }

    /// Bytes held so far.
    pub fn byte_len(&self) -> usize {
        self.codes.byte_len() + self.values.byte_len()
    }

    /// The finished column, of type `Enum`.
    ///
    /// # Errors
    /// [`TextError`] if a value is not UTF-8; its row is that of the value's first use.
    pub fn finish(self) -> Result<Column, TextError> {
        let first_use = |code: usize| self.codes.values().iter().position(|&c| c as usize == code);
        let values = match self.values.into_array() {
            Ok(values) => values,
            Err(TextError { row }) => return Err(TextError { row: first_use(row).unwrap_or(row) }),
        };
        let (codes, nulls) = self.codes.into_parts();
        let codes = arrow_array::PrimitiveArray::<Int32Type>::new(ScalarBuffer::from(codes), nulls);
        debug_assert_eq!(*arrow_array::Array::data_type(&values), Type::Text.storage());
        Ok(Column::from_array(Arc::new(DictionaryArray::new(codes, values))))
    }
}
