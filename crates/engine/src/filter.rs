//! Frames filtered: expressions compiled once, and run by all cores where a frame is large.

use std::cmp::Reverse;
use std::sync::Arc;

use rowmill_columns::kernels::{CHUNK, Selection};
use rowmill_columns::{Batch, ColumnError, Schema};
use rowmill_expr::filter::Program;
use rowmill_expr::{Expr, ExprError};

use crate::limits;
use crate::recent::Recent;
use crate::shared::Crew;

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
/// let filter = Arc::new(Filter::new(&[large], &schema, None)?);
/// assert_eq!(filter.run(&batch).unwrap().value(0, 0), Value::Int(3));
/// # Ok::<(), rowmill::expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Filter {
    program: Program,
    columns: Arc<[usize]>,
    schema: Arc<Schema>,
    /// What comes of frames of which no row passes.
    empty: Batch,
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
                (columns.into(), Arc::new(Schema::new(fields)))
            }
        };
        let empty = Batch::empty(Arc::clone(&schema));
        Ok(Self { program, columns, schema, empty })
    }

    /// The rows of which all conditions are true, copied column by column when they are asked for: a frame
    /// that is filtered again is copied once. [`copy`] does so beforehand.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(self: &Arc<Self>, batch: &Batch) -> Result<Batch, Failure> {
        let rows = batch.rows();
        let crew = crew(rows);
        let selection = match &crew {
            Some(crew) => self.select(crew, batch),
            None => self.program.run(batch, 0..rows),
        };
        let selection = selection.map_err(Failure::Expression)?;
        if selection.count() == 0 {
            return Ok(self.empty.clone());
        }
        let kept = batch.keep(selection, &self.columns, Arc::clone(&self.schema));
        let kept = kept.map_err(Failure::Columns)?;
        if are_few(&kept) {
            copy_by(crew, &kept);
        }
        Ok(kept)
    }

    /// Which rows pass; the threads take part after part of them.
    fn select(self: &Arc<Self>, crew: &Crew, batch: &Batch) -> Result<Selection, ExprError> {
        /// Small enough that no thread is long behind the others at the end.
        const PART: usize = 32 * CHUNK;
        let rows = batch.rows();
        let (this, all) = (Arc::clone(self), batch.clone());
        let parts = crew.share(rows.div_ceil(PART), move |at| {
            this.program.run(&all, at * PART..rows.min((at + 1) * PART))
        });
        let mut selection = Selection::with_capacity(rows);
        for part in parts {
            selection.append(&part?);
        }
        Ok(selection)
    }
}

/// Has the columns of a filtered frame copied that are not yet, by all cores where they are large.
pub fn copy(batch: &Batch) {
    copy_by(None, batch);
}

/// Has few rows of many copied now.
pub fn copy_few(batch: &Batch) {
    if are_few(batch) {
        copy(batch);
    }
}

/// Whether rows keep much memory for their number.
fn are_few(kept: &Batch) -> bool {
    kept.rows() * limits::FILTER_HELD < kept.reach() && kept.holds(limits::FILTER_HELD_BYTES)
}

fn copy_by(crew: Option<Crew>, batch: &Batch) {
    if batch.rows() * batch.width() >= limits::FILTER_FREED_CELLS {
        let mut waiting = batch.waiting();
        keep_freed(&waiting);
        let cells = batch.rows() * waiting.len();
        if cells >= limits::FILTER_THREAD_ROWS
            && let Some(crew) = crew.or_else(|| self::crew(cells))
        {
            // What takes longest first, so that no thread ends long before the other.
            waiting.sort_by_key(|&(_, bytes)| Reverse(bytes));
            let batch = batch.clone();
            crew.share(waiting.len(), move |at| {
                batch.column(waiting[at].0);
            });
        }
    }
    batch.columns();
}

/// Has the allocator keep as much memory as such a frame takes when it is freed.
///
/// The GNU allocator gives memory back beyond twice the largest block that was ever freed, and a frame
/// is many blocks: without this the next one begins with a page fault for every four kilobytes, which
/// is half of its time.
fn keep_freed(waiting: &[(usize, usize)]) {
    let bytes = waiting.iter().map(|(_, bytes)| bytes).sum::<usize>().min(limits::FILTER_FREED);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
}

/// The threads for so many rows, or cells; `None` where one is enough.
fn crew(rows: usize) -> Option<Crew> {
    let threads = threads(rows);
    (threads > 1).then(|| Crew::new(threads))
}

/// How many threads are worth it.
fn threads(rows: usize) -> usize {
    if rows < limits::FILTER_THREAD_ROWS {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(rows / (limits::FILTER_THREAD_ROWS / 2))
}

/// The filters that were used last, so that the same expressions over frames of the same columns are
/// compiled once.
#[derive(Debug)]
pub struct Filters {
    recent: Recent<Asked, Filter>,
}

/// Conditions, and the columns that are wanted.
type Asked = (Vec<Expr>, Option<Vec<usize>>);

impl Filters {
    /// None yet.
    pub const fn new() -> Self {
        Self { recent: Recent::new() }
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
        let is_it = |(known, places): &Asked, filter: &Filter| {
            known.len() == conditions.len()
                && known.iter().zip(conditions).all(|(known, asked)| known.is(asked))
                && places.as_deref() == columns
                && is_schema(filter.program.schema(), schema)
        };
        self.recent.get(is_it, || {
            let conditions: Vec<Expr> =
                conditions.iter().map(|&condition| condition.clone()).collect();
            let filter = Filter::new(&conditions, schema, columns)?;
            Ok(((conditions, columns.map(<[usize]>::to_vec)), filter))
        })
    }
}

impl Default for Filters {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn is_schema(known: &Arc<Schema>, asked: &Arc<Schema>) -> bool {
    Arc::ptr_eq(known, asked) || known == asked
}
