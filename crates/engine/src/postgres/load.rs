use std::ops::Range;
use std::sync::Arc;

use rowmill_columns::Schema;
use rowmill_expr::{Dialect, Statement};
use rowmill_wire::{Completion, Event, Failure, Output, RequestId};

use super::stop::halt_request;
use super::waiting_room::WaitingRoom;
use super::{in_transaction, leave_idle, run, wire_statement};
use crate::load::{OnConflict, Rows, TableName, columns, conflict_sql, insert_sql};
use crate::pump::{Fill, Link, Until, drive};
use crate::{Control, Error, ErrorKind, Load, Result, limits};

/// Loads rows on a connection in no transaction, each part that is to be committed in one.
pub(crate) fn load(link: &mut Link, load: &mut Load<'_>, control: &Control<'_>) -> Result<u64> {
    // Also where a single COPY would be all or nothing by itself: the table stays locked between the
    // look at its types and the rows, and a lost connection has one meaning until the COMMIT.
    let loaded =
        load.each(|load| in_transaction(link, control, |link| load_inside(link, load, control)));
    leave_idle(link, loaded)
}

/// Loads rows, minding those that are there, giving them back, or having the server read text: within
/// a transaction, for it takes several statements then.
///
/// What is given back is in the order of the rows given: a temporary table is read from its first page
/// on (no other session's scan is joined), and one INSERT gives back what it inserts as it does.
pub(crate) fn load_inside(
    link: &mut Link,
    load: &mut Load<'_>,
    control: &Control<'_>,
) -> Result<u64> {
    let table = TableName::parse(&load.table)?;
    let Some(schema) = load.rows.schema()? else {
        if load.is_returning() {
            let sql = Statement::parse(&load.none_returned_sql(&table), Dialect::Postgres)?;
            let none = run(link, &sql, Vec::new(), Output::Batch, control)?;
            load.returned = Some(none.batch);
        }
        return Ok(0);
    };
    let returning = load.returning_sql(&table);
    let table = table.to_string();
    let is_direct = load.on_conflict == OnConflict::Fail && !load.is_returning();
    let as_text = if is_direct {
        match copy(link, &table, &schema, &mut load.rows, control)? {
            Copied::Rows(rows) => return Ok(rows),
            Copied::Unloadable(columns) => columns,
        }
    } else {
        load.find_key(&schema, || primary_key(link, &table, control))?;
        Vec::new()
    };
    let mut room = WaitingRoom::make(link, &table, &schema, &as_text, control)?;
    let mut copied = copy(link, &room.name, &schema, &mut load.rows, control)?;
    if let Copied::Unloadable(columns) = copied {
        room.remove(link, control)?;
        room = WaitingRoom::make(link, &table, &schema, &columns, control)?;
        copied = copy(link, &room.name, &schema, &mut load.rows, control)?;
    }
    if let Copied::Unloadable(columns) = copied {
        return Err(Failure::Unloadable(columns).into());
    }
    let conflict = conflict_sql(load.on_conflict, &load.key, &schema);
    let (names, values) = (columns(&schema), &room.values);
    let sql = format!(
        "insert into {table} ({names}) select {values} from {}{conflict}{returning}",
        room.name
    );
    let sql = Statement::parse(&sql, Dialect::Postgres)?;
    let output = if load.is_returning() { Output::Batch } else { Output::Discard };
    let moved =
        run(link, &sql, Vec::new(), output, control).map_err(|error| room.explain(error))?;
    room.remove(link, control)?;
    load.returned = Some(moved.batch).filter(|_| load.is_returning());
    Ok(moved.tag.rows)
}

fn primary_key(link: &mut Link, table: &str, control: &Control<'_>) -> Result<Vec<String>> {
    let sql = "select a.attname::text from pg_catalog.pg_index i \
               cross join unnest(i.indkey) with ordinality as k (number, place) \
               join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number \
               where i.indrelid = $1::text::regclass and i.indisprimary and k.place <= i.indnkeyatts \
               order by k.place";
    let sql = Statement::parse(sql, Dialect::Postgres)?;
    let found = run(link, &sql, vec![table.into()], Output::Batch, control)?;
    Ok((0..found.batch.rows()).map(|row| found.batch.value(0, row).to_string()).collect())
}

/// What a COPY came to.
enum Copied {
    Rows(u64),
    /// Nothing: text alone is exchanged for the types of the columns at these places.
    Unloadable(Vec<usize>),
}

fn copy(
    link: &mut Link,
    table: &str,
    schema: &Schema,
    rows: &mut Rows<'_>,
    control: &Control<'_>,
) -> Result<Copied> {
    let insert = Statement::parse(&insert_sql(table, schema, ""), Dialect::Postgres)?;
    let copy = format!("copy {table} ({}) from stdin (format binary)", columns(schema));
    let before = rows.given();
    let id = link.session.load(rowmill_wire::Load {
        insert: wire_statement(&insert),
        copy: copy.as_str().into(),
        columns: schema.fields.iter().map(|field| Arc::clone(&field.name)).collect(),
    });
    match send_rows(link, id, rows, control) {
        Ok(Ok(done)) => Ok(Copied::Rows(done.tag.rows)),
        Ok(Err(Failure::Unloadable(columns))) => Ok(Copied::Unloadable(columns)),
        Ok(Err(failure)) => {
            let error = explained(failure, before..rows.given());
            // What is wrong with the names was found in the INSERT.
            Err(if error.position().is_some() {
                error.about(&insert)
            } else {
                error.with_query(&copy)
            })
        }
        Err(Stopped(error)) => {
            give_up(link, id);
            Err(error)
        }
    }
}

/// Has the server stop a load, and takes what it still says. A cancel goes along: rows that were
/// sent may keep it busy for long before it hears that there are no more.
fn give_up(link: &mut Link, id: RequestId) {
    if link.is_broken() {
        return;
    }
    link.session.load_fail("the client gave the load up");
    link.session.abandon(id);
    if !halt_request(link, id) {
        link.break_off();
    }
}

/// Why a load ended before the server's answer: a value that does not fit, a source of rows that
/// failed, a deadline.
struct Stopped(Error);

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self(error)
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
    while let Some(piece) = rows.next()? {
        let mut row = 0;
        while row < piece.batch.rows() {
            row = link.session.load_rows(&piece.batch, row, limits::LOAD_BYTES).map_err(
                |mut error| {
                    error.row += piece.before as usize;
                    let hint = (error.message == "wants an integer, not a float").then_some(FLOATS);
                    let error = Error::new(ErrorKind::Data, error.to_string());
                    Stopped(match hint {
                        Some(hint) => error.with_hint(hint),
                        None => error,
                    })
                },
            )?;
            if let Some(done) = send(link, id, control)? {
                return Ok(done);
            }
            rows.sent(piece.before + row as u64)?;
            control.check()?;
        }
    }
    link.session.load_end();
    Ok(drive(link, control, |event| until_done(event, id))?)
}

/// Where an integer is wanted.
const FLOATS: &str = "pandas makes floats of integers where some are missing; frame.astype({column: \"Int64\"}) \
                      keeps them";

/// Writes what is pending; the answer, where the server has one already: after an error it takes all
/// that comes and looks at none of it.
fn send(link: &mut Link, id: RequestId, control: &Control<'_>) -> Result<Option<Done>> {
    loop {
        let all_sent = link.flush()?;
        if !all_sent {
            // A signal ends the wait early; the check below hears of it.
            let _ = link.transport().socket().wait(true, control.wait(limits::TICK));
        }
        while let Fill::Received { .. } = link.fill(false)? {}
        while let Some(event) = link.session.next_event() {
            if let Until::Stop(done) = until_done(event, id) {
                return Ok(Some(done));
            }
        }
        if all_sent {
            return Ok(None);
        }
        control.check()?;
    }
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
