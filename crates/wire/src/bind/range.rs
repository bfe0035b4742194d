use rowmill_columns::Scalar;

use super::{Written, shaped, unfit, with_length};
use crate::catalogue::Shape;

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// Appends a range, given as `lower`, `upper` and `bounds`: flags, then the bounds that there are.
pub(super) fn write(out: &mut Vec<u8>, bound: &Shape, value: &Scalar) -> Result<(), String> {
    let Scalar::Struct(fields) = value else {
        return Err(unfit(value, "a range"));
    };
    let (mut lower, mut upper, mut flags) = (&Scalar::Null, &Scalar::Null, LOWER_INCLUSIVE);
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("lower", value) => lower = value,
            ("upper", value) => upper = value,
            ("bounds", Scalar::Text(bounds)) => flags = of_bounds(bounds)?,
            ("bounds", other) => return Err(unfit(other, "bounds like '[)'")),
            _ => {
                return Err(format!(
                    "wants `lower`, `upper` and `bounds` of a range, not {name:?}"
                ));
            }
        }
    }
    if flags == EMPTY {
        out.push(flags);
        return Ok(());
    }
    let infinite = |value: &Scalar, flag| if *value == Scalar::Null { flag } else { 0 };
    let infinite = infinite(lower, LOWER_INFINITE) | infinite(upper, UPPER_INFINITE);
    out.push(flags | infinite);
    for (name, value) in [("lower", lower), ("upper", upper)] {
        if *value != Scalar::Null {
            with_length(out, |out| shaped(out, bound, value))
                .map_err(|message| format!("`{name}` {message}"))?;
        }
    }
    Ok(())
}

fn of_bounds(bounds: &str) -> Result<u8, String> {
    Ok(match bounds {
        "[)" => LOWER_INCLUSIVE,
        "[]" => LOWER_INCLUSIVE | UPPER_INCLUSIVE,
        "(]" => UPPER_INCLUSIVE,
        "()" => 0,
        "empty" => EMPTY,
        other => {
            return Err(format!("bounds are '[)', '[]', '(]', '()' or 'empty', not {other:?}"));
        }
    })
}

/// Appends a multirange: how many, then each range.
pub(super) fn write_many(out: &mut Vec<u8>, bound: &Shape, list: &[Scalar]) -> Result<(), String> {
    let count = i32::try_from(list.len()).map_err(|_| "it has too many ranges".to_owned())?;
    out.extend_from_slice(&count.to_be_bytes());
    for (at, range) in list.iter().enumerate() {
        with_length(out, |out| write(out, bound, range).map(|()| Written::Value))
            .map_err(|message| format!("range {}: {message}", at + 1))?;
    }
    Ok(())
}
