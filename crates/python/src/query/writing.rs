#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::borrow::Cow;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString, PyTuple};
use rowmill::Scalar;
use rowmill::expr::query::{self, Conflict, Outputs, Query, Table, Then};
use rowmill::expr::{Base, ColumnRef, Expr as Tree, Kind, Op};

use super::ask::{explained, spelled, text};
use super::dialect::Spelling;
use super::expression::{Col, Expr, expression};
use super::reading::{Select, conditions_of, outputs};
use super::source::{declared_label, source_of};
use crate::infer::record;
use crate::value::MICROS_PER_DAY;
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

/// What a column is given: a value that fits it, or an expression.
fn given(py: Python<'_>, name: &str, kind: Kind, item: &Bound<'_, PyAny>) -> PyResult<Tree> {
    let value = expression(item)?;
    let numbers = kind.may_be_number() && value.kind().may_be_number();
    if let (Kind::One(Base::Timestamp), Some(Scalar::Date(days))) = (kind, value.value()) {
        let Some(micros) = i64::from(*days).checked_mul(MICROS_PER_DAY) else {
            let shown = value.to_string();
            let message =
                format!("column {name:?} takes {kind}, and {shown} is further off than one can be");
            return Err(errors::programming(py, &message));
        };
        return Ok(Tree::literal(Scalar::Timestamp { micros, utc: false }));
    }
    if let (Kind::One(Base::Json), Some(Scalar::Text(text))) = (kind, value.value()) {
        if rowmill::json::validate_json(text.as_bytes()).is_ok() {
            return Ok(value);
        }
        let message = format!(
            "column {name:?} takes JSON, which {} is not: give the dict or the list itself, or text as of json.dumps()",
            value::repr(item)?
        );
        return Err(errors::programming(py, &message));
    }
    if let (Kind::One(Base::Json), Kind::Any, Op::Parameter(parameter)) =
        (kind, value.kind(), value.op())
    {
        let message = format!(
            "column {name:?} takes JSON: annotate the parameter {0} as dict, as in def f({0}: dict)",
            parameter.name
        );
        return Err(errors::programming(py, &message));
    }
    // The database fits numbers and texts to its column; what is of another sort it may take wrongly.
    let fits = kind == Kind::Any
        || matches!(value.kind(), Kind::Any | Kind::NULL)
        || value.kind() == kind
        || numbers
        || loosely(kind, value.kind());
    if fits {
        return Ok(value);
    }
    let zones = matches!(
        (kind, value.kind()),
        (Kind::One(Base::Instant), Kind::One(Base::Timestamp))
            | (Kind::One(Base::Timestamp), Kind::One(Base::Instant))
    );
    let way = if zones {
        ": a point in time has a zone, a wall clock has none; give the datetime a tzinfo, or declare the column with \
         rm.column(naive=True)"
    } else if value.kind() == Kind::BOOL && value.value().is_none() {
        ": a condition is kept as what its .to_json() gives"
    } else {
        ""
    };
    let message =
        format!("column {name:?} takes {kind}, not {} ({}){way}", value.kind(), value::repr(item)?);
    Err(errors::programming(py, &message))
}

fn loosely(kind: Kind, value: Kind) -> bool {
    use rowmill::expr::Base as B;
    match (kind, value) {
        (Kind::One(B::Other), _)
        | (_, Kind::List(B::Null))
        | (Kind::One(B::Json), Kind::List(_)) => true,
        (Kind::One(kind), Kind::One(value)) => {
            matches!((kind, value), (B::Uuid, B::Text) | (_, B::Other) | (B::Timestamp, B::Date))
        }
        (Kind::List(kind), Kind::List(value)) => kind.is_number() && value.is_number(),
        _ => false,
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
        let mut own = (*self.0).clone();
        own.query = Some(query.get().operand(query.py())?);
        for name in columns {
            own.columns.push(column(columns.py(), &own.table, &label_of(&own.table, &name)?)?.0);
        }
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
        values: Option<&Bound<'_, PyMapping>>,
        set: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut query = (*self.0).clone();
        if let Some(values) = values {
            let dict = PyDict::new(values.py());
            dict.update(values)?;
            assign(&mut query.set, assignments(&query.table, Some(&dict))?);
        }
        assign(&mut query.set, assignments(&query.table, set)?);
        Ok(Self(Arc::new(query)))
    }

    /// Only rows for which all conditions hold.
    #[pyo3(signature = (*conditions))]
    fn r#where(&self, conditions: &Bound<'_, PyTuple>) -> PyResult<Self> {
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
    #[pyo3(signature = (*conditions))]
    fn r#where(&self, conditions: &Bound<'_, PyTuple>) -> PyResult<Self> {
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
