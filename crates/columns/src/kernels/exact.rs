//! A literal as the whole number that a column of integers, decimals or times stores.

use arrow_schema::{DataType, TimeUnit};

use super::Comparison;
use crate::{Scalar, Type};

/// The stored numbers from `low` to `high`, or all others: every comparison of such a column with
/// a literal is one, whatever the literal's own scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) low: i128,
    pub(crate) high: i128,
    pub(crate) outside: bool,
}

impl Range {
    pub(crate) const ALL: Self = Self { low: i128::MIN, high: i128::MAX, outside: false };
    pub(crate) const NONE: Self = Self { low: 0, high: -1, outside: false };
}

/// Where a literal stands among the stored numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this number, or between this and the next.
    At { floor: i128, exact: bool },
    /// Below all of them: minus infinity.
    Below,
    /// Above all of them: infinity, and NaN, which is greater than all numbers.
    Above,
}

impl Place {
    pub(crate) fn range(self, comparison: Comparison) -> Range {
        use Comparison as C;
        let (floor, exact) = match self {
            Self::At { floor, exact } => (floor, exact),
            Self::Below => {
                return if matches!(comparison, C::Ne | C::Gt | C::Ge) {
                    Range::ALL
                } else {
                    Range::NONE
                };
            }
            Self::Above => {
                return if matches!(comparison, C::Ne | C::Lt | C::Le) {
                    Range::ALL
                } else {
                    Range::NONE
                };
            }
        };
        let up_to = |high| Range { high, ..Range::ALL };
        let from = |low| Range { low, ..Range::ALL };
        match comparison {
            C::Eq if exact => Range { low: floor, high: floor, outside: false },
            C::Ne if exact => Range { low: floor, high: floor, outside: true },
            C::Eq => Range::NONE,
            C::Ne => Range::ALL,
            C::Lt if exact => floor.checked_sub(1).map_or(Range::NONE, up_to),
            C::Lt | C::Le => up_to(floor),
            C::Ge if exact => from(floor),
            C::Gt | C::Ge => floor.checked_add(1).map_or(Range::NONE, from),
        }
    }
}

/// Where `literal` stands among the numbers that a column of type `kind` stores; `None` where the
/// column stores no such numbers, or 128 bits cannot tell.
pub(crate) fn place(kind: &Type, literal: &Scalar) -> Option<Place> {
    match (kind, literal) {
        (Type::Date, Scalar::Date(days)) => return at((*days).into(), 1, 1),
        (Type::Time, Scalar::Time(micros)) => return at((*micros).into(), 1, 1),
        (Type::Timestamp { utc: a }, Scalar::Timestamp { micros, utc: b }) if a == b => {
            return at((*micros).into(), 1, 1);
        }
        (Type::Foreign(foreign), _) => return foreign_place(foreign.storage(), literal),
        _ => {}
    }
    let scale = match kind {
        Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        | Type::UInt8
        | Type::UInt16
        | Type::UInt32
        | Type::UInt64 => 0,
        Type::Decimal { precision, scale } if *precision <= 38 => *scale,
        _ => return None,
    };
    number(scale, literal)
}

fn foreign_place(storage: &DataType, literal: &Scalar) -> Option<Place> {
    match (storage, literal) {
        (DataType::Timestamp(unit, zone), Scalar::Timestamp { micros, utc })
            if zone.is_some() == *utc =>
        {
            let (times, over) = per_micro(*unit);
            at((*micros).into(), times, over)
        }
        (DataType::Time32(unit) | DataType::Time64(unit), Scalar::Time(micros)) => {
            let (times, over) = per_micro(*unit);
            at((*micros).into(), times, over)
        }
        (DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale), literal) => {
            number(*scale, literal)
        }
        _ => None,
    }
}

/// Units in a microsecond, as a fraction.
fn per_micro(unit: TimeUnit) -> (i128, i128) {
    match unit {
        TimeUnit::Second => (1, 1_000_000),
        TimeUnit::Millisecond => (1, 1_000),
        TimeUnit::Microsecond => (1, 1),
        TimeUnit::Nanosecond => (1_000, 1),
    }
}

fn at(value: i128, times: i128, over: i128) -> Option<Place> {
    let value = value.checked_mul(times)?;
    Some(Place::At { floor: value.div_euclid(over), exact: value.rem_euclid(over) == 0 })
}

/// A number among those with `scale` digits after the point.
fn number(scale: i8, literal: &Scalar) -> Option<Place> {
    let (unscaled, digits) = match literal {
        Scalar::Int(value) => (i128::from(*value), 0),
        Scalar::Float(value) if value.is_nan() || *value == f64::INFINITY => {
            return Some(Place::Above);
        }
        Scalar::Float(value) if value.is_infinite() => return Some(Place::Below),
        Scalar::Float(value) if scale == 0 => return Some(float(*value)),
        // Against a decimal a float is what it is written as, not the binary fraction behind it.
        Scalar::Float(value) => parse_decimal(zmij::Buffer::new().format(*value))?,
        Scalar::Decimal(text) => match text.as_str() {
            "NaN" | "Infinity" | "+Infinity" => return Some(Place::Above),
            "-Infinity" => return Some(Place::Below),
            text => parse_decimal(text)?,
        },
        _ => return None,
    };
    // What is stored is unscaled * 10^(scale - digits).
    let shift = i32::from(scale) - digits;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    match power {
        Some(power) if shift >= 0 => at(unscaled, power, 1),
        Some(power) => at(unscaled, 1, power),
        // Less than any digit that is stored.
        None if shift < 0 => {
            let floor = if unscaled < 0 { -1 } else { 0 };
            Some(Place::At { floor, exact: unscaled == 0 })
        }
        None => (unscaled == 0).then_some(Place::At { floor: 0, exact: true }),
    }
}

/// The place of a finite float among whole numbers, exactly.
fn float(value: f64) -> Place {
    let floor = value.floor();
    // The cast saturates, beyond all 64-bit numbers either way.
    Place::At { floor: floor as i128, exact: value.fract() == 0.0 }
}

/// A decimal's digits as a whole number, and how many of them follow the point; `None` for what is
/// no decimal of at most 38 digits.
///
/// ```
/// use rowmill_columns::kernels::parse_decimal;
/// assert_eq!(parse_decimal("-12.50"), Some((-125, 1)));
/// assert_eq!(parse_decimal("NaN"), None);
/// ```
pub fn parse_decimal(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && fraction.is_empty() && !digits.contains('0') {
        return None;
    }
    let mut value = 0_i128;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    Some((if negative { -value } else { value }, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_its_digits() {
        assert_eq!(parse_decimal("-12.50"), Some((-125, 1)));
        assert_eq!(parse_decimal("1E+3"), Some((1, -3)));
        assert_eq!(parse_decimal("0.000"), Some((0, 0)));
        assert_eq!(parse_decimal(".5"), Some((5, 1)));
        for bad in ["", "-", "1x", "1e", ".", "1e99999999999"] {
            assert_eq!(parse_decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_fraction_stands_between_whole_numbers() {
        let place = |literal| place(&Type::Int64, &literal).unwrap();
        assert_eq!(place(Scalar::Float(2.5)), Place::At { floor: 2, exact: false });
        assert_eq!(place(Scalar::Float(-2.5)), Place::At { floor: -3, exact: false });
        assert_eq!(place(Scalar::Decimal("-0.1".into())), Place::At { floor: -1, exact: false });
        assert_eq!(place(Scalar::Float(f64::NAN)), Place::Above);
        assert_eq!(place(Scalar::Decimal("1e-50".into())), Place::At { floor: 0, exact: false });
        let cents = Type::Decimal { precision: 10, scale: 2 };
        assert_eq!(
            super::place(&cents, &Scalar::Float(0.1)),
            Some(Place::At { floor: 10, exact: true })
        );
    }
}
