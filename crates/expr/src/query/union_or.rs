use std::sync::Arc;

use super::{Select, SetOperation};
use crate::ExprError;
use crate::node::{Expr, Op};
use crate::operators::Operator;

/// Parts of one `or` at most: each is a query of its own.
const PARTS: usize = 64;

impl Select {
    /// The query as a UNION ALL with one member for each part of its `or`. A row for which several parts are
    /// true is given by the first: later members leave out what earlier ones gave. The conditions beside the `or`
    /// are one node in all members, and so are their parameters.
    ///
    /// # Errors
    /// Where there is no `or`, or more than one, or the query is not of plain rows.
    pub fn union_or(&self) -> Result<Self, ExprError> {
        if self.compound.is_some() || self.is_grouped() || self.distinct || self.top.is_some() {
            return Err(ExprError::new(
                "union_or() is of plain rows, without groups, distinct() and unions",
            ));
        }
        let mut keys =
            self.outputs.list().iter().map(|output| &output.expression).chain(&self.order);
        if let Some(window) = keys.find(|key| key.has_window()) {
            let message = "has a window, which would see the rows of one part: union_or() comes before it, in a \
                           query with a name";
            return Err(ExprError::about(message, window));
        }
        let is_or = |condition: &&Expr| matches!(condition.op(), Op::Call(Operator::Or));
        let ors: Vec<&Expr> = self.filter.iter().filter(is_or).collect();
        let [or] = ors.as_slice() else {
            let message = match ors.len() {
                0 => "union_or() wants a condition of the form a | b, given to where() by itself"
                    .to_owned(),
                count => format!(
                    "union_or() takes one condition of the form a | b apart, there are {count}"
                ),
            };
            return Err(ExprError::new(message));
        };
        let rest: Vec<Expr> =
            self.filter.iter().filter(|condition| !condition.is(or)).cloned().collect();
        let parts = parts(or);
        if parts.len() > PARTS {
            let message = format!(
                "the condition has {} parts, union_or() takes {PARTS}: is it an in_()?",
                parts.len()
            );
            return Err(ExprError::new(message));
        }
        let limit = match (self.limit.as_ref().and_then(Expr::value), self.offset.as_ref()) {
            (Some(_), None) => self.limit.clone(),
            _ => None,
        };
        let mut members = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let mut filter = rest.clone();
            filter.push((*part).clone());
            for before in &parts[..at] {
                // NULL is as good as false: a row is in a part only where the part is true.
                filter.push(Expr::raw(
                    vec!["".into(), " is not true".into()],
                    vec![(*before).clone()],
                )?);
            }
            let order = if limit.is_some() { self.order.clone() } else { Vec::new() };
            members.push(Arc::new(Self {
                filter,
                order,
                limit: limit.clone(),
                offset: None,
                ..self.clone()
            }));
        }
        Ok(Self {
            order: self.order.clone(),
            limit: self.limit.clone(),
            offset: self.offset.clone(),
            compound: Some((SetOperation::Parts, members)),
            ..Self::default()
        })
    }
}

/// The parts of `a | b | c`, in the order they were written.
fn parts(or: &Expr) -> Vec<&Expr> {
    let (mut found, mut stack) = (Vec::new(), vec![or]);
    while let Some(node) = stack.pop() {
        match node.op() {
            Op::Call(Operator::Or) => stack.extend(node.args().iter().rev()),
            _ => found.push(node),
        }
    }
    found
}
