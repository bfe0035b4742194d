use rowmill_columns::build::ListOffsets;
use rowmill_columns::{Column, Type};

use super::CellError;

/// The lists of a column of arrays: one level of offsets for each dimension.
///
/// PostgreSQL does not declare how many dimensions a column's arrays have. The first value that is
/// not empty decides; `{}` fits any depth.
#[derive(Debug)]
pub(super) struct Levels {
    /// One at least; the first has an entry for each row.
    pub(super) lists: Vec<ListOffsets>,
    is_depth_known: bool,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self { lists: vec![ListOffsets::default()], is_depth_known: false }
    }

    /// Empty levels of the same column, the depth kept: parts of one result are alike.
    pub(super) fn next(&self) -> Self {
        let lists = self.lists.iter().map(|_| ListOffsets::default()).collect();
        Self { lists, is_depth_known: self.is_depth_known }
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.lists[0].len()
    }

    /// Ends a row that is NULL.
    pub(super) fn push_null(&mut self) {
        self.lists[0].push_null();
    }

    /// Ends a row that is empty, over `elements` so far.
    pub(super) fn push_empty(&mut self, elements: usize) {
        let below = self.lists.get(1).map_or(elements, ListOffsets::len);
        self.lists[0].push(below);
    }

    #[inline]
    pub(super) fn set_depth(&mut self, dimensions: usize) -> Result<(), CellError> {
        if self.lists.len() == dimensions {
            self.is_depth_known = true;
            return Ok(());
        }
        if self.is_depth_known {
            return Err(CellError::Depth { column: self.lists.len(), value: dimensions });
        }
        // All rows so far are NULL or empty, so the new levels have no entries yet.
        self.lists.resize_with(dimensions, ListOffsets::default);
        self.is_depth_known = true;
        Ok(())
    }

    /// The finished column of lists, over that of the elements, and its type.
    pub(super) fn finish(self, mut kind: Type, mut column: Column) -> (Type, Column) {
        for level in self.lists.into_iter().rev() {
            column = level.finish(&kind, column);
            kind = Type::List(Box::new(kind));
        }
        (kind, column)
    }
}
