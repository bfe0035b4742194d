use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, LargeListArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;

use crate::{Batch, Column, ColumnError, Field, Schema, Type, Value};

/// How many rows belong to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// A list of them, in their order; an empty one where there are none.
    Many,
    /// The first, or NULL.
    One,
}

/// What rows are brought together by. Integers of every width are one kind of key.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Int(i128),
    Bytes(&'a [u8]),
    Uuid([u8; 16]),
    Other(String),
}

fn key<'a>(value: &Value<'a>) -> Option<Key<'a>> {
    Some(match value {
        Value::Null => return None,
        Value::Int(value) => Key::Int((*value).into()),
        Value::UInt(value) => Key::Int((*value).into()),
        Value::Text(value) => Key::Bytes(value.as_bytes()),
        Value::Bytes(value) => Key::Bytes(value),
        Value::Uuid(value) => Key::Uuid(*value),
        other => Key::Other(other.to_string()),
    })
}

impl Batch {
    /// This batch with one column more, `name`: the rows of `children` whose `child_key` is this batch's `key`,
    /// as lists of structs or as structs. `shown` are the columns of `children` that they have.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::{Batch, Field, Nesting, Schema, Type, build::Fixed};
    /// let column = |values: &[i64]| {
    ///     let mut column = Fixed::new(0_i64);
    ///     values.iter().for_each(|value| column.push(*value));
    ///     column.finish(&Type::Int64)
    /// };
    /// let schema = |names: &[&str]| {
    ///     Arc::new(Schema::new(names.iter().map(|name| Field::new(*name, Type::Int64)).collect()))
    /// };
    /// let parents = Batch::new(schema(&["id"]), vec![column(&[1, 2])], 2);
    /// let children = Batch::new(schema(&["of", "x"]), vec![column(&[2, 2]), column(&[7, 8])], 2);
    /// let nested = parents.nest("children", 0, &children, 0, &[1], Nesting::Many)?;
    /// assert_eq!(nested.value(1, 0).to_string(), "[]");
    /// assert_eq!(nested.schema().fields[1].kind.to_string(), "list[struct[x: int64]]");
    /// # Ok::<(), rowmill_columns::ColumnError>(())
    /// ```
    ///
    /// # Errors
    /// Where there is a column `name`, or more than 2^32 rows.
    pub fn nest(
        &self,
        name: &str,
        at: usize,
        children: &Self,
        child_key: usize,
        shown: &[usize],
        nesting: Nesting,
    ) -> Result<Self, ColumnError> {
        if self.schema().position(name).is_some() {
            return Err(ColumnError::new(format!("there is a column {name:?} already")));
        }
        let rows = u32::try_from(children.rows())
            .map_err(|_| ColumnError::new("more than 2^32 rows cannot be brought under others"))?;
        let mut by_key: HashMap<Key<'_>, Vec<u32>> = HashMap::new();
        for row in 0..rows {
            if let Some(key) = key(&children.value(child_key, row as usize)) {
                by_key.entry(key).or_default().push(row);
            }
        }
        let of_row = |row: usize| {
            let found = key(&self.value(at, row)).and_then(|key| by_key.get(&key));
            found.map_or(&[][..], Vec::as_slice)
        };
        let kept = children.select(shown);
        let structure = Type::structure(&kept.schema().fields);
        let (column, kind) = match nesting {
            Nesting::Many => {
                let lengths = (0..self.rows()).map(|row| of_row(row).len());
                let offsets = OffsetBuffer::<i64>::from_lengths(lengths);
                let taken: Vec<u32> =
                    (0..self.rows()).flat_map(|row| of_row(row).iter().copied()).collect();
                let values = structs(&kept, &taken.into(), None)?;
                let field = Arc::new(structure.item());
                let list = LargeListArray::try_new(field, offsets, values, None)?;
                (Arc::new(list) as ArrayRef, Type::List(Box::new(structure)))
            }
            Nesting::One => {
                let taken: UInt32Array =
                    (0..self.rows()).map(|row| of_row(row).first().copied()).collect();
                let nulls = arrow_array::Array::nulls(&taken).cloned();
                (structs(&kept, &taken, nulls)?, structure)
            }
        };
        let mut fields = self.schema().fields.clone();
        fields.push(Field::new(name, kind));
        let mut columns = self.columns().to_vec();
        columns.push(Column::from_array(column));
        Ok(Self::new(Arc::new(Schema::new(fields)), columns, self.rows()))
    }
}

/// The rows of `taken` as structs.
fn structs(
    of: &Batch,
    taken: &UInt32Array,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ColumnError> {
    let DataType::Struct(fields) = Type::structure(&of.schema().fields).storage() else {
        return Err(ColumnError::new("a structure is stored as one"));
    };
    let columns = of.columns().iter().map(|column| Ok(column.take(taken)?.into_array()));
    let columns = columns.collect::<Result<Vec<_>, ColumnError>>()?;
    let rows = arrow_array::Array::len(taken);
    let array = if columns.is_empty() {
        StructArray::new_empty_fields(rows, nulls)
    } else {
        StructArray::try_new(fields, columns, nulls)?
    };
    Ok(Arc::new(array))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Nesting;
    use crate::testing::{fixed, text};
    use crate::{Batch, Column, Field, Schema, Type};

    fn batch(columns: Vec<(&str, Type, Column)>, rows: usize) -> Batch {
        let fields =
            columns.iter().map(|(name, kind, _)| Field::new(*name, kind.clone())).collect();
        let columns = columns.into_iter().map(|(_, _, column)| column).collect();
        Batch::new(Arc::new(Schema::new(fields)), columns, rows)
    }

    fn parents() -> Batch {
        let ids = fixed(&Type::Int64, 0, &[Some(2_i64), None, Some(1), Some(2)]);
        batch(vec![("id", Type::Int64, ids)], 4)
    }

    fn shown(of: &Batch) -> Vec<String> {
        (0..of.rows()).map(|row| of.value(1, row).to_string()).collect()
    }

    #[test]
    fn rows_come_under_each_that_has_their_key_whatever_the_width_of_it() {
        let of = fixed(&Type::Int32, 0, &[Some(2_i32), Some(1), None, Some(2), Some(9)]);
        let names = text(&[Some("a"), Some("b"), Some("c"), None, Some("e")]);
        let children = batch(vec![("of", Type::Int32, of), ("name", Type::Text, names)], 5);
        let many = parents().nest("all", 0, &children, 0, &[1], Nesting::Many).unwrap();
        assert_eq!(many.schema().fields[1].kind.to_string(), "list[struct[name: text]]");
        let found = shown(&many);
        assert_eq!(found[0], found[3]);
        assert_eq!(found[1], "[]");
        assert!(found[0].contains('a') && !found[0].contains('b'), "{found:?}");
        assert!(found[2].contains('b'), "{found:?}");
        let one = parents().nest("one", 0, &children, 0, &[1, 0], Nesting::One).unwrap();
        assert!(one.value(1, 1).is_null());
        assert!(!one.value(1, 0).is_null());
        assert_eq!(one.schema().fields[1].kind.to_string(), "struct[name: text, of: int32]");
    }

    #[test]
    fn there_may_be_no_rows_and_no_columns_to_show() {
        let none = batch(vec![("of", Type::Int64, fixed::<i64>(&Type::Int64, 0, &[]))], 0);
        for nesting in [Nesting::Many, Nesting::One] {
            let found = parents().nest("x", 0, &none, 0, &[0], nesting).unwrap();
            assert_eq!((found.rows(), found.columns().len()), (4, 2));
            let bare = parents().nest("x", 0, &parents(), 0, &[], nesting).unwrap();
            assert_eq!(bare.rows(), 4);
            let empty = none.nest("x", 0, &parents(), 0, &[0], nesting).unwrap();
            assert_eq!(empty.rows(), 0);
        }
    }

    #[test]
    fn a_name_that_is_there_is_refused() {
        let error = parents().nest("id", 0, &parents(), 0, &[0], Nesting::Many).unwrap_err();
        assert_eq!(error.to_string(), "there is a column \"id\" already");
    }
}
