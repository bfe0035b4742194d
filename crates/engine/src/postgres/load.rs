use std::ops::Range;

use rowmill_columns::Schema;
use rowmill_expr::{Dialect, Statement};
use rowmill_wire::{Completion, Event, Failure, Output, RequestId};

use super::run::{grace, stop};
use super::{in_transaction, leave_idle, run, run_script, wire_statement};
use crate::load::{OnConflict, Rows, TableName, columns, conflict_sql, insert_sql, no_key};
use crate::pump::{Fill, Link, Until, drive};
use crate::{Control, Error, ErrorKind, Load, Result, limits};

/// Where rows wait that may not all be wanted.
const WAITING_ROOM: &str = "pg_temp.rowmill_load";

/// Loads rows on a connection in no transaction, each part that is to be committed in one.
pub(crate) fn load(link: &mut Link, load: Load<'_>, control: &Control<'_>) -> Result<u64> {
    let loaded = load.each(|load| {
        // A COPY into the table itself is one statement: all or nothing without our help.
        if load.on_conflict == OnConflict::Fail {
            return load_inside(link, load, control);
        }
        in_transaction(link, control, |link| load_inside(link, load, control))
    });
    leave_idle(link, loaded)
}

/// Loads rows, minding those that are there: within a transaction, for it takes several statements
/// then.
pub(crate) fn load_inside(
    link: &mut Link,
    load: &mut Load<'_>,
    control: &Control<'_>,
) -> Result<u64> {
    let Some(schema) = load.rows.schema()? else { return Ok(0) };
    let table = TableName::parse(&load.table)?.to_string();
    if load.on_conflict == OnConflict::Fail {
        return copy(link, &table, &schema, &mut load.rows, control);
    }
    if load.key.is_empty() && load.on_conflict == OnConflict::Update {
        load.key = primary_key(link, &table, control)?;
        if load.key.is_empty() {
            return Err(no_key(&table));
        }
    }
    let names = columns(&schema);
    let make = format!(
        "create temporary table rowmill_load on commit drop as select {names} from {table} with no data"
    );
    run_script(link, &make, control)?;
    copy(link, WAITING_ROOM, &schema, &mut load.rows, control)?;
    let conflict = conflict_sql(load.on_conflict, &load.key, &schema);
    let sql = format!("insert into {table} ({names}) select {names} from {WAITING_ROOM}{conflict}");
    let sql = Statement::parse(&sql, Dialect::Postgres)?;
    let moved = run(link, &sql, Vec::new(), Output::Discard, control)?;
    run_script(link, &format!("drop table {WAITING_ROOM}"), control)?;
    Ok(moved.tag.rows)
}

fn primary_key(link: &mut Link, table: &str, control: &Control<'_>) -> Result<Vec<String>> {
    let sql = "select a.attname::text from pg_catalog.pg_index i \
               cross join unnest(i.indkey) with ordinality as k (number, place) \
               join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number \
               where i.indrelid = $1::text::regclass and i.indisprimary order by k.place";
    let sql = Statement::parse(sql, Dialect::Postgres)?;
    let found = run(link, &sql, vec![table.into()], Output::Batch, control)?;
    Ok((0..found.batch.rows()).map(|row| found.batch.value(0, row).to_string()).collect())
}

fn copy(
    link: &mut Link,
    table: &str,
    schema: &Schema,
    rows: &mut Rows<'_>,
    control: &Control<'_>,
) -> Result<u64> {
    let insert = Statement::parse(&insert_sql(table, schema, ""), Dialect::Postgres)?;
    let copy = format!("copy {table} ({}) from stdin (format binary)", columns(schema));
    let before = rows.given();
    let id = link
        .session
        .load(rowmill_wire::Load { insert: wire_statement(&insert), copy: copy.as_str().into() });
    match send_rows(link, id, rows, control) {
        Ok(Ok(done)) => Ok(done.tag.rows),
        Ok(Err(failure)) => Err(explained(failure, before..rows.given()).with_query(&copy)),
        Err(Stopped::Rows(error)) => {
            link.session.load_fail("the client's rows ended in an error");
            // The server's answer repeats it; that it came to rest is what counts.
            if drive(link, &grace(), |event| until_done(event, id)).is_err() {
                link.break_off();
            }
            Err(error)
        }
        Err(Stopped::Other(error)) => {
            link.session.load_fail("the client gave the load up");
            stop(link, id, error).map(|done| done.tag.rows)
        }
    }
}

enum Stopped {
    /// A value that does not fit, or where the rows come from failed.
    Rows(Error),
    Other(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

type Done = std::result::Result<Completion, Failure>;

fn until_done(event: Event, id: RequestId) -> Until<Done> {
    match event {
        Event::Done { id: done, result } if done == id => Until::Stop(result),
        _ => Until::More,
    }
}

/// Sends the rows as fast as the server takes them, and hears what it says meanwhile.
fn send_rows(
    link: &mut Link,
    id: RequestId,
    rows: &mut Rows<'_>,
    control: &Control<'_>,
) -> std::result::Result<Done, Stopped> {
    let refused = drive(link, control, |event| match event {
        Event::Loading { id: waiting } if waiting == id => Until::Stop(None),
        Event::Done { id: done, result } if done == id => Until::Stop(Some(result)),
        _ => Until::More,
    })?;
    if let Some(done) = refused {
        return Ok(done);
    }
    while let Some(piece) = rows.next().map_err(Stopped::Rows)? {
        let mut row = 0;
        while row < piece.batch.rows() {
            row = link.session.load_rows(&piece.batch, row, limits::LOAD_BYTES).map_err(
                |mut error| {
                    error.row += piece.before as usize;
                    Stopped::Rows(Error::new(ErrorKind::Data, error.to_string()))
                },
            )?;
            if let Some(done) = send(link, id, control)? {
                return Ok(done);
            }
            rows.sent(piece.before + row as u64).map_err(Stopped::Rows)?;
            control.check()?;
        }
    }
    link.session.load_end();
    Ok(drive(link, control, |event| until_done(event, id))?)
}

/// Writes what is pending; the answer, where the server has one already.
fn send(link: &mut Link, id: RequestId, control: &Control<'_>) -> Result<Option<Done>> {
    while !link.flush()? {
        // A signal ends the wait early; the check below hears of it.
        let _ = link.transport().socket().wait(true, control.wait(limits::TICK));
        while let Fill::Received { .. } = link.fill(false)? {}
        while let Some(event) = link.session.next_event() {
            if let Until::Stop(done) = until_done(event, id) {
                return Ok(Some(done));
            }
        }
        control.check()?;
    }
    Ok(None)
}

/// The server names the line of the COPY, which is one of our rows, and the column.
fn explained(failure: Failure, rows: Range<u64>) -> Error {
    let context = match &failure {
        Failure::Server(error) => error.where_.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let mut error = Error::from(failure);
    if let Some((line, column)) = place(&context)
        && let row = (rows.start + line).saturating_sub(1)
        && rows.contains(&row)
    {
        let column = column.map_or_else(String::new, |name| format!(", column {name:?}"));
        let message = format!("row {row}{column}: {}", error.message());
        error.set(error.kind(), message);
    }
    error
}

/// `COPY orders, line 3, column total`, whatever comes before it.
fn place(context: &str) -> Option<(u64, Option<&str>)> {
    let line = context.lines().find(|line| line.starts_with("COPY "))?;
    let (_, after) = line.rsplit_once(", line ")?;
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let column = after[digits..].strip_prefix(", column ");
    let column = column.map(|rest| rest.split(": ").next().unwrap_or(rest));
    Some((after[..digits].parse().ok()?, column))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn the_servers_words_name_the_place() {
        assert_eq!(place("COPY orders, line 3, column total"), Some((3, Some("total"))));
        assert_eq!(place("COPY orders, line 12"), Some((12, None)));
        let nested = "SQL statement \"x\"\nPL/pgSQL function f()\nCOPY t, line 2, column a: \"x\"";
        assert_eq!(place(nested), Some((2, Some("a"))));
        assert_eq!(place("PL/pgSQL function f() line 3 at RAISE"), None);
    }
}
