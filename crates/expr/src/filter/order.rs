use std::sync::Arc;

use rowmill_columns::kernels::{SortKey, order};
use rowmill_columns::{Batch, Schema};

use super::Projection;
use crate::ExprError;
use crate::node::{Expr, Op};
use crate::operators::Operator;

/// The keys of an order, compiled for frames of one schema.
///
/// As in PostgreSQL, NULLs come last, and first where a key goes downwards, if it does not say.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed};
/// use rowmill_expr::filter::Order;
/// use rowmill_expr::{Expr, Operator};
/// let mut ids = Fixed::new(0_i64);
/// [2, 3, 1].map(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema.clone(), vec![ids.finish(&Type::Int64)], 3);
/// let down = Expr::call(Operator::Negate, [Expr::named("id")])?;
/// assert_eq!(Order::new(&[down], &schema)?.run(&batch)?, [1, 0, 2]);
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Order {
    values: Projection,
    ways: Vec<Way>,
}

#[derive(Debug)]
struct Way {
    descending: bool,
    nulls_first: bool,
}

impl Order {
    /// # Errors
    /// As [`Program::new`](super::Program::new).
    pub fn new(keys: &[Expr], schema: &Arc<Schema>) -> Result<Self, ExprError> {
        let mut values: Vec<(Arc<str>, Expr)> = Vec::with_capacity(keys.len());
        let mut ways = Vec::with_capacity(keys.len());
        for key in keys {
            let (value, way) = taken_apart(key);
            values.push(("".into(), value.clone()));
            ways.push(way);
        }
        Ok(Self { values: Projection::new(&values, schema)?, ways })
    }

    /// The numbers of the batch's rows in this order. Rows of equal keys stay as they are.
    ///
    /// # Errors
    /// Where the batch has another schema, a key's values have no order, or a number is out of range.
    pub fn run(&self, batch: &Batch) -> Result<Vec<u32>, ExprError> {
        let values = self.values.run(batch)?;
        let columns = values.schema().fields.iter().zip(values.columns());
        let keys = columns.zip(&self.ways).map(|((field, column), way)| SortKey {
            kind: &field.kind,
            column,
            descending: way.descending,
            nulls_first: way.nulls_first,
        });
        let keys: Vec<SortKey<'_>> = keys.collect();
        order(batch.rows(), &keys).map_err(|error| ExprError::new(error.to_string()))
    }
}

/// What a key is by, and which way.
fn taken_apart(key: &Expr) -> (&Expr, Way) {
    let (mut inner, mut descending, mut nulls) = (key, false, None);
    while let Op::Call(operator) = inner.op() {
        match operator {
            Operator::Descending | Operator::Negate => descending = !descending,
            Operator::NullsFirst => nulls = nulls.or(Some(true)),
            Operator::NullsLast => nulls = nulls.or(Some(false)),
            _ => break,
        }
        inner = &inner.args()[0];
    }
    (inner, Way { descending, nulls_first: nulls.unwrap_or(descending) })
}
