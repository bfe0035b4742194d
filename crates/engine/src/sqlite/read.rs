//! The loop from SQLite's cells to columns.

use std::ffi::c_int;
use std::sync::Arc;

use rowmill_columns::build::TextError;
use rowmill_columns::{Batch, Column, OwnedRow, Type};

use super::cells::{Cells, exact_float};
use super::dates::Dates;
use super::raw_statement::{Kind, RawStatement, Step};
use super::statement::Prepared;
use super::types::CellType;
use crate::{Error, ErrorKind, Result, Row};

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Limits {
    pub(super) const NONE: Self = Self { rows: usize::MAX, bytes: usize::MAX };
}

/// Rows between two looks at how many bytes they take, where rows are many.
const BYTES_EVERY: usize = 8;

/// Why reading ended before the last row.
#[derive(Debug)]
pub(super) enum Halt {
    /// A step failed with this code.
    Failed(c_int),
    /// A cell does not fit its column.
    Misfit(Error),
}

/// A result being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) cells: Vec<Cells>,
    /// Rows in `cells`.
    pub(super) rows: usize,
    /// Rows of earlier parts.
    pub(super) before: usize,
    started: bool,
    pub(super) ended: bool,
}

impl Reading {
    /// Reads on, to the end or to the limits.
    pub(super) fn read(
        &mut self,
        prepared: &mut Prepared,
        limits: Limits,
    ) -> std::result::Result<(), Halt> {
        if self.ended {
            return Ok(());
        }
        let mut step = prepared.raw.step();
        if !self.started {
            self.started = true;
            prepared.after_first_step();
            self.cells = prepared.cells();
        }
        let watch_bytes = limits.bytes != usize::MAX;
        let bytes_every = if limits.rows > 1_024 { BYTES_EVERY } else { 1 };
        loop {
            match step {
                Step::Row => {}
                Step::Done => break,
                Step::Failed(code) => return Err(Halt::Failed(code)),
            }
            for (at, cells) in self.cells.iter_mut().enumerate() {
                if !cells.push(&mut prepared.raw, at as c_int) {
                    let row = self.before + self.rows;
                    return Err(Halt::Misfit(misfit(prepared, cells.wants(), at, row)));
                }
            }
            self.rows += 1;
            if self.rows >= limits.rows
                || (watch_bytes
                    && self.rows.is_multiple_of(bytes_every)
                    && self.bytes() >= limits.bytes)
            {
                return Ok(());
            }
            step = prepared.raw.step();
        }
        self.ended = true;
        Ok(())
    }

    /// Reads all that one more run of the statement gives, behind what the earlier ones gave.
    pub(super) fn read_more(&mut self, prepared: &mut Prepared) -> std::result::Result<(), Halt> {
        self.ended = false;
        self.read(prepared, Limits::NONE)
    }

    /// Whether the columns are known.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    fn bytes(&self) -> usize {
        self.cells.iter().map(Cells::byte_len).sum()
    }

    /// The rows read so far as a batch; what comes next starts a new part.
    pub(super) fn take_part(&mut self, prepared: &mut Prepared) -> Result<Batch> {
        let next = self.cells.iter().map(Cells::next_part).collect();
        let cells = std::mem::replace(&mut self.cells, next);
        let rows = std::mem::take(&mut self.rows);
        let batch = finish(cells, rows, self.before, prepared);
        self.before += rows;
        batch
    }
}

/// What reading no more than a first row came to.
#[derive(Debug)]
pub(super) enum First {
    /// The row, where there is one.
    Row(Option<Row>),
    /// The row takes more bytes than allowed.
    TooLarge,
    /// The statement or a cell wants the reading of batches: for what it makes of the value, or for
    /// its words about what is wrong.
    Elsewhere,
}

/// Reads the first row of a statement that starts, without a batch; an error is a step's code.
pub(super) fn first_row(
    prepared: &mut Prepared,
    most_bytes: usize,
) -> std::result::Result<First, c_int> {
    match prepared.raw.step() {
        Step::Row => {}
        Step::Done => return Ok(First::Row(None)),
        Step::Failed(code) => return Err(code),
    }
    prepared.after_first_step();
    let Some(schema) = &prepared.plain else { return Ok(First::Elsewhere) };
    let mut cells = OwnedRow::new(Arc::clone(schema));
    for (at, column) in prepared.columns.iter().enumerate() {
        if !push(&mut cells, &mut prepared.raw, at as c_int, column.kind) {
            return Ok(First::Elsewhere);
        }
    }
    if cells.byte_len() >= most_bytes {
        return Ok(First::TooLarge);
    }
    Ok(First::Row(Some(cells.into())))
}

/// Appends a cell as [`Cells::push`] does; false where it does not fit.
#[inline]
fn push(cells: &mut OwnedRow, raw: &mut RawStatement, at: c_int, wanted: CellType) -> bool {
    match (wanted, raw.kind(at)) {
        (_, Kind::Null) => cells.push_null(),
        (CellType::Int | CellType::Found, Kind::Int) => cells.push_int(raw.int(at)),
        (CellType::Float | CellType::Found, Kind::Float) => cells.push_float(raw.float(at)),
        (CellType::Float, Kind::Int) => match exact_float(raw.int(at)) {
            Some(value) => cells.push_float(value),
            None => return false,
        },
        (CellType::Text | CellType::Found, Kind::Text) => match str::from_utf8(raw.text(at)) {
            Ok(text) => cells.push_text(text),
            Err(_) => return false,
        },
        (CellType::Bytes | CellType::Found, Kind::Blob) => cells.push_bytes(raw.blob(at)),
        _ => return false,
    }
    true
}

/// The columns of `rows` rows, the first of which is row `before` of the result.
pub(super) fn finish(
    cells: Vec<Cells>,
    rows: usize,
    before: usize,
    prepared: &mut Prepared,
) -> Result<Batch> {
    let mut types: Vec<Type> = Vec::with_capacity(cells.len());
    let mut columns: Vec<Column> = Vec::with_capacity(cells.len());
    for (at, cells) in cells.into_iter().enumerate() {
        let (kind, column) =
            cells.finish().map_err(|TextError { row }| broken_text(prepared, at, before + row))?;
        types.push(kind);
        columns.push(column);
    }
    Ok(Batch::new(prepared.schema(types.iter()), columns, rows))
}

/// The error for a cell of the present row that does not fit its column.
#[cold]
fn misfit(prepared: &mut Prepared, wants: &str, at: usize, row: usize) -> Error {
    let holds = holds(prepared, at as c_int);
    let is_number = matches!(prepared.raw.kind(at as c_int), Kind::Int | Kind::Float);
    let column = &prepared.columns[at];
    let declared = column.declared.as_deref().map_or_else(
        || "without a declared type".to_owned(),
        |declared| format!("declared {declared}"),
    );
    let name = &column.name;
    let message = format!("column {name:?} ({declared}), row {row}: {holds} is not {wants}");
    let mut hint =
        format!("read the column as text, cast(\"{name}\" as text), or convert it in the query");
    let is_date = matches!(column.kind, CellType::Date | CellType::Timestamp | CellType::Instant);
    if is_date && is_number && prepared.dates == Dates::Text {
        hint += "; where dates are stored as numbers, open the database with ?dates=unix or \
                 ?dates=julian";
    }
    Error::new(ErrorKind::Data, message).with_hint(hint)
}

#[cold]
fn broken_text(prepared: &Prepared, at: usize, row: usize) -> Error {
    let name = prepared.columns.get(at).map_or("", |column| &*column.name);
    let message = format!("column {name:?}, row {row}: the text is not valid UTF-8");
    Error::new(ErrorKind::Data, message)
        .with_hint(format!("read the column as bytes: cast(\"{name}\" as blob)"))
}

/// What the cell holds, in words.
fn holds(prepared: &mut Prepared, column: c_int) -> String {
    let raw = &mut prepared.raw;
    match raw.kind(column) {
        Kind::Null => "NULL".into(),
        Kind::Int => format!("the integer {}", raw.int(column)),
        Kind::Float => format!("the float {:?}", raw.float(column)),
        Kind::Text => shown(&String::from_utf8_lossy(raw.text(column))),
        Kind::Blob => format!("a blob of {} bytes", raw.blob(column).len()),
    }
}

/// Characters of a text that an error shows: enough to recognise it, too few to flood a log.
pub(super) const SHOWN: usize = 40;

/// A text in words, cut where it is long.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "..." } else { "" };
    format!("the text {start:?}{more}")
}
