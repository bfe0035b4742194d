//! Page tokens: any text, and any content under a right seal, is a place that gives itself again, or an error.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use rowmill_expr::query::Place;

const SECRET: &[u8] = b"secret";
const ORDER: &str = "by id";

/// What only who knows the secret can make; here, so that what comes after the seal is reached.
fn sealed(content: &[u8]) -> String {
    let key = blake3::derive_key("rowmill 2026 page token", SECRET);
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(&(content.len() as u64).to_le_bytes());
    hasher.update(content);
    hasher.update(ORDER.as_bytes());
    let mut bytes = content.to_vec();
    bytes.extend_from_slice(&hasher.finalize().as_bytes()[..16]);
    URL_SAFE_NO_PAD.encode(bytes)
}

fuzz_target!(|content: &[u8]| {
    if let Ok(text) = std::str::from_utf8(content) {
        // The seal is of 128 bits.
        assert!(Place::of(text, ORDER, SECRET).is_err());
    }
    if let Ok(place) = Place::of(&sealed(content), ORDER, SECRET) {
        let token = place.token(ORDER, SECRET).expect("it was in a token");
        // Not the places themselves, for NaN is not equal to NaN.
        let again = Place::of(&token, ORDER, SECRET).expect("it is a token");
        assert_eq!(again.token(ORDER, SECRET).expect("it was in a token"), token);
    }
});
