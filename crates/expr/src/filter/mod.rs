//! Expressions run over columns in memory: which rows of a frame they are true of, and what they are.
//!
//! An expression is bound to a schema and becomes a [`Program`] of kernels, which is run as often as
//! wanted, a chunk of rows at a time: what is quick is asked first, a chunk of which no row is left
//! is left, and what stands in two places is found once. What has no kernel is computed row by row.

pub(crate) mod bind;
pub(crate) mod cell;
mod dates;
pub(crate) mod decimal;
mod group;
mod json;
mod numbers;
mod order;
mod plan;
mod project;
pub(crate) mod row;
mod run;
#[cfg(test)]
pub(crate) mod tests;

use std::ops::Range;
use std::sync::Arc;

use rowmill_columns::kernels::{Bits, CHUNK, Selection};
use rowmill_columns::{Batch, Schema};

use bind::{Binder, refusal, typed};
pub use group::Grouping;
pub use order::Order;
use plan::{ColumnTest, Plan, Planner};
pub use project::Projection;
use run::Run;

use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::node::Expr;

/// Conditions compiled for frames of one schema: a row passes where all of them are true.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed};
/// use rowmill_expr::filter::Program;
/// use rowmill_expr::{Expr, Operator};
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema.clone(), vec![ids.finish(&Type::Int64)], 3);
/// let large = Expr::call(Operator::Greater, [Expr::named("id"), Expr::literal(1)])?;
/// let program = Program::new(&[large], &schema)?;
/// assert_eq!(program.run(&batch, 0..3)?.indices(), [1, 2]);
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Program {
    schema: Arc<Schema>,
    plans: Vec<Plan>,
    tests: Vec<ColumnTest>,
    slots: usize,
}

impl Program {
    /// # Errors
    /// Where a condition is none, names a column that is not there, makes no sense for the types of
    /// the columns, or needs a database.
    pub fn new(conditions: &[Expr], schema: &Arc<Schema>) -> Result<Self, ExprError> {
        let mut binder = Binder::new(schema);
        let mut bound = Vec::with_capacity(conditions.len());
        for condition in conditions {
            let condition = binder.bind(condition)?;
            if !condition.kind().may_be(Base::Bool) || condition.kind() == Kind::Any {
                let message = format!("is {}, and a condition is a bool", condition.kind());
                return Err(ExprError::about(&message, &condition));
            }
            bound.push(condition);
        }
        let all = match bound.len() {
            0 | 1 => bound.pop(),
            _ => Some(Expr::call(crate::Operator::And, bound)?),
        };
        let mut planner = Planner::new(schema);
        let mut plans = Vec::new();
        if let Some(all) = all {
            planner.count(&all);
            plans.push(planner.plan(&all)?);
        }
        let slots = planner.slots();
        Ok(Self { schema: Arc::clone(schema), plans, tests: planner.tests, slots })
    }

    /// The schema that this was compiled for.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Which of the `rows` of a batch pass. A part of a batch begins at a multiple of
    /// [`CHUNK`], so that parts can be [put together](Selection::append).
    ///
    /// # Errors
    /// Where the batch has another schema, or a number is out of range.
    ///
    /// # Panics
    /// If there are not so many rows.
    pub fn run(&self, batch: &Batch, rows: Range<usize>) -> Result<Selection, ExprError> {
        same_schema(&self.schema, batch)?;
        let mut selection = Selection::with_capacity(rows.len());
        let mut run = Run::new(batch, &self.tests, self.slots)?;
        for start in rows.clone().step_by(CHUNK) {
            let len = CHUNK.min(rows.end - start);
            run.begin();
            selection.push(&run.truth(&self.plans, start, len, Bits::first(len))?, len);
        }
        Ok(selection)
    }
}

fn same_schema(schema: &Arc<Schema>, batch: &Batch) -> Result<(), ExprError> {
    if Arc::ptr_eq(schema, batch.schema()) || **schema == **batch.schema() {
        return Ok(());
    }
    Err(ExprError::new("the frame has other columns than the one that this was compiled for"))
}
