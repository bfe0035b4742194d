use rowmill_columns::Scalar;
use rowmill_expr::Statement;
use rowmill_wire::{Completion, Event, Failure, Output, Request, RequestId, TransactionStatus};

use super::CancelTarget;
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, TransactionMode, limits};

/// Runs one statement to its end on the caller's thread.
pub(crate) fn run(
    link: &mut Link,
    statement: &Statement,
    parameters: Vec<Scalar>,
    output: Output,
    control: &Control<'_>,
) -> Result<Completion> {
    let id = link.session.start(request(statement, parameters, output));
    finish(link, id, control).map_err(|error| error.about(statement))
}

/// As [`run`], relying on nothing that is known of the statement.
pub(super) fn run_anew(
    link: &mut Link,
    statement: &Statement,
    parameters: Vec<Scalar>,
    output: Output,
    control: &Control<'_>,
) -> Result<Completion> {
    let id = link.session.start_anew(request(statement, parameters, output));
    finish(link, id, control).map_err(|error| error.about(statement))
}

fn request(statement: &Statement, parameters: Vec<Scalar>, output: Output) -> Request {
    Request { statement: wire_statement(statement), parameters, output }
}

/// Runs several statements in one go.
pub(crate) fn run_script(link: &mut Link, text: &str, control: &Control<'_>) -> Result<Completion> {
    let id = link.session.script(text);
    finish(link, id, control).map_err(|error| error.with_query(text))
}

/// The statement as the session wants it; both share the text.
pub(crate) fn wire_statement(statement: &Statement) -> rowmill_wire::Statement {
    rowmill_wire::Statement { text: statement.text().clone(), key: statement.key() }
}

fn finish(link: &mut Link, id: RequestId, control: &Control<'_>) -> Result<Completion> {
    match wait(link, id, control) {
        Ok(result) => result.map_err(Error::from),
        Err(stopped) => stop(link, id, stopped),
    }
}

/// Has the server stop `requests`, which nobody waits for, one after the other, and ends the
/// connection. A single cancel stops one, and those behind it would run on.
pub(crate) fn stop_all(mut link: Box<Link>, requests: Vec<RequestId>, target: &CancelTarget) {
    link.block();
    for id in requests {
        link.session.abandon(id);
        if !link.session.is_sent(id) {
            continue;
        }
        // Between two statements the server drops a cancel, so it is asked again.
        let slice = limits::CANCEL_GRACE / CANCELS;
        let is_over = (0..CANCELS)
            .any(|_| target.cancel() && wait(&mut link, id, &Control::timeout(slice)).is_ok());
        if !is_over {
            return;
        }
    }
}

/// How often a statement is asked to stop that nobody waits for.
const CANCELS: u32 = 5;

fn wait(
    link: &mut Link,
    id: RequestId,
    control: &Control<'_>,
) -> Result<std::result::Result<Completion, Failure>> {
    drive(link, control, |event| match event {
        Event::Done { id: done, result } if done == id => Until::Stop(result),
        _ => Until::More,
    })
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
    let heard = link.cancel_target().map(|target| target.cancel());
    if heard == Some(false) {
        // It may still be on its way, and would hit whatever ran here next.
        link.break_off();
        return Err(stopped);
    }
    let timed_out = stopped.kind() == ErrorKind::QueryTimeout;
    let rest = drive(link, &Control::grace(), |event| match event {
        Event::Done { id: done, result } if done == id => Until::Stop(result.ok()),
        // A portal's portion was done by then, and the portal is whole.
        Event::Suspended { id: done, .. } if done == id => Until::Stop(None),
        _ => Until::More,
    });
    match rest {
        Ok(Some(completion)) if heard.is_some() && timed_out => Ok(completion),
        Ok(_) => Err(stopped),
        Err(_) => {
            link.break_off();
            Err(stopped)
        }
    }
}

/// After a call that had a connection to itself and is not a transaction's: where it left one open
/// that is rolled back, and a call that thought itself done is told.
pub(crate) fn leave_idle<T>(link: &mut Link, done: Result<T>) -> Result<T> {
    if link.session.transaction() == TransactionStatus::Idle || link.is_broken() {
        return done;
    }
    roll_back(link);
    done.and_then(|_| Err(left_open()))
}

/// Rolls back what is open, or breaks the connection off, which comes to the same: there is nothing to
/// cancel where it takes too long.
pub(super) fn roll_back(link: &mut Link) {
    let id = link.session.script("rollback");
    if !matches!(wait(link, id, &Control::grace()), Ok(Ok(_))) {
        link.break_off();
    }
}

#[cold]
fn left_open() -> Error {
    let message = "the statement left a transaction open, which was rolled back";
    Error::new(ErrorKind::Misuse, format!("{message}; use db.transaction()"))
}

/// The statement that opens a transaction.
pub(crate) fn begin_sql(mode: TransactionMode) -> String {
    let mut sql = String::from("begin");
    if let Some(isolation) = mode.isolation {
        sql.push_str(" isolation level ");
        sql.push_str(isolation.sql());
    }
    if mode.read_only {
        sql.push_str(" read only");
    }
    if mode.deferrable {
        sql.push_str(" deferrable");
    }
    sql
}
