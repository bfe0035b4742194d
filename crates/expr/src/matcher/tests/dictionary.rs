use crate::matcher::dictionary::Dictionary;
use crate::matcher::key::Key;

/// Texts that differ in their length alone, or in one byte.
#[test]
fn texts_of_every_length_are_told_apart() {
    let mut texts = Vec::new();
    for length in 0..=20 {
        for byte in [0, b'a', 0xff] {
            let plain = vec![byte; length];
            for at in 0..length {
                let mut other = plain.clone();
                other[at] ^= 1;
                texts.push(other);
            }
            texts.push(plain);
        }
    }
    texts.sort();
    texts.dedup();
    let mut dictionary = Dictionary::default();
    for (id, text) in (0..).zip(&texts) {
        assert_eq!(dictionary.find(Key::Bytes(text)), None, "{text:?}");
        assert_eq!(dictionary.intern(Key::Bytes(text)), id, "{text:?}");
    }
    for (id, text) in (0..).zip(&texts) {
        assert_eq!(dictionary.find(Key::Bytes(text)), Some(id), "{text:?}");
    }
    assert_eq!(dictionary.len(), texts.len());
    assert!(dictionary.texts().into_iter().map(|text| text.into_owned()).eq(texts));
}
