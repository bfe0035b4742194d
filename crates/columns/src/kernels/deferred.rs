use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;

use super::gather::{copied, is_plain};
use super::selection::Kept;
use super::slab::slab;
use super::{Held, Selection};
use crate::{Column, ColumnError, Schema};

/// The kept rows of other columns, each copied when it is first asked for: most questions about a filtered frame
/// are about few of its columns, and of a frame that is filtered again no row need be copied. The other columns
/// are held until all are copied.
#[derive(Debug)]
pub(crate) struct Deferred {
    width: usize,
    /// How many rows the other columns have.
    of: usize,
    source: Mutex<Option<Source>>,
    each: OnceLock<Box<[OnceLock<Column>]>>,
    all: OnceLock<Arc<[Column]>>,
}

#[derive(Debug)]
struct Source {
    columns: Held,
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
        columns: Held,
        selection: Selection,
        schema: &Schema,
    ) -> Result<Self, ColumnError> {
        if u32::try_from(selection.rows()).is_err() {
            return Err(ColumnError::too_many_rows());
        }
        let (width, of) = (columns.len(), selection.rows());
        let each = OnceLock::new();
        let mut source = Source { columns, selection, kept: None };
        for at in 0..width {
            if is_plain(source.columns.at(at).array().data_type()) {
                continue;
            }
            let kept = source.kept().ok_or_else(ColumnError::too_many_rows)?;
            let made = source.columns.at(at).gather(&kept);
            let made = made.map_err(|error| error.in_column(&schema.fields[at].name))?;
            each.get_or_init(|| unmade(width))[at].get_or_init(|| made);
        }
        let source = Mutex::new(Some(source));
        Ok(Self { width, of, source, each, all: OnceLock::new() })
    }

    /// How many columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many rows the columns have of which these are copied.
    pub(crate) fn of(&self) -> usize {
        self.of
    }

    /// Whether all columns are copied.
    pub(crate) fn is_copied(&self) -> bool {
        self.all.get().is_some()
    }

    /// A column, copied if this is the first time.
    pub(crate) fn column(&self, at: usize) -> &Column {
        if let Some(all) = self.all.get() {
            return &all[at];
        }
        let each = self.each.get_or_init(|| unmade(self.width));
        // Freed below: what frees it last may wait for somebody who waits for the column.
        let mut held = None;
        let column = each[at].get_or_init(|| {
            let (column, source) = self.copied(at);
            held = Some(source);
            column
        });
        if held.is_some() && each.iter().all(|column| column.get().is_some()) {
            self.columns();
        }
        column
    }

    /// All columns; what they are copied from is let go.
    pub(crate) fn columns(&self) -> &Arc<[Column]> {
        if let Some(all) = self.all.get() {
            return all;
        }
        let all = self.all.get_or_init(|| {
            if self.each.get().is_none()
                && let Some(few) = self.few()
            {
                return few.into();
            }
            let each = self.each.get_or_init(|| unmade(self.width));
            let made = |(at, column): (usize, &OnceLock<Column>)| {
                column.get_or_init(|| self.copied(at).0).clone()
            };
            each.iter().enumerate().map(made).collect()
        });
        let source = self.lock().take();
        drop(source);
        all
    }

    /// Which columns are not copied yet, and about how many bytes each will take.
    pub(crate) fn waiting(&self) -> Vec<(usize, usize)> {
        let Some((columns, kept)) = self.held(|source| source.selection.count()) else {
            return Vec::new();
        };
        let is_made = |at: usize| self.each.get().is_some_and(|each| each[at].get().is_some());
        let waiting = columns.iter().enumerate().filter(|&(at, _)| !is_made(at));
        waiting.map(|(at, column)| (at, column.byte_len() / self.of * kept)).collect()
    }

    /// The columns of which rows are kept, and which; `None` where all are copied.
    pub(crate) fn source(&self) -> Option<(Held, Selection)> {
        self.held(|source| source.selection.clone())
    }

    /// At least so many bytes are held for what is not copied yet.
    pub(crate) fn holds(&self, bytes: usize) -> bool {
        let held = self.held(|_| ());
        let columns = held.iter().flat_map(|(columns, ())| columns.memory());
        columns.map(|column| at_least(column.array())).sum::<usize>() >= bytes
    }

    fn held<T>(&self, more: impl FnOnce(&Source) -> T) -> Option<(Held, T)> {
        self.lock().as_ref().map(|source| (source.columns.clone(), more(source)))
    }

    /// The column, and what was held for it.
    fn copied(&self, at: usize) -> (Column, Held) {
        let parts = self.lock().as_mut().map(|source| (source.columns.clone(), source.kept()));
        let Some((columns, kept)) = parts else {
            // It is let go when all columns are there.
            return (self.columns()[at].clone(), Held::all(self.columns()));
        };
        let source = columns.at(at);
        let Some(array) = kept.and_then(|kept| copied(source.array(), &kept)) else {
            unreachable!("`new` counts the rows, and copies what is not plain")
        };
        (Column::from_marked_array(array, source.marks_nulls()), columns)
    }

    /// All columns in one allocation, where they are small.
    fn few(&self) -> Option<Box<[Column]>> {
        let source = self.lock();
        let source = source.as_ref()?;
        slab(source.columns.iter(), &source.selection).ok().flatten()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Source>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bytes an array has, about: without a look at each of its parts, which takes as long as to filter a small
/// frame does.
fn at_least(array: &ArrayRef) -> usize {
    let cells = array.len() * size_of::<i64>();
    let text = |offsets: &[i64]| match offsets {
        [first, .., last] => (last - first) as usize,
        _ => 0,
    };
    cells
        + match array.data_type() {
            DataType::LargeUtf8 => text(array.as_string::<i64>().value_offsets()),
            DataType::LargeBinary => text(array.as_binary::<i64>().value_offsets()),
            DataType::LargeList(_) => at_least(array.as_list::<i64>().values()),
            _ => 0,
        }
}

fn unmade(width: usize) -> Box<[OnceLock<Column>]> {
    (0..width).map(|_| OnceLock::new()).collect()
}
