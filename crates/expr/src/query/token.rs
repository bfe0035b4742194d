//! A place in an order as text that only who knows the secret can make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rowmill_columns::Scalar;

use crate::ExprError;

const VERSION: u8 = 1;
const SEAL: usize = 16;

/// The place of a row: its keys' values.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The keys' values.
    pub values: Vec<Scalar>,
    /// Whether the rows before it are meant.
    pub backwards: bool,
}

impl Place {
    /// The place as a token for queries of this order, sealed with `secret`.
    ///
    /// # Errors
    /// Where a key's value is of a kind that no order has.
    pub fn token(&self, signature: &str, secret: &[u8]) -> Result<String, ExprError> {
        let mut bytes = vec![VERSION, self.backwards.into()];
        for value in &self.values {
            write(value, &mut bytes)?;
        }
        let seal = seal(&bytes, signature, secret);
        bytes.extend_from_slice(&seal);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The place that a token holds.
    ///
    /// # Errors
    /// Where the token is no token, or was made with another secret or for another order.
    pub fn of(token: &str, signature: &str, secret: &[u8]) -> Result<Self, ExprError> {
        let wrong = || {
            ExprError::new(
                "the page token is none of this query's: it was changed, cut, made for another order or with \
                 another secret; begin at the first page",
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
        let at = bytes.len().checked_sub(SEAL).ok_or_else(wrong)?;
        let (content, sealed) = bytes.split_at(at);
        // As a whole, so that no time tells how much of it was right.
        let right = blake3::Hash::from_bytes(padded(&seal(content, signature, secret)));
        let given = <[u8; SEAL]>::try_from(sealed).map_err(|_| wrong())?;
        if right != blake3::Hash::from_bytes(padded(&given)) {
            return Err(wrong());
        }
        let (&[VERSION, backwards], mut rest) = content.split_first_chunk().ok_or_else(wrong)?
        else {
            return Err(wrong());
        };
        let mut values = Vec::new();
        while !rest.is_empty() {
            let (value, after) = read(rest).ok_or_else(wrong)?;
            values.push(value);
            rest = after;
        }
        Ok(Self { values, backwards: backwards != 0 })
    }
}

fn padded(seal: &[u8; SEAL]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..SEAL].copy_from_slice(seal);
    bytes
}

fn seal(content: &[u8], signature: &str, secret: &[u8]) -> [u8; SEAL] {
    let key = blake3::derive_key("rowmill 2026 page token", secret);
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(&(content.len() as u64).to_le_bytes());
    hasher.update(content);
    hasher.update(signature.as_bytes());
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&hasher.finalize().as_bytes()[..SEAL]);
    seal
}

fn write(value: &Scalar, out: &mut Vec<u8>) -> Result<(), ExprError> {
    let mut text = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Scalar::Null => out.push(0),
        Scalar::Bool(value) => out.extend([1, u8::from(*value)]),
        Scalar::Int(value) => text(2, &value.to_le_bytes()),
        Scalar::Float(value) => text(3, &value.to_le_bytes()),
        Scalar::Decimal(value) => text(4, value.as_bytes()),
        Scalar::Text(value) => text(5, value.as_bytes()),
        Scalar::Bytes(value) => text(6, value),
        Scalar::Uuid(value) => text(7, value),
        Scalar::Date(value) => text(8, &value.to_le_bytes()),
        Scalar::Time(value) => text(9, &value.to_le_bytes()),
        Scalar::Timestamp { micros, utc } => text(10 + u8::from(*utc), &micros.to_le_bytes()),
        other => {
            let message = format!(
                "pages are ordered by numbers, texts, dates and the like, not by {}",
                other.kind()
            );
            return Err(ExprError::new(message));
        }
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Option<(Scalar, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    match tag {
        0 => return Some((Scalar::Null, rest)),
        1 => {
            let (&value, rest) = rest.split_first()?;
            return Some((Scalar::Bool(value != 0), rest));
        }
        _ => {}
    }
    let (length, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let long = || value.try_into().ok().map(i64::from_le_bytes);
    let text = || String::from_utf8(value.to_vec()).ok();
    let value = match tag {
        2 => Scalar::Int(long()?),
        3 => Scalar::Float(f64::from_le_bytes(value.try_into().ok()?)),
        4 => Scalar::Decimal(text()?),
        5 => Scalar::Text(text()?),
        6 => Scalar::Bytes(value.to_vec()),
        7 => Scalar::Uuid(value.try_into().ok()?),
        8 => Scalar::Date(i32::from_le_bytes(value.try_into().ok()?)),
        9 => Scalar::Time(long()?),
        10 | 11 => Scalar::Timestamp { micros: long()?, utc: tag == 11 },
        _ => return None,
    };
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_hold_what_was_put_in_and_nothing_else_is_one() {
        let values = vec![
            Scalar::Null,
            Scalar::Bool(true),
            Scalar::Int(i64::MIN),
            Scalar::Float(-0.5),
            Scalar::Decimal("1.50".into()),
            Scalar::Text("Ünïcode".into()),
            Scalar::Bytes(vec![0, 255]),
            Scalar::Uuid([7; 16]),
            Scalar::Date(-1),
            Scalar::Time(1),
            Scalar::Timestamp { micros: 5, utc: true },
            Scalar::Timestamp { micros: 5, utc: false },
        ];
        let place = Place { values, backwards: true };
        let token = place.token("by id", b"secret").unwrap();
        assert_eq!(Place::of(&token, "by id", b"secret").unwrap(), place);
        assert!(Place::of(&token, "by nick", b"secret").is_err());
        assert!(Place::of(&token, "by id", b"another").is_err());
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(Place::of(&changed, "by id", b"secret").is_err(), "character {at} was changed");
            assert!(Place::of(&token[..at], "by id", b"secret").is_err(), "cut at {at}");
        }
        assert!(place.token("", &[]).is_ok());
        let list = Place { values: vec![Scalar::list([0; 0])], backwards: false };
        assert!(list.token("", b"").is_err());
    }
}
