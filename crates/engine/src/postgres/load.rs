use rowmill_columns::Batch;
use rowmill_expr::Dialect;
use rowmill_wire::{Completion, Event, Failure, Output, RequestId};

use super::run::{grace, stop};
use super::{run, run_script, wire_statement};
use crate::config::PostgresConfig;
use crate::load::{
    Into, OnConflict, TableName, columns, conflict_sql, insert_sql, no_key, statement,
};
use crate::pump::{Fill, Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits};

/// Where rows wait that may not all be wanted.
const WAITING_ROOM: &str = "pg_temp.rowmill_load";

/// Loads rows by COPY into the table itself.
pub(crate) fn load(
    link: &mut Link,
    config: &PostgresConfig,
    batch: &Batch,
    into: &Into<'_>,
    control: &Control<'_>,
) -> Result<u64> {
    copy(link, config, batch, &TableName::parse(into.table)?.to_string(), control)
}

/// As [`load`], minding the rows that are there: within a transaction, for it takes several
/// statements.
pub(crate) fn load_in_transaction(
    link: &mut Link,
    config: &PostgresConfig,
    batch: &Batch,
    into: &Into<'_>,
    control: &Control<'_>,
) -> Result<u64> {
    if into.on_conflict == OnConflict::Fail {
        return load(link, config, batch, into, control);
    }
    let table = TableName::parse(into.table)?.to_string();
    let mut key = into.key.clone();
    if key.is_empty() && into.on_conflict == OnConflict::Update {
        key = primary_key(link, config, &table, control)?;
        if key.is_empty() {
            return Err(no_key(&table));
        }
    }
    let names = columns(batch);
    let make = format!(
        "create temporary table rowmill_load on commit drop as select {names} from {table} with no data"
    );
    run_script(link, config, &make, control)?;
    let copied = copy(link, config, batch, WAITING_ROOM, control);
    let moved = copied.and_then(|_| {
        let conflict = conflict_sql(into.on_conflict, &key, batch);
        let sql =
            format!("insert into {table} ({names}) select {names} from {WAITING_ROOM}{conflict}");
        let sql = statement(&sql, Dialect::Postgres)?;
        run(link, config, &sql, Vec::new(), Output::Discard, control)
    })?;
    run_script(link, config, &format!("drop table {WAITING_ROOM}"), control)?;
    Ok(moved.tag.rows)
}

fn primary_key(
    link: &mut Link,
    config: &PostgresConfig,
    table: &str,
    control: &Control<'_>,
) -> Result<Vec<String>> {
    let sql = "select a.attname::text from pg_catalog.pg_index i \
               cross join unnest(i.indkey) with ordinality as k (number, place) \
               join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number \
               where i.indrelid = $1::text::regclass and i.indisprimary order by k.place";
    let sql = statement(sql, Dialect::Postgres)?;
    let found = run(link, config, &sql, vec![table.into()], Output::Batch, control)?;
    Ok((0..found.batch.rows()).map(|row| found.batch.value(0, row).to_string()).collect())
}

fn copy(
    link: &mut Link,
    config: &PostgresConfig,
    batch: &Batch,
    table: &str,
    control: &Control<'_>,
) -> Result<u64> {
    let insert = statement(&insert_sql(table, batch, ""), Dialect::Postgres)?;
    let copy = format!("copy {table} ({}) from stdin (format binary)", columns(batch));
    let id = link
        .session
        .load(rowmill_wire::Load { insert: wire_statement(&insert), copy: copy.as_str().into() });
    let done = send_rows(link, id, batch, control);
    let done = match done {
        Ok(done) => done,
        Err(Stopped::Value(error)) => {
            // The server's answer repeats it; that it came to rest is what counts.
            if drive(link, &grace(), |event| until_done(event, id)).is_err() {
                link.break_off();
            }
            return Err(error);
        }
        Err(Stopped::Other(error)) => {
            link.session.load_fail("the client gave the load up");
            return stop(link, config, id, error).map(|done| done.tag.rows);
        }
    };
    match done {
        Ok(done) => Ok(done.tag.rows),
        Err(failure) => Err(explained(failure, batch).with_query(&copy)),
    }
}

enum Stopped {
    /// A value that does not fit; the server was told.
    Value(Error),
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
    batch: &Batch,
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
    let mut row = 0;
    while row < batch.rows() {
        match link.session.load_rows(batch, row, limits::LOAD_BYTES) {
            Ok(next) => row = next,
            Err(error) => {
                link.session.load_fail("a value does not fit its column");
                return Err(Stopped::Value(Error::new(ErrorKind::Data, error.to_string())));
            }
        }
        while !link.flush()? {
            let wait = control.wait(limits::TICK);
            // A signal ends the wait early; the check below hears of it.
            let _ = link.transport().socket().wait(true, wait);
            while let Fill::Received { .. } = link.fill(false)? {}
            while let Some(event) = link.session.next_event() {
                if let Until::Stop(done) = until_done(event, id) {
                    return Ok(done);
                }
            }
            control.check()?;
        }
        control.check()?;
    }
    link.session.load_end();
    Ok(drive(link, control, |event| until_done(event, id))?)
}

/// The server names the line of the COPY, which is our row, and the column.
fn explained(failure: Failure, batch: &Batch) -> Error {
    let context = match &failure {
        Failure::Server(error) => error.where_.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let mut error = Error::from(failure);
    if let Some((line, column)) = place(&context)
        && (1..=batch.rows()).contains(&line)
    {
        let column = column.map_or_else(String::new, |name| format!(", column {name:?}"));
        let message = format!("row {}{column}: {}", line - 1, error.message());
        error.set(error.kind(), message);
    }
    error
}

/// `COPY orders, line 3, column total`, whatever comes before it.
fn place(context: &str) -> Option<(usize, Option<&str>)> {
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
