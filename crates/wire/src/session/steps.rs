//! Answers that go one step after the other: descriptions, look-ups, scripts.

use super::in_flight::{LookingUp, Preparing, Scripted, Step};
use crate::limits::LOOK_UP_ROWS;
use crate::message::{self, Fields};
use crate::split::{Message, name};
use crate::{Failure, ProtocolError, catalogue};

pub(super) fn unexpected(message: Message<'_>, place: &str) -> ProtocolError {
    let (name, len) = (name(message.kind), message.body.len());
    ProtocolError::new(format!("a message {name} of {len} bytes {place}"))
}

/// RowDescription or NoData.
pub(super) fn columns_or_none(
    message: Message<'_>,
) -> Result<Vec<message::ColumnDescription>, ProtocolError> {
    match message.kind {
        b'T' => message::columns(message),
        _ => message::empty(message).map(|()| Vec::new()),
    }
}

impl Preparing {
    /// Takes a message; whether it was the last one.
    pub(super) fn take(&mut self, message: Message<'_>) -> Result<bool, ProtocolError> {
        match (self.step, message.kind) {
            (Step::First, b'1') => {
                message::empty(message)?;
                self.step = Step::Parameters;
            }
            (Step::Parameters, b't') => {
                self.description.parameters = message::parameters(message)?;
                self.step = Step::Columns;
            }
            (Step::Columns, b'T' | b'n') => {
                self.description.columns = columns_or_none(message)?;
                self.step = Step::Complete;
                return Ok(true);
            }
            _ => return Err(unexpected(message, "in the description of a statement")),
        }
        Ok(false)
    }
}

impl LookingUp {
    /// Takes a message; whether it was the last one.
    pub(super) fn take(&mut self, message: Message<'_>) -> Result<bool, ProtocolError> {
        match (self.step, message.kind) {
            (Step::First, b'T') => {
                message::columns(message)?;
                self.step = Step::Rows;
            }
            (Step::Rows, b'D') => {
                let mut fields = Fields::new(message);
                let count = fields.u16()?;
                let mut cells = Vec::new();
                for _ in 0..count {
                    let len = fields.i32()?;
                    cells.push(match usize::try_from(len) {
                        Ok(len) => Some(fields.slice(len)?),
                        Err(_) => None,
                    });
                }
                fields.end()?;
                let cells: Vec<Option<&str>> = cells
                    .into_iter()
                    .map(|cell| cell.and_then(|cell| std::str::from_utf8(cell).ok()))
                    .collect();
                self.rows += 1;
                if self.rows > self.asked.len() * LOOK_UP_ROWS {
                    return Err(unexpected(message, "too many in a look-up of types"));
                }
                let _ = catalogue::looked_up(&mut self.found, &cells);
            }
            (Step::Rows, b'C') => {
                message::tag(message)?;
                return Ok(true);
            }
            _ => return Err(unexpected(message, "in a look-up of types")),
        }
        Ok(false)
    }
}

/// What a script's answer calls for.
#[derive(PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    FailCopy,
}

impl Scripted {
    pub(super) fn take(
        &mut self,
        message: Message<'_>,
        failure: &mut Option<Failure>,
    ) -> Result<Then, ProtocolError> {
        match (self.step, message.kind) {
            (Step::First, b'T') => {
                message::columns(message)?;
                self.step = Step::Rows;
            }
            (Step::First | Step::Rows | Step::Complete, b'C') => {
                self.tag = message::tag(message)?;
                self.step = Step::First;
            }
            (Step::First, b'I') => message::empty(message)?,
            (Step::First, b'G') => {
                failure.get_or_insert_with(super::answer::copy_not_supported);
                self.step = Step::Error;
                return Ok(Then::FailCopy);
            }
            (Step::First, b'H') => {
                failure.get_or_insert_with(super::answer::copy_not_supported);
                self.step = Step::CopyOut;
            }
            (Step::CopyOut, b'c') => {
                message::empty(message)?;
                self.step = Step::Complete;
            }
            _ => return Err(unexpected(message, "in a script's answer")),
        }
        Ok(Then::Nothing)
    }
}
