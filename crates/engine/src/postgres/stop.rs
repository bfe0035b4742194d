use std::time::Instant;

use rowmill_wire::{Completion, Event, RequestId};

use super::CancelTarget;
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits};

/// Has the server stop what it does for `link`, and takes what it still says until `on_event` has
/// what it waits for. None where it did not stop in time, or may not have heard: then a cancel may still
/// be on its way that would hit what ran here next, and the connection is of no more use. Without a
/// `target` it only waits.
fn halt<T>(
    link: &mut Link,
    target: Option<&CancelTarget>,
    mut on_event: impl FnMut(Event) -> Until<T>,
) -> Option<T> {
    let end = Instant::now() + limits::CANCEL_GRACE;
    let mut pause = limits::CANCEL_AGAIN;
    loop {
        let asked = Instant::now();
        let grace = Control { deadline: Some(end), interrupt: None };
        if target.is_some_and(|target| !target.cancel(&grace)) {
            return None;
        }
        // What the asking took is what the network takes: the answer may take as long.
        pause = pause.max(asked.elapsed());
        let control = Control { deadline: Some(end.min(Instant::now() + pause)), ..grace };
        match drive(link, &control, &mut on_event) {
            Err(error) if error.kind() == ErrorKind::QueryTimeout && Instant::now() < end => {}
            done => return done.ok(),
        }
        pause *= 2;
    }
}

/// Has the server stop a request that nobody waits for; false where it did not, and the connection of no more use.
pub(super) fn halt_request(link: &mut Link, id: RequestId) -> bool {
    let target = link.cancel_target();
    let over = halt(link, target.as_ref(), |event| match event {
        Event::Done { id: done, .. } if done == id => Until::Stop(()),
        _ => Until::More,
    });
    over.is_some()
}

/// After a deadline or an interrupt: has the server stop, and takes what it still says, so that
/// the connection can be used again. A statement that finished all the same is reported as
/// finished where only time was the reason: its work is done.
pub(crate) fn stop(link: &mut Link, id: RequestId, stopped: Error) -> Result<Completion> {
    let target = link.cancel_target();
    come_to_rest(link, id, target.as_ref(), stopped)
}

/// As [`stop`], of a COMMIT, which is left to arrive: a cancel would only blur its outcome.
pub(super) fn let_end(link: &mut Link, id: RequestId, stopped: Error) -> Result<Completion> {
    come_to_rest(link, id, None, stopped)
}

fn come_to_rest(
    link: &mut Link,
    id: RequestId,
    target: Option<&CancelTarget>,
    stopped: Error,
) -> Result<Completion> {
    if !matches!(stopped.kind(), ErrorKind::QueryTimeout | ErrorKind::Cancelled) || link.is_broken()
    {
        return Err(stopped);
    }
    let timed_out = stopped.kind() == ErrorKind::QueryTimeout;
    if !timed_out {
        link.session.abandon(id);
    }
    let rest = halt(link, target, |event| match event {
        Event::Done { id: done, result } if done == id => Until::Stop(result.ok()),
        // A portal's portion was done by then, and the portal is whole.
        Event::Suspended { id: done, .. } if done == id => Until::Stop(None),
        _ => Until::More,
    });
    match rest {
        Some(Some(completion)) if timed_out => Ok(completion),
        Some(_) => Err(stopped),
        None => {
            link.break_off();
            Err(stopped)
        }
    }
}

/// Has the server stop `requests`, which nobody waits for, one after the other, and ends the
/// connection. A single cancel stops one, and those behind it would run on.
pub(crate) fn stop_all(mut link: Box<Link>, requests: Vec<RequestId>) {
    link.block();
    for id in requests {
        link.session.abandon(id);
        if link.session.is_sent(id) && !halt_request(&mut link, id) {
            return;
        }
    }
}
