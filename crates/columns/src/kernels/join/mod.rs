//! Rows of two batches that go together: those of equal keys.

mod key;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::UInt32Array;
use arrow_schema::DataType;

pub use key::comparable;

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
    /// after this batch's; `schema` is that of both, which [`Join::Semi`] and [`Join::Anti`] do not ask for.
    ///
    /// NULL is equal to nothing, NaN is equal to NaN, and keys of [comparable] types are equal where the values are.
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
    /// If keys are of types that are not [comparable] or cannot be told apart, the rows are more than 32 bits count, or
    /// there is no memory for them.
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
        let key = |&(left, right): &(usize, usize)| self.key(left, other, right);
        let both: Vec<Key> = keys.iter().map(key).collect::<Result<_, _>>()?;
        let partners = Partners::by(&both, other.rows())?;
        if let Join::Semi | Join::Anti = join {
            let rows = (0..self.rows() as u32)
                .filter(|&row| partners.of(row).is_empty() == (join == Join::Anti));
            return self.keep_all(Selection::of(self.rows(), rows));
        }
        let Pairs { left, right } = partners.pairs(join == Join::Left)?;
        let count = left.len();
        self.can_be(count)?;
        let is_same = count == self.rows() && left.iter().zip(0..).all(|(&row, at)| row == at);
        let left = if is_same { self.clone() } else { self.reorder(&left)? };
        let mut columns = left.columns().to_vec();
        let other = other.select(wanted);
        other.can_be(count)?;
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
    fn key(&self, left: usize, other: &Self, right: usize) -> Result<Key, ColumnError> {
        let (field, other_field) = (&self.schema().fields[left], &other.schema().fields[right]);
        let (name, kind) = (&field.name, &field.kind);
        if !comparable(kind, &other_field.kind) {
            let (other_name, other_kind) = (&other_field.name, &other_field.kind);
            return Err(ColumnError::new(format!(
                "the key {name:?} is {kind}, and {other_name:?} on the other side {other_kind}, which are not compared"
            )));
        }
        let both = key::both((&other_field.kind, other.column(right)), (kind, self.column(left)));
        let (kind, key) = both.map_err(|error| error.in_column(name))?;
        Ok((Arc::clone(name), kind, key))
    }

    /// Refuses what cannot be so many rows.
    fn can_be(&self, rows: usize) -> Result<(), ColumnError> {
        if rows <= self.rows() {
            return Ok(());
        }
        let mut columns = self.schema().fields.iter().zip(self.columns());
        match columns.find(|(_, column)| holds_runs(column.array().data_type())) {
            None => Ok(()),
            Some((field, _)) => {
                let message = "run-end encoded values cannot be repeated: decode them before";
                Err(ColumnError::new(message).in_column(&field.name))
            }
        }
    }
}

/// Whether values are counted by ends that are of a type of their own.
fn holds_runs(kind: &DataType) -> bool {
    let mut found = matches!(kind, DataType::RunEndEncoded(..));
    match kind {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => found |= holds_runs(field.data_type()),
        DataType::Struct(fields) => {
            found |= fields.iter().any(|field| holds_runs(field.data_type()));
        }
        DataType::Dictionary(_, values) => found |= holds_runs(values),
        _ => {}
    }
    found
}

/// No row.
const NONE: u32 = u32::MAX;

/// The name, the type, and the values of the right and then those of the left.
type Key = (Arc<str>, Type, Column);

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
    fn by(keys: &[Key], right: usize) -> Result<Self, ColumnError> {
        let rows = keys[0].2.len();
        let keys: Vec<_> = keys.iter().map(|(name, kind, key)| (&**name, kind, key)).collect();
        let groups = Groups::by_named(rows, &keys, NullKeys::Dropped)?;
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
        let mut pairs = Pairs { left: Vec::new(), right: Vec::new() };
        for rows in [&mut pairs.left, &mut pairs.right] {
            rows.try_reserve_exact(count).map_err(|_| {
                ColumnError::new(format!("no memory for the {count} rows that the join would have"))
            })?;
        }
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
