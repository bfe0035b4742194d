use std::collections::HashMap;
use std::sync::Arc;

use rowmill_columns::kernels::Aggregate;
use rowmill_columns::{Scalar, Schema};

use super::Asked;
use crate::filter::bind::{Binder, operands, position, refusal};
use crate::kind::{Base, Kind};
use crate::node::{Expr, Op};
use crate::operators::{Operator, Place};
use crate::{ExprError, limits};

/// The aggregates of all results, and what they are of, each once.
pub(super) struct Search<'a> {
    schema: &'a Schema,
    keys: Vec<Key<'a>>,
    pub(super) found: Vec<Found>,
    pub(super) parts: Vec<Wanted>,
    /// What was replaced already, by its node: expressions share parts.
    replaced: HashMap<usize, Replaced>,
    /// What no key's name begins with.
    prefix: String,
}

struct Key<'a> {
    name: &'a Arc<str>,
    written: &'a Expr,
    /// With the kinds of its columns.
    typed: Expr,
}

/// An aggregate.
pub(super) struct Found {
    written: Expr,
    typed: Expr,
    part: usize,
    asked: Asked,
}

/// Values of the rows of which conditions are true, all with the kinds of their columns.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) conditions: Vec<Expr>,
    pub(super) values: Vec<Expr>,
}

/// An expression with columns in place of keys and aggregates; and as it was written, with the kinds of columns, of
/// which errors tell.
type Replaced = (Expr, Expr);

impl Found {
    pub(super) fn asked(self) -> (Expr, usize, Asked) {
        (self.written, self.part, self.asked)
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(keys: &'a [(Arc<str>, Expr)], schema: &'a Schema) -> Result<Self, ExprError> {
        let mut binder = Binder::new(schema);
        let mut known = Vec::with_capacity(keys.len());
        for (name, written) in keys {
            known.push(Key { name, written, typed: binder.bind(written)? });
        }
        let mut prefix = String::from("\0");
        while keys.iter().any(|(name, _)| name.starts_with(&prefix)) {
            prefix.push('\0');
        }
        Ok(Self {
            schema,
            keys: known,
            found: Vec::new(),
            parts: Vec::new(),
            replaced: HashMap::new(),
            prefix,
        })
    }

    /// The name of an aggregate's column while results are computed from it.
    pub(super) fn inner(&self, at: usize) -> Arc<str> {
        format!("{}{at}", self.prefix).into()
    }

    /// Which aggregate this is, where it is one, and the same with the kinds of its columns.
    pub(super) fn aggregate(
        &mut self,
        expression: &Expr,
    ) -> Result<Option<(usize, Expr)>, ExprError> {
        let Some(taken) = TakenApart::new(expression) else { return Ok(None) };
        let known = self.found.iter().position(|found| found.written.same(expression));
        if let Some(at) = known {
            return Ok(Some((at, self.found[at].typed.clone())));
        }
        let mut binder = Binder::new(self.schema);
        let mut conditions = Vec::with_capacity(taken.conditions.len());
        for condition in taken.conditions {
            conditions.push(binder.bind(condition)?);
        }
        let of = taken.of.map(|of| binder.bind(of)).transpose()?;
        // Now that kinds are known: text has no sum.
        let typed = Expr::call(taken.operator, of.clone())?;
        if taken.operator == Operator::Average && typed.kind() == Kind::One(Base::Decimal) {
            let why = "has no exact value in a frame: take the mean of .cast(\"float\"), or ask the database";
            return Err(ExprError::about(why, expression));
        }
        let part = self.part(conditions);
        let asked = match of {
            None => None,
            Some(of) => Some((taken.what, self.value(part, self.plain(taken.what, of)?))),
        };
        let written = expression.clone();
        self.found.push(Found { written, typed: typed.clone(), part, asked });
        Ok(Some((self.found.len() - 1, typed)))
    }

    /// Numbers that no result of a database is laid out as, laid out as those are.
    fn plain(&self, what: Aggregate, of: Expr) -> Result<Expr, ExprError> {
        let (Aggregate::Sum | Aggregate::Mean, Some(column)) = (what, of.as_column()) else {
            return Ok(of);
        };
        let kind = &self.schema.fields[position(self.schema, &column.name)?].kind;
        if kind.meaning() == *kind {
            return Ok(of);
        }
        Expr::call(Operator::Case, [Expr::literal(true), of, Expr::literal(Scalar::Null)])
    }

    fn part(&mut self, conditions: Vec<Expr>) -> usize {
        let alike = |part: &Wanted| {
            let pairs = part.conditions.iter().zip(&conditions);
            part.conditions.len() == conditions.len() && pairs.into_iter().all(|(a, b)| a.same(b))
        };
        self.parts.iter().position(alike).unwrap_or_else(|| {
            self.parts.push(Wanted { conditions, values: Vec::new() });
            self.parts.len() - 1
        })
    }

    fn value(&mut self, part: usize, of: Expr) -> usize {
        let values = &mut self.parts[part].values;
        values.iter().position(|known| known.same(&of)).unwrap_or_else(|| {
            values.push(of);
            values.len() - 1
        })
    }

    pub(super) fn replaced(
        &mut self,
        expression: &Expr,
        depth: usize,
    ) -> Result<Replaced, ExprError> {
        if depth > limits::FILTER_DEPTH {
            let levels = limits::FILTER_DEPTH;
            let message = format!(
                "the expression has more than {levels} levels, more than what is computed of groups has"
            );
            return Err(ExprError::new(message));
        }
        if let Some(done) = self.replaced.get(&expression.id()) {
            return Ok(done.clone());
        }
        let replaced = self.replace(expression, depth)?;
        self.replaced.insert(expression.id(), replaced.clone());
        Ok(replaced)
    }

    fn replace(&mut self, expression: &Expr, depth: usize) -> Result<Replaced, ExprError> {
        if let Some(key) = self.keys.iter().find(|key| key.written.same(expression)) {
            return Ok(key.replaced());
        }
        if let Some((at, typed)) = self.aggregate(expression)? {
            return Ok((Expr::named(self.inner(at)), typed));
        }
        match expression.op() {
            Op::Literal(_) => Ok((expression.clone(), expression.clone())),
            Op::Column(column) => {
                // A class and a frame may each have a name of their own for it.
                let typed = Binder::new(self.schema).bind(expression).ok();
                let is_key = |key: &&Key<'_>| typed.as_ref().is_some_and(|one| key.typed.same(one));
                let key = self.keys.iter().find(is_key);
                let key = key.or_else(|| self.keys.iter().find(|key| *key.name == column.name));
                let why = "is neither a key of the groups nor an aggregate: which of the group's values is meant? .min(), \
                           .max() ...";
                key.map(Key::replaced).ok_or_else(|| ExprError::about(why, expression))
            }
            Op::Call(operator) if operator.entry().place == Place::Row => {
                let (mut args, mut typed) = (Vec::new(), Vec::new());
                for arg in operands(*operator, expression) {
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

impl Key<'_> {
    fn replaced(&self) -> Replaced {
        (Expr::named(Arc::clone(self.name)), self.typed.clone())
    }
}

/// What an aggregate asks, of what, and of which rows.
struct TakenApart<'e> {
    what: Aggregate,
    operator: Operator,
    of: Option<&'e Expr>,
    /// As they were written: what one holds back, the next does not look at.
    conditions: Vec<&'e Expr>,
}

impl<'e> TakenApart<'e> {
    /// `None` of what is no aggregate.
    fn new(expression: &'e Expr) -> Option<Self> {
        let (mut function, mut conditions) = (expression, Vec::new());
        while let (Op::Call(Operator::Where), [inner, condition]) = (function.op(), function.args())
        {
            conditions.push(condition);
            function = inner;
        }
        conditions.reverse();
        let Op::Call(operator) = function.op() else { return None };
        let what = match operator {
            Operator::CountRows | Operator::Count => Aggregate::Count,
            Operator::CountDistinct => Aggregate::Distinct,
            Operator::Sum => Aggregate::Sum,
            Operator::Average => Aggregate::Mean,
            Operator::Minimum => Aggregate::Min,
            Operator::Maximum => Aggregate::Max,
            _ => return None,
        };
        let of = function.args().first();
        Some(Self { what, operator: *operator, of, conditions })
    }
}
