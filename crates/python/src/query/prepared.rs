use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use rowmill::Scalar;
use rowmill::expr::query::{self, Query};
use rowmill::expr::{Base, Expr as Tree, Kind, Parameter, kept};

use super::assigned::ToCome;
use super::dialect::Spelling;
use super::expression::{Expr, raised};
use super::source::kind_named;
use super::{Select, ask};
use crate::parameter::{Place, json, scalar};
use crate::text::{Text, text};
use crate::{errors, value};

/// A function of a query, traced once: a call binds its values and builds nothing. Made by `rm.query`.
#[pyclass(frozen, dict, module = "rowmill")]
pub(crate) struct Prepared {
    query: Query,
    given: query::Given,
    to_come: ToCome,
    parameters: Vec<Declared>,
    /// How many of them may be given by position.
    positional: usize,
}

struct Declared {
    name: Py<PyString>,
    kind: Kind,
    nullable: bool,
    default: Option<Py<PyAny>>,
}

/// A call of a prepared function: a query with its values.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Call {
    pub(crate) query: Query,
    pub(crate) given: Vec<Scalar>,
}

/// A value to come, for tracing. Not public.
#[pyfunction]
pub(crate) fn parameter(py: Python<'_>, at: usize, name: Text<'_>, kind: &str) -> PyResult<Expr> {
    let Some(kind) = kind_named(kind) else {
        return Err(errors::programming(
            py,
            &format!("parameter {:?}: {kind} is no kind of value", &*name),
        ));
    };
    Ok(Expr(Tree::parameter(Parameter { at, name: name.into(), kind })))
}

/// name, kind, nullable, (default,) or ()
type Given<'py> = (Bound<'py, PyString>, String, bool, Bound<'py, PyTuple>);

#[pymethods]
impl Prepared {
    #[new]
    fn new(
        query: &Bound<'_, PyAny>,
        parameters: Vec<Given<'_>>,
        positional: usize,
    ) -> PyResult<Self> {
        let py = query.py();
        if let Ok(select) = query.cast::<Select>() {
            select.get().without_edges(py, "a function under rm.query")?;
        }
        let Some(traced) = ask::query(query) else {
            let message = format!(
                "a function under rm.query returns a query, as of rm.select(), not {}",
                value::class_name(query)
            );
            return Err(PyTypeError::new_err(message));
        };
        let declared = |(name, kind, nullable, default): Given<'_>| {
            let default = default.iter().next().map(Bound::unbind);
            let kind =
                kind_named(&kind).ok_or_else(|| errors::programming(py, "no kind of value"))?;
            Ok(Declared { name: name.unbind(), kind, nullable, default })
        };
        let parameters = parameters.into_iter().map(declared).collect::<PyResult<_>>()?;
        Ok(Self {
            given: query::Given::of(&traced),
            to_come: ToCome::of(&traced),
            query: traced,
            parameters,
            positional,
        })
    }

    #[pyo3(signature = (*given, **named))]
    fn __call__(
        slf: &Bound<'_, Self>,
        given: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Call> {
        let (py, this) = (given.py(), slf.get());
        if given.len() > this.positional {
            let message = format!(
                "the query takes {} values by position, {} given",
                this.positional,
                given.len()
            );
            return Err(PyTypeError::new_err(message));
        }
        let mut values = Vec::with_capacity(this.parameters.len());
        let mut used = 0;
        for (at, parameter) in this.parameters.iter().enumerate() {
            let name = parameter.name.bind(py);
            let by_name = match named {
                Some(named) => named.get_item(name)?,
                None => None,
            };
            used += usize::from(by_name.is_some());
            let item = match (given.get_item(at), by_name) {
                (Ok(_), Some(_)) => {
                    return Err(PyTypeError::new_err(format!("{name} is given twice")));
                }
                (Ok(item), None) | (Err(_), Some(item)) => item,
                (Err(_), None) => match &parameter.default {
                    Some(default) => default.bind(py).clone(),
                    None => {
                        Self::known(slf, named)?;
                        return Err(PyTypeError::new_err(format!("no value is given for {name}")));
                    }
                },
            };
            values.push(parameter.fitted(&item)?);
        }
        if named.is_some_and(|named| named.len() > used) {
            Self::known(slf, named)?;
        }
        this.given.fit(&mut values).map_err(|error| raised(py, &error))?;
        this.to_come.hold(py, &mut values)?;
        Ok(Call { query: this.query.clone(), given: values })
    }

    /// As of `Select.sql`; the parameters are the names of those that come with a call, and the values of others.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql(&self, py: Python<'_>, dialect: Spelling) -> PyResult<String> {
        ask::spelled(py, &self.query, dialect)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match ask::spelled(py, &self.query, Spelling::POSTGRES) {
            Ok(text) => format!("<rowmill.Prepared {text}>"),
            Err(error) => format!("<rowmill.Prepared, not complete: {}>", error.value(py)),
        }
    }
}

impl Prepared {
    /// Refuses the names that no parameter has.
    #[cold]
    fn known(slf: &Bound<'_, Self>, named: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let py = slf.py();
        let own = slf.get().parameters.iter().map(|parameter| parameter.name.to_str(py));
        let own = own.collect::<PyResult<Vec<_>>>()?;
        for name in named.into_iter().flatten().map(|(name, _)| name.to_string()) {
            if !own.contains(&&*name) {
                let function = slf.getattr("__name__")?;
                let own = own.join(", ");
                let message = format!("{function}() has no parameter {name}; it takes {own}");
                return Err(PyTypeError::new_err(message));
            }
        }
        Ok(())
    }
}

impl Declared {
    #[inline]
    fn fitted(&self, item: &Bound<'_, PyAny>) -> PyResult<Scalar> {
        if self.kind == Kind::One(Base::Json) && !item.is_none() {
            return self.document(item);
        }
        let value = scalar(item, Place::Value)?;
        let fits = match (self.kind, &value) {
            (Kind::Any, _)
            | (Kind::One(Base::Int), Scalar::Int(_))
            | (Kind::One(Base::Text), Scalar::Text(_))
            | (Kind::One(Base::Instant), Scalar::Timestamp { .. }) => true,
            (_, Scalar::Null) => self.nullable,
            (Kind::One(base @ (Base::Float | Base::Decimal)), Scalar::Int(_)) => {
                match widened(&value, base) {
                    Some(widened) => return Ok(widened),
                    None => false,
                }
            }
            (Kind::List(Base::Int), Scalar::List(values)) if values.integers().is_some() => true,
            (Kind::List(_), Scalar::List(values)) if values.is_empty() => true,
            (Kind::List(base), Scalar::List(values)) => {
                if values.each().all(|value| Kind::of_scalar(&value) == Kind::One(base)) {
                    return Ok(value);
                }
                match values.each().map(|value| widened(&value, base)).collect::<Option<_>>() {
                    Some(all) => return Ok(Scalar::List(all)),
                    None => false,
                }
            }
            (kind, value) => Kind::of_scalar(value) == kind,
        };
        if fits {
            return Ok(value);
        }
        self.unfit(item)
    }

    /// JSON: a dict or a list, or text of it.
    fn document(&self, item: &Bound<'_, PyAny>) -> PyResult<Scalar> {
        if let Ok(given) = item.cast::<PyString>() {
            let given = text(given)?;
            if rowmill::json::validate_json(given.as_bytes()).is_ok() {
                return Ok(Scalar::Json(given.into_owned()));
            }
        } else if item.is_instance_of::<PyDict>() || item.is_instance_of::<PyList>() {
            return json(item, Place::Value);
        }
        self.unfit(item)
    }

    fn unfit<T>(&self, item: &Bound<'_, PyAny>) -> PyResult<T> {
        let py = item.py();
        let shown = value::repr(item)?;
        let shown: String = shown.chars().take(80).collect();
        let or_none = if self.nullable { " or None" } else { "" };
        let kind = match self.kind {
            Kind::One(Base::Instant) => "datetime".to_owned(),
            Kind::One(Base::Json) => "a dict, a list or text that is JSON".to_owned(),
            Kind::One(Base::Float) => "float, or an int that one is exactly".to_owned(),
            kind => kind.to_string(),
        };
        let message = format!("{} takes {kind}{or_none}, not {shown}", self.name.bind(py));
        Err(errors::programming(py, &message))
    }
}

/// A value as one of the kind; an integer is a float, and a decimal, too.
fn widened(value: &Scalar, base: Base) -> Option<Scalar> {
    match (base, value) {
        (Base::Float, Scalar::Int(int)) => kept(value, base).map(|_| Scalar::Float(*int as f64)),
        (Base::Decimal, Scalar::Int(int)) => Some(Scalar::Decimal(int.to_string())),
        _ => (Kind::of_scalar(value) == Kind::One(base)).then(|| value.clone()),
    }
}

#[pymethods]
impl Call {
    /// As of `Select.sql`.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql<'py>(&self, py: Python<'py>, dialect: Spelling) -> PyResult<Bound<'py, PyTuple>> {
        ask::text(py, &self.query, &self.given, dialect)
    }

    /// The plan of the query, as of `Select.explain`.
    #[pyo3(signature = (on, /, *, analyze=false))]
    fn explain<'py>(
        slf: &Bound<'py, Self>,
        on: &Bound<'py, PyAny>,
        analyze: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        ask::explained(slf.as_any(), on, analyze)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match ask::spelled(py, &self.query, Spelling::POSTGRES) {
            Ok(text) => format!("<rowmill.Call {text}>"),
            Err(error) => format!("<rowmill.Call, not complete: {}>", error.value(py)),
        }
    }
}
