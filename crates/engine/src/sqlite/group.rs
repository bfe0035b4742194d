//! Work of several callers in one transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rowmill_columns::Scalar;
use rowmill_expr::Statement;

use super::connection::{Command, Connection};
use super::error::stopped;
use super::watch::{Orders, Stopped};
use super::writer::{Ticket, Writer};
use crate::{Completion, Control, Error, ErrorKind, Result};

/// Statements in one transaction at most.
const TOGETHER: usize = 256;

/// How long a caller does the work of others beside its own.
const FOR_OTHERS: Duration = Duration::from_millis(1);

/// A statement to be run.
pub(super) struct Work<'a> {
    pub(super) statement: &'a Statement,
    pub(super) parameters: &'a [Scalar],
    pub(super) orders: Orders<'a>,
}

/// Runs the caller's own statement, then those that queued meanwhile.
pub(super) fn lead(
    connection: &mut Connection,
    writer: &Writer,
    own: &Work<'_>,
) -> Result<Completion> {
    let started = Instant::now();
    let mut mates = Mates(writer.take_jobs(TOGETHER - 1));
    let result = mates.run(connection, Some(own)).unwrap_or_else(|| Err(unfinished()));
    while started.elapsed() < FOR_OTHERS {
        mates = Mates(writer.take_jobs(TOGETHER));
        if mates.0.is_empty() {
            break;
        }
        mates.run(connection, None);
    }
    result
}

/// Callers that wait for their result. Whatever happens, each gets one.
struct Mates(Vec<Arc<Ticket>>);

impl Mates {
    /// Runs their jobs and `own`, and gives that one's result.
    fn run(
        &mut self,
        connection: &mut Connection,
        own: Option<&Work<'_>>,
    ) -> Option<Result<Completion>> {
        if let (Some(own), true) = (own, self.0.is_empty()) {
            return Some(run_alone(connection, own));
        }
        let theirs = self.0.iter().filter_map(|ticket| {
            let job = ticket.job()?;
            let control = Control { deadline: job.deadline, interrupt: None };
            let orders = Orders { control, cancel: Some(&ticket.cancel), budget: None };
            Some(Work { statement: &job.statement, parameters: &job.parameters, orders })
        });
        let own_work = own.map(|own| Work { ..*own });
        let works: Vec<Work<'_>> = own_work.into_iter().chain(theirs).collect();
        let mut results = run_together(connection, &works).into_iter();
        drop(works);
        let own_result = own.and_then(|_| results.next());
        for (ticket, result) in self.0.drain(..).zip(results) {
            ticket.finish(result);
        }
        own_result
    }
}

impl Drop for Mates {
    fn drop(&mut self) {
        for ticket in self.0.drain(..) {
            ticket.finish(Err(unfinished()));
        }
    }
}

#[cold]
fn unfinished() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the statement was not run: the thread that led the queue failed",
    )
}

/// Runs all in one transaction; a statement that fails undoes only itself.
fn run_together(connection: &mut Connection, works: &[Work<'_>]) -> Vec<Result<Completion>> {
    let alone = |connection: &mut Connection, works: &[Work<'_>]| {
        works.iter().map(|work| run_alone(connection, work)).collect()
    };
    if works.len() < 2 {
        return alone(connection, works);
    }
    let deadline = works.iter().filter_map(|work| work.orders.control.deadline).min();
    let begin = Orders::of(&Control { deadline, interrupt: None });
    match connection.command(Command::BeginImmediate, &begin) {
        Ok(()) => {}
        // The most hurried ran out of time; the others may have more.
        Err(error) if error.kind() == ErrorKind::QueryTimeout => return alone(connection, works),
        Err(error) => return works.iter().map(|_| Err(error.clone())).collect(),
    }
    let mut results = Vec::with_capacity(works.len());
    for work in works {
        results.push(run_inside(connection, work));
        // Some failures end the whole transaction: a full disk, an interrupt, `on conflict rollback`.
        if connection.is_autocommit() {
            break;
        }
    }
    let culprit = results.len() - 1;
    let undone = connection.is_autocommit();
    if !undone && connection.command(Command::Commit, &Orders::default()).is_ok() {
        return results;
    }
    // All that seemed done is undone, and what failed may have failed because of it. Alone, each
    // answers for itself; who ended the transaction has its answer.
    if let Err(error) = connection.rollback() {
        return works.iter().map(|_| Err(error.clone())).collect();
    }
    let mut culprits = results.split_off(culprit).into_iter().filter(|_| undone);
    let rerun = |(at, work): (usize, &Work<'_>)| {
        let answered = if at == culprit { culprits.next() } else { None };
        answered.unwrap_or_else(|| run_alone(connection, work))
    };
    works.iter().enumerate().map(rerun).collect()
}

/// Runs a statement in a transaction of its own.
pub(super) fn run_alone(connection: &mut Connection, work: &Work<'_>) -> Result<Completion> {
    check(work)?;
    let Work { statement, parameters, orders } = work;
    let (reads, returns) = connection.nature(statement)?;
    if reads || !returns {
        return connection.fetch(statement, parameters, orders);
    }
    // Rows that cannot be represented must not leave behind what made them.
    connection.command(Command::BeginImmediate, orders)?;
    let result = connection
        .fetch(statement, parameters, orders)
        .and_then(|done| connection.command(Command::Commit, orders).map(|()| done));
    if result.is_err() {
        connection.rollback()?;
    }
    result
}

/// Runs a statement in the transaction that is open; if it fails it leaves nothing behind.
pub(super) fn run_inside(connection: &mut Connection, work: &Work<'_>) -> Result<Completion> {
    check(work)?;
    let Work { statement, parameters, orders } = work;
    let (reads, returns) = connection.nature(statement)?;
    if reads || !returns {
        return connection.fetch(statement, parameters, orders);
    }
    let none = Orders::default();
    connection.command(Command::Savepoint, &none)?;
    let result = connection.fetch(statement, parameters, orders);
    if result.is_err() && !connection.is_autocommit() {
        connection.command(Command::RollbackTo, &none)?;
    }
    if !connection.is_autocommit() {
        connection.command(Command::Release, &none)?;
    }
    result
}

/// Whether the work is still wanted.
fn check(work: &Work<'_>) -> Result<()> {
    let Orders { control, cancel, .. } = &work.orders;
    if cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
        return Err(stopped(Stopped::Interrupt));
    }
    Control { deadline: control.deadline, interrupt: None }.check()
}
