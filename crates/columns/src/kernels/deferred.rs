use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::Selection;
use super::gather::never_fails;
use super::selection::Kept;
use super::slab::slab;
use crate::{Batch, Column, ColumnError};

/// The kept rows of another batch's columns, each copied when it is first asked for: most questions about
/// a filtered frame are about few of its columns, and of a frame that is filtered again no row need be
/// copied. The other batch is held until all columns are copied.
#[derive(Debug)]
pub(crate) struct Deferred {
    /// Which columns of the other batch.
    places: Arc<[usize]>,
    source: Mutex<Option<Source>>,
    each: OnceLock<Box<[OnceLock<Column>]>>,
    all: OnceLock<Box<[Column]>>,
}

#[derive(Debug)]
struct Source {
    from: Batch,
    selection: Selection,
    /// The same in the form in which columns are copied, made for the first of them.
    kept: Option<Arc<Kept<'static>>>,
}

impl Source {
    /// `None` where there are more rows than 32 bits count.
    fn kept(&mut self) -> Option<Arc<Kept<'static>>> {
        if self.kept.is_none() {
            self.kept = Some(Arc::new(self.selection.clone().into_kept()?));
        }
        self.kept.clone()
    }
}

impl Deferred {
    /// # Errors
    /// If the rows are more than 32 bits count, or a column cannot be copied: one of a type of which that may be is
    /// copied at once.
    pub(super) fn new(
        from: Batch,
        selection: Selection,
        places: Arc<[usize]>,
    ) -> Result<Self, ColumnError> {
        if u32::try_from(selection.rows()).is_err() {
            return Err(ColumnError::too_many_rows());
        }
        let each = OnceLock::new();
        let mut source = Source { from, selection, kept: None };
        for (at, &place) in places.iter().enumerate() {
            let column = &source.from.columns()[place];
            if never_fails(column.array().data_type()) {
                continue;
            }
            let column = column.clone();
            let name = Arc::clone(&source.from.schema().fields[place].name);
            let kept = source.kept().ok_or_else(ColumnError::too_many_rows)?;
            let made = column.gather(&kept).map_err(|error| error.in_column(&name))?;
            each.get_or_init(|| unmade(places.len()))[at].get_or_init(|| made);
        }
        let source = Mutex::new(Some(source));
        Ok(Self { places, source, each, all: OnceLock::new() })
    }

    /// How many columns.
    pub(crate) fn width(&self) -> usize {
        self.places.len()
    }

    /// Whether all columns are.
    pub(crate) fn is_copied(&self) -> bool {
        self.all.get().is_some()
    }

    /// A column, copied if this is the first time.
    pub(crate) fn column(&self, at: usize) -> &Column {
        if let Some(all) = self.all.get() {
            return &all[at];
        }
        let each = self.each.get_or_init(|| unmade(self.width()));
        let mut is_new = false;
        let column = each[at].get_or_init(|| {
            is_new = true;
            self.copied(at)
        });
        if is_new && each.iter().all(|column| column.get().is_some()) {
            self.columns();
        }
        column
    }

    /// All columns; what they are copied from is let go.
    pub(crate) fn columns(&self) -> &[Column] {
        let all = self.all.get_or_init(|| {
            if self.each.get().is_none()
                && let Some(few) = self.few()
            {
                return few;
            }
            let each = self.each.get_or_init(|| unmade(self.width()));
            let made = |(at, column): (usize, &OnceLock<Column>)| {
                column.get_or_init(|| self.copied(at)).clone()
            };
            each.iter().enumerate().map(made).collect()
        });
        let source = self.lock().take();
        drop(source);
        all
    }

    /// Which columns are not copied yet, and about how many bytes each will take.
    pub(crate) fn waiting(&self) -> Vec<(usize, usize)> {
        let parts = self.lock().as_ref().map(|held| (held.from.clone(), held.selection.count()));
        let Some((from, kept)) = parts else { return Vec::new() };
        let is_made = |at: usize| self.each.get().is_some_and(|each| each[at].get().is_some());
        let places = self.places.iter().enumerate().filter(|&(at, _)| !is_made(at));
        let bytes = |place: usize| from.columns()[place].byte_len() / from.rows() * kept;
        places.map(|(at, &place)| (at, bytes(place))).collect()
    }

    /// The columns of which rows are kept, and these; `None` where all are copied.
    pub(crate) fn source(&self) -> Option<(Vec<Column>, Selection)> {
        let (from, selection) = {
            let source = self.lock();
            let source = source.as_ref()?;
            (source.from.clone(), source.selection.clone())
        };
        let columns = self.places.iter().map(|&place| from.columns()[place].clone()).collect();
        Some((columns, selection))
    }

    fn copied(&self, at: usize) -> Column {
        let parts = self.lock().as_mut().map(|source| (source.from.clone(), source.kept()));
        let Some((from, kept)) = parts else {
            // It is let go when all columns are there.
            return self.columns()[at].clone();
        };
        let copied = kept.map(|kept| from.columns()[self.places[at]].gather(&kept));
        let Some(Ok(column)) = copied else {
            unreachable!("`new` counts the rows, and copies what may fail")
        };
        column
    }

    /// All columns in one allocation, where they are small.
    fn few(&self) -> Option<Box<[Column]>> {
        let source = self.lock();
        let source = source.as_ref()?;
        let columns = source.from.columns();
        let columns = self.places.iter().map(|&place| &columns[place]);
        slab(columns, &source.selection).ok().flatten()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Source>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unmade(width: usize) -> Box<[OnceLock<Column>]> {
    (0..width).map(|_| OnceLock::new()).collect()
}
