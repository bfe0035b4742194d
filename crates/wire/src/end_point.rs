//! What a login is tied to: the hash of the server's certificate (RFC 5929, `tls-server-end-point`).

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
/// `[0]`: the hash among the parameters of RSASSA-PSS.
const FIRST: u8 = 0xa0;

/// 1.2.840.113549.1.1, RSA; what follows tells the hash.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// 1.2.840.10045.4, ECDSA.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
/// 2.16.840.1.101.3.4.2, the hashes of the second family by themselves.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// The hash of a certificate (DER) by the function that it is signed with, where that is one: of
/// SHA-1 and MD5 it is SHA-256 instead. None for signatures without a hash of their own, as Ed25519,
/// and for what is no certificate.
pub(crate) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (whole, _) = element(certificate, SEQUENCE)?;
    let (_signed, rest) = element(whole, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    let (name, parameters) = element(algorithm, OID)?;
    Some(match hash_of(name, parameters)? {
        224 => Sha224::digest(certificate).to_vec(),
        256 => Sha256::digest(certificate).to_vec(),
        384 => Sha384::digest(certificate).to_vec(),
        _ => Sha512::digest(certificate).to_vec(),
    })
}

/// The length of the hash, in bits.
fn hash_of(signature: &[u8], parameters: &[u8]) -> Option<u16> {
    if let Some(rest) = signature.strip_prefix(RSA) {
        return match rest {
            [4 | 5 | 11] => Some(256),
            [12] => Some(384),
            [13] => Some(512),
            [14] => Some(224),
            // RSASSA-PSS: its parameters name the hash, and SHA-1 where they do not.
            [10] => {
                let (parameters, _) = element(parameters, SEQUENCE)?;
                let Some((hash, _)) = element(parameters, FIRST) else { return Some(256) };
                let (hash, _) = element(hash, SEQUENCE)?;
                let (name, _) = element(hash, OID)?;
                match name.strip_prefix(SHA2) {
                    Some([1]) => Some(256),
                    Some([2]) => Some(384),
                    Some([3]) => Some(512),
                    Some([4]) => Some(224),
                    _ => None,
                }
            }
            _ => None,
        };
    }
    match signature.strip_prefix(ECDSA)? {
        [1] | [3, 2] => Some(256),
        [3, 1] => Some(224),
        [3, 3] => Some(384),
        [3, 4] => Some(512),
        _ => None,
    }
}

/// The DER element of a kind that `bytes` begin with, and what follows it.
fn element(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (&len, rest) = rest.split_first()?;
    let (len, rest) = if len < 0x80 {
        (usize::from(len), rest)
    } else {
        // A certificate is shorter than 2^24 bytes: TLS says so.
        let digits = usize::from(len & 0x7f);
        let (digits, rest) = (1..=3).contains(&digits).then(|| rest.split_at_checked(digits))??;
        (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
    };
    let (body, rest) = rest.split_at_checked(len)?;
    (first == kind).then_some((body, rest))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256, Sha384, Sha512};

    use super::{ECDSA, FIRST, OID, RSA, SEQUENCE, SHA2, end_point};

    fn der(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = body.len();
        let len = match len {
            0..0x80 => vec![len as u8],
            _ => vec![0x82, (len >> 8) as u8, len as u8],
        };
        [vec![kind], len, body.to_vec()].concat()
    }

    fn certificate(signature: &[u8], parameters: &[u8]) -> Vec<u8> {
        let algorithm = [der(OID, signature), parameters.to_vec()].concat();
        let signed = der(SEQUENCE, &[7; 300]);
        der(SEQUENCE, &[signed, der(SEQUENCE, &algorithm), der(3, &[0; 70])].concat())
    }

    #[test]
    fn the_signatures_own_hash_is_taken() {
        let name = |family: &[u8], rest: &[u8]| [family, rest].concat();
        for old in [name(RSA, &[4]), name(RSA, &[5]), name(ECDSA, &[1])] {
            let it = certificate(&old, &[5, 0]);
            assert_eq!(end_point(&it), Some(Sha256::digest(&it).to_vec()));
        }
        let it = certificate(&name(ECDSA, &[3, 3]), &[]);
        assert_eq!(end_point(&it), Some(Sha384::digest(&it).to_vec()));
        let it = certificate(&name(RSA, &[13]), &[5, 0]);
        assert_eq!(end_point(&it), Some(Sha512::digest(&it).to_vec()));
        let hash = der(FIRST, &der(SEQUENCE, &der(OID, &name(SHA2, &[2]))));
        let it = certificate(&name(RSA, &[10]), &der(SEQUENCE, &hash));
        assert_eq!(end_point(&it), Some(Sha384::digest(&it).to_vec()));
        let it = certificate(&name(RSA, &[10]), &der(SEQUENCE, &[]));
        assert_eq!(end_point(&it), Some(Sha256::digest(&it).to_vec()));
    }

    #[test]
    fn what_has_no_hash_has_none() {
        let ed25519 = certificate(&[0x2b, 0x65, 0x70], &[]);
        assert_eq!(end_point(&ed25519), None);
        let good = certificate(&[RSA, &[11]].concat(), &[5, 0]);
        for len in 0..good.len() {
            // Cut anywhere it is none; and nothing is read past its end.
            assert_eq!(end_point(&good[..len]), None);
        }
        assert_eq!(end_point(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
