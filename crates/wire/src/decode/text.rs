use rowmill_columns::build::Bytes;

use super::CellError;

/// Appends a `jsonb`: a version, then the text.
#[inline]
pub(super) fn push_jsonb(texts: &mut Bytes, cell: &[u8]) -> Result<(), CellError> {
    let Some((1, text)) = cell.split_first() else {
        return Err(CellError::Malformed("a jsonb that is not of version 1"));
    };
    texts.push(text);
    Ok(())
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
