use std::sync::Arc;

use crate::Column;

/// Columns that are held for what is copied from them later.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    all: Arc<[Column]>,
    /// Which of them, where not all.
    places: Option<Arc<[usize]>>,
}

/// Rows of which the memory of columns that nobody asks for is held for a while.
const FEW: usize = 256;

impl Held {
    pub(super) fn all(all: &Arc<[Column]>) -> Self {
        Self { all: Arc::clone(all), places: None }
    }

    /// Those at `places`. Of few rows the others are held with them: to list three columns anew takes a tenth
    /// of what it takes to filter a hundred rows.
    pub(super) fn narrowed(&self, places: &Arc<[usize]>) -> Self {
        if self.places.is_none() && self.all.first().is_some_and(|column| column.len() <= FEW) {
            return Self { all: Arc::clone(&self.all), places: Some(Arc::clone(places)) };
        }
        Self { all: places.iter().map(|&at| self.at(at).clone()).collect(), places: None }
    }

    pub(super) fn len(&self) -> usize {
        self.places.as_ref().map_or(self.all.len(), |places| places.len())
    }

    /// # Panics
    /// If there is no such column.
    pub(super) fn at(&self, at: usize) -> &Column {
        &self.all[self.places.as_ref().map_or(at, |places| places[at])]
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Column> + Clone {
        (0..self.len()).map(|at| self.at(at))
    }

    /// With those that are held beside them.
    pub(super) fn memory(&self) -> &[Column] {
        &self.all
    }
}
