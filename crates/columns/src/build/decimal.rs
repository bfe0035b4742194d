use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{Decimal128Array, Decimal256Array};
use arrow_buffer::{ScalarBuffer, i256};

use super::{Bytes, Fixed};
use crate::value::write_scaled;
use crate::{Column, Type};

const MAX_NARROW: u32 = 38;
const MAX_WIDE: u32 = 76;

/// A decimal that does not fit the column's declared precision and scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecimalError;

/// A builder of exact decimals, from groups of four decimal digits as PostgreSQL sends them.
///
/// With a declared precision and scale the column has that type. Without, the scale is the largest
/// one met, found while decoding: earlier values are rescaled when a finer one comes, the storage
/// widens from 128 to 256 bits when 38 digits are not enough, and past 76 digits the column becomes
/// text. No digit is ever lost and nothing becomes a float.
///
/// ```
/// use rowmill_columns::{Type, build::Decimal};
/// let mut prices = Decimal::undeclared();
/// prices.push(false, &[0, 12], 0, 0).unwrap();              // 12
/// prices.push(true, &[0, 1, 0x13, 0x88], 0, 2).unwrap();    // -1.50: groups 1 and 5000
/// let (kind, column) = prices.finish();
/// assert_eq!(kind, Type::Decimal { precision: 38, scale: 2 });
/// assert_eq!(column.len(), 2);
/// ```
#[derive(Debug)]
pub struct Decimal {
    values: Values,
    /// Digits in all, where declared.
    precision: Option<u32>,
    /// Ten to the power of `precision`, or of the most digits that 128 bits hold.
    limit: u128,
    /// Digits after the point of every value so far.
    scale: u32,
    /// Each row's own digits after the point, should the column end as text, which has no scale of
    /// its own to bring them to. Kept while undeclared only.
    scales: Vec<u16>,
}

#[derive(Debug)]
enum Values {
    Narrow(Fixed<i128>),
    Wide(Fixed<i256>),
    Text(Bytes),
}

impl Decimal {
    /// A builder of `decimal(precision, scale)`; `precision` is 1 to 76 and `scale` at most that.
    ///
    /// # Panics
    /// If precision or scale is out of those bounds.
    pub fn declared(precision: u8, scale: u8) -> Self {
        assert!((1..=76).contains(&precision) && scale <= precision);
        let (precision, scale) = (u32::from(precision), u32::from(scale));
        let values = if precision <= MAX_NARROW {
            Values::Narrow(Fixed::new(0))
        } else {
            Values::Wide(Fixed::new(i256::ZERO))
        };
        let limit = 10_u128.pow(precision.min(MAX_NARROW));
        Self { values, precision: Some(precision), limit, scale, scales: Vec::new() }
    }

    /// A builder that finds the scale while decoding.
    pub fn undeclared() -> Self {
        let values = Values::Narrow(Fixed::new(0));
        Self { values, precision: None, limit: POW_38, scale: 0, scales: Vec::new() }
    }

    /// An empty builder for the next part of the same column: what this one has found is the
    /// least that the next one has, so that the types of a stream's parts only grow.
    #[must_use]
    pub fn next(&self) -> Self {
        let values = match self.values {
            Values::Narrow(_) => Values::Narrow(Fixed::new(0)),
            Values::Wide(_) => Values::Wide(Fixed::new(i256::ZERO)),
            Values::Text(_) => Values::Text(Bytes::text()),
        };
        let Self { precision, limit, scale, .. } = *self;
        Self { values, precision, limit, scale, scales: Vec::new() }
    }

    /// Appends a value: `groups` are big-endian 16-bit numbers from 0 to 9,999, the first stands
    /// for its multiple of 10,000 to the power `weight`, and `scale` digits follow the point.
    ///
    /// # Errors
    /// [`DecimalError`] where the column is declared and the value does not fit it, a group is not
    /// below 10,000, or the value has digits beyond its own scale.
    pub fn push(
        &mut self,
        negative: bool,
        groups: &[u8],
        weight: i16,
        scale: u16,
    ) -> Result<(), DecimalError> {
        let groups = groups.as_chunks::<2>().0;
        if groups.iter().any(|&group| u16::from_be_bytes(group) > 9_999) {
            return Err(DecimalError);
        }
        let own_scale = scale;
        let scale = u32::from(scale);
        if scale > self.scale && self.precision.is_none() {
            self.raise_scale(scale);
        }
        self.push_value(negative, groups, weight, scale)?;
        if self.precision.is_none() && !matches!(self.values, Values::Text(_)) {
            self.scales.push(own_scale);
        }
        Ok(())
    }

    fn push_value(
        &mut self,
        negative: bool,
        groups: &[[u8; 2]],
        weight: i16,
        scale: u32,
    ) -> Result<(), DecimalError> {
        loop {
            match &mut self.values {
                Values::Narrow(values) => match narrow(groups, weight, self.scale, self.limit) {
                    Some(value) => {
                        values.push(if negative { -value } else { value });
                        return Ok(());
                    }
                    None if self.precision.is_some() => return Err(DecimalError),
                    None if !is_whole(groups, weight, scale) => return Err(DecimalError),
                    None => self.widen(),
                },
                Values::Wide(values) => match wide(groups, weight, self.scale) {
                    Some(value) if fits(value, self.precision.unwrap_or(MAX_WIDE)) => {
                        values.push(if negative { value.wrapping_neg() } else { value });
                        return Ok(());
                    }
                    _ if self.precision.is_some() => return Err(DecimalError),
                    _ if !is_whole(groups, weight, scale) => return Err(DecimalError),
                    _ => self.become_text(),
                },
                Values::Text(_) if !is_whole(groups, weight, scale) => return Err(DecimalError),
                Values::Text(values) => {
                    values.push_with(|out| write_groups(out, negative, groups, weight, scale));
                    return Ok(());
                }
            }
        }
    }

    /// Appends a NULL.
    pub fn push_null(&mut self) {
        if self.precision.is_none() && !matches!(self.values, Values::Text(_)) {
            self.scales.push(0);
        }
        match &mut self.values {
            Values::Narrow(values) => values.push_null(),
            Values::Wide(values) => values.push_null(),
            Values::Text(values) => values.push_null(),
        }
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Narrow(values) => values.len(),
            Values::Wide(values) => values.len(),
            Values::Text(values) => values.len(),
        }
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held so far.
    pub fn byte_len(&self) -> usize {
        match &self.values {
            Values::Narrow(values) => values.byte_len(),
            Values::Wide(values) => values.byte_len(),
            Values::Text(values) => values.byte_len(),
        }
    }

    /// The column and the type found for it: `Decimal`, or `Text` past 76 digits.
    pub fn finish(self) -> (Type, Column) {
        let scale = self.scale as i8;
        match self.values {
            Values::Narrow(values) => {
                let precision = self.precision.unwrap_or(MAX_NARROW) as u8;
                let (values, nulls) = values.into_parts();
                let array = Decimal128Array::new(ScalarBuffer::from(values), nulls);
                let kind = Type::Decimal { precision, scale };
                let array = array.with_data_type(kind.storage());
                (kind, Column::from_array(Arc::new(array)))
            }
            Values::Wide(values) => {
                let precision = self.precision.unwrap_or(MAX_WIDE) as u8;
                let (values, nulls) = values.into_parts();
                let array = Decimal256Array::new(ScalarBuffer::from(values), nulls);
                let kind = Type::Decimal { precision, scale };
                let array = array.with_data_type(kind.storage());
                (kind, Column::from_array(Arc::new(array)))
            }
            Values::Text(values) => match values.finish() {
                Ok(column) => (Type::Text, column),
                Err(_) => unreachable!("decimal text is ASCII"),
            },
        }
    }

    /// Gives every value so far `scale` digits after the point.
    fn raise_scale(&mut self, scale: u32) {
        let more = scale - self.scale;
        let fits = match &mut self.values {
            Values::Narrow(values) => {
                let factor = if scale <= MAX_NARROW { 10_i128.checked_pow(more) } else { None };
                factor.is_some_and(|factor| {
                    values.rescale(|value| {
                        value.checked_mul(factor).filter(|value| value.unsigned_abs() < POW_38)
                    })
                })
            }
            Values::Wide(values) => {
                let factor =
                    if scale <= MAX_WIDE { i256::from_i128(10).checked_pow(more) } else { None };
                factor.is_some_and(|factor| {
                    values.rescale(|value| {
                        value.checked_mul(factor).filter(|value| fits(*value, MAX_WIDE))
                    })
                })
            }
            Values::Text(_) => true,
        };
        if fits {
            self.scale = scale;
            return;
        }
        match self.values {
            Values::Narrow(_) => self.widen(),
            _ => self.become_text(),
        }
        self.raise_scale(scale);
    }

    /// From 128 to 256 bits.
    fn widen(&mut self) {
        if let Values::Narrow(values) = &mut self.values {
            let narrow = std::mem::replace(values, Fixed::new(0));
            self.values = Values::Wide(narrow.map(i256::ZERO, i256::from_i128));
        }
    }

    /// From 256 bits to text.
    fn become_text(&mut self) {
        let Values::Wide(values) = &mut self.values else { return };
        let (values, nulls) = std::mem::replace(values, Fixed::new(i256::ZERO)).into_parts();
        let mut text = Bytes::text();
        for (row, value) in values.into_iter().enumerate() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                text.push_null();
            } else {
                let own = u32::from(self.scales.get(row).copied().unwrap_or(0));
                text.push_with(|out| {
                    write_scaled(out, &value.to_string(), self.scale as i8);
                    // Zeros that only the column's scale had put there, and then a bare point.
                    let point = u32::from(own == 0 && self.scale > 0);
                    let surplus = self.scale.saturating_sub(own) + point;
                    out.truncate(out.len() - surplus as usize);
                });
            }
        }
        self.values = Values::Text(text);
        self.scales = Vec::new();
    }
}

const POW_38: u128 = 10_u128.pow(38);

/// Whether the value has at most `precision` digits, of which there may be 76.
fn fits(value: i256, precision: u32) -> bool {
    // 10^76 is within i256 (its maximum is about 5.8 * 10^76).
    let limit = i256::from_i128(10).checked_pow(precision);
    limit.is_some_and(|limit| value < limit && value > limit.wrapping_neg())
}

/// The absolute value times 10^`scale` where that is a whole number below `limit`.
#[inline]
fn narrow(groups: &[[u8; 2]], weight: i16, scale: u32, limit: u128) -> Option<i128> {
    match quick(groups, weight, scale) {
        Some(value) => (value < limit).then_some(value as i128),
        // The last group's surplus zeros may alone be what 128 bits cannot hold.
        None => wide(groups, weight, scale)?.to_i128().filter(|value| value.unsigned_abs() < limit),
    }
}

/// As [`narrow`], where all groups together fit 128 bits.
#[inline]
fn quick(groups: &[[u8; 2]], weight: i16, scale: u32) -> Option<u128> {
    let mut value: u128 = 0;
    for &group in groups {
        value = value.checked_mul(10_000)?.checked_add(u128::from(u16::from_be_bytes(group)))?;
    }
    if value == 0 {
        return Some(0);
    }
    let shift = exponent(groups.len(), weight, scale);
    let power = 10_u128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        return value.checked_mul(power);
    }
    value.is_multiple_of(power).then(|| value / power)
}

/// The absolute value times 10^`scale` where that is a whole number of at most 76 digits.
fn wide(groups: &[[u8; 2]], weight: i16, scale: u32) -> Option<i256> {
    let mut value = i256::ZERO;
    let ten = i256::from_i128(10);
    // Trailing zero groups are taken off first: with them a number that fits could overflow.
    let kept = groups.iter().rposition(|group| *group != [0, 0]).map_or(0, |last| last + 1);
    let mut shift = exponent(kept, weight, scale);
    for (at, &group) in groups[..kept].iter().enumerate() {
        let digits = u16::from_be_bytes(group);
        // The last group may reach past the scale; its surplus digits must be zeros.
        let (digits, factor) = if at + 1 == kept && (-3..0).contains(&shift) {
            let divisor = 10_u16.pow(shift.unsigned_abs());
            if digits % divisor != 0 {
                return None;
            }
            let factor = i256::from_i128(10_000 / i128::from(divisor));
            shift = 0;
            (digits / divisor, factor)
        } else {
            (digits, i256::from_i128(10_000))
        };
        value = value.checked_mul(factor)?.checked_add(i256::from_i128(i128::from(digits)))?;
    }
    if value == i256::ZERO {
        return Some(value);
    }
    let value = match shift {
        0.. => value.checked_mul(ten.checked_pow(shift.unsigned_abs())?)?,
        _ => return None,
    };
    fits(value, MAX_WIDE).then_some(value)
}

/// Whether the value times 10^`scale` is a whole number.
fn is_whole(groups: &[[u8; 2]], weight: i16, scale: u32) -> bool {
    let Some(last) = groups.iter().rposition(|group| *group != [0, 0]) else { return true };
    match exponent(last + 1, weight, scale) {
        0.. => true,
        shift @ -3..0 => {
            u16::from_be_bytes(groups[last]).is_multiple_of(10_u16.pow(shift.unsigned_abs()))
        }
        _ => false,
    }
}

/// The power of ten of the last group's unit, times 10^`scale`.
fn exponent(groups: usize, weight: i16, scale: u32) -> i32 {
    4 * (i32::from(weight) - groups as i32 + 1) + scale as i32
}

/// Appends the digits of a value as PostgreSQL would print it.
fn write_groups(out: &mut Vec<u8>, negative: bool, groups: &[[u8; 2]], weight: i16, scale: u32) {
    let group = |at: i32| {
        let at = usize::try_from(at).ok();
        at.and_then(|at| groups.get(at)).map_or(0, |&group| u16::from_be_bytes(group))
    };
    let mut text = String::new();
    let weight = i32::from(weight);
    for at in 0..=weight {
        let written = write!(text, "{:04}", group(at));
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    if negative {
        out.push(b'-');
    }
    let whole = text.trim_start_matches('0');
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    text.clear();
    if scale > 0 {
        text.push('.');
        let start = text.len();
        let mut at = weight + 1;
        while text.len() - start < scale as usize {
            let written = write!(text, "{:04}", group(at));
            debug_assert!(written.is_ok(), "a String takes everything");
            at += 1;
        }
        text.truncate(start + scale as usize);
    }
    out.extend_from_slice(text.as_bytes());
}
