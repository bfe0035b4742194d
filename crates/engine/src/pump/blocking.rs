use std::time::Instant;

use rowmill_wire::Event;

use super::{Fill, Link};
use crate::{Control, Result, limits};

/// Whether [`drive`] goes on.
pub(crate) enum Until<T> {
    /// Goes on.
    More,
    /// Stops with this.
    Stop(T),
}

/// Moves bytes on the caller's thread until an event says stop, the deadline passes, the caller
/// interrupts or the connection ends. The connection is as good as it was after a timeout or an
/// interrupt; what is under way on it is still under way. In a fork nothing moves.
pub(crate) fn drive<T>(
    link: &mut Link,
    control: &Control<'_>,
    mut on_event: impl FnMut(Event) -> Until<T>,
) -> Result<T> {
    link.check_process()?;
    let mut looked: Option<Instant> = None;
    loop {
        while let Some(event) = link.session.next_event() {
            if let Until::Stop(value) = on_event(event) {
                return Ok(value);
            }
        }
        let all_sent = link.flush()?;
        let received = if all_sent && control.deadline.is_none() {
            link.fill(true)?
        } else {
            match link.fill(false)? {
                Fill::Nothing => {
                    let wait = control.wait(limits::TICK);
                    // A signal ends the wait early; the check below hears of it.
                    let _ = link.transport().socket().wait(!all_sent, wait);
                    link.fill(false)?
                }
                received @ Fill::Received(_) => received,
            }
        };
        // While rows pour in nothing ever waits, so the clock is looked at too.
        let due = match (received, looked) {
            (Fill::Nothing, _) => true,
            (_, None) => {
                looked = Some(Instant::now());
                false
            }
            (_, Some(at)) => at.elapsed() >= limits::TICK,
        };
        if due {
            looked = Some(Instant::now());
            control.check()?;
        }
    }
}
