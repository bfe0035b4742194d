//! What the server's messages say.

use std::sync::Arc;

use crate::split::{Message, name};
use crate::{ProtocolError, ServerError, Tag, TransactionStatus};

/// A message's body, read field by field.
pub(crate) struct Fields<'a> {
    kind: u8,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: Message<'a>) -> Self {
        Self { kind: message.kind, rest: message.body }
    }

    fn cut(&self) -> ProtocolError {
        ProtocolError::new(format!("a message {} ends in the middle of a field", name(self.kind)))
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let (field, rest) = self.rest.split_first_chunk().ok_or_else(|| self.cut())?;
        self.rest = rest;
        Ok(*field)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.take().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ProtocolError> {
        self.take().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, ProtocolError> {
        self.take().map(i32::from_be_bytes)
    }

    /// Bytes up to a NUL, which is taken too.
    pub(crate) fn text(&mut self) -> Result<&'a [u8], ProtocolError> {
        let end = memchr::memchr(0, self.rest).ok_or_else(|| self.cut())?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        Ok(text)
    }

    /// As [`text`](Self::text). Names and messages come in the database's own encoding where it
    /// declares none: bytes that are not UTF-8 are shown as such rather than refused.
    pub(crate) fn string(&mut self) -> Result<String, ProtocolError> {
        self.text().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// This many bytes.
    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], ProtocolError> {
        let (slice, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.cut())?;
        self.rest = rest;
        Ok(slice)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), ProtocolError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let (name, left) = (name(self.kind), self.rest.len());
        Err(ProtocolError::new(format!("a message {name} is {left} bytes too long")))
    }
}

/// A column as RowDescription tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnDescription {
    pub(crate) name: Arc<str>,
    pub(crate) oid: u32,
    pub(crate) typmod: i32,
}

/// RowDescription.
pub(crate) fn columns(message: Message<'_>) -> Result<Vec<ColumnDescription>, ProtocolError> {
    let mut fields = Fields::new(message);
    let count = fields.u16()?;
    // A column takes 19 bytes at least: a false count costs nothing.
    let mut columns = Vec::with_capacity(usize::from(count).min(message.body.len() / 19));
    for _ in 0..count {
        let name = String::from_utf8_lossy(fields.text()?).into();
        let _table: [u8; 6] = fields.take()?;
        let oid = fields.u32()?;
        let _width = fields.u16()?;
        let typmod = fields.i32()?;
        let _format = fields.u16()?;
        columns.push(ColumnDescription { name, oid, typmod });
    }
    fields.end()?;
    Ok(columns)
}

/// ParameterDescription: the types of the parameters.
pub(crate) fn parameters(message: Message<'_>) -> Result<Vec<u32>, ProtocolError> {
    let mut fields = Fields::new(message);
    let count = usize::from(fields.u16()?);
    let mut oids = Vec::with_capacity(count.min(message.body.len() / 4));
    for _ in 0..count {
        oids.push(fields.u32()?);
    }
    fields.end()?;
    Ok(oids)
}

/// ErrorResponse and NoticeResponse.
pub(crate) fn error(message: Message<'_>) -> Result<ServerError, ProtocolError> {
    let mut fields = Fields::new(message);
    let mut error = ServerError::default();
    let mut untranslated = None;
    loop {
        let field = fields.u8()?;
        if field == 0 {
            break;
        }
        let value = fields.string()?;
        match field {
            b'S' => error.severity = value,
            b'V' => untranslated = Some(value),
            b'C' => error.code = value,
            b'M' => error.message = value,
            b'D' => error.detail = Some(value),
            b'H' => error.hint = Some(value),
            b'P' => error.position = value.parse().ok(),
            b'p' => error.internal_position = value.parse().ok(),
            b'q' => error.internal_query = Some(value),
            b'W' => error.where_ = Some(value),
            b's' => error.schema = Some(value),
            b't' => error.table = Some(value),
            b'c' => error.column = Some(value),
            b'd' => error.data_type = Some(value),
            b'n' => error.constraint = Some(value),
            b'F' => error.file = Some(value),
            b'L' => error.line = value.parse().ok(),
            b'R' => error.routine = Some(value),
            // The protocol asks that unknown fields be passed over.
            _ => {}
        }
    }
    fields.end()?;
    if let Some(severity) = untranslated {
        error.severity = severity;
    }
    Ok(error)
}

/// CommandComplete: `INSERT 0 5`, `SELECT 5`, `CREATE TABLE`.
pub(crate) fn tag(message: Message<'_>) -> Result<Tag, ProtocolError> {
    let mut fields = Fields::new(message);
    let text = fields.text()?;
    fields.end()?;
    let text = String::from_utf8_lossy(text);
    let (verb, rows) = match text.rsplit_once(' ') {
        Some((verb, rows)) => match rows.parse() {
            Ok(rows) => (verb, rows),
            Err(_) => (&*text, 0),
        },
        None => (&*text, 0),
    };
    let verb = match verb {
        "SELECT" => "SELECT".into(),
        "INSERT 0" => "INSERT".into(),
        "UPDATE" => "UPDATE".into(),
        "DELETE" => "DELETE".into(),
        "BEGIN" => "BEGIN".into(),
        "COMMIT" => "COMMIT".into(),
        "ROLLBACK" => "ROLLBACK".into(),
        "SET" => "SET".into(),
        // Servers before 12 give the OID of a single inserted row.
        other => other
            .strip_prefix("INSERT ")
            .map_or_else(|| other.to_owned().into(), |_| "INSERT".into()),
    };
    Ok(Tag { verb, rows })
}

/// ReadyForQuery.
pub(crate) fn status(message: Message<'_>) -> Result<TransactionStatus, ProtocolError> {
    match message.body {
        b"I" => Ok(TransactionStatus::Idle),
        b"T" => Ok(TransactionStatus::Open),
        b"E" => Ok(TransactionStatus::Failed),
        _ => {
            let what = format!("{} holds no known state", name(message.kind));
            Err(ProtocolError::new(what))
        }
    }
}

/// Messages without a body.
pub(crate) fn empty(message: Message<'_>) -> Result<(), ProtocolError> {
    Fields::new(message).end()
}
