//! Dates and times: PostgreSQL counts from 2000-01-01, columns from 1970-01-01.

use super::CellError;
use crate::bind::{EPOCH_DAYS, EPOCH_MICROS};

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Days since 2000 to days since 1970.
#[inline]
pub(super) fn date(days: i32) -> Result<i32, CellError> {
    match days.checked_add(EPOCH_DAYS) {
        Some(shifted) if days != i32::MIN => Ok(shifted),
        _ => Err(if days == i32::MIN || days == i32::MAX {
            CellError::Unrepresentable("an infinite date")
        } else {
            CellError::Malformed("a date beyond all dates")
        }),
    }
}

/// Microseconds since 2000 to microseconds since 1970.
#[inline]
pub(super) fn timestamp(micros: i64) -> Result<i64, CellError> {
    match micros.checked_add(EPOCH_MICROS) {
        Some(shifted) if micros != i64::MIN => Ok(shifted),
        _ => Err(if micros == i64::MIN || micros == i64::MAX {
            CellError::Unrepresentable("an infinite timestamp")
        } else {
            // 64 bits of microseconds reach as far from 1970 as from 2000: PostgreSQL's last 30
            // years, to 294276, have no place.
            CellError::Unrepresentable("a timestamp after 294247-01-10")
        }),
    }
}

/// Microseconds since midnight. `24:00:00` is a time to PostgreSQL and to nobody else: Arrow's
/// time, Python's and Polars' end before it.
#[inline]
pub(super) fn time(micros: i64) -> Result<i64, CellError> {
    match micros {
        0..MICROS_A_DAY => Ok(micros),
        MICROS_A_DAY => Err(CellError::Unrepresentable("the time 24:00:00")),
        _ => Err(CellError::Malformed("a time outside of the day")),
    }
}

/// Microseconds, days, months to what the column holds: months, days, nanoseconds, side by side.
#[inline]
pub(super) fn interval(cell: [u8; 16]) -> Result<i128, CellError> {
    let (months, days, nanos) = interval_parts(cell)?;
    let mut slot = [0; 16];
    slot[..4].copy_from_slice(&months.to_ne_bytes());
    slot[4..8].copy_from_slice(&days.to_ne_bytes());
    slot[8..].copy_from_slice(&nanos.to_ne_bytes());
    Ok(i128::from_ne_bytes(slot))
}

/// Months, days and nanoseconds.
#[inline]
pub(super) fn interval_parts(cell: [u8; 16]) -> Result<(i32, i32, i64), CellError> {
    let bits = u128::from_be_bytes(cell);
    let (micros, days, months) = ((bits >> 64) as i64, (bits >> 32) as i32, bits as i32);
    let Some(nanos) = micros.checked_mul(1_000) else {
        let what = if micros == i64::MAX || micros == i64::MIN {
            "an infinite interval"
        } else {
            "an interval of more than 292 years in its time part"
        };
        return Err(CellError::Unrepresentable(what));
    };
    Ok((months, days, nanos))
}
