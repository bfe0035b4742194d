use std::collections::HashMap;
use std::sync::Arc;

use rowmill_columns::kernels::{Arithmetic, Comparison, Numbers, Quantifier, Test, TextTest};
use rowmill_columns::{Elements, Scalar, Schema, Type};

use super::bind::typed;
use super::numbers::arithmetic;
use super::row::{self, Row};
use crate::ExprError;
use crate::kind::Kind;
use crate::node::{Expr, Op};
use crate::operators::Operator as O;

/// How a condition is found for a chunk of rows.
#[derive(Debug)]
pub(super) enum Plan {
    Constant(Option<bool>),
    /// A kernel on one column, by its number among the tests.
    Test(usize),
    /// Two columns of one type.
    Columns {
        a: usize,
        b: usize,
        comparison: Comparison,
        rows: Row,
    },
    Numbers {
        a: Number,
        b: Number,
        comparison: Comparison,
    },
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
    /// The condition where it is known, and this where it is NULL.
    Decided {
        plan: Box<Plan>,
        null: bool,
    },
    /// Whether the condition is NULL.
    Unknown(Box<Plan>),
    /// A row at a time.
    Rows(Row),
    /// What more than one place asks for, found once a chunk.
    Shared {
        slot: usize,
        plan: Arc<Plan>,
    },
}

/// A test of a column, and the same a row at a time should the column be stored in a way that the test
/// does not know.
#[derive(Debug)]
pub(super) struct ColumnTest {
    pub(super) column: usize,
    pub(super) test: Test,
    pub(super) expression: Expr,
}

/// A number of each row.
#[derive(Debug)]
pub(super) enum Number {
    Column(usize),
    Int(i64),
    Float(f64),
    Call(Arithmetic, Box<Number>, Box<Number>),
}

pub(super) struct Planner<'a> {
    schema: &'a Schema,
    pub(super) tests: Vec<ColumnTest>,
    /// How often each node that is a condition stands.
    uses: HashMap<usize, usize>,
    shared: HashMap<usize, (usize, Arc<Plan>)>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        Self { schema, tests: Vec::new(), uses: HashMap::new(), shared: HashMap::new() }
    }

    /// How many conditions stand in more than one place.
    pub(super) fn slots(&self) -> usize {
        self.shared.len()
    }

    /// Counts where conditions stand, before any of the expressions is planned.
    pub(super) fn count(&mut self, expression: &Expr) {
        let uses = self.uses.entry(expression.id()).or_insert(0);
        *uses += 1;
        if *uses == 1 {
            for arg in expression.args() {
                self.count(arg);
            }
        }
    }

    pub(super) fn plan(&mut self, expression: &Expr) -> Result<Plan, ExprError> {
        let id = expression.id();
        if let Some((slot, plan)) = self.shared.get(&id) {
            return Ok(Plan::Shared { slot: *slot, plan: Arc::clone(plan) });
        }
        let plan = self.fresh(expression)?;
        // A test of a column is as quick as remembering what it said.
        let worth = !matches!(plan, Plan::Test(_) | Plan::Constant(_));
        if worth && self.uses.get(&id).is_some_and(|&uses| uses > 1) {
            let (slot, plan) = (self.shared.len(), Arc::new(plan));
            self.shared.insert(id, (slot, Arc::clone(&plan)));
            return Ok(Plan::Shared { slot, plan });
        }
        Ok(plan)
    }

    fn fresh(&mut self, expression: &Expr) -> Result<Plan, ExprError> {
        let args = expression.args();
        let operator = match expression.op() {
            Op::Literal(Scalar::Bool(value)) => return Ok(Plan::Constant(Some(*value))),
            Op::Literal(Scalar::Null) => return Ok(Plan::Constant(None)),
            Op::Column(_) => {
                let (_, kind) = self.column(expression)?;
                let test = Test::compare(&kind, Comparison::Eq, &Scalar::Bool(true));
                return self.tested(expression, expression, test);
            }
            Op::Call(operator) => *operator,
            _ => return self.rows(expression),
        };
        match operator {
            O::And | O::Or => {
                let mut plans = Vec::with_capacity(args.len());
                for arg in args {
                    plans.push(self.plan(arg)?);
                }
                // What is quick goes first, and what is slow sees the rows that are left.
                plans.sort_by_key(|plan| plan.cost(&self.tests));
                Ok(if operator == O::And { Plan::And(plans) } else { Plan::Or(plans) })
            }
            O::Not => Ok(Plan::Not(Box::new(self.plan(&args[0])?))),
            O::IsNull | O::IsNotNull => self.null(expression, operator == O::IsNull),
            O::IsDistinct | O::IsNotDistinct => self.distinct(expression, operator),
            O::Between => self.between(expression),
            _ => match row::comparison(operator) {
                Some(comparison) if row::quantifier(operator).is_none() => {
                    self.compared(expression, comparison, &args[0], &args[1])
                }
                _ => self.asked(expression, operator),
            },
        }
    }

    fn column(&self, expression: &Expr) -> Result<(usize, Type), ExprError> {
        typed(self.schema, expression)
    }

    fn rows(&self, expression: &Expr) -> Result<Plan, ExprError> {
        Ok(Plan::Rows(self.row(expression)?))
    }

    pub(super) fn row(&self, expression: &Expr) -> Result<Row, ExprError> {
        Row::new(expression, self.schema)
    }

    /// A test of `column` that says what `expression` says, or else a row at a time.
    fn tested(
        &mut self,
        expression: &Expr,
        column: &Expr,
        test: Option<Test>,
    ) -> Result<Plan, ExprError> {
        let Some(test) = test else { return self.rows(expression) };
        let (column, _) = self.column(column)?;
        self.tests.push(ColumnTest { column, test, expression: expression.clone() });
        Ok(Plan::Test(self.tests.len() - 1))
    }

    fn null(&mut self, expression: &Expr, null: bool) -> Result<Plan, ExprError> {
        let arg = &expression.args()[0];
        if arg.as_column().is_some() {
            return self.tested(expression, arg, Some(Test::null(null)));
        }
        if arg.kind() != Kind::BOOL {
            return self.rows(expression);
        }
        let unknown = Plan::Unknown(Box::new(self.plan(arg)?));
        Ok(if null { unknown } else { Plan::Not(Box::new(unknown)) })
    }

    fn distinct(&mut self, expression: &Expr, operator: O) -> Result<Plan, ExprError> {
        let args = expression.args();
        let distinct = operator == O::IsDistinct;
        let (column, literal) = match (args[0].as_column(), args[1].value()) {
            (Some(_), Some(literal)) => (&args[0], literal),
            _ => match (args[1].as_column(), args[0].value()) {
                (Some(_), Some(literal)) => (&args[1], literal),
                _ => return self.rows(expression),
            },
        };
        if *literal == Scalar::Null {
            return self.tested(expression, column, Some(Test::null(!distinct)));
        }
        let (_, kind) = self.column(column)?;
        let comparison = if distinct { Comparison::Ne } else { Comparison::Eq };
        let Some(test) = Test::compare(&kind, comparison, literal) else {
            return self.rows(expression);
        };
        let plan = Box::new(self.tested(expression, column, Some(test))?);
        Ok(Plan::Decided { plan, null: distinct })
    }

    fn between(&mut self, expression: &Expr) -> Result<Plan, ExprError> {
        let args = expression.args();
        if let (Some(_), Some(low), Some(high)) =
            (args[0].as_column(), args[1].value(), args[2].value())
        {
            let (_, kind) = self.column(&args[0])?;
            if let Some(test) = Test::between(&kind, low, high) {
                return self.tested(expression, &args[0], Some(test));
            }
        }
        let low = Expr::call(O::GreaterOrEqual, [args[0].clone(), args[1].clone()])?;
        let high = Expr::call(O::LessOrEqual, [args[0].clone(), args[2].clone()])?;
        Ok(Plan::And(vec![self.plan(&low)?, self.plan(&high)?]))
    }

    fn compared(
        &mut self,
        expression: &Expr,
        comparison: Comparison,
        a: &Expr,
        b: &Expr,
    ) -> Result<Plan, ExprError> {
        if a.value().is_some() && b.value().is_none() {
            return self.compared(expression, comparison.flipped(), b, a);
        }
        if let Some(literal) = b.value() {
            if a.as_column().is_some() {
                let (_, kind) = self.column(a)?;
                let test = Test::compare(&kind, comparison, literal);
                return self.tested(expression, a, test);
            }
            if let (Op::Call(O::Length | O::ListLength), [column]) = (a.op(), a.args())
                && column.as_column().is_some()
            {
                let (_, kind) = self.column(column)?;
                let test = Test::length(&kind, comparison, literal);
                return self.tested(expression, column, test);
            }
        }
        if a.as_column().is_some() && b.as_column().is_some() {
            let ((at, a), (other, b)) = (self.column(a)?, self.column(b)?);
            if a == b {
                let rows = self.row(expression)?;
                return Ok(Plan::Columns { a: at, b: other, comparison, rows });
            }
        }
        match (self.number(a)?, self.number(b)?) {
            (Some(a), Some(b)) => Ok(Plan::Numbers { a, b, comparison }),
            _ => self.rows(expression),
        }
    }

    /// A number that kernels compute.
    pub(super) fn number(&self, expression: &Expr) -> Result<Option<Number>, ExprError> {
        if !matches!(expression.kind(), Kind::INT | Kind::FLOAT) {
            return Ok(None);
        }
        Ok(match expression.op() {
            Op::Literal(Scalar::Int(value)) => Some(Number::Int(*value)),
            Op::Literal(Scalar::Float(value)) => Some(Number::Float(*value)),
            Op::Column(_) => {
                let (at, kind) = self.column(expression)?;
                Numbers::reads(&kind).then_some(Number::Column(at))
            }
            Op::Call(operator) => match (arithmetic(*operator), expression.args()) {
                (Some(arithmetic), [a, b]) => match (self.number(a)?, self.number(b)?) {
                    (Some(a), Some(b)) => Some(Number::Call(arithmetic, Box::new(a), Box::new(b))),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
    }

    /// Text, lists, IN: a column and a literal.
    fn asked(&mut self, expression: &Expr, operator: O) -> Result<Plan, ExprError> {
        let [column, other] = expression.args() else { return self.rows(expression) };
        let (Some(_), Some(literal)) = (column.as_column(), other.value()) else {
            return self.rows(expression);
        };
        let (_, kind) = self.column(column)?;
        let text = |test: TextTest| Test::text(&kind, test);
        let element = match &kind {
            Type::List(element) => Some(&**element),
            _ => None,
        };
        let test = match (operator, literal, element) {
            (O::In, Scalar::List(values), _) => Test::among(&kind, values),
            (O::NotIn, Scalar::List(values), _) => Test::among(&kind, values).map(Test::negated),
            (O::Like | O::ILike, Scalar::Text(pattern), _) => {
                text(TextTest::Like(Box::new(row::like(operator, pattern)?)))
            }
            (O::Matches, Scalar::Text(pattern), _) => {
                let matcher = row::matcher(pattern)?;
                text(TextTest::Holds(Arc::new(move |text| matcher.is_match(text))))
            }
            (O::Contains, Scalar::Text(part), _) => text(TextTest::contains(part)),
            (O::StartsWith, Scalar::Text(part), _) => {
                text(TextTest::StartsWith(part.as_str().into()))
            }
            (O::EndsWith, Scalar::Text(part), _) => text(TextTest::EndsWith(part.as_str().into())),
            (_, Scalar::Null, _) => None,
            (O::ListContains, literal, Some(element)) => {
                let test = Test::compare(element, Comparison::Eq, literal);
                test.map(|test| Test::list(Quantifier::Contains, test))
            }
            (O::ListOverlaps | O::ListDisjoint, Scalar::List(values), Some(element)) => {
                let values: Elements =
                    values.iter().filter(|value| **value != Scalar::Null).cloned().collect();
                let test = Test::among(element, &values);
                let test = test.map(|test| Test::list(Quantifier::Contains, test));
                if operator == O::ListDisjoint { test.map(Test::negated) } else { test }
            }
            (O::ListContainsAll, Scalar::List(values), Some(element)) => {
                return self.contains_all(expression, column, element, values);
            }
            (operator, literal, Some(element)) => {
                match (row::quantifier(operator), row::comparison(operator)) {
                    (Some(quantifier), Some(comparison)) => {
                        let test = Test::compare(element, comparison, literal);
                        test.map(|test| Test::list(quantifier, test))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        self.tested(expression, column, test)
    }

    fn contains_all(
        &mut self,
        expression: &Expr,
        column: &Expr,
        element: &Type,
        values: &[Scalar],
    ) -> Result<Plan, ExprError> {
        /// More passes over the elements than this are dearer than going by rows.
        const MOST: usize = 16;
        let tests = values.iter().map(|value| Test::compare(element, Comparison::Eq, value));
        let tests: Option<Vec<Test>> = tests.collect();
        let known = !values.contains(&Scalar::Null);
        match tests.filter(|tests| known && (1..=MOST).contains(&tests.len())) {
            Some(tests) => {
                let mut plans = Vec::with_capacity(tests.len());
                for (test, value) in tests.into_iter().zip(values) {
                    let one = Expr::literal(value.clone());
                    let one = Expr::call(O::ListContains, [column.clone(), one])?;
                    let test = Test::list(Quantifier::Contains, test);
                    plans.push(self.tested(&one, column, Some(test))?);
                }
                Ok(Plan::And(plans))
            }
            None => self.rows(expression),
        }
    }
}

impl Plan {
    /// About how long a row takes.
    fn cost(&self, tests: &[ColumnTest]) -> u32 {
        match self {
            Self::Constant(_) => 0,
            Self::Test(at) => tests[*at].test.cost(),
            Self::Columns { .. } => 8,
            Self::Numbers { a, b, .. } => 4 + a.cost() + b.cost(),
            Self::And(plans) | Self::Or(plans) => plans.iter().map(|plan| plan.cost(tests)).sum(),
            Self::Not(plan) | Self::Unknown(plan) | Self::Decided { plan, .. } => plan.cost(tests),
            Self::Shared { plan, .. } => plan.cost(tests),
            Self::Rows(_) => 200,
        }
    }
}

impl Number {
    fn cost(&self) -> u32 {
        match self {
            Self::Column(_) | Self::Int(_) | Self::Float(_) => 1,
            Self::Call(_, a, b) => 2 + a.cost() + b.cost(),
        }
    }
}
