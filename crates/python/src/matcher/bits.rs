use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::prelude::*;

use crate::errors;

/// Sets the bit of each id, the least significant one of a byte first; none where one is not in the bitmap.
pub(super) fn set(py: Python<'_>, ids: &[u64], bitmap: &[AtomicU8]) -> PyResult<()> {
    let signed = |id: &u64| *id as i64;
    if let Some(least) = ids.iter().map(signed).min().filter(|&least| least < 0) {
        let message = format!("the id {least} has no bit in a bitmap; ids that have are 0 or more");
        return Err(errors::programming(py, &message));
    }
    if let Some(&largest) = ids.iter().max().filter(|&&id| id / 8 >= bitmap.len() as u64) {
        let (bytes, needed) = (bitmap.len(), largest / 8 + 1);
        let message = format!(
            "the id {largest} is beyond the bitmap, which has {bytes} bytes and would need {needed}"
        );
        return Err(errors::programming(py, &message));
    }
    for id in ids {
        bitmap[(id / 8) as usize].fetch_or(1 << (id % 8), Ordering::Relaxed);
    }
    Ok(())
}
