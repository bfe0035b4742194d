//! One row without columns: what a point query wants. A batch of one row costs several allocations
//! a column, and four fifths of the work between the socket and the caller.

use std::sync::Arc;

use rowmill_columns::OwnedRow;

use super::column::{boolean, exactly};
use super::row::{Cells, RowError};
use super::{CellError, time};
use crate::oid::Kind;
use crate::statement::Prepared;
use crate::{DecodeError, ProtocolError};

/// Whether a value of this kind goes into a row of its own.
pub(super) fn is_plain(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Numeric
            | Kind::Char
            | Kind::Void
            | Kind::Inet
            | Kind::Macaddr
            | Kind::Bits
            | Kind::Timetz
            | Kind::Hstore
            | Kind::Vector
            | Kind::Halfvec
    )
}

/// The row that the body of a DataRow holds, where all its columns are plain.
pub(crate) fn first_row(
    body: &[u8],
    prepared: &Prepared,
) -> Result<Result<OwnedRow, DecodeError>, ProtocolError> {
    let mut row = OwnedRow::new(Arc::clone(&prepared.schema));
    match fill(&mut row, body, prepared) {
        Ok(()) => Ok(Ok(row)),
        Err(error) => error.explain(0, &prepared.columns).map(Err),
    }
}

fn fill(row: &mut OwnedRow, body: &[u8], prepared: &Prepared) -> Result<(), RowError> {
    let mut cells = Cells::new(body, prepared.columns.len())?;
    for (at, plan) in prepared.columns.iter().enumerate() {
        match cells.next()? {
            None => row.push_null(),
            Some(cell) => {
                let kind = plan.scalar_kind().unwrap_or(Kind::Text);
                push(row, kind, cell).map_err(|error| RowError::Cell(at, error))?;
            }
        }
    }
    cells.end()
}

fn push(row: &mut OwnedRow, kind: Kind, cell: &[u8]) -> Result<(), CellError> {
    match kind {
        Kind::Bool => {
            let [byte] = exactly(cell)?;
            row.push_bool(boolean(byte)?);
        }
        Kind::Int2 => row.push_int(i16::from_be_bytes(exactly(cell)?).into()),
        Kind::Int4 => row.push_int(i32::from_be_bytes(exactly(cell)?).into()),
        Kind::Int8 => row.push_int(i64::from_be_bytes(exactly(cell)?)),
        Kind::Oid => row.push_uint(u32::from_be_bytes(exactly(cell)?).into()),
        Kind::Xid8 => row.push_uint(u64::from_be_bytes(exactly(cell)?)),
        Kind::Float4 => row.push_float32(f32::from_be_bytes(exactly(cell)?)),
        Kind::Float8 => row.push_float(f64::from_be_bytes(exactly(cell)?)),
        Kind::Bytea => row.push_bytes(cell),
        Kind::Date => row.push_date(time::date(i32::from_be_bytes(exactly(cell)?))?),
        Kind::Time => row.push_time(time::time(i64::from_be_bytes(exactly(cell)?))?),
        Kind::Timestamp | Kind::Timestamptz => {
            let micros = time::timestamp(i64::from_be_bytes(exactly(cell)?))?;
            row.push_timestamp(micros, kind == Kind::Timestamptz);
        }
        Kind::Interval => {
            let (months, days, nanos) = time::interval_parts(exactly(cell)?)?;
            row.push_interval(months, days, nanos);
        }
        Kind::Uuid => row.push_uuid(exactly(cell)?),
        Kind::Json => row.push_json(utf8(cell)?),
        Kind::Jsonb => row.push_json(utf8(super::text::jsonb(cell)?)?),
        // Enums, and what comes as text; the others are not plain.
        _ => row.push_text(utf8(cell)?),
    }
    Ok(())
}

fn utf8(cell: &[u8]) -> Result<&str, CellError> {
    std::str::from_utf8(cell).map_err(|_| CellError::NotUtf8)
}
