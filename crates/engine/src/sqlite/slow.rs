//! Which statements ran over the budget of an event loop's thread.

use std::sync::atomic::{AtomicU64, Ordering};

/// Places for marks; statements whose keys fall on one place push each other out, which costs one
/// needless attempt.
const PLACES: usize = 1_024;

/// How often a marked statement is refused before it is tried again: it may have been slow because
/// the file was cold. An attempt costs the budget, 200 us, so 256 calls share less than 1 us each.
const REFUSALS: u64 = 255;

/// Marks, without a lock: the upper 56 bits of a place say whose it is, the lower 8 how many
/// refusals are left.
pub(super) struct Slow([AtomicU64; PLACES]);

impl Default for Slow {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; PLACES])
    }
}

impl Slow {
    fn place(&self, key: u128) -> (&AtomicU64, u64) {
        (&self.0[key as usize % PLACES], (key >> 64) as u64 & !0xff)
    }

    /// Whether the statement is marked; asking uses up a refusal.
    pub(super) fn refuses(&self, key: u128) -> bool {
        let (place, tag) = self.place(key);
        let mark = place.load(Ordering::Relaxed);
        let refusals = mark & 0xff;
        if mark - refusals != tag || refusals == 0 {
            return false;
        }
        place.store(mark - 1, Ordering::Relaxed);
        true
    }

    pub(super) fn mark(&self, key: u128) {
        let (place, tag) = self.place(key);
        place.store(tag | REFUSALS, Ordering::Relaxed);
    }
}
