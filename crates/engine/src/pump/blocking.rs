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
    let answer = link.session.oldest();
    link.pace.begin(answer, Instant::now());
    loop {
        while let Some(event) = link.session.next_event() {
            if matches!(event, Event::Done { .. }) {
                link.pace.next();
            }
            if let Until::Stop(value) = on_event(event) {
                return Ok(value);
            }
        }
        let all_sent = link.flush()?;
        if all_sent {
            link.pace.rest();
        }
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
                received @ Fill::Received { .. } => received,
            }
        };
        if link.pace.took(received, Instant::now()) {
            control.check()?;
        }
    }
}
