use super::escape::{LONGEST_ESCAPE, escape};
use super::room::{Grow, Out, WIDEST};
use super::{Decimals, Options, Orient, base64};
use crate::{DecimalValue, Value};

/// Text up to this length is written with one look at the room left.
const SHORT: usize = 1024;

/// Nothing is written for a decimal beyond this: 77 digits, or 38 and 128 zeros, sign and point.
const WIDEST_DECIMAL: usize = 256;

impl<G: Grow> Out<G> {
    /// Text as a string; `rest` is the room that must be left after it.
    #[inline]
    pub(super) fn put_text(&mut self, text: &[u8], rest: usize) -> Result<(), G::Error> {
        if text.len() > SHORT {
            return self.put_long_text(text, rest);
        }
        self.room(text.len() * LONGEST_ESCAPE + 2 + WIDEST + rest)?;
        self.put_byte(b'"');
        self.with(|to| escape(to, text));
        self.put_byte(b'"');
        Ok(())
    }

    #[cold]
    fn put_long_text(&mut self, text: &[u8], rest: usize) -> Result<(), G::Error> {
        self.put_long(b"\"")?;
        self.blocks(text, LONGEST_ESCAPE, escape)?;
        self.put_long(b"\"")?;
        self.room(rest)
    }

    /// Bytes as a string in base64.
    pub(super) fn put_bytes(&mut self, bytes: &[u8], rest: usize) -> Result<(), G::Error> {
        self.put_long(b"\"")?;
        for block in bytes.chunks(base64::BLOCK) {
            self.room(block.len() * 2 + WIDEST)?;
            self.with(|to| base64::encode(to, block));
        }
        self.put_long(b"\"")?;
        self.room(rest)
    }

    /// JSON as it stands, checked by now, on one line where lines part the rows.
    pub(super) fn put_json(
        &mut self,
        text: &[u8],
        options: Options,
        rest: usize,
    ) -> Result<(), G::Error> {
        if options.orient == Orient::Ndjson && memchr::memchr2(b'\n', b'\r', text).is_some() {
            // In valid JSON a line break is white space: within strings it is escaped.
            self.blocks(text, 1, |to, block| {
                for (to, &byte) in to.iter_mut().zip(block) {
                    *to = if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
                }
                block.len()
            })?;
        } else {
            self.put_long(text)?;
        }
        self.room(rest)
    }

    /// A UUID, quoted.
    #[inline]
    pub(super) fn put_uuid(&mut self, uuid: &[u8; 16]) {
        let mut text = [b'-'; 38];
        let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 15)];
        let mut at = 1;
        for (index, byte) in uuid.iter().enumerate() {
            at += usize::from(matches!(index, 4 | 6 | 8 | 10));
            text[at] = hex(byte >> 4);
            text[at + 1] = hex(*byte);
            at += 2;
        }
        text[0] = b'"';
        text[37] = b'"';
        self.put(&text, 38);
    }

    #[inline]
    pub(super) fn put_bool(&mut self, value: bool) {
        if value { self.put(b"true", 4) } else { self.put(b"false", 5) }
    }

    #[inline]
    pub(super) fn put_null(&mut self) {
        self.put(b"null", 4);
    }

    #[inline]
    pub(super) fn put_int(&mut self, value: impl itoa::Integer) {
        self.put_short(itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline]
    pub(super) fn put_f64(&mut self, value: f64) {
        if value.is_finite() {
            self.put_short(zmij::Buffer::new().format_finite(value).as_bytes());
        } else {
            self.put_null();
        }
    }

    #[inline]
    pub(super) fn put_f32(&mut self, value: f32) {
        if value.is_finite() {
            self.put_short(zmij::Buffer::new().format_finite(value).as_bytes());
        } else {
            self.put_null();
        }
    }

    /// A decimal, with every digit.
    #[inline]
    pub(super) fn put_decimal(
        &mut self,
        value: DecimalValue,
        form: Decimals,
        rest: usize,
    ) -> Result<(), G::Error> {
        self.room(WIDEST_DECIMAL + rest)?;
        let quotes = form == Decimals::Strings;
        if quotes {
            self.put_byte(b'"');
        }
        match (value.unscaled(), value.scale()) {
            (Some(unscaled), scale @ 0..) => self.put_scaled(unscaled, scale as usize),
            _ => self.put_short(value.to_string().as_bytes()),
        }
        if quotes {
            self.put_byte(b'"');
        }
        Ok(())
    }

    /// The commonest decimals, without a string in between.
    #[inline]
    fn put_scaled(&mut self, unscaled: i128, scale: usize) {
        let mut buffer = itoa::Buffer::new();
        let digits = match u64::try_from(unscaled.unsigned_abs()) {
            Ok(small) => buffer.format(small),
            Err(_) => buffer.format(unscaled.unsigned_abs()),
        };
        if unscaled < 0 {
            self.put_byte(b'-');
        }
        let digits = digits.as_bytes();
        match digits.len().checked_sub(scale) {
            _ if scale == 0 => self.put_short(digits),
            None | Some(0) => {
                self.put_short(b"0.");
                for _ in digits.len()..scale {
                    self.put_byte(b'0');
                }
                self.put_short(digits);
            }
            Some(whole) => {
                self.put_short(&digits[..whole]);
                self.put_byte(b'.');
                self.put_short(&digits[whole..]);
            }
        }
    }

    /// Any value: the way of those that have no writer of their own in the plan.
    pub(super) fn put_value(
        &mut self,
        value: &Value<'_>,
        options: Options,
        rest: usize,
    ) -> Result<(), G::Error> {
        self.room(2 * WIDEST + rest)?;
        match value {
            Value::Null => self.put_null(),
            Value::Bool(value) => self.put_bool(*value),
            Value::Int(value) => self.put_int(*value),
            Value::UInt(value) => self.put_int(*value),
            Value::Float(value) => self.put_f64(*value),
            Value::Float32(value) => self.put_f32(*value),
            Value::Decimal(value) => return self.put_decimal(*value, options.decimals, rest),
            Value::Text(text) => return self.put_text(text.as_bytes(), rest),
            Value::Foreign(text) => return self.put_text(text.as_bytes(), rest),
            Value::Bytes(bytes) => return self.put_bytes(bytes, rest),
            Value::Json(text) => return self.put_json(text.as_bytes(), options, rest),
            Value::Uuid(uuid) => self.put_uuid(uuid),
            Value::Date(days) => self.put_date(*days),
            Value::Time(micros) => self.put_time(*micros),
            Value::Timestamp { micros, utc } => self.put_timestamp(*micros, *utc),
            Value::Interval { months, days, nanos } => self.put_interval(*months, *days, *nanos),
            Value::List(list) => {
                self.put_byte(b'[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        self.put_byte(b',');
                    }
                    self.put_value(&value, options, rest + WIDEST)?;
                }
                self.put_byte(b']');
                return self.room(rest);
            }
            Value::Struct(fields) => return self.put_object(fields.iter(), options, rest),
            Value::Map(entries) => return self.put_object(entries.iter(), options, rest),
        }
        Ok(())
    }

    fn put_object<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'a str, Value<'a>)>,
        options: Options,
        rest: usize,
    ) -> Result<(), G::Error> {
        self.put_byte(b'{');
        for (index, (name, value)) in fields.enumerate() {
            if index > 0 {
                self.put_byte(b',');
            }
            self.put_text(name.as_bytes(), WIDEST)?;
            self.put_byte(b':');
            self.put_value(&value, options, rest + WIDEST)?;
        }
        self.put_byte(b'}');
        self.room(rest)
    }
}
