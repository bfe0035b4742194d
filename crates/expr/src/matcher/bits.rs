use crate::ExprError;

/// Sets the bit of each id in a bitmap, the least significant bit of a byte first, as Arrow has it.
///
/// # Errors
/// The largest id, where the bitmap ends before it. Nothing is set then.
pub(super) fn set(ids: &[u64], bitmap: &mut [u8]) -> Result<(), ExprError> {
    let bits = bitmap.len() as u64 * 8;
    if let Some(&largest) = ids.iter().max().filter(|&&largest| largest >= bits) {
        return Err(ExprError::new(format!(
            "the expression {largest} is beyond the bitmap, which has {} bytes and would need {}",
            bitmap.len(),
            largest / 8 + 1
        )));
    }
    for id in ids {
        bitmap[(id / 8) as usize] |= 1 << (id % 8);
    }
    Ok(())
}
