mod part;
mod search;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use rowmill_columns::kernels::{Aggregate, Groups, NullKeys};
use rowmill_columns::{Batch, Column, Field, Schema, Type};

use super::Projection;
use crate::ExprError;
use crate::node::Expr;
use part::Part;
use search::{Found, Search};

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
    /// What the aggregates are of, by the condition that rows pass.
    parts: Vec<Part>,
    /// Each once: as it was written, of which part, and what it asks.
    aggregates: Vec<(Expr, usize, Asked)>,
    /// The aggregates' names while results are computed from them.
    names: Vec<Arc<str>>,
    outputs: Vec<(Arc<str>, Output)>,
}

/// An aggregate of one of a part's columns; of the rows themselves where there is none.
type Asked = Option<(Aggregate, usize)>;

#[derive(Debug)]
enum Output {
    Aggregate(usize),
    /// Computed from keys and aggregates, which are columns of other names; and as it was written.
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
        let mut names = HashSet::new();
        if let Some((name, _)) = keys.iter().chain(results).find(|(name, _)| !names.insert(name)) {
            return Err(ExprError::new(format!("{name:?} is the name of two columns")));
        }
        let mut search = Search::new(keys, schema)?;
        let mut outputs = Vec::with_capacity(results.len());
        for (name, result) in results {
            let output = match search.aggregate(result)? {
                Some((at, _)) => Output::Aggregate(at),
                None => Output::Computed(search.replaced(result, 0)?.0, result.clone()),
            };
            outputs.push((Arc::clone(name), output));
        }
        let parts = search.parts.iter().map(|part| Part::new(part, schema));
        Ok(Self {
            keys: Projection::new(keys, schema)?,
            nulls,
            parts: parts.collect::<Result<_, _>>()?,
            names: (0..search.found.len()).map(|at| search.inner(at)).collect(),
            aggregates: search.found.into_iter().map(Found::asked).collect(),
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
        let groups = self.groups(&keys)?;
        // Those whose key is NULL are looked at no further.
        let rows = match self.nulls {
            NullKeys::Kept => None,
            NullKeys::Dropped => groups.grouped(),
        };
        let parts = self.parts.iter().map(|part| part.run(batch, rows.as_deref(), &groups));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::with_capacity(self.aggregates.len());
        for (expression, part, asked) in &self.aggregates {
            let (values, groups) = &parts[*part];
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
                    let computed = computed(expression, &keys, &self.names, &found);
                    computed.map_err(|error| {
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

    fn groups(&self, keys: &Batch) -> Result<Groups, ExprError> {
        let fields = &keys.schema().fields;
        let kinds = fields.iter().map(|field| &field.kind);
        let columns: Vec<(&Type, &Column)> = kinds.zip(keys.columns()).collect();
        Groups::by(keys.rows(), &columns, self.nulls).map_err(|error| {
            let is_at_fault = |key| Groups::by(keys.rows(), &[key], self.nulls).is_err();
            match columns.iter().position(|key| is_at_fault(*key)) {
                Some(at) => ExprError::new(format!("the key {:?}: {error}", &*fields[at].name)),
                None => ExprError::new(error.to_string()),
            }
        })
    }
}

/// A result that is computed from others. Their types are known now.
fn computed(
    expression: &Expr,
    keys: &Batch,
    names: &[Arc<str>],
    found: &[(Type, Column)],
) -> Result<(Type, Column), ExprError> {
    let mut fields = keys.schema().fields.clone();
    let mut columns = keys.columns().to_vec();
    for (name, (kind, column)) in names.iter().zip(found) {
        fields.push(Field::new(Arc::clone(name), kind.clone()));
        columns.push(column.clone());
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = Batch::new(Arc::clone(&schema), columns, keys.rows());
    let result = Projection::new(&[("".into(), expression.clone())], &schema)?.run(&batch)?;
    Ok((result.schema().fields[0].kind.clone(), result.columns()[0].clone()))
}
