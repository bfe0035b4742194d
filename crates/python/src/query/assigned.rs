//! What columns are given: values are held against what the column is declared as, for a database may take
//! wrongly what does not fit.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::prelude::*;
use rowmill::Scalar;
use rowmill::expr::query::{Conflict, Query, Source, Then};
use rowmill::expr::{Base, Expr as Tree, Kind, Op, kept as number};
use rowmill::text::parse_uuid;

use super::expression::expression;
use crate::value::MICROS_PER_DAY;
use crate::{errors, value};

/// What a column is given: a value that fits it, or an expression.
pub(super) fn given(
    py: Python<'_>,
    name: &str,
    kind: Kind,
    item: &Bound<'_, PyAny>,
) -> PyResult<Tree> {
    let value = expression(item)?;
    if let Some(literal) = value.value() {
        let held = held(py, name, kind, literal, || value::repr(item))?;
        return Ok(held.map_or(value, Tree::literal));
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
    if fits(kind, value.kind()) {
        return Ok(value);
    }
    let way = if value.kind() == Kind::BOOL {
        ": a condition is kept as what its .to_json() gives"
    } else {
        zones(kind, value.kind())
    };
    Err(unfit(py, name, kind, value.kind(), &value::repr(item)?, way))
}

/// Holds a value against what a column takes: the value that the column keeps, where it is another.
fn held(
    py: Python<'_>,
    name: &str,
    kind: Kind,
    value: &Scalar,
    shown: impl FnOnce() -> PyResult<String>,
) -> PyResult<Option<Scalar>> {
    match (kind, value) {
        (Kind::One(Base::Timestamp), Scalar::Date(days)) => {
            let Some(micros) = i64::from(*days).checked_mul(MICROS_PER_DAY) else {
                let message = format!(
                    "column {name:?} takes {kind}, and {} is further off than one can be",
                    Tree::literal(value.clone())
                );
                return Err(errors::programming(py, &message));
            };
            return Ok(Some(Scalar::Timestamp { micros, utc: false }));
        }
        (Kind::One(Base::Json), Scalar::Text(text)) => {
            if rowmill::json::validate_json(text.as_bytes()).is_ok() {
                return Ok(None);
            }
            let message = format!(
                "column {name:?} takes JSON, which {} is not: give the dict or the list itself, or text as of \
                 json.dumps()",
                shown()?
            );
            return Err(errors::programming(py, &message));
        }
        _ => {}
    }
    let own = Kind::of_scalar(value);
    if !fits(kind, own) {
        return Err(unfit(py, name, kind, own, &shown()?, zones(kind, own)));
    }
    match kept(kind, value) {
        Some(Cow::Borrowed(_)) => Ok(None),
        Some(Cow::Owned(kept)) => Ok(Some(kept)),
        None => {
            let shown: String = shown()?.chars().take(80).collect();
            let message = format!(
                "column {name:?} takes {kind}, which {shown} is not{}",
                way_of(kind, value)
            );
            Err(errors::programming(py, &message))
        }
    }
}

fn unfit(py: Python<'_>, name: &str, kind: Kind, own: Kind, shown: &str, way: &str) -> PyErr {
    let message = format!("column {name:?} takes {kind}, not {own} ({shown}){way}");
    errors::programming(py, &message)
}

fn zones(kind: Kind, value: Kind) -> &'static str {
    match (kind, value) {
        (Kind::One(Base::Instant), Kind::One(Base::Timestamp))
        | (Kind::One(Base::Timestamp), Kind::One(Base::Instant)) => {
            ": a point in time has a zone, a wall clock has none; give the datetime a tzinfo, or declare the column \
             with rm.column(naive=True)"
        }
        _ => "",
    }
}

/// The columns that a prepared query gives values which come with a call.
pub(super) struct ToCome(Vec<(usize, Arc<str>, Kind)>);

impl ToCome {
    pub(super) fn of(query: &Query) -> Self {
        let mut found = Vec::new();
        let mut note = |table: &Source, name: &Arc<str>, value: &Tree| {
            let column = table
                .as_table()
                .and_then(|table| table.columns.iter().find(|column| column.name == *name));
            if let (Op::Parameter(parameter), Some(column)) = (value.op(), column) {
                let label = column.label.as_ref().unwrap_or(&column.name);
                found.push((parameter.at, Arc::clone(label), column.kind));
            }
        };
        match query {
            Query::Insert(insert) => {
                for row in &insert.rows {
                    for (name, value) in insert.columns.iter().zip(row) {
                        note(&insert.table, name, value);
                    }
                }
                if let Some(Conflict { then: Then::Set(set), .. }) = &insert.conflict {
                    for (name, value) in set {
                        note(&insert.table, name, value);
                    }
                }
            }
            Query::Update(update) => {
                for (name, value) in &update.set {
                    note(&update.table, name, value);
                }
            }
            _ => {}
        }
        Self(found)
    }

    /// Makes of the values what the columns keep.
    pub(super) fn hold(&self, py: Python<'_>, values: &mut [Scalar]) -> PyResult<()> {
        for (at, name, kind) in &self.0 {
            let value = &values[*at];
            let shown = || Ok(Tree::literal(value.clone()).to_string());
            if let Some(kept) = held(py, name, *kind, value, shown)? {
                values[*at] = kept;
            }
        }
        Ok(())
    }
}

/// The database fits numbers and texts to its column; what is of another sort it may take wrongly.
pub(super) fn fits(kind: Kind, value: Kind) -> bool {
    kind == Kind::Any
        || matches!(value, Kind::Any | Kind::NULL)
        || value == kind
        || kind.may_be_number() && value.may_be_number()
        || loosely(kind, value)
}

/// A value as a column of the kind keeps it; None where its sort fits and it does not.
fn kept(kind: Kind, value: &Scalar) -> Option<Cow<'_, Scalar>> {
    match (kind, value) {
        (Kind::One(Base::Uuid), Scalar::Text(text)) => {
            parse_uuid(text.as_bytes()).map(|_| Cow::Borrowed(value))
        }
        (Kind::One(base @ (Base::Int | Base::Float)), Scalar::Float(_) | Scalar::Decimal(_)) => {
            number(value, base).map(Cow::Owned)
        }
        (Kind::One(Base::Float), Scalar::Int(_)) => {
            number(value, Base::Float).map(|_| Cow::Borrowed(value))
        }
        (Kind::List(Base::Int), Scalar::List(values)) if values.integers().is_some() => {
            Some(Cow::Borrowed(value))
        }
        (Kind::List(base), Scalar::List(values)) => {
            let element = |value: Cow<'_, Scalar>| match Kind::of_scalar(&value) {
                Kind::NULL => Some(Scalar::Null),
                Kind::One(own) if own == base || own.is_number() && base.is_number() => {
                    number(&value, base)
                }
                _ => None,
            };
            values.each().map(element).collect::<Option<_>>().map(Scalar::List).map(Cow::Owned)
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

fn way_of(kind: Kind, value: &Scalar) -> &'static str {
    // An integer that is a decimal here is beyond 64 bits.
    let is_whole =
        |text: &str| text.strip_prefix('-').unwrap_or(text).bytes().all(|c| c.is_ascii_digit());
    match kind {
        Kind::One(Base::Int) if matches!(value, Scalar::Decimal(text) if is_whole(text)) => {
            ": it has more than 64 bits; declare the column as rm.Col[Decimal]"
        }
        Kind::One(Base::Float) => {
            " exactly: give the float() of it, or declare the column as rm.Col[int] or rm.Col[Decimal]"
        }
        Kind::One(Base::Int) => {
            ": round it, or declare the column as rm.Col[float] or rm.Col[Decimal]"
        }
        Kind::One(Base::Uuid) => ": give a uuid.UUID, or its text",
        Kind::List(_) => ": every element is of one kind",
        _ => "",
    }
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
