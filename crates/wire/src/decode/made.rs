//! Types that become the text PostgreSQL prints of them.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::io::Write as _;

use rowmill_columns::build::Bytes;
use rowmill_columns::text::time_with_zone;

use super::CellError;
use crate::oid::Kind;

/// A column of text that is made of what the server sends.
#[derive(Debug)]
pub(crate) struct MadeText {
    pub(super) kind: Kind,
    pub(super) texts: Bytes,
}

impl MadeText {
    #[inline(never)]
    pub(super) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        let mut made = Ok(());
        self.texts.push_with(|out| {
            made = match self.kind {
                Kind::Inet => inet(out, cell),
                Kind::Macaddr => macaddr(out, cell),
                Kind::Bits => bits(out, cell),
                _ => timetz(out, cell),
            }
            .ok_or(CellError::Malformed("a value that does not have its type's form"));
        });
        made
    }
}

/// Family (2 or 3), length of the mask, whether it is a `cidr`, length of the address, the address.
fn inet(out: &mut Vec<u8>, cell: &[u8]) -> Option<()> {
    let (&[family, mask, is_cidr, len], address) = cell.split_first_chunk::<4>()?;
    let most = match (family, len, address) {
        (2, 4, &[a, b, c, d]) => {
            write!(out, "{}", Ipv4Addr::new(a, b, c, d)).ok()?;
            32
        }
        (3, 16, _) => {
            ipv6(out, Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?))?;
            128
        }
        _ => return None,
    };
    if is_cidr > 1 || mask > most {
        return None;
    }
    if is_cidr == 1 || mask < most {
        write!(out, "/{mask}").ok()?;
    }
    Some(())
}

/// PostgreSQL prints what is left of an address of the form `::a.b.c.d` as that, unlike Rust.
fn ipv6(out: &mut Vec<u8>, address: Ipv6Addr) -> Option<()> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            let [.., a, b, c, d] = address.octets();
            write!(out, "::{}", Ipv4Addr::new(a, b, c, d)).ok()
        }
        _ => write!(out, "{address}").ok(),
    }
}

fn macaddr(out: &mut Vec<u8>, cell: &[u8]) -> Option<()> {
    if !matches!(cell.len(), 6 | 8) {
        return None;
    }
    for (at, byte) in cell.iter().enumerate() {
        let colon = if at > 0 { ":" } else { "" };
        write!(out, "{colon}{byte:02x}").ok()?;
    }
    Some(())
}

/// How many bits, then the bits, the first the highest.
fn bits(out: &mut Vec<u8>, cell: &[u8]) -> Option<()> {
    let (&count, bytes) = cell.split_first_chunk::<4>()?;
    let count = u32::from_be_bytes(count) as usize;
    if bytes.len() != count.div_ceil(8) {
        return None;
    }
    out.extend((0..count).map(|at| b'0' + (bytes[at / 8] >> (7 - at % 8) & 1)));
    Some(())
}

/// Microseconds since midnight, then seconds west of Greenwich.
fn timetz(out: &mut Vec<u8>, cell: &[u8]) -> Option<()> {
    let (&micros, zone) = cell.split_first_chunk::<8>()?;
    let west = i32::from_be_bytes(zone.try_into().ok()?);
    let text = time_with_zone(i64::from_be_bytes(micros), west.checked_neg()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}
