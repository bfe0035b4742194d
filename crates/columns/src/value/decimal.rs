use std::fmt;

use arrow_buffer::i256;

/// An exact decimal: a whole number and how many of its digits follow the point.
///
/// `Display` prints every digit, as PostgreSQL does: `-0.50`, `12.00`, `1200` for a scale of -2.
/// Two decimals are equal if they print alike, so `1.0` is not `1.00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecimalValue {
    unscaled: Unscaled,
    scale: i8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unscaled {
    Narrow(i128),
    Wide(i256),
}

impl DecimalValue {
    /// The value `unscaled` / 10^`scale`.
    ///
    /// ```
    /// let price = rowmill_columns::DecimalValue::new(-1_250, 2);
    /// assert_eq!(price.to_string(), "-12.50");
    /// ```
    pub fn new(unscaled: i128, scale: i8) -> Self {
        Self { unscaled: Unscaled::Narrow(unscaled), scale }
    }

    /// As [`new`](Self::new), for more than 38 digits.
    pub(crate) fn wide(unscaled: i256, scale: i8) -> Self {
        match unscaled.to_i128() {
            Some(narrow) => Self::new(narrow, scale),
            None => Self { unscaled: Unscaled::Wide(unscaled), scale },
        }
    }

    /// Digits after the point; negative where that many zeros stand before it.
    pub fn scale(&self) -> i8 {
        self.scale
    }

    /// The whole number before scaling, where 128 bits hold it.
    pub fn unscaled(&self) -> Option<i128> {
        match self.unscaled {
            Unscaled::Narrow(value) => Some(value),
            Unscaled::Wide(_) => None,
        }
    }

    /// Appends the decimal's text: digits, a point where the scale is positive, no exponent.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.unscaled {
            Unscaled::Narrow(value) => {
                write_scaled(out, itoa::Buffer::new().format(value), self.scale);
            }
            Unscaled::Wide(value) => write_scaled(out, &value.to_string(), self.scale),
        }
    }
}

impl fmt::Display for DecimalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        f.pad(&String::from_utf8_lossy(&text))
    }
}

/// Appends an integer's digits with the point `scale` digits from their end.
pub(crate) fn write_scaled(out: &mut Vec<u8>, digits: &str, scale: i8) {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    out.extend_from_slice(sign.as_bytes());
    if scale <= 0 {
        out.extend_from_slice(digits.as_bytes());
        if digits != "0" {
            out.resize(out.len() + scale.unsigned_abs() as usize, b'0');
        }
        return;
    }
    let scale = scale as usize;
    let whole = digits.len().saturating_sub(scale);
    if whole == 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + scale - digits.len(), b'0');
        out.extend_from_slice(digits.as_bytes());
    } else {
        out.extend_from_slice(&digits.as_bytes()[..whole]);
        out.push(b'.');
        out.extend_from_slice(&digits.as_bytes()[whole..]);
    }
}
