//! Rows of two batches that go together: those of equal keys.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::{Array as _, Int64Array, UInt32Array};

use super::compare::Integer as _;
use super::view::{View, integers};
use super::{Groups, NullKeys, Selection};
use crate::{Batch, Column, ColumnError, Schema, Type};

/// Which rows a join has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Each row of the left with each row of the right that has equal keys.
    Inner,
    /// The same, and rows of the left for which there is none, with NULLs.
    Left,
    /// Rows of the left for which there is one, each once, without the right's columns.
    Semi,
    /// Rows of the left for which there is none.
    Anti,
}

impl Batch {
    /// The rows of this batch with those of another that have equal keys, pairs of columns of both by their places: in
    /// the order of this batch's rows, and of the other's where one has several. The other's columns `wanted` come
    /// after this batch's; `schema` is that of both.
    ///
    /// NULL is equal to nothing, NaN is equal to NaN, and integers of different widths are equal where the numbers are.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::kernels::Join;
    /// use rowmill_columns::{Batch, Field, Schema, Type, Value, build::Fixed};
    /// let column = |numbers: &[i64]| {
    ///     let mut column = Fixed::new(0_i64);
    ///     numbers.iter().for_each(|&number| column.push(number));
    ///     column.finish(&Type::Int64)
    /// };
    /// let schema = |names: &[&str]| {
    ///     Arc::new(Schema::new(names.iter().map(|&name| Field::new(name, Type::Int64)).collect()))
    /// };
    /// let teams = Batch::new(schema(&["id"]), vec![column(&[7, 9])], 2);
    /// let points = Batch::new(schema(&["team", "points"]), vec![column(&[9, 7, 9]), column(&[3, 5, 4])], 3);
    /// let both = schema(&["id", "points"]);
    /// let found = teams.join(&points, &[(0, 0)], Join::Inner, &both, &[1]).unwrap();
    /// let found: Vec<_> = (0..3).map(|row| (found.value(0, row), found.value(1, row))).collect();
    /// assert_eq!(found, [(7, 5), (9, 3), (9, 4)].map(|(id, points)| (Value::Int(id), Value::Int(points))));
    /// ```
    ///
    /// # Errors
    /// If keys are of different types or cannot be told apart, or the rows are more than 32 bits count.
    ///
    /// # Panics
    /// If there is no such column, no key, or the schema is of another number of columns.
    pub fn join(
        &self,
        other: &Self,
        keys: &[(usize, usize)],
        join: Join,
        schema: &Arc<Schema>,
        wanted: &[usize],
    ) -> Result<Self, ColumnError> {
        let both = keys.iter().map(|&(left, right)| self.key(left, other, right));
        let both: Vec<(Type, Column)> = both.collect::<Result<_, _>>()?;
        let partners = Partners::by(&both, other.rows())?;
        if let Join::Semi | Join::Anti = join {
            let rows = (0..self.rows() as u32)
                .filter(|&row| partners.of(row).is_empty() == (join == Join::Anti));
            let places: Arc<[usize]> = (0..self.width()).collect();
            return self.keep(Selection::of(self.rows(), rows), &places, Arc::clone(schema));
        }
        let Pairs { left, right } = partners.pairs(join == Join::Left)?;
        let count = left.len();
        let is_same = count == self.rows() && left.iter().zip(0..).all(|(&row, at)| row == at);
        let left = if is_same { self.clone() } else { self.reorder(&left)? };
        let mut columns = left.columns().to_vec();
        let other = other.select(wanted);
        if right.contains(&NONE) {
            let rows: UInt32Array = right.iter().map(|&row| (row != NONE).then_some(row)).collect();
            for column in other.columns() {
                columns.push(column.take(&rows)?);
            }
        } else {
            columns.extend_from_slice(other.reorder(&right)?.columns());
        }
        Ok(Self::new(Arc::clone(schema), columns, count))
    }

    /// A key of both, the other's rows first.
    fn key(&self, left: usize, other: &Self, right: usize) -> Result<(Type, Column), ColumnError> {
        let (field, other_field) = (&self.schema().fields[left], &other.schema().fields[right]);
        let (column, other_column) = (self.column(left), other.column(right));
        let in_column = |error: ColumnError| error.in_column(&field.name);
        if field.kind == other_field.kind {
            let both = Column::concat(&[other_column, column]).map_err(in_column)?;
            return Ok((field.kind.clone(), both));
        }
        let (Some(a), Some(b)) = (wide(other_column), wide(column)) else {
            let (name, other_name) = (&field.name, &other_field.name);
            let (kind, other_kind) = (&field.kind, &other_field.kind);
            return Err(ColumnError::new(format!(
                "the key {name:?} is {kind}, and {other_name:?} on the other side {other_kind}: they are never equal"
            )));
        };
        Ok((Type::Int64, Column::concat(&[&a, &b]).map_err(in_column)?))
    }
}

/// Whole numbers of any width that 64 bits hold.
fn wide(column: &Column) -> Option<Column> {
    if !column.array().data_type().is_integer() {
        return None;
    }
    let view = View::new(column);
    let cells: Vec<i64> = integers!(
        &view.values,
        |cells| cells.iter().map(|cell| i64::try_from(cell.wide())).collect::<Result<_, _>>().ok()?,
        else return None
    );
    let array = Int64Array::new(cells.into(), view.nulls.cloned());
    Some(Column::from_array(Arc::new(array)))
}

/// No row.
const NONE: u32 = u32::MAX;

/// For each row of the left the rows of the right with equal keys.
struct Partners {
    /// The number of each row's key.
    keys: Vec<u32>,
    /// Where the rows of each key begin, with one end more; the last key is that of no row.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

struct Pairs {
    left: Vec<u32>,
    /// `NONE` where there is none.
    right: Vec<u32>,
}

impl Partners {
    /// `keys` are of so many rows of the right, and then of those of the left.
    fn by(keys: &[(Type, Column)], right: usize) -> Result<Self, ColumnError> {
        let rows = keys[0].1.len();
        let keys: Vec<(&Type, &Column)> = keys.iter().map(|(kind, key)| (kind, key)).collect();
        let groups = Groups::by(rows, &keys, NullKeys::Dropped)?;
        let dropped = groups.len() as u32;
        let (of_right, of_left) = groups.of_rows().split_at(right);
        // They are numbered as their first rows come, so those of the right are first.
        let known = of_right.iter().filter(|&&group| group != dropped).max();
        let known = known.map_or(0, |&most| most + 1);
        let place = |group: u32| group.min(known) as usize;
        let mut starts = vec![0_u32; known as usize + 2];
        for &group in of_right {
            starts[place(group) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; right];
        for (&group, row) in of_right.iter().zip(0..) {
            let next = &mut next[place(group)];
            rows[*next as usize] = row;
            *next += 1;
        }
        // Of rows with a NULL, which come last, there are none.
        starts[known as usize + 1] = starts[known as usize];
        let keys = of_left.iter().map(|&group| group.min(known)).collect();
        Ok(Self { keys, starts, rows })
    }

    #[inline]
    fn of(&self, row: u32) -> &[u32] {
        let key = self.keys[row as usize] as usize;
        &self.rows[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// Each row of the left with each of its partners; with `all` rows that have none, too.
    fn pairs(&self, all: bool) -> Result<Pairs, ColumnError> {
        let least = usize::from(all);
        let lens = || (0..self.keys.len() as u32).map(|row| self.of(row).len().max(least));
        let count: usize = lens().sum();
        if count >= NONE as usize {
            return Err(ColumnError::new(format!(
                "the join would have {count} rows, more than 32 bits count: many rows have the same key on both sides"
            )));
        }
        let mut pairs = Pairs { left: Vec::with_capacity(count), right: Vec::with_capacity(count) };
        for row in 0..self.keys.len() as u32 {
            let partners = self.of(row);
            pairs.right.extend_from_slice(partners);
            if all && partners.is_empty() {
                pairs.right.push(NONE);
            }
            pairs.left.resize(pairs.right.len(), row);
        }
        Ok(pairs)
    }
}
