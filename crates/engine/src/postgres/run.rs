use rowmill_columns::Scalar;
use rowmill_expr::{Dialect, Statement};
use rowmill_wire::{Completion, Event, Failure, Output, Request, RequestId, TransactionStatus};

use super::stop::{let_end, stop};
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, TransactionMode};

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

/// Runs the COMMIT or ROLLBACK of a transaction, which nothing cancels.
pub(super) fn run_end(link: &mut Link, verb: &str, control: &Control<'_>) -> Result<Completion> {
    let statement = Statement::parse(verb, Dialect::Postgres)?;
    let id = link.session.start(request(&statement, Vec::new(), Output::Discard));
    let ended = match wait(link, id, control) {
        Ok(result) => result.map_err(Error::from),
        Err(stopped) => let_end(link, id, stopped),
    };
    ended.map_err(|error| error.about(&statement))
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
