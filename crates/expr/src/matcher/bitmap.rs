use crate::ExprError;

/// Sets the bit of each id, where the bitmap has so many bytes: `set` is called with the byte and the bit in it. None is
/// set where one is beyond the bitmap.
///
/// # Errors
/// Where an id is beyond the bitmap.
pub fn set_bits(
    ids: &[u64],
    bytes: usize,
    mut set: impl FnMut(usize, u8),
) -> Result<(), ExprError> {
    if let Some(largest) = ids.iter().max().filter(|&&id| id / 8 >= bytes as u64) {
        return Err(ExprError::new(format!(
            "the id {largest} is beyond the bitmap, which has {bytes} bytes and would need {}",
            largest / 8 + 1
        )));
    }
    for id in ids {
        set((id / 8) as usize, 1 << (id % 8));
    }
    Ok(())
}
