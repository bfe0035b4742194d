use std::cmp::Ordering;

use arrow_buffer::NullBuffer;

use super::fold;
use super::picks::{NO_ROW, taken};
use crate::kernels::compare::Integer;
use crate::kernels::sort::{Ranks, SortKey};
use crate::kernels::view::{Values, View};
use crate::kernels::{Groups, compare_floats};
use crate::{Column, ColumnError, Type};

/// The least of each group, or the greatest.
pub(super) fn value(
    groups: &Groups,
    kind: &Type,
    column: &Column,
    view: &View<'_>,
    nulls: Option<&NullBuffer>,
    greatest: bool,
) -> Result<(Type, Column), ColumnError> {
    let rows = match &view.values {
        Values::I32(cells) => by_integer(groups, nulls, cells, greatest),
        Values::I64(cells) => by_integer(groups, nulls, cells, greatest),
        Values::F64(cells) => by_float(groups, nulls, cells, greatest),
        _ => rows(groups, kind, column, nulls, greatest)?,
    };
    Ok((kind.clone(), taken(column, &rows)?))
}

/// The rows of these, the first of several.
pub(super) fn rows(
    groups: &Groups,
    kind: &Type,
    column: &Column,
    nulls: Option<&NullBuffer>,
    greatest: bool,
) -> Result<Vec<u32>, ColumnError> {
    let key = SortKey { kind, column, descending: greatest, nulls_first: false };
    let ranks = Ranks::new(&key)?;
    Ok(fold(groups, nulls, NO_ROW, |best, row| {
        if *best == NO_ROW || ranks.compare(row, *best as usize) == Ordering::Less {
            *best = row as u32;
        }
    }))
}

/// Beside each group's row stands its value, so that no other memory is read.
fn by_integer<T: Integer>(
    groups: &Groups,
    nulls: Option<&NullBuffer>,
    cells: &[T],
    greatest: bool,
) -> Vec<u32> {
    let start = (if greatest { T::LEAST } else { T::MOST }, NO_ROW);
    let best = fold(groups, nulls, start, |(best, at), row| {
        let cell = cells[row];
        let is_better = if greatest { cell > *best } else { cell < *best };
        if is_better || *at == NO_ROW {
            (*best, *at) = (cell, row as u32);
        }
    });
    best.into_iter().map(|(_, row)| row).collect()
}

fn by_float(
    groups: &Groups,
    nulls: Option<&NullBuffer>,
    cells: &[f64],
    greatest: bool,
) -> Vec<u32> {
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    let best = fold(groups, nulls, (0.0, NO_ROW), |(best, at), row| {
        let cell = cells[row];
        if *at == NO_ROW || compare_floats(cell, *best) == wanted {
            (*best, *at) = (cell, row as u32);
        }
    });
    best.into_iter().map(|(_, row)| row).collect()
}
