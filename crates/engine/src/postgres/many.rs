use rowmill_wire::{Event, Output, Request, RequestId};

use super::stop::stop;
use super::{in_transaction, leave_idle, run_script, wire_statement};
use crate::many::{Many, in_row};
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, Result, limits};

/// Runs a statement for each row on a connection in no transaction.
pub(crate) fn run_many(link: &mut Link, many: Many, control: &Control<'_>) -> Result<u64> {
    let done = in_transaction(link, control, |link| run_all(link, many, control));
    leave_idle(link, done)
}

/// As [`run_many`] within a transaction, which goes on where it fails. A row whose parameters do not fit
/// is refused here, and the server, which hears nothing of it, would keep the others.
pub(crate) fn run_many_inside(link: &mut Link, many: Many, control: &Control<'_>) -> Result<u64> {
    run_script(link, "savepoint rowmill_many", control)?;
    let done = run_all(link, many, control);
    if done.is_ok() {
        run_script(link, "release rowmill_many", control)?;
    } else if !link.is_broken()
        && run_script(link, "rollback to rowmill_many; release rowmill_many", &Control::grace())
            .is_err()
    {
        link.break_off();
    }
    done
}

/// Runs a statement for each row, many on their way at once. How many rows they changed.
fn run_all(link: &mut Link, many: Many, control: &Control<'_>) -> Result<u64> {
    let Many { statement, rows } = many;
    let (mut affected, mut before) = (0, 0);
    let mut rows = rows.into_iter();
    loop {
        let requests = rows.by_ref().take(limits::PIPELINE).map(|parameters| Request {
            statement: wire_statement(&statement),
            parameters,
            output: Output::Discard,
        });
        let sent: Vec<RequestId> = requests.map(|request| link.session.start(request)).collect();
        let Some(&last) = sent.last() else { return Ok(affected) };
        // After the first failure the server refuses all others of the transaction.
        let mut failed: Option<Error> = None;
        let driven = drive(link, control, |event| {
            let Event::Done { id, result } = event else { return Until::More };
            let Some(at) = sent.iter().position(|request| *request == id) else {
                return Until::More;
            };
            match result {
                Ok(done) => affected += done.tag.rows,
                Err(failure) if failed.is_none() => {
                    failed =
                        Some(in_row((before + at) as u64, Error::from(failure).about(&statement)));
                }
                Err(_) => {}
            }
            if id == last { Until::Stop(()) } else { Until::More }
        });
        if let Err(stopped) = driven {
            stop(link, last, stopped.clone())?;
            return Err(stopped.about(&statement));
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        before += sent.len();
    }
}
