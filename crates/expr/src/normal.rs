//! Conditions in one form, so that what means the same looks the same.

use rowmill_columns::Scalar;

use crate::ExprError;
use crate::node::{Expr, Op};
use crate::operators::Operator as O;

/// What is still to be done, the next last.
enum Step<'e> {
    /// A condition, or what it is not.
    Look(&'e Expr, bool),
    /// The last so many results, put together.
    Join(O, usize),
}

impl Expr {
    /// The same condition with `not` at the leaves alone, comparisons turned round where they can be, chains of
    /// `and` and of `or` flat, in one order and without twins. It is true, false and NULL where this one is; where
    /// this one fails, for an integer out of range, it may fail on other rows.
    ///
    /// ```
    /// use rowmill_expr::{Expr, Operator as O};
    /// let (old, late) = (Expr::call(O::Greater, [Expr::named("age"), Expr::literal(18)])?, Expr::named("late"));
    /// let one = Expr::call(O::Not, [Expr::call(O::Or, [old.clone(), late.clone()])?])?;
    /// let other = Expr::call(O::And, [Expr::call(O::Not, [late])?, Expr::call(O::Not, [old])?])?;
    /// assert_ne!(one.shape(), other.shape());
    /// assert_eq!(one.normal()?.shape(), other.normal()?.shape());
    /// # Ok::<(), rowmill_expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// None that the condition itself was not refused with.
    pub fn normal(&self) -> Result<Self, ExprError> {
        let mut steps = vec![Step::Look(self, false)];
        let mut done: Vec<Self> = Vec::new();
        while let Some(step) = steps.pop() {
            match step {
                Step::Look(node, not) => match node.op() {
                    Op::Call(O::Not) => steps.push(Step::Look(&node.args()[0], !not)),
                    Op::Call(joint @ (O::And | O::Or)) => {
                        let parts = chain(node, *joint);
                        let joint = if not { opposite(*joint).unwrap_or(*joint) } else { *joint };
                        steps.push(Step::Join(joint, parts.len()));
                        steps.extend(parts.into_iter().map(|part| Step::Look(part, not)));
                    }
                    _ if not => done.push(negated(node)?),
                    _ => done.push(node.clone()),
                },
                Step::Join(joint, count) => {
                    let parts = done.split_off(done.len() - count);
                    done.push(joined(joint, &parts)?);
                }
            }
        }
        done.pop().ok_or_else(|| ExprError::new("no condition"))
    }
}

/// The parts of `a and b and c`, however they were put together.
pub(crate) fn chain(expression: &Expr, operator: O) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut stack = vec![expression];
    while let Some(node) = stack.pop() {
        match node.op() {
            Op::Call(same) if *same == operator => stack.extend(node.args().iter().rev()),
            _ => parts.push(node),
        }
    }
    parts
}

/// Parts in the order of what they look like, each once.
fn joined(joint: O, parts: &[Expr]) -> Result<Expr, ExprError> {
    // What was turned round may be a chain of the same kind.
    let mut flat: Vec<Expr> = Vec::with_capacity(parts.len());
    for part in parts {
        flat.extend(chain(part, joint).into_iter().cloned());
    }
    flat.sort_by_key(Expr::shape);
    let mut kept: Vec<Expr> = Vec::with_capacity(flat.len());
    for part in flat {
        let twins = kept.iter().rev().take_while(|known| known.shape() == part.shape());
        if !twins.clone().any(|known| known.same(&part)) {
            kept.push(part);
        }
    }
    // In halves, so that a thousand parts are ten levels.
    while kept.len() > 1 {
        let pairs = kept.chunks(2).map(|pair| match pair {
            [one, other] => Expr::call(joint, [one.clone(), other.clone()]),
            rest => Ok(rest[0].clone()),
        });
        kept = pairs.collect::<Result<_, _>>()?;
    }
    kept.pop().ok_or_else(|| ExprError::new("no condition"))
}

pub(crate) fn negated(node: &Expr) -> Result<Expr, ExprError> {
    match node.op() {
        Op::Literal(Scalar::Bool(value)) => Ok(Expr::literal(!value)),
        Op::Literal(Scalar::Null) => Ok(node.clone()),
        Op::Call(operator) => match opposite(*operator) {
            Some(opposite) => Expr::call(opposite, node.args().iter().cloned()),
            None => Expr::call(O::Not, [node.clone()]),
        },
        _ => Expr::call(O::Not, [node.clone()]),
    }
}

/// The operator that is true where this one is false and the other way about, and NULL where it is: floats are
/// in one order, NaN among them.
pub(crate) fn opposite(operator: O) -> Option<O> {
    Some(match operator {
        O::And => O::Or,
        O::Or => O::And,
        O::Equal => O::NotEqual,
        O::NotEqual => O::Equal,
        O::Less => O::GreaterOrEqual,
        O::GreaterOrEqual => O::Less,
        O::Greater => O::LessOrEqual,
        O::LessOrEqual => O::Greater,
        O::IsNull => O::IsNotNull,
        O::IsNotNull => O::IsNull,
        O::IsDistinct => O::IsNotDistinct,
        O::IsNotDistinct => O::IsDistinct,
        O::In => O::NotIn,
        O::NotIn => O::In,
        _ => return None,
    })
}
