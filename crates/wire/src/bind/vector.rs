use rowmill_columns::Scalar;

use super::{scalar, unfit};
use crate::oid::Kind;

/// Appends a vector, given as a list of numbers: how many in 16 bits, 16 bits of no use, the elements.
pub(super) fn write(out: &mut Vec<u8>, value: &Scalar) -> Result<(), String> {
    let Scalar::List(list) = value else { return Err(unfit(value, "a list of numbers")) };
    let count = i16::try_from(list.len()).map_err(|_| "it has too many elements".to_owned())?;
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    for (at, element) in list.iter().enumerate() {
        scalar::write(out, Kind::Float4, element)
            .map_err(|message| format!("element {}: {message}", at + 1))?;
    }
    Ok(())
}
