use rowmill_columns::build::Bytes;

use super::CellError;

/// Appends a `jsonb`: a version, then the text.
#[inline]
pub(super) fn push_jsonb(texts: &mut Bytes, cell: &[u8]) -> Result<(), CellError> {
    texts.push(jsonb(cell)?);
    Ok(())
}

/// The text of a `jsonb`.
#[inline]
pub(super) fn jsonb(cell: &[u8]) -> Result<&[u8], CellError> {
    match cell.split_first() {
        Some((1, text)) => Ok(text),
        _ => Err(CellError::Malformed("a jsonb that is not of version 1")),
    }
}

/// Appends a `"char"`: one byte, written as PostgreSQL prints it (nothing for zero, `\303` for
/// what is not ASCII).
#[inline(never)]
pub(super) fn push_char(texts: &mut Bytes, cell: &[u8]) -> Result<(), CellError> {
    match cell {
        [0] => texts.push(b""),
        [byte @ 0x80..=0xff] => {
            let digit = |shift: u8| b'0' + ((byte >> shift) & 7);
            texts.push(&[b'\\', digit(6), digit(3), digit(0)]);
        }
        [_] => texts.push(cell),
        _ => return Err(CellError::Malformed("a \"char\" that is not one byte")),
    }
    Ok(())
}
