//! What the server answers to requests, message by message.

use std::sync::Arc;

use rowmill_columns::Batch;

use super::in_flight::{
    Asked, InFlight, Loading, LookingUp, Origin, Preparing, Rows, Running, Scripted, Stage, Step,
    Work,
};
use super::reset::sets;
use super::steps::{Then, columns_or_none, unexpected};
use super::{Phase, Session};
use crate::catalogue::{Form, TypeInfo};
use crate::limits::LOOK_UP_ROUNDS;
use crate::message::{self, Fields};
use crate::split::Message;
use crate::statement::{Description, Prepared};
use crate::{Completion, Event, Failure, ProtocolError, ServerError, TransactionStatus};
use crate::{encode, load};

impl Session {
    /// Takes a message that is no row, once the session is ready.
    pub(super) fn live_message(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        match message.kind {
            b'E' => return self.error(message),
            b'Z' => return self.ready(message),
            b'N' => return self.notice(message),
            b'S' => return self.parameter_status(message),
            b'A' => return self.notification(message),
            _ => {}
        }
        let Some(front) = self.queue.front_mut().filter(|_| self.sent > 0) else {
            return Err(unexpected(message, "outside of a request"));
        };
        if front.is_ended {
            return Err(unexpected(message, "after the end of a request"));
        }
        if front.closes > 0 {
            if message.kind != b'3' {
                return Err(unexpected(message, "in place of CloseComplete"));
            }
            front.closes -= 1;
            return message::empty(message);
        }
        match &mut front.stage {
            Stage::Preparing(preparing) => front.is_ended = preparing.take(message)?,
            Stage::LookingUp(look_up) => front.is_ended = look_up.take(message)?,
            Stage::Scripted(script) => {
                if script.take(message, &mut front.failure)? == Then::FailCopy {
                    self.fail_copy();
                } else if message.kind == b'C' {
                    let verb = script.tag.verb.clone();
                    self.heed(&verb);
                }
            }
            Stage::Running(_) => self.running_message(message)?,
            Stage::Loading(loading) => match (loading.step, message.kind) {
                (Step::First, b'G') if !front.is_wanted => {
                    loading.step = Step::Complete;
                    encode::copy_fail(&mut self.out, "the client gave the load up");
                }
                (Step::First, b'G') => {
                    loading.step = Step::CopyIn;
                    load::begin(&mut self.out);
                    self.events.push_back(Event::Loading { id: front.id });
                }
                (Step::Complete, b'C') => {
                    loading.tag = message::tag(message)?;
                    front.is_ended = true;
                }
                _ => return Err(unexpected(message, "in the answer to COPY")),
            },
            Stage::Closing if message.kind == b'3' => {
                message::empty(message)?;
                front.is_ended = true;
            }
            Stage::Closing => return Err(unexpected(message, "in place of CloseComplete")),
            Stage::Waiting | Stage::Described(_) | Stage::Again(_) => {
                return Err(unexpected(message, "before anything was asked"));
            }
        }
        Ok(())
    }

    fn running_message(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let Some(front) = self.queue.front_mut() else { return Ok(()) };
        let key = front.work.key().unwrap_or_default();
        let Stage::Running(running) = &mut front.stage else { return Ok(()) };
        match (running.step, message.kind) {
            (Step::First, b'1') => {
                message::empty(message)?;
                running.step = Step::Parameters;
            }
            (Step::Parameters, b't') => {
                if message::parameters(message)? != running.prepared.description.parameters {
                    let what = "a statement's parameters are not of the types it was given";
                    return Err(ProtocolError::new(what));
                }
                running.step = Step::Columns;
            }
            (Step::Columns | Step::Portal, b'T' | b'n') => {
                let columns = columns_or_none(message)?;
                let is_bound = running.step == Step::Portal;
                running.step = Step::Bind;
                if columns != running.prepared.description.columns {
                    // The table was changed since another connection asked. The rows are read as
                    // what they are, if they can be, and the description is forgotten.
                    match running.prepared.described_anew(columns, &self.catalogue) {
                        Ok(anew) => running.prepared = Arc::new(anew),
                        Err(plan) => {
                            let what = "the column's type changed meanwhile; run it again";
                            front.failure = Some(Failure::Decode(plan.error(0, what)));
                        }
                    }
                    let (number, prepared) = (front.number, Arc::clone(&running.prepared));
                    let failure = front.failure.clone();
                    self.catalogue.forget(key);
                    self.statements.give_up(key, number);
                    // Requests for the same statement that were sent behind it hold the old plan;
                    // the unnamed one is each request's own, and described to it.
                    let is_same = |later: &&mut InFlight| number > 0 && later.number == number;
                    for later in self.queue.iter_mut().skip(1).filter(is_same) {
                        if let Stage::Running(running) = &mut later.stage {
                            running.prepared = Arc::clone(&prepared);
                            later.failure.clone_from(&failure);
                        }
                    }
                }
                if is_bound {
                    self.expect_rows();
                }
            }
            (Step::Bind, b'2') => {
                message::empty(message)?;
                if running.is_described {
                    running.step = Step::Portal;
                } else {
                    self.expect_rows();
                }
            }
            (Step::Rows | Step::Complete, b'C') => {
                let tag = message::tag(message)?;
                front.is_ended = true;
                let none = || Batch::new(Arc::clone(&self.no_columns), Vec::new(), 0);
                let (batch, row) = match std::mem::replace(&mut running.rows, Rows::Ignored) {
                    Rows::Batches(rows) => (rows.finish_last(&running.prepared), None),
                    Rows::OneBatch(batch) => (Ok(batch), None),
                    Rows::One(row) => (Ok(none()), Some(row)),
                    Rows::Ignored | Rows::First => (Ok(none()), None),
                };
                let verb = tag.verb.clone();
                match batch {
                    Ok(batch) => running.completion = Some(Completion { batch, row, tag }),
                    Err(error) => front.failure = Some(Failure::Decode(error)),
                }
                self.heed(&verb);
            }
            (Step::Rows, b's') if running.portal.is_some() => {
                message::empty(message)?;
                front.is_ended = true;
                if let Some(asked) = &mut running.portal {
                    asked.is_suspended = true;
                }
            }
            (Step::Rows, b'I') => {
                message::empty(message)?;
                front.is_ended = true;
                let batch = Batch::new(Arc::clone(&self.no_columns), Vec::new(), 0);
                running.completion =
                    Some(Completion { batch, row: None, tag: crate::Tag::default() });
            }
            (Step::Rows, b'G') => {
                front.failure.get_or_insert_with(copy_not_supported);
                running.step = Step::Error;
                self.fail_copy();
                // The Sync that ended the request was taken for a part of the COPY.
                crate::encode::sync(&mut self.out);
            }
            (Step::Rows, b'H') => {
                front.failure.get_or_insert_with(copy_not_supported);
                running.rows = Rows::Ignored;
                running.step = Step::CopyOut;
            }
            (Step::CopyOut, b'c') => {
                message::empty(message)?;
                running.step = Step::Complete;
            }
            _ => return Err(unexpected(message, "in a statement's answer")),
        }
        Ok(())
    }

    /// What a statement did to what is known of this session and its database.
    fn heed(&mut self, verb: &str) {
        if forgets_statements(verb) {
            self.statements.clear();
        }
        if alters_types(verb) {
            self.catalogue.forget_composites();
            // Until it commits, others look up what was before.
            self.has_altered = true;
        }
    }

    /// What comes next for the first request are its rows, of a form that is known now.
    fn expect_rows(&mut self) {
        let Some(front) = self.queue.front_mut() else { return };
        let Stage::Running(running) = &mut front.stage else { return };
        running.step = Step::Rows;
        let prepared = Arc::clone(&running.prepared);
        let rows = front.rows(&prepared);
        if let Stage::Running(running) = &mut front.stage {
            running.rows = rows;
        }
    }

    /// Tells the server to fail the COPY it waits for.
    fn fail_copy(&mut self) {
        crate::encode::copy_fail(&mut self.out, "COPY FROM STDIN is not supported here");
    }

    fn error(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let error = message::error(message)?;
        let is_fatal = error.is_fatal();
        if is_fatal {
            // The server closes the connection behind this.
            self.phase = Phase::Dead;
            self.last_fatal = Some(Box::new(error.clone()));
            if self.sent > 0 {
                self.finish(0, Err(Failure::Server(Box::new(error))));
            }
            return Ok(());
        }
        let Some(front) = self.queue.front_mut().filter(|_| self.sent > 0) else {
            let what = format!("an error outside of a request: {error}");
            self.last_fatal = Some(Box::new(error));
            return Err(ProtocolError::new(what));
        };
        if front.is_ended {
            return Err(ProtocolError::new(format!(
                "an error after the end of a request: {error}"
            )));
        }
        front.is_ended = true;
        front.failure.get_or_insert_with(|| Failure::Server(Box::new(error)));
        if let Stage::Running(running) = &mut front.stage {
            running.rows = Rows::Ignored;
        }
        Ok(())
    }

    fn ready(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let status = message::status(message)?;
        let Some(front) = self.queue.front_mut().filter(|_| self.sent > 0) else {
            return Err(unexpected(message, "outside of a request"));
        };
        let ended = match &front.stage {
            Stage::Scripted(script) => front.is_ended || script.step == Step::First,
            _ => front.is_ended,
        };
        if !ended {
            return Err(unexpected(message, "in the middle of an answer"));
        }
        self.status = status;
        if status == TransactionStatus::Idle && std::mem::take(&mut self.has_altered) {
            self.catalogue.forget_composites();
        }
        let stage = std::mem::replace(&mut front.stage, Stage::Waiting);
        let failure = front.failure.take();
        match (stage, failure) {
            (Stage::Preparing(_), Some(failure)) => self.not_described(failure),
            (Stage::LookingUp(_), Some(failure)) => self.finish(0, Err(failure)),
            (Stage::Preparing(Preparing { description, .. }), None) => {
                let missing = self.catalogue.missing(description.oids());
                if missing.is_empty() {
                    self.described(description);
                } else {
                    self.send_look_up(description, missing, 1);
                }
            }
            (Stage::LookingUp(look_up), None) => self.looked_up(look_up),
            (Stage::Running(running), None) if running.is_suspended() => self.suspended(running),
            (Stage::Running(running), failure) => self.ran(running, failure),
            (
                Stage::Scripted(Scripted { tag, .. }) | Stage::Loading(Loading { tag, .. }),
                failure,
            ) => {
                let batch = Batch::new(Arc::clone(&self.no_columns), Vec::new(), 0);
                let completion = Completion { batch, row: None, tag };
                self.finish(0, failure.map_or(Ok(completion), Err));
            }
            (Stage::Closing, failure) => {
                let none = self.nothing();
                self.finish(0, failure.map_or(Ok(none), Err));
            }
            (Stage::Waiting | Stage::Described(_) | Stage::Again(_), _) => {
                return Err(unexpected(message, "before anything was asked"));
            }
        }
        self.flush();
        Ok(())
    }

    fn looked_up(&mut self, look_up: LookingUp) {
        let LookingUp { round, asked, found, description, .. } = look_up;
        let unknown = asked.iter().filter(|oid| !found.contains_key(oid));
        let unknown: Vec<_> = unknown
            .map(|&oid| (oid, TypeInfo { name: format!("type {oid}"), form: Form::Other }))
            .collect();
        self.catalogue.learn(found.into_iter().chain(unknown));
        let missing = self.catalogue.missing(description.oids());
        if missing.is_empty() || round >= LOOK_UP_ROUNDS {
            self.described(description);
        } else {
            self.send_look_up(description, missing, round + 1);
        }
    }

    /// The statement of the first request is prepared and understood: it can be bound.
    fn described(&mut self, description: Description) {
        let Some(front) = self.queue.front_mut() else { return };
        let Some(key) = front.work.key() else { return };
        let mut prepared = Prepared::new(description, &self.catalogue);
        if let Work::Request(request) = &front.work {
            prepared.sets = sets(&request.statement.text);
        }
        let prepared = Arc::new(prepared);
        if matches!(front.work, Work::Request(_)) {
            self.catalogue.share(key, &prepared);
            self.statements.insert(key, front.number, Arc::clone(&prepared));
        }
        front.is_ended = false;
        front.stage = Stage::Described(prepared);
        self.sent -= 1;
        if !front.is_wanted {
            self.finish(0, Err(Failure::NotSent));
        }
    }

    /// The first request has run.
    fn ran(&mut self, mut running: Running, failure: Option<Failure>) {
        self.set_by(running.prepared.sets);
        let Some(front) = self.queue.front() else { return };
        // A composite that has other attributes than it had: the server says so of parameters.
        let may_be_altered = match &failure {
            Some(Failure::Decode(error)) => error.may_be_altered(),
            // A type that was dropped is a "cache lookup" that failed.
            Some(Failure::Server(error)) => matches!(error.code.as_str(), "42804" | "XX000"),
            _ => false,
        };
        if may_be_altered && running.prepared.has_composites() {
            self.catalogue.forget_composites();
        }
        let again = match &failure {
            Some(Failure::Server(error)) if running.step < Step::Rows => {
                let key = front.work.key().unwrap_or_default();
                let (number, asked) = (front.number, front.asked);
                let may_help = front.is_wanted && !is_of_the_moment(error);
                let again = self.forget_failed(key, number, asked, &running, error);
                again.filter(|_| may_help && self.status == TransactionStatus::Idle)
            }
            _ => None,
        };
        let result = match (failure, running.completion.take()) {
            (Some(failure), _) => Err(failure),
            (None, Some(completion)) => Ok(completion),
            (None, None) => Err(Failure::NotSupported("the server gave no answer".to_owned())),
        };
        match (again, result) {
            (Some(asked), Err(failure)) => self.ask_again(asked, failure),
            (_, result) => self.finish(0, result),
        }
    }

    /// The first request's statement could not be prepared.
    fn not_described(&mut self, failure: Failure) {
        let Some(front) = self.queue.front() else { return };
        match (&failure, front.work.key()) {
            // A pooler took it for one of the same text, whose plan is out of date.
            (Failure::Server(error), Some(key)) if is_stale(error) && front.number > 0 => {
                let is_wanted = front.is_wanted;
                self.statements.keep_unnamed(key);
                if is_wanted && self.status == TransactionStatus::Idle {
                    return self.ask_again(Asked::Unnamed, failure);
                }
            }
            _ => {}
        }
        self.finish(0, Err(failure));
    }

    /// Has the first request prepared once more.
    fn ask_again(&mut self, asked: Asked, failure: Failure) {
        let Some(mut request) = self.queue.pop_front() else { return };
        self.sent -= 1;
        request.stage = Stage::Again(failure);
        request.is_ended = false;
        request.asked = asked;
        request.closes = 0;
        // Behind those that wait like it, before those not sent yet.
        let waiting = |other: &&InFlight| matches!(other.stage, Stage::Again(_));
        let waiting = self.queue.iter().skip(self.sent).take_while(waiting).count();
        self.queue.insert(self.sent + waiting, request);
    }

    /// Forgets a statement that failed before it was bound, where that may be why; how to prepare
    /// it again, where that may help.
    fn forget_failed(
        &mut self,
        key: u128,
        number: u64,
        asked: Asked,
        running: &Running,
        error: &ServerError,
    ) -> Option<Asked> {
        let is_missing = error.code == "26000";
        let is_stale = is_stale(error);
        let is_parsed = running.step > Step::First;
        match running.origin {
            Origin::Cached | Origin::Fresh if number > 0 && running.step == Step::Bind => {
                if is_missing {
                    self.statements.remove(key, number);
                } else if is_stale {
                    self.statements.give_up(key, number);
                } else {
                    return None;
                }
            }
            _ if is_parsed => self.statements.give_up(key, number),
            _ => {
                self.statements.remove(key, number);
            }
        }
        self.catalogue.forget(key);
        if is_stale && number > 0 && running.origin != Origin::Cached {
            // It was prepared just now. So a pooler stands between, which gives one plan to all who
            // prepare the same text.
            self.statements.keep_unnamed(key);
            return (asked != Asked::Unnamed).then_some(Asked::Unnamed);
        }
        (asked == Asked::Once && running.origin != Origin::Fresh).then_some(Asked::Again)
    }

    pub(super) fn notice(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let notice = message::error(message)?;
        self.events.push_back(Event::Notice(Box::new(notice)));
        Ok(())
    }

    fn notification(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let mut fields = Fields::new(message);
        let process = fields.i32()?;
        let (channel, payload) = (fields.string()?, fields.string()?);
        fields.end()?;
        self.events.push_back(Event::Notification { process, channel, payload });
        Ok(())
    }

    pub(super) fn parameter_status(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let mut fields = Fields::new(message);
        let (name, value) = (fields.string()?, fields.string()?);
        fields.end()?;
        let (known, many) = (self.parameters.len(), self.limits.server_parameters);
        match self.parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None if known < many => self.parameters.push((name, value)),
            None => {
                return Err(ProtocolError::new(format!("it reports more than {many} parameters")));
            }
        }
        Ok(())
    }
}

/// Whether a statement's plan was made for a table that is another one now; or PgBouncer, after an
/// error, has lost count of what it prepared itself, under names of its own.
fn is_stale(error: &ServerError) -> bool {
    let is_plan = error.routine.as_deref() == Some("RevalidateCachedQuery")
        || error.message.contains("cached plan must not change result type");
    (error.code == "0A000" && is_plan)
        || (error.code == "42P05" && error.message.contains("\"PGBOUNCER_"))
}

/// Whether an error is due to the moment, not to the statement: conflicts between transactions, too few
/// resources, locks held by others, and cancels.
fn is_of_the_moment(error: &ServerError) -> bool {
    ["40", "53", "55", "57"].iter().any(|class| error.code.starts_with(class))
}

/// After these a composite may have other attributes: a table is one, too.
fn alters_types(verb: &str) -> bool {
    ["ALTER", "DROP", "CREATE"].iter().any(|first| verb.starts_with(first))
        && (verb.ends_with(" TYPE") || verb.ends_with(" TABLE"))
}

/// After these the server keeps no prepared statement.
fn forgets_statements(verb: &str) -> bool {
    matches!(verb, "DISCARD ALL" | "DEALLOCATE ALL")
}

pub(super) fn copy_not_supported() -> Failure {
    Failure::NotSupported("COPY from or to the client is not supported as a statement".to_owned())
}
