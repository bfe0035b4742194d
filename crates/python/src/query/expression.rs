#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use rowmill::Scalar;
use rowmill::expr::{self, ExprError, Operator as O, QueryForm};

use super::{Raw, Select, neighbours};
use crate::parameter::{Place, plain, scalar};
use crate::text::Text;
use crate::{errors, value};

/// The exception of an expression or query that makes no sense.
pub(crate) fn raised(py: Python<'_>, error: &ExprError) -> PyErr {
    errors::programming(py, &error.to_string())
}

/// Something computed from columns and values; it means the same to PostgreSQL, to SQLite and to
/// `Frame.filter`.
///
/// >>> import rowmill as rm
/// >>> large = (rm.col("total") > 100) & ~rm.col("status").in_(["void", "test"])
/// >>> large
/// (col("total") > 100) & ~col("status").in_(["void", "test"])
///
/// Made by operators and methods on columns, never changed. `&`, `|` and `~` are and, or and not.
#[pyclass(frozen, module = "rowmill", subclass)]
pub(crate) struct Expr(pub(crate) expr::Expr);

/// A column of a table, or of a frame by `rm.col`. `rm.Col[int]` declares one.
#[pyclass(frozen, module = "rowmill", extends = Expr)]
pub(crate) struct Col;

/// An expression with the name that it has in an answer.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Labeled {
    pub(crate) expression: expr::Expr,
    pub(crate) label: Arc<str>,
}

/// The elements of a list, of which any or all are compared: `col("scores").any() > 5`.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Quantified {
    list: expr::Expr,
    all: bool,
}

impl Col {
    pub(crate) fn new(py: Python<'_>, column: expr::Expr) -> PyResult<Py<Self>> {
        Py::new(py, PyClassInitializer::from(Expr(column)).add_subclass(Self))
    }
}

/// What an operand is: an expression, a query of one column, or a value.
#[inline]
pub(crate) fn expression(value: &Bound<'_, PyAny>) -> PyResult<expr::Expr> {
    if let Some(plain) = plain(value, Place::Value)? {
        return Ok(expr::Expr::literal(plain));
    }
    if let Ok(expression) = value.cast::<Expr>() {
        return Ok(expression.get().0.clone());
    }
    if let Ok(select) = value.cast::<Select>() {
        let query = select.get().operand(value.py())?;
        return expr::Expr::query(QueryForm::Value, None, query)
            .map_err(|error| raised(value.py(), &error));
    }
    if let Ok(raw) = value.cast::<Raw>() {
        return Ok(raw.get().0.clone());
    }
    if value.is_instance_of::<Labeled>() {
        return Err(errors::programming(
            value.py(),
            "a label names a column of an answer; it stands in select() alone",
        ));
    }
    match scalar(value, Place::Value) {
        Ok(scalar) => Ok(expr::Expr::literal(scalar)),
        Err(error) => Err(match neighbours::no_operand(value)? {
            Some(message) => errors::programming(value.py(), &message),
            None => error,
        }),
    }
}

#[inline]
fn made(py: Python<'_>, result: Result<expr::Expr, ExprError>) -> PyResult<Expr> {
    match result {
        Ok(expression) => Ok(Expr(expression)),
        Err(error) => Err(raised(py, &error)),
    }
}

impl Expr {
    #[inline]
    fn unary(&self, py: Python<'_>, operator: O) -> PyResult<Self> {
        made(py, expr::Expr::call(operator, [self.0.clone()]))
    }

    #[inline]
    fn binary(&self, operator: O, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        let other_expression = expression(other)?;
        made(other.py(), expr::Expr::call(operator, [self.0.clone(), other_expression]))
    }

    #[inline]
    fn reflected(&self, operator: O, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        let other_expression = expression(other)?;
        made(other.py(), expr::Expr::call(operator, [other_expression, self.0.clone()]))
    }

    /// Refuses to show Python a value that comes with a call: what it made of the stand-in would stay.
    fn has_come(&self, done: &str) -> PyResult<()> {
        let mut name = None;
        self.0.walk(|node| {
            if let expr::Op::Parameter(parameter) = node.op() {
                name = Some(&parameter.name);
            }
        });
        match name {
            None => Ok(()),
            Some(name) => Err(PyTypeError::new_err(format!(
                "{name} has no value yet and cannot be {done}: a function under rm.query runs once, with stand-ins \
                 for its parameters; compute with them as with columns, or give what is made of them to the call"
            ))),
        }
    }

    fn within(&self, values: &Bound<'_, PyAny>, not: bool) -> PyResult<Self> {
        let py = values.py();
        if let Ok(select) = values.cast::<Select>() {
            let form = if not { QueryForm::NotIn } else { QueryForm::In };
            let query = select.get().operand(py)?;
            return made(py, expr::Expr::query(form, Some(self.0.clone()), query));
        }
        let list = expression(values)?;
        if let Some(value) = list.value()
            && !matches!(value, Scalar::List(_))
        {
            let message = format!(
                "in_() and not_in() take a list, a tuple, a set or a query, not {}",
                value::class_name(values)
            );
            return Err(errors::programming(py, &message));
        }
        let operator = if not { O::NotIn } else { O::In };
        made(py, expr::Expr::call(operator, [self.0.clone(), list]))
    }
}

#[pymethods]
impl Expr {
    /// `rm.Col[int]` declares a column whose values are ints; `rm.Expr[int]` is what type checkers see.
    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        class.py().import("types")?.getattr("GenericAlias")?.call1((class, item))
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, comparison: CompareOp) -> PyResult<Self> {
        self.binary(
            match comparison {
                CompareOp::Lt => O::Less,
                CompareOp::Le => O::LessOrEqual,
                CompareOp::Eq => O::Equal,
                CompareOp::Ne => O::NotEqual,
                CompareOp::Gt => O::Greater,
                CompareOp::Ge => O::GreaterOrEqual,
            },
            other,
        )
    }

    fn __hash__(&self) -> PyResult<usize> {
        self.has_come("looked up")?;
        Ok(self.0.id())
    }

    fn __str__(&self) -> PyResult<String> {
        self.has_come("made a str")?;
        Ok(self.0.to_string())
    }

    fn __format__(&self, _specification: &str) -> PyResult<String> {
        self.__str__()
    }

    fn __bool__(&self) -> PyResult<bool> {
        if let expr::Op::Parameter(parameter) = self.0.op() {
            let message = format!(
                "{} has no value yet: the function under rm.query runs once, for all calls; branch outside of \
                 it, or write two",
                parameter.name
            );
            return Err(PyTypeError::new_err(message));
        }
        let message = format!(
            "{} is neither true nor false before it meets a row: combine conditions with & | ~ in place of \
             and, or, not, each in parentheses; and write between() for a < x < b",
            self.0
        );
        Err(PyTypeError::new_err(message))
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __contains__(&self, _value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let message = "`in` gives a bool at once: write .contains(x) of a column, or .in_(values) of a value's column";
        Err(PyTypeError::new_err(message))
    }

    fn __iter__(&self) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err(format!(
            "{} is an expression, with nothing to iterate over",
            self.0
        )))
    }

    /// The expression as JSON, to be kept in a database: `Expr.from_json` of any later version reads it.
    ///
    /// >>> import rowmill as rm
    /// >>> (rm.col("age") >= 18).to_json()
    /// '["greater_or_equal", ["column", "age"], 18]'
    ///
    /// A column is kept by its name alone. What a database alone computes (a query, SQL, a window) is
    /// refused with a `ProgrammingError`.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.0.to_json().map_err(|error| raised(py, &error))
    }

    /// The expression that `to_json` wrote.
    ///
    /// >>> import rowmill as rm
    /// >>> rm.Expr.from_json('["in", ["column", "country"], {"list": ["DE", "FR"]}]')
    /// col("country").in_(["DE", "FR"])
    ///
    /// Other text is a `ProgrammingError`.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        made(py, expr::Expr::from_json(text))
    }

    /// Of what other libraries call otherwise.
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(neighbours::missing(slf, name)?)
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }

    fn __and__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::And, other)
    }

    fn __rand__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::And, other)
    }

    fn __or__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Or, other)
    }

    fn __ror__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Or, other)
    }

    fn __invert__(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Not)
    }

    fn __neg__(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Negate)
    }

    fn __abs__(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Abs)
    }

    fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Add, other)
    }

    fn __radd__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Add, other)
    }

    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Subtract, other)
    }

    fn __rsub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Subtract, other)
    }

    fn __mul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Multiply, other)
    }

    fn __rmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Multiply, other)
    }

    fn __truediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Divide, other)
    }

    fn __rtruediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Divide, other)
    }

    fn __floordiv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Quotient, other)
    }

    fn __rfloordiv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Quotient, other)
    }

    fn __mod__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Remainder, other)
    }

    fn __rmod__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.reflected(O::Remainder, other)
    }

    /// The JSON value under a key, or at a place in an array, as text.
    fn __getitem__(&self, step: &Bound<'_, PyAny>) -> PyResult<Self> {
        let step = scalar(step, Place::Value)?;
        // A step into a step is one path: json["a"]["b"] asks the database once.
        let (json, path) = match (self.0.op(), self.0.args()) {
            (expr::Op::Call(O::JsonGet), [json, path]) => {
                let mut steps = match path.value() {
                    Some(Scalar::List(steps)) => steps.to_vec(),
                    Some(one) => vec![one.clone()],
                    None => Vec::new(),
                };
                steps.push(step);
                (json.clone(), Scalar::list(steps))
            }
            _ => (self.0.clone(), Scalar::list([step])),
        };
        Python::attach(|py| {
            made(py, expr::Expr::call(O::JsonGet, [json, expr::Expr::literal(path)]))
        })
    }

    /// Whether there is no value.
    fn is_null(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::IsNull)
    }

    /// Whether there is a value.
    fn is_not_null(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::IsNotNull)
    }

    /// Whether they are not the same, where NULL is the same as NULL.
    fn is_distinct_from(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::IsDistinct, other)
    }

    /// Whether they are the same, where NULL is the same as NULL.
    fn is_not_distinct_from(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::IsNotDistinct, other)
    }

    /// Whether it is neither below `low` nor above `high`.
    fn between(&self, low: &Bound<'_, PyAny>, high: &Bound<'_, PyAny>) -> PyResult<Self> {
        let args = [self.0.clone(), expression(low)?, expression(high)?];
        made(low.py(), expr::Expr::call(O::Between, args))
    }

    /// Whether it is one of a list's values, or of a query's. The list is one parameter, however long.
    #[pyo3(signature = (values, *more), text_signature = "($self, values)")]
    fn in_(&self, values: &Bound<'_, PyAny>, more: &Bound<'_, PyTuple>) -> PyResult<Self> {
        neighbours::one_list("in_", values, more)?;
        self.within(values, false)
    }

    /// Whether it is none of a list's values, or of a query's.
    #[pyo3(signature = (values, *more), text_signature = "($self, values)")]
    fn not_in(&self, values: &Bound<'_, PyAny>, more: &Bound<'_, PyTuple>) -> PyResult<Self> {
        neighbours::one_list("not_in", values, more)?;
        self.within(values, true)
    }

    /// Whether the text fits a pattern: % is any text, _ any character, a backslash takes the next one as it
    /// is. Capitals count.
    fn like(&self, pattern: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Like, pattern)
    }

    /// As `like`, where the case of ASCII letters does not count.
    fn ilike(&self, pattern: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::ILike, pattern)
    }

    /// Whether a text is somewhere in this one, or a value in this list.
    fn contains(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Contains, other)
    }

    /// Whether the text begins with another.
    fn starts_with(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::StartsWith, other)
    }

    /// Whether the text ends with another.
    fn ends_with(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::EndsWith, other)
    }

    /// Whether a regular expression matches somewhere in the text.
    fn matches(&self, pattern: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::Matches, pattern)
    }

    /// The text in small letters.
    fn lower(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Lower)
    }

    /// The text in capitals.
    fn upper(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Upper)
    }

    /// The characters of a text, or the elements of a list.
    fn length(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Length)
    }

    /// The text without the spaces at its ends.
    fn trim(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Trim)
    }

    /// Whether the lists have a value in common.
    fn overlaps(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::ListOverlaps, other)
    }

    /// Whether this list holds each value of another.
    fn contains_all(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::ListContainsAll, other)
    }

    /// Whether the lists have no value in common.
    fn disjoint(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.binary(O::ListDisjoint, other)
    }

    /// The list's elements, of which one is to compare so: `col("scores").any() > 5`.
    fn any(&self) -> Quantified {
        Quantified { list: self.0.clone(), all: false }
    }

    /// The list's elements, of which each is to compare so.
    fn all(&self) -> Quantified {
        Quantified { list: self.0.clone(), all: true }
    }

    /// The year, in UTC where it is a point in time.
    fn year(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Year)
    }

    /// The quarter, 1 to 4.
    fn quarter(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Quarter)
    }

    /// The month, 1 to 12.
    fn month(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Month)
    }

    /// The week of ISO 8601, 1 to 53.
    fn week(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Week)
    }

    /// The day of the month, 1 to 31.
    fn day(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Day)
    }

    /// The day of the week, Monday 1 to Sunday 7.
    fn weekday(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::WeekDay)
    }

    /// The day of the year, 1 to 366.
    fn yearday(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::YearDay)
    }

    /// The hour, 0 to 23.
    fn hour(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Hour)
    }

    /// The minute, 0 to 59.
    fn minute(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Minute)
    }

    /// The second, 0 to 59.
    fn second(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Second)
    }

    /// Whole seconds since 1970, in UTC.
    fn epoch(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Epoch)
    }

    /// The beginning of its year, quarter, month, week (Monday), day, hour, minute or second, as a wall clock
    /// (of UTC, where it is a point in time).
    fn trunc(&self, py: Python<'_>, unit: Text<'_>) -> PyResult<Self> {
        let operator = match &*unit {
            "year" => O::TruncateYear,
            "quarter" => O::TruncateQuarter,
            "month" => O::TruncateMonth,
            "week" => O::TruncateWeek,
            "day" => O::TruncateDay,
            "hour" => O::TruncateHour,
            "minute" => O::TruncateMinute,
            "second" => O::TruncateSecond,
            other => {
                let message = format!(
                    "trunc() takes \"year\", \"quarter\", \"month\", \"week\", \"day\", \"hour\", \"minute\" or \
                     \"second\", not {other:?}"
                );
                return Err(errors::programming(py, &message));
            }
        };
        self.unary(py, operator)
    }

    /// As another kind: "int", "float" or "text", or Python's `int`, `float`, `str`. A float becomes an int
    /// towards zero; text that is no number becomes NULL.
    fn cast(&self, kind: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = kind.py();
        let name = match kind.cast::<PyType>() {
            Ok(class) => class.name()?.to_string(),
            Err(_) => kind.str()?.to_string(),
        };
        let operator = match name.as_str() {
            "int" => O::ToInt,
            "float" => O::ToFloat,
            "text" | "str" => O::ToText,
            other => {
                let message = format!("cast() takes \"int\", \"float\" or \"text\", not {other:?}");
                return Err(errors::programming(py, &message));
            }
        };
        self.unary(py, operator)
    }

    /// The largest whole number that is not above it.
    fn floor(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Floor)
    }

    /// The smallest whole number that is not below it.
    fn ceil(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Ceil)
    }

    /// The number without its sign.
    fn abs(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Abs)
    }

    /// How many rows of the group have a value.
    fn count(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Count)
    }

    /// How many values the group has, each counted once.
    fn count_distinct(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::CountDistinct)
    }

    /// The group's sum; NULL where there is no value.
    fn sum(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Sum)
    }

    /// The group's mean.
    fn mean(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Average)
    }

    /// The group's lowest value.
    fn min(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Minimum)
    }

    /// The group's highest value.
    fn max(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Maximum)
    }

    /// The aggregate over the rows for which a condition is true: `rm.count().where(Log.is_bot)`.
    fn r#where(&self, condition: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !self.0.is_aggregate() {
            let message = format!(
                "{} is no aggregate: where() of an expression narrows one, as count().where(...)",
                self.0
            );
            return Err(errors::programming(condition.py(), &message));
        }
        self.binary(O::Where, condition)
    }

    /// The value so many rows before, in a window.
    #[pyo3(signature = (rows=1))]
    fn lag(&self, py: Python<'_>, rows: i64) -> PyResult<Self> {
        made(py, expr::Expr::call(O::Lag, [self.0.clone(), expr::Expr::literal(rows)]))
    }

    /// The value so many rows after, in a window.
    #[pyo3(signature = (rows=1))]
    fn lead(&self, py: Python<'_>, rows: i64) -> PyResult<Self> {
        made(py, expr::Expr::call(O::Lead, [self.0.clone(), expr::Expr::literal(rows)]))
    }

    /// The value of the first row of a window's frame.
    fn first_value(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::FirstValue)
    }

    /// The value of the last row of a window's frame.
    fn last_value(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::LastValue)
    }

    /// An aggregate or a window function over a window of rows.
    ///
    /// >>> rm.row_number().over(partition_by=rm.col("nick"), order_by=-rm.col("id"))
    /// row_number().over(partition_by=[col("nick")], order_by=[-col("id")])
    #[pyo3(signature = (*, partition_by=None, order_by=None))]
    fn over(
        &self,
        py: Python<'_>,
        partition_by: Option<&Bound<'_, PyAny>>,
        order_by: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let partition = several("over(partition_by=...)", partition_by)?;
        let order = several("over(order_by=...)", order_by)?;
        made(py, expr::Expr::over(self.0.clone(), partition, order))
    }

    /// As an order's key: downwards. So is `-column`.
    fn desc(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::Descending)
    }

    /// As an order's key: upwards, as it is anyway.
    fn asc(&self) -> Self {
        Self(self.0.clone())
    }

    /// As an order's key: NULLs before all values.
    fn nulls_first(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::NullsFirst)
    }

    /// As an order's key: NULLs after all values.
    fn nulls_last(&self, py: Python<'_>) -> PyResult<Self> {
        self.unary(py, O::NullsLast)
    }

    /// The same under another name in an answer.
    fn label(&self, name: Text<'_>) -> Labeled {
        Labeled { expression: self.0.clone(), label: name.into() }
    }
}

#[pymethods]
impl Col {
    /// The column's name in the database.
    #[getter]
    fn name(this: &Bound<'_, Self>) -> Option<String> {
        this.as_super().get().0.as_column().map(|column| column.name.to_string())
    }

    /// Where it is declared.
    #[getter]
    fn _source(this: &Bound<'_, Self>) -> Option<super::Source> {
        this.as_super().get().0.as_column()?.source.clone().map(super::Source)
    }

    /// The table and the column that it refers to.
    #[getter]
    fn _references(this: &Bound<'_, Self>) -> Option<(String, String)> {
        let column = this.as_super().get().0.as_column()?;
        let declared = column.source.as_ref()?.as_table()?.column(&column.name)?;
        declared.references.as_ref().map(|to| (to.table.to_string(), to.column.to_string()))
    }

    /// The table that it is declared in.
    #[getter]
    fn _table(this: &Bound<'_, Self>) -> Option<String> {
        let table = this.as_super().get().0.as_column()?.source.as_ref()?.as_table()?;
        Some(match &table.schema {
            Some(schema) => format!("{schema}.{}", table.name),
            None => table.name.to_string(),
        })
    }
}

#[pymethods]
impl Labeled {
    fn __repr__(&self) -> String {
        format!("{}.label({:?})", self.expression, &*self.label)
    }
}

#[pymethods]
impl Quantified {
    fn __richcmp__(&self, other: &Bound<'_, PyAny>, comparison: CompareOp) -> PyResult<Expr> {
        let operator = match (comparison, self.all) {
            (CompareOp::Eq, false) => O::AnyEqual,
            (CompareOp::Ne, false) => O::AnyNotEqual,
            (CompareOp::Lt, false) => O::AnyLess,
            (CompareOp::Le, false) => O::AnyLessOrEqual,
            (CompareOp::Gt, false) => O::AnyGreater,
            (CompareOp::Ge, false) => O::AnyGreaterOrEqual,
            (CompareOp::Eq, true) => O::AllEqual,
            (CompareOp::Ne, true) => O::AllNotEqual,
            (CompareOp::Lt, true) => O::AllLess,
            (CompareOp::Le, true) => O::AllLessOrEqual,
            (CompareOp::Gt, true) => O::AllGreater,
            (CompareOp::Ge, true) => O::AllGreaterOrEqual,
        };
        let value = expression(other)?;
        made(other.py(), expr::Expr::call(operator, [self.list.clone(), value]))
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err("any() and all() of a list are compared with a value"))
    }

    fn __repr__(&self) -> String {
        format!("{}.{}()", self.list, if self.all { "all" } else { "any" })
    }
}

/// One expression, or a list of them.
pub(super) fn several(verb: &str, given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<expr::Expr>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    if given.is_instance_of::<pyo3::types::PyList>() || given.is_instance_of::<PyTuple>() {
        return given.try_iter()?.map(|item| key(verb, &item?)).collect();
    }
    Ok(vec![key(verb, given)?])
}

/// What rows are ordered or grouped by. A plain value, alike for all rows, was meant otherwise.
pub(super) fn key(verb: &str, given: &Bound<'_, PyAny>) -> PyResult<expr::Expr> {
    let is_name = given.is_instance_of::<pyo3::types::PyString>();
    if !is_name {
        let made = expression(given)?;
        if made.value().is_none() || given.is_instance_of::<Expr>() {
            return Ok(made);
        }
    }
    let shown = value::repr(given)?;
    let downwards = given.extract::<&str>().ok().and_then(|name| name.strip_prefix('-'));
    let meant = match downwards {
        Some(name) if verb.contains("order_by") => {
            format!("rm.col({name:?}).desc() for a column downwards")
        }
        _ if is_name => format!("rm.col({shown}) for a column"),
        _ => "name the column".into(),
    };
    let message = format!("{verb} takes columns and expressions, not {shown}: {meant}");
    Err(errors::programming(given.py(), &message))
}
