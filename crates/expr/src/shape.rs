use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::hash::Hasher as _;

/// Makes the identity of what a query looks like, its values left out: 128 bits of SipHash, so that no two
/// that anybody builds are the same by chance, at 15 ns for a node.
pub(crate) struct Shape(SipHasher13);

impl Shape {
    /// The shape of a thing of this sort.
    pub(crate) fn of(sort: u8) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write_u8(sort);
        Self(hasher)
    }

    /// The shape of a value of a kind: drawn once, and found without a hash, for half of all nodes are values.
    pub(crate) fn of_value(kind: u64) -> u128 {
        const FIRST: u128 = 0x7d1f_86c3_05ab_e94f_2b60_d5f8_913c_47e1;
        const STEP: u128 = 0x3a95_e07b_c4d2_6819_f7e3_10ac_5d8b_926d;
        FIRST.wrapping_add(STEP.wrapping_mul(kind.into()))
    }

    pub(crate) fn with(mut self, part: u128) -> Self {
        self.add(part);
        self
    }

    pub(crate) fn add(&mut self, part: u128) {
        self.0.write_u64(part as u64);
        self.0.write_u64((part >> 64) as u64);
    }

    pub(crate) fn number(&mut self, part: u64) {
        self.0.write_u64(part);
    }

    /// A text, with its length so that no two texts run together.
    pub(crate) fn text(&mut self, part: &str) {
        self.0.write_u64(part.len() as u64);
        self.0.write(part.as_bytes());
    }

    pub(crate) fn optional_text(&mut self, part: Option<&str>) {
        match part {
            Some(part) => self.text(part),
            None => self.0.write_u64(u64::MAX),
        }
    }

    pub(crate) fn finish(&self) -> u128 {
        self.0.finish128().as_u128()
    }
}
