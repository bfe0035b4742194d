use std::time::Instant;

use rowmill_wire::{Completion, Event, RequestId};

use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits};

/// Has the server stop what it does for `link`, and takes what it still says until `on_event` has
/// what it waits for. None where it did not stop in time, or was not reached: then a cancel may still
/// be on its way that would hit what ran here next, and the connection is of no more use.
pub(super) fn halt<T>(link: &mut Link, mut on_event: impl FnMut(Event) -> Until<T>) -> Option<T> {
    let target = link.cancel_target();
    let end = Instant::now() + limits::CANCEL_GRACE;
    let mut pause = limits::CANCEL_AGAIN;
    loop {
        if target.as_ref().is_some_and(|target| !target.cancel()) {
            return None;
        }
        let control = Control { deadline: Some(end.min(Instant::now() + pause)), interrupt: None };
        match drive(link, &control, &mut on_event) {
            Err(error) if error.kind() == ErrorKind::QueryTimeout && Instant::now() < end => {}
            done => return done.ok(),
        }
        pause *= 2;
    }
}

/// As [`halt`], until the request is over; false where it is not, and the connection of no more use.
pub(super) fn halt_request(link: &mut Link, id: RequestId) -> bool {
    let over = halt(link, |event| match event {
        Event::Done { id: done, .. } if done == id => Until::Stop(()),
        _ => Until::More,
    });
    over.is_some()
}

/// After a deadline or an interrupt: has the server stop, and takes what it still says, so that
/// the connection can be used again. A statement that finished all the same is reported as
/// finished where only time was the reason: its work is done.
pub(crate) fn stop(link: &mut Link, id: RequestId, stopped: Error) -> Result<Completion> {
    if !matches!(stopped.kind(), ErrorKind::QueryTimeout | ErrorKind::Cancelled) || link.is_broken()
    {
        return Err(stopped);
    }
    if stopped.kind() == ErrorKind::Cancelled {
        link.session.abandon(id);
    }
    let counts = stopped.kind() == ErrorKind::QueryTimeout && link.cancel_target().is_some();
    let rest = halt(link, |event| match event {
        Event::Done { id: done, result } if done == id => Until::Stop(result.ok()),
        // A portal's portion was done by then, and the portal is whole.
        Event::Suspended { id: done, .. } if done == id => Until::Stop(None),
        _ => Until::More,
    });
    match rest {
        Some(Some(completion)) if counts => Ok(completion),
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
