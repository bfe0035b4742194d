//! Which rows belong together: those of equal keys.

pub(super) mod integers;
#[cfg(test)]
mod tests;
mod texts;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_buffer::NullBuffer;

use super::set::float_bits;
use super::view::{Values, View, typed};
use crate::{Column, ColumnError, Type, Value};

/// What becomes of rows of which a key is NULL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NullKeys {
    /// NULL is a key like any other, equal to itself, as in SQL.
    #[default]
    Kept,
    /// They are in no group.
    Dropped,
}

/// Rows by the groups they are in. Groups are numbered as their first rows come.
///
/// Equal are keys that are equal to [`sort`](super::order): NaN is NaN, -0.0 is 0.0, NULL is NULL.
///
/// ```
/// use rowmill_columns::kernels::{Groups, NullKeys};
/// use rowmill_columns::{Type, build::Fixed};
/// let mut teams = Fixed::new(0_i64);
/// [7, 9, 7].into_iter().for_each(|team| teams.push(team));
/// teams.push_null();
/// let teams = teams.finish(&Type::Int64);
/// let groups = Groups::by(4, &[(&Type::Int64, &teams)], NullKeys::Kept).unwrap();
/// assert_eq!((groups.of_rows(), groups.firsts()), ([0, 1, 0, 2].as_slice(), [0, 1, 3].as_slice()));
/// let groups = Groups::by(4, &[(&Type::Int64, &teams)], NullKeys::Dropped).unwrap();
/// assert_eq!((groups.len(), groups.of_rows()[3]), (2, 2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    of_rows: Vec<u32>,
    firsts: Vec<u32>,
    /// Whether each has a row.
    all_have_rows: bool,
}

/// A row that no group has.
const NONE: u32 = u32::MAX;
/// A hash table has room for so many groups from the start: to grow it by and by to this takes a seventh of the time that
/// as many rows take.
const ROOM: usize = 4_096;

impl Groups {
    /// The groups of rows that are equal in all keys; without keys all rows are one group, also where there are none.
    ///
    /// # Errors
    /// If there are more rows than 32 bits count, or values of a key cannot be told apart.
    ///
    /// # Panics
    /// If a key is of another number of rows.
    pub fn by(
        rows: usize,
        keys: &[(&Type, &Column)],
        nulls: NullKeys,
    ) -> Result<Self, ColumnError> {
        // The last number is that of no row.
        if rows >= NONE as usize {
            return Err(ColumnError::too_many_rows());
        }
        let Some(((kind, column), rest)) = keys.split_first() else {
            let of_rows = vec![0; rows];
            return Ok(Self { of_rows, firsts: vec![0], all_have_rows: rows > 0 });
        };
        let mut groups = Self::of(kind, column, nulls)?;
        assert_eq!(groups.of_rows.len(), rows, "keys of one length");
        for (kind, column) in rest {
            groups = groups.and(&Self::of(kind, column, nulls)?);
        }
        Ok(groups)
    }

    /// As [`by`](Self::by), of keys with names, which are told where values cannot be told apart.
    pub(super) fn by_named(
        rows: usize,
        keys: &[(&str, &Type, &Column)],
        nulls: NullKeys,
    ) -> Result<Self, ColumnError> {
        let all: Vec<_> = keys.iter().map(|&(_, kind, column)| (kind, column)).collect();
        Self::by(rows, &all, nulls).map_err(|error| {
            // Which of them it is about is found out when it has to be known.
            let about = |&(name, kind, column): &(&str, &Type, &Column)| {
                Some(Self::by(rows, &[(kind, column)], nulls).err()?.in_column(name))
            };
            keys.iter().find_map(about).unwrap_or(error)
        })
    }

    /// The group of each row; that of a row that is in none is [`len`](Self::len).
    pub fn of_rows(&self) -> &[u32] {
        &self.of_rows
    }

    /// The first row of each group.
    pub fn firsts(&self) -> &[u32] {
        &self.firsts
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.firsts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// The rows that are in a group, where some are in none.
    pub fn grouped(&self) -> Option<Vec<u32>> {
        let none = self.len() as u32;
        if !self.of_rows.contains(&none) {
            return None;
        }
        let rows = self.of_rows.iter().enumerate().filter(|&(_, &group)| group != none);
        Some(rows.map(|(row, _)| row as u32).collect())
    }

    /// The same groups of some of the rows alone, of which a group may have none. The first row of each is still that
    /// among all rows.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let of_rows = rows.iter().map(|&row| self.of_rows[row as usize]).collect();
        Self { of_rows, firsts: self.firsts.clone(), all_have_rows: false }
    }

    /// Whether each group has a row.
    pub(super) fn all_have_rows(&self) -> bool {
        self.all_have_rows
    }

    /// The rows of all groups, those of a group in their order, and where each group begins, with one end
    /// more.
    pub fn rows(&self) -> (Vec<u32>, Vec<u32>) {
        let mut ends = vec![0_u32; self.len() + 2];
        for &group in &self.of_rows {
            ends[group as usize + 1] += 1;
        }
        for group in 0..=self.len() {
            ends[group + 1] += ends[group];
        }
        let mut next = ends.clone();
        let mut rows = vec![0; self.of_rows.len()];
        for (row, &group) in self.of_rows.iter().enumerate() {
            let place = &mut next[group as usize];
            rows[*place as usize] = row as u32;
            *place += 1;
        }
        // Those in no group come last.
        rows.truncate(ends[self.len()] as usize);
        ends.truncate(self.len() + 1);
        (rows, ends)
    }

    fn of(kind: &Type, column: &Column, nulls: NullKeys) -> Result<Self, ColumnError> {
        let view = View::new(column);
        let mut numbering = Numbering::new(view.len, nulls);
        match &view.values {
            Values::I8(cells) => numbering.integers(cells, view.nulls),
            Values::I16(cells) => numbering.integers(cells, view.nulls),
            Values::I32(cells) => numbering.integers(cells, view.nulls),
            Values::I64(cells) => numbering.integers(cells, view.nulls),
            Values::U8(cells) => numbering.integers(cells, view.nulls),
            Values::U16(cells) => numbering.integers(cells, view.nulls),
            Values::U32(cells) => numbering.integers(cells, view.nulls),
            Values::U64(cells) => numbering.integers(cells, view.nulls),
            Values::I128(cells) => numbering.wide(view.nulls, |row| cells[row] as u128),
            Values::Uuid(cells) => {
                numbering.wide(view.nulls, |row| u128::from_ne_bytes(cells[row]));
            }
            Values::F32(cells) => {
                numbering.hashed(view.nulls, |row| float_bits(cells[row].into()));
            }
            Values::F64(cells) => numbering.hashed(view.nulls, |row| float_bits(cells[row])),
            Values::Bool(cells) => {
                let bits: Vec<u8> = (0..view.len).map(|row| cells.value(row).into()).collect();
                numbering.integers(&bits, view.nulls);
            }
            Values::Bytes(strings) if matches!(kind, Type::Text | Type::Bytes) => {
                numbering.texts(view.nulls, |row| strings.get(row));
            }
            Values::Codes(codes, labels) => {
                numbering.labels(labels, |row| codes.get(row), view.nulls)?;
            }
            _ => match column.array().as_any_dictionary_opt() {
                Some(dictionary) if !dictionary.values().is_empty() => {
                    let (codes, nulls) = (dictionary.normalized_keys(), dictionary.logical_nulls());
                    numbering.labels(dictionary.values(), |row| codes[row], nulls.as_ref())?;
                }
                _ => return numbering.by_value(kind, column),
            },
        }
        Ok(numbering.finish())
    }

    /// The groups of rows that are equal in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let width = other.len() as u64;
        let is_dropped = |row: usize| {
            self.of_rows[row] == self.len() as u32 || other.of_rows[row] == other.len() as u32
        };
        let key = |row: usize| u64::from(self.of_rows[row]) * width + u64::from(other.of_rows[row]);
        let mut numbering = Numbering::new(self.of_rows.len(), NullKeys::Dropped);
        let room = self.len() as u64 * width;
        if numbering.is_dense(room) {
            numbering.dense(room as usize, |row| {
                if is_dropped(row) { None } else { Some(key(row) as usize) }
            });
        } else {
            numbering.by_hash(|row| (!is_dropped(row)).then(|| key(row)));
        }
        numbering.finish()
    }
}

/// Groups in the making.
struct Numbering {
    rows: usize,
    nulls: NullKeys,
    of_rows: Vec<u32>,
    firsts: Vec<u32>,
    /// The group of NULL, once there is one.
    null: u32,
}

impl Numbering {
    fn new(rows: usize, nulls: NullKeys) -> Self {
        Self { rows, nulls, of_rows: Vec::with_capacity(rows), firsts: Vec::new(), null: NONE }
    }

    /// A group that begins with `row`.
    #[inline(always)]
    fn begin(&mut self, row: usize) -> u32 {
        let group = self.firsts.len() as u32;
        self.firsts.push(row as u32);
        group
    }

    #[inline(always)]
    fn push(&mut self, group: u32) {
        self.of_rows.push(group);
    }

    /// A row of which the key is NULL.
    fn push_null(&mut self, row: usize) {
        if self.nulls == NullKeys::Kept && self.null == NONE {
            self.null = self.begin(row);
        }
        self.push(self.null);
    }

    fn finish(mut self) -> Groups {
        let none = self.firsts.len() as u32;
        if self.nulls == NullKeys::Dropped {
            for group in &mut self.of_rows {
                *group = (*group).min(none);
            }
        }
        Groups { of_rows: self.of_rows, firsts: self.firsts, all_have_rows: true }
    }

    /// A dictionary's values, each of which is looked at once.
    fn labels(
        &mut self,
        labels: &ArrayRef,
        code: impl Fn(usize) -> usize,
        nulls: Option<&NullBuffer>,
    ) -> Result<(), ColumnError> {
        let (kind, labels) = typed(labels);
        let labels = Groups::of(&kind, &labels, NullKeys::Kept)?;
        // What is NULL may have a code beyond them.
        let label = |row| labels.of_rows.get(code(row)).copied().unwrap_or_default();
        let labels: Vec<u32> = (0..self.rows).map(label).collect();
        self.integers(&labels, nulls);
        Ok(())
    }

    /// Values of the rarer kinds, read one by one.
    fn by_value(mut self, kind: &Type, column: &Column) -> Result<Groups, ColumnError> {
        let mut texts: Vec<Option<Vec<u8>>> = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            texts.push(key_of(&column.value(kind, row), kind)?);
        }
        self.texts_or_null(|row| texts[row].as_deref());
        Ok(self.finish())
    }
}

/// Bytes that are equal where values of one kind are; `None` for NULL.
fn key_of(value: &Value<'_>, kind: &Type) -> Result<Option<Vec<u8>>, ColumnError> {
    // In a union values of different kinds have the same bytes.
    let (kind_of, mut key) = match value {
        Value::Null => return Ok(None),
        Value::Bool(value) => (0, vec![u8::from(*value)]),
        Value::Int(value) => (1, value.to_ne_bytes().to_vec()),
        Value::Time(value) => (2, value.to_ne_bytes().to_vec()),
        Value::UInt(value) => (3, value.to_ne_bytes().to_vec()),
        Value::Timestamp { micros, .. } => (4, micros.to_ne_bytes().to_vec()),
        Value::Date(days) => (5, days.to_ne_bytes().to_vec()),
        Value::Float(value) => (6, float_bits(*value).to_ne_bytes().to_vec()),
        Value::Float32(value) => (7, float_bits((*value).into()).to_ne_bytes().to_vec()),
        Value::Text(text) => (8, text.as_bytes().to_vec()),
        Value::Bytes(bytes) => (9, bytes.to_vec()),
        _ => return Err(ColumnError::new(format!("values of type {kind} cannot be grouped"))),
    };
    key.push(kind_of);
    Ok(Some(key))
}
