use std::cmp::Ordering;
use std::fmt;

use rowmill_columns::DecimalValue;
use rowmill_columns::kernels::parse_decimal;

/// A decimal of at most 38 digits: `unscaled` / 10^`scale`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    pub(crate) unscaled: i128,
    pub(crate) scale: i32,
}

impl Decimal {
    pub(crate) fn new(unscaled: i128, scale: i32) -> Self {
        // Without digits before the point's own: 12E2 is 1200.
        match power(scale.min(0).unsigned_abs()).and_then(|power| unscaled.checked_mul(power)) {
            Some(unscaled) if scale < 0 => Self { unscaled, scale: 0 },
            _ => Self { unscaled, scale },
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (unscaled, scale) = parse_decimal(text)?;
        Some(Self::new(unscaled, scale))
    }

    pub(super) fn float(&self) -> f64 {
        // The text's nearest float, where a division would round twice.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match aligned(*self, *other) {
            Some((a, b, _)) => a.cmp(&b),
            // The one that 128 bits cannot hold at the other's scale is the larger by far.
            None if self.scale < other.scale => self.unscaled.cmp(&0),
            None => 0.cmp(&other.unscaled),
        }
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = aligned(self, other)?;
        Some(Self { unscaled: a.checked_add(b)?, scale })
    }

    pub(super) fn multiply(self, other: Self) -> Option<Self> {
        let unscaled = self.unscaled.checked_mul(other.unscaled)?;
        Some(Self { unscaled, scale: self.scale + other.scale })
    }

    pub(super) fn negated(self) -> Option<Self> {
        Some(Self { unscaled: self.unscaled.checked_neg()?, ..self })
    }

    /// The quotient with as many digits as PostgreSQL gives it: sixteen that count, at least, and no
    /// fewer after the point than either has.
    pub(super) fn divide(self, other: Self) -> Option<Self> {
        let (weight, first) = self.leading();
        let (other_weight, other_first) = other.leading();
        let weight = weight - other_weight - i32::from(first <= other_first);
        let scale = (16 - weight * 4).max(self.scale).max(other.scale).max(0);
        // One digit more than is kept, by which it is rounded.
        let shift = scale + other.scale - self.scale;
        let (mut over, mut under) = (self.unscaled, other.unscaled);
        match u32::try_from(shift) {
            Ok(shift) => over = over.checked_mul(power(shift)?)?,
            Err(_) => under = under.checked_mul(power(shift.unsigned_abs())?)?,
        }
        let (quotient, rest) = (over.checked_div(under)?, over.checked_rem(under)?);
        let up = rest.unsigned_abs() >= under.unsigned_abs() - rest.unsigned_abs();
        let sign = if (over < 0) == (under < 0) { 1 } else { -1 };
        Some(Self { unscaled: quotient + if up { sign } else { 0 }, scale })
    }

    /// The weight and value of the first group of four digits, as PostgreSQL stores them.
    fn leading(self) -> (i32, u32) {
        if self.unscaled == 0 {
            return (0, 0);
        }
        let digits = self.unscaled.unsigned_abs().to_string();
        let whole = digits.len() as i32 - self.scale;
        let weight = (whole - 1).div_euclid(4);
        let count = (whole - weight * 4) as usize;
        let mut first = 0;
        for at in 0..count {
            let digit = digits.as_bytes().get(at).map_or(0, |digit| u32::from(digit - b'0'));
            first = first * 10 + digit;
        }
        (weight, first)
    }

    /// The whole number below it, at it or above it.
    pub(super) fn whole(self, round: Round) -> i128 {
        let Some(power) = u32::try_from(self.scale).ok().and_then(power) else {
            return if self.scale > 0 { 0 } else { self.unscaled };
        };
        let (quotient, rest) = (self.unscaled / power, self.unscaled % power);
        match round {
            Round::Down if rest < 0 => quotient - 1,
            Round::Up if rest > 0 => quotient + 1,
            _ => quotient,
        }
    }

    pub(super) fn value(self) -> Option<DecimalValue> {
        Some(DecimalValue::new(self.unscaled, i8::try_from(self.scale).ok()?))
    }
}

/// Which whole number is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Round {
    Down,
    Up,
    TowardsZero,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Some(value) => value.fmt(f),
            None => write!(f, "{}e{}", self.unscaled, -self.scale),
        }
    }
}

fn power(digits: u32) -> Option<i128> {
    10_i128.checked_pow(digits)
}

/// Both at the finer scale.
fn aligned(a: Decimal, b: Decimal) -> Option<(i128, i128, i32)> {
    let raise = |value: Decimal, scale: i32| {
        if value.unscaled == 0 {
            return Some(0);
        }
        value.unscaled.checked_mul(power((scale - value.scale).unsigned_abs())?)
    };
    let scale = a.scale.max(b.scale);
    Some((raise(a, scale)?, raise(b, scale)?, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn quotients_have_the_digits_of_postgresql() {
        for (a, b, expected) in [
            ("1", "3", "0.33333333333333333333"),
            ("2", "3", "0.66666666666666666667"),
            ("-2", "3", "-0.66666666666666666667"),
            ("10", "3", "3.3333333333333333"),
            ("12.50", "0.25", "50.0000000000000000"),
            ("1", "8000", "0.00012500000000000000"),
        ] {
            assert_eq!(decimal(a).divide(decimal(b)).unwrap().to_string(), expected, "{a} / {b}");
        }
    }

    #[test]
    fn decimals_compare_by_value() {
        assert!(decimal("1.0").compare(&decimal("1.00")).is_eq());
        assert!(Decimal::new(3, 56).compare(&decimal("0")).is_gt());
        assert!(decimal("0").compare(&Decimal::new(3, 56)).is_lt());
        assert!(decimal("99999999999999999999999999999999999999").compare(&decimal("0.1")).is_gt());
        assert!(
            decimal("-99999999999999999999999999999999999999").compare(&decimal("0.1")).is_lt()
        );
        assert_eq!(decimal("-2.5").whole(Round::Down), -3);
        assert_eq!(decimal("-2.5").whole(Round::TowardsZero), -2);
        assert_eq!(decimal("2.1").whole(Round::Up), 3);
    }
}
