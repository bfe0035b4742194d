//! A key of two batches as one column, whatever each has it stored as.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, Decimal128Array, Int64Array, LargeStringArray, new_null_array};

use crate::kernels::compare::Integer as _;
use crate::kernels::view::{Values, View, integers};
use crate::{Column, ColumnError, Type, Value};

/// Whether values of two types may be equal: those of one type; whole numbers and decimals of up to 38 digits; texts and
/// the labels of an enum. What is always NULL may stand beside anything.
///
/// ```
/// use rowmill_columns::Type;
/// use rowmill_columns::kernels::comparable;
/// assert!(comparable(&Type::Int16, &Type::Decimal { precision: 10, scale: 2 }));
/// assert!(!comparable(&Type::Int64, &Type::Text));
/// ```
pub fn comparable(a: &Type, b: &Type) -> bool {
    let is_null = |kind: &Type| *kind == Type::Null;
    a == b
        || is_null(a)
        || is_null(b)
        || is_text(a) && is_text(b)
        || scale(a).is_some() && scale(b).is_some()
}

/// The rows of one column and then those of another, of [comparable] types.
pub(super) fn both(
    a: (&Type, &Column),
    b: (&Type, &Column),
) -> Result<(Type, Column), ColumnError> {
    use Type as T;
    let is_plain = |column: &Column| column.array().as_any_dictionary_opt().is_none();
    match (a.0, b.0) {
        (T::Null, kind) if *kind != T::Null => {
            let nulls = new_null_array(b.1.array().data_type(), a.1.len());
            both((kind, &Column::from_array(nulls)), b)
        }
        (kind, T::Null) if *kind != T::Null => {
            let nulls = new_null_array(a.1.array().data_type(), b.1.len());
            both(a, (kind, &Column::from_array(nulls)))
        }
        (one, other)
            if is_text(one)
                && is_text(other)
                && (one != other || !is_plain(a.1) || !is_plain(b.1)) =>
        {
            let all = texts(a.0, a.1).chain(texts(b.0, b.1));
            let all: LargeStringArray = all.collect();
            Ok((T::Text, Column::from_array(Arc::new(all))))
        }
        (one, other) if one == other => Ok((one.clone(), Column::concat(&[a.1, b.1])?)),
        (T::Decimal { .. }, _) | (_, T::Decimal { .. }) => {
            let to = scale(a.0).max(scale(b.0)).unwrap_or_default();
            let all = [decimals(a, to), decimals(b, to)].concat();
            let all = Decimal128Array::from(all).with_precision_and_scale(38, to)?;
            let kind = T::Decimal { precision: 38, scale: to };
            Ok((kind, Column::from_array(Arc::new(all))))
        }
        _ => {
            let all = [whole(a.1), whole(b.1)].concat();
            Ok((T::Int64, Column::from_array(Arc::new(Int64Array::from(all)))))
        }
    }
}

/// Whether the values are text, however they are stored.
fn is_text(kind: &Type) -> bool {
    matches!(kind.meaning(), Type::Text | Type::Enum)
}

fn texts<'a>(kind: &'a Type, column: &'a Column) -> impl Iterator<Item = Option<&'a str>> {
    (0..column.len()).map(|row| match column.value(kind, row) {
        Value::Text(text) => Some(text),
        _ => None,
    })
}

/// Digits after the point of numbers that are exact.
fn scale(kind: &Type) -> Option<i8> {
    use Type as T;
    match kind {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => {
            Some(0)
        }
        T::Decimal { precision: ..=38, scale } => Some(*scale),
        _ => None,
    }
}

/// Whole numbers; one that 64 bits do not hold is equal to none of the other side, which is of another type.
fn whole(column: &Column) -> Vec<Option<i64>> {
    let view = View::new(column);
    integers!(
        &view.values,
        |cells| known(&view, cells.iter().map(|cell| i64::try_from(cell.wide()).ok())),
        else vec![None; view.len]
    )
}

/// Numbers with so many digits after the point; one that has more than 38 digits then is equal to none of the other
/// side, whose digits are not so many.
fn decimals((kind, column): (&Type, &Column), to: i8) -> Vec<Option<i128>> {
    let more = to - scale(kind).unwrap_or_default();
    let factor = 10_i128.checked_pow(u32::from(more.unsigned_abs()));
    let scaled = |cell: i128| match factor {
        Some(factor) => cell.checked_mul(factor),
        None => (cell == 0).then_some(0),
    };
    let view = View::new(column);
    match &view.values {
        Values::I128(cells) => known(&view, cells.iter().map(|&cell| scaled(cell))),
        values => integers!(
            values,
            |cells| known(&view, cells.iter().map(|cell| scaled(cell.wide()))),
            else vec![None; view.len]
        ),
    }
}

/// What lies under a NULL is no value.
fn known<T>(view: &View<'_>, cells: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    let is_known = |row: usize| view.nulls.is_none_or(|nulls| nulls.is_valid(row));
    cells.enumerate().map(|(row, cell)| cell.filter(|_| is_known(row))).collect()
}
