use std::collections::BTreeMap;
use std::sync::Arc;

use super::quote::{quoted, quoted_alone};
use super::slot::{Form, Slot};
use super::{Bound, Sql, Target};
use crate::node::{ColumnRef, Expr, Op};
use crate::query::{Derived, DerivedForm, Query, Select, Source};
use crate::{ExprError, limits};

/// Writes one statement.
pub(super) struct Writer<'q> {
    pub(super) target: Target,
    pub(super) out: String,
    bound: &'q Bound<'q>,
    slots: Vec<Slot>,
    /// The slots' numbers in the text.
    numbers: BTreeMap<Slot, usize>,
    /// The sources whose columns may be named, those of the innermost query last.
    pub(super) scopes: Vec<Vec<Arc<Source>>>,
    /// Those whose rows may be missing, and their columns NULL.
    pub(super) outer: Vec<Vec<u128>>,
    /// The table that is written to, in what SQLite gives back of it: there it has its own name alone.
    pub(super) returned: Option<Arc<Source>>,
    /// The names of the queries under `with`.
    with: Vec<Arc<str>>,
    /// How the statement's own conditions come to name another table.
    pub(super) way: Option<&'static str>,
}

impl<'q> Writer<'q> {
    pub(super) fn new(bound: &'q Bound<'q>, target: Target) -> Self {
        let (scopes, outer) = (Vec::new(), Vec::new());
        let (slots, numbers) = (Vec::new(), BTreeMap::new());
        let (out, returned, with, way) = (String::with_capacity(256), None, Vec::new(), None);
        Self { target, out, bound, slots, numbers, scopes, outer, returned, with, way }
    }

    pub(super) fn finish(self) -> Result<Sql, ExprError> {
        let most = match self.target {
            Target::Postgres => limits::POSTGRES_PARAMETERS,
            Target::Sqlite | Target::SqliteUnix => limits::SQLITE_PARAMETERS,
        };
        if self.slots.len() > most {
            let message = format!(
                "the statement has {} parameters, the database takes {most}; a list of values is one parameter in \
                 in_(), and many rows are loaded by db.load()",
                self.slots.len()
            );
            return Err(ExprError::new(message));
        }
        Ok(Sql { text: self.out.into(), slots: self.slots })
    }

    pub(super) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// The name by which a source's columns are called here.
    fn called<'s>(&self, source: &'s Source) -> &'s Arc<str> {
        match (source.as_table(), &self.returned) {
            (Some(table), Some(returned)) if returned.is(source) => &table.name,
            _ => source.label(),
        }
    }

    pub(super) fn name(&mut self, name: &str) -> Result<(), ExprError> {
        let name = quoted(name)?;
        self.out.push_str(&name);
        Ok(())
    }

    pub(super) fn names(&mut self, names: &[Arc<str>]) -> Result<(), ExprError> {
        for (at, name) in names.iter().enumerate() {
            self.comma(at);
            self.name(name)?;
        }
        Ok(())
    }

    pub(super) fn comma(&mut self, at: usize) {
        if at > 0 {
            self.out.push_str(", ");
        }
    }

    /// The placeholder of a value: one for a node, however often it stands.
    pub(super) fn placeholder(&mut self, leaf: &Expr, form: Form) -> Result<(), ExprError> {
        let Some(place) = self.bound.place(leaf) else {
            return Err(ExprError::new("a value that is not of the query"));
        };
        let slot = Slot { leaf: place, form };
        let next = self.slots.len() + 1;
        let number = *self.numbers.entry(slot).or_insert(next);
        if number == next {
            self.slots.push(slot);
        }
        self.out.push(if self.target.is_sqlite() { '?' } else { '$' });
        self.out += &number.to_string();
        Ok(())
    }

    pub(super) fn column(&mut self, column: &ColumnRef) -> Result<(), ExprError> {
        if let Some(source) = &column.source {
            self.in_scope(source, &column.name)?;
            self.name(self.called(source))?;
            self.push(".");
        } else if self.target.is_sqlite() {
            self.out += &quoted_alone(&column.name)?;
            return Ok(());
        }
        self.name(&column.name)
    }

    /// Whether the database takes both for one name.
    fn is_one_name(&self, one: &str, other: &str) -> bool {
        if self.target.is_sqlite() { one.eq_ignore_ascii_case(other) } else { one == other }
    }

    fn in_scope(&self, source: &Arc<Source>, column: &str) -> Result<(), ExprError> {
        let label = self.called(source);
        let named = |known: &&Arc<Source>| self.is_one_name(self.called(known), label);
        // The database takes the nearest of a name.
        match self.scopes.iter().rev().find_map(|scope| scope.iter().find(named)) {
            Some(known) if Arc::ptr_eq(known, source) || known.is(source) => return Ok(()),
            Some(_) => {
                return Err(ExprError::new(format!(
                    "two sources are named {label}, and {label}.{column} is not of the nearer one: give one another \
                     name, as .alias(\"other\") or .subquery(\"other\")"
                )));
            }
            None => {}
        }
        let known: Vec<_> =
            self.scopes.iter().flatten().map(|source| source.label().to_string()).collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        let way = match self.way {
            Some(way) if self.scopes.len() == 1 => way.to_owned(),
            _ => format!("join {label} with .join({label}, on), or name it with .from_()"),
        };
        Err(ExprError::new(format!("{label}.{column} is used, but rows come from {known}: {way}")))
    }

    /// A source where rows come from.
    pub(super) fn source(&mut self, source: &Arc<Source>) -> Result<(), ExprError> {
        match &**source {
            Source::Table(table) => {
                let hidden = self.with.iter().find(|name| self.is_one_name(name, &table.name));
                if let (None, Some(name)) = (&table.schema, hidden) {
                    return Err(ExprError::new(format!(
                        "{name} is a table and the name of a query, which hides it: give the query another name, as \
                         .cte(\"other\")"
                    )));
                }
                if let Some(schema) = &table.schema {
                    self.name(schema)?;
                    self.push(".");
                }
                self.name(&table.name)?;
                if let Some(alias) = &table.alias {
                    self.push(" as ");
                    self.name(alias)?;
                }
                Ok(())
            }
            Source::Query(Derived { name, form: DerivedForm::With, .. }) => self.name(name),
            Source::Query(Derived { name, query, form }) => {
                if *form == DerivedForm::Lateral {
                    if self.target.is_sqlite() {
                        return Err(ExprError::new("SQLite has no lateral queries"));
                    }
                    self.push("lateral ");
                }
                // Only a lateral query sees what stands beside it.
                let around = if *form == DerivedForm::Lateral { None } else { self.scopes.pop() };
                self.push("(");
                self.select(query)?;
                self.push(") as ");
                self.scopes.extend(around);
                self.name(name)
            }
        }
    }

    /// The named queries.
    pub(super) fn with(&mut self, named: &[&Derived]) -> Result<(), ExprError> {
        self.with = named.iter().map(|derived| Arc::clone(&derived.name)).collect();
        for (at, derived) in named.iter().enumerate() {
            self.push(if at == 0 { "with " } else { ", " });
            self.name(&derived.name)?;
            self.push(" as (");
            self.select(&derived.query)?;
            self.push(")");
        }
        if !named.is_empty() {
            self.push(" ");
        }
        Ok(())
    }
}

/// The queries under `with` that a query uses, each after those that it uses itself.
fn collect<'a>(select: &'a Select, named: &mut Vec<&'a Derived>) -> Result<(), ExprError> {
    for source in select.from.iter().chain(select.joins.iter().map(|join| &join.source)) {
        in_source(source, named)?;
    }
    if let Some((_, members)) = &select.compound {
        for member in members {
            collect(member, named)?;
        }
    }
    let mut first = Ok(());
    select.own_expressions(&mut |expression| {
        if first.is_ok() {
            first = in_expression(expression, named);
        }
    });
    first
}

/// A query in a table's place, after those that it uses itself.
fn in_source<'a>(source: &'a Source, named: &mut Vec<&'a Derived>) -> Result<(), ExprError> {
    let Source::Query(derived) = source else { return Ok(()) };
    collect(&derived.query, named)?;
    if derived.form == DerivedForm::With {
        match named.iter().find(|known| known.name == derived.name) {
            Some(known) if known.is(derived) => {}
            Some(_) => {
                return Err(ExprError::new(format!(
                    "two queries are named {:?}: give one another name, or make it once and use it twice",
                    derived.name
                )));
            }
            None => named.push(derived),
        }
    }
    Ok(())
}

fn in_expression<'a>(expression: &'a Expr, named: &mut Vec<&'a Derived>) -> Result<(), ExprError> {
    let mut first = Ok(());
    expression.walk(|node| {
        if let Op::Query(_, query) = node.op()
            && first.is_ok()
        {
            first = collect(query, named);
        }
    });
    first
}

/// The queries under `with` of any query.
pub(super) fn named_in(query: &Query) -> Result<Vec<&Derived>, ExprError> {
    let mut named = Vec::new();
    match query {
        Query::Select(select) => return collect(select, &mut named).map(|()| named),
        Query::Insert(insert) => {
            insert.query.iter().try_for_each(|query| collect(query, &mut named))?;
        }
        Query::Update(update) => {
            update.from.iter().try_for_each(|source| in_source(source, &mut named))?;
        }
        Query::Delete(_) | Query::Raw(_) => {}
    }
    let mut first = Ok(());
    query.expressions(&mut |expression| {
        if first.is_ok() {
            first = in_expression(expression, &mut named);
        }
    });
    first.map(|()| named)
}
