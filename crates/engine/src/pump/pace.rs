use std::thread;
use std::time::{Duration, Instant};

use rowmill_wire::RequestId;

use super::Fill;
use crate::limits;

/// When a caller that receives long answers looks up, and when it lets bytes gather.
///
/// A server sends 8 KiB at a time. A reader that is faster is woken for each of them, and both
/// sides pay: the reader's switch and the server's waking it cost more than the bytes. One that
/// sleeps a moment while the socket fills takes many at once: about 30 % less CPU, and a fifth less
/// time, for it is the server that everybody waits for. Network cards delay interrupts for the same
/// reason.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The request that the last call was about.
    answer: Option<RequestId>,
    /// Bytes of this answer.
    received: usize,
    /// When bytes first and last came.
    first: Option<Instant>,
    last: Option<Instant>,
    /// How long to sleep: not at all unless the last bytes came soon after others and were all that
    /// there was.
    nap: Duration,
    has_napped: bool,
    looked: Option<Instant>,
    /// Grows with naps that were of no use, and shrinks with the others. Kept from one answer to the
    /// next.
    useless: u32,
}

/// Shorter answers are taken as they come.
const LONG: usize = 64 << 10;
/// A nap takes at most this part of the time that the answer took so far; the last one may be for
/// nothing.
const SHARE: u32 = 16;
/// Shorter naps are not taken: the kernel makes as much of them as of this.
const SHORTEST: Duration = Duration::from_micros(50);
/// A server that is silent for longer than this sends too little for a nap to gather anything. A
/// nap that takes longer lets the socket fill up, and the server waits.
const FLOWING: Duration = Duration::from_millis(1);
/// A nap that gathers no more than the server sends at once has saved nothing, and where the socket holds no
/// more, the server waited for us.
const LITTLE: usize = 8 << 10;
/// Where more than one nap in this many is of no use, naps are: sleep is coarse here, or the socket
/// small. (One now and then is another program's turn.)
const OFTEN: u32 = 8;
/// Eight in a row are enough to know.
const ENOUGH: u32 = 8 * OFTEN;

impl Pace {
    /// To be called before the first receive of a call; `answer` is that which the server is giving. A
    /// stream's next part goes on with the answer of the part before, and the time between them is the
    /// reader's.
    pub(super) fn begin(&mut self, answer: Option<RequestId>, now: Instant) {
        let useless = self.useless;
        *self = match (self.first, self.last) {
            (Some(first), Some(last)) if answer.is_some() && answer == self.answer => {
                let first = first + now.saturating_duration_since(last);
                Self { received: self.received, first: Some(first), useless, ..Self::default() }
            }
            _ => Self { useless, ..Self::default() },
        };
        self.answer = answer;
    }

    /// To be called when an answer has ended; another may follow in the same call.
    pub(super) fn next(&mut self) {
        let (looked, useless) = (self.looked, self.useless);
        *self = Self { looked, useless, ..Self::default() };
    }

    /// To be called before a receive, once all is sent.
    pub(super) fn rest(&mut self) {
        if self.nap.is_zero() || self.useless >= ENOUGH {
            return;
        }
        thread::sleep(self.nap);
        self.has_napped = true;
    }

    /// To be called after a receive; true where the caller should be asked whether to go on: when
    /// nothing came, and every tick, for while rows pour in nothing ever waits.
    pub(super) fn took(&mut self, fill: Fill, now: Instant) -> bool {
        let since = |then: Option<Instant>| then.map(|then| now.saturating_duration_since(then));
        let gap = since(self.last);
        let due = match fill {
            Fill::Received { bytes, drained } => {
                self.received += bytes;
                let so_far = now - *self.first.get_or_insert(now);
                let flows = gap.is_some_and(|gap| gap < FLOWING);
                let nap = (so_far / SHARE).min(limits::NAP);
                if self.has_napped {
                    self.judge(bytes > LITTLE && flows);
                }
                let naps = drained && flows && self.received > LONG && nap >= SHORTEST;
                self.nap = if naps { nap } else { Duration::ZERO };
                self.last = Some(now);
                since(self.looked).is_some_and(|passed| passed >= limits::TICK)
            }
            Fill::Nothing => {
                self.nap = Duration::ZERO;
                true
            }
        };
        self.has_napped = false;
        if due || self.looked.is_none() {
            self.looked = Some(now);
        }
        due
    }

    fn judge(&mut self, was_of_use: bool) {
        self.useless =
            if was_of_use { self.useless.saturating_sub(1) } else { self.useless + OFTEN };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Fill = Fill::Received { bytes: LONG, drained: true };

    /// After a long answer's bytes that came this long after its first.
    fn after(so_far: Duration, fill: Fill) -> Pace {
        let start = Instant::now();
        let last = start + so_far;
        let now = last + FLOWING / 10;
        let mut pace = Pace { first: Some(start), last: Some(last), ..Pace::default() };
        pace.received = 1;
        assert!(!pace.took(fill, now));
        pace
    }

    #[test]
    fn a_reader_that_is_ahead_naps_for_a_share_of_the_time() {
        assert_eq!(after(Duration::from_secs(1), ALL).nap, limits::NAP);
        let nap = after(limits::NAP * SHARE / 2, ALL).nap;
        assert!((limits::NAP / 2..limits::NAP).contains(&nap), "{nap:?}");
    }

    #[test]
    fn nobody_naps_over_a_short_answer_or_one_that_waits_in_the_socket() {
        let second = Duration::from_secs(1);
        let more = Fill::Received { bytes: LONG, drained: false };
        assert_eq!(after(second, more).nap, Duration::ZERO);
        let short = Fill::Received { bytes: LONG - 1, drained: true };
        assert_eq!(after(second, short).nap, Duration::ZERO);
        assert_eq!(after(SHORTEST * SHARE / 2, ALL).nap, Duration::ZERO);
        let mut next = after(second, ALL);
        next.next();
        assert_eq!((next.nap, next.received), (Duration::ZERO, 0));
    }

    #[test]
    fn nobody_naps_over_a_trickle() {
        let mut pace = after(Duration::from_secs(1), ALL);
        let late = pace.last.unwrap_or_else(Instant::now) + FLOWING;
        pace.took(ALL, late);
        assert_eq!(pace.nap, Duration::ZERO);
        let mut stalled = after(Duration::from_secs(1), ALL);
        stalled.took(Fill::Nothing, late);
        assert_eq!(stalled.nap, Duration::ZERO);
    }

    /// Whether naps are given up after a thousand, each of which brought what `nap` says.
    fn is_given_up(nap: impl Fn(u32) -> (usize, Duration)) -> bool {
        let mut pace = after(Duration::from_secs(1), ALL);
        for (bytes, gap) in (0..1_000).map(nap) {
            pace.has_napped = true;
            let now = pace.last.unwrap_or_else(Instant::now) + gap;
            pace.took(Fill::Received { bytes, drained: true }, now);
        }
        pace.begin(None, Instant::now());
        pace.useless >= ENOUGH
    }

    #[test]
    fn naps_end_where_they_are_of_no_use_and_not_where_they_are_disturbed() {
        let (good, late) = ((10 * LITTLE, FLOWING / 4), (10 * LITTLE, FLOWING * 4));
        assert!(!is_given_up(|_| good));
        assert!(!is_given_up(|nap| if nap % 16 == 0 { late } else { good }));
        assert!(is_given_up(|nap| if nap % 4 == 0 { late } else { good }));
        // A socket that holds no more than the server sends at once.
        assert!(is_given_up(|_| (8 << 10, FLOWING / 4)));
    }

    #[test]
    fn the_caller_is_asked_when_nothing_comes_and_every_tick() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert!(pace.took(Fill::Nothing, start));
        assert!(!pace.took(ALL, start));
        assert!(pace.took(ALL, start + limits::TICK));
        assert!(!pace.took(ALL, start + limits::TICK));
        // An answer's end within a call resets no clock; the next call starts its own.
        pace.next();
        assert!(pace.took(ALL, start + 2 * limits::TICK));
        pace.begin(None, start);
        assert!(!pace.took(ALL, start + 9 * limits::TICK));
    }

    #[test]
    fn a_streams_parts_are_one_answer() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let (step, long) = (FLOWING / 10, limits::NAP * SHARE);
        pace.begin(Some(7), start);
        pace.took(ALL, start);
        pace.took(ALL, start + long);
        // However long the reader was away: what came meanwhile is taken at once, then naps go on.
        let later = start + Duration::from_secs(9);
        pace.begin(Some(7), later);
        assert_eq!(pace.nap, Duration::ZERO);
        pace.took(ALL, later + step);
        assert_eq!(pace.nap, Duration::ZERO);
        pace.took(ALL, later + 2 * step);
        assert_eq!(pace.nap, limits::NAP);
        pace.begin(Some(8), later);
        assert_eq!((pace.received, pace.first), (0, None));
    }
}
