//! Parameters to bytes: what the statement's types want decides, never what the value looks like.
//!
//! Nothing is rounded, cut or guessed. An integer goes to a float only where it is exact; a float
//! goes to `numeric` as the shortest digits that read back as the same float; a wall-clock
//! timestamp never becomes an instant or the other way round. A float for `float4` is the one value
//! that is rounded, to the nearest one there is, as callers have no such type of their own.

mod array;
mod json;
mod numeric;
mod scalar;
#[cfg(test)]
mod tests;

use rowmill_columns::Scalar;
pub(crate) use scalar::{EPOCH_DAYS, EPOCH_MICROS, holds_nul};

use crate::catalogue::Shape;
use crate::oid::Kind;
use crate::statement::{ParameterType, Prepared};
use crate::{ParameterError, encode};

/// Appends the Bind message of statement `number`; on an error, `out` is as it was.
pub(crate) fn bind(
    out: &mut Vec<u8>,
    number: u32,
    prepared: &Prepared,
    parameters: &[Scalar],
    max_message: usize,
) -> Result<(), ParameterError> {
    let wanted = prepared.parameters.len();
    if parameters.len() != wanted {
        return Err(wrong_count(prepared, parameters.len()));
    }
    let start = out.len();
    let at = encode::begin_bind(out, number);
    out.extend_from_slice(&prepared.parameter_formats);
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
            return Err(ParameterError { index: index + 1, expected: kind.name.clone(), message });
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
    ParameterError { index, expected: expected.unwrap_or_default(), message }
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

/// Appends one parameter.
#[inline]
pub(crate) fn write(
    out: &mut Vec<u8>,
    kind: &ParameterType,
    value: &Scalar,
) -> Result<Written, String> {
    match (kind.shape, value) {
        (_, Scalar::Null) => return Ok(Written::Null),
        (Shape::Array { oid, element }, Scalar::List(list)) => {
            if element.binds_binary() {
                array::write(out, oid, element, list)?;
            } else {
                array::write_text(out, element, list)?;
            }
        }
        // An array literal is text that the server takes where the array is sent as text.
        (Shape::Array { element, .. }, Scalar::Text(literal)) if !element.binds_binary() => {
            scalar::text(out, literal)?;
        }
        (Shape::Array { .. }, other) => return Err(unfit(other, "a list")),
        (Shape::Scalar(Kind::Json | Kind::Jsonb), Scalar::List(list)) => {
            if kind.shape == Shape::Scalar(Kind::Jsonb) {
                out.push(1);
            }
            json::write_list(out, list)?;
        }
        (Shape::Scalar(kind), value) => scalar::write(out, kind, value)?,
    }
    Ok(Written::Value)
}

/// What to say of a value of the wrong kind.
#[cold]
fn unfit(value: &Scalar, wanted: &str) -> String {
    let way_out = match value {
        Scalar::List(_) => "; give values one by one, and compare with a list by `= any($1)`",
        _ => "",
    };
    format!("wants {wanted}, not {}{way_out}", value.kind())
}
