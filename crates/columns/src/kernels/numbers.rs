use std::sync::Arc;

use arrow_array::Decimal128Array;
use arrow_buffer::ScalarBuffer;

use super::compare::{Comparison, float_pairs, integer_pairs};
use super::view::{Values, View};
use super::{Bits, Mask};
use crate::build::Fixed;
use crate::{Column, DecimalValue, Type};

/// The numbers of a chunk's rows, read from a column or computed: integers of 64 bits, dates and
/// times among them, or floats.
#[derive(Clone, Debug)]
pub struct Numbers {
    pub(crate) cells: Cells,
    pub(crate) known: Bits,
}

#[derive(Clone, Debug)]
pub(crate) enum Cells {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

impl Numbers {
    /// Whether columns of this type can be [read](Self::read). Unsigned integers of 64 bits cannot,
    /// for they need not be integers of 64 bits here.
    pub fn reads(kind: &Type) -> bool {
        matches!(
            kind,
            Type::Int8
                | Type::Int16
                | Type::Int32
                | Type::Int64
                | Type::UInt8
                | Type::UInt16
                | Type::UInt32
                | Type::Float32
                | Type::Float64
                | Type::Date
                | Type::Time
                | Type::Timestamp { .. }
        )
    }

    /// The rows `start` to `start + len` of a column of a type that [can be read](Self::reads).
    ///
    /// # Panics
    /// If there are not so many rows.
    pub fn read(column: &Column, start: usize, len: usize) -> Option<Self> {
        let view = View::new(column);
        let rows = start..start + len;
        macro_rules! ints {
            ($cells:expr) => {
                Cells::Ints($cells[rows].iter().map(|&cell| cell.into()).collect())
            };
        }
        let cells = match view.values {
            Values::I8(cells) => ints!(cells),
            Values::I16(cells) => ints!(cells),
            Values::I32(cells) => ints!(cells),
            Values::I64(cells) => Cells::Ints(cells[rows].to_vec()),
            Values::U8(cells) => ints!(cells),
            Values::U16(cells) => ints!(cells),
            Values::U32(cells) => ints!(cells),
            Values::F32(cells) => {
                Cells::Floats(cells[rows].iter().map(|&cell| cell.into()).collect())
            }
            Values::F64(cells) => Cells::Floats(cells[rows].to_vec()),
            _ => return None,
        };
        Some(Self { cells, known: Bits::valid(view.nulls, start, len) })
    }

    /// `len` times the same integer.
    #[must_use]
    pub fn int(value: i64, len: usize) -> Self {
        Self { cells: Cells::Ints(vec![value; len]), known: Bits::ALL }
    }

    /// `len` times the same float.
    #[must_use]
    pub fn float(value: f64, len: usize) -> Self {
        Self { cells: Cells::Floats(vec![value; len]), known: Bits::ALL }
    }

    /// Which rows have a number.
    pub fn known(&self) -> &Bits {
        &self.known
    }

    /// The integer of a row; `None` where it is NULL or a float.
    pub fn int_at(&self, row: usize) -> Option<i64> {
        match &self.cells {
            Cells::Ints(cells) => cells.get(row).copied().filter(|_| self.known.has(row)),
            Cells::Floats(_) => None,
        }
    }

    /// The float of a row; `None` where it is NULL or an integer.
    pub fn float_at(&self, row: usize) -> Option<f64> {
        match &self.cells {
            Cells::Floats(cells) => cells.get(row).copied().filter(|_| self.known.has(row)),
            Cells::Ints(_) => None,
        }
    }

    /// Compares row by row; an integer beside a float is that float.
    pub fn compare(&self, other: &Self, comparison: Comparison) -> Mask {
        let known = self.known & other.known;
        let truth = match (&self.cells, &other.cells) {
            (Cells::Ints(a), Cells::Ints(b)) => integer_pairs(a, b, comparison),
            (a, b) => float_pairs(&a.floats(), &b.floats(), comparison),
        };
        Mask { truth: truth & known, known }
    }
}

impl Cells {
    pub(crate) fn floats(&self) -> std::borrow::Cow<'_, [f64]> {
        match self {
            Self::Ints(cells) => cells.iter().map(|&cell| cell as f64).collect(),
            Self::Floats(cells) => cells.into(),
        }
    }
}

/// Compares two columns of one type row by row, over the rows `start` to `start + len`; `None`
/// where this has no kernel for how they are stored.
///
/// # Panics
/// If there are not so many rows.
pub fn compare_columns(
    (a_kind, a): (&Type, &Column),
    (b_kind, b): (&Type, &Column),
    comparison: Comparison,
    start: usize,
    len: usize,
    wanted: &Bits,
) -> Option<Mask> {
    let numeric = |kind: &Type| {
        !matches!(kind, Type::Date | Type::Time | Type::Timestamp { .. }) && Numbers::reads(kind)
    };
    if (a_kind == b_kind && Numbers::reads(a_kind)) || (numeric(a_kind) && numeric(b_kind)) {
        let (a, b) = (Numbers::read(a, start, len)?, Numbers::read(b, start, len)?);
        return Some(a.compare(&b, comparison));
    }
    let (a, b) = (View::new(a), View::new(b));
    let known = Bits::valid(a.nulls, start, len) & Bits::valid(b.nulls, start, len);
    let asked = *wanted & known;
    let truth = match (&a.values, &b.values) {
        (Values::Bytes(a), Values::Bytes(b)) if a_kind == b_kind => {
            asked.keep(|row| comparison.holds(a.get(start + row).cmp(b.get(start + row))))
        }
        (Values::Uuid(a), Values::Uuid(b)) if a_kind == b_kind => {
            asked.keep(|row| comparison.holds(a[start + row].cmp(&b[start + row])))
        }
        (Values::Bool(a), Values::Bool(b)) => {
            asked.keep(|row| comparison.holds(a.value(start + row).cmp(&b.value(start + row))))
        }
        (Values::I128(a), Values::I128(b))
            if scale(a_kind).is_some() && scale(a_kind) == scale(b_kind) =>
        {
            asked.keep(|row| comparison.holds(a[start + row].cmp(&b[start + row])))
        }
        (Values::U64(a), Values::U64(b)) => {
            asked.keep(|row| comparison.holds(a[start + row].cmp(&b[start + row])))
        }
        _ => return None,
    };
    Some(Mask { truth, known })
}

fn scale(kind: &Type) -> Option<i8> {
    match kind {
        Type::Decimal { scale, .. } => Some(*scale),
        _ => None,
    }
}

/// A column of decimals, at the finest scale of them all; `None` where 38 digits do not hold one of them
/// at that scale.
///
/// ```
/// use rowmill_columns::kernels::decimals;
/// use rowmill_columns::{DecimalValue, Type};
/// let cells = [Some(DecimalValue::new(125, 1)), None, Some(DecimalValue::new(1, 2))];
/// let (kind, column) = decimals(&cells).unwrap();
/// assert_eq!(kind, Type::Decimal { precision: 38, scale: 2 });
/// assert_eq!(column.value(&kind, 0).to_string(), "12.50");
/// ```
pub fn decimals(cells: &[Option<DecimalValue>]) -> Option<(Type, Column)> {
    let scale = cells.iter().flatten().map(DecimalValue::scale).fold(0, i8::max);
    let mut out = Fixed::new(0_i128);
    for cell in cells {
        let Some(cell) = cell else {
            out.push_null();
            continue;
        };
        let power = 10_i128.checked_pow((i32::from(scale) - i32::from(cell.scale())) as u32)?;
        let unscaled = cell.unscaled()?.checked_mul(power)?;
        out.push(Some(unscaled).filter(|value| value.unsigned_abs() < 10_u128.pow(38))?);
    }
    let (values, nulls) = out.into_parts();
    let array = Decimal128Array::new(ScalarBuffer::from(values), nulls);
    let array = array.with_precision_and_scale(38, scale).ok()?;
    Some((Type::Decimal { precision: 38, scale }, Column::from_array(Arc::new(array))))
}
