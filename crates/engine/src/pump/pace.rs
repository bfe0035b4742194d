use std::thread;
use std::time::{Duration, Instant};

use super::Fill;
use crate::limits;

/// When a caller that receives a long answer looks up, and when it lets bytes gather.
///
/// A server sends 8 KiB at a time. A reader that is faster is woken for each of them, and both
/// sides pay: the reader's switch and the server's waking it cost more than the bytes. One that
/// sleeps a moment while the socket fills takes many at once: 25 % less CPU, and 15 % less time,
/// for it is the server that everybody waits for. Network cards delay interrupts for the same reason.
#[derive(Default)]
pub(super) struct Pace {
    received: usize,
    /// When bytes first and last came.
    first: Option<Instant>,
    last: Option<Instant>,
    /// How long to sleep: not at all unless the last bytes came soon after others and were all that
    /// there was.
    nap: Duration,
    /// Grows with naps that took far longer than asked for, and shrinks with the others.
    overslept: u32,
    looked: Option<Instant>,
}

/// Shorter answers are taken as they come.
const LONG: usize = 64 << 10;
/// The last nap may be for nothing: it costs at most this part of the time the answer took so far.
const SHARE: u32 = 16;
/// A server that is silent for longer than this sends too little for a nap to gather anything.
const FLOWING: Duration = Duration::from_millis(1);
/// Where more than one nap in this many takes far too long, sleep is coarse here: the socket fills up
/// meanwhile and the server waits. (One now and then is another program's turn.)
const COARSE: u32 = 8;
/// Eight long naps in a row are enough to know.
const OVERSLEPT: u32 = 8 * COARSE;

impl Pace {
    /// To be called before a receive.
    pub(super) fn rest(&mut self) {
        if self.nap.is_zero() || self.overslept >= OVERSLEPT {
            return;
        }
        let start = Instant::now();
        thread::sleep(self.nap);
        self.woke(start.elapsed());
    }

    fn woke(&mut self, slept: Duration) {
        if slept > FLOWING {
            self.overslept += COARSE;
        } else {
            self.overslept = self.overslept.saturating_sub(1);
        }
    }

    /// To be called after a receive; true where the caller should be asked whether to go on: when
    /// nothing came, and every tick, for while rows pour in nothing ever waits.
    pub(super) fn took(&mut self, fill: Fill) -> bool {
        let now = Instant::now();
        let since = |then: Option<Instant>| then.map(|then| now.saturating_duration_since(then));
        let due = match fill {
            Fill::Received { bytes, drained } => {
                self.received += bytes;
                let flows = since(self.last).is_some_and(|gap| gap < FLOWING);
                let so_far = now - *self.first.get_or_insert(now);
                self.nap = if drained && flows && self.received > LONG {
                    (so_far / SHARE).min(limits::NAP)
                } else {
                    Duration::ZERO
                };
                self.last = Some(now);
                since(self.looked).is_some_and(|passed| passed >= limits::TICK)
            }
            Fill::Nothing => true,
        };
        if due || self.looked.is_none() {
            self.looked = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Fill = Fill::Received { bytes: LONG, drained: true };

    /// After a long answer's bytes that came this long after its first.
    fn after(so_far: Duration, fill: Fill) -> Pace {
        let now = Instant::now();
        let mut pace = Pace { first: now.checked_sub(so_far), last: Some(now), ..Pace::default() };
        pace.received = 1;
        assert!(!pace.took(fill));
        pace
    }

    #[test]
    fn a_reader_that_is_ahead_naps_for_a_share_of_the_time() {
        assert_eq!(after(Duration::from_secs(1), ALL).nap, limits::NAP);
        let nap = after(limits::NAP, ALL).nap;
        assert!((limits::NAP / SHARE..limits::NAP).contains(&nap), "{nap:?}");
    }

    #[test]
    fn nobody_naps_over_a_short_answer_or_one_that_waits_in_the_socket() {
        let second = Duration::from_secs(1);
        let more = Fill::Received { bytes: LONG, drained: false };
        assert_eq!(after(second, more).nap, Duration::ZERO);
        let short = Fill::Received { bytes: LONG - 1, drained: true };
        assert_eq!(after(second, short).nap, Duration::ZERO);
    }

    #[test]
    fn nobody_naps_over_a_trickle() {
        let mut pace = Pace::default();
        assert!(!pace.took(ALL));
        assert_eq!(pace.nap, Duration::ZERO, "nothing came before");
        pace.last = Instant::now().checked_sub(FLOWING);
        assert!(!pace.took(ALL));
        assert_eq!(pace.nap, Duration::ZERO);
    }

    #[test]
    fn naps_end_where_sleep_is_coarse_and_not_where_it_is_disturbed() {
        let after = |long: fn(u32) -> bool| {
            let mut pace = Pace::default();
            (0..1_000).for_each(|nap| pace.woke(if long(nap) { FLOWING * 4 } else { limits::NAP }));
            pace.overslept >= OVERSLEPT
        };
        assert!(after(|_| true));
        assert!(after(|nap| nap % 4 == 0));
        assert!(!after(|nap| nap % 16 == 0));
    }

    #[test]
    fn the_caller_is_asked_when_nothing_comes_and_every_tick() {
        let mut pace = Pace::default();
        assert!(pace.took(Fill::Nothing));
        assert!(!pace.took(ALL));
        pace.looked = Instant::now().checked_sub(limits::TICK);
        assert!(pace.took(ALL));
        assert!(!pace.took(ALL));
    }
}
