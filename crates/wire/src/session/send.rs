//! What is sent, and when: requests go out at once, one behind the other, each ended by its own
//! Sync; only one whose statement has to be described first holds up those behind it.

use std::collections::HashMap;
use std::sync::Arc;

use super::in_flight::{
    Asked, InFlight, Loading, LookingUp, Origin, Portion, Preparing, Rows, Running, Scripted,
    Stage, Step, Work,
};
use super::reset::{RESET, sets};
use super::{Phase, Session};
use crate::limits::FIRST_PORTION;
use crate::statement::{Description, Prepared};
use crate::{Event, Failure, Output, Tag, TransactionStatus, bind, catalogue, encode, load, words};

/// The largest number of a process on Linux; others have less.
const MOST_PROCESSES: i32 = 1 << 22;

impl Session {
    /// Sends what can be sent.
    pub(super) fn flush(&mut self) {
        while matches!(self.phase, Phase::Live) && !self.is_closing {
            let holds_up = |at: usize| self.queue.get(at).is_some_and(InFlight::holds_up);
            if self.sent.checked_sub(1).is_some_and(holds_up) || !self.send_next() {
                break;
            }
        }
    }

    /// Sends the first request that is not; false where there is none or it has to wait.
    fn send_next(&mut self) -> bool {
        let Some(next) = self.queue.get_mut(self.sent) else { return false };
        let Some(key) = next.work.key() else {
            match &next.work {
                Work::Resume(_) => self.send_resume(),
                Work::Close(_) => self.send_close(),
                _ => self.send_script(),
            }
            return true;
        };
        if let (Work::Load(_), Stage::Described(prepared)) = (&next.work, &next.stage) {
            let prepared = Arc::clone(prepared);
            self.send_copy(prepared);
            return true;
        }
        match &next.stage {
            Stage::Again(_) => {
                if self.sent > 0 {
                    return false;
                }
                let Stage::Again(failure) = std::mem::replace(&mut next.stage, Stage::Waiting)
                else {
                    return false;
                };
                if self.status != TransactionStatus::Idle {
                    self.finish(self.sent, Err(failure));
                } else if let Some((number, prepared)) = self.statements.get(key) {
                    // Another request that failed like this one was first to prepare it.
                    let prepared = Arc::clone(prepared);
                    self.send_bind(number, prepared, Origin::Cached);
                } else {
                    self.send_prepare();
                }
            }
            Stage::Described(prepared) => {
                let prepared = Arc::clone(prepared);
                let number = match next.asked {
                    Asked::Unnamed => 0,
                    _ => self.statements.get(key).map_or(0, |(number, _)| number),
                };
                self.send_bind(number, prepared, Origin::Fresh);
            }
            _ => {
                if matches!(next.work, Work::Load(_)) || next.asked == Asked::Unnamed {
                    // The table may have changed since, and nobody would notice.
                    self.send_prepare();
                } else if let Some((number, prepared)) = self.statements.get(key) {
                    let prepared = Arc::clone(prepared);
                    if prepared.is_current(&self.catalogue) {
                        self.send_bind(number, prepared, Origin::Cached);
                    } else {
                        self.statements.give_up(key, number);
                        self.send_prepare();
                    }
                } else if let Some(prepared) = self.catalogue.statement(key) {
                    self.send_bind(0, prepared, Origin::Shared);
                } else {
                    self.send_prepare();
                }
            }
        }
        true
    }

    /// Parse, Describe, Sync.
    fn send_prepare(&mut self) {
        let Some(next) = self.queue.get_mut(self.sent) else { return };
        let Some(statement) = next.work.statement() else { return };
        let text = &*statement.text;
        if let Some(failure) = unsendable(text, self.limits.max_message) {
            self.finish(self.sent, Err(failure));
            return;
        }
        next.number = match &next.work {
            Work::Request(request) if next.asked != Asked::Unnamed => {
                self.statements.next_number(request.statement.key)
            }
            _ => 0,
        };
        next.closes = self.statements.write_closes(&mut self.out);
        encode::parse(&mut self.out, next.number, text, &[]);
        encode::describe(&mut self.out, next.number);
        encode::sync(&mut self.out);
        next.stage = Stage::Preparing(Preparing::default());
        self.sent += 1;
    }

    /// Bind, Execute, Sync, and before them Parse and Describe where this connection does not have
    /// the statement.
    ///
    /// Then the types of the parameters are given to Parse, so that they cannot turn out to be
    /// others than those bound, and the rows are described again before they come.
    fn send_bind(&mut self, number: u64, prepared: Arc<Prepared>, origin: Origin) {
        let is_pooled = self.is_pooled();
        let Some(next) = self.queue.get_mut(self.sent) else { return };
        let Work::Request(request) = &next.work else { return };
        let max_message = self.limits.max_message;
        let portal = match request.output {
            Output::Portal { rows, .. } => {
                let rows = rows.clamp(1, FIRST_PORTION);
                Some(Portion { portal: next.id, rows, is_suspended: false })
            }
            _ => None,
        };
        let portal_name = portal.map_or(0, |asked| asked.portal);
        let parse = number == 0;
        if parse && let Some(failure) = unsendable(&request.statement.text, max_message) {
            self.finish(self.sent, Err(failure));
            return;
        }
        let bound = if parse || self.statements.has_closes() {
            // What comes before Bind must not be sent where a parameter does not fit.
            let key = request.statement.key;
            let is_named = parse && next.asked != Asked::Unnamed;
            let number = if is_named { self.statements.next_number(key) } else { number };
            self.scratch.clear();
            let parameters = &request.parameters;
            let out = &mut self.scratch;
            let bound = bind::bind(out, portal_name, number, &prepared, parameters, max_message);
            if bound.is_ok() {
                if parse {
                    self.statements.insert(key, number, Arc::clone(&prepared));
                }
                next.closes = self.statements.write_closes(&mut self.out);
                if parse {
                    let types = &prepared.description.parameters;
                    encode::parse(&mut self.out, number, &request.statement.text, types);
                    encode::describe(&mut self.out, number);
                }
                self.out.extend_from_slice(&self.scratch);
            }
            next.number = number;
            bound
        } else {
            next.number = number;
            let (out, parameters) = (&mut self.out, &request.parameters);
            bind::bind(out, portal_name, number, &prepared, parameters, max_message)
        };
        let is_of_values = request.parameters.len() == prepared.parameters.len();
        // Types were looked up at some time before, whoever described the statement.
        let has_composites = prepared.has_composites();
        let may_be_stale = (origin != Origin::Fresh || has_composites)
            && next.asked == Asked::Once
            && self.status != TransactionStatus::Failed;
        match bound {
            Ok(()) => {
                let is_described = !parse && is_pooled;
                if is_described {
                    encode::describe_portal(&mut self.out, portal_name);
                }
                match portal {
                    None => encode::execute_and_sync(&mut self.out),
                    Some(Portion { portal, rows, .. }) => {
                        encode::execute_some_and_sync(&mut self.out, portal, rows);
                    }
                }
                let is_copy = prepared.columns.is_empty() && is_copy(&request.statement.text);
                next.stage = Stage::Running(Running {
                    step: if parse { Step::First } else { Step::Bind },
                    prepared,
                    origin,
                    rows: Rows::Ignored,
                    bytes: 0,
                    completion: None,
                    is_described,
                    portal,
                    is_copy,
                });
                self.sent += 1;
            }
            Err(_) if is_of_values && may_be_stale => {
                // A column may have another type by now: nothing was sent, so it is asked again.
                next.asked = Asked::Unnamed;
                let (key, number) = (request.statement.key, next.number);
                if has_composites {
                    self.catalogue.forget_composites();
                }
                self.catalogue.forget(key);
                self.statements.give_up(key, number);
                self.send_prepare();
            }
            Err(error) => self.finish(self.sent, Err(Failure::Parameter(error))),
        }
    }

    /// Whether a pooler stands between here and the server, as the number of its process betrays:
    /// a pooler draws it from all of 32 bits, and no system counts its processes that far. (One in
    /// a thousand looks like a server's.)
    ///
    /// It may bind a statement in another session than the one that described it, and prepare it there
    /// first, for a table that was changed in between.
    fn is_pooled(&self) -> bool {
        self.cancel_key.as_ref().is_some_and(|key| !(0..=MOST_PROCESSES).contains(&key.process))
    }

    /// Query of the simple protocol.
    fn send_script(&mut self) {
        let Some(next) = self.queue.get_mut(self.sent) else { return };
        let Work::Script(text) = &next.work else { return };
        if let Some(failure) = unsendable(text, self.limits.max_message) {
            self.finish(self.sent, Err(failure));
            return;
        }
        encode::query(&mut self.out, text);
        next.stage = Stage::Scripted(Scripted::default());
        self.sent += 1;
    }

    /// COPY, now that the types of the columns are known.
    fn send_copy(&mut self, prepared: Arc<Prepared>) {
        let Some(next) = self.queue.get_mut(self.sent) else { return };
        let Work::Load(load) = &next.work else { return };
        if !next.is_wanted {
            self.finish(self.sent, Err(Failure::NotSent));
            return;
        }
        let unloadable = load::unloadable(&prepared.parameters);
        if !unloadable.is_empty() {
            self.finish(self.sent, Err(Failure::Unloadable(unloadable)));
            return;
        }
        if let Some(failure) = unsendable(&load.copy, self.limits.max_message) {
            self.finish(self.sent, Err(failure));
            return;
        }
        encode::query(&mut self.out, &load.copy);
        let step = Step::First;
        next.stage = Stage::Loading(Loading { step, prepared, tag: Tag::default() });
        self.sent += 1;
    }

    /// Turns the request that was just described into one whose types are looked up, and sends the
    /// look-up.
    pub(super) fn send_look_up(&mut self, description: Description, asked: Vec<u32>, round: u8) {
        let Some(front) = self.queue.front_mut() else { return };
        encode::query(&mut self.out, &catalogue::look_up(&asked));
        let found = HashMap::new();
        let step = Step::First;
        front.is_ended = false;
        let look_up = LookingUp { step, round, asked, rows: 0, found, description };
        front.stage = Stage::LookingUp(look_up);
    }

    /// Ends the request at `at` of the queue.
    pub(super) fn finish(&mut self, at: usize, result: Result<crate::Completion, Failure>) {
        if let Some(done) = self.queue.remove(at) {
            if at < self.sent {
                self.sent -= 1;
                if let Work::Script(text) = &done.work {
                    // A cancel may hit the reset that goes before its statement.
                    self.set_by(if done.id == RESET { is_cancelled(&result) } else { sets(text) });
                }
            }
            if done.id != RESET {
                self.events.push_back(Event::Done { id: done.id, result });
            }
        }
    }
}

fn is_cancelled(result: &Result<crate::Completion, Failure>) -> bool {
    matches!(result, Err(Failure::Server(error)) if error.code == "57014")
}

/// Whether a statement's first word is COPY; in doubt it is.
fn is_copy(text: &str) -> bool {
    let is_copy = |word: &[u8; 4]| word.eq_ignore_ascii_case(b"copy");
    words::start(text).is_none_or(|rest| rest.as_bytes().first_chunk().is_some_and(is_copy))
}

/// Why a text cannot be sent at all.
fn unsendable(text: &str, max_message: usize) -> Option<Failure> {
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        let what = format!("byte {at} of the statement is NUL, which PostgreSQL does not read");
        return Some(Failure::NotSupported(what));
    }
    let len = text.len();
    // The rest of the message is far shorter.
    (len >= max_message.saturating_sub(1024)).then(|| {
        Failure::NotSupported(format!(
            "the statement is {len} bytes long, {max_message} at most \
                                       can be sent"
        ))
    })
}
