#[cfg(test)]
mod tests;

use std::sync::Arc;

use rowmill_columns::kernels::{Aggregate, Groups, NullKeys};
use rowmill_columns::{Batch, Column, ColumnError, Field, Scalar, Schema, Type};

use super::Projection;
use super::bind::Binder;
use crate::node::{Expr, Op};
use crate::operators::Operator;
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
    aggregates: Vec<Asked>,
    outputs: Vec<(Arc<str>, Output)>,
}

/// An aggregate of a column of `values`; of the rows themselves where there is none.
type Asked = Option<(Aggregate, usize)>;

#[derive(Debug)]
enum Output {
    Aggregate(usize),
    /// Computed from keys and aggregates, which are columns of [these](inner) names.
    Computed(Expr),
}

impl Grouping {
    /// # Errors
    /// As [`Program::new`](super::Program::new), and where a result is no aggregate and not computed from aggregates
    /// and keys.
    pub fn new(
        keys: &[(Arc<str>, Expr)],
        results: &[(Arc<str>, Expr)],
        nulls: NullKeys,
        schema: &Arc<Schema>,
    ) -> Result<Self, ExprError> {
        let mut search = Search { schema, found: Vec::new(), values: Vec::new() };
        let mut outputs = Vec::with_capacity(results.len());
        for (name, result) in results {
            let is_twice = |(other, _): &(Arc<str>, _)| other == name;
            if keys.iter().any(is_twice) || outputs.iter().any(|(other, _)| other == name) {
                return Err(ExprError::new(format!("{name:?} is the name of two columns")));
            }
            let output = match search.aggregate(result)? {
                Some(at) => Output::Aggregate(at),
                None => {
                    let known = |name: &str| keys.iter().any(|(key, _)| **key == *name);
                    Output::Computed(search.replaced(result, &known)?)
                }
            };
            outputs.push((Arc::clone(name), output));
        }
        Ok(Self {
            keys: Projection::new(keys, schema)?,
            nulls,
            values: Projection::new(&search.values, schema)?,
            aggregates: search.found.into_iter().map(|(_, asked)| asked).collect(),
            outputs,
        })
    }

    /// A row for each group, as their first rows come: the keys, and then the results.
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
            Groups::by(batch.rows(), &keys, self.nulls).map_err(|error| plain(&error))?
        };
        let mut found = Vec::with_capacity(self.aggregates.len());
        for asked in &self.aggregates {
            found.push(match asked {
                None => (Type::Int64, groups.sizes()),
                Some((what, at)) => {
                    let kind = &values.schema().fields[*at].kind;
                    groups
                        .aggregate(*what, kind, &values.columns()[*at])
                        .map_err(|error| plain(&error))?
                }
            });
        }
        let keys = keys.reorder(groups.firsts()).map_err(|error| plain(&error))?;
        let mut fields = keys.schema().fields.clone();
        let mut columns = keys.columns().to_vec();
        for (name, output) in &self.outputs {
            let (kind, column) = match output {
                Output::Aggregate(at) => found[*at].clone(),
                Output::Computed(expression) => computed(expression, &keys, &found)?,
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

fn plain(error: &ColumnError) -> ExprError {
    ExprError::new(error.to_string())
}

/// The aggregates of all results, each once.
struct Search<'a> {
    schema: &'a Schema,
    found: Vec<(Expr, Asked)>,
    values: Vec<(Arc<str>, Expr)>,
}

impl Search<'_> {
    /// Which aggregate this is, where it is one.
    fn aggregate(&mut self, expression: &Expr) -> Result<Option<usize>, ExprError> {
        let Some((what, of)) = taken_apart(expression)? else { return Ok(None) };
        if let Some(at) = self.found.iter().position(|(known, _)| known.is(expression)) {
            return Ok(Some(at));
        }
        let asked = match of {
            None => None,
            Some((operator, of)) => {
                let bound = Binder::new(self.schema).bind(&of)?;
                // Now that kinds are known: text has no sum.
                Expr::call(operator, [bound])?;
                let at = self.values.iter().position(|(_, known)| known.is(&of));
                let at = at.unwrap_or_else(|| {
                    self.values.push(("".into(), of));
                    self.values.len() - 1
                });
                Some((what, at))
            }
        };
        self.found.push((expression.clone(), asked));
        Ok(Some(self.found.len() - 1))
    }

    /// The same with columns in place of aggregates.
    fn replaced(
        &mut self,
        expression: &Expr,
        is_key: &dyn Fn(&str) -> bool,
    ) -> Result<Expr, ExprError> {
        if expression.depth() as usize > limits::FILTER_DEPTH {
            // The depth is said where the expression is bound.
            return Binder::new(self.schema).bind(expression);
        }
        if let Some(at) = self.aggregate(expression)? {
            return Ok(Expr::named(inner(at)));
        }
        match expression.op() {
            Op::Column(column) if !is_key(&column.name) => {
                let why = "is neither a key of the groups nor an aggregate: which of the group's values is meant? .min(), \
                           .max() ...";
                Err(ExprError::about(why, expression))
            }
            Op::Column(column) => Ok(Expr::named(Arc::clone(&column.name))),
            _ => {
                let args = expression.args().iter().map(|arg| self.replaced(arg, is_key));
                expression.with_args(args.collect::<Result<_, _>>()?)
            }
        }
    }
}

/// Of what an aggregate is, and the operator that says which kinds it takes; `None` of rows.
type Of = Option<(Operator, Expr)>;

/// What an aggregate asks, and of what; `None` of what is none.
fn taken_apart(expression: &Expr) -> Result<Option<(Aggregate, Of)>, ExprError> {
    let Op::Call(operator) = expression.op() else { return Ok(None) };
    let what = match operator {
        Operator::CountRows => return Ok(Some((Aggregate::Count, None))),
        Operator::Count => Aggregate::Count,
        Operator::CountDistinct => Aggregate::Distinct,
        Operator::Sum => Aggregate::Sum,
        Operator::Average => Aggregate::Mean,
        Operator::Minimum => Aggregate::Min,
        Operator::Maximum => Aggregate::Max,
        Operator::Where => {
            let [function, condition] = expression.args() else { return Ok(None) };
            let Some((what, of)) = taken_apart(function)? else { return Ok(None) };
            // What the condition is not true of is NULL, which no aggregate counts.
            let (operator, of) = of.unwrap_or((Operator::Count, Expr::literal(true)));
            let nothing = Expr::literal(Scalar::Null);
            let of = Expr::call(Operator::Case, [condition.clone(), of, nothing])?;
            return Ok(Some((what, Some((operator, of)))));
        }
        _ => return Ok(None),
    };
    Ok(Some((what, Some((*operator, expression.args()[0].clone())))))
}
