//! Loads: a worker sends the rows, for they are too much for the loop's own thread.

use super::calls::{About, Waiting};
use super::lane::{Parked, Purpose, State, Why, Work};
use super::sqlite::{Way, with};
use super::{Answer, CallId, Evented, Submitted, TransactionId, Want};
use crate::{Error, ErrorKind, Load, postgres};

impl<T> Evented<T> {
    /// Loads rows into a table; the answer is their count.
    pub fn load(
        &mut self,
        load: Load<'static>,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let fit = if transaction.is_some() { load.check_inside() } else { Ok(()) };
        if let Err(error) = self.check_usable().and(fit) {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_some() {
            self.load_postgres(Box::new(load), transaction, to)
        } else {
            self.load_sqlite(load, transaction, to)
        }
    }

    fn load_sqlite(
        &mut self,
        mut load: Load<'static>,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let transaction = match self.sqlite_transaction(transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        let way = if transaction.is_some() { Way::Now } else { Way::Writer };
        self.on_worker(to, About::Nothing, way, move |sqlite, control| {
            let loaded = match &transaction {
                None => sqlite.load(load, control),
                Some(held) => with(held, |transaction| transaction.load(&mut load, control)),
            };
            loaded.map(Answer::Count)
        })
    }

    fn load_postgres(
        &mut self,
        load: Box<Load<'static>>,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let id = self.new_call();
        match transaction.map(|transaction| self.transaction_lane(transaction)) {
            None => self.enqueue(Waiting::Load { id, to, load }),
            Some(Ok(lane)) => {
                self.start_load(lane, id, to, load);
                Submitted::Sent(id)
            }
            Some(Err(error)) => Submitted::Now(Err(error)),
        }
    }

    /// Has a worker load on a lane that nothing else is on, or has the load wait for that.
    pub(super) fn start_load(
        &mut self,
        lane: usize,
        id: CallId,
        to: T,
        mut load: Box<Load<'static>>,
    ) {
        match self.lanes[lane].state {
            State::Here(_) | State::Away(Why::Result) => {}
            State::Away(Why::Stream) => return self.complete(to, Err(busy())),
            State::Empty | State::Opening => {
                let lost = Error::new(ErrorKind::ConnectionLost, "the connection was lost");
                return self.complete(to, Err(lost));
            }
        }
        let is_inside = self.lanes[lane].reserved.is_some();
        let (lease, config) = (self.take_link(lane, Why::Result), self.postgres.clone());
        let (Some(mut lease), Some(config)) = (lease, config) else {
            let (to, purpose, work) = (Some(to), Purpose::Call(Want::Count), Work::Load(load));
            let parked = Parked { call: id, to, purpose, about: About::Nothing, work };
            return self.lanes[lane].parked.push_back(parked);
        };
        let stop = self.expect(id, to, About::Nothing);
        let job = self.job(id, stop, move |control| {
            let loaded = if is_inside {
                postgres::load_inside(&mut lease, &config, &mut load, control)
            } else {
                postgres::load(&mut lease, &config, *load, control)
            };
            // The connection is back before its caller asks for the next thing.
            drop(lease);
            loaded.map(Answer::Count)
        });
        self.workers.run_now(job);
    }
}

/// A stream ends when its reader wants, who may be the very caller.
pub(super) fn busy() -> Error {
    Error::new(ErrorKind::Misuse, "the transaction is busy with a stream")
        .with_hint("read the stream to its end, or close it, before the next call")
}
