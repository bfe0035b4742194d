use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::keyset::outer_sources;
use super::{DerivedForm, Source};
use crate::kind::Kind;
use crate::node::{Expr, Op};
use crate::operators::Operator;
use crate::shape::Shape;
use crate::{ExprError, limits};

/// A query that reads. Each step gives a new one; what it was made of stays as it was.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// What is given back.
    pub outputs: Arc<Outputs>,
    /// Where rows come from; `None` to be told by the outputs.
    pub from: Option<Arc<Source>>,
    /// What is joined to that, in order.
    pub joins: Vec<Join>,
    /// Which rows: all of these hold.
    pub filter: Vec<Expr>,
    /// What groups are made by.
    pub group: Vec<Expr>,
    /// Which groups.
    pub having: Vec<Expr>,
    /// In which order.
    pub order: Vec<Expr>,
    /// How many at most.
    pub limit: Option<Expr>,
    /// How many are passed over.
    pub offset: Option<Expr>,
    /// Whether each row is given once.
    pub distinct: bool,
    /// Queries whose rows are put together, in place of all above but order, limit and offset.
    pub compound: Option<(SetOperation, Vec<Arc<Select>>)>,
    /// Whether only the first rows of each group are meant.
    pub top: Option<Top>,
    /// How large it is, once somebody asked.
    pub measured: Measured,
}

/// The first rows of each group.
#[derive(Clone, Debug)]
pub struct Top {
    /// How many of each.
    pub rows: i64,
    /// What the groups are by.
    pub per: Expr,
    /// The groups, a list of values; `None` for all there are.
    pub groups: Option<Expr>,
}

/// How large a query is: found once, and not taken along by the copy that a next step changes.
#[derive(Debug, Default)]
pub struct Measured(AtomicU64);

impl Clone for Measured {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The columns of an answer.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    list: Vec<Output>,
    shape: u128,
}

/// A column of an answer.
#[derive(Clone, Debug)]
pub struct Output {
    /// What it holds.
    pub expression: Expr,
    /// Its name, where that is not the column's.
    pub label: Option<Arc<str>>,
}

/// A source that is joined to those before it.
#[derive(Clone, Debug)]
pub struct Join {
    /// How.
    pub form: JoinForm,
    /// What.
    pub source: Arc<Source>,
    /// Which rows belong together; `None` for a cross join.
    pub on: Option<Expr>,
}

/// What becomes of rows that have no partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinForm {
    /// They are left out.
    Inner,
    /// Those of the left side stay, with NULLs on the right.
    Left,
    /// Those of both sides stay.
    Full,
    /// Each goes with each.
    Cross,
}

/// How the rows of several queries are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperation {
    /// Each once.
    Union,
    /// All.
    UnionAll,
    /// Those that are in each.
    Intersect,
    /// Those of the first that are in no other.
    Except,
    /// All, of the parts of one `or`: each has the order and the limit in it.
    Parts,
}

impl Outputs {
    /// These columns.
    pub fn new(list: Vec<Output>) -> Self {
        let mut shape = Shape::of(12);
        for output in &list {
            shape.add(output.expression.shape());
            shape.optional_text(output.label.as_deref());
        }
        let shape = shape.finish();
        Self { list, shape }
    }

    /// The columns.
    pub fn list(&self) -> &[Output] {
        &self.list
    }

    pub(crate) fn shape(&self) -> u128 {
        self.shape
    }
}

impl Output {
    /// The name that the column has in the answer, where it has one.
    pub fn name(&self) -> Option<&Arc<str>> {
        let own = || match self.expression.op() {
            Op::Column(column) => Some(&column.name),
            _ => None,
        };
        self.label.as_ref().or_else(own)
    }
}

impl Select {
    /// A query for these columns.
    pub fn new(outputs: Vec<Output>) -> Self {
        Self { outputs: Arc::new(Outputs::new(outputs)), ..Self::default() }
    }

    /// The one column of a query that stands as an operand.
    pub(crate) fn only_column(&self) -> Result<&Expr, ExprError> {
        if let Some((_, members)) = &self.compound {
            return members.first().map_or_else(
                || Err(ExprError::new("a union of nothing")),
                |first| first.only_column(),
            );
        }
        match self.outputs.list() {
            [only] => Ok(&only.expression),
            list => {
                let message = format!(
                    "a query stands here for one column, but selects {}: select the one that is meant",
                    list.len()
                );
                Err(ExprError::new(message))
            }
        }
    }

    /// The columns of the answer.
    pub fn columns(&self) -> &[Output] {
        match &self.compound {
            Some((_, members)) => members.first().map_or(&[], |first| first.columns()),
            None => self.outputs.list(),
        }
    }

    /// What the columns hold; of queries that are put together what they agree on.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let Some((_, members)) = &self.compound else {
            return self.outputs.list().iter().map(|output| output.expression.kind()).collect();
        };
        let mut members = members.iter().map(|member| member.kinds());
        let mut kinds = members.next().unwrap_or_default();
        for other in members {
            for (kind, other) in kinds.iter_mut().zip(other) {
                match *kind {
                    Kind::NULL => *kind = other,
                    known if known != other && other != Kind::NULL => *kind = Kind::Any,
                    _ => {}
                }
            }
        }
        kinds
    }

    /// Whether the answer's column may hold NULL.
    pub fn is_nullable(&self, at: usize) -> bool {
        if let Some((operation, members)) = &self.compound {
            let mut members = members.iter();
            return match operation {
                SetOperation::Except => members.next().is_none_or(|first| first.is_nullable(at)),
                SetOperation::Intersect => members.all(|member| member.is_nullable(at)),
                _ => members.any(|member| member.is_nullable(at)),
            };
        }
        match self.outputs.list().get(at).map(|output| output.expression.op()) {
            Some(Op::Column(column)) => {
                let (sources, outer) = (self.sources(), outer_sources(self));
                // What is of a query around this one is known there.
                let own = |source: &&Arc<Source>| sources.iter().any(|own| own.is(source));
                let own = column.source.as_ref().filter(own);
                column.nullable || own.is_none_or(|source| outer.contains(&source.key()))
            }
            Some(Op::Call(Operator::CountRows | Operator::Count | Operator::CountDistinct)) => {
                false
            }
            _ => true,
        }
    }

    /// Whether it is made of groups of rows.
    pub fn is_grouped(&self) -> bool {
        !self.group.is_empty()
            || self.outputs.list.iter().any(|output| output.expression.is_aggregate())
    }

    /// Has what is equal to a group's key be that key: its values are then the same parameters, without which
    /// PostgreSQL does not see that `x % $1` is what `x % $2` groups by.
    pub(crate) fn share_keys(&mut self) {
        let keys: Vec<Expr> = self.group.iter().filter(|key| key.has_values()).cloned().collect();
        if keys.is_empty() {
            return;
        }
        let list = self.outputs.list();
        let shared: Vec<_> = list.iter().map(|output| output.expression.sharing(&keys)).collect();
        if shared.iter().any(Option::is_some) {
            let list = list.iter().zip(shared).map(|(output, shared)| Output {
                expression: shared.unwrap_or_else(|| output.expression.clone()),
                label: output.label.clone(),
            });
            self.outputs = Arc::new(Outputs::new(list.collect()));
        }
        for expression in self.having.iter_mut().chain(&mut self.order) {
            if let Some(shared) = expression.sharing(&keys) {
                *expression = shared;
            }
        }
    }

    /// What it looks like, values left out.
    pub fn shape(&self) -> u128 {
        let mut shape = Shape::of(13);
        shape.add(self.outputs.shape);
        shape.add(self.from.as_ref().map_or(0, |source| source.key()));
        shape.number(self.distinct.into());
        shape.number(self.joins.len() as u64);
        for join in &self.joins {
            shape.number(join.form as u64);
            shape.add(join.source.key());
            shape.add(join.on.as_ref().map_or(0, Expr::shape));
        }
        // Each list begins with its length and each part that may lack with whether it is there: what
        // differs gives other bytes.
        for list in [&self.filter, &self.group, &self.having, &self.order] {
            shape.number(list.len() as u64);
            for expression in list {
                shape.add(expression.shape());
            }
        }
        for part in [&self.limit, &self.offset] {
            // Numbers of rows stand in the text: a plan depends on them.
            match part.as_ref().map(|part| (part, part.op())) {
                None => shape.number(0),
                Some((_, Op::Literal(rowmill_columns::Scalar::Int(rows)))) => {
                    shape.number(1);
                    shape.number(*rows as u64);
                }
                Some((part, _)) => {
                    shape.number(2);
                    shape.add(part.shape());
                }
            }
        }
        shape.number(self.top.is_some().into());
        if let Some(top) = &self.top {
            shape.number(top.rows as u64);
            shape.add(top.per.shape());
            shape.add(top.groups.as_ref().map_or(0, Expr::shape));
        }
        shape.number(self.compound.is_some().into());
        if let Some((operation, members)) = &self.compound {
            shape.number(*operation as u64);
            for member in members {
                shape.add(member.shape());
            }
        }
        shape.finish()
    }

    /// Whether both are one query: the same, or alike with the very same values. What two hold that were made
    /// apart may differ, and a text is written once for all that look alike.
    pub(crate) fn is(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other) || self.shape() == other.shape() && self.values() == other.values()
    }

    /// The nodes of its values, in order.
    fn values(&self) -> Vec<usize> {
        let mut found = Vec::new();
        self.expressions(&mut |expression| expression.leaves(&mut |leaf| found.push(leaf.id())));
        found
    }

    /// The expressions of the query itself, those of queries in a table's place left out.
    pub(crate) fn own_expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.outputs.list().iter().for_each(|output| visit(&output.expression));
        self.joins.iter().filter_map(|join| join.on.as_ref()).for_each(&mut *visit);
        for list in [&self.filter, &self.group, &self.having, &self.order] {
            list.iter().for_each(&mut *visit);
        }
        [&self.limit, &self.offset].into_iter().flatten().for_each(&mut *visit);
        if let Some(top) = &self.top {
            visit(&top.per);
            top.groups.iter().for_each(visit);
        }
    }

    /// All expressions, in one fixed order, those of queries within included.
    pub(crate) fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        if let Some((_, members)) = &self.compound {
            for member in members {
                member.expressions(visit);
            }
        }
        for output in self.outputs.list() {
            visit(&output.expression);
        }
        if let Some(source) = &self.from {
            source.expressions(visit);
        }
        for join in &self.joins {
            join.source.expressions(visit);
            if let Some(on) = &join.on {
                visit(on);
            }
        }
        for list in [&self.filter, &self.group, &self.having, &self.order] {
            for expression in list {
                visit(expression);
            }
        }
        for expression in [&self.limit, &self.offset].into_iter().flatten() {
            visit(expression);
        }
        if let Some(top) = &self.top {
            visit(&top.per);
            top.groups.iter().for_each(visit);
        }
    }

    /// How deep queries stand within each other here, and how many nodes it has when it is written out.
    pub(crate) fn measure(&self) -> (u32, u32) {
        let known = self.measured.0.load(Ordering::Relaxed);
        if known != 0 {
            return ((known >> 32) as u32, known as u32);
        }
        let (mut levels, mut size) = (0_u32, 1_u32);
        let mut add = |(deep, large): (u32, u32)| {
            levels = levels.max(deep);
            size = size.saturating_add(large);
        };
        self.own_expressions(&mut |expression| add((expression.queries(), expression.size())));
        for source in self.from.iter().chain(self.joins.iter().map(|join| &join.source)) {
            if let Source::Query(derived) = &**source {
                add(derived.query.measure());
            }
        }
        for member in self.compound.iter().flat_map(|(_, members)| members) {
            add(member.measure());
        }
        levels += 1;
        self.measured.0.store(u64::from(levels) << 32 | u64::from(size), Ordering::Relaxed);
        (levels, size)
    }

    /// Refuses to become part of one more query where queries stand too deep within each other, or are too
    /// large when written out: a query that uses another twice doubles it.
    ///
    /// # Errors
    /// Beyond [`limits::QUERIES`] levels or [`limits::NODES`] nodes.
    pub fn nested(self: Arc<Self>) -> Result<Arc<Self>, ExprError> {
        let (levels, size) = self.measure();
        if levels >= limits::QUERIES {
            let message =
                format!("queries stand within each other {} deep at most", limits::QUERIES);
            return Err(ExprError::new(message));
        }
        if size > limits::NODES {
            return Err(ExprError::new(format!(
                "the query has {size} parts when written out, {} are allowed; what is used more than once is \
                 written once as a .cte()",
                limits::NODES
            )));
        }
        Ok(self)
    }
}

impl Source {
    pub(crate) fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        if let Self::Query(derived) = self {
            derived.query.expressions(visit);
        }
    }

    /// Whether it may use what stands before it.
    pub fn is_lateral(&self) -> bool {
        matches!(self, Self::Query(derived) if derived.form == DerivedForm::Lateral)
    }
}
