//! What columns are given: values are held against what the column is declared as, for a database may take
//! wrongly what does not fit.

use std::borrow::Cow;

use pyo3::prelude::*;
use rowmill::Scalar;
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
    if fits(kind, value.kind()) {
        return match value.value().map(|literal| kept(kind, literal)) {
            None | Some(Some(Cow::Borrowed(_))) => Ok(value),
            Some(Some(Cow::Owned(kept))) => Ok(Tree::literal(kept)),
            Some(None) => {
                let shown: String = value::repr(item)?.chars().take(80).collect();
                let message =
                    format!("column {name:?} takes {kind}, which {} is not{}", shown, way_of(kind));
                Err(errors::programming(py, &message))
            }
        };
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

fn way_of(kind: Kind) -> &'static str {
    match kind {
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
