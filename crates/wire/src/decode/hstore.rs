use rowmill_columns::build::TextMap;

use super::CellError;

/// Appends an `hstore`: how many pairs, then of each the key's length, the key, the value's length,
/// the value.
#[inline(never)]
pub(super) fn push(maps: &mut TextMap, cell: &[u8]) -> Result<(), CellError> {
    let Some((&count, mut rest)) = cell.split_first_chunk::<4>() else { return Err(MALFORMED) };
    for _ in 0..u32::from_be_bytes(count) {
        let Some((Some(key), after)) = super::with_length(rest) else { return Err(MALFORMED) };
        let (value, after) = super::with_length(after).ok_or(MALFORMED)?;
        maps.push_entry(key, value);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(MALFORMED);
    }
    if maps.push() { Ok(()) } else { Err(CellError::Unrepresentable("more than 2^31 pairs")) }
}

const MALFORMED: CellError = CellError::Malformed("an hstore that contradicts itself");
