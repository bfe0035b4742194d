use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use rowmill_columns::{Scalar, Schema, Type};

use crate::kind::Kind;
use crate::nearest::{listed, nearest};
use crate::node::{ColumnRef, Expr, Op};
use crate::operators::{Operator, Place};
use crate::{ExprError, limits};

/// Expressions with the kinds that a frame's columns have: what is compared with them is fitted to
/// them, and what makes no sense for them is refused.
pub(crate) struct Binder<'a> {
    schema: &'a Schema,
    done: HashMap<usize, Expr, RandomState>,
    columns: Option<&'a mut Columns>,
}

/// Columns that were found, for who binds many expressions to one schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns(HashMap<Arc<str>, Expr, RandomState>);

impl<'a> Binder<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        Self { schema, done: HashMap::default(), columns: None }
    }

    /// The same, where columns are kept that were found already.
    pub(crate) fn keeping(schema: &'a Schema, columns: &'a mut Columns) -> Self {
        Self { schema, done: HashMap::default(), columns: Some(columns) }
    }

    /// # Errors
    /// Where a column is not there or not one, an operator cannot take its operands now that their
    /// kinds are known, or a part needs a database.
    pub(crate) fn bind(&mut self, expression: &Expr) -> Result<Expr, ExprError> {
        let bound = self.at(expression, 0)?;
        if bound.is_order() { Err(bound.no_key("for sort()")) } else { Ok(bound) }
    }

    fn at(&mut self, expression: &Expr, depth: usize) -> Result<Expr, ExprError> {
        if depth > limits::FILTER_DEPTH {
            let message = format!(
                "the expression has more than {} levels, more than a filter goes down; a long `or` of \
                 values is one in_()",
                limits::FILTER_DEPTH
            );
            return Err(ExprError::new(message));
        }
        match expression.op() {
            Op::Literal(_) => return Ok(expression.clone()),
            // What is kept of columns is found as quickly as what was done.
            Op::Column(column) if self.columns.is_some() => return self.column(column),
            _ => {}
        }
        if let Some(done) = self.done.get(&expression.id()) {
            return Ok(done.clone());
        }
        let bound = match expression.op() {
            Op::Column(column) => self.column(column)?,
            Op::Call(operator) if operator.entry().place == Place::Row => {
                let mut args = Vec::new();
                for arg in operands(*operator, expression) {
                    args.push(self.at(arg, depth + 1)?);
                }
                match nothing(*operator, &args) {
                    Some(answer) => answer,
                    None => Expr::call(fitting(*operator, &args), args)?,
                }
            }
            _ => return Err(refusal(expression)),
        };
        self.done.insert(expression.id(), bound.clone());
        Ok(bound)
    }

    fn column(&mut self, column: &ColumnRef) -> Result<Expr, ExprError> {
        // What a class calls its columns is not in their names.
        let known = self.columns.as_ref().filter(|_| column.source.is_none());
        if let Some(found) = known.and_then(|columns| columns.0.get(&column.name)) {
            return Ok(found.clone());
        }
        let name = self.name_of(column);
        let at = position(self.schema, name)?;
        let kind = Kind::of(&self.schema.fields[at].kind.meaning());
        let name = name.clone();
        let found = Expr::column(ColumnRef { source: None, name, kind, nullable: true });
        if column.source.is_none()
            && let Some(columns) = &mut self.columns
        {
            columns.0.insert(column.name.clone(), found.clone());
        }
        Ok(found)
    }

    /// What the column is called here: as in the database, or else as in its class, which is how queries call it.
    pub(crate) fn name_of<'b>(&self, column: &'b ColumnRef) -> &'b Arc<str> {
        let there = |name: &str| self.schema.position(name).is_some();
        let declared =
            || column.source.as_deref()?.as_table()?.column(&column.name)?.label.as_ref();
        if there(&column.name) {
            return &column.name;
        }
        declared().filter(|label| there(label)).unwrap_or(&column.name)
    }
}

/// Where the column of this name is.
///
/// # Errors
/// Where there is none, or more than one.
pub(crate) fn position(schema: &Schema, name: &str) -> Result<usize, ExprError> {
    let mut found = schema.fields.iter().enumerate().filter(|(_, field)| *field.name == *name);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some(_)) => Err(ExprError::new(format!(
            "the frame has more than one column {name:?}; name them apart in the statement, with `as`"
        ))),
        (None, _) => {
            let names: Vec<&str> = schema.fields.iter().map(|field| &*field.name).collect();
            let message = match nearest(name, &names) {
                Some(near) => format!("the frame has no column {name:?}; did you mean {near:?}?"),
                None => format!("the frame has no column {name:?}, it has {}", listed(&names)),
            };
            Err(ExprError::new(message))
        }
    }
}

/// The operands; of `a & (b & c)` and `(a & b) & c` all three, so that a chain is no deeper for
/// being long.
pub(super) fn operands(operator: Operator, expression: &Expr) -> Vec<&Expr> {
    if !matches!(operator, Operator::And | Operator::Or) {
        return expression.args().iter().collect();
    }
    let mut found = Vec::new();
    let mut stack: Vec<&Expr> = expression.args().iter().rev().collect();
    while let Some(arg) = stack.pop() {
        match arg.op() {
            Op::Call(other) if *other == operator => stack.extend(arg.args().iter().rev()),
            _ => found.push(arg),
        }
    }
    found
}

/// Whether a column that holds nothing but NULL is in a list: such a column's kind fits no list's.
fn nothing(operator: Operator, args: &[Expr]) -> Option<Expr> {
    let not = match operator {
        Operator::In => false,
        Operator::NotIn => true,
        _ => return None,
    };
    match (args.first()?.kind(), args.get(1)?.value()?) {
        (Kind::NULL, Scalar::List(values)) if values.is_empty() => Some(Expr::literal(not)),
        (Kind::NULL, Scalar::List(_)) => Some(Expr::literal(Scalar::Null)),
        _ => None,
    }
}

/// What a method of many kinds is, now that the kind is known.
fn fitting(operator: Operator, args: &[Expr]) -> Operator {
    let list = matches!(args.first().map(Expr::kind), Some(Kind::List(_)));
    match operator {
        Operator::Contains if list => Operator::ListContains,
        Operator::Length if list => Operator::ListLength,
        other => other,
    }
}

/// Why a part cannot be computed over a frame.
pub(super) fn refusal(expression: &Expr) -> ExprError {
    let why = match expression.op() {
        Op::Parameter(_) => "is a parameter of a prepared query, which has no value here",
        Op::Query(..) => "is a query, which needs a database",
        Op::Raw(_) => "is SQL, which needs a database",
        Op::Excluded(_) => "is a column of an upsert, which needs a database",
        Op::Over { .. } => "is a window, which needs a database",
        Op::Call(operator) if operator.entry().place == Place::Order => {
            "is an order's key, for sort()"
        }
        _ => "looks at many rows at once; a filter looks at each row alone",
    };
    ExprError::about(why, expression)
}

/// The type of a column as it was found.
pub(super) fn typed(schema: &Schema, column: &Expr) -> Result<(usize, Type), ExprError> {
    match column.op() {
        Op::Column(column) => {
            let at = position(schema, &column.name)?;
            Ok((at, schema.fields[at].kind.clone()))
        }
        _ => Err(refusal(column)),
    }
}
