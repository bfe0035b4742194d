//! The path of the rows, the only hot one: no message is made of them.

use super::Session;
use super::in_flight::{Stage, Step};
use crate::decode::{RowDecoder, Stop};
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
        let mut consumed = 0;
        if let Stage::Running(running) = &mut front.stage
            && let Some(rows) = &mut running.rows
        {
            loop {
                let prepared = &running.prepared;
                let taken = rows.take(&bytes[consumed..], self.limits.max_message, prepared)?;
                consumed += taken.bytes;
                running.bytes += taken.bytes;
                let failed = match taken.stop {
                    Stop::Incomplete | Stop::Other => return Ok(consumed),
                    Stop::Full => rows.finish(prepared).map(|batch| {
                        self.events.push_back(Event::Batch { id: front.id, batch });
                    }),
                    Stop::Value(error) => Err(error),
                };
                if let Err(error) = failed {
                    front.failure = Some(Failure::Decode(error));
                    running.rows = None;
                    return Ok(consumed);
                }
            }
        }
        self.pass_over(bytes)
    }

    /// Passes over the row that `bytes` begin with, whether or not it is there as a whole.
    fn pass_over(&mut self, bytes: &[u8]) -> Result<usize, ProtocolError> {
        let max_message = self.limits.max_message;
        let mut consumed = 0;
        while let Some((kind, len)) = split::header(&bytes[consumed..], |_| max_message)? {
            if !self.expects_rows(kind) {
                break;
            }
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
            Some(Stage::Running(running)) => running.rows.as_ref().map_or(0, RowDecoder::bytes),
            _ => 0,
        }
    }
}
