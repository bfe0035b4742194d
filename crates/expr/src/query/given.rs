//! What a prepared query's values are compared with, where only the values tell what they are.

use rowmill_columns::Scalar;

use super::Query;
use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::node::{Expr, Op};
use crate::operators::{Nulls, Operator as O};

/// The places of a query at which a value comes to stand whose kind is not known before it comes.
#[derive(Debug, Default)]
pub struct Given {
    uses: Vec<Use>,
    /// Which value it is, of each place.
    places: Vec<usize>,
    /// Which values are compared, and with what.
    compared: Vec<(usize, Expr)>,
    /// Of which of those a condition beside asks whether they are NULL: the value, and the comparison's node.
    asked: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Use {
    call: Expr,
    operator: O,
    /// A timestamp of this kind is compared as it is.
    plain: Option<bool>,
}

impl Given {
    /// The places in `query`.
    pub fn of(query: &Query) -> Self {
        let mut found = Self::default();
        query.expressions(&mut |expression| found.find(expression));
        let asked = std::mem::take(&mut found.asked);
        found.compared.retain(|(at, call)| !asked.contains(&(*at, call.id())));
        found
    }

    fn find(&mut self, expression: &Expr) {
        let mut queries = Vec::new();
        expression.walk(|node| match node.op() {
            Op::Parameter(_) => self.places.extend(at(node)),
            Op::Call(operator) => self.used(*operator, node),
            Op::Query(_, query) => queries.push(query),
            _ => {}
        });
        for query in queries {
            query.expressions(&mut |expression| self.find(expression));
        }
    }

    fn used(&mut self, operator: O, node: &Expr) {
        // Nothing is other than what is in an empty list, NULL included.
        for arg in node.args().iter().skip((operator == O::NotIn).into()) {
            if operator.is_never_true_of_null() {
                spread(arg, &mut |at| self.compared.push((at, node.clone())));
            }
        }
        if matches!(operator, O::And | O::Or | O::Case) {
            for at in node.args().iter().filter_map(asks) {
                node.walk(|part| self.asked.push((at, part.id())));
            }
        }
        if node.args().iter().any(|arg| at(arg).is_some()) {
            let plain = plain(operator, node);
            self.uses.push(Use { call: node.clone(), operator, plain });
        }
    }

    /// Makes of the values what they would be in a query that is built with them.
    ///
    /// # Errors
    /// Where such a query makes no sense.
    pub fn fit(&self, values: &mut [Scalar]) -> Result<(), ExprError> {
        for (at, call) in &self.compared {
            if matches!(values.get(*at), Some(Scalar::Null)) {
                let distinct = match call.op() {
                    Op::Call(O::Equal | O::NotEqual) => {
                        "write is_not_distinct_from() to compare NULLs too, or "
                    }
                    _ => "",
                };
                let message = format!(
                    "{call}: a comparison with None is never true in SQL; {distinct}make a query of its own for \
                     None, or say what None means, as in rm.lit(nick).is_null() | (T.nick == nick)"
                );
                return Err(ExprError::new(message));
            }
        }
        let mut fitted: Vec<(usize, Scalar)> = Vec::new();
        for Use { call, operator, plain } in &self.uses {
            let is_plain = |arg: &Expr| match at(arg).and_then(|at| values.get(at)) {
                Some(Scalar::Timestamp { utc, .. }) => *plain == Some(*utc),
                Some(Scalar::Null) | None => true,
                Some(_) => false,
            };
            if call.args().iter().all(is_plain) {
                continue;
            }
            let args = call.args().iter().map(|arg| match at(arg).and_then(|at| values.get(at)) {
                // NULL comes of what may be NULL, and then nothing is true of it.
                Some(Scalar::Null) | None => arg.clone(),
                Some(value) => Expr::literal(value.clone()),
            });
            let made = Expr::call(*operator, args)?;
            for (arg, made) in call.args().iter().zip(made.args()) {
                if let (Some(at), Some(value)) = (at(arg), made.value()) {
                    fitted.push((at, value.clone()));
                }
            }
        }
        for (at, value) in &fitted {
            // It is one parameter: what it is in one place it is in all.
            let alike = fitted.iter().filter(|(other, same)| other == at && same == value).count();
            if self.places.iter().filter(|place| *place == at).count() == alike {
                values[*at].clone_from(value);
            }
        }
        Ok(())
    }
}

/// The values that make all of `arg` NULL where they are.
fn spread(arg: &Expr, visit: &mut impl FnMut(usize)) {
    match arg.op() {
        Op::Parameter(parameter) => visit(parameter.at),
        Op::Call(operator) if operator.entry().nulls == Nulls::Spread => {
            arg.args().iter().for_each(|arg| spread(arg, visit));
        }
        _ => {}
    }
}

/// Which of the values is asked whether it is NULL.
fn asks(condition: &Expr) -> Option<usize> {
    match (condition.op(), condition.args().first()?.op()) {
        (Op::Call(O::IsNull | O::IsNotNull), Op::Parameter(parameter)) => Some(parameter.at),
        _ => None,
    }
}

/// Which of the values an operand is, where its kind is not known.
fn at(arg: &Expr) -> Option<usize> {
    match arg.op() {
        Op::Parameter(parameter) if parameter.kind == Kind::Any => Some(parameter.at),
        _ => None,
    }
}

/// Whether timestamps are compared with nothing but such of a zone, or with nothing but such without.
fn plain(operator: O, call: &Expr) -> Option<bool> {
    let mut others = call.args().iter().filter(|arg| at(arg).is_none()).map(Expr::kind);
    let first = others.next().filter(|_| operator.is_comparison())?;
    let utc = match first {
        Kind::One(Base::Instant) => true,
        Kind::One(Base::Timestamp) => false,
        _ => return None,
    };
    others.all(|other| other == first).then_some(utc)
}
