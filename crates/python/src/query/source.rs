use std::sync::Arc;

use pyo3::prelude::*;
use rowmill::expr::query::{self, Derived, DerivedForm, Reference, Table, TableColumn};
use rowmill::expr::{Base, ColumnRef, Expr, Kind};

use super::expression::Col;
use crate::errors;
use crate::text::{Name, Text};

/// A table as it was declared. Not public: `rm.Table` stands on it.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Source(pub(crate) Arc<query::Source>);

/// A query in a table's place. Its attributes are its columns, and nothing else.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Subquery(pub(crate) Arc<query::Source>);

/// name, label, kind, nullable, primary, (table, column) it refers to
type Declared = (Name, Option<Name>, String, bool, bool, Option<(Name, Name)>);

#[pymethods]
impl Source {
    #[new]
    fn new(
        py: Python<'_>,
        schema: Option<Text<'_>>,
        name: Text<'_>,
        columns: Vec<Declared>,
    ) -> PyResult<Self> {
        let name = name.as_str();
        let mut declared: Vec<TableColumn> = Vec::with_capacity(columns.len());
        for (Name(column), label, kind, nullable, primary, references) in columns {
            if declared.iter().any(|other| *other.name == *column) {
                let message = format!("table {name} declares the column {column:?} twice");
                return Err(errors::programming(py, &message));
            }
            let Some(kind) = kind_named(&kind) else {
                let message = format!("column {column:?} of {name}: {kind} is no kind of value");
                return Err(errors::programming(py, &message));
            };
            declared.push(TableColumn {
                name: column.into(),
                label: label.map(|Name(label)| label.into()),
                kind,
                nullable,
                primary,
                references: references.map(|(Name(table), Name(column))| Reference {
                    table: table.into(),
                    column: column.into(),
                }),
            });
        }
        let (schema, alias) = (schema.map(Into::into), None);
        let table = Table { schema, name: name.into(), alias, columns: declared.into() };
        Ok(Self(Arc::new(query::Source::Table(table))))
    }

    /// The columns, in order.
    fn columns(&self, py: Python<'_>) -> PyResult<Vec<Py<Col>>> {
        columns(&self.0).into_iter().map(|(_, column)| Col::new(py, column)).collect()
    }

    /// The names that the columns have in Python.
    fn labels(&self) -> Vec<String> {
        columns(&self.0).into_iter().map(|(label, _)| label.to_string()).collect()
    }

    /// The same table under another name, for joining it with itself.
    fn alias(&self, py: Python<'_>, name: Text<'_>) -> PyResult<Self> {
        match &*self.0 {
            query::Source::Table(table) => {
                let table = Table { alias: Some(name.into()), ..table.clone() };
                Ok(Self(Arc::new(query::Source::Table(table))))
            }
            query::Source::Query(_) => {
                Err(errors::programming(py, "a query has the one name that it was given"))
            }
        }
    }

    /// The columns that refer to another table's, each with the one that it refers to.
    fn _keys_to(&self, py: Python<'_>, parent: &Self) -> PyResult<Vec<(Py<Col>, Py<Col>)>> {
        let keys = query::foreign_keys(&self.0, &parent.0).into_iter();
        keys.map(|(key, referred)| Ok((Col::new(py, key)?, Col::new(py, referred)?))).collect()
    }

    #[getter]
    fn name(&self) -> String {
        self.0.label().to_string()
    }

    /// The table's own name, whatever it is called here.
    #[getter]
    fn table(&self) -> Option<String> {
        self.0.as_table().map(|table| table.name.to_string())
    }

    fn __repr__(&self) -> String {
        format!("<rowmill source {}>", self.0.label())
    }
}

#[pymethods]
impl Subquery {
    /// A column of the answer of the query that stands here.
    fn __getattr__(&self, py: Python<'_>, name: Text<'_>) -> PyResult<Py<Col>> {
        match columns(&self.0).into_iter().find(|(label, _)| **label == *name) {
            Some((_, column)) => Col::new(py, column),
            None => {
                let known: Vec<_> =
                    columns(&self.0).into_iter().map(|(label, _)| label.to_string()).collect();
                let message = format!(
                    "{} has no column {:?}; it has {}",
                    self.0.label(),
                    &*name,
                    known.join(", ")
                );
                Err(pyo3::exceptions::PyAttributeError::new_err(message))
            }
        }
    }

    fn __getitem__(&self, py: Python<'_>, name: Text<'_>) -> PyResult<Py<Col>> {
        self.__getattr__(py, name)
            .map_err(|error| pyo3::exceptions::PyKeyError::new_err(error.to_string()))
    }

    fn __repr__(&self) -> String {
        format!("<rowmill.Subquery {}>", self.0.label())
    }
}

/// The columns of a source, each under the name that Python knows.
pub(crate) fn columns(source: &Arc<query::Source>) -> Vec<(Arc<str>, Expr)> {
    match &**source {
        query::Source::Table(table) => table
            .columns
            .iter()
            .map(|column| {
                (column.label.clone().unwrap_or_else(|| column.name.clone()), column.of(source))
            })
            .collect(),
        query::Source::Query(derived) => {
            let named = derived.query.columns().iter().enumerate().filter_map(|(at, output)| {
                let name = output.name()?.clone();
                let nullable = derived.query.is_nullable(at);
                let kind = output.expression.kind();
                let column = ColumnRef {
                    source: Some(Arc::clone(source)),
                    name: name.clone(),
                    kind,
                    nullable,
                };
                Some((name, Expr::column(column)))
            });
            named.collect()
        }
    }
}

/// The name that Python knows a column by, where it is not the database's.
pub(super) fn declared_label(column: &ColumnRef) -> Option<Arc<str>> {
    column.source.as_deref()?.as_table()?.column(&column.name)?.label.clone()
}

/// A query that stands in a table's place.
pub(super) fn derived(query: Arc<query::Select>, name: &str, form: DerivedForm) -> Subquery {
    let derived = Derived { name: name.into(), query, form };
    Subquery(Arc::new(query::Source::Query(derived)))
}

pub(crate) fn kind_named(name: &str) -> Option<Kind> {
    if let Some(element) = name.strip_prefix("list[").and_then(|rest| rest.strip_suffix(']')) {
        return match kind_named(element)? {
            Kind::One(base) => Some(Kind::List(base)),
            _ => None,
        };
    }
    Some(Kind::One(match name {
        "any" => return Some(Kind::Any),
        "bool" => Base::Bool,
        "int" => Base::Int,
        "float" => Base::Float,
        "decimal" => Base::Decimal,
        "text" => Base::Text,
        "bytes" => Base::Bytes,
        "json" => Base::Json,
        "uuid" => Base::Uuid,
        "date" => Base::Date,
        "time" => Base::Time,
        "timestamp" => Base::Timestamp,
        "timestamp[utc]" => Base::Instant,
        "interval" => Base::Interval,
        "other" => Base::Other,
        _ => return None,
    }))
}

/// The source that an object stands for: a declared table, or a query with a name.
pub(crate) fn source_of(object: &Bound<'_, PyAny>) -> PyResult<Option<Arc<query::Source>>> {
    if let Ok(source) = object.cast::<Source>() {
        return Ok(Some(Arc::clone(&source.get().0)));
    }
    if let Ok(query) = object.cast::<Subquery>() {
        return Ok(Some(Arc::clone(&query.get().0)));
    }
    if object.is_instance_of::<pyo3::types::PyType>()
        && let Some(source) = object.getattr_opt(pyo3::intern!(object.py(), "_source"))?
        && let Ok(source) = source.cast::<Source>()
    {
        return Ok(Some(Arc::clone(&source.get().0)));
    }
    Ok(None)
}
