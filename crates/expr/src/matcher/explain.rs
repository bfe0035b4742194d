use super::attributes::Attributes;
use super::base::Base;
use super::builder::bound;
use super::record::Record;
use crate::ExprError;
use crate::filter::cell::Cell;
use crate::filter::row::Row;
use crate::node::{Expr, Op};
use crate::operators::Operator as O;

/// What a condition, or one of those that it is made of, says of a record.
#[derive(Clone, Debug)]
pub struct Said {
    /// The condition.
    pub condition: Expr,
    /// How deep it stands: 0 for the whole expression, which is the first.
    pub depth: usize,
    /// Whether it is true, false or unknown: because something is missing, or a number goes out of range.
    pub truth: Option<bool>,
}

impl Base {
    /// What an expression says of a record, it and each of the conditions that `and`, `or` and `not` put together in
    /// it, in the order in which they stand.
    ///
    /// # Errors
    /// Where there is no such expression, or the record is of other attributes.
    pub fn explain(&self, id: u64, record: &Record) -> Result<Vec<Said>, ExprError> {
        let Some(&number) = self.numbers.get(&id) else {
            return Err(ExprError::new(format!("there is no expression {id}")));
        };
        if !self.attributes.same(record.attributes()) {
            return Err(ExprError::new("the record has other attributes than the expressions"));
        }
        Said::of(&self.expressions.get(number as usize)?, &self.attributes, record)
    }
}

impl Said {
    pub(crate) fn of(
        expression: &Expr,
        attributes: &Attributes,
        record: &Record,
    ) -> Result<Vec<Self>, ExprError> {
        let bound = bound(expression, attributes)?;
        let mut said = Vec::new();
        let mut stack = vec![(&bound, 0)];
        while let Some((condition, depth)) = stack.pop() {
            let row = Row::new(condition, attributes.schema())?;
            let truth = match row.of(record) {
                Ok(Cell::Bool(truth)) => Some(truth),
                _ => None,
            };
            said.push(Self { condition: condition.clone(), depth, truth });
            if let Op::Call(O::And | O::Or | O::Not) = condition.op() {
                stack.extend(condition.args().iter().rev().map(|part| (part, depth + 1)));
            }
        }
        Ok(said)
    }
}
