use std::hash::BuildHasher as _;

use arrow_buffer::NullBuffer;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{NONE, Numbering, ROOM};
use crate::kernels::compare::Integer;

/// A table of so many places is small beside what a group-by takes anyway.
const ALWAYS_DENSE: u64 = 1 << 12;
/// And one of so many for each row costs less to fill than a hash for each.
const DENSE: u64 = 4;

impl Numbering {
    /// By whole numbers: where they are close together by a table of them, else by a hash.
    pub(super) fn integers<T: Integer>(&mut self, cells: &[T], nulls: Option<&NullBuffer>) {
        let (least, most) = bounds(cells, nulls);
        let room = most.wide().wrapping_sub(least.wide()) as u128;
        let room = u64::try_from(room).map_or(u64::MAX, |room| room.saturating_add(1));
        match nulls {
            None if self.is_dense(room) => {
                self.dense(room as usize, |row| Some((cells[row].wide() - least.wide()) as usize));
            }
            Some(nulls) if self.is_dense(room) => self.dense(room as usize, |row| {
                nulls.is_valid(row).then(|| (cells[row].wide() - least.wide()) as usize)
            }),
            _ => self.hashed(nulls, |row| cells[row].wide() as u64),
        }
    }

    pub(super) fn is_dense(&self, room: u64) -> bool {
        room <= ALWAYS_DENSE.max(self.rows as u64 * DENSE)
    }

    /// By numbers below `room`; none is NULL.
    #[inline(always)]
    pub(super) fn dense(&mut self, room: usize, key: impl Fn(usize) -> Option<usize>) {
        let mut groups = vec![NONE; room];
        for row in 0..self.rows {
            let Some(key) = key(row) else {
                self.push_null(row);
                continue;
            };
            let mut group = groups[key];
            if group == NONE {
                group = self.begin(row);
                groups[key] = group;
            }
            self.push(group);
        }
    }

    /// By numbers of 64 bits.
    #[inline(always)]
    pub(super) fn hashed(&mut self, nulls: Option<&NullBuffer>, key: impl Fn(usize) -> u64) {
        match nulls {
            None => self.by_hash(|row| Some(key(row))),
            Some(nulls) => self.by_hash(|row| nulls.is_valid(row).then(|| key(row))),
        }
    }

    /// By numbers of 128 bits.
    pub(super) fn wide(&mut self, nulls: Option<&NullBuffer>, key: impl Fn(usize) -> u128) {
        self.by_hash(|row| nulls.is_none_or(|nulls| nulls.is_valid(row)).then(|| key(row)));
    }

    /// By numbers; none is NULL.
    #[inline(always)]
    pub(super) fn by_hash<K: Copy + Eq + std::hash::Hash>(
        &mut self,
        key: impl Fn(usize) -> Option<K>,
    ) {
        // Keys come from users: whoever knows the hash could have all rows meet in one place.
        let hasher = RandomState::default();
        let mut groups: HashTable<(K, u32)> = HashTable::with_capacity(self.rows.min(ROOM));
        for row in 0..self.rows {
            let Some(key) = key(row) else {
                self.push_null(row);
                continue;
            };
            let hash = hasher.hash_one(key);
            let found = groups.find(hash, |(other, _)| *other == key).map(|(_, group)| *group);
            let group = found.unwrap_or_else(|| {
                let group = self.begin(row);
                groups.insert_unique(hash, (key, group), |(key, _)| hasher.hash_one(key));
                group
            });
            self.push(group);
        }
    }
}

/// The least and the greatest number; both the same where there is none.
pub(in crate::kernels) fn bounds<T: Integer>(cells: &[T], nulls: Option<&NullBuffer>) -> (T, T) {
    let (mut least, mut most) = (T::MOST, T::LEAST);
    let mut take = |cell: T| {
        least = if cell < least { cell } else { least };
        most = if cell > most { cell } else { most };
    };
    match nulls {
        None => cells.iter().for_each(|&cell| take(cell)),
        Some(nulls) => nulls.valid_indices().for_each(|row| take(cells[row])),
    }
    if least > most { (T::LEAST, T::LEAST) } else { (least, most) }
}
