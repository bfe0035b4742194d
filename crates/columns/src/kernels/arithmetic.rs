use super::numbers::{Cells, Numbers};
use super::{Bits, pack};

/// An operator of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// The sum.
    Add,
    /// The difference.
    Subtract,
    /// The product.
    Multiply,
    /// The quotient as a float; NULL by zero.
    Divide,
    /// The whole quotient towards zero; NULL by zero.
    Quotient,
    /// What the whole quotient leaves, of the dividend's sign; NULL by zero.
    Remainder,
}

/// An integer beyond 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl Arithmetic {
    /// The operator over two integers: `Ok(None)` is NULL.
    ///
    /// ```
    /// use rowmill_columns::kernels::{Arithmetic, Overflow};
    /// assert_eq!(Arithmetic::Quotient.integers(-7, 2), Ok(Some(-3)));
    /// assert_eq!(Arithmetic::Remainder.integers(7, 0), Ok(None));
    /// assert_eq!(Arithmetic::Add.integers(i64::MAX, 1), Err(Overflow));
    /// ```
    #[inline]
    pub fn integers(self, a: i64, b: i64) -> Result<Option<i64>, Overflow> {
        let found = match self {
            Self::Add => a.checked_add(b),
            Self::Subtract => a.checked_sub(b),
            Self::Multiply => a.checked_mul(b),
            Self::Divide | Self::Quotient | Self::Remainder if b == 0 => return Ok(None),
            Self::Divide | Self::Quotient => a.checked_div(b),
            // i64::MIN % -1 is zero, though its quotient overflows.
            Self::Remainder => Some(a.wrapping_rem(b)),
        };
        found.map(Some).ok_or(Overflow)
    }

    /// The operator over two floats: `None` is NULL.
    #[inline]
    pub fn floats(self, a: f64, b: f64) -> Option<f64> {
        match self {
            Self::Add => Some(a + b),
            Self::Subtract => Some(a - b),
            Self::Multiply => Some(a * b),
            Self::Divide | Self::Quotient | Self::Remainder if b == 0.0 => None,
            Self::Divide => Some(a / b),
            Self::Quotient => Some((a / b).trunc()),
            Self::Remainder => Some(a % b),
        }
    }

    /// The operator row by row; an integer beside a float is that float, and division is of floats.
    ///
    /// # Errors
    /// If an integer of a `wanted` row is beyond 64 bits.
    pub fn apply(self, a: &Numbers, b: &Numbers, wanted: &Bits) -> Result<Numbers, Overflow> {
        let known = a.known & b.known;
        if let (Cells::Ints(a), Cells::Ints(b)) = (&a.cells, &b.cells)
            && self != Self::Divide
        {
            return self.over_integers(a, b, known, wanted);
        }
        let (a, b) = (a.cells.floats(), b.cells.floats());
        let cells = a.iter().zip(&*b);
        let cells = cells.map(|(&a, &b)| self.floats(a, b).unwrap_or_default()).collect();
        let known = match self {
            Self::Add | Self::Subtract | Self::Multiply => known,
            _ => known & pack::pack(&b, |b| b != 0.0),
        };
        Ok(Numbers { cells: Cells::Floats(cells), known })
    }

    fn over_integers(
        self,
        a: &[i64],
        b: &[i64],
        known: Bits,
        wanted: &Bits,
    ) -> Result<Numbers, Overflow> {
        let mut known = known;
        let pairs = || a.iter().zip(b);
        // Whether any row overflows, a NULL's slot among them, is found without a branch a row.
        let (cells, over): (Vec<i64>, bool) = match self {
            Self::Add => overflowing(pairs(), i64::overflowing_add),
            Self::Subtract => overflowing(pairs(), i64::overflowing_sub),
            Self::Multiply => overflowing(pairs(), i64::overflowing_mul),
            Self::Divide | Self::Quotient | Self::Remainder => {
                known = known & pack::pack(b, |b| b != 0);
                overflowing(pairs(), |a, b| match self {
                    _ if b == 0 => (0, false),
                    Self::Remainder => (a.wrapping_rem(b), false),
                    _ => a.overflowing_div(b),
                })
            }
        };
        if over {
            let asked = (*wanted & known).iter().take_while(|&row| row < a.len());
            for row in asked {
                self.integers(a[row], b[row])?;
            }
        }
        Ok(Numbers { cells: Cells::Ints(cells), known })
    }
}

#[inline(always)]
fn overflowing<'a>(
    pairs: impl Iterator<Item = (&'a i64, &'a i64)>,
    apply: impl Fn(i64, i64) -> (i64, bool),
) -> (Vec<i64>, bool) {
    let mut any = false;
    let cells = pairs.map(|(&a, &b)| {
        let (cell, over) = apply(a, b);
        any |= over;
        cell
    });
    let cells = cells.collect();
    (cells, any)
}
