//! One connection: its statements, its open cursors, its transaction.

use std::ops::Range;
use std::path::Path;

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;
use rusqlite::ffi;

use super::bind::{bind, bind_row};
use super::config::{Role, SqliteConfig};
use super::error::{error, open_error, stopped};
use super::raw::{Failure, RawConnection};
use super::raw_statement::{RawStatement, Step};
use super::read::{First, Halt, Limits, Reading, finish, first_row};
use super::route::{Route, counts, route};
use super::statement::{Cache, ColumnPlan, Prepared};
use super::watch::{Orders, Stopped, Watch};
use crate::load::Piece;
use crate::many::{Many, in_row};
use crate::transaction::refused;
use crate::words::space;
use crate::{Completion, Control, Error, ErrorKind, Result, limits};

/// A connection and all that stands on it. Statements come before the connection, and that before
/// the watch, because fields are dropped in this order.
pub(super) struct Connection {
    cache: Cache,
    cursors: Vec<Option<Cursor>>,
    commands: [Option<RawStatement>; COMMANDS.len()],
    raw: RawConnection,
    watch: Watch,
}

/// A statement that is read in parts.
struct Cursor {
    key: u128,
    prepared: Box<Prepared>,
    reading: Reading,
    told: bool,
}

/// The statements that frame others, prepared once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Begin,
    BeginImmediate,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
}

/// In the order of [`Command`].
const COMMANDS: [&str; 7] = [
    "begin",
    "begin immediate",
    "commit",
    "rollback",
    "savepoint rowmill",
    "release rowmill",
    "rollback to rowmill",
];

impl Connection {
    pub(super) fn open(config: &SqliteConfig, role: Role) -> Result<Self> {
        let path: Option<&Path> = config.path.as_deref();
        let open_error = |failure: Failure| open_error(&failure, path, config.read_only);
        let read_only = config.read_only && path.is_some();
        let raw = RawConnection::open(&config.c_path()?, read_only).map_err(open_error)?;
        raw.set_up().map_err(open_error)?;
        let watch = Watch::new(&raw, config.busy_timeout);
        let cache = Cache::new(config.statements, config.dates);
        let mut this =
            Self { cache, cursors: Vec::new(), commands: Default::default(), raw, watch };
        this.run_all(role.pragmas()).map_err(open_error)?;
        Ok(this)
    }

    /// Runs statements that are ours and whose rows nobody wants.
    fn run_all(&mut self, sql: &str) -> std::result::Result<(), Failure> {
        let mut rest = sql;
        while !rest.is_empty() {
            let (statement, after) = self.raw.prepare(rest, false)?;
            if let Some(mut statement) = statement {
                while match statement.step() {
                    Step::Row => true,
                    Step::Done => false,
                    Step::Failed(code) => return Err(self.raw.failure(code)),
                } {}
            }
            rest = &rest[after..];
        }
        Ok(())
    }

    /// Whether the statement leaves the database as it is, and whether it returns rows.
    pub(super) fn nature(&mut self, statement: &Statement) -> Result<(bool, bool)> {
        let prepared = self.cache.get(&self.raw, statement)?;
        Ok((prepared.reads, !prepared.columns.is_empty()))
    }

    /// Runs a statement to its end, or to the limits: then `None`.
    pub(super) fn fetch_within(
        &mut self,
        statement: &Statement,
        parameters: &[Scalar],
        orders: &Orders<'_>,
        limits: Limits,
    ) -> Result<Option<Completion>> {
        let _armed = self.watch.arm(orders);
        let prepared = self.cache.get(&self.raw, statement)?;
        let bound = bind(prepared, statement, parameters);
        let mut reading = Reading::default();
        let outcome = bound.and_then(|()| {
            reading
                .read(prepared, limits)
                .map_err(|halt| halted(&self.raw, &self.watch, halt, statement.text()))
        });
        let changed = if prepared.reads { 0 } else { self.raw.changes() };
        prepared.raw.reset();
        outcome?;
        if !reading.ended {
            return Ok(None);
        }
        let rows = reading.rows;
        let affected =
            if prepared.reads || !counts(statement.text()) { rows as u64 } else { changed };
        let batch = finish(reading.cells, rows, 0, prepared)?;
        Ok(Some(Completion { batch, row: None, affected }))
    }

    /// The columns that `insert` fills, as `select` names them.
    pub(super) fn targets(
        &mut self,
        insert: &Statement,
        select: &Statement,
    ) -> Result<Vec<ColumnPlan>> {
        // What is wrong with the names is told of the insert.
        self.cache.get(&self.raw, insert)?;
        Ok(self.cache.get(&self.raw, select)?.columns.clone())
    }

    /// Runs an insert once for each of some rows; how many rows it changed. What it returns is added
    /// to `returned`.
    pub(super) fn insert_some(
        &mut self,
        statement: &Statement,
        targets: &[ColumnPlan],
        piece: &Piece,
        rows: Range<usize>,
        mut returned: Option<&mut Reading>,
        control: &Control<'_>,
    ) -> Result<u64> {
        let orders = Orders::of(control);
        let _armed = self.watch.arm(&orders);
        let prepared = self.cache.get(&self.raw, statement)?;
        let mut changed = 0;
        let mut insert = |row| {
            let number = piece.before + row as u64;
            bind_row(prepared, targets, &piece.batch, row, number)?;
            let done = match &mut returned {
                Some(returned) => returned.read_more(prepared),
                None => match prepared.raw.step() {
                    Step::Failed(code) => Err(Halt::Failed(code)),
                    _ => Ok(()),
                },
            };
            if let Err(halt) = done {
                let error = halted(&self.raw, &self.watch, halt, statement.text());
                return Err(in_row(number, error));
            }
            changed += self.raw.changes();
            // Every parameter is bound again.
            prepared.raw.rewind();
            Ok(())
        };
        let done = rows.into_iter().try_for_each(&mut insert);
        prepared.raw.reset();
        done.map(|()| changed)
    }

    /// The rows that an insert has returned.
    pub(super) fn take_returned(
        &mut self,
        statement: &Statement,
        returned: &mut Reading,
    ) -> Result<Batch> {
        returned.take_part(self.cache.get(&self.raw, statement)?)
    }

    /// Runs a statement once for each row of parameters; how many rows it changed.
    pub(super) fn run_many(&mut self, many: &Many, control: &Control<'_>) -> Result<u64> {
        let orders = Orders::of(control);
        let _armed = self.watch.arm(&orders);
        let prepared = self.cache.get(&self.raw, &many.statement)?;
        let is_change = counts(many.statement.text());
        let mut changed = 0;
        for (at, row) in many.rows.iter().enumerate() {
            if at % limits::ROWS_BETWEEN_LOOKS == 0 {
                control.check()?;
            }
            let bound = bind(prepared, &many.statement, row);
            let done = bound.and_then(|()| {
                loop {
                    match prepared.raw.step() {
                        Step::Row => {}
                        Step::Done => return Ok(()),
                        Step::Failed(code) => {
                            let halt = Halt::Failed(code);
                            return Err(halted(
                                &self.raw,
                                &self.watch,
                                halt,
                                many.statement.text(),
                            ));
                        }
                    }
                }
            });
            prepared.raw.reset();
            done.map_err(|error| in_row(at as u64, error.about(&many.statement)))?;
            changed += if is_change { self.raw.changes() } else { 0 };
        }
        Ok(changed)
    }

    /// Runs a statement to its end.
    pub(super) fn fetch(
        &mut self,
        statement: &Statement,
        parameters: &[Scalar],
        orders: &Orders<'_>,
    ) -> Result<Completion> {
        let completion = self.fetch_within(statement, parameters, orders, Limits::NONE)?;
        completion.ok_or_else(|| Error::new(ErrorKind::Internal, "a result without bounds was cut"))
    }

    /// Runs a statement that only reads to its first row, if that can be had without a batch.
    pub(super) fn first_row(
        &mut self,
        statement: &Statement,
        parameters: &[Scalar],
        orders: &Orders<'_>,
        most_bytes: usize,
    ) -> Result<First> {
        let _armed = self.watch.arm(orders);
        let prepared = self.cache.get(&self.raw, statement)?;
        if prepared.plain.is_none() {
            return Ok(First::Elsewhere);
        }
        let bound = bind(prepared, statement, parameters);
        let outcome = bound.and_then(|()| {
            first_row(prepared, most_bytes).map_err(|code| {
                halted(&self.raw, &self.watch, Halt::Failed(code), statement.text())
            })
        });
        prepared.raw.reset();
        outcome
    }

    /// Starts a statement that is read in parts; the number is its name from here on.
    pub(super) fn open_cursor(
        &mut self,
        statement: &Statement,
        parameters: &[Scalar],
        orders: &Orders<'_>,
    ) -> Result<usize> {
        let _armed = self.watch.arm(orders);
        let mut prepared = self.cache.take(&self.raw, statement)?;
        bind(&mut prepared, statement, parameters)?;
        let reading = Reading::default();
        let cursor = Some(Cursor { key: statement.key(), prepared, reading, told: false });
        match self.cursors.iter().position(Option::is_none) {
            Some(free) => {
                self.cursors[free] = cursor;
                Ok(free)
            }
            None => {
                self.cursors.push(cursor);
                Ok(self.cursors.len() - 1)
            }
        }
    }

    /// The next part and whether it is the last; the first is there even without rows, so that its
    /// columns are told.
    pub(super) fn next_part(
        &mut self,
        cursor: usize,
        sql: &str,
        orders: &Orders<'_>,
        limits: Limits,
    ) -> Result<Option<(Batch, bool)>> {
        let _armed = self.watch.arm(orders);
        let Some(Some(cursor)) = self.cursors.get_mut(cursor) else {
            return Err(Error::new(ErrorKind::Misuse, "the stream has ended"));
        };
        let Cursor { prepared, reading, told, .. } = cursor;
        reading.read(prepared, limits).map_err(|halt| halted(&self.raw, &self.watch, halt, sql))?;
        if reading.rows == 0 && std::mem::replace(told, true) {
            return Ok(None);
        }
        *told = true;
        let ended = reading.ended;
        Ok(Some((reading.take_part(prepared)?, ended)))
    }

    pub(super) fn close_cursor(&mut self, cursor: usize) {
        if let Some(mut cursor) = self.cursors.get_mut(cursor).and_then(Option::take) {
            cursor.prepared.raw.reset();
            self.cache.put(cursor.key, cursor.prepared);
        }
    }

    pub(super) fn is_autocommit(&self) -> bool {
        self.raw.is_autocommit()
    }

    pub(super) fn command(&mut self, command: Command, orders: &Orders<'_>) -> Result<()> {
        let _armed = self.watch.arm(orders);
        let (at, sql) = (command as usize, COMMANDS[command as usize]);
        if self.commands[at].is_none() {
            self.commands[at] =
                self.raw.prepare(sql, true).map_err(|failure| error(&failure, sql))?.0;
        }
        let Some(raw) = &mut self.commands[at] else { return Ok(()) };
        let outcome = match raw.step() {
            Step::Failed(code) => Err(halted(&self.raw, &self.watch, Halt::Failed(code), sql)),
            Step::Row | Step::Done => Ok(()),
        };
        raw.reset();
        outcome
    }

    /// Rolls back whatever transaction is open. It heeds no deadline: it must not stay undone.
    pub(super) fn rollback(&mut self) -> Result<()> {
        if self.is_autocommit() {
            return Ok(());
        }
        self.command(Command::Rollback, &Orders::default())
    }

    /// Runs the statements of `sql` one after the other. Those that end or begin transactions are
    /// refused where `framed`, because the transaction is another's.
    pub(super) fn script(&mut self, sql: &str, orders: &Orders<'_>, framed: bool) -> Result<()> {
        let _armed = self.watch.arm(orders);
        let mut rest = space(sql);
        while !rest.is_empty() {
            let start = sql.len() - rest.len();
            if framed && route(rest) == Route::Transaction {
                let position = sql[..start].chars().count() + 1;
                return Err(refused().with_position(Some(position)));
            }
            let at_start = |mut failure: Failure| {
                failure.offset = failure.offset.map(|offset| offset + start);
                error(&failure, sql)
            };
            let (raw, after) = self.raw.prepare(rest, false).map_err(at_start)?;
            if let Some(mut raw) = raw {
                if raw.parameters() > 0 {
                    let position = sql[..start].chars().count() + 1;
                    let message = "a statement of a script has parameters";
                    return Err(Error::new(ErrorKind::Programming, message)
                        .with_position(Some(position))
                        .with_hint("run it as a query of its own"));
                }
                while match raw.step() {
                    Step::Row => true,
                    Step::Done => false,
                    Step::Failed(code) => {
                        return Err(halted(&self.raw, &self.watch, Halt::Failed(code), sql));
                    }
                } {}
            }
            rest = space(&rest[after..]);
        }
        Ok(())
    }

    /// Whether the last call was stopped for want of budget.
    pub(super) fn ran_over_budget(&self) -> bool {
        self.watch.stopped() == Some(Stopped::Budget)
    }

    /// Lets SQLite renew the statistics that its planner found wanting; cheap where there are none.
    pub(super) fn optimize(&mut self) {
        // Best effort, without waiting: the database is being closed.
        let orders =
            Orders { budget: std::time::Instant::now().checked_add(OPTIMIZE), ..Orders::default() };
        let _ = self.script("pragma analysis_limit=400; pragma optimize", &orders, false);
    }
}

/// How long closing a database may take to renew the planner's statistics.
const OPTIMIZE: std::time::Duration = std::time::Duration::from_millis(50);

#[cold]
fn halted(raw: &RawConnection, watch: &Watch, halt: Halt, sql: &str) -> Error {
    match halt {
        Halt::Misfit(error) => error,
        Halt::Failed(code) => match watch.stopped() {
            Some(why) if code & 0xff == ffi::SQLITE_INTERRUPT || super::error::is_busy(code) => {
                stopped(why)
            }
            _ => error(&raw.failure(code), sql),
        },
    }
}
