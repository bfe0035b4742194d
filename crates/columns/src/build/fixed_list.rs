use std::sync::Arc;

use arrow_array::FixedSizeListArray;
use arrow_schema::DataType;

use super::{Fixed, Native, Validity};
use crate::{Column, Type};

/// A builder of lists that all have one length: vectors of a declared dimension.
///
/// ```
/// use rowmill_columns::{Type, build::FixedList};
/// let mut points = FixedList::new(2, 0_f32);
/// assert!(points.push([1.0, 2.0].into_iter()));
/// points.push_null();
/// let column = points.finish(&Type::Float32);
/// assert_eq!((column.len(), column.null_count()), (2, 1));
/// ```
#[derive(Debug)]
pub struct FixedList<T> {
    width: usize,
    rows: usize,
    elements: Fixed<T>,
    validity: Validity,
}

impl<T: Native> FixedList<T> {
    /// An empty builder of lists of `width` elements; the slots of NULL rows hold `slot`.
    pub fn new(width: usize, slot: T) -> Self {
        Self { width, rows: 0, elements: Fixed::new(slot), validity: Validity::default() }
    }

    /// Appends a list; where it has another length than the column's, false, and the builder is of
    /// no more use.
    #[must_use]
    pub fn push(&mut self, values: impl Iterator<Item = T>) -> bool {
        values.for_each(|value| self.elements.push(value));
        self.rows += 1;
        self.elements.len() == self.rows * self.width
    }

    /// Appends a NULL, which takes as much room as a value.
    pub fn push_null(&mut self) {
        self.validity.null_at(self.rows);
        (0..self.width).for_each(|_| self.elements.push_null());
        self.rows += 1;
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The finished column, lists of `element`.
    ///
    /// # Panics
    /// If `T` is not what `element` is stored as, or a `push` was false.
    pub fn finish(self, element: &Type) -> Column {
        let kind = Type::fixed_list(element, self.width).map(|kind| kind.storage());
        let Some(DataType::FixedSizeList(item, len)) = kind else {
            panic!("a list of more than 2^31 elements")
        };
        let elements = self.elements.finish(element).into_array();
        let nulls = self.validity.finish(self.rows);
        Column::from_array(Arc::new(FixedSizeListArray::new(item, len, elements, nulls)))
    }
}
