use std::sync::Arc;

use rowmill_columns::build::{Bytes, ListOffsets, Structure};
use rowmill_columns::{Column, Field, Type};

use super::CellError;
use super::column::{ColumnDecoder, FinishError};
use crate::catalogue::Resolved;

/// A column of ranges: `lower`, `upper`, NULL where there is no bound, and `bounds`, as PostgreSQL
/// writes them (`[)`, or `empty`).
#[derive(Debug)]
pub(crate) struct RangeDecoder {
    bound: Arc<Resolved>,
    lower: ColumnDecoder,
    upper: ColumnDecoder,
    bounds: Bytes,
    rows: Structure,
}

/// The names of a range's fields.
const NAMES: [&str; 3] = ["lower", "upper", "bounds"];

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// The type of ranges of such values.
pub(super) fn column_type(bound: &Type) -> Type {
    let fields = NAMES.map(|name| {
        let kind = if name == "bounds" { Type::Text } else { bound.clone() };
        Field::new(name, kind)
    });
    Type::structure(&fields)
}

impl RangeDecoder {
    pub(crate) fn new(bound: Arc<Resolved>) -> Self {
        let (lower, upper) = (bound.decoder(), bound.decoder());
        Self { bound, lower, upper, bounds: Bytes::text(), rows: Structure::default() }
    }

    pub(crate) fn next(&self) -> Self {
        let next = |column: &ColumnDecoder| column.next().unwrap_or_else(|| self.bound.decoder());
        let bound = Arc::clone(&self.bound);
        Self { lower: next(&self.lower), upper: next(&self.upper), ..Self::new(bound) }
    }

    /// Appends a range: flags, then the bounds that there are, each with its length.
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        let Some((&flags, rest)) = cell.split_first() else { return Err(MALFORMED) };
        let is_empty = flags & EMPTY != 0;
        let rest = bound(&mut self.lower, rest, is_empty || flags & LOWER_INFINITE != 0)?;
        let rest = bound(&mut self.upper, rest, is_empty || flags & UPPER_INFINITE != 0)?;
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        self.bounds.push(match (flags & LOWER_INCLUSIVE != 0, flags & UPPER_INCLUSIVE != 0) {
            _ if is_empty => b"empty",
            (true, true) => b"[]",
            (true, false) => b"[)",
            (false, true) => b"(]",
            (false, false) => b"()",
        });
        self.rows.push();
        Ok(())
    }

    pub(crate) fn push_null(&mut self) {
        self.lower.push_null();
        self.upper.push_null();
        self.bounds.push_null();
        self.rows.push_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn finish(self) -> Result<(Type, Column), FinishError> {
        let declared = self.bound.column_type();
        let lower = self.lower.finish(&declared).map_err(FinishError::inner)?;
        let upper = self.upper.finish(&declared).map_err(FinishError::inner)?;
        let bounds = self.bounds.finish().map_err(FinishError::element)?;
        let fields = [
            Field::new(NAMES[0], lower.0),
            Field::new(NAMES[1], upper.0),
            Field::new(NAMES[2], Type::Text),
        ];
        Ok(self.rows.finish(&fields, vec![lower.1, upper.1, bounds]))
    }
}

/// Appends the bound at the start of `bytes`, NULL where it is infinite; what comes after it.
fn bound<'a>(
    decoder: &mut ColumnDecoder,
    bytes: &'a [u8],
    is_infinite: bool,
) -> Result<&'a [u8], CellError> {
    if is_infinite {
        decoder.push_null();
        return Ok(bytes);
    }
    let Some((Some(bound), rest)) = super::with_length(bytes) else { return Err(MALFORMED) };
    decoder.push(bound)?;
    Ok(rest)
}

/// A column of multiranges: lists of ranges.
#[derive(Debug)]
pub(crate) struct MultirangeDecoder {
    lists: ListOffsets,
    ranges: RangeDecoder,
}

impl MultirangeDecoder {
    pub(crate) fn new(bound: Arc<Resolved>) -> Self {
        Self { lists: ListOffsets::default(), ranges: RangeDecoder::new(bound) }
    }

    pub(crate) fn next(&self) -> Self {
        Self { lists: ListOffsets::default(), ranges: self.ranges.next() }
    }

    /// Appends a multirange: how many, then each range with its length.
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        let Some((&count, mut rest)) = cell.split_first_chunk::<4>() else { return Err(MALFORMED) };
        for _ in 0..u32::from_be_bytes(count) {
            let Some((Some(range), after)) = super::with_length(rest) else {
                return Err(MALFORMED);
            };
            self.ranges.push(range)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        self.lists.push(self.ranges.len());
        Ok(())
    }

    pub(crate) fn push_null(&mut self) {
        self.lists.push_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.lists.len()
    }

    pub(crate) fn finish(self) -> Result<(Type, Column), FinishError> {
        let (kind, ranges) = self.ranges.finish()?;
        let column = self.lists.finish(&kind, ranges);
        Ok((Type::List(Box::new(kind)), column))
    }
}

const MALFORMED: CellError = CellError::Malformed("a range that contradicts itself");
