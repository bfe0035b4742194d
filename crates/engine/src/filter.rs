//! Frames filtered: expressions compiled once, and run by all cores where a frame is large.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rowmill_columns::kernels::{CHUNK, Kept, Selection};
use rowmill_columns::{Batch, Column, ColumnError, Schema};
use rowmill_expr::filter::Program;
use rowmill_expr::{Expr, ExprError};

use crate::limits;

/// Conditions compiled for frames of one schema, with the columns that are wanted of the rows which pass.
///
/// ```
/// use std::sync::Arc;
/// use rowmill::expr::{Expr, Operator};
/// use rowmill::filter::Filter;
/// use rowmill::{Batch, Field, Schema, Type, Value, build::Fixed};
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema.clone(), vec![ids.finish(&Type::Int64)], 3);
/// let large = Expr::call(Operator::Greater, [Expr::named("id"), Expr::literal(2)])?;
/// let filter = Filter::new(&[large], &schema, None)?;
/// assert_eq!(filter.run(&batch).unwrap().value(0, 0), Value::Int(3));
/// # Ok::<(), rowmill::expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Filter {
    program: Program,
    columns: Vec<usize>,
    schema: Arc<Schema>,
}

/// Why a frame could not be filtered.
#[derive(Debug)]
pub enum Failure {
    /// A number is out of range, or the frame is not the one that the filter is for.
    Expression(ExprError),
    /// The rows could not be copied.
    Columns(ColumnError),
}

impl Filter {
    /// `columns` are the wanted ones by their places, `None` all.
    ///
    /// # Errors
    /// Where a condition is none, or makes no sense for the schema.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn new(
        conditions: &[Expr],
        schema: &Arc<Schema>,
        columns: Option<&[usize]>,
    ) -> Result<Self, ExprError> {
        let program = Program::new(conditions, schema)?;
        let (columns, schema) = match columns {
            None => ((0..schema.fields.len()).collect(), Arc::clone(schema)),
            Some(columns) => {
                let fields = columns.iter().map(|&at| schema.fields[at].clone()).collect();
                (columns.to_vec(), Arc::new(Schema::new(fields)))
            }
        };
        Ok(Self { program, columns, schema })
    }

    /// The rows of which all conditions are true.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(&self, batch: &Batch) -> Result<Batch, Failure> {
        let threads = threads(batch.rows());
        let selection = self.select(batch, threads).map_err(Failure::Expression)?;
        let few = selection.count() * self.columns.len() < limits::FILTER_THREAD_ROWS;
        if threads == 1 || few || selection.count() == batch.rows() {
            let kept = batch.keep(&selection, &self.columns, Arc::clone(&self.schema));
            return kept.map_err(Failure::Columns);
        }
        self.gather(batch, &selection, threads).map_err(Failure::Columns)
    }

    /// Which rows pass; each thread looks at a part of them.
    fn select(&self, batch: &Batch, threads: usize) -> Result<Selection, ExprError> {
        let rows = batch.rows();
        if threads == 1 {
            return self.program.run(batch, 0..rows);
        }
        let part = rows.div_ceil(threads).next_multiple_of(CHUNK);
        let parts: Vec<Range<usize>> =
            (0..rows).step_by(part).map(|start| start..rows.min(start + part)).collect();
        let found = shared(threads, parts.len(), |at| self.program.run(batch, parts[at].clone()));
        let mut all = Selection::with_capacity(rows);
        for part in found {
            all.append(&part?);
        }
        Ok(all)
    }

    /// The columns; each thread takes the next one that nobody has.
    fn gather(
        &self,
        batch: &Batch,
        selection: &Selection,
        threads: usize,
    ) -> Result<Batch, ColumnError> {
        let Some(kept) = selection.kept() else {
            return batch.keep(selection, &self.columns, Arc::clone(&self.schema));
        };
        let kept: &Kept<'_> = &kept;
        // What takes longest first, so that no thread ends long before the other.
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_cached_key(|&at| Reverse(batch.columns()[self.columns[at]].byte_len()));
        let gathered = shared(threads, order.len(), |at| {
            batch.columns()[self.columns[order[at]]].gather(kept)
        });
        let mut columns: Vec<(usize, Column)> = Vec::with_capacity(order.len());
        for (at, column) in order.into_iter().zip(gathered) {
            columns.push((at, column?));
        }
        columns.sort_unstable_by_key(|(at, _)| *at);
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        Ok(Batch::new(Arc::clone(&self.schema), columns, selection.count()))
    }
}

/// How many threads are worth it.
fn threads(rows: usize) -> usize {
    if rows < limits::FILTER_THREAD_ROWS {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(rows / (limits::FILTER_THREAD_ROWS / 2))
}

/// What `make` gives for each number below `count`, made by several threads of which the caller's is one.
fn shared<T: Send>(threads: usize, count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return made;
            }
            made.push((at, make(at)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count))
            // A thread that cannot be had is done without.
            .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(made) => all.extend(made),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, made)| made).collect()
}

/// The filters that were used last, so that the same expressions over frames of the same columns are
/// compiled once.
#[derive(Debug)]
pub struct Filters {
    recent: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    conditions: Vec<Expr>,
    columns: Option<Vec<usize>>,
    filter: Arc<Filter>,
}

impl Filters {
    /// None yet.
    pub const fn new() -> Self {
        Self { recent: Mutex::new(Vec::new()) }
    }

    /// The filter of these very conditions.
    ///
    /// # Errors
    /// As [`Filter::new`].
    ///
    /// # Panics
    /// As [`Filter::new`].
    pub fn get(
        &self,
        conditions: &[&Expr],
        schema: &Arc<Schema>,
        columns: Option<&[usize]>,
    ) -> Result<Arc<Filter>, ExprError> {
        let is_it = |entry: &Entry| {
            entry.conditions.len() == conditions.len()
                && entry.conditions.iter().zip(conditions).all(|(known, asked)| known.is(asked))
                && entry.columns.as_deref() == columns
                && is_schema(entry.filter.program.schema(), schema)
        };
        {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = recent.iter().rposition(is_it) {
                let filter = Arc::clone(&recent[at].filter);
                // The last one is looked at first.
                if at + 1 < recent.len() {
                    let entry = recent.remove(at);
                    recent.push(entry);
                }
                return Ok(filter);
            }
        }
        let conditions: Vec<Expr> = conditions.iter().map(|&condition| condition.clone()).collect();
        let filter = Arc::new(Filter::new(&conditions, schema, columns)?);
        let entry = Entry {
            conditions,
            columns: columns.map(<[usize]>::to_vec),
            filter: Arc::clone(&filter),
        };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (recent.len() >= limits::FILTERS).then(|| recent.remove(0));
        recent.push(entry);
        drop(recent);
        // What it holds may take long to free.
        drop(oldest);
        Ok(filter)
    }
}

impl Default for Filters {
    fn default() -> Self {
        Self::new()
    }
}

fn is_schema(known: &Arc<Schema>, asked: &Arc<Schema>) -> bool {
    Arc::ptr_eq(known, asked) || known == asked
}
