#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rowmill::expr::query::{
    self, DerivedForm, Join, JoinForm, Output, Outputs, Query, SetOperation,
};
use rowmill::expr::{self, Base, QueryForm};

use super::ask::{explained, text};
use super::dialect::Spelling;
use super::expression::{Expr, Labeled, expression, key, raised};
use super::neighbours;
use super::source::{Subquery, columns, declared_label, derived, source_of};
use crate::text::{Text, text as given_text};
use crate::{errors, value};

/// A query that reads, built step by step: each step gives a new one.
///
/// >>> class Order(rm.Table, name="orders"):
/// ...     id: rm.Col[int] = rm.pk()
/// ...     total: rm.Col[float]
/// >>> q = rm.select(Order).where(Order.total > 100).order_by(-Order.total).limit(10)
/// >>> print(q)
/// select "orders"."id", "orders"."total" from "orders" where "orders"."total" > $1::float8 order by "orders"."total" desc limit 10
/// >>> db.fetch(q).shape
/// (1, 2)
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Select {
    pub(crate) query: Arc<query::Select>,
    /// What is fetched beside it: edges, which Python knows.
    edges: Arc<Vec<Py<PyAny>>>,
}

impl From<Arc<query::Select>> for Select {
    fn from(query: Arc<query::Select>) -> Self {
        Self { query, edges: Arc::default() }
    }
}

/// Starts a query: tables, columns, expressions, and expressions by name for those that shall be called
/// otherwise.
///
/// >>> print(rm.select(rm.col("nick"), lines=rm.count()).from_("logs").group_by(rm.col("nick")))
/// select "nick", count(*) as "lines" from "logs" group by "nick"
#[pyfunction]
#[pyo3(signature = (*columns, **named))]
pub(crate) fn select(
    columns: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<Select> {
    let (list, from) = outputs("select", columns, named)?;
    if list.is_empty() {
        return Err(errors::programming(columns.py(), "select() takes a table, or columns"));
    }
    let outputs = Arc::new(Outputs::new(list));
    let mut query = query::Select { outputs, from, ..query::Select::default() };
    query.settle();
    Ok(Arc::new(query).into())
}

/// The columns of an answer, and the table they are all of where one is named.
pub(super) fn outputs(
    verb: &str,
    given: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<(Vec<Output>, Option<Arc<query::Source>>)> {
    let mut list = Vec::with_capacity(given.len());
    let mut from = None;
    for item in given {
        if let Ok(expression) = item.cast::<Expr>() {
            let expression = expression.get().0.clone();
            // A column is named alike whether it is selected by itself or with its table.
            let label = expression.as_column().and_then(declared_label);
            list.push(Output { expression, label });
        } else if let Ok(labeled) = item.cast::<Labeled>() {
            let Labeled { expression, label } = labeled.get();
            list.push(Output { expression: expression.clone(), label: Some(Arc::clone(label)) });
        } else if let Some(source) = source_of(&item)? {
            for (label, expression) in columns(&source) {
                let own = expression.as_column().is_some_and(|column| column.name == label);
                list.push(Output { expression, label: (!own).then_some(label) });
            }
            if given.len() == 1 {
                from = Some(source);
            }
        } else if let Ok(name) = item.cast::<pyo3::types::PyString>() {
            let message = format!(
                "{verb}() takes tables, columns and expressions, not a str: rm.col({name:?}) for a column, rm.lit({name:?}) \
                 for the text"
            );
            return Err(errors::programming(given.py(), &message));
        } else {
            list.push(Output { expression: expression(&item)?, label: None });
        }
    }
    for (name, item) in named.into_iter().flatten() {
        list.push(Output {
            expression: expression(&item)?,
            label: Some(name.extract::<Text<'_>>()?.as_str().into()),
        });
    }
    Ok((list, from))
}

impl Select {
    pub(super) fn has_edges(&self) -> bool {
        !self.edges.is_empty()
    }

    /// Refuses what would be said of one query after several were put together.
    fn alone(&self, py: Python<'_>, verb: &str) -> PyResult<()> {
        if self.query.compound.is_none() {
            return Ok(());
        }
        let message = format!(
            "{verb}() comes before queries are put together; of all their rows it is asked by way of a name: \
             rows = q.subquery(\"rows\"), then rm.select(rows).{verb}(...)"
        );
        Err(errors::programming(py, &message))
    }

    /// Refuses what would say after `top_n` which rows it is of, or leave out some that it found.
    fn before_top(&self, py: Python<'_>, verb: &str) -> PyResult<()> {
        if self.query.top.is_none() {
            return Ok(());
        }
        let before = match verb {
            "where" | "join" | "order_by" => " comes before top_n(), whose rows it would change;",
            _ => " comes after top_n() alone:",
        };
        let message = format!(
            "{verb}(){before} of those rows it is asked by way of a name: rows = q.subquery(\"rows\"), then \
             rm.select(rows).{verb}(...)"
        );
        Err(errors::programming(py, &message))
    }

    /// Both: refuses what is said of one query, before it is asked for its first rows.
    fn plain(&self, py: Python<'_>, verb: &str) -> PyResult<()> {
        self.alone(py, verb)?;
        self.before_top(py, verb)
    }

    /// Refuses what changes the order or the number of rows after `top_n`, and of which the parts of an `or` have their
    /// own.
    fn not_last(&self, py: Python<'_>, verb: &str) -> PyResult<()> {
        match &self.query.compound {
            Some((SetOperation::Parts, _)) => {
                let message =
                    format!("union_or() comes last: {verb}() before it, so that each part has it");
                Err(errors::programming(py, &message))
            }
            _ => self.before_top(py, verb),
        }
    }

    /// Refuses what would pass over the rows that belong to these.
    pub(super) fn without_edges(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        if !self.has_edges() {
            return Ok(());
        }
        let message = format!(
            "{what} has no edges: leave with_() away, and fetch those of its rows by a query of \
                 their own, rm.select(T).where(T.id.in_(ids)).with_(...)"
        );
        Err(errors::programming(py, &message))
    }

    /// The query as a part of an expression.
    pub(super) fn operand(&self, py: Python<'_>) -> PyResult<Arc<query::Select>> {
        self.without_edges(py, "a query within another")?;
        Ok(Arc::clone(&self.query))
    }

    fn with(&self, change: impl FnOnce(&mut query::Select)) -> Self {
        let mut query = (*self.query).clone();
        change(&mut query);
        query.settle();
        Self { query: Arc::new(query), edges: Arc::clone(&self.edges) }
    }

    fn joined(
        &self,
        to: &Bound<'_, PyAny>,
        on: Option<&Bound<'_, PyAny>>,
        form: JoinForm,
    ) -> PyResult<Self> {
        let py = to.py();
        self.plain(py, "join")?;
        let Some(source) = source_of(to)? else {
            let message = format!(
                "join() takes a table, or a query with a name, not {}",
                value::class_name(to)
            );
            return Err(errors::programming(py, &message));
        };
        let mut there =
            self.query.from.iter().chain(self.query.joins.iter().map(|join| &join.source));
        if there.any(|known| known.is(&source)) {
            let message = format!(
                "{} is there already: join it under another name, as {}.alias(\"other\")",
                source.label(),
                source.label()
            );
            return Err(errors::programming(py, &message));
        }
        let on = match (form, on) {
            (JoinForm::Cross, _) => None,
            (_, Some(on)) => Some(expression(on)?),
            (_, None) => Some(self.query.edge(&source).map_err(|error| raised(py, &error))?),
        };
        Ok(self.with(|query| query.joins.push(Join { form, source, on })))
    }

    fn compound(&self, others: &Bound<'_, PyTuple>, operation: SetOperation) -> PyResult<Self> {
        self.without_edges(others.py(), "a query that is put together with others")?;
        let mut members = vec![Arc::clone(&self.query)];
        for other in others {
            let other = other.cast::<Self>().map_err(|_| {
                errors::programming(
                    others.py(),
                    &format!("takes queries, not {}", value::class_name(&other)),
                )
            })?;
            let other = other.get();
            other.without_edges(others.py(), "a query that is put together with others")?;
            members.push(Arc::clone(&other.query));
        }
        alike(others.py(), &members)?;
        let query =
            query::Select { compound: Some((operation, members)), ..query::Select::default() };
        let query = Arc::new(query).nested().map_err(|error| raised(others.py(), &error))?;
        Ok(query.into())
    }

    fn standing(&self, py: Python<'_>, name: &str, form: DerivedForm) -> PyResult<Subquery> {
        self.without_edges(py, "a query in a table's place")?;
        let query = Arc::clone(&self.query).nested().map_err(|error| raised(py, &error))?;
        let unnamed = query.columns().iter().position(|output| output.name().is_none());
        if let Some(at) = unnamed {
            let shown = query.columns()[at].expression.to_string();
            let message =
                format!("the column {shown} of {name} has no name: give it one with .label()");
            return Err(errors::programming(py, &message));
        }
        let mut names: Vec<_> = query.columns().iter().filter_map(|output| output.name()).collect();
        names.sort_unstable();
        if let Some(twin) = names.windows(2).find_map(|pair| (pair[0] == pair[1]).then(|| pair[0]))
        {
            let message = format!(
                "two columns of {name} are named {twin:?}: give one another name with .label()"
            );
            return Err(errors::programming(py, &message));
        }
        Ok(derived(query, name, form))
    }
}

#[pymethods]
impl Select {
    /// Only rows for which all conditions hold; called again it adds to those.
    #[pyo3(signature = (*conditions, **named), text_signature = "($self, *conditions)")]
    fn r#where(
        &self,
        conditions: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        neighbours::unnamed("where", named, "the table")?;
        self.alone(conditions.py(), "where")?;
        if !conditions.is_empty() {
            self.before_top(conditions.py(), "where")?;
        }
        let conditions = conditions_of(conditions)?;
        Ok(self.with(|query| query.filter.extend(conditions)))
    }

    /// Other tables' rows beside those that belong to them; rows without a partner are left out. Without `on`
    /// by the one foreign key between the tables.
    #[pyo3(signature = (to, on=None, /))]
    fn join(&self, to: &Bound<'_, PyAny>, on: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        self.joined(to, on, JoinForm::Inner)
    }

    /// As `join`; rows without a partner stay, with NULLs in its place.
    #[pyo3(signature = (to, on=None, /))]
    fn left_join(&self, to: &Bound<'_, PyAny>, on: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        self.joined(to, on, JoinForm::Left)
    }

    /// As `left_join`, for the rows of both sides.
    #[pyo3(signature = (to, on=None, /))]
    fn full_join(&self, to: &Bound<'_, PyAny>, on: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        self.joined(to, on, JoinForm::Full)
    }

    /// Each row with each of another table.
    fn cross_join(&self, to: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.joined(to, None, JoinForm::Cross)
    }

    /// Where rows come from, when the columns do not say it: a table, its name, or a query with a name.
    fn from_(&self, table: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.alone(table.py(), "from_")?;
        let source = match table.cast::<pyo3::types::PyString>() {
            Ok(name) => {
                let name = given_text(name)?;
                let (schema, name) = match name.split_once('.') {
                    Some((schema, name)) => (Some(schema.into()), name.into()),
                    None => (None, (&*name).into()),
                };
                let table = query::Table { schema, name, alias: None, columns: [].into() };
                Arc::new(query::Source::Table(table))
            }
            Err(_) => match source_of(table)? {
                Some(source) => source,
                None => {
                    let message =
                        format!("from_() takes a table, not {}", value::class_name(table));
                    return Err(errors::programming(table.py(), &message));
                }
            },
        };
        Ok(self.with(|query| query.from = Some(source)))
    }

    /// One row for all rows that are equal in these.
    #[pyo3(signature = (*keys))]
    fn group_by(&self, keys: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.plain(keys.py(), "group_by")?;
        let keys = list("group_by()", keys)?;
        Ok(self.with(|query| query.group.extend(keys)))
    }

    /// Only groups for which all conditions hold.
    #[pyo3(signature = (*conditions))]
    fn having(&self, conditions: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.plain(conditions.py(), "having")?;
        let conditions = conditions_of(conditions)?;
        Ok(self.with(|query| query.having.extend(conditions)))
    }

    /// The order of the rows: `-key` or `key.desc()` is downwards. NULL is above all values unless the key
    /// says `nulls_first()` or `nulls_last()`. Replaces an order that was there; with nothing, there is none.
    #[pyo3(signature = (*keys))]
    fn order_by(&self, keys: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.not_last(keys.py(), "order_by")?;
        let keys = list("order_by()", keys)?;
        Ok(self.with(|query| query.order = keys))
    }

    /// So many rows at most; None for all.
    #[pyo3(signature = (rows, /))]
    fn limit(&self, py: Python<'_>, rows: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        self.not_last(py, "limit")?;
        let rows = rows.map(|rows| number("limit", rows)).transpose()?;
        Ok(self.with(|query| query.limit = rows))
    }

    /// Not the first so many rows. The database computes them all the same: `Database.page` does not.
    #[pyo3(signature = (rows, /))]
    fn offset(&self, py: Python<'_>, rows: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        self.not_last(py, "offset")?;
        let rows = rows.map(|rows| number("offset", rows)).transpose()?;
        Ok(self.with(|query| query.offset = rows))
    }

    /// Each row once.
    fn distinct(&self, py: Python<'_>) -> PyResult<Self> {
        self.plain(py, "distinct")?;
        Ok(self.with(|query| query.distinct = true))
    }

    /// Only the first `rows` of each group, in the query's order.
    ///
    /// >>> q = rm.select(Order).order_by(-Order.total).top_n(2, per=Order.id, groups=[1, 2])
    /// >>> len(db.fetch(q))
    /// 2
    ///
    /// Args:
    ///     rows: How many of each group.
    ///     per: What the groups are by.
    ///     groups: The groups that are wanted, a list of values, in whose order they come: with an index on `per` and the order this is
    ///         a thousand times faster than all groups there are, which None means.
    #[pyo3(signature = (rows, /, *, per, groups=None))]
    fn top_n(
        &self,
        rows: i64,
        per: &Bound<'_, PyAny>,
        groups: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = per.py();
        self.plain(py, "top_n")?;
        if rows < 1 {
            return Err(errors::programming(
                py,
                &format!("top_n() takes one row at least, not {rows}"),
            ));
        }
        if per.is_instance_of::<pyo3::types::PyList>() || per.is_instance_of::<PyTuple>() {
            let message = "top_n(per=...) takes one expression; of several the first rows are found by \
                           rm.row_number().over(partition_by=[a, b], order_by=...), in a query over this one";
            return Err(errors::programming(py, message));
        }
        let per = key("top_n(per=...)", per)?;
        let groups = match groups {
            None => None,
            Some(given) => {
                // Fitted and checked as the list of in_() is, whose meaning it has.
                let list = expression(given)?;
                let within = expr::Expr::call(expr::Operator::In, [per.clone(), list]);
                let within = within.map_err(|error| raised(py, &error))?;
                Some(within.args()[1].clone())
            }
        };
        Ok(self.with(|query| query.top = Some(query::Top { rows, per, groups })))
    }

    /// As the union of its parts, where one of the conditions is `a | b | ...`: each part once, with the order
    /// and the limit in each. Worth trying where the parts have an index each.
    fn union_or(&self, py: Python<'_>) -> PyResult<Self> {
        let query = self.query.union_or().map_err(|error| raised(py, &error))?;
        Ok(Self { query: Arc::new(query), edges: Arc::clone(&self.edges) })
    }

    /// With the rows that belong to each row: one query more for each edge, whatever the number of rows. They
    /// come as a column of lists of structs (`rm.many`), or of structs (`rm.one`), which rows give as dicts and
    /// JSON as objects. For `fetch`, `fetch_one` and `fetch_json`.
    #[pyo3(signature = (*edges))]
    fn with_(&self, edges: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut all: Vec<Py<PyAny>> =
            self.edges.iter().map(|edge| edge.clone_ref(edges.py())).collect();
        for edge in edges {
            if !edge.hasattr("_column")? {
                let message = format!(
                    "with_() takes edges, as of rm.many() in a table's class, not {}",
                    value::class_name(&edge)
                );
                return Err(errors::programming(edges.py(), &message));
            }
            all.push(edge.unbind());
        }
        Ok(Self { query: Arc::clone(&self.query), edges: Arc::new(all) })
    }

    #[getter]
    fn _has_edges(&self) -> bool {
        self.has_edges()
    }

    /// The edges, and the query without them.
    fn _parted(&self, py: Python<'_>) -> (Vec<Py<PyAny>>, Self) {
        let edges = self.edges.iter().map(|edge| edge.clone_ref(py)).collect();
        (edges, Arc::clone(&self.query).into())
    }

    /// The query for one row where it says nothing of their number.
    fn _first(&self) -> Self {
        let said = self.query.limit.is_some() || self.query.top.is_some();
        self.with(|query| {
            if !said {
                query.limit = Some(expr::Expr::literal(1_i64));
            }
        })
    }

    /// The query with a column among those selected, where that is, and how many there were before.
    fn _keyed(&self, column: &Bound<'_, Expr>, name: Text<'_>) -> PyResult<(Self, usize, usize)> {
        let key = &column.get().0;
        let list = self.query.columns();
        let known = list.iter().position(|output| output.expression.shape() == key.shape());
        if let Some(at) = known {
            return Ok((self.with(|_| ()), at, list.len()));
        }
        if self.query.compound.is_some() || self.query.distinct || self.query.is_grouped() {
            let message = format!(
                "with_() finds rows by {key}, which a union, groups or distinct() want selected: select it too"
            );
            return Err(errors::programming(column.py(), &message));
        }
        let asked = list.len();
        let mut outputs = list.to_vec();
        outputs.push(Output { expression: key.clone(), label: Some(name.into()) });
        let select = self.with(|query| query.outputs = Arc::new(Outputs::new(outputs)));
        Ok((select, asked, asked))
    }

    /// Other columns in place of those selected.
    #[pyo3(signature = (*columns, **named))]
    fn select(
        &self,
        columns: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        self.alone(columns.py(), "select")?;
        let (list, from) = outputs("select", columns, named)?;
        // What the columns said before stays said.
        let before = self.query.from.clone();
        Ok(self.with(|query| {
            query.outputs = Arc::new(Outputs::new(list));
            query.from = before.or(from);
        }))
    }

    /// The rows of all queries, each once.
    #[pyo3(signature = (*others))]
    fn union(&self, others: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.compound(others, SetOperation::Union)
    }

    /// The rows of all queries, as often as they are there.
    #[pyo3(signature = (*others))]
    fn union_all(&self, others: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.compound(others, SetOperation::UnionAll)
    }

    /// The rows that are in every one of the queries.
    #[pyo3(signature = (*others))]
    fn intersect(&self, others: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.compound(others, SetOperation::Intersect)
    }

    /// The rows that are in none of the others.
    #[pyo3(signature = (*others))]
    fn except_(&self, others: &Bound<'_, PyTuple>) -> PyResult<Self> {
        self.compound(others, SetOperation::Except)
    }

    /// The query under a name, to select from and join: its columns are the attributes.
    fn subquery(&self, py: Python<'_>, name: Text<'_>) -> PyResult<Subquery> {
        self.standing(py, &name, DerivedForm::Inline)
    }

    /// As `subquery`, and it may use the columns of what stands before it (PostgreSQL).
    fn lateral(&self, py: Python<'_>, name: Text<'_>) -> PyResult<Subquery> {
        self.standing(py, &name, DerivedForm::Lateral)
    }

    /// As `subquery`, written once before the query (`with name as (...)`), however often it is used.
    fn cte(&self, py: Python<'_>, name: Text<'_>) -> PyResult<Subquery> {
        self.standing(py, &name, DerivedForm::With)
    }

    /// Whether there is a row, as a condition.
    pub(super) fn exists(&self, py: Python<'_>) -> PyResult<Expr> {
        let exists = expr::Expr::query(QueryForm::Exists, None, self.operand(py)?);
        exists.map(Expr).map_err(|error| raised(py, &error))
    }

    /// The one value of the one row, as an operand.
    fn value(&self, py: Python<'_>) -> PyResult<Expr> {
        let value = expr::Expr::query(QueryForm::Value, None, self.operand(py)?);
        value.map(Expr).map_err(|error| raised(py, &error))
    }

    /// The SQL and its parameters: (text, [values]).
    ///
    /// Args:
    ///     dialect: "postgresql", "sqlite", or a database or a transaction, whose dialect it is.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql<'py>(&self, py: Python<'py>, dialect: Spelling) -> PyResult<Bound<'py, PyTuple>> {
        text(py, &Query::Select(Arc::clone(&self.query)), &[], dialect)
    }

    /// The plan of the query, as of `Database.explain`: a query knows no database, so it takes one, or a
    /// transaction. (Of `rm.AsyncDatabase` it is awaited.)
    ///
    /// >>> rm.select(Order).where(Order.id == 1).explain(db).nodes[0].kind
    /// 'SEARCH'
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

    /// Of what other libraries call otherwise.
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(neighbours::missing(slf, name)?)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let shown = self
            .sql(py, Spelling::POSTGRES)
            .and_then(|sql| sql.get_item(0))
            .map(|text| text.to_string());
        match shown {
            Ok(text) => format!("<rowmill.Select {text}>"),
            Err(error) => format!("<rowmill.Select, not complete: {}>", error.value(py)),
        }
    }
}

/// Refuses to put columns of different kinds under one another: numbers are one kind, and NULL is of each.
fn alike(py: Python<'_>, members: &[Arc<query::Select>]) -> PyResult<()> {
    let Some((first, others)) = members.split_first() else { return Ok(()) };
    let count = first.columns().len();
    if others.iter().any(|other| other.columns().len() != count) {
        return Ok(());
    }
    for (at, output) in first.columns().iter().enumerate() {
        let mut known = &output.expression;
        for other in others.iter().map(|other| &other.columns()[at]) {
            let (kind, own) = (known.kind(), other.expression.kind());
            if !mixes(kind, own) {
                let message = format!(
                    "queries that are put together have {kind} as column {} here ({known}) and {own} there ({}): \
                     .cast() makes one of the other's kind",
                    at + 1,
                    other.expression
                );
                return Err(errors::programming(py, &message));
            }
            if matches!(kind, expr::Kind::Any | expr::Kind::NULL) {
                known = &other.expression;
            }
        }
    }
    Ok(())
}

fn mixes(one: expr::Kind, other: expr::Kind) -> bool {
    use expr::Kind::{Any, List, One};
    matches!(
        (one, other),
        (Any | One(Base::Null | Base::Other), _)
            | (_, Any | One(Base::Null | Base::Other))
            | (One(Base::Date), One(Base::Timestamp))
            | (One(Base::Timestamp), One(Base::Date))
            | (List(Base::Null), List(_))
            | (List(_), List(Base::Null))
    ) || match (one, other) {
        (List(one), List(other)) | (One(one), One(other)) => {
            one == other || one.is_number() && other.is_number()
        }
        _ => false,
    }
}

/// What rows are ordered or grouped by.
fn list(verb: &str, given: &Bound<'_, PyTuple>) -> PyResult<Vec<expr::Expr>> {
    given.iter().map(|item| key(verb, &item)).collect()
}

/// Conditions: expressions that are true or false.
pub(super) fn conditions_of(given: &Bound<'_, PyTuple>) -> PyResult<Vec<expr::Expr>> {
    let py = given.py();
    if given.iter_borrowed().any(|item| item.is_none()) {
        let message = "a condition is None, of which no row is true: leave out what does not apply";
        return Err(errors::programming(py, message));
    }
    if let Some(plain) = given.iter().find(|item| item.is_instance_of::<pyo3::types::PyBool>()) {
        let message = format!(
            "a condition is {plain} before it meets a row: was a column compared by Python, as with `is` or `in`?"
        );
        return Err(errors::programming(py, &message));
    }
    let conditions =
        given.iter().map(|item| expression(&item)).collect::<PyResult<Vec<expr::Expr>>>()?;
    match conditions.iter().find(|condition| !condition.kind().may_be(Base::Bool)) {
        Some(value) => {
            let message = format!("{value} is no condition: it is {}, not bool", value.kind());
            Err(errors::programming(py, &message))
        }
        None => Ok(conditions),
    }
}

fn number(verb: &str, rows: &Bound<'_, PyAny>) -> PyResult<expr::Expr> {
    if let Ok(rows) = rows.cast::<Expr>() {
        return Ok(rows.get().0.clone());
    }
    let wrong = || {
        let message = format!(
            "{verb}() takes a number of rows from 0, not {}",
            value::repr(rows).unwrap_or_default()
        );
        errors::programming(rows.py(), &message)
    };
    if rows.is_instance_of::<pyo3::types::PyBool>() {
        return Err(wrong());
    }
    match rows.extract::<i64>() {
        Ok(count) if count >= 0 => Ok(expr::Expr::literal(count)),
        _ => Err(wrong()),
    }
}
