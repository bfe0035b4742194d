//! The path of the rows, the only hot one: no message is made of them.

use super::Session;
use super::in_flight::{Rows, Running, Stage, Step};
use crate::decode::{Stop, first_row};
use crate::split::{self, HEADER};
use crate::{Event, Failure, ProtocolError};

impl Session {
    /// Whether a message of this kind is a row, or COPY data, that the answer is expected to hold.
    pub(super) fn expects_rows(&self, kind: u8) -> bool {
        let Some(front) = self.queue.front().filter(|front| self.sent > 0 && !front.is_ended)
        else {
            return false;
        };
        let step = match &front.stage {
            Stage::Running(running) => running.step,
            Stage::Scripted(script) => script.step,
            _ => return false,
        };
        match kind {
            b'D' => step == Step::Rows,
            b'd' => step == Step::CopyOut,
            _ => false,
        }
    }

    /// Takes the rows that `bytes` begin with; how many bytes that was, 0 where more are needed.
    pub(super) fn rows(&mut self, bytes: &[u8]) -> Result<usize, ProtocolError> {
        let Some(front) = self.queue.front_mut() else { return Ok(0) };
        let wants_first = front.wants_first();
        let mut consumed = 0;
        if let Stage::Running(running) = &mut front.stage {
            while let Rows::Batches(rows) = &mut running.rows {
                let prepared = &running.prepared;
                let taken = rows.take(&bytes[consumed..], self.limits.max_message, prepared)?;
                consumed += taken.bytes;
                running.bytes += taken.bytes;
                let failed = match taken.stop {
                    Stop::Incomplete | Stop::Other => return Ok(consumed),
                    Stop::Full if wants_first => {
                        rows.finish(prepared).map(|batch| running.rows = Rows::OneBatch(batch))
                    }
                    Stop::Full => rows.finish(prepared).map(|batch| {
                        self.events.push_back(Event::Batch { id: front.id, batch });
                    }),
                    Stop::Value(error) => Err(error),
                };
                if let Err(error) = failed {
                    front.failure = Some(Failure::Decode(error));
                    running.rows = Rows::Ignored;
                    return Ok(consumed);
                }
            }
            if matches!(running.rows, Rows::First) {
                let max_message = self.limits.max_message;
                let Some((_, len)) = split::header(bytes, |_| max_message)? else { return Ok(0) };
                let Some(body) = bytes.get(HEADER..HEADER + len) else { return Ok(0) };
                consumed = HEADER + len;
                running.bytes += consumed;
                running.rows = match first_row(body, &running.prepared)? {
                    Ok(row) => Rows::One(row),
                    Err(error) => {
                        front.failure = Some(Failure::Decode(error));
                        Rows::Ignored
                    }
                };
                return Ok(consumed);
            }
        }
        if consumed > 0 { Ok(consumed) } else { self.pass_over(bytes) }
    }

    /// Passes over the row that `bytes` begin with, whether or not it is there as a whole.
    fn pass_over(&mut self, bytes: &[u8]) -> Result<usize, ProtocolError> {
        let max_message = self.limits.max_message;
        let mut consumed = 0;
        while bytes.get(consumed).is_some_and(|&kind| self.expects_rows(kind)) {
            // What follows the rows has limits of its own.
            let Some((_, len)) = split::header(&bytes[consumed..], |_| max_message)? else { break };
            let there = (bytes.len() - consumed).min(HEADER + len);
            consumed += there;
            self.skip = HEADER + len - there;
            if self.skip > 0 {
                break;
            }
        }
        if let Some(front) = self.queue.front_mut() {
            match &mut front.stage {
                Stage::Running(running) => running.bytes += consumed,
                Stage::Scripted(script) => script.bytes += consumed,
                _ => {}
            }
        }
        Ok(consumed)
    }

    /// Bytes of rows received so far for the oldest request, the part that a batch already handed
    /// out holds included: what a pump looks at to give a large result a thread of its own.
    pub fn bytes_of_current(&self) -> usize {
        match self.queue.front().map(|front| &front.stage) {
            Some(Stage::Running(running)) => running.bytes,
            Some(Stage::Scripted(script)) => script.bytes,
            _ => 0,
        }
    }

    /// Bytes of the rows that wait to become the current request's next batch.
    pub fn bytes_of_batch(&self) -> usize {
        match self.queue.front().map(|front| &front.stage) {
            Some(Stage::Running(Running { rows: Rows::Batches(rows), .. })) => rows.bytes(),
            _ => 0,
        }
    }
}
