use std::sync::Arc;

use super::place::of_one_row;
use super::select::apart;
use super::writer::Writer;
use crate::ExprError;
use crate::node::Expr;
use crate::query::{Delete, Insert, Output, Outputs, Select, Source, Table, Then, Update};

impl Writer<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Result<(), ExprError> {
        let table = table(&insert.table)?;
        if insert.query.is_some() && !insert.rows.is_empty() {
            return Err(ExprError::new(
                "values() and from_select() are both given: rows come from one of them",
            ));
        }
        if let Some(conflict) = &insert.conflict {
            if insert.query.is_none() && insert.rows.is_empty() {
                return Err(ExprError::new(
                    "no rows are given: name them with values() or from_select()",
                ));
            }
            if insert.columns.is_empty() && matches!(conflict.then, Then::Given) {
                return Err(ExprError::new(
                    "an upsert names the columns that it gives: from_select(q, \"id\", ...)",
                ));
            }
            let is_given = |name| insert.columns.contains(name);
            let is_known = insert.columns.is_empty() || conflict.key.iter().any(is_given);
            if !conflict.key.is_empty() && !is_known && !matches!(conflict.then, Then::Nothing) {
                return Err(ExprError::new(format!(
                    "a row of {} is known by {}, which is not given: say with .on(...) by which columns it is known here",
                    table.name,
                    conflict.key.join(" and ")
                )));
            }
            if conflict.key.is_empty() && !matches!(conflict.then, Then::Nothing) {
                let why = if table.columns.iter().any(|column| column.primary) {
                    "on() names no column: leave it away for the primary key, or say".to_owned()
                } else {
                    format!("{} declares no primary key: say with .on(...)", table.name)
                };
                return Err(ExprError::new(format!("{why} by which columns a row is known")));
            }
        }
        self.push("insert into ");
        self.source(&insert.table)?;
        known(table, &insert.columns)?;
        if !insert.columns.is_empty() {
            self.push(" (");
            self.names(&insert.columns)?;
            self.push(")");
        }
        if let Some(query) = &insert.query {
            if !insert.columns.is_empty() && query.columns().len() != insert.columns.len() {
                let message = format!(
                    "the query gives {} columns, {} are inserted",
                    query.columns().len(),
                    insert.columns.len()
                );
                return Err(ExprError::new(message));
            }
            self.push(" ");
            self.select(query)?;
            // SQLite would read `on` as the join's.
            if self.target.is_sqlite() && insert.conflict.is_some() && ends_in_from(query) {
                self.push(" where true");
            }
        } else if insert.columns.is_empty() {
            self.push(" default values");
        } else {
            self.push(" values ");
            for (at, row) in insert.rows.iter().enumerate() {
                self.comma(at);
                self.push("(");
                for (at, value) in row.iter().enumerate() {
                    self.comma(at);
                    self.assigned(value)?;
                }
                self.push(")");
            }
        }
        self.scopes.push(vec![Arc::clone(&insert.table)]);
        if let Some(conflict) = &insert.conflict {
            self.push(" on conflict");
            known(table, &conflict.key)?;
            if !conflict.key.is_empty() {
                self.push(" (");
                self.names(&conflict.key)?;
                self.push(")");
            }
            let given = || insert.columns.iter().filter(|name| !conflict.key.contains(name));
            match &conflict.then {
                Then::Set(set) => {
                    self.push(" do update");
                    self.set(table, set)?;
                }
                Then::Given if given().next().is_some() => {
                    self.push(" do update set ");
                    for (at, name) in given().enumerate() {
                        self.comma(at);
                        self.name(name)?;
                        self.push(" = excluded.");
                        self.name(name)?;
                    }
                }
                Then::Given | Then::Nothing => self.push(" do nothing"),
            }
        }
        self.returning(&insert.table, &insert.returning)
    }

    pub(super) fn update(&mut self, update: &Update) -> Result<(), ExprError> {
        meant("update", &update.filter, update.all_rows)?;
        let target = table(&update.table)?;
        self.push("update ");
        self.source(&update.table)?;
        let mut scope = vec![Arc::clone(&update.table)];
        scope.extend(update.from.iter().cloned());
        apart(&scope)?;
        self.scopes.push(scope);
        self.way =
            Some("name the other table with .from_(), and how its rows belong with .where()");
        self.set(target, &update.set)?;
        for (at, source) in update.from.iter().enumerate() {
            self.push(if at == 0 { " from " } else { ", " });
            self.source(source)?;
        }
        self.filtered(&update.filter)?;
        self.returning(&update.table, &update.returning)
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<(), ExprError> {
        meant("delete", &delete.filter, delete.all_rows)?;
        table(&delete.table)?;
        self.push("delete from ");
        self.source(&delete.table)?;
        self.scopes.push(vec![Arc::clone(&delete.table)]);
        self.way = Some(
            "a delete asks other tables by a query, .where(rm.exists(rm.select(...).where(...)))",
        );
        self.filtered(&delete.filter)?;
        self.returning(&delete.table, &delete.returning)
    }

    fn filtered(&mut self, filter: &[Expr]) -> Result<(), ExprError> {
        if filter.is_empty() {
            return Ok(());
        }
        self.push(" where ");
        filter.iter().try_for_each(|condition| of_one_row(condition, "where()"))?;
        self.all_of(filter)
    }

    fn set(&mut self, table: &Table, set: &[(Arc<str>, Expr)]) -> Result<(), ExprError> {
        if set.is_empty() {
            return Err(ExprError::new(
                "nothing is set: name columns and what they become, as set(text=\"\")",
            ));
        }
        self.push(" set ");
        for (at, (name, value)) in set.iter().enumerate() {
            self.comma(at);
            known(table, std::slice::from_ref(name))?;
            self.name(name)?;
            self.push(" = ");
            self.assigned(value)?;
        }
        Ok(())
    }

    /// A value for a column, which says by itself what type it takes.
    fn assigned(&mut self, value: &Expr) -> Result<(), ExprError> {
        if value.is_aggregate() || value.has_window() || value.is_order() {
            return Err(ExprError::about("is no value of one row", value));
        }
        self.assigned_value(value)
    }

    fn returning(&mut self, table: &Arc<Source>, outputs: &Outputs) -> Result<(), ExprError> {
        if !outputs.list().is_empty() {
            self.push(" returning ");
            for Output { expression, .. } in outputs.list() {
                of_one_row(expression, "returning()")?;
            }
            self.returned = self.target.is_sqlite().then(|| Arc::clone(table));
            self.outputs(outputs.list())?;
            self.returned = None;
        }
        self.scopes.pop();
        Ok(())
    }
}

/// Whether a query's text ends in the place where SQLite may still expect a join's `on`.
fn ends_in_from(query: &Select) -> bool {
    if !query.order.is_empty() || query.limit.is_some() || query.offset.is_some() {
        return false;
    }
    match &query.compound {
        Some((_, members)) => members.last().is_some_and(|last| {
            let stands_alone = last.compound.is_none() && last.order.is_empty();
            !(stands_alone && last.limit.is_none() && last.offset.is_none()) || ends_in_from(last)
        }),
        None => query.filter.is_empty() && query.group.is_empty() && query.having.is_empty(),
    }
}

fn table(source: &Source) -> Result<&Table, ExprError> {
    source.as_table().ok_or_else(|| ExprError::new("only tables are written to"))
}

fn known(table: &Table, names: &[Arc<str>]) -> Result<(), ExprError> {
    if table.columns.is_empty() {
        return Ok(());
    }
    match names.iter().find(|name| table.column(name).is_none()) {
        Some(name) => Err(ExprError::new(format!("{} has no column {name:?}", table.name))),
        None => Ok(()),
    }
}

fn meant(verb: &str, filter: &[Expr], all_rows: bool) -> Result<(), ExprError> {
    if filter.is_empty() && !all_rows {
        return Err(ExprError::new(format!(
            "this would {verb} every row of the table: say which with .where(...), or .all_rows() if all are meant"
        )));
    }
    Ok(())
}
