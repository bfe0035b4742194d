use std::cmp::Ordering;

/// The conditions of the highest priority among those that are true of a record: see
/// [`View::top`](super::View::top).
///
/// What is beaten is thrown away when so much of it has come that this pays: no more are held than twice as many as are
/// wanted, or 64.
#[derive(Clone, Debug)]
pub struct Top {
    most: usize,
    found: Vec<(u64, f64)>,
    /// The last of those that are wanted so far: what comes behind it is beaten.
    last: Option<(u64, f64)>,
}

/// Conditions that are held before any is thrown away: fewer are not worth the looking.
const LEAST_ROOM: usize = 64;

impl Top {
    /// Of none yet, at most so many.
    pub fn new(most: usize) -> Self {
        Self { most, found: Vec::new(), last: None }
    }

    /// Takes a condition into account, whose priority is neither NaN nor -0.0, as that of no stored one is.
    #[inline]
    pub(super) fn push(&mut self, id: u64, priority: f64) {
        let one = (id, priority);
        if self.most == 0 || self.last.is_some_and(|last| order(&one, &last).is_gt()) {
            return;
        }
        self.found.push(one);
        if self.found.len() >= self.most.saturating_mul(2).max(LEAST_ROOM) {
            self.clear_beaten();
        }
    }

    /// Ids and priorities, the highest priority first; of the same priority, the lower id first, as an `i64`.
    #[must_use]
    pub fn ranked(mut self) -> Vec<(u64, f64)> {
        self.clear_beaten();
        self.found.sort_unstable_by(order);
        self.found
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.found.len()
    }

    #[cold]
    fn clear_beaten(&mut self) {
        if self.found.len() > self.most && self.most > 0 {
            let (_, &mut last, _) = self.found.select_nth_unstable_by(self.most - 1, order);
            self.found.truncate(self.most);
            self.last = Some(last);
        }
    }
}

fn order(a: &(u64, f64), b: &(u64, f64)) -> Ordering {
    b.1.total_cmp(&a.1).then_with(|| (a.0 as i64).cmp(&(b.0 as i64)))
}
