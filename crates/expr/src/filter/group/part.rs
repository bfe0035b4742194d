use std::borrow::Cow;
use std::sync::Arc;

use rowmill_columns::kernels::Groups;
use rowmill_columns::{Batch, ColumnError, Schema};

use super::search::Wanted;
use crate::ExprError;
use crate::filter::bind::position;
use crate::filter::{Program, Projection};
use crate::node::{Expr, Op};

/// The values of rows that pass a condition, of which there are aggregates.
///
/// Others are not looked at: what is out of range there is nobody's concern, as where a query filters.
#[derive(Debug)]
pub(super) struct Part {
    /// The columns that it takes.
    from: Vec<usize>,
    condition: Option<Program>,
    values: Projection,
}

impl Part {
    pub(super) fn new(wanted: &Wanted, schema: &Schema) -> Result<Self, ExprError> {
        let mut from = Vec::new();
        for expression in wanted.conditions.iter().chain(&wanted.values) {
            for name in columns(expression) {
                from.push(position(schema, name)?);
            }
        }
        from.sort_unstable();
        from.dedup();
        let fields = from.iter().map(|&at| schema.fields[at].clone()).collect();
        let schema = Arc::new(Schema::new(fields));
        let condition = match &*wanted.conditions {
            [] => None,
            conditions => Some(Program::new(conditions, &schema)?),
        };
        let values: Vec<(Arc<str>, Expr)> =
            wanted.values.iter().map(|value| ("".into(), value.clone())).collect();
        Ok(Self { from, condition, values: Projection::new(&values, &schema)? })
    }

    /// The values of the rows that pass, and their groups; of `rows` alone, where not all are looked at.
    pub(super) fn run<'g>(
        &self,
        batch: &Batch,
        rows: Option<&[u32]>,
        groups: &'g Groups,
    ) -> Result<(Batch, Cow<'g, Groups>), ExprError> {
        let failed = |error: ColumnError| ExprError::new(error.to_string());
        let mut batch = batch.select(&self.from);
        let mut groups = Cow::Borrowed(groups);
        if let Some(rows) = rows {
            batch = batch.take(rows).map_err(failed)?;
            groups = Cow::Owned(groups.take(rows));
        }
        if let Some(condition) = &self.condition {
            let rows = condition.run(&batch, 0..batch.rows())?;
            let rows = rows.indices();
            batch = batch.take(&rows).map_err(failed)?;
            groups = Cow::Owned(groups.take(&rows));
        }
        Ok((self.values.run(&batch)?, groups))
    }
}

/// The names of an expression's columns.
fn columns(expression: &Expr) -> Vec<&str> {
    let mut names = Vec::new();
    expression.walk(|part| {
        if let Op::Column(column) = part.op() {
            names.push(&*column.name);
        }
    });
    names
}
