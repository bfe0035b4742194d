#[cfg(test)]
mod tests;

use std::sync::Arc;

use rowmill_columns::kernels::{Aggregate, Groups, NullKeys};
use rowmill_columns::{Batch, Column, Field, Scalar, Schema, Type};

use super::Projection;
use super::bind::{Binder, refusal};
use crate::kind::{Base, Kind};
use crate::node::{Expr, Op};
use crate::operators::{Operator, Place};
use crate::{ExprError, limits};

/// Rows grouped by keys, and what each group comes to, compiled for frames of one schema.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::kernels::NullKeys;
/// use rowmill_columns::{Batch, Field, Schema, Type, Value, build::Fixed};
/// use rowmill_expr::filter::Grouping;
/// use rowmill_expr::{Expr, Operator};
/// let column = |cells: [i64; 3]| {
///     let mut column = Fixed::new(0_i64);
///     cells.map(|cell| column.push(cell));
///     column.finish(&Type::Int64)
/// };
/// let fields = ["team", "points"].map(|name| Field::new(name, Type::Int64));
/// let schema = Arc::new(Schema::new(fields.to_vec()));
/// let batch = Batch::new(schema.clone(), vec![column([7, 9, 7]), column([3, 5, 4])], 3);
/// let sum = Expr::call(Operator::Sum, [Expr::named("points")])?;
/// let keys = [("team".into(), Expr::named("team"))];
/// let grouping = Grouping::new(&keys, &[("sum".into(), sum)], NullKeys::Kept, &schema)?;
/// let sums = grouping.run(&batch)?;
/// assert_eq!((sums.rows(), sums.value(0, 0), sums.value(1, 0)), (2, Value::Int(7), Value::Int(7)));
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Grouping {
    keys: Projection,
    nulls: NullKeys,
    /// What the aggregates are of, each once.
    values: Projection,
    /// Each once, as it was written.
    aggregates: Vec<(Expr, Asked)>,
    outputs: Vec<(Arc<str>, Output)>,
}

/// An aggregate of a column of `values`; of the rows themselves where there is none.
type Asked = Option<(Aggregate, usize)>;

#[derive(Debug)]
enum Output {
    Aggregate(usize),
    /// Computed from keys and aggregates, which are columns of [these](inner) names; and as it was written.
    Computed(Expr, Expr),
}

impl Grouping {
    /// # Errors
    /// As [`Program::new`](super::Program::new), and where two columns have one name, or a result is no aggregate and not
    /// computed from aggregates and keys.
    pub fn new(
        keys: &[(Arc<str>, Expr)],
        results: &[(Arc<str>, Expr)],
        nulls: NullKeys,
        schema: &Arc<Schema>,
    ) -> Result<Self, ExprError> {
        let names = || keys.iter().chain(results).map(|(name, _)| name);
        if let Some((_, name)) =
            names().enumerate().find(|(at, name)| names().take(*at).any(|other| other == *name))
        {
            return Err(ExprError::new(format!("{name:?} is the name of two columns")));
        }
        let mut search = Search { schema, keys, found: Vec::new(), values: Vec::new() };
        let mut outputs = Vec::with_capacity(results.len());
        for (name, result) in results {
            let output = match search.aggregate(result)? {
                Some((at, _)) => Output::Aggregate(at),
                None => Output::Computed(search.replaced(result, 0)?.0, result.clone()),
            };
            outputs.push((Arc::clone(name), output));
        }
        Ok(Self {
            keys: Projection::new(keys, schema)?,
            nulls,
            values: Projection::new(&search.values, schema)?,
            aggregates: search.found.into_iter().map(|(known, _, asked)| (known, asked)).collect(),
            outputs,
        })
    }

    /// A row for each group, as their first rows come: the keys, and then the results. Without keys there is one row.
    ///
    /// # Errors
    /// Where the batch has another schema, the values of a key or an aggregate are of a type that has none, or a number
    /// is out of range.
    pub fn run(&self, batch: &Batch) -> Result<Batch, ExprError> {
        let keys = self.keys.run(batch)?;
        let values = self.values.run(batch)?;
        let groups = {
            let fields = keys.schema().fields.iter().map(|field| &field.kind);
            let keys: Vec<(&Type, &Column)> = fields.zip(keys.columns()).collect();
            let groups = Groups::by(batch.rows(), &keys, self.nulls);
            groups.map_err(|error| ExprError::new(error.to_string()))?
        };
        let mut found = Vec::with_capacity(self.aggregates.len());
        for (expression, asked) in &self.aggregates {
            found.push(match asked {
                None => (Type::Int64, groups.sizes()),
                Some((what, at)) => {
                    let kind = &values.schema().fields[*at].kind;
                    let found = groups.aggregate(*what, kind, &values.columns()[*at]);
                    found.map_err(|error| ExprError::new(error.to_string()).of(expression))?
                }
            });
        }
        // All rows are one group without keys, and there may be none.
        let keys = if keys.columns().is_empty() {
            Batch::new(Arc::clone(keys.schema()), Vec::new(), groups.len())
        } else {
            let firsts = keys.reorder(groups.firsts());
            firsts.map_err(|error| ExprError::new(error.to_string()))?
        };
        let mut fields = keys.schema().fields.clone();
        let mut columns = keys.columns().to_vec();
        for (name, output) in &self.outputs {
            let (kind, column) = match output {
                Output::Aggregate(at) => found[*at].clone(),
                Output::Computed(expression, written) => {
                    computed(expression, &keys, &found).map_err(|error| {
                        // What it says is of names that nobody gave.
                        let message = error.to_string();
                        if message.contains('\0') {
                            ExprError::about("cannot be computed from these groups", written)
                        } else {
                            error
                        }
                    })?
                }
            };
            fields.push(Field::new(Arc::clone(name), kind));
            columns.push(column);
        }
        Ok(Batch::new(Arc::new(Schema::new(fields)), columns, groups.len()))
    }
}

/// A result that is computed from others. Their types are known now.
fn computed(
    expression: &Expr,
    keys: &Batch,
    found: &[(Type, Column)],
) -> Result<(Type, Column), ExprError> {
    let mut fields = keys.schema().fields.clone();
    let mut columns = keys.columns().to_vec();
    for (at, (kind, column)) in found.iter().enumerate() {
        fields.push(Field::new(inner(at), kind.clone()));
        columns.push(column.clone());
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = Batch::new(Arc::clone(&schema), columns, keys.rows());
    let result = Projection::new(&[("".into(), expression.clone())], &schema)?.run(&batch)?;
    Ok((result.schema().fields[0].kind.clone(), result.columns()[0].clone()))
}

/// The name of an aggregate's column while results are computed from it: none that a column of a database has.
fn inner(at: usize) -> Arc<str> {
    format!("\0{at}").into()
}

/// The aggregates of all results, each once: as it was written, with the kinds of its columns, and what it asks.
struct Search<'a> {
    schema: &'a Schema,
    keys: &'a [(Arc<str>, Expr)],
    found: Vec<(Expr, Expr, Asked)>,
    values: Vec<(Arc<str>, Expr)>,
}

impl Search<'_> {
    /// Which aggregate this is, where it is one, and the same with the kinds of its columns.
    fn aggregate(&mut self, expression: &Expr) -> Result<Option<(usize, Expr)>, ExprError> {
        let Some((what, of)) = taken_apart(expression)? else { return Ok(None) };
        let known = self.found.iter().position(|(known, ..)| known.same(expression));
        if let Some(at) = known {
            return Ok(Some((at, self.found[at].1.clone())));
        }
        let (typed, asked) = match of {
            None => (expression.clone(), None),
            Some((operator, of)) => {
                let bound = Binder::new(self.schema).bind(&of)?;
                // Now that kinds are known: text has no sum.
                let typed = Expr::call(operator, [bound])?;
                if operator == Operator::Average && typed.kind() == Kind::One(Base::Decimal) {
                    let why = "has no exact value in a frame: take the mean of .cast(\"float\"), or ask the database";
                    return Err(ExprError::about(why, expression));
                }
                let at = self.values.iter().position(|(_, known)| known.same(&of));
                let at = at.unwrap_or_else(|| {
                    self.values.push(("".into(), of));
                    self.values.len() - 1
                });
                (typed, Some((what, at)))
            }
        };
        self.found.push((expression.clone(), typed.clone(), asked));
        Ok(Some((self.found.len() - 1, typed)))
    }

    /// The same with columns in place of keys and aggregates; and as it was written, with the kinds of columns, of which
    /// errors tell.
    fn replaced(&mut self, expression: &Expr, depth: usize) -> Result<(Expr, Expr), ExprError> {
        if depth > limits::FILTER_DEPTH {
            let levels = limits::FILTER_DEPTH;
            let message = format!(
                "the expression has more than {levels} levels, more than what is computed of groups has"
            );
            return Err(ExprError::new(message));
        }
        if let Some((name, key)) = self.keys.iter().find(|(_, key)| key.same(expression)) {
            return Ok((Expr::named(Arc::clone(name)), Binder::new(self.schema).bind(key)?));
        }
        if let Some((at, typed)) = self.aggregate(expression)? {
            return Ok((Expr::named(inner(at)), typed));
        }
        match expression.op() {
            Op::Literal(_) => Ok((expression.clone(), expression.clone())),
            Op::Column(column) => {
                if let Some((name, key)) = self.keys.iter().find(|(name, _)| *name == column.name) {
                    return Ok((
                        Expr::named(Arc::clone(name)),
                        Binder::new(self.schema).bind(key)?,
                    ));
                }
                let why = "is neither a key of the groups nor an aggregate: which of the group's values is meant? .min(), \
                           .max() ...";
                Err(ExprError::about(why, expression))
            }
            Op::Call(operator) if operator.entry().place == Place::Row => {
                let (mut args, mut typed) = (Vec::new(), Vec::new());
                for arg in expression.args() {
                    let (arg, with_kinds) = self.replaced(arg, depth + 1)?;
                    args.push(arg);
                    typed.push(with_kinds);
                }
                let typed = expression.with_args(typed)?;
                Ok((expression.with_args(args)?, typed))
            }
            _ => Err(refusal(expression)),
        }
    }
}

/// Of what an aggregate is, and the operator that says which kinds it takes; `None` of rows.
type Of = Option<(Operator, Expr)>;

/// What an aggregate asks, and of what; `None` of what is none.
fn taken_apart(expression: &Expr) -> Result<Option<(Aggregate, Of)>, ExprError> {
    let (mut function, mut conditions) = (expression, Vec::new());
    while let (Op::Call(Operator::Where), [inner, condition]) = (function.op(), function.args()) {
        conditions.push(condition.clone());
        function = inner;
    }
    let Op::Call(operator) = function.op() else { return Ok(None) };
    let what = match operator {
        Operator::CountRows | Operator::Count => Aggregate::Count,
        Operator::CountDistinct => Aggregate::Distinct,
        Operator::Sum => Aggregate::Sum,
        Operator::Average => Aggregate::Mean,
        Operator::Minimum => Aggregate::Min,
        Operator::Maximum => Aggregate::Max,
        _ => return Ok(None),
    };
    let of = function.args().first().map(|of| (*operator, of.clone()));
    let condition = match conditions.len() {
        0 => return Ok(Some((what, of))),
        1 => conditions.remove(0),
        _ => Expr::call(Operator::And, conditions)?,
    };
    // What the condition is not true of is NULL, which no aggregate counts.
    let (operator, of) = of.unwrap_or((Operator::Count, Expr::literal(true)));
    let of = Expr::call(Operator::Case, [condition, of, Expr::literal(Scalar::Null)])?;
    Ok(Some((what, Some((operator, of)))))
}
