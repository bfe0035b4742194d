use rowmill_wire::{Event, Output, Request, RequestId};

use super::run::stop;
use super::{in_transaction, leave_idle, wire_statement};
use crate::many::{Many, in_row};
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, Result, limits};

/// Runs a statement for each row on a connection in no transaction.
pub(crate) fn run_many(link: &mut Link, many: Many, control: &Control<'_>) -> Result<u64> {
    let done = in_transaction(link, control, |link| run_many_inside(link, many, control));
    leave_idle(link, done)
}

/// Runs a statement for each row within a transaction, many on their way at once. How many rows
/// they changed.
pub(crate) fn run_many_inside(link: &mut Link, many: Many, control: &Control<'_>) -> Result<u64> {
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
