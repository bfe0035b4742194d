use std::sync::Arc;

use rowmill_columns::{Column, Type};

use super::CellError;
use super::column::{ColumnDecoder, FinishError, exactly};
use super::levels::Levels;
use crate::catalogue::Resolved;
use crate::limits::ARRAY_DIMENSIONS;

/// A column of arrays: one level of list offsets for each dimension, over one builder of elements.
///
/// Lower bounds (`[5:7]={1,2,3}`) are not kept.
#[derive(Debug)]
pub(crate) struct ArrayDecoder {
    /// What the header of each value must name as the elements' type.
    oid: u32,
    element: Arc<Resolved>,
    levels: Levels,
    elements: ColumnDecoder,
}

impl ArrayDecoder {
    pub(crate) fn new(oid: u32, element: Arc<Resolved>) -> Self {
        let elements = element.decoder();
        Self { oid, element, levels: Levels::new(), elements }
    }

    pub(crate) fn next(&self) -> Self {
        let elements = self.elements.next().unwrap_or_else(|| self.element.decoder());
        let (element, levels) = (Arc::clone(&self.element), self.levels.next());
        Self { oid: self.oid, element, levels, elements }
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
            && self.levels.lists.len() == 1
            && let Some((&[l3, l2, l1, l0, _, _, _, _], cells)) = rest.split_first_chunk::<8>()
            && let count @ 1.. = u32::from_be_bytes([l3, l2, l1, l0]) as usize
        {
            self.levels.set_depth(1)?;
            let elements = push_elements(&mut self.elements, cells, count)?;
            self.levels.lists[0].push(elements);
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
            self.levels.push_empty(self.elements.len());
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
        self.levels.set_depth(dimensions)?;
        push_elements(&mut self.elements, rest, count)?;
        self.push_lengths(lengths, count);
        Ok(())
    }

    /// Ends a row that is NULL.
    pub(crate) fn push_null(&mut self) {
        self.levels.push_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Ends the lists of one value: `count` elements under `lengths`.
    #[inline]
    fn push_lengths(&mut self, lengths: &[usize], count: usize) {
        // The innermost lists first: an outer one ends where its last inner one does.
        let mut lists = count;
        let mut end = self.elements.len();
        for (level, &length) in self.levels.lists.iter_mut().zip(lengths).rev() {
            let start = end - lists;
            lists /= length;
            for list in 1..=lists {
                level.push(start + list * length);
            }
            end = level.len();
        }
    }

    pub(crate) fn finish(self) -> Result<(Type, Column), FinishError> {
        let finished = self.elements.finish(&self.element.column_type());
        let (kind, column) = finished.map_err(FinishError::inner)?;
        Ok(self.levels.finish(kind, column))
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
        let (cell, rest) = super::with_length(cells).ok_or(MALFORMED)?;
        push(cell)?;
        cells = rest;
    }
    if cells.is_empty() { Ok(()) } else { Err(MALFORMED) }
}

const MALFORMED: CellError = CellError::Malformed("an array that contradicts itself");
