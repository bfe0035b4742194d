use super::{Groups, NullKeys, Selection};
use crate::{Batch, ColumnError};

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
