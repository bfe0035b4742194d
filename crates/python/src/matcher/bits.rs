use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::prelude::*;
use rowmill::matcher::set_bits;

use crate::errors;

/// Sets the bit of each id, the least significant one of a byte first; none where one is not in the bitmap.
pub(super) fn set(py: Python<'_>, ids: &[u64], bitmap: &[AtomicU8]) -> PyResult<()> {
    let signed = |id: &u64| *id as i64;
    if let Some(least) = ids.iter().map(signed).min().filter(|&least| least < 0) {
        let message = format!("the id {least} has no bit in a bitmap; ids that have are 0 or more");
        return Err(errors::programming(py, &message));
    }
    let set = |byte: usize, bit| {
        bitmap[byte].fetch_or(bit, Ordering::Relaxed);
    };
    set_bits(ids, bitmap.len(), set).map_err(|error| errors::programming(py, &error.to_string()))
}
