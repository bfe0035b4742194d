use std::sync::Arc;

use arrow_array::StructArray;
use arrow_schema::DataType;

use super::Validity;
use crate::{Column, Field, Type};

/// A builder of values with names: which rows are there. The fields stand in builders of their own,
/// which have an entry for each row, NULL where the row is.
///
/// ```
/// use rowmill_columns::{Field, Type, build::{Fixed, Structure}};
/// let (mut pairs, mut first) = (Structure::default(), Fixed::new(0_i32));
/// first.push(7);
/// pairs.push();
/// first.push_null();
/// pairs.push_null();
/// let fields = [Field::new("first", Type::Int32)];
/// let (kind, column) = pairs.finish(&fields, vec![first.finish(&Type::Int32)]);
/// assert_eq!((kind.to_string().as_str(), column.null_count()), ("struct[first: int32]", 1));
/// ```
#[derive(Debug, Default)]
pub struct Structure {
    rows: usize,
    validity: Validity,
}

impl Structure {
    /// Ends a row.
    pub fn push(&mut self) {
        self.rows += 1;
    }

    /// Ends a row that is NULL.
    pub fn push_null(&mut self) {
        self.validity.null_at(self.rows);
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

    /// The finished column, and its type.
    ///
    /// # Panics
    /// If `columns` are not those of `fields`, or not of as many rows.
    pub fn finish(self, fields: &[Field], columns: Vec<Column>) -> (Type, Column) {
        let kind = Type::structure(fields);
        let nulls = self.validity.finish(self.rows);
        let DataType::Struct(fields) = kind.storage() else { unreachable!("a structure is one") };
        let columns: Vec<_> = columns.into_iter().map(Column::into_array).collect();
        let array = if columns.is_empty() {
            StructArray::new_empty_fields(self.rows, nulls)
        } else {
            StructArray::new(fields, columns, nulls)
        };
        (kind, Column::from_array(Arc::new(array)))
    }
}
