use std::time::Instant;

use rowmill_columns::Scalar;
use rowmill_expr::Statement;
use rowmill_wire::{Completion, Event, Failure, Output, Request, RequestId};

use super::cancel;
use crate::config::PostgresConfig;
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Isolation, Result, limits};

/// Runs one statement to its end on the caller's thread.
pub(crate) fn run(
    link: &mut Link,
    config: &PostgresConfig,
    statement: &Statement,
    parameters: Vec<Scalar>,
    output: Output,
    control: &Control<'_>,
) -> Result<Completion> {
    let request = Request { statement: wire_statement(statement), parameters, output };
    let id = link.session.start(request);
    finish(link, config, id, control).map_err(|error| error.about(statement))
}

/// Runs several statements in one go.
pub(crate) fn run_script(
    link: &mut Link,
    config: &PostgresConfig,
    text: &str,
    control: &Control<'_>,
) -> Result<Completion> {
    let id = link.session.script(text);
    finish(link, config, id, control).map_err(|error| error.with_query(text))
}

/// The statement as the session wants it; both share the text.
pub(crate) fn wire_statement(statement: &Statement) -> rowmill_wire::Statement {
    rowmill_wire::Statement { text: statement.text().clone(), key: statement.key() }
}

fn finish(
    link: &mut Link,
    config: &PostgresConfig,
    id: RequestId,
    control: &Control<'_>,
) -> Result<Completion> {
    match wait(link, id, control) {
        Ok(result) => result.map_err(Error::from),
        Err(stopped) => stop(link, config, id, stopped),
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

/// After a deadline or an interrupt: has the server stop, and takes what it still says, so that
/// the connection can be used again. A statement that finished all the same is reported as
/// finished where only time was the reason: its work is done.
pub(crate) fn stop(
    link: &mut Link,
    config: &PostgresConfig,
    id: RequestId,
    stopped: Error,
) -> Result<Completion> {
    if !matches!(stopped.kind(), ErrorKind::QueryTimeout | ErrorKind::Cancelled) || link.is_broken()
    {
        return Err(stopped);
    }
    if stopped.kind() == ErrorKind::Cancelled {
        link.session.abandon(id);
    }
    let heard = link.session.cancel_key().is_some_and(|key| cancel(config, key));
    let grace = Control { deadline: Some(Instant::now() + limits::CANCEL_GRACE), interrupt: None };
    match wait(link, id, &grace) {
        Ok(Ok(completion)) if heard && stopped.kind() == ErrorKind::QueryTimeout => Ok(completion),
        Ok(_) => Err(stopped),
        Err(_) => {
            link.break_off();
            Err(stopped)
        }
    }
}

/// The statement that opens a transaction.
pub(crate) fn begin_sql(isolation: Option<Isolation>, read_only: bool) -> String {
    let mut sql = String::from("begin");
    if let Some(isolation) = isolation {
        sql.push_str(" isolation level ");
        sql.push_str(isolation.sql());
    }
    if read_only {
        sql.push_str(" read only");
    }
    sql
}
