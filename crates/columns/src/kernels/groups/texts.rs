use std::hash::BuildHasher as _;

use arrow_buffer::NullBuffer;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Numbering, ROOM};

impl Numbering {
    pub(super) fn texts<'a>(
        &mut self,
        nulls: Option<&NullBuffer>,
        text: impl Fn(usize) -> &'a [u8],
    ) {
        match nulls {
            None => self.texts_or_null(|row| Some(text(row))),
            Some(nulls) => self.texts_or_null(|row| nulls.is_valid(row).then(|| text(row))),
        }
    }

    /// By texts; none is NULL. The table has a group's hash beside it, so that a text is looked at once it is found.
    #[inline(always)]
    pub(super) fn texts_or_null<'a>(&mut self, text: impl Fn(usize) -> Option<&'a [u8]>) {
        let hasher = RandomState::default();
        let room = self.rows.min(ROOM);
        let mut groups: HashTable<(u64, u32, &'a [u8])> = HashTable::with_capacity(room);
        for row in 0..self.rows {
            let Some(text) = text(row) else {
                self.push_null(row);
                continue;
            };
            let hash = hasher.hash_one(text);
            let same = |&(other, _, known): &(u64, u32, &[u8])| other == hash && *known == *text;
            let found = groups.find(hash, same).map(|&(_, group, _)| group);
            let group = found.unwrap_or_else(|| {
                let group = self.begin(row);
                groups.insert_unique(hash, (hash, group, text), |&(hash, ..)| hash);
                group
            });
            self.push(group);
        }
    }
}
