//! What a group comes to: one value for each group of rows.

mod extremes;
mod numbers;
mod picks;
mod spread;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::{Int64Array, LargeListArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Field as ArrowField;

use super::selection::Kept;
use super::view::{Values, View};
use super::{Groups, NullKeys};
use crate::{Column, ColumnError, Type};

/// What is asked of the values of a group. NULLs are passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    /// How many values.
    Count,
    /// Their sum; NULL of none, as in SQL.
    Sum,
    /// Their mean; NULL of none.
    Mean,
    /// The least; NaN is greater than all numbers.
    Min,
    /// The greatest.
    Max,
    /// The first.
    First,
    /// The last.
    Last,
    /// The number of the row of the least, the first of several.
    IndexMin,
    /// The number of the row of the greatest, the first of several.
    IndexMax,
    /// The value below which this part of them is, from 0 to 1: between two, in proportion.
    Quantile(f64),
    /// The variance of a sample: NULL of fewer than two.
    Variance,
    /// The standard deviation of a sample: NULL of fewer than two.
    Deviation,
    /// How many different values.
    Distinct,
    /// Whether one is true; NULL of none.
    Any,
    /// Whether none is false; NULL of none.
    All,
    /// All of them, NULLs too, as a list.
    List,
}

impl Groups {
    /// How many rows each group has.
    pub fn sizes(&self) -> Column {
        counts(self, None)
    }

    /// What the values of each group come to, and the type of that.
    ///
    /// ```
    /// use rowmill_columns::kernels::{Aggregate, Groups, NullKeys};
    /// use rowmill_columns::{Type, Value, build::Fixed};
    /// let column = |cells: [i64; 3]| {
    ///     let mut column = Fixed::new(0_i64);
    ///     cells.into_iter().for_each(|cell| column.push(cell));
    ///     column.finish(&Type::Int64)
    /// };
    /// let (teams, points) = (column([7, 9, 7]), column([3, 5, 4]));
    /// let groups = Groups::by(3, &[(&Type::Int64, &teams)], NullKeys::Kept).unwrap();
    /// let (kind, sums) = groups.aggregate(Aggregate::Sum, &Type::Int64, &points).unwrap();
    /// assert_eq!((sums.value(&kind, 0), sums.value(&kind, 1)), (Value::Int(7), Value::Int(5)));
    /// ```
    ///
    /// # Errors
    /// If such values have no such aggregate, or a sum is beyond its type.
    ///
    /// # Panics
    /// If the column is of another number of rows.
    pub fn aggregate(
        &self,
        what: Aggregate,
        kind: &Type,
        column: &Column,
    ) -> Result<(Type, Column), ColumnError> {
        assert_eq!(self.of_rows().len(), column.len(), "columns of one length");
        let view = View::new(column);
        let nulls = column.array().logical_nulls();
        let nulls = nulls.as_ref();
        let none =
            |what: &str| Err(ColumnError::new(format!("values of type {kind} have no {what}")));
        match what {
            Aggregate::Count => Ok((Type::Int64, counts(self, nulls))),
            Aggregate::Sum => numbers::sum(self, kind, &view, nulls).unwrap_or_else(|| none("sum")),
            Aggregate::Mean => match numbers::mean(self, kind, &view, nulls) {
                Some(means) => Ok((Type::Float64, means)),
                None => none("mean"),
            },
            Aggregate::Variance | Aggregate::Deviation => match numbers::floats(kind, &view) {
                Some(cells) => {
                    let root = what == Aggregate::Deviation;
                    Ok((Type::Float64, spread::variance(self, nulls, &cells, root)))
                }
                None => none("variance"),
            },
            Aggregate::Quantile(part) if !(0.0..=1.0).contains(&part) => {
                Err(ColumnError::new(format!("a quantile is from 0 to 1, not {part}")))
            }
            Aggregate::Quantile(part) => match numbers::floats(kind, &view) {
                Some(cells) => Ok((Type::Float64, spread::quantile(self, nulls, &cells, part))),
                None => none("quantile"),
            },
            Aggregate::Min | Aggregate::Max => {
                extremes::value(self, kind, column, &view, nulls, what == Aggregate::Max)
            }
            Aggregate::IndexMin | Aggregate::IndexMax => {
                let rows = extremes::rows(self, kind, column, nulls, what == Aggregate::IndexMax)?;
                Ok((Type::Int64, picks::numbers(&rows)))
            }
            Aggregate::First => Ok((kind.clone(), picks::first(self, column, nulls)?)),
            Aggregate::Last => Ok((kind.clone(), picks::last(self, column, nulls)?)),
            Aggregate::Distinct => Ok((Type::Int64, distinct(self, kind, column)?)),
            Aggregate::Any | Aggregate::All => match &view.values {
                Values::Bool(cells) => {
                    let all = what == Aggregate::All;
                    Ok((Type::Bool, picks::truth(self, nulls, |row| cells.value(row), all)))
                }
                _ => none("truth: any and all are of booleans"),
            },
            Aggregate::List => list(self, kind, column),
        }
    }
}

/// How many values each group has that are not NULL.
fn counts(groups: &Groups, nulls: Option<&NullBuffer>) -> Column {
    let counts = fold(groups, nulls, 0_i64, |count, _| *count += 1);
    Column::from_array(Arc::new(Int64Array::from(counts)))
}

/// Which groups have a value that is not NULL; a group of no rows has none.
fn known(groups: &Groups, nulls: Option<&NullBuffer>) -> Option<NullBuffer> {
    if nulls.is_none() && groups.all_have_rows() {
        return None;
    }
    let known = fold(groups, nulls, false, |known, _| *known = true);
    Some(NullBuffer::from(known)).filter(|known| known.null_count() > 0)
}

/// Goes through the rows whose value is not NULL, with what their group has come to so far.
#[inline(always)]
fn fold<A: Clone>(
    groups: &Groups,
    nulls: Option<&NullBuffer>,
    start: A,
    mut add: impl FnMut(&mut A, usize),
) -> Vec<A> {
    // The last is of rows that are in no group.
    let mut all = vec![start; groups.len() + 1];
    let of_rows = groups.of_rows();
    match nulls {
        None => {
            for (row, &group) in of_rows.iter().enumerate() {
                add(&mut all[group as usize], row);
            }
        }
        Some(nulls) => {
            for row in nulls.valid_indices() {
                add(&mut all[of_rows[row] as usize], row);
            }
        }
    }
    all.pop();
    all
}

/// Values that are different in their group are groups of both.
fn distinct(groups: &Groups, kind: &Type, column: &Column) -> Result<Column, ColumnError> {
    let values = Groups::by(column.len(), &[(kind, column)], NullKeys::Dropped)?;
    let mut counts = vec![0_i64; groups.len()];
    for &first in groups.and(&values).firsts() {
        counts[groups.of_rows()[first as usize] as usize] += 1;
    }
    Ok(Column::from_array(Arc::new(Int64Array::from(counts))))
}

fn list(groups: &Groups, kind: &Type, column: &Column) -> Result<(Type, Column), ColumnError> {
    let (rows, ends) = groups.rows();
    let elements = column.gather(&Kept::of(&rows))?;
    let ends: Vec<i64> = ends.into_iter().map(i64::from).collect();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    let elements = elements.array().clone();
    let field = Arc::new(ArrowField::new_list_field(elements.data_type().clone(), true));
    let array = LargeListArray::try_new(field, offsets, elements, None)?;
    Ok((Type::List(Box::new(kind.clone())), Column::from_array(Arc::new(array))))
}
