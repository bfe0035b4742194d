use std::sync::Arc;

use arrow_array::LargeListArray;
use arrow_buffer::{OffsetBuffer, ScalarBuffer};

use super::Validity;
use crate::{Column, Type};

/// A builder of lists: where each row's elements end. The elements stand in a builder of their own.
///
/// ```
/// use rowmill_columns::{Type, build::{Fixed, ListOffsets}};
/// let (mut lists, mut elements) = (ListOffsets::default(), Fixed::new(0_i32));
/// elements.push(1);
/// elements.push(2);
/// lists.push(elements.len());
/// lists.push_null();
/// let column = lists.finish(&Type::Int32, elements.finish(&Type::Int32));
/// assert_eq!(column.len(), 2);
/// ```
#[derive(Debug)]
pub struct ListOffsets {
    offsets: Vec<i64>,
    validity: Validity,
}

impl Default for ListOffsets {
    fn default() -> Self {
        Self { offsets: vec![0], validity: Validity::default() }
    }
}

impl ListOffsets {
    /// Ends a row: its elements are those pushed since the last row, up to `elements` in all.
    #[inline]
    pub fn push(&mut self, elements: usize) {
        debug_assert!(self.offsets.last().is_some_and(|&last| last <= elements as i64));
        self.offsets.push(elements as i64);
    }

    /// Ends a row that is NULL and has no elements.
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null_at(self.len());
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
    }

    /// Rows so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held so far, elements not counted.
    pub fn byte_len(&self) -> usize {
        self.offsets.len() * 8
    }

    /// The finished column: lists of `element`, over the finished `elements`.
    ///
    /// # Panics
    /// If `elements` is shorter than the last row's end or not of type `element`.
    pub fn finish(self, element: &Type, elements: Column) -> Column {
        let rows = self.len();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = self.validity.finish(rows);
        let list =
            LargeListArray::new(Arc::new(element.item()), offsets, elements.into_array(), nulls);
        Column::from_array(Arc::new(list))
    }
}
