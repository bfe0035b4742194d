use std::sync::Arc;

use super::{Outputs, Select, Source};
use crate::node::Expr;
use crate::shape::Shape;

/// Adds rows to a table.
#[derive(Clone, Debug)]
pub struct Insert {
    /// The table.
    pub table: Arc<Source>,
    /// The columns that are given, by their names in the database.
    pub columns: Vec<Arc<str>>,
    /// The rows, a value for each column. None for one row of defaults.
    pub rows: Vec<Vec<Expr>>,
    /// The rows as a query gives them, in place of `rows`.
    pub query: Option<Arc<Select>>,
    /// What becomes of rows whose key is there.
    pub conflict: Option<Conflict>,
    /// What is given back of the rows.
    pub returning: Arc<Outputs>,
}

/// What becomes of a row whose key is there.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The key's columns; none for any key.
    pub key: Vec<Arc<str>>,
    /// What the row that is there becomes.
    pub then: Then,
}

/// What a row that is there becomes.
#[derive(Clone, Debug)]
pub enum Then {
    /// It stays as it is.
    Nothing,
    /// The new row, in all columns that are given and not of the key.
    Given,
    /// What is said of each column.
    Set(Vec<(Arc<str>, Expr)>),
}

/// Changes rows of a table.
#[derive(Clone, Debug)]
pub struct Update {
    /// The table.
    pub table: Arc<Source>,
    /// What columns become.
    pub set: Vec<(Arc<str>, Expr)>,
    /// Other sources that may be named.
    pub from: Vec<Arc<Source>>,
    /// Which rows.
    pub filter: Vec<Expr>,
    /// Whether all rows are meant.
    pub all_rows: bool,
    /// What is given back of the rows.
    pub returning: Arc<Outputs>,
}

/// Removes rows of a table.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The table.
    pub table: Arc<Source>,
    /// Which rows.
    pub filter: Vec<Expr>,
    /// Whether all rows are meant.
    pub all_rows: bool,
    /// What is given back of the rows.
    pub returning: Arc<Outputs>,
}

impl Insert {
    pub(crate) fn shape(&self) -> u128 {
        let mut shape = Shape::of(14).with(self.table.key()).with(self.returning.shape());
        names(&mut shape, &self.columns);
        for row in &self.rows {
            shape.number(1);
            for value in row {
                shape.add(value.shape());
            }
        }
        if let Some(query) = &self.query {
            shape.number(2);
            shape.add(query.shape());
        }
        if let Some(conflict) = &self.conflict {
            shape.number(3);
            names(&mut shape, &conflict.key);
            match &conflict.then {
                Then::Nothing => shape.number(4),
                Then::Given => shape.number(5),
                Then::Set(set) => {
                    shape.number(6);
                    assigned(&mut shape, set);
                }
            }
        }
        shape.finish()
    }

    pub(crate) fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        if let Some(query) = &self.query {
            query.expressions(visit);
        }
        self.rows.iter().flatten().for_each(&mut *visit);
        if let Some(Conflict { then: Then::Set(set), .. }) = &self.conflict {
            for (_, value) in set {
                visit(value);
            }
        }
        self.returning.expressions(visit);
    }
}

impl Update {
    pub(crate) fn shape(&self) -> u128 {
        let mut shape = Shape::of(15).with(self.table.key()).with(self.returning.shape());
        shape.number(self.all_rows.into());
        assigned(&mut shape, &self.set);
        listed(&mut shape, &self.filter);
        for source in &self.from {
            shape.add(source.key());
        }
        shape.finish()
    }

    pub(crate) fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.set.iter().for_each(|(_, value)| visit(value));
        for source in &self.from {
            source.expressions(visit);
        }
        self.filter.iter().for_each(&mut *visit);
        self.returning.expressions(visit);
    }
}

impl Delete {
    pub(crate) fn shape(&self) -> u128 {
        let mut shape = Shape::of(16).with(self.table.key()).with(self.returning.shape());
        shape.number(self.all_rows.into());
        listed(&mut shape, &self.filter);
        shape.finish()
    }

    pub(crate) fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.filter.iter().for_each(&mut *visit);
        self.returning.expressions(visit);
    }
}

impl Outputs {
    fn expressions<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.list().iter().for_each(|output| visit(&output.expression));
    }
}

fn names(shape: &mut Shape, names: &[Arc<str>]) {
    shape.number(names.len() as u64);
    for name in names {
        shape.text(name);
    }
}

fn assigned(shape: &mut Shape, set: &[(Arc<str>, Expr)]) {
    shape.number(set.len() as u64);
    for (name, value) in set {
        shape.text(name);
        shape.add(value.shape());
    }
}

fn listed(shape: &mut Shape, list: &[Expr]) {
    shape.number(list.len() as u64);
    for expression in list {
        shape.add(expression.shape());
    }
}
