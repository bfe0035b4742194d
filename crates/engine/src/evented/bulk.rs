//! Loads, and statements run for many rows: a worker sends the rows, for they are too much for the
//! loop's own thread.

use std::sync::Arc;
use std::time::Instant;

use super::calls::{About, Waiting};
use super::lane::{Parked, Purpose, State, Work};
use super::shared::News;
use super::sqlite::{Way, with};
use super::streams::StreamId;
use super::{Answer, CallId, Evented, EventedStream, Submitted, TransactionId, Want};
use crate::many::Many;
use crate::postgres::{Lease, busy};
use crate::pump::Link;
use crate::sqlite::{Sqlite, SqliteTransaction};
use crate::{Arguments, Control, Error, ErrorKind, Load, Result, postgres};

/// Work that has a PostgreSQL connection to itself.
pub(crate) enum Bulk {
    Change(Change),
    /// The next part of a stream inside a transaction.
    Part {
        stream: EventedStream,
        deadline: Option<Instant>,
    },
}

/// Many rows to write; the answer is their number, or what is given back of them.
pub(crate) enum Change {
    Load(Box<Load<'static>>),
    Many(Many),
}

impl Bulk {
    /// Does the work, and gives the connection back unless a stream keeps it, which `kept` is told.
    fn run(
        self,
        mut lease: Lease,
        is_inside: bool,
        control: &Control<'_>,
        kept: impl FnOnce(StreamId),
    ) -> Result<Answer> {
        match self {
            Self::Change(change) => change.run(&mut lease, is_inside, control),
            Self::Part { stream, deadline } => {
                let control = Control { deadline, ..*control };
                let (part, keeper) = stream.next_part_by(lease, &control);
                keeper.map(kept);
                part
            }
        }
    }
}

impl Change {
    fn run(self, link: &mut Link, is_inside: bool, control: &Control<'_>) -> Result<Answer> {
        match self {
            Self::Load(mut load) => {
                let run = if is_inside { postgres::load_inside } else { postgres::load };
                let count = run(link, &mut load, control)?;
                answer(*load, count)
            }
            Self::Many(many) => {
                let run = if is_inside { postgres::run_many_inside } else { postgres::run_many };
                run(link, many, control).map(Answer::Count)
            }
        }
    }

    fn run_on_sqlite(self, sqlite: &Sqlite, control: &Control<'_>) -> Result<Answer> {
        match self {
            Self::Load(mut load) => {
                let count = sqlite.load(&mut load, control)?;
                answer(*load, count)
            }
            Self::Many(many) => sqlite.run_many(&many, control).map(Answer::Count),
        }
    }

    fn run_in(self, transaction: &SqliteTransaction, control: &Control<'_>) -> Result<Answer> {
        match self {
            Self::Load(mut load) => {
                let count = transaction.load(&mut load, control)?;
                answer(*load, count)
            }
            Self::Many(many) => transaction.run_many(&many, control).map(Answer::Count),
        }
    }
}

fn answer(load: Load<'_>, count: u64) -> Result<Answer> {
    if load.is_returning() {
        load.into_returned().map(Answer::Rows)
    } else {
        Ok(Answer::Count(count))
    }
}

impl<T> Evented<T> {
    /// Loads rows into a table; the answer is their count, or the rows where the load names columns to
    /// [give back](Load::returning).
    pub fn load(
        &mut self,
        load: Load<'static>,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let fit = if transaction.is_some() { load.check_inside() } else { Ok(()) };
        match fit {
            Ok(()) => self.change(Change::Load(Box::new(load)), transaction, to),
            Err(error) => Submitted::Now(Err(error)),
        }
    }

    /// Runs a statement once for each row of arguments; the answer is the count of rows they changed.
    pub fn execute_many(
        &mut self,
        sql: &str,
        rows: Vec<Arguments>,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let many = self.database.statement(sql).and_then(|statement| Many::new(statement, rows));
        match many {
            Ok(many) => self.change(Change::Many(many), transaction, to),
            Err(error) => Submitted::Now(Err(error)),
        }
    }

    fn change(&mut self, change: Change, transaction: Option<TransactionId>, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_none() {
            return self.change_on_sqlite(change, transaction, to);
        }
        let (id, bulk) = (self.new_call(), Bulk::Change(change));
        match transaction.map(|transaction| self.transaction_lane(transaction)) {
            None => self.enqueue(Waiting::Bulk { id, to, bulk }),
            Some(Ok(lane)) => {
                self.start_bulk(lane, id, to, bulk);
                Submitted::Sent(id)
            }
            Some(Err(error)) => Submitted::Now(Err(error)),
        }
    }

    fn change_on_sqlite(
        &mut self,
        change: Change,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let transaction = match self.sqlite_transaction(transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        // It may take long: other writes wait for it on the loop, not on workers that reads need.
        let way = if transaction.is_some() { Way::Now } else { Way::Owner };
        self.on_worker(to, About::Nothing, way, move |sqlite, control| match &transaction {
            None => change.run_on_sqlite(sqlite, control),
            Some(held) => with(held, |transaction| change.run_in(transaction, control)),
        })
    }

    /// Has a worker run `bulk` on a lane that nothing else is on, or has it wait for that.
    pub(super) fn start_bulk(&mut self, lane: usize, id: CallId, to: T, bulk: Bulk) {
        match self.lanes[lane].state {
            State::Here(_) | State::Away => {}
            State::Kept(_) => return self.complete(to, Err(busy())),
            State::Empty | State::Opening => {
                let lost = Error::new(ErrorKind::ConnectionLost, "the connection was lost");
                return self.complete(to, Err(lost));
            }
        }
        let is_inside = self.lanes[lane].reserved.is_some();
        let Some(lease) = self.take_link(lane) else {
            let (to, purpose, work) = (Some(to), Purpose::Call(Want::Count), Work::Bulk(bulk));
            let parked = Parked { call: id, to, purpose, about: About::Nothing, work };
            return self.lanes[lane].parked.push_back(parked);
        };
        let stop = self.expect(id, to, About::Nothing);
        let shared = Arc::clone(&self.shared);
        let job = self.job(id, stop, move |control| {
            // The connection is back before its caller asks for the next thing.
            bulk.run(lease, is_inside, control, |keeper| shared.tell(News::Kept(lane, keeper)))
        });
        self.workers.run_now(job);
    }
}
