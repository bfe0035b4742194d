#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString, PyTuple};
use rowmill::expr::query::{self, Conflict, Outputs, Query, Table, Then};
use rowmill::expr::{ColumnRef, Expr as Tree, Kind};

use super::ask::{explained, spelled, text};
use super::assigned::{fits, given};
use super::dialect::Spelling;
use super::expression::{Col, Expr};
use super::neighbours::unnamed;
use super::reading::{Select, conditions_of, outputs};
use super::source::{declared_label, source_of};
use crate::infer::record;
use crate::{errors, value};

/// Adds rows to a table: `rm.insert(Order).values(total=5.0)`.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Insert(pub(crate) Arc<query::Insert>);

/// Changes rows of a table: `rm.update(Order).set(total=0).where(Order.id == 7)`.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Update(pub(crate) Arc<query::Update>);

/// Removes rows of a table: `rm.delete(Order).where(Order.id == 7)`.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Delete(pub(crate) Arc<query::Delete>);

fn table_of(table: &Bound<'_, PyAny>) -> PyResult<Arc<query::Source>> {
    match source_of(table)? {
        Some(source) if source.as_table().is_some() => Ok(source),
        _ => {
            let message = format!("takes a table as of rm.Table, not {}", value::class_name(table));
            Err(errors::programming(table.py(), &message))
        }
    }
}

/// Adds rows to a table.
#[pyfunction]
pub(crate) fn insert(table: &Bound<'_, PyAny>) -> PyResult<Insert> {
    let table = table_of(table)?;
    Ok(Insert(Arc::new(query::Insert {
        table,
        columns: Vec::new(),
        rows: Vec::new(),
        query: None,
        conflict: None,
        returning: Arc::default(),
    })))
}

/// Adds rows to a table, or changes those whose key is there.
///
/// >>> q = rm.upsert(Order).values(id=1, total=7.0)
/// >>> print(q)
/// insert into "orders" ("id", "total") values ($1, $2) on conflict ("id") do update set "total" = excluded."total"
#[pyfunction]
pub(crate) fn upsert(table: &Bound<'_, PyAny>) -> PyResult<Insert> {
    let insert = insert(table)?;
    let mut query = (*insert.0).clone();
    let key = query.table.as_table().map(primary).unwrap_or_default();
    query.conflict = Some(Conflict { key, then: Then::Given });
    Ok(Insert(Arc::new(query)))
}

fn primary(table: &Table) -> Vec<Arc<str>> {
    table.columns.iter().filter(|column| column.primary).map(|column| column.name.clone()).collect()
}

/// Changes rows of a table.
#[pyfunction]
pub(crate) fn update(table: &Bound<'_, PyAny>) -> PyResult<Update> {
    let table = table_of(table)?;
    Ok(Update(Arc::new(query::Update {
        table,
        set: Vec::new(),
        from: Vec::new(),
        filter: Vec::new(),
        all_rows: false,
        returning: Arc::default(),
    })))
}

/// Removes rows of a table.
#[pyfunction]
pub(crate) fn delete(table: &Bound<'_, PyAny>) -> PyResult<Delete> {
    let table = table_of(table)?;
    Ok(Delete(Arc::new(query::Delete {
        table,
        filter: Vec::new(),
        all_rows: false,
        returning: Arc::default(),
    })))
}

/// The column of a table that Python knows by this name.
fn column(py: Python<'_>, source: &Arc<query::Source>, name: &str) -> PyResult<(Arc<str>, Kind)> {
    let Some(table) = source.as_table() else { return Err(errors::programming(py, "no table")) };
    let found = table
        .columns
        .iter()
        .find(|column| column.label.as_ref().unwrap_or(&column.name).as_ref() == name);
    match found {
        Some(column) => Ok((Arc::clone(&column.name), column.kind)),
        None if table.columns.is_empty() => Ok((name.into(), Kind::Any)),
        None => {
            let known: Vec<&str> = table
                .columns
                .iter()
                .map(|column| &**column.label.as_ref().unwrap_or(&column.name))
                .collect();
            let close = crate::schema::nearest(py, name, &known)?;
            Err(errors::programming(py, &format!("{}: {close}", table.name)))
        }
    }
}

/// Columns and what they become.
fn assignments(
    source: &Arc<query::Source>,
    set: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<(Arc<str>, Tree)>> {
    let mut list = Vec::new();
    for (name, item) in set.into_iter().flatten() {
        let label = label_of(source, &name)?;
        let (name, kind) = column(item.py(), source, &label)?;
        list.push((name, given(item.py(), &label, kind, &item)?));
    }
    Ok(list)
}

/// What is said last of a column is what it becomes.
fn assign(set: &mut Vec<(Arc<str>, Tree)>, more: Vec<(Arc<str>, Tree)>) {
    for (name, value) in more {
        match set.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => set.push((name, value)),
        }
    }
}

/// The name of a column: as a str, or as the column.
fn label_of(source: &query::Source, name: &Bound<'_, PyAny>) -> PyResult<String> {
    if name.is_instance_of::<Col>()
        && let Ok(column) = name.cast::<Expr>()
        && let Some(column) = column.get().0.as_column()
    {
        let own = source.as_table().map(|table| (&table.schema, &table.name));
        let of = column.source.as_ref().and_then(|source| source.as_table());
        if of.is_some_and(|of| own.is_some_and(|own| own != (&of.schema, &of.name))) {
            let message =
                format!("{} is a column of another table than {}", column.name, source.label());
            return Err(errors::programming(name.py(), &message));
        }
        return Ok(label(column));
    }
    match name.cast::<PyString>() {
        Ok(name) => crate::text::text(name).map(Cow::into_owned),
        Err(_) => {
            let class = value::class_name(name);
            let message = format!("a column is named by a str or by itself, not by {class}");
            Err(errors::programming(name.py(), &message))
        }
    }
}

/// The name that Python knows a column by.
fn label(column: &ColumnRef) -> String {
    declared_label(column).as_ref().unwrap_or(&column.name).to_string()
}

fn returned(columns: &Bound<'_, PyTuple>) -> PyResult<Arc<Outputs>> {
    Ok(Arc::new(Outputs::new(outputs("returning", columns, None)?.0)))
}

fn shown(py: Python<'_>, class: &str, query: &Query) -> String {
    match spelled(py, query, Spelling::POSTGRES) {
        Ok(text) => format!("<rowmill.{class} {text}>"),
        Err(error) => format!("<rowmill.{class}, not complete: {}>", error.value(py)),
    }
}

#[pymethods]
impl Insert {
    /// The rows: keywords for one, or a dict, a dataclass or a Row for each. Names are those of the class's
    /// attributes. Many rows are faster by `Database.load`.
    #[pyo3(signature = (*rows, **row))]
    fn values(&self, rows: &Bound<'_, PyTuple>, row: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = rows.py();
        let mut all: Vec<Bound<'_, PyAny>> = Vec::new();
        for item in rows {
            match item.cast::<PyList>() {
                Ok(list) => all.extend(list.iter()),
                Err(_) => all.push(item),
            }
        }
        all.extend(row.map(|row| row.clone().into_any()));
        if all.is_empty() {
            let message = "values() is given no rows; where there may be none, db.load() takes a list of any length, and \
                           rm.insert(T) by itself adds a row of defaults";
            return Err(errors::programming(py, message));
        }
        let mut query = (*self.0).clone();
        let mut names: Vec<(String, Kind)> = named(&query);
        let before = query.rows.len();
        for (at, item) in all.iter().enumerate().map(|(at, item)| (before + at, item)) {
            let pairs = match (item.cast::<PyMapping>(), record(item)?) {
                (Ok(mapping), _) => mapping.items()?,
                (Err(_), Some(dict)) => dict.items(),
                (Err(_), None) => {
                    let message = format!(
                        "row {at} is a dict, a dataclass or a Row, not {}",
                        value::class_name(item)
                    );
                    return Err(errors::programming(py, &message));
                }
            };
            if pairs.is_empty() {
                let message = format!(
                    "row {at} names no column; rm.insert(T) by itself adds a row of defaults"
                );
                return Err(errors::programming(py, &message));
            }
            let mut row: Vec<Option<Tree>> = names.iter().map(|_| None).collect();
            for pair in pairs.iter() {
                let (name, item): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
                let name = label_of(&query.table, &name)?;
                let place = match names.iter().position(|(known, _)| *known == name) {
                    Some(place) => place,
                    None if at == 0 && query.rows.is_empty() => {
                        let (column, kind) = column(py, &query.table, &name)?;
                        query.columns.push(column);
                        names.push((name.clone(), kind));
                        row.push(None);
                        names.len() - 1
                    }
                    None => {
                        let message = format!(
                            "row {at} has {name:?}, which row 0 has not: all rows name the same columns"
                        );
                        return Err(errors::programming(py, &message));
                    }
                };
                row[place] = Some(given(py, &name, names[place].1, &item)?);
            }
            if let Some(missing) = row.iter().position(Option::is_none) {
                let message = format!(
                    "row {at} has no {:?}, which row 0 has: all rows name the same columns",
                    names[missing].0
                );
                return Err(errors::programming(py, &message));
            }
            query.rows.push(row.into_iter().flatten().collect());
        }
        Ok(Self(Arc::new(query)))
    }

    /// The rows that a query gives, for these columns in their order.
    #[expect(clippy::wrong_self_convention, reason = "SQL's word")]
    #[pyo3(signature = (query, /, *columns))]
    fn from_select(
        &self,
        query: &Bound<'_, Select>,
        columns: &Bound<'_, PyTuple>,
    ) -> PyResult<Self> {
        let py = query.py();
        let mut own = (*self.0).clone();
        let query = query.get().operand(py)?;
        for (at, name) in columns.iter().enumerate() {
            let label = label_of(&own.table, &name)?;
            let (name, kind) = column(py, &own.table, &label)?;
            own.columns.push(name);
            let outputs = query.columns();
            let given = (outputs.len() == columns.len()).then(|| &outputs[at].expression);
            if let Some(given) = given.filter(|given| !fits(kind, given.kind())) {
                let message =
                    format!("column {label:?} takes {kind}, not {} ({given})", given.kind());
                return Err(errors::programming(py, &message));
            }
        }
        own.query = Some(query);
        Ok(Self(Arc::new(own)))
    }

    /// The columns whose values are the key of an upsert, in place of the primary key.
    #[pyo3(signature = (*columns))]
    fn on(&self, columns: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut query = (*self.0).clone();
        let mut key = Vec::new();
        for name in columns {
            key.push(column(columns.py(), &query.table, &label_of(&query.table, &name)?)?.0);
        }
        let then = query.conflict.take().map_or(Then::Given, |conflict| conflict.then);
        query.conflict = Some(Conflict { key, then });
        Ok(Self(Arc::new(query)))
    }

    /// What a row that is there becomes: columns that take the new row's values, or expressions by name.
    /// Without it all given columns do.
    #[pyo3(signature = (*columns, **set))]
    fn set(&self, columns: &Bound<'_, PyTuple>, set: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = columns.py();
        let mut query = (*self.0).clone();
        let mut names = Vec::new();
        for name in columns {
            names.push(column(py, &query.table, &label_of(&query.table, &name)?)?.0);
        }
        let mut list = excluded(&query.table, &names);
        assign(&mut list, assignments(&query.table, set)?);
        match &mut query.conflict {
            Some(conflict) => conflict.then = Then::Set(list),
            None => {
                return Err(errors::programming(
                    py,
                    "set() is for rm.upsert(): an insert changes no row",
                ));
            }
        }
        Ok(Self(Arc::new(query)))
    }

    /// Rows whose key is there are left as they are.
    fn or_nothing(&self) -> Self {
        let mut query = (*self.0).clone();
        let key = query.conflict.take().map(|conflict| conflict.key).unwrap_or_default();
        query.conflict = Some(Conflict { key, then: Then::Nothing });
        Self(Arc::new(query))
    }

    /// What is given back of the rows: db.fetch(q) is then a Frame of these.
    #[pyo3(signature = (*columns))]
    fn returning(&self, columns: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let returning = returned(columns)?;
        Ok(Self(Arc::new(query::Insert { returning, ..(*self.0).clone() })))
    }

    /// As of `Select.sql`.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql<'py>(&self, py: Python<'py>, dialect: Spelling) -> PyResult<Bound<'py, PyTuple>> {
        text(py, &Query::Insert(Arc::clone(&self.0)), &[], dialect)
    }

    /// The plan of the query, as of `Select.explain`.
    #[pyo3(signature = (on, /, *, analyze=false))]
    fn explain<'py>(
        slf: &Bound<'py, Self>,
        on: &Bound<'py, PyAny>,
        analyze: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        explained(slf.as_any(), on, analyze)
    }

    fn __str__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.sql(py, Spelling::POSTGRES)?.get_item(0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        shown(py, "Insert", &Query::Insert(Arc::clone(&self.0)))
    }
}

/// The columns that rows were given for before, as Python knows them.
fn named(insert: &query::Insert) -> Vec<(String, Kind)> {
    let table = insert.table.as_table();
    let known = |name: &Arc<str>| match table.and_then(|table| table.column(name)) {
        Some(column) => (column.label.as_ref().unwrap_or(name).to_string(), column.kind),
        None => (name.to_string(), Kind::Any),
    };
    insert.columns.iter().map(known).collect()
}

/// Columns that take the values of the row that could not be inserted.
fn excluded(table: &Arc<query::Source>, columns: &[Arc<str>]) -> Vec<(Arc<str>, Tree)> {
    let taken = columns.iter().map(|name| {
        let kind = table
            .as_table()
            .and_then(|table| table.column(name))
            .map_or(Kind::Any, |column| column.kind);
        let column = ColumnRef {
            source: Some(Arc::clone(table)),
            name: Arc::clone(name),
            kind,
            nullable: true,
        };
        (Arc::clone(name), Tree::excluded(column))
    });
    taken.collect()
}

#[pymethods]
impl Update {
    /// What columns become: values, or expressions of the row as it was. Keywords are the class's attributes.
    /// Names that are no keywords are given as a dict.
    #[pyo3(signature = (values=None, /, **set))]
    fn set(
        &self,
        values: Option<&Bound<'_, PyAny>>,
        set: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut query = (*self.0).clone();
        if let Some(values) = values {
            let Ok(mapping) = values.cast::<PyMapping>() else {
                let message = format!(
                    "set() takes columns by name, set(total=0), or a dict of them, not {}",
                    value::repr(values)?
                );
                return Err(PyTypeError::new_err(message));
            };
            let dict = PyDict::new(values.py());
            dict.update(mapping)?;
            assign(&mut query.set, assignments(&query.table, Some(&dict))?);
        }
        assign(&mut query.set, assignments(&query.table, set)?);
        Ok(Self(Arc::new(query)))
    }

    /// Only rows for which all conditions hold.
    #[pyo3(signature = (*conditions, **named), text_signature = "($self, *conditions)")]
    fn r#where(
        &self,
        conditions: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        unnamed("where", named, self.0.table.label())?;
        let mut query = (*self.0).clone();
        query.filter.extend(conditions_of(conditions)?);
        Ok(Self(Arc::new(query)))
    }

    /// Another table, whose columns conditions and values may name.
    fn from_(&self, table: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Some(source) = source_of(table)? else {
            let message = format!("from_() takes a table, not {}", value::class_name(table));
            return Err(errors::programming(table.py(), &message));
        };
        let mut query = (*self.0).clone();
        query.from.push(source);
        Ok(Self(Arc::new(query)))
    }

    /// Every row of the table is meant.
    fn all_rows(&self) -> Self {
        Self(Arc::new(query::Update { all_rows: true, ..(*self.0).clone() }))
    }

    /// What is given back of the rows.
    #[pyo3(signature = (*columns))]
    fn returning(&self, columns: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let returning = returned(columns)?;
        Ok(Self(Arc::new(query::Update { returning, ..(*self.0).clone() })))
    }

    /// As of `Select.sql`.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql<'py>(&self, py: Python<'py>, dialect: Spelling) -> PyResult<Bound<'py, PyTuple>> {
        text(py, &Query::Update(Arc::clone(&self.0)), &[], dialect)
    }

    /// The plan of the query, as of `Select.explain`.
    #[pyo3(signature = (on, /, *, analyze=false))]
    fn explain<'py>(
        slf: &Bound<'py, Self>,
        on: &Bound<'py, PyAny>,
        analyze: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        explained(slf.as_any(), on, analyze)
    }

    fn __str__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.sql(py, Spelling::POSTGRES)?.get_item(0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        shown(py, "Update", &Query::Update(Arc::clone(&self.0)))
    }
}

#[pymethods]
impl Delete {
    /// Only rows for which all conditions hold.
    #[pyo3(signature = (*conditions, **named), text_signature = "($self, *conditions)")]
    fn r#where(
        &self,
        conditions: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        unnamed("where", named, self.0.table.label())?;
        let mut query = (*self.0).clone();
        query.filter.extend(conditions_of(conditions)?);
        Ok(Self(Arc::new(query)))
    }

    /// Every row of the table is meant.
    fn all_rows(&self) -> Self {
        Self(Arc::new(query::Delete { all_rows: true, ..(*self.0).clone() }))
    }

    /// What is given back of the rows.
    #[pyo3(signature = (*columns))]
    fn returning(&self, columns: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let returning = returned(columns)?;
        Ok(Self(Arc::new(query::Delete { returning, ..(*self.0).clone() })))
    }

    /// As of `Select.sql`.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql<'py>(&self, py: Python<'py>, dialect: Spelling) -> PyResult<Bound<'py, PyTuple>> {
        text(py, &Query::Delete(Arc::clone(&self.0)), &[], dialect)
    }

    /// The plan of the query, as of `Select.explain`.
    #[pyo3(signature = (on, /, *, analyze=false))]
    fn explain<'py>(
        slf: &Bound<'py, Self>,
        on: &Bound<'py, PyAny>,
        analyze: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        explained(slf.as_any(), on, analyze)
    }

    fn __str__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.sql(py, Spelling::POSTGRES)?.get_item(0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        shown(py, "Delete", &Query::Delete(Arc::clone(&self.0)))
    }
}
