//! What values are looked up by: two values are equal where their keys are.

use rowmill_columns::Scalar;

use crate::kind::Base;

/// What kind of keys an attribute's values have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Integers in the order of the values.
    Numbers,
    /// Bytes.
    Bytes,
    /// None: what is asked of such a value is computed.
    None,
}

/// The key of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

impl Keys {
    pub(crate) fn of(base: Base) -> Self {
        match base {
            Base::Bool
            | Base::Int
            | Base::Float
            | Base::Date
            | Base::Time
            | Base::Timestamp
            | Base::Instant => Self::Numbers,
            Base::Text | Base::Bytes | Base::Uuid => Self::Bytes,
            _ => Self::None,
        }
    }
}

/// The key of a literal that is compared with values of `base`; `None` where it is of another kind.
pub(crate) fn key(base: Base, value: &Scalar) -> Option<Key<'_>> {
    Some(match (base, value) {
        (Base::Bool, Scalar::Bool(value)) => Key::Number((*value).into()),
        (Base::Int, Scalar::Int(value))
        | (Base::Time, Scalar::Time(value))
        | (Base::Timestamp, Scalar::Timestamp { micros: value, utc: false })
        | (Base::Instant, Scalar::Timestamp { micros: value, utc: true }) => Key::Number(*value),
        (Base::Float, Scalar::Float(value)) => Key::Number(float_key(*value)),
        (Base::Date, Scalar::Date(value)) => Key::Number((*value).into()),
        (Base::Text, Scalar::Text(value)) => Key::Bytes(value.as_bytes()),
        (Base::Bytes, Scalar::Bytes(value)) => Key::Bytes(value),
        (Base::Uuid, Scalar::Uuid(value)) => Key::Bytes(value),
        _ => return None,
    })
}

/// An integer in the order of floats here: -0.0 is 0.0, NaN is NaN and above all numbers.
#[inline]
pub(crate) fn float_key(value: f64) -> i64 {
    if value.is_nan() {
        return i64::MAX;
    }
    // Adding makes -0.0 a 0.0.
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

#[cfg(test)]
mod tests {
    use rowmill_columns::kernels::compare_floats;

    use super::*;

    #[test]
    fn keys_of_floats_are_in_their_order() {
        let floats = [f64::NEG_INFINITY, f64::MIN, -1.5, -1e-310, -0.0, 0.0, 1e-310, 2.5, f64::MAX];
        let floats = floats.into_iter().chain([f64::INFINITY, f64::NAN, -f64::NAN]);
        let floats: Vec<f64> = floats.collect();
        for &a in &floats {
            for &b in &floats {
                assert_eq!(float_key(a).cmp(&float_key(b)), compare_floats(a, b), "{a} {b}");
            }
        }
    }
}
