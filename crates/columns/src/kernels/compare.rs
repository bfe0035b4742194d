#![expect(clippy::float_cmp, reason = "equal floats are equal here")]
#![expect(clippy::needless_bitwise_bool, reason = "a branch would keep the loop from vectors")]

use std::cmp::Ordering;

use super::Bits;
use super::exact::Range;
use super::pack::{pack, pack_pairs};
use super::view::{Values, integers};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

impl Comparison {
    /// Whether values of this order compare so.
    ///
    /// ```
    /// use rowmill_columns::kernels::Comparison;
    /// assert!(Comparison::Le.holds(1.cmp(&2)));
    /// ```
    #[inline]
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }

    /// The same comparison said from the right: `a < b` is `b > a`.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::Eq | Self::Ne => self,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
        }
    }
}

/// The order of floats here and in PostgreSQL: NaN is NaN and greater than all numbers, -0.0 is 0.0.
///
/// ```
/// assert!(rowmill_columns::kernels::compare_floats(f64::NAN, f64::INFINITY).is_gt());
/// assert!(rowmill_columns::kernels::compare_floats(-0.0, 0.0).is_eq());
/// ```
#[inline]
pub fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Which of the rows `start` to `start + len` are stored as a number of the range; of `few` rows alone
/// where these are given.
pub(crate) fn in_range(
    values: &Values<'_>,
    range: &Range,
    start: usize,
    len: usize,
    few: Option<&Bits>,
) -> Bits {
    let found = integers!(values, |cells| within(&cells[start..start + len], range, few), else {
        match values {
            Values::I128(cells) => within(&cells[start..start + len], range, few),
            _ => Bits::NONE,
        }
    });
    if range.outside { !found } else { found }
}

fn within<T: Integer>(cells: &[T], range: &Range, few: Option<&Bits>) -> Bits {
    let (least, most) = (T::LEAST.wide(), T::MOST.wide());
    if range.low > range.high || range.low > most || range.high < least {
        return Bits::NONE;
    }
    let (low, high) = (T::clamped(range.low), T::clamped(range.high));
    if let Some(few) = few {
        return few.keep(|row| (cells[row] >= low) & (cells[row] <= high));
    }
    match (range.low <= least, range.high >= most) {
        (true, true) => Bits::ALL,
        (true, false) => pack(cells, |cell| cell <= high),
        (false, true) => pack(cells, |cell| cell >= low),
        (false, false) if low == high => pack(cells, |cell| cell == low),
        (false, false) => pack(cells, |cell| (cell >= low) & (cell <= high)),
    }
}

pub(crate) trait Integer: Copy + PartialOrd {
    const LEAST: Self;
    const MOST: Self;
    fn wide(self) -> i128;
    fn clamped(value: i128) -> Self;
}

macro_rules! integer {
    ($($type:ty),+) => {$(
        impl Integer for $type {
            const LEAST: Self = Self::MIN;
            const MOST: Self = Self::MAX;
            #[inline(always)]
            fn wide(self) -> i128 {
                i128::from(self)
            }
            #[inline(always)]
            fn clamped(value: i128) -> Self {
                value.clamp(i128::from(Self::MIN), i128::from(Self::MAX)) as Self
            }
        }
    )+};
}
integer!(i8, i16, i32, i64, u8, u16, u32, u64, i128);

/// Which of the floats compare so with `literal`; of `few` rows alone where these are given.
pub(crate) fn floats<T: Copy + Into<f64>>(
    cells: &[T],
    comparison: Comparison,
    literal: f64,
    few: Option<&Bits>,
) -> Bits {
    use Comparison as C;
    let wide = |cell: T| -> f64 { cell.into() };
    if let Some(few) = few {
        return few.keep(|row| comparison.holds(compare_floats(wide(cells[row]), literal)));
    }
    if literal.is_nan() {
        return match comparison {
            C::Eq | C::Ge => pack(cells, |cell| wide(cell).is_nan()),
            C::Ne | C::Lt => pack(cells, |cell| !wide(cell).is_nan()),
            C::Le => Bits::ALL,
            C::Gt => Bits::NONE,
        };
    }
    match comparison {
        C::Eq => pack(cells, |cell| wide(cell) == literal),
        C::Ne => pack(cells, |cell| wide(cell) != literal),
        C::Lt => pack(cells, |cell| wide(cell) < literal),
        C::Le => pack(cells, |cell| wide(cell) <= literal),
        // The contrary of an order that NaN never has, so that NaN is greater.
        C::Gt => !pack(cells, |cell| wide(cell) <= literal),
        C::Ge => !pack(cells, |cell| wide(cell) < literal),
    }
}

/// Which pairs of integers compare so.
pub(crate) fn integer_pairs(a: &[i64], b: &[i64], comparison: Comparison) -> Bits {
    use Comparison as C;
    match comparison {
        C::Eq => pack_pairs(a, b, |a, b| a == b),
        C::Ne => pack_pairs(a, b, |a, b| a != b),
        C::Lt => pack_pairs(a, b, |a, b| a < b),
        C::Le => pack_pairs(a, b, |a, b| a <= b),
        C::Gt => pack_pairs(a, b, |a, b| a > b),
        C::Ge => pack_pairs(a, b, |a, b| a >= b),
    }
}

/// Which pairs of floats compare so.
pub(crate) fn float_pairs(a: &[f64], b: &[f64], comparison: Comparison) -> Bits {
    use Comparison as C;
    // `!(b < a)` is not `a <= b`: NaN is greater than what it is not less than.
    let less = |a: f64, b: f64| (a < b) | (!a.is_nan() & b.is_nan());
    let equal = |a: f64, b: f64| (a == b) | (a.is_nan() & b.is_nan());
    match comparison {
        C::Eq => pack_pairs(a, b, equal),
        C::Ne => pack_pairs(a, b, |a, b| !equal(a, b)),
        C::Lt => pack_pairs(a, b, less),
        C::Le => pack_pairs(a, b, |a, b| !less(b, a)),
        C::Gt => pack_pairs(a, b, |a, b| less(b, a)),
        C::Ge => pack_pairs(a, b, |a, b| !less(a, b)),
    }
}
