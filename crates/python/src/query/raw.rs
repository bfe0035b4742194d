#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::fmt::Write as _;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rowmill::Scalar;
use rowmill::expr::query::{self, Query};
use rowmill::expr::sql::quoted;
use rowmill::expr::{Dialect, Expr as Tree, Parameters, Statement};

use super::ask::{explained, text};
use super::dialect::Spelling;
use super::expression::{expression, raised};
use super::source::source_of;
use crate::errors;
use crate::text::{Name, Text};

/// SQL of one's own, with values, names and expressions put in safely.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Raw(pub(crate) Tree);

/// SQL of one's own. `{name}` takes a value (as a parameter), an expression, a query, or a table (as its
/// name); `{{` is a brace.
///
/// >>> q = rm.sql("select * from {table} where total > {floor}", table=Order, floor=100)
/// >>> q.sql("sqlite")
/// ('select * from "orders" where total > ?1', [100])
#[pyfunction]
#[pyo3(signature = (text, /, **named))]
pub(crate) fn sql(
    py: Python<'_>,
    text: Text<'_>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<Raw> {
    let mut pieces = Vec::new();
    let mut operands = Vec::new();
    let mut used: Vec<String> = Vec::new();
    let mut known: Vec<(String, Tree)> = Vec::new();
    let mut piece = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '{' | '}' if letters.peek().is_some_and(|(_, next)| *next == letter) => {
                letters.next();
                piece.push(letter);
            }
            '}' => {
                return Err(errors::programming(
                    py,
                    "the SQL has a } without its {; a brace itself is }}",
                ));
            }
            '{' => {
                let rest = &text[at + 1..];
                let Some(end) = rest.find('}') else {
                    return Err(errors::programming(
                        py,
                        "the SQL has a { without its }; a brace itself is {{",
                    ));
                };
                let name = &rest[..end];
                while letters.next_if(|(next, _)| *next <= at + 1 + end).is_some() {}
                let given = match named {
                    Some(named) => named.get_item(name)?,
                    None => None,
                };
                let Some(given) = given else {
                    return Err(errors::programming(
                        py,
                        &format!("no value is given for {{{name}}}"),
                    ));
                };
                if !used.iter().any(|known| known == name) {
                    used.push(name.to_owned());
                }
                if let Some(source) = source_of(&given)? {
                    piece += &named_source(py, &source)?;
                } else {
                    // One name is one parameter, however often it is used.
                    let operand = match known.iter().find(|(other, _)| other == name) {
                        Some((_, operand)) => operand.clone(),
                        None => {
                            let operand = expression(&given)?;
                            let so_far = pieces.join(" ") + &piece;
                            if matches!(operand.value(), Some(Scalar::List(_))) && after_in(&so_far)
                            {
                                let message = format!(
                                    "a list is one value, after which `in` takes none: give the condition, \
                                     rm.sql(\"... where {{c}}\", c=T.id.in_({name}))"
                                );
                                return Err(errors::programming(py, &message));
                            }
                            known.push((name.to_owned(), operand.clone()));
                            operand
                        }
                    };
                    pieces.push(Arc::from(std::mem::take(&mut piece)));
                    operands.push(operand);
                }
            }
            other => piece.push(other),
        }
    }
    pieces.push(Arc::from(piece));
    for name in named.map(|named| named.keys()).iter().flatten() {
        let Name(name) = name.extract()?;
        if !used.contains(&name) {
            let message = format!("{name} is given, but the SQL has no {{{name}}}");
            return Err(errors::programming(py, &message));
        }
    }
    check_placeholders(py, &pieces)?;
    check_places(py, &pieces)?;
    Tree::raw(pieces, operands).map(Raw).map_err(|error| raised(py, &error))
}

/// Whether the text ends in `in`, or in `in (`.
fn after_in(text: &str) -> bool {
    let text = text.trim_end();
    let text = text.strip_suffix('(').unwrap_or(text).trim_end();
    text.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("in"))
}

/// Values come by name in braces: a `$1` of one's own would meet those that are made of them.
fn check_placeholders(py: Python<'_>, pieces: &[Arc<str>]) -> PyResult<()> {
    let text = pieces.join(" null ");
    let statement = Statement::parse(&text, Dialect::Postgres);
    let has_own = match statement.as_ref().map(Statement::parameters) {
        Ok(Parameters::Numbered(count)) => *count > 0,
        Ok(Parameters::Named(_)) | Err(_) => true,
    };
    if has_own {
        let message =
            "the SQL of rm.sql() takes its values by name in braces, {floor}, not as $1 or :floor";
        return Err(errors::programming(py, message));
    }
    Ok(())
}

/// A parameter inside of quotes or a comment would be none: the text up to each has to have it.
fn check_places(py: Python<'_>, pieces: &[Arc<str>]) -> PyResult<()> {
    let mut text = String::new();
    for (at, piece) in pieces[..pieces.len() - 1].iter().enumerate() {
        text += piece;
        let _ = write!(text, "${}", at + 1);
        let seen =
            match Statement::parse(&text, Dialect::Postgres).as_ref().map(Statement::parameters) {
                Ok(Parameters::Numbered(highest)) => *highest,
                _ => 0,
            };
        if seen != at + 1 {
            let message = "a {name} of rm.sql() stands inside of quotes, a comment or a word: values bring no quotes \
                           along, write = {name} and not = '{name}'";
            return Err(errors::programming(py, message));
        }
    }
    Ok(())
}

fn named_source(py: Python<'_>, source: &Arc<query::Source>) -> PyResult<String> {
    let quote = |name: &str| quoted(name).map_err(|error| raised(py, &error));
    match &**source {
        query::Source::Table(table) => Ok(match (&table.schema, &table.alias) {
            (Some(schema), None) => format!("{}.{}", quote(schema)?, quote(&table.name)?),
            (Some(schema), Some(alias)) => {
                format!("{}.{} as {}", quote(schema)?, quote(&table.name)?, quote(alias)?)
            }
            (None, Some(alias)) => format!("{} as {}", quote(&table.name)?, quote(alias)?),
            (None, None) => quote(&table.name)?,
        }),
        query::Source::Query(_) => Err(errors::programming(
            py,
            "a query with a name stands in rm.sql() by itself: give the query",
        )),
    }
}

#[pymethods]
impl Raw {
    /// As of `Select.sql`.
    #[pyo3(signature = (dialect=Spelling::POSTGRES), text_signature = "($self, dialect='postgresql')")]
    fn sql<'py>(&self, py: Python<'py>, dialect: Spelling) -> PyResult<Bound<'py, PyTuple>> {
        text(py, &Query::Raw(self.0.clone()), &[], dialect)
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

    fn __repr__(&self) -> String {
        format!("<rowmill.Raw {}>", self.0)
    }
}
