use std::sync::Arc;

use arrow_array::{BooleanArray, Int64Array, UInt32Array};
use arrow_buffer::NullBuffer;

use super::{fold, known};
use crate::kernels::Groups;
use crate::{Column, ColumnError};

/// The number of no row.
pub(super) const NO_ROW: u32 = u32::MAX;

pub(super) fn first(
    groups: &Groups,
    column: &Column,
    nulls: Option<&NullBuffer>,
) -> Result<Column, ColumnError> {
    let rows = fold(groups, nulls, NO_ROW, |first, row| *first = (*first).min(row as u32));
    taken(column, &rows)
}

pub(super) fn last(
    groups: &Groups,
    column: &Column,
    nulls: Option<&NullBuffer>,
) -> Result<Column, ColumnError> {
    let rows = fold(groups, nulls, NO_ROW, |last, row| *last = row as u32);
    taken(column, &rows)
}

/// The values of these rows; NULL where there is none.
pub(super) fn taken(column: &Column, rows: &[u32]) -> Result<Column, ColumnError> {
    let rows: UInt32Array = rows.iter().map(|&row| (row != NO_ROW).then_some(row)).collect();
    column.take(&rows)
}

/// The rows' numbers.
pub(super) fn numbers(rows: &[u32]) -> Column {
    let number = |&row: &u32| (row != NO_ROW).then_some(i64::from(row));
    Column::from_array(Arc::new(rows.iter().map(number).collect::<Int64Array>()))
}

/// Whether all are true, or any is.
pub(super) fn truth(
    groups: &Groups,
    nulls: Option<&NullBuffer>,
    cell: impl Fn(usize) -> bool,
    all: bool,
) -> Column {
    let found = fold(groups, nulls, all, |so_far, row| {
        *so_far = if all { *so_far && cell(row) } else { *so_far || cell(row) };
    });
    Column::from_array(Arc::new(BooleanArray::new(found.into(), known(groups, nulls))))
}
