use rowmill_columns::build::Decimal;

use super::CellError;
use crate::error::MORE_DIGITS;

/// Appends a `numeric`: the number of groups, the first one's weight, the sign, the digits after
/// the point, then the groups of four digits.
#[inline(never)]
pub(super) fn push(decimals: &mut Decimal, cell: &[u8]) -> Result<(), CellError> {
    let Some((&[n1, n0, w1, w0, s1, s0, d1, d0], groups)) = cell.split_first_chunk::<8>() else {
        return Err(CellError::Malformed("a numeric without its header"));
    };
    let count = usize::from(u16::from_be_bytes([n1, n0]));
    let negative = match [s1, s0] {
        [0x00, 0] => false,
        [0x40, 0] => true,
        [0xc0, 0] => return Err(CellError::Unrepresentable("NaN, which no decimal is")),
        [0xd0 | 0xf0, 0] => {
            return Err(CellError::Unrepresentable("an infinite numeric, which no decimal is"));
        }
        _ => return Err(CellError::Malformed("a numeric of an unknown sign")),
    };
    let scale = u16::from_be_bytes([d1, d0]);
    if groups.len() != count * 2 || scale > MAX_SCALE {
        return Err(CellError::Malformed("a numeric whose length does not fit its digits"));
    }
    let weight = i16::from_be_bytes([w1, w0]);
    decimals
        .push(negative, groups, weight, scale)
        .map_err(|_| CellError::Unrepresentable(MORE_DIGITS))
}

/// PostgreSQL's own bound of the digits after the point (NUMERIC_DSCALE_MASK).
const MAX_SCALE: u16 = 0x3fff;
