//! Results read some rows at a time, by a portal that stays open in between.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rowmill_columns::Batch;

use super::Session;
use super::in_flight::{Origin, Portion, Rows, Running, Stage, Step, Work};
use crate::decode::RowDecoder;
use crate::statement::Prepared;
use crate::{Completion, Event, Failure, RequestId, Tag, encode};

/// A result of which some rows were read; see [`Event::Suspended`].
#[derive(Debug)]
pub struct Portal {
    opened_by: RequestId,
    prepared: Arc<Prepared>,
    /// Holds the rows of the batch that was begun.
    rows: RowDecoder,
    /// How many rows to ask for next.
    wanted: usize,
}

impl Session {
    /// Asks for more rows of a portal, as many as fill a batch by the width of those that came last.
    /// [`Event::Batch`] comes before the request's end only where they are wider.
    pub fn resume(&mut self, portal: Box<Portal>) -> RequestId {
        self.enqueue(Work::Resume(Some(portal)))
    }

    /// Ends the portal that the request `opened_by` opened, whether or not all its rows were read. One
    /// that is not there is no error.
    pub fn close_portal(&mut self, opened_by: RequestId) -> RequestId {
        self.enqueue(Work::Close(opened_by))
    }

    pub(super) fn send_resume(&mut self) {
        let Some(next) = self.queue.get_mut(self.sent) else { return };
        let Work::Resume(portal) = &mut next.work else { return };
        let Some(portal) = portal.take() else { return };
        let Portal { opened_by, prepared, rows, wanted } = *portal;
        encode::execute_some_and_sync(&mut self.out, opened_by, wanted);
        next.stage = Stage::Running(Running {
            step: Step::Rows,
            prepared,
            origin: Origin::Cached,
            rows: Rows::Batches(rows),
            bytes: 0,
            completion: None,
            is_described: false,
            portal: Some(Portion { portal: opened_by, rows: wanted, is_suspended: false }),
            is_copy: false,
        });
        self.sent += 1;
    }

    pub(super) fn send_close(&mut self) {
        let Some(next) = self.queue.get_mut(self.sent) else { return };
        let Work::Close(opened_by) = next.work else { return };
        encode::close_portal_and_sync(&mut self.out, opened_by);
        next.stage = Stage::Closing;
        self.sent += 1;
    }

    /// The rows that the first request asked for have come, and there may be more.
    pub(super) fn suspended(&mut self, running: Running) {
        let Running { rows, prepared, portal: Some(asked), bytes, .. } = running else { return };
        let Rows::Batches(mut rows) = rows else {
            let none = self.nothing();
            return self.finish(0, Ok(none));
        };
        let batch = match rows.is_about_full().then(|| rows.finish(&prepared)).transpose() {
            Ok(batch) => batch,
            Err(error) => return self.finish(0, Err(Failure::Decode(error))),
        };
        let Some(done) = self.queue.pop_front() else { return };
        self.sent -= 1;
        let wanted = rows.room(bytes / asked.rows.max(1));
        let portal = Box::new(Portal { opened_by: asked.portal, prepared, rows, wanted });
        self.events.push_back(Event::Suspended { id: done.id, batch, portal });
    }

    /// A completion without rows.
    pub(super) fn nothing(&self) -> Completion {
        let batch = Batch::new(Arc::clone(&self.no_columns), Vec::new(), 0);
        Completion { batch, row: None, tag: Tag::default() }
    }
}

impl Running {
    pub(super) fn is_suspended(&self) -> bool {
        self.portal.is_some_and(|asked| asked.is_suspended)
    }
}
