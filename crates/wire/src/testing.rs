//! The server's side of a conversation, for tests.

use std::sync::Arc;

use rowmill_columns::{Batch, Scalar};

use crate::{Catalogue, Event, Output, Request, Session, Startup, Statement};

/// A message of this kind and body.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
    out
}

pub(crate) fn parse_complete() -> Vec<u8> {
    message(b'1', b"")
}

pub(crate) fn bind_complete() -> Vec<u8> {
    message(b'2', b"")
}

pub(crate) fn close_complete() -> Vec<u8> {
    message(b'3', b"")
}

pub(crate) fn no_data() -> Vec<u8> {
    message(b'n', b"")
}

pub(crate) fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

pub(crate) fn complete(tag: &str) -> Vec<u8> {
    message(b'C', &[tag.as_bytes(), b"\0"].concat())
}

pub(crate) fn parameters(oids: &[u32]) -> Vec<u8> {
    let mut body = (oids.len() as u16).to_be_bytes().to_vec();
    body.extend(oids.iter().flat_map(|oid| oid.to_be_bytes()));
    message(b't', &body)
}

/// RowDescription of columns of a name, a type and its modifier.
pub(crate) fn columns(columns: &[(&str, u32, i32)]) -> Vec<u8> {
    let mut body = (columns.len() as u16).to_be_bytes().to_vec();
    for (name, oid, typmod) in columns {
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&[0; 7]);
        body.extend_from_slice(&oid.to_be_bytes());
        body.extend_from_slice(&[0; 2]);
        body.extend_from_slice(&typmod.to_be_bytes());
        body.extend_from_slice(&[0; 2]);
    }
    message(b'T', &body)
}

pub(crate) fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = (cells.len() as u16).to_be_bytes().to_vec();
    for cell in cells {
        match cell {
            Some(cell) => {
                body.extend_from_slice(&(cell.len() as u32).to_be_bytes());
                body.extend_from_slice(cell);
            }
            None => body.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
    }
    message(b'D', &body)
}

/// ErrorResponse with a severity, a code and a message.
pub(crate) fn error(severity: &str, code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("S{severity}\0V{severity}\0C{code}\0M{text}\0\0").as_bytes())
}

/// What a trusting server answers to the startup.
pub(crate) fn welcome() -> Vec<u8> {
    [
        message(b'R', &[0; 4]),
        message(b'S', b"server_version\x0015.18\0"),
        message(b'K', &[0, 0, 0, 7, 1, 2, 3, 4]),
        ready(b'I'),
    ]
    .concat()
}

pub(crate) fn startup() -> Startup {
    Startup { user: "app".into(), database: "shop".into(), ..Startup::default() }
}

/// A session that is ready and has nothing pending.
pub(crate) fn session(catalogue: &Arc<Catalogue>) -> Session {
    let mut session = Session::new(startup(), Arc::clone(catalogue));
    written(&mut session);
    assert_eq!(session.feed(&welcome()), Ok(()));
    assert!(matches!(session.next_event(), Some(Event::Ready)));
    session
}

/// Takes the pending bytes, printable.
pub(crate) fn written(session: &mut Session) -> String {
    let pending = session.pending().to_vec();
    session.sent(pending.len());
    pending.escape_ascii().to_string()
}

pub(crate) fn request(text: &str, parameters: Vec<Scalar>) -> Request {
    let key = text.bytes().fold(7, |key: u128, byte| key.wrapping_mul(31) + u128::from(byte));
    let statement = Statement { text: text.into(), key };
    Request { statement, parameters, output: Output::Batch }
}

/// Every cell, row by row, as text.
pub(crate) fn cells(batch: &Batch) -> Vec<Vec<String>> {
    let columns = batch.columns().len();
    let cell = |row| (0..columns).map(move |column| batch.value(column, row).to_string());
    (0..batch.rows()).map(|row| cell(row).collect()).collect()
}

/// All that has happened, one line each.
pub(crate) fn events(session: &mut Session) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(event) = session.next_event() {
        lines.push(match event {
            Event::Batch { id, batch } => format!("{id} batch {:?}", cells(&batch)),
            Event::Done { id, result: Ok(done) } => {
                let names: Vec<_> = done.batch.schema().fields.iter().collect();
                let names: Vec<_> =
                    names.iter().map(|field| format!("{}: {}", field.name, field.kind)).collect();
                let (verb, rows) = (done.tag.verb, done.tag.rows);
                let alone = done.row.map(|row| {
                    let values = (0..row.len()).filter_map(|at| row.value(at));
                    let values: Vec<_> = values.map(|value| value.to_string()).collect();
                    let names: Vec<_> =
                        row.schema().fields.iter().map(|field| &field.name).collect();
                    format!(" row {names:?} {values:?}")
                });
                let alone = alone.unwrap_or_default();
                format!("{id} done {verb} {rows} {names:?} {:?}{alone}", cells(&done.batch))
            }
            Event::Done { id, result: Err(failure) } => format!("{id} failed: {failure}"),
            Event::Suspended { id, batch, .. } => {
                format!("{id} suspended {:?}", batch.as_ref().map(cells))
            }
            Event::Refused(error) => format!("refused: {error}"),
            Event::Notice(notice) => format!("notice: {notice}"),
            Event::Loading { id } => format!("{id} loading"),
            Event::Ready => "ready".to_owned(),
            Event::Notification { process, channel, payload } => {
                format!("notification {process} {channel} {payload}")
            }
        });
    }
    lines
}
