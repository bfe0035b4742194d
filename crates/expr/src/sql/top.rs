//! The first rows of each group, in the form that each database is quickest by.
//!
//! Where the groups are known, each is one descent of an index: LATERAL on PostgreSQL, a correlated IN of keys on
//! SQLite. Else rows are ranked by their keys alone and fetched afterwards: ranking whole rows takes five times
//! as long on SQLite. Only where a row is joined with several, of which its key tells nothing, are whole rows
//! ranked. (The forms of the one are a thousand times slower on the other.)

use std::sync::Arc;

use super::expression::type_name;
use super::slot::Form;
use super::writer::Writer;
use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::node::{Expr, Op};
use crate::operators::Operator;
use crate::query::{Join, JoinForm, Output, Select, Source, Top};

const GROUPS: &str = "rowmill_groups";
const RANKED: &str = "rowmill_ranked";

impl Writer<'_> {
    pub(super) fn top(&mut self, select: &Select, top: &Top) -> Result<(), ExprError> {
        if select.order.is_empty() {
            return Err(ExprError::new(
                "top_n() wants an order, by which rows are the first, and so does top() of an edge: order_by()",
            ));
        }
        if select.is_grouped()
            || select.distinct
            || select.limit.is_some()
            || select.offset.is_some()
        {
            return Err(ExprError::new(
                "top_n() is of plain rows: without group_by(), distinct(), limit() and offset()",
            ));
        }
        let outputs = select.outputs.list().iter().map(|output| &output.expression);
        let mut all = outputs.chain(&select.order).chain([&top.per]);
        if let Some(window) = all.find(|one| one.has_window()) {
            let message = "has a window, which would see the rows of one group: take the first rows of the query \
                           with a name, rm.select(q.subquery(\"q\")).top_n(...)";
            return Err(ExprError::about(message, window));
        }
        match (&top.groups, self.target.is_sqlite()) {
            (Some(groups), false) => self.lateral(select, top, groups),
            _ if select.joins.iter().any(|join| !is_to_one(join)) => self.wide(select, top),
            (Some(groups), true) => self.correlated(select, top, groups),
            (None, _) => self.ranked(select, top),
        }
    }

    /// `from unnest($1) as groups cross join lateral (select ... limit n)`
    fn lateral(&mut self, select: &Select, top: &Top, groups: &Expr) -> Result<(), ExprError> {
        self.push("select ");
        self.numbered(select)?;
        self.push(" from ");
        self.groups(groups, top.per.kind())?;
        self.push(" cross join lateral (");
        self.beside(select, top)?;
        self.push(") as \"rowmill_top\" order by \"rowmill_groups\".\"key\", \"rowmill_top\".\"rowmill_place\"");
        Ok(())
    }

    /// The rows of one group, which `rowmill_groups.value` names, numbered in their order.
    fn beside(&mut self, inner: &Select, top: &Top) -> Result<(), ExprError> {
        let sources = self.open(inner)?;
        self.push("select ");
        self.outputs(&numbers(inner))?;
        self.push(", row_number() over (order by ");
        self.order(&inner.order)?;
        self.push(") as \"rowmill_place\"");
        self.froms(inner, &sources)?;
        self.group_condition(inner, top)?;
        self.push(" order by ");
        self.order(&inner.order)?;
        self.push(&format!(" limit {}", top.rows));
        self.close();
        Ok(())
    }

    fn group_condition(&mut self, select: &Select, top: &Top) -> Result<(), ExprError> {
        self.push(" where ");
        self.expression(&top.per)?;
        self.push(&format!(" = \"{GROUPS}\".\"value\""));
        for condition in &select.filter {
            self.push(" and ");
            self.condition(condition)?;
        }
        Ok(())
    }

    /// `from json_each(?1) as groups join t on t.id in (select t.id ... limit n)`
    fn correlated(&mut self, select: &Select, top: &Top, groups: &Expr) -> Result<(), ExprError> {
        let sources = self.open(select)?;
        let (first, key) = first_with_key(&sources)?;
        self.push("select ");
        self.outputs(select.outputs.list())?;
        self.push(" from ");
        self.groups(groups, top.per.kind())?;
        self.push(" cross join ");
        self.source(&first)?;
        self.push(" on ");
        self.key(&key)?;
        self.push(" in (select ");
        self.key_list(&key)?;
        self.froms(select, &sources)?;
        self.group_condition(select, top)?;
        self.push(" order by ");
        self.order(&select.order)?;
        self.push(&format!(" limit {})", top.rows));
        self.joins(select)?;
        self.push(&format!(" order by \"{GROUPS}\".\"key\", "));
        self.order(&select.order)?;
        self.close();
        Ok(())
    }

    /// `from t join (select id, row_number() over (partition by ...) ...) on ...`
    fn ranked(&mut self, select: &Select, top: &Top) -> Result<(), ExprError> {
        let sources = self.open(select)?;
        let (first, key) = first_with_key(&sources)?;
        self.push("select ");
        self.outputs(select.outputs.list())?;
        self.push(" from (select ");
        for (at, column) in key.iter().enumerate() {
            self.comma(at);
            self.expression(column)?;
            self.push(&format!(" as \"key_{at}\""));
        }
        self.push(", row_number() over (partition by ");
        self.expression(&top.per)?;
        self.push(" order by ");
        self.order(&select.order)?;
        self.push(") as \"place\"");
        self.froms(select, &sources)?;
        if !select.filter.is_empty() {
            self.push(" where ");
            self.all_of(&select.filter)?;
        }
        self.push(&format!(") as \"{RANKED}\" join "));
        self.source(&first)?;
        self.push(" on ");
        for (at, column) in key.iter().enumerate() {
            if at > 0 {
                self.push(" and ");
            }
            self.expression(column)?;
            self.push(&format!(" = \"{RANKED}\".\"key_{at}\""));
        }
        self.joins(select)?;
        self.push(&format!(" where \"{RANKED}\".\"place\" <= {} order by ", top.rows));
        self.order(std::slice::from_ref(&top.per))?;
        self.push(&format!(", \"{RANKED}\".\"place\""));
        self.close();
        Ok(())
    }

    /// `from (select ..., row_number() over (partition by ...) ...) where place <= n`: the one form that is right
    /// where a row is joined with several.
    fn wide(&mut self, select: &Select, top: &Top) -> Result<(), ExprError> {
        self.push("select ");
        self.numbered(select)?;
        self.push(" from (");
        let sources = self.open(select)?;
        self.push("select ");
        self.outputs(&numbers(select))?;
        self.push(", ");
        self.group(top)?;
        self.push(" as \"rowmill_group\", row_number() over (partition by ");
        self.group(top)?;
        self.push(" order by ");
        self.order(&select.order)?;
        self.push(") as \"rowmill_place\"");
        if let Some(groups) = &top.groups {
            self.push(" from ");
            self.groups(groups, top.per.kind())?;
            self.push(" cross join ");
            self.source(sources.first().ok_or_else(no_rows)?)?;
            self.joins(select)?;
            self.group_condition(select, top)?;
        } else {
            self.froms(select, &sources)?;
            if !select.filter.is_empty() {
                self.push(" where ");
                self.all_of(&select.filter)?;
            }
        }
        self.close();
        self.push(&format!(
            ") as \"rowmill_top\" where \"rowmill_place\" <= {} order by \"rowmill_group\" nulls last, \
             \"rowmill_place\"",
            top.rows
        ));
        Ok(())
    }

    /// What tells groups apart, in their order.
    fn group(&mut self, top: &Top) -> Result<(), ExprError> {
        match top.groups {
            Some(_) => {
                self.push(&format!("\"{GROUPS}\".\"key\""));
                Ok(())
            }
            None => self.expression(&top.per),
        }
    }

    /// The groups as rows of a `value` and its place, `key`.
    fn groups(&mut self, groups: &Expr, per: Kind) -> Result<(), ExprError> {
        if self.target.is_sqlite() {
            self.push("json_each(");
            self.placeholder(groups, Form::Once)?;
            self.push(&format!(") as \"{GROUPS}\""));
        } else {
            self.push("unnest(");
            self.list_once(groups)?;
            // An empty list has no type of its own.
            if groups.kind() == Kind::List(Base::Null)
                && let Kind::One(base) = per
                && let Some(name) = type_name(base)
            {
                self.push(&format!("::{name}[]"));
            }
            self.push(&format!(") with ordinality as \"{GROUPS}\"(\"value\", \"key\")"));
        }
        Ok(())
    }

    /// The columns of `numbers`, under the names they were asked by.
    fn numbered(&mut self, select: &Select) -> Result<(), ExprError> {
        for (at, output) in select.outputs.list().iter().enumerate() {
            self.comma(at);
            self.push(&format!("\"rowmill_top\".\"column_{at}\" as "));
            self.name(named(output)?)?;
        }
        Ok(())
    }

    fn key(&mut self, key: &[Expr]) -> Result<(), ExprError> {
        if key.len() > 1 {
            self.push("(");
        }
        self.key_list(key)?;
        if key.len() > 1 {
            self.push(")");
        }
        Ok(())
    }

    fn key_list(&mut self, key: &[Expr]) -> Result<(), ExprError> {
        for (at, column) in key.iter().enumerate() {
            self.comma(at);
            self.expression(column)?;
        }
        Ok(())
    }
}

/// The columns by number: two may have one name, which they could not be called by.
fn numbers(select: &Select) -> Vec<Output> {
    let number = |(at, output): (usize, &Output)| Output {
        expression: output.expression.clone(),
        label: Some(format!("column_{at}").into()),
    };
    select.outputs.list().iter().enumerate().map(number).collect()
}

/// Whether a join gives a row one partner at most: it is by the primary key of what is joined.
fn is_to_one(join: &Join) -> bool {
    let (JoinForm::Inner | JoinForm::Left, Some(on)) = (join.form, &join.on) else { return false };
    let Some(table) = join.source.as_table() else { return false };
    let mut key = table.columns.iter().filter(|column| column.primary);
    let (Some(only), None) = (key.next(), key.next()) else { return false };
    if !matches!(on.op(), Op::Call(Operator::Equal)) {
        return false;
    }
    let is_key = |side: &Expr| {
        let column = side.as_column()?;
        let source = column.source.as_ref()?;
        Some(source.is(&join.source) && column.name == only.name)
    };
    match on.args() {
        [one, other] => is_key(one).zip(is_key(other)).is_some_and(|(one, other)| one != other),
        _ => false,
    }
}

fn no_rows() -> ExprError {
    ExprError::new("top_n() is of a table's rows")
}

/// The table whose rows are meant, and its primary key.
fn first_with_key(sources: &[Arc<Source>]) -> Result<(Arc<Source>, Vec<Expr>), ExprError> {
    let first = sources.first().ok_or_else(no_rows)?;
    let key: Vec<Expr> = first.as_table().map_or_else(Vec::new, |table| {
        table
            .columns
            .iter()
            .filter(|column| column.primary)
            .map(|column| column.of(first))
            .collect()
    });
    if key.is_empty() {
        let message = format!(
            "top_n() finds rows by their primary key, and {} declares none: say which column it is, with rm.pk()",
            first.label()
        );
        return Err(ExprError::new(message));
    }
    Ok((Arc::clone(first), key))
}

fn named(output: &Output) -> Result<&str, ExprError> {
    output.name().map(|name| &**name).ok_or_else(|| {
        ExprError::about("has no name: give it one with .label()", &output.expression)
    })
}
