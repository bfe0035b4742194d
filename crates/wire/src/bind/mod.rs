//! Parameters to bytes: what the statement's types want decides, never what the value looks like.
//!
//! Nothing is rounded, cut or guessed. An integer goes to a float only where it is exact; a float
//! goes to `numeric` as the shortest digits that read back as the same float; a wall-clock
//! timestamp never becomes an instant or the other way round. A float for `float4` is the one value
//! that is rounded, to the nearest one there is, as callers have no such type of their own.

mod array;
mod composite;
mod hstore;
mod json;
mod numeric;
mod range;
mod scalar;
#[cfg(test)]
mod tests;
mod vector;

use rowmill_columns::Scalar;
pub(crate) use scalar::{EPOCH_DAYS, EPOCH_MICROS, holds_nul};

use crate::catalogue::Shape;
use crate::oid::Kind;
use crate::statement::{ParameterType, Prepared};
use crate::{ParameterError, encode};

/// Appends the Bind message of statement `number` to a portal; on an error, `out` is as it was.
pub(crate) fn bind(
    out: &mut Vec<u8>,
    portal: u64,
    number: u64,
    prepared: &Prepared,
    parameters: &[Scalar],
    max_message: usize,
) -> Result<(), ParameterError> {
    let wanted = prepared.parameters.len();
    if parameters.len() != wanted {
        return Err(wrong_count(prepared, parameters.len()));
    }
    let start = out.len();
    let at = encode::begin_bind(out, portal, number);
    let types = prepared.parameters.iter();
    if types.zip(parameters).any(|(kind, value)| is_literal(kind, value)) {
        let types = prepared.parameters.iter().zip(parameters);
        let binary = types.map(|(kind, value)| kind.binary() && !is_literal(kind, value));
        out.extend_from_slice(&encode::formats(binary));
    } else {
        out.extend_from_slice(&prepared.parameter_formats);
    }
    out.extend_from_slice(&(wanted as u16).to_be_bytes());
    for (index, (kind, value)) in prepared.parameters.iter().zip(parameters).enumerate() {
        let written = with_length(out, |out| write(out, kind, value)).and_then(|()| {
            let len = out.len() - start;
            (len <= max_message)
                .then_some(())
                .ok_or_else(|| format!("with it the message would be {len} bytes long"))
        });
        if let Err(message) = written {
            out.truncate(start);
            let (index, expected) = (index + 1, kind.name.clone());
            return Err(ParameterError { index, expected, message, is_count: false });
        }
    }
    out.extend_from_slice(&prepared.column_formats);
    encode::end(out, at);
    Ok(())
}

#[cold]
fn wrong_count(prepared: &Prepared, given: usize) -> ParameterError {
    let wanted = prepared.parameters.len();
    let index = wanted.min(given) + 1;
    let expected = prepared.parameters.get(index - 1).map(|kind| kind.name.clone());
    let plural = if wanted == 1 { "" } else { "s" };
    let verb = if given == 1 { "was" } else { "were" };
    let message = format!("the statement wants {wanted} parameter{plural}, {given} {verb} given");
    ParameterError { index, expected: expected.unwrap_or_default(), message, is_count: true }
}

/// Appends a value behind its length; NULL is the length -1.
pub(crate) fn with_length(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<Written, String>,
) -> Result<(), String> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let len = match write(out)? {
        Written::Value => {
            i32::try_from(out.len() - at - 4).map_err(|_| "it is too long".to_owned())?
        }
        Written::Null => -1,
    };
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    Ok(())
}

/// What was appended: some bytes, or nothing, for a NULL.
pub(crate) enum Written {
    Value,
    Null,
}

/// Whether a value of a type that is made of others is given in PostgreSQL's own notation, as `[1,5)`,
/// which the server then reads.
#[inline]
fn is_literal(kind: &ParameterType, value: &Scalar) -> bool {
    let is_nested = match kind.shape {
        Shape::Range(_) | Shape::Multirange(_) | Shape::Composite(_) => true,
        Shape::Scalar(kind) => matches!(kind, Kind::Hstore | Kind::Vector),
        Shape::Array { .. } => false,
    };
    is_nested && matches!(value, Scalar::Text(_))
}

/// Appends one parameter.
#[inline]
pub(crate) fn write(
    out: &mut Vec<u8>,
    kind: &ParameterType,
    value: &Scalar,
) -> Result<Written, String> {
    match (&kind.shape, value) {
        (_, Scalar::Null) => return Ok(Written::Null),
        (_, Scalar::Text(literal)) if is_literal(kind, value) => scalar::text(out, literal)?,
        (Shape::Scalar(kind), value) => scalar::write(out, *kind, value)?,
        (shape, value) if kind.binary() => nested(out, shape, value)?,
        (shape, value) => as_text(out, shape, value)?,
    }
    Ok(Written::Value)
}

/// Appends a value of this shape in binary, which all it is made of has to be bound in. Notations are
/// not for here, as what is written is not known to be one.
#[inline]
pub(crate) fn shaped(out: &mut Vec<u8>, shape: &Shape, value: &Scalar) -> Result<Written, String> {
    match (shape, value) {
        (_, Scalar::Null) => return Ok(Written::Null),
        (Shape::Scalar(kind), value) => scalar::write(out, *kind, value)?,
        (shape, value) => nested(out, shape, value)?,
    }
    Ok(Written::Value)
}

/// Appends a value of a type that is made of others.
#[inline(never)]
fn nested(out: &mut Vec<u8>, shape: &Shape, value: &Scalar) -> Result<(), String> {
    match (shape, value) {
        (Shape::Array { oid, element }, Scalar::List(list)) => {
            array::write(out, *oid, &element.shape, list)
        }
        (Shape::Array { .. }, other) => Err(unfit(other, "a list")),
        (Shape::Range(bound), value) => range::write(out, &bound.shape, value),
        (Shape::Multirange(bound), Scalar::List(list)) => {
            range::write_many(out, &bound.shape, list)
        }
        (Shape::Multirange(_), other) => Err(unfit(other, "a list of ranges")),
        (Shape::Composite(members), value) => composite::write(out, members, value),
        (Shape::Scalar(kind), value) => scalar::write(out, *kind, value),
    }
}

/// Appends a value of a type that is made of others, and exchanged as text for the sake of some.
#[inline(never)]
fn as_text(out: &mut Vec<u8>, shape: &Shape, value: &Scalar) -> Result<(), String> {
    match (shape, value) {
        (_, Scalar::Text(literal)) => scalar::text(out, literal),
        (Shape::Array { element, .. }, Scalar::List(list)) => {
            let kind = match element.shape {
                Shape::Scalar(kind) => kind,
                _ => Kind::Unknown,
            };
            array::write_text(out, kind, list)
        }
        (Shape::Array { .. }, other) => Err(unfit(other, "a list")),
        (_, other) => Err(unfit(other, "its text form")),
    }
}

/// What to say of a value of the wrong kind.
#[cold]
fn unfit(value: &Scalar, wanted: &str) -> String {
    format!("wants {wanted}, not {}", value.kind())
}
