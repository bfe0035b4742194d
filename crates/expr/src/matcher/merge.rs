use std::sync::Arc;

use super::base::Base;
use super::live::Live;
use super::view::{Dead, Level, Recent, View};

/// What a merge is of, and what was removed since it began.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) number: u64,
    pub(super) bases: Vec<Arc<Base>>,
    pub(super) recent: Vec<Arc<Recent>>,
    pub(super) removed: Vec<u64>,
}

/// Indexes and conditions to be made one index: begun by [`Live::merge`].
///
/// While it runs others match, store and remove; what is removed meanwhile is not there afterwards.
#[derive(Debug)]
pub struct Merge<'l> {
    pub(super) live: &'l Live,
    pub(super) number: u64,
    pub(super) levels: Vec<Level>,
    pub(super) recent: Vec<Arc<Recent>>,
}

impl Merge<'_> {
    /// How many conditions the new index will have.
    pub fn len(&self) -> usize {
        self.recent.len() + self.levels.iter().map(Level::alive).sum::<usize>()
    }

    /// Whether there will be none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes the index, which takes some 15 us for each condition, and has it used.
    pub fn run(self) {
        let mut builder = Base::builder(self.live.attributes());
        // Each was taken once, under an id that no other has: refused are what a snapshot has that was made up, and
        // what is more than one index takes.
        let mut refused = Vec::new();
        for level in &self.levels {
            let base = &level.base;
            for number in (0..base.len() as u32).filter(|&number| level.is_alive(number)) {
                let at = number as usize;
                let inserted = base.expressions.get(at).and_then(|expression| {
                    builder.insert_with_priority(base.ids[at], &expression, base.priorities[at])
                });
                if inserted.is_err() {
                    refused.push(Arc::clone(base));
                    break;
                }
            }
        }
        for recent in &self.recent {
            let Recent { id, expression, priority, .. } = &**recent;
            if builder.insert_with_priority(*id, expression, *priority).is_err() {
                // There is no room for it beside these.
                refused.extend(self.levels.iter().map(|level| Arc::clone(&level.base)));
                break;
            }
        }
        if refused.is_empty() {
            self.finish(builder.build());
        } else {
            self.fix(&refused);
        }
    }

    /// Leaves indexes as they are, for good.
    fn fix(&self, refused: &[Arc<Base>]) {
        let _writer = self.live.writer();
        let mut new = View::clone(&self.live.view());
        for level in &mut new.levels {
            level.is_fixed |= refused.iter().any(|base| Arc::ptr_eq(base, &level.base));
        }
        self.live.publish(new);
    }

    pub(super) fn finish(&self, base: Base) {
        let mut writer = self.live.writer();
        let Some(at) = writer.iter().position(|merge| merge.number == self.number) else { return };
        let merge = writer.remove(at);
        let mut dead = Dead { words: vec![0; base.len().div_ceil(64)], count: 0 };
        for id in merge.removed {
            if let Some(&number) = base.numbers.get(&id) {
                dead.kill(number);
            }
        }
        let view = self.live.view();
        let mut new = View::clone(&view);
        new.levels.retain(|level| !merge.bases.iter().any(|base| Arc::ptr_eq(base, &level.base)));
        new.recent.retain(|recent| !merge.recent.iter().any(|other| Arc::ptr_eq(other, recent)));
        let dead = (dead.count > 0).then(|| Arc::new(dead));
        let level = Level { base: Arc::new(base), dead, is_fixed: false };
        if level.alive() > 0 {
            new.levels.push(level);
        }
        self.live.publish(new);
    }
}

impl Drop for Merge<'_> {
    fn drop(&mut self) {
        self.live.writer().retain(|merge| merge.number != self.number);
    }
}
