const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes read at a time: a multiple of three, so that only a value's end is padded.
pub(super) const BLOCK: usize = 3 * 1024;

/// Writes bytes in base64 (RFC 4648, padded) to the beginning of `to`, which must have room for
/// four bytes for each three, and says how many bytes that took.
pub(super) fn encode(to: &mut [u8], bytes: &[u8]) -> usize {
    let (triples, rest) = bytes.as_chunks::<3>();
    let len = bytes.len().div_ceil(3) * 4;
    let quads = to[..len].as_chunks_mut::<4>().0;
    for (quad, &[a, b, c]) in quads.iter_mut().zip(triples) {
        *quad = symbols(a, b, c);
    }
    if let (Some(quad), Some(&a)) = (quads.last_mut(), rest.first()) {
        *quad = symbols(a, rest.get(1).copied().unwrap_or(0), 0);
        quad[3] = b'=';
        if rest.len() == 1 {
            quad[2] = b'=';
        }
    }
    len
}

#[inline]
fn symbols(a: u8, b: u8, c: u8) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift) as usize & 63])
}
