use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, UInt64Array};
use arrow_buffer::NullBuffer;

use super::{fold, known};
use crate::build::Fixed;
use crate::kernels::Groups;
use crate::kernels::compare::Integer as _;
use crate::kernels::view::{Values, View, integers};
use crate::{Column, ColumnError, Type};

/// The sums of numbers: of whole ones in 64 bits, of floats as floats, of booleans how many are true. `None` of what
/// has no sum.
pub(super) fn sum(
    groups: &Groups,
    kind: &Type,
    view: &View<'_>,
    nulls: Option<&NullBuffer>,
) -> Option<Result<(Type, Column), ColumnError>> {
    let mut beyond = false;
    let known = || known(groups, nulls);
    let ints = |sums: Vec<i64>| Arc::new(Int64Array::new(sums.into(), known())) as ArrayRef;
    let floats = |sums: Vec<f64>| Arc::new(Float64Array::new(sums.into(), known())) as ArrayRef;
    let (kind, sums) = match (kind, &view.values) {
        (Type::Float32, Values::F32(cells)) => {
            let sums = fold(groups, nulls, 0.0, |sum, row| *sum += f64::from(cells[row]));
            (Type::Float64, floats(sums))
        }
        (Type::Float64, Values::F64(cells)) => {
            (Type::Float64, floats(fold(groups, nulls, 0.0, |sum, row| *sum += cells[row])))
        }
        (Type::Bool, Values::Bool(cells)) => {
            let sums = fold(groups, nulls, 0, |sum, row| *sum += i64::from(cells.value(row)));
            (Type::Int64, ints(sums))
        }
        (Type::UInt64, Values::U64(cells)) => {
            let sums = fold(groups, nulls, 0_u64, |sum, row| {
                let (more, over) = sum.overflowing_add(cells[row]);
                (*sum, beyond) = (more, beyond | over);
            });
            (Type::UInt64, Arc::new(UInt64Array::new(sums.into(), known())) as ArrayRef)
        }
        (Type::Int64, Values::I64(cells)) => {
            let sums = fold(groups, nulls, 0_i64, |sum, row| {
                let (more, over) = sum.overflowing_add(cells[row]);
                (*sum, beyond) = (more, beyond | over);
            });
            (Type::Int64, ints(sums))
        }
        (
            Type::Int8 | Type::Int16 | Type::Int32 | Type::UInt8 | Type::UInt16 | Type::UInt32,
            values,
        ) => {
            // So many rows as 32 bits count have no sum beyond 64 bits.
            let sums = integers!(
                values,
                |cells| fold(groups, nulls, 0_i64, |sum, row| *sum += cells[row].wide() as i64),
                else return None
            );
            (Type::Int64, ints(sums))
        }
        _ => return None,
    };
    if beyond {
        let message = "a sum is beyond 64 bits; .cast(\"float\").sum() rounds it";
        return Some(Err(ColumnError::new(message)));
    }
    Some(Ok((kind, Column::from_array(sums))))
}

/// Numbers as floats; `None` of what is no number, or none that a float is near.
pub(super) fn floats<'a>(kind: &Type, view: &View<'a>) -> Option<Cow<'a, [f64]>> {
    match (kind, &view.values) {
        (Type::Float64, Values::F64(cells)) => Some(Cow::Borrowed(*cells)),
        (Type::Float32, Values::F32(cells)) => {
            Some(cells.iter().map(|&cell| f64::from(cell)).collect())
        }
        (
            Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::UInt8
            | Type::UInt16
            | Type::UInt32
            | Type::UInt64,
            values,
        ) => integers!(
            values,
            |cells| Some(cells.iter().map(|&cell| cell as f64).collect()),
            else None
        ),
        _ => None,
    }
}

/// The sum of each group and how many values it is of.
pub(super) fn sums(groups: &Groups, nulls: Option<&NullBuffer>, cells: &[f64]) -> Vec<(f64, u32)> {
    fold(groups, nulls, (0.0, 0), |(sum, count), row| {
        *sum += cells[row];
        *count += 1;
    })
}

pub(super) fn mean(groups: &Groups, nulls: Option<&NullBuffer>, cells: &[f64]) -> Column {
    let sums = sums(groups, nulls, cells);
    optional(sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))))
}

/// Floats, and NULLs that NumPy sees as NaN.
pub(super) fn optional(cells: impl Iterator<Item = Option<f64>>) -> Column {
    let mut column = Fixed::new(f64::NAN);
    for cell in cells {
        match cell {
            Some(cell) => column.push(cell),
            None => column.push_null(),
        }
    }
    column.finish(&Type::Float64)
}
