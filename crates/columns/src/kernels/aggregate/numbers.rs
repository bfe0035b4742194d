use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array};
use arrow_buffer::NullBuffer;

use super::{fold, known};
use crate::build::Fixed;
use crate::kernels::Groups;
use crate::kernels::compare::Integer;
use crate::kernels::view::{Values, View, integers};
use crate::{Column, ColumnError, Type};

/// The sums of numbers: of whole ones in 64 bits, of decimals in 38 digits, of floats as floats. `None` of what has no
/// sum.
pub(super) fn sum(
    groups: &Groups,
    kind: &Type,
    view: &View<'_>,
    nulls: Option<&NullBuffer>,
) -> Option<Result<(Type, Column), ColumnError>> {
    let known = || known(groups, nulls);
    let column = |kind: Type, array: ArrayRef| Some(Ok((kind, Column::from_array(array))));
    match (kind, &view.values) {
        (Type::Null, _) => Some(Ok((Type::Int64, Column::nulls(&Type::Int64, groups.len())))),
        (Type::Float32 | Type::Float64, _) => {
            let cells = floats(kind, view)?;
            let sums = fold(groups, nulls, 0.0, |sum, row| *sum += cells[row]);
            column(Type::Float64, Arc::new(Float64Array::new(sums.into(), known())))
        }
        (Type::Decimal { scale, .. }, _) => {
            let sums = decimals(groups, view, nulls)?;
            let Some(sums) = sums.into_iter().collect::<Option<Vec<i128>>>() else {
                return Some(Err(beyond("38 digits")));
            };
            let kind = Type::Decimal { precision: DIGITS, scale: *scale };
            let sums = Decimal128Array::new(sums.into(), known());
            let sums = sums.with_precision_and_scale(DIGITS, *scale);
            Some(sums.map(|sums| (kind, Column::from_array(Arc::new(sums)))).map_err(Into::into))
        }
        _ => {
            let sums = whole(groups, kind, view, nulls)?;
            if *kind == Type::UInt64 {
                let sums: Option<Vec<u64>> = sums.iter().map(|&sum| sum.try_into().ok()).collect();
                let Some(sums) = sums else { return Some(Err(beyond("64 bits"))) };
                return column(Type::UInt64, Arc::new(UInt64Array::new(sums.into(), known())));
            }
            let sums: Option<Vec<i64>> = sums.iter().map(|&sum| sum.try_into().ok()).collect();
            let Some(sums) = sums else { return Some(Err(beyond("64 bits"))) };
            column(Type::Int64, Arc::new(Int64Array::new(sums.into(), known())))
        }
    }
}

const DIGITS: u8 = 38;

fn beyond(room: &str) -> ColumnError {
    ColumnError::new(format!("a sum is beyond {room}; .cast(\"float\").sum() rounds it"))
}

/// The sums of whole numbers. So many rows as 32 bits count have none beyond 128 bits, whatever their order.
fn whole(
    groups: &Groups,
    kind: &Type,
    view: &View<'_>,
    nulls: Option<&NullBuffer>,
) -> Option<Vec<i128>> {
    match (kind, &view.values) {
        (Type::Int64, Values::I64(cells)) => {
            Some(fold(groups, nulls, 0, |sum, row| *sum += i128::from(cells[row])))
        }
        (Type::UInt64, Values::U64(cells)) => {
            Some(fold(groups, nulls, 0, |sum, row| *sum += i128::from(cells[row])))
        }
        (
            Type::Int8 | Type::Int16 | Type::Int32 | Type::UInt8 | Type::UInt16 | Type::UInt32,
            values,
        ) => {
            // And of these none beyond 64.
            let sums = integers!(
                values,
                |cells| fold(groups, nulls, 0_i64, |sum, row| *sum += cells[row].wide() as i64),
                else return None
            );
            Some(sums.into_iter().map(i128::from).collect())
        }
        _ => None,
    }
}

/// The sums of decimals of one scale; `None` of one that 38 digits do not hold.
fn decimals(
    groups: &Groups,
    view: &View<'_>,
    nulls: Option<&NullBuffer>,
) -> Option<Vec<Option<i128>>> {
    // The low 128 bits, and how often they overflowed: what comes between may be beyond them.
    fn added<T: Integer>(
        groups: &Groups,
        nulls: Option<&NullBuffer>,
        cells: &[T],
    ) -> Vec<(i128, i64)> {
        fold(groups, nulls, (0, 0), |(sum, overflows), row| {
            let cell = cells[row].wide();
            let (low, overflowed) = i128::overflowing_add(*sum, cell);
            *sum = low;
            *overflows += i64::from(overflowed) * if cell < 0 { -1 } else { 1 };
        })
    }
    let sums = match &view.values {
        Values::I128(cells) => added(groups, nulls, cells),
        Values::I64(cells) => added(groups, nulls, cells),
        Values::I32(cells) => added(groups, nulls, cells),
        _ => return None,
    };
    let most = 10_i128.pow(DIGITS.into());
    let fits = |&(sum, overflows): &(i128, i64)| overflows == 0 && (-most + 1..most).contains(&sum);
    Some(sums.into_iter().map(|sum| Some(sum).filter(fits).map(|(sum, _)| sum)).collect())
}

/// The means of numbers as floats, NULL of none; `None` of what has no mean, or none that is a float.
pub(super) fn mean(
    groups: &Groups,
    kind: &Type,
    view: &View<'_>,
    nulls: Option<&NullBuffer>,
) -> Option<Column> {
    if *kind == Type::Null {
        return Some(Column::nulls(&Type::Float64, groups.len()));
    }
    // Whole numbers are added as such: floats would lose what stands beside a large one.
    let counted: Vec<(f64, u32)> = match whole(groups, kind, view, nulls) {
        Some(sums) => {
            let counts = fold(groups, nulls, 0, |count, _| *count += 1);
            sums.into_iter().map(|sum| sum as f64).zip(counts).collect()
        }
        None => sums(groups, nulls, &floats(kind, view)?),
    };
    let mean = |(sum, count)| (count > 0).then(|| sum / f64::from(count));
    Some(optional(counted.into_iter().map(mean)))
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
