use std::sync::Arc;

use super::Select;
use crate::kind::Kind;
use crate::node::{ColumnRef, Expr};
use crate::shape::Shape;

/// What rows come from: a table, or a query in its place.
#[derive(Debug)]
pub enum Source {
    /// A table or a view.
    Table(Table),
    /// A query under a name.
    Query(Derived),
}

/// A table as it was declared, under its own name or another.
#[derive(Clone, Debug)]
pub struct Table {
    /// The schema, where it is named.
    pub schema: Option<Arc<str>>,
    /// The table.
    pub name: Arc<str>,
    /// The name it has in one query.
    pub alias: Option<Arc<str>>,
    /// The columns that are known, in order.
    pub columns: Arc<[TableColumn]>,
}

/// A column as it was declared.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// The name in the database.
    pub name: Arc<str>,
    /// The name in Python, where it is another.
    pub label: Option<Arc<str>>,
    /// What its values are.
    pub kind: Kind,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// Whether it is of the primary key.
    pub primary: bool,
    /// What it refers to.
    pub references: Option<Reference>,
}

/// The column a foreign key refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table.
    pub table: Arc<str>,
    /// Its column.
    pub column: Arc<str>,
}

/// A query that stands where a table may.
#[derive(Clone, Debug)]
pub struct Derived {
    /// Its name.
    pub name: Arc<str>,
    /// The query.
    pub query: Arc<Select>,
    /// How it stands.
    pub form: DerivedForm,
}

/// How a query stands where a table may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivedForm {
    /// In parentheses, in its place.
    Inline,
    /// In parentheses, and it may use the columns of what stands before it.
    Lateral,
    /// Before the query, under `with`.
    With,
}

impl Source {
    /// The name by which its columns are called.
    pub fn label(&self) -> &Arc<str> {
        match self {
            Self::Table(table) => table.alias.as_ref().unwrap_or(&table.name),
            Self::Query(derived) => &derived.name,
        }
    }

    /// Which source it is: equal for the same table under the same name.
    pub fn key(&self) -> u128 {
        match self {
            Self::Table(table) => {
                let mut shape = Shape::of(10);
                shape.optional_text(table.schema.as_deref());
                shape.text(&table.name);
                shape.optional_text(table.alias.as_deref());
                shape.finish()
            }
            Self::Query(derived) => {
                let mut shape = Shape::of(11);
                shape.number(derived.form as u64);
                shape.text(&derived.name);
                shape.with(derived.query.shape()).finish()
            }
        }
    }

    /// Whether both are one source: one table, or one query, under one name. Queries that look alike are two,
    /// whose values differ or will differ when they are asked again.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(two)) => {
                one.name == two.name && one.schema == two.schema && one.alias == two.alias
            }
            (Self::Query(one), Self::Query(two)) => one.is(two),
            _ => false,
        }
    }

    /// The table, where it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            Self::Query(_) => None,
        }
    }
}

impl Derived {
    /// Whether both are one query under one name.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.name == other.name && self.form == other.form && self.query.is(&other.query)
    }
}

impl Table {
    /// The column of this name in the database.
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| &*column.name == name)
    }
}

impl TableColumn {
    /// The column as an expression.
    pub fn of(&self, source: &Arc<Source>) -> Expr {
        Expr::column(ColumnRef {
            source: Some(Arc::clone(source)),
            name: Arc::clone(&self.name),
            kind: self.kind,
            nullable: self.nullable,
        })
    }
}
