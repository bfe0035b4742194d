use std::cmp::Ordering;

/// The conditions of the highest priority among those that are true of a record: see
/// [`View::top`](super::View::top).
///
/// What has come is thrown away when so much of it is beaten that this pays, so it holds a few times as many as are
/// wanted, and those that tie with the last of them.
///
/// ```
/// use rowmill_expr::matcher::Top;
/// let mut top = Top::new(2);
/// for (priority, id) in [(0.5, 1), (2.0, 9), (2.0, 4), (1.0, 3)] {
///     top.push(priority, id);
/// }
/// assert_eq!(top.ids(), [4, 9], "ties by the id");
/// ```
#[derive(Clone, Debug)]
pub struct Top {
    most: usize,
    found: Vec<(f64, u64)>,
    /// What is less is beaten.
    floor: f64,
    /// How many are held before it is looked for what is beaten.
    room: usize,
}

/// Conditions that are held before any is thrown away: fewer are not worth the looking.
const LEAST_ROOM: usize = 64;

impl Top {
    /// Of none yet, at most so many.
    pub fn new(most: usize) -> Self {
        let room = most.saturating_mul(2).max(LEAST_ROOM);
        Self { most, found: Vec::new(), floor: f64::NEG_INFINITY, room }
    }

    /// Takes a condition into account. Those of other indexes may come too.
    #[inline]
    pub fn push(&mut self, priority: f64, id: u64) {
        if priority < self.floor || self.most == 0 {
            return;
        }
        self.found.push((priority, id));
        if self.found.len() >= self.room {
            self.clear_beaten();
        }
    }

    /// The ids, that of the highest priority first; of the same priority, the lower id first.
    #[must_use]
    pub fn ids(self) -> Vec<u64> {
        self.ids_by(|&id| Some(id))
    }

    /// The same, of the same priority by what an id stands for; one that stands for nothing is left out.
    #[must_use]
    pub fn ids_by<K: Ord>(mut self, key: impl Fn(&u64) -> Option<K>) -> Vec<u64> {
        self.clear_beaten();
        let found = self.found.iter().filter_map(|&(priority, id)| Some((priority, key(&id)?, id)));
        let mut found: Vec<(f64, K, u64)> = found.collect();
        let order =
            |a: &(f64, K, u64), b: &(f64, K, u64)| higher(a.0, b.0).then_with(|| a.1.cmp(&b.1));
        if found.len() > self.most && self.most > 0 {
            found.select_nth_unstable_by(self.most - 1, order);
            found.truncate(self.most);
        }
        found.sort_unstable_by(order);
        found.into_iter().map(|(.., id)| id).collect()
    }

    #[cold]
    fn clear_beaten(&mut self) {
        if self.found.len() > self.most && self.most > 0 {
            let order = |a: &(f64, u64), b: &(f64, u64)| higher(a.0, b.0);
            let (_, &mut (floor, _), _) = self.found.select_nth_unstable_by(self.most - 1, order);
            self.found.retain(|&(priority, _)| priority >= floor);
            self.floor = floor;
        }
        self.room = self.room.max(self.found.len().saturating_mul(2));
    }
}

fn higher(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}
