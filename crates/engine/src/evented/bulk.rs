//! Loads, and statements run for many rows: a worker sends the rows, for they are too much for the
//! loop's own thread.

use super::calls::{About, Waiting};
use super::lane::{Parked, Purpose, State, Why, Work};
use super::sqlite::{Way, with};
use super::{Answer, CallId, Evented, Submitted, TransactionId, Want};
use crate::many::Many;
use crate::postgres::busy;
use crate::pump::Link;
use crate::sqlite::{Sqlite, SqliteTransaction};
use crate::{Arguments, Control, Error, ErrorKind, Load, Result, postgres};

/// Work that has a connection to itself; its answer is a number of rows.
pub(crate) enum Bulk {
    Load(Box<Load<'static>>),
    Many(Many),
}

impl Bulk {
    fn run(self, link: &mut Link, control: &Control<'_>) -> Result<u64> {
        match self {
            Self::Load(load) => postgres::load(link, *load, control),
            Self::Many(many) => postgres::run_many(link, many, control),
        }
    }

    fn run_inside(self, link: &mut Link, control: &Control<'_>) -> Result<u64> {
        match self {
            Self::Load(mut load) => postgres::load_inside(link, &mut load, control),
            Self::Many(many) => postgres::run_many_inside(link, many, control),
        }
    }

    fn run_on_sqlite(self, sqlite: &Sqlite, control: &Control<'_>) -> Result<u64> {
        match self {
            Self::Load(load) => sqlite.load(*load, control),
            Self::Many(many) => sqlite.run_many(&many, control),
        }
    }

    fn run_in(self, transaction: &SqliteTransaction, control: &Control<'_>) -> Result<u64> {
        match self {
            Self::Load(mut load) => transaction.load(&mut load, control),
            Self::Many(many) => transaction.run_many(&many, control),
        }
    }
}

impl<T> Evented<T> {
    /// Loads rows into a table; the answer is their count.
    pub fn load(
        &mut self,
        load: Load<'static>,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let fit = if transaction.is_some() { load.check_inside() } else { Ok(()) };
        match fit {
            Ok(()) => self.bulk(Bulk::Load(Box::new(load)), transaction, to),
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
            Ok(many) => self.bulk(Bulk::Many(many), transaction, to),
            Err(error) => Submitted::Now(Err(error)),
        }
    }

    fn bulk(&mut self, bulk: Bulk, transaction: Option<TransactionId>, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_none() {
            return self.bulk_on_sqlite(bulk, transaction, to);
        }
        let id = self.new_call();
        match transaction.map(|transaction| self.transaction_lane(transaction)) {
            None => self.enqueue(Waiting::Bulk { id, to, bulk }),
            Some(Ok(lane)) => {
                self.start_bulk(lane, id, to, bulk);
                Submitted::Sent(id)
            }
            Some(Err(error)) => Submitted::Now(Err(error)),
        }
    }

    fn bulk_on_sqlite(
        &mut self,
        bulk: Bulk,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let transaction = match self.sqlite_transaction(transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        // It may take long: other writes wait for it on the loop, not on workers that reads need.
        let way = if transaction.is_some() { Way::Now } else { Way::Owner };
        self.on_worker(to, About::Nothing, way, move |sqlite, control| {
            let done = match &transaction {
                None => bulk.run_on_sqlite(sqlite, control),
                Some(held) => with(held, |transaction| bulk.run_in(transaction, control)),
            };
            done.map(Answer::Count)
        })
    }

    /// Has a worker run `bulk` on a lane that nothing else is on, or has it wait for that.
    pub(super) fn start_bulk(&mut self, lane: usize, id: CallId, to: T, bulk: Bulk) {
        match self.lanes[lane].state {
            State::Here(_) | State::Away(Why::Result) => {}
            State::Away(Why::Stream) => return self.complete(to, Err(busy())),
            State::Empty | State::Opening => {
                let lost = Error::new(ErrorKind::ConnectionLost, "the connection was lost");
                return self.complete(to, Err(lost));
            }
        }
        let is_inside = self.lanes[lane].reserved.is_some();
        let Some(mut lease) = self.take_link(lane, Why::Result) else {
            let (to, purpose, work) = (Some(to), Purpose::Call(Want::Count), Work::Bulk(bulk));
            let parked = Parked { call: id, to, purpose, about: About::Nothing, work };
            return self.lanes[lane].parked.push_back(parked);
        };
        let stop = self.expect(id, to, About::Nothing);
        let job = self.job(id, stop, move |control| {
            let done = if is_inside {
                bulk.run_inside(&mut lease, control)
            } else {
                bulk.run(&mut lease, control)
            };
            // The connection is back before its caller asks for the next thing.
            drop(lease);
            done.map(Answer::Count)
        });
        self.workers.run_now(job);
    }
}
