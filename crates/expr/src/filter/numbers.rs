use rowmill_columns::kernels::Arithmetic;

use super::cell::Cell;
use super::decimal::{Decimal, Round};
use crate::ExprError;
use crate::operators::Operator as O;
use crate::text_number::{float, int};

pub(super) fn out_of_range() -> ExprError {
    ExprError::new("integer out of range: a result is beyond 64 bits; cast(\"float\") first")
}

fn decimal_out_of_range() -> ExprError {
    ExprError::new("decimal out of range: a result has more than 38 digits; cast(\"float\") first")
}

pub(super) fn arithmetic(operator: O) -> Option<Arithmetic> {
    Some(match operator {
        O::Add => Arithmetic::Add,
        O::Subtract => Arithmetic::Subtract,
        O::Multiply => Arithmetic::Multiply,
        O::Divide => Arithmetic::Divide,
        O::Quotient => Arithmetic::Quotient,
        O::Remainder => Arithmetic::Remainder,
        _ => return None,
    })
}

/// An operator on two numbers, of which none is NULL.
pub(super) fn binary<'a>(operator: O, a: &Cell<'a>, b: &Cell<'a>) -> Result<Cell<'a>, ExprError> {
    let Some(arithmetic) = arithmetic(operator) else { return Ok(Cell::Null) };
    let decimals = match (a, b) {
        (Cell::Int(a), Cell::Int(b)) if operator != O::Divide => {
            let found = arithmetic.integers(*a, *b).map_err(|_| out_of_range())?;
            return Ok(found.map_or(Cell::Null, Cell::Int));
        }
        (Cell::Decimal(a), Cell::Decimal(b)) => Some((*a, *b)),
        (Cell::Decimal(a), Cell::Int(b)) => Some((*a, Decimal::new((*b).into(), 0))),
        (Cell::Int(a), Cell::Decimal(b)) => Some((Decimal::new((*a).into(), 0), *b)),
        _ => None,
    };
    if let Some((a, b)) = decimals {
        let found = match operator {
            O::Add => a.add(b),
            O::Subtract => b.negated().and_then(|b| a.add(b)),
            O::Multiply => a.multiply(b),
            _ if b.unscaled == 0 => return Ok(Cell::Null),
            _ => a.divide(b),
        };
        return found.map(Cell::Decimal).ok_or_else(decimal_out_of_range);
    }
    Ok(match (a.float(), b.float()) {
        (Some(a), Some(b)) => arithmetic.floats(a, b).map_or(Cell::Null, Cell::Float),
        _ => Cell::Null,
    })
}

/// An operator on one value that is not NULL.
pub(super) fn unary<'a>(operator: O, cell: &Cell<'a>) -> Result<Cell<'a>, ExprError> {
    Ok(match (operator, cell) {
        (O::Negate, Cell::Int(value)) => Cell::Int(value.checked_neg().ok_or_else(out_of_range)?),
        (O::Negate, Cell::Float(value)) => Cell::Float(-value),
        (O::Negate, Cell::Decimal(value)) => {
            Cell::Decimal(value.negated().ok_or_else(decimal_out_of_range)?)
        }
        (O::Negate, Cell::Interval(span)) => super::dates::negated(*span)?,
        (O::Abs, Cell::Int(value)) => Cell::Int(value.checked_abs().ok_or_else(out_of_range)?),
        (O::Abs, Cell::Float(value)) => Cell::Float(value.abs()),
        (O::Abs, Cell::Decimal(value)) if value.unscaled < 0 => {
            Cell::Decimal(value.negated().ok_or_else(decimal_out_of_range)?)
        }
        (O::Floor, Cell::Float(value)) => Cell::Float(value.floor()),
        (O::Ceil, Cell::Float(value)) => Cell::Float(value.ceil()),
        (O::Floor, Cell::Decimal(value)) => {
            Cell::Decimal(Decimal::new(value.whole(Round::Down), 0))
        }
        (O::Ceil, Cell::Decimal(value)) => Cell::Decimal(Decimal::new(value.whole(Round::Up), 0)),
        (O::Abs | O::Floor | O::Ceil, Cell::Int(_) | Cell::Decimal(_)) => cell.clone(),
        (O::ToInt, Cell::Int(value)) => Cell::Int(*value),
        (O::ToInt, Cell::Bool(value)) => Cell::Int((*value).into()),
        (O::ToInt, Cell::Decimal(value)) => {
            let whole = value.whole(Round::TowardsZero);
            Cell::Int(i64::try_from(whole).map_err(|_| out_of_range())?)
        }
        (O::ToInt, Cell::Float(value)) => Cell::Int(truncated(*value)?),
        (O::ToInt, Cell::Text(text)) => int(text).map_or(Cell::Null, Cell::Int),
        (O::ToFloat, Cell::Bool(value)) => Cell::Float((*value).into()),
        (O::ToFloat, Cell::Text(text)) => float(text).map_or(Cell::Null, Cell::Float),
        (O::ToFloat, cell) => cell.float().map_or(Cell::Null, Cell::Float),
        _ => Cell::Null,
    })
}

fn truncated(value: f64) -> Result<i64, ExprError> {
    // 2^63 is the first float beyond; NaN is in no range.
    let range = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    if range.contains(&value) { Ok(value as i64) } else { Err(out_of_range()) }
}

/// Whether two points (latitude and longitude each, in degrees) are at most so many metres apart.
pub(super) fn geo_within([latitude, longitude, other, beside, metres]: [f64; 5]) -> bool {
    const RADIUS: f64 = 6_371_008.8;
    let sine = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let across = latitude.to_radians().cos() * other.to_radians().cos() * sine(beside - longitude);
    let half = (sine(other - latitude) + across).min(1.0).sqrt().asin();
    RADIUS * 2.0 * half <= metres
}
