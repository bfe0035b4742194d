use rowmill_columns::build::ListOffsets;
use rowmill_columns::{Column, Type};

use super::CellError;
use super::column::{ColumnDecoder, FinishError, exactly};
use super::plan::Scalar;
use crate::limits::ARRAY_DIMENSIONS;

/// A column of arrays: one level of list offsets for each dimension, over one builder of elements.
///
/// PostgreSQL does not declare how many dimensions a column's arrays have. The first value that is
/// not empty decides; `{}` fits any depth. Lower bounds (`[5:7]={1,2,3}`) are not kept.
#[derive(Debug)]
pub(crate) struct ArrayDecoder {
    /// What the header of each value must name as the elements' type.
    oid: u32,
    scalar: Scalar,
    /// One at least; the first has an entry for each row.
    levels: Vec<ListOffsets>,
    elements: ColumnDecoder,
    is_depth_known: bool,
}

impl ArrayDecoder {
    pub(crate) fn new(oid: u32, scalar: Scalar) -> Self {
        let levels = vec![ListOffsets::default()];
        Self { oid, scalar, levels, elements: scalar.decoder(), is_depth_known: false }
    }

    /// An empty decoder of the same column, the depth kept: parts of one result are alike.
    pub(crate) fn next(&self) -> Self {
        let levels = self.levels.iter().map(|_| ListOffsets::default()).collect();
        let elements = self.elements.next().unwrap_or_else(|| self.scalar.decoder());
        Self {
            oid: self.oid,
            scalar: self.scalar,
            levels,
            elements,
            is_depth_known: self.is_depth_known,
        }
    }

    /// Appends an array: dimensions, a flag, the elements' type, length and lower bound of each
    /// dimension, then the elements, each with its length.
    #[inline(never)]
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        let Some((&[d3, d2, d1, d0, _, _, _, flags, o3, o2, o1, o0], mut rest)) =
            cell.split_first_chunk::<12>()
        else {
            return Err(MALFORMED);
        };
        let dimensions = u32::from_be_bytes([d3, d2, d1, d0]) as usize;
        let oid = u32::from_be_bytes([o3, o2, o1, o0]);
        if oid != self.oid || flags > 1 || dimensions > ARRAY_DIMENSIONS {
            return Err(MALFORMED);
        }
        // Nearly all arrays have one dimension and some elements.
        if dimensions == 1
            && let [level] = self.levels.as_mut_slice()
            && let Some((&[l3, l2, l1, l0, _, _, _, _], cells)) = rest.split_first_chunk::<8>()
            && let count @ 1.. = u32::from_be_bytes([l3, l2, l1, l0]) as usize
        {
            self.is_depth_known = true;
            let elements = push_elements(&mut self.elements, cells, count)?;
            level.push(elements);
            return Ok(());
        }
        let mut lengths = [0_usize; ARRAY_DIMENSIONS];
        for length in &mut lengths[..dimensions] {
            let Some((&[l3, l2, l1, l0, _, _, _, _], after)) = rest.split_first_chunk::<8>() else {
                return Err(MALFORMED);
            };
            *length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
            rest = after;
        }
        let lengths = &lengths[..dimensions];
        // `{}` has no dimensions; an empty oidvector has one, of length 0.
        if matches!(lengths, [] | [0]) {
            if !rest.is_empty() {
                return Err(MALFORMED);
            }
            let below = self.below(0);
            self.levels[0].push(below);
            return Ok(());
        }
        // Each element takes 4 bytes at least: false lengths end here, before any loop.
        let mut count = 1_usize;
        for &length in lengths {
            count = count.checked_mul(length).filter(|&count| count > 0).ok_or(MALFORMED)?;
        }
        if count > rest.len() / 4 {
            return Err(MALFORMED);
        }
        self.set_depth(dimensions)?;
        push_elements(&mut self.elements, rest, count)?;
        self.push_lengths(lengths, count);
        Ok(())
    }

    /// Ends a row that is NULL.
    pub(crate) fn push_null(&mut self) {
        self.levels[0].push_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.levels[0].len()
    }

    /// Entries so far below level `level`: of the next level, or elements.
    fn below(&self, level: usize) -> usize {
        self.levels.get(level + 1).map_or_else(|| self.elements.len(), ListOffsets::len)
    }

    #[inline]
    fn set_depth(&mut self, dimensions: usize) -> Result<(), CellError> {
        if self.levels.len() == dimensions {
            self.is_depth_known = true;
            return Ok(());
        }
        if self.is_depth_known {
            return Err(CellError::Depth { column: self.levels.len(), value: dimensions });
        }
        // All rows so far are NULL or empty, so the new levels have no entries yet.
        self.levels.resize_with(dimensions, ListOffsets::default);
        self.is_depth_known = true;
        Ok(())
    }

    /// Ends the lists of one value: `count` elements under `lengths`.
    #[inline]
    fn push_lengths(&mut self, lengths: &[usize], count: usize) {
        // The innermost lists first: an outer one ends where its last inner one does.
        let mut lists = count;
        let mut end = self.elements.len();
        for (level, &length) in self.levels.iter_mut().zip(lengths).rev() {
            let start = end - lists;
            lists /= length;
            for list in 1..=lists {
                level.push(start + list * length);
            }
            end = level.len();
        }
    }

    pub(crate) fn finish(self) -> Result<(Type, Column), FinishError> {
        let (mut kind, mut column) =
            self.elements.finish(&self.scalar.column_type()).map_err(|error| match error {
                FinishError::Row(row) | FinishError::Element(row) => FinishError::Element(row),
            })?;
        for level in self.levels.into_iter().rev() {
            column = level.finish(&kind, column);
            kind = Type::List(Box::new(kind));
        }
        Ok((kind, column))
    }
}

/// Appends `count` elements, which must be all of `cells`; how many there are then.
fn push_elements(
    elements: &mut ColumnDecoder,
    cells: &[u8],
    count: usize,
) -> Result<usize, CellError> {
    // The commonest elements have loops of their own.
    match elements {
        ColumnDecoder::Int4(values) => {
            each(cells, count, |cell| {
                match cell {
                    Some(cell) => values.push(i32::from_be_bytes(exactly(cell)?)),
                    None => values.push_null(),
                }
                Ok(())
            })?;
            Ok(values.len())
        }
        ColumnDecoder::Int8(values) => {
            each(cells, count, |cell| {
                match cell {
                    Some(cell) => values.push(i64::from_be_bytes(exactly(cell)?)),
                    None => values.push_null(),
                }
                Ok(())
            })?;
            Ok(values.len())
        }
        ColumnDecoder::Plain(values) => {
            each(cells, count, |cell| {
                match cell {
                    Some(cell) => values.push(cell),
                    None => values.push_null(),
                }
                Ok(())
            })?;
            Ok(values.len())
        }
        // Arrays of arrays do not exist; without this arm the match would recurse.
        ColumnDecoder::Array(_) => Err(MALFORMED),
        values => {
            each(cells, count, |cell| match cell {
                Some(cell) => values.push(cell),
                None => {
                    values.push_null();
                    Ok(())
                }
            })?;
            Ok(values.len())
        }
    }
}

/// Calls `push` with each of `count` cells, which must be all there is.
#[inline(always)]
fn each(
    mut cells: &[u8],
    count: usize,
    mut push: impl FnMut(Option<&[u8]>) -> Result<(), CellError>,
) -> Result<(), CellError> {
    for _ in 0..count {
        let Some((&len, rest)) = cells.split_first_chunk::<4>() else {
            return Err(MALFORMED);
        };
        let len = i32::from_be_bytes(len);
        if len < 0 {
            if len != -1 {
                return Err(MALFORMED);
            }
            push(None)?;
            cells = rest;
            continue;
        }
        let Some((cell, rest)) = rest.split_at_checked(len as usize) else {
            return Err(MALFORMED);
        };
        push(Some(cell))?;
        cells = rest;
    }
    if cells.is_empty() { Ok(()) } else { Err(MALFORMED) }
}

const MALFORMED: CellError = CellError::Malformed("an array that contradicts itself");
