use std::sync::Arc;

use rowmill_columns::Scalar;

use super::place;
use super::slot::Form;
use super::writer::Writer;
use crate::kind::Base;
use crate::node::{Expr, Op};
use crate::operators::Operator;
use crate::query::{Join, JoinForm, Output, Select, SetOperation, Source};
use crate::{ExprError, limits};

impl Writer<'_> {
    /// A query without those under `with`.
    pub(super) fn select(&mut self, select: &Select) -> Result<(), ExprError> {
        if let Some((operation, members)) = &select.compound {
            return self.compound(select, *operation, members);
        }
        place::check(select)?;
        if let Some(top) = &select.top {
            return self.top(select, top);
        }
        let sources = self.open(select)?;
        self.push("select ");
        if select.distinct {
            self.push("distinct ");
        }
        self.outputs(select.outputs.list())?;
        self.froms(select, &sources)?;
        if !select.filter.is_empty() {
            self.push(" where ");
            self.all_of(&select.filter)?;
        }
        if !select.group.is_empty() {
            self.push(" group by ");
            for (at, key) in select.group.iter().enumerate() {
                self.comma(at);
                self.expression(key)?;
            }
        }
        if !select.having.is_empty() {
            self.push(" having ");
            self.all_of(&select.having)?;
        }
        if !select.order.is_empty() {
            self.push(" order by ");
            self.order(&select.order)?;
        }
        self.limits(select)?;
        self.close();
        Ok(())
    }

    /// Brings a query's sources into scope.
    pub(super) fn open(&mut self, select: &Select) -> Result<Vec<Arc<Source>>, ExprError> {
        let sources = sources(select, &self.scopes)?;
        self.nullable_sides(&sources, &select.joins);
        self.scopes.push(sources.clone());
        Ok(sources)
    }

    pub(super) fn close(&mut self) {
        self.scopes.pop();
        self.outer.pop();
    }

    fn nullable_sides(&mut self, sources: &[Arc<Source>], joins: &[Join]) {
        let mut outer = Vec::new();
        for (at, join) in joins.iter().enumerate() {
            match join.form {
                JoinForm::Left => outer.push(join.source.key()),
                JoinForm::Full => {
                    let before = sources.len() - joins.len() + at;
                    outer.extend(sources[..=before].iter().map(|source| source.key()));
                }
                JoinForm::Inner | JoinForm::Cross => {}
            }
        }
        self.outer.push(outer);
    }

    pub(super) fn froms(
        &mut self,
        select: &Select,
        sources: &[Arc<Source>],
    ) -> Result<(), ExprError> {
        let before = sources.len() - select.joins.len();
        if let Some(first) = sources[..before].first() {
            self.push(" from ");
            self.source(first)?;
        }
        self.joins(select)
    }

    pub(super) fn joins(&mut self, select: &Select) -> Result<(), ExprError> {
        for join in &select.joins {
            self.push(match join.form {
                JoinForm::Inner => " join ",
                JoinForm::Left => " left join ",
                JoinForm::Full => " full join ",
                JoinForm::Cross => " cross join ",
            });
            self.source(&join.source)?;
            if let Some(on) = &join.on {
                self.push(" on ");
                self.all_of(std::slice::from_ref(on))?;
            }
        }
        Ok(())
    }

    pub(super) fn outputs(&mut self, outputs: &[Output]) -> Result<(), ExprError> {
        if outputs.is_empty() {
            return Err(ExprError::new("nothing is selected: name columns, or a table"));
        }
        for (at, output) in outputs.iter().enumerate() {
            self.comma(at);
            if output.expression.is_order() {
                return Err(output.expression.no_key("not a value"));
            }
            self.expression(&output.expression)?;
            if let Some(label) = &output.label {
                self.push(" as ");
                self.name(label)?;
            }
        }
        Ok(())
    }

    /// Keys of an order. NULL is above all values, as PostgreSQL has it, unless the key says otherwise.
    pub(super) fn order(&mut self, keys: &[Expr]) -> Result<(), ExprError> {
        for (at, key) in keys.iter().enumerate() {
            self.comma(at);
            let (inner, descending, nulls_first) = order_key(key);
            self.expression(inner)?;
            self.push(self.direction(descending, nulls_first, self.may_be_null(inner)));
        }
        Ok(())
    }

    /// Which way a key goes, and where its NULLs go.
    pub(super) fn direction(
        &self,
        descending: bool,
        nulls_first: Option<bool>,
        may_be_null: bool,
    ) -> &'static str {
        // SQLite has NULL below all values.
        let said = self.target.is_sqlite() && may_be_null;
        match (descending, nulls_first.or(said.then_some(descending))) {
            (true, Some(true)) => " desc nulls first",
            (true, Some(false)) => " desc nulls last",
            (true, None) => " desc",
            (false, Some(true)) => " nulls first",
            (false, Some(false)) => " nulls last",
            (false, None) => "",
        }
    }

    pub(super) fn may_be_null(&self, expression: &Expr) -> bool {
        match expression.op() {
            Op::Column(column) => {
                let outer = |source: &Arc<Source>| {
                    self.outer.iter().flatten().any(|outer| *outer == source.key())
                };
                column.nullable || column.source.as_ref().is_none_or(outer)
            }
            Op::Call(Operator::CountRows | Operator::Count | Operator::CountDistinct) => false,
            _ => true,
        }
    }

    fn limits(&mut self, select: &Select) -> Result<(), ExprError> {
        match (&select.limit, &select.offset) {
            (None, None) => return Ok(()),
            // SQLite has no offset without a limit.
            (None, Some(_)) if self.target.is_sqlite() => self.push(" limit -1"),
            (None, Some(_)) => {}
            (Some(limit), _) => {
                self.push(" limit ");
                self.rows(limit)?;
            }
        }
        if let Some(offset) = &select.offset {
            self.push(" offset ");
            self.rows(offset)?;
        }
        Ok(())
    }

    /// A number of rows. One that is known stands in the text: plans depend on it.
    fn rows(&mut self, rows: &Expr) -> Result<(), ExprError> {
        match rows.op() {
            Op::Literal(Scalar::Int(rows)) if *rows >= 0 => {
                self.out += &rows.to_string();
                Ok(())
            }
            Op::Parameter(_) if rows.kind().may_be(Base::Int) => {
                self.placeholder(rows, Form::Rows)?;
                if !self.target.is_sqlite() {
                    self.push("::int8");
                }
                Ok(())
            }
            _ => Err(ExprError::about(
                "is no number of rows: limit() and offset() take an int from 0",
                rows,
            )),
        }
    }

    fn compound(
        &mut self,
        select: &Select,
        operation: SetOperation,
        members: &[Arc<Select>],
    ) -> Result<(), ExprError> {
        let columns = members.first().map_or(0, |first| first.columns().len());
        if let Some(other) = members.iter().find(|member| member.columns().len() != columns) {
            let message = format!(
                "queries that are put together have {columns} columns here and {} there",
                other.columns().len()
            );
            return Err(ExprError::new(message));
        }
        if self.target.is_sqlite() && members.len() > limits::SQLITE_MEMBERS {
            return Err(ExprError::new(format!(
                "{} queries are put together, SQLite takes {}: put some together in queries with a name",
                members.len(),
                limits::SQLITE_MEMBERS
            )));
        }
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                self.push(match operation {
                    SetOperation::Union => " union ",
                    SetOperation::UnionAll | SetOperation::Parts => " union all ",
                    SetOperation::Intersect => " intersect ",
                    SetOperation::Except => " except ",
                });
            }
            let plain = member.compound.is_none()
                && member.order.is_empty()
                && member.limit.is_none()
                && member.offset.is_none();
            if plain {
                self.select(member)?;
            } else {
                self.push("select * from (");
                self.select(member)?;
                self.push(") as ");
                self.name(&format!("part_{}", at + 1))?;
            }
        }
        if !select.order.is_empty() {
            self.push(" order by ");
            self.compound_order(select)?;
        }
        self.limits(select)
    }

    /// The keys of a compound's order: its columns, by name or by place.
    fn compound_order(&mut self, select: &Select) -> Result<(), ExprError> {
        let columns = select.columns();
        for (at, key) in select.order.iter().enumerate() {
            self.comma(at);
            let (inner, descending, nulls_first) = order_key(key);
            let found = columns.iter().position(|output| {
                let named = match inner.op() {
                    Op::Column(column) if column.source.is_none() => {
                        output.name() == Some(&column.name)
                    }
                    _ => false,
                };
                named || output.expression.same(inner)
            });
            let Some(place) = found else {
                let message = "is no column of the queries that are put together, and only by those they are ordered";
                return Err(ExprError::about(message, inner));
            };
            self.out += &(place + 1).to_string();
            self.push(self.direction(descending, nulls_first, true));
        }
        Ok(())
    }
}

/// What an order's key is by, whether downwards, and where it says that NULLs go.
pub(crate) fn order_key(key: &Expr) -> (&Expr, bool, Option<bool>) {
    let (mut inner, mut descending, mut nulls) = (key, false, None);
    loop {
        let Op::Call(operator) = inner.op() else { return (inner, descending, nulls) };
        match operator {
            Operator::Descending | Operator::Negate => descending = !descending,
            Operator::NullsFirst => nulls = nulls.or(Some(true)),
            Operator::NullsLast => nulls = nulls.or(Some(false)),
            _ => return (inner, descending, nulls),
        }
        inner = &inner.args()[0];
    }
}

/// Where a query's rows come from: what it says, or what its outputs are of; then what is joined.
fn sources(select: &Select, around: &[Vec<Arc<Source>>]) -> Result<Vec<Arc<Source>>, ExprError> {
    let mut found = Vec::new();
    if let Some(from) = &select.from {
        found.push(Arc::clone(from));
    } else {
        let mut used = select.named();
        used.retain(|source| !around.iter().flatten().any(|outer| outer.is(source)));
        apart(&used)?;
        if let [first, second, ..] = used.as_slice() {
            let (first, second) = (first.label(), second.label());
            return Err(ExprError::new(format!(
                "{first} and {second} are both selected from, but not joined: say how their rows belong together \
                 with .join({second}, on), or .cross_join({second}) for each with each"
            )));
        }
        found.extend(used);
    }
    found.extend(select.joins.iter().map(|join| Arc::clone(&join.source)));
    apart(&found)?;
    Ok(found)
}

/// Refuses two sources of one name.
pub(super) fn apart(sources: &[Arc<Source>]) -> Result<(), ExprError> {
    for (at, source) in sources.iter().enumerate() {
        if sources[..at].iter().any(|before| before.label() == source.label()) {
            return Err(ExprError::new(format!(
                "two sources are named {}: give one another name with .alias(\"other\")",
                source.label()
            )));
        }
    }
    Ok(())
}
