//! From bytes to messages: the read buffer, and the header of each message.

use crate::limits::MIN_SPACE;
use crate::{Limits, ProtocolError};

/// Unread bytes small enough that moving them to the front costs less than touching fresh memory.
const CHEAP_MOVE: usize = 4 << 10;

/// The bytes read and not yet understood.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    large: usize,
    /// The last read filled all the room there was: more is waiting.
    was_filled: bool,
}

impl ReadBuffer {
    pub(crate) fn new(limits: &Limits) -> Self {
        let first = limits.first_buffer.max(MIN_SPACE);
        Self { bytes: vec![0; first], large: limits.large_buffer.max(first), ..Self::default() }
    }

    /// Room to read into, at least [`MIN_SPACE`].
    ///
    /// The buffer doubles where a read filled it, up to the large size, and beyond that only where
    /// an unfinished message really occupies it.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > self.large {
                self.bytes.truncate(self.large);
                self.bytes.shrink_to_fit();
            }
        }
        let unread = self.end - self.start;
        if self.start > 0 && (unread <= CHEAP_MOVE || self.bytes.len() - self.end < MIN_SPACE) {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, unread);
        }
        let short = self.bytes.len() - self.end < MIN_SPACE;
        if short || (self.was_filled && self.bytes.len() < self.large) {
            let len = (self.bytes.len() * 2).max(self.end + MIN_SPACE);
            self.bytes.resize(len, 0);
        }
        self.was_filled = false;
        &mut self.bytes[self.end..]
    }

    /// `n` bytes were read into [`space`](Self::space).
    ///
    /// # Panics
    /// If there was no room for that many.
    pub(crate) fn filled(&mut self, n: usize) {
        assert!(n <= self.bytes.len() - self.end, "more bytes than there was space");
        self.end += n;
        self.was_filled = n > 0 && self.end == self.bytes.len();
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        debug_assert!(self.start <= self.end);
    }
}

/// A whole message in the read buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u8,
    pub(crate) body: &'a [u8],
}

impl Message<'_> {
    /// Bytes it takes in the buffer.
    pub(crate) fn len(&self) -> usize {
        self.body.len() + HEADER
    }
}

/// The kind and the length of a message.
pub(crate) const HEADER: usize = 5;

/// The kind of the message that `bytes` begin with and the length of its body, once they are there.
pub(crate) fn header(
    bytes: &[u8],
    limit: impl FnOnce(u8) -> usize,
) -> Result<Option<(u8, usize)>, ProtocolError> {
    let Some(&[kind, a, b, c, d]) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    let limit = limit(kind);
    if len < 4 || len > limit {
        return Err(ProtocolError::new(format!(
            "a message {} says it is {len} bytes long, where 4 to {limit} are possible",
            name(kind)
        )));
    }
    Ok(Some((kind, len - 4)))
}

/// The first message of `bytes`, once it is there as a whole.
pub(crate) fn message(
    bytes: &[u8],
    limit: impl FnOnce(u8) -> usize,
) -> Result<Option<Message<'_>>, ProtocolError> {
    let Some((kind, len)) = header(bytes, limit)? else { return Ok(None) };
    Ok(bytes.get(HEADER..HEADER + len).map(|body| Message { kind, body }))
}

/// Whether messages of this kind may be long.
pub(crate) fn may_be_long(kind: u8) -> bool {
    matches!(kind, b'D' | b'T' | b't' | b'd' | b'E' | b'N' | b'A')
}

/// A message's kind as the protocol's documentation names it, for errors.
pub(crate) fn name(kind: u8) -> String {
    let name = match kind {
        b'1' => "ParseComplete",
        b'2' => "BindComplete",
        b'3' => "CloseComplete",
        b'A' => "NotificationResponse",
        b'C' => "CommandComplete",
        b'd' => "CopyData",
        b'c' => "CopyDone",
        b'D' => "DataRow",
        b'E' => "ErrorResponse",
        b'G' => "CopyInResponse",
        b'H' => "CopyOutResponse",
        b'I' => "EmptyQueryResponse",
        b'K' => "BackendKeyData",
        b'n' => "NoData",
        b'N' => "NoticeResponse",
        b'R' => "Authentication",
        b's' => "PortalSuspended",
        b'S' => "ParameterStatus",
        b't' => "ParameterDescription",
        b'T' => "RowDescription",
        b'v' => "NegotiateProtocolVersion",
        b'V' => "FunctionCallResponse",
        b'W' => "CopyBothResponse",
        b'Z' => "ReadyForQuery",
        _ => return format!("0x{kind:02x}"),
    };
    format!("{name} ('{}')", kind as char)
}
