use arrow_buffer::NullBuffer;

use super::compare::Integer;
use super::groups::integers::bounds;
use super::view::{View, integers};
use super::{Groups, NullKeys, Selection};
use crate::{Batch, Column, ColumnError};

/// Which of equal rows is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The first of them.
    #[default]
    First,
    /// The last of them.
    Last,
    /// None of several.
    Alone,
}

impl Batch {
    /// One row of all that are equal in the columns at `keys`, in their order. NULL is equal to NULL here.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::kernels::Keep;
    /// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed};
    /// let mut teams = Fixed::new(0_i64);
    /// [7, 9, 7].into_iter().for_each(|team| teams.push(team));
    /// let schema = Arc::new(Schema::new(vec![Field::new("team", Type::Int64)]));
    /// let batch = Batch::new(schema, vec![teams.finish(&Type::Int64)], 3);
    /// assert_eq!(batch.unique(&[0], Keep::First).unwrap(), batch.take(&[0, 1]).unwrap());
    /// assert_eq!(batch.unique(&[0], Keep::Last).unwrap(), batch.take(&[1, 2]).unwrap());
    /// assert_eq!(batch.unique(&[0], Keep::Alone).unwrap(), batch.take(&[1]).unwrap());
    /// ```
    ///
    /// # Errors
    /// If values of a key cannot be told apart, or the rows are more than 32 bits count.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn unique(&self, keys: &[usize], keep: Keep) -> Result<Self, ColumnError> {
        if let [key] = keys
            && let Some(selection) = by_bits(self.column(*key), keep)
        {
            return self.keep_all(selection);
        }
        let key = |&at: &usize| {
            let field = &self.schema().fields[at];
            (&*field.name, &field.kind, self.column(at))
        };
        let keys: Vec<_> = keys.iter().map(key).collect();
        let groups = Groups::by_named(self.rows(), &keys, NullKeys::Kept)?;
        let rows = self.rows();
        let selection = match keep {
            // Without a row there is none to begin with, though without keys there is a group.
            Keep::First => Selection::of(rows, groups.firsts().iter().copied().take(rows)),
            Keep::Last => {
                let mut lasts = vec![0; groups.len()];
                for (&group, row) in groups.of_rows().iter().zip(0..) {
                    lasts[group as usize] = row;
                }
                Selection::of(rows, lasts.into_iter().take(rows))
            }
            Keep::Alone => {
                let mut counts = vec![0_u32; groups.len()];
                groups.of_rows().iter().for_each(|&group| counts[group as usize] += 1);
                let alone = groups.firsts().iter().zip(counts).filter(|&(_, count)| count == 1);
                Selection::of(rows, alone.map(|(&first, _)| first))
            }
        };
        self.keep_all(selection)
    }
}

/// Where a key is whole numbers of which few lie between, a bit for each tells whether it was there: groups have no numbers.
fn by_bits(column: &Column, keep: Keep) -> Option<Selection> {
    let view = View::new(column);
    integers!(&view.values, |cells| of_integers(cells, view.nulls, keep), else None)
}

/// So many bits for each row are no more than the column itself takes.
const SPARSE: i128 = 64;

fn of_integers<T: Integer>(
    cells: &[T],
    nulls: Option<&NullBuffer>,
    keep: Keep,
) -> Option<Selection> {
    let rows = cells.len();
    let (least, most) = bounds(cells, nulls);
    let room = most.wide() - least.wide() + 1;
    if room > rows as i128 * SPARSE {
        return None;
    }
    // NULL comes behind the numbers.
    let key = |row: usize| match nulls {
        Some(nulls) if nulls.is_null(row) => room as usize,
        _ => (cells[row].wide() - least.wide()) as usize,
    };
    let mut seen = vec![0_u64; room as usize / 64 + 1];
    let mut was_seen = |key: usize| {
        let (word, bit) = (&mut seen[key / 64], 1 << (key % 64));
        let was = *word & bit != 0;
        *word |= bit;
        was
    };
    let mut kept = vec![0_u64; rows.div_ceil(64)];
    let mut set = |row: usize, is_kept: bool| kept[row / 64] |= u64::from(is_kept) << (row % 64);
    match keep {
        Keep::First => (0..rows).for_each(|row| set(row, !was_seen(key(row)))),
        Keep::Last => (0..rows).rev().for_each(|row| set(row, !was_seen(key(row)))),
        Keep::Alone => {
            let mut again = vec![0_u64; room as usize / 64 + 1];
            for row in 0..rows {
                let key = key(row);
                again[key / 64] |= u64::from(was_seen(key)) << (key % 64);
            }
            (0..rows).for_each(|row| {
                let key = key(row);
                set(row, again[key / 64] >> (key % 64) & 1 == 0);
            });
        }
    }
    Some(Selection::of_words(rows, kept))
}
