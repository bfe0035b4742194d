/// Checks that `text` is one JSON value (RFC 8259), with white space around it or not.
///
/// Escaped surrogates must come in pairs. Nesting may be of any depth.
///
/// ```
/// use rowmill_columns::json::validate_json;
/// assert_eq!(validate_json(br#"{"a": [1, 2.5e3, null]}"#), Ok(()));
/// assert_eq!(validate_json(br#"{"a": [1, 2,]}"#), Err(12));
/// ```
///
/// # Errors
/// The position of the first byte that cannot stand where it stands, or the length of the text if
/// more was to come.
pub fn validate_json(text: &[u8]) -> Result<(), usize> {
    if let Err(error) = simdutf8::compat::from_utf8(text) {
        return Err(error.valid_up_to());
    }
    validate_utf8(text)
}

/// As [`validate_json`], for what is known to be UTF-8.
pub(super) fn validate_utf8(text: &[u8]) -> Result<(), usize> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.document().map_err(|Broken| cursor.at)
}

/// The byte at the cursor cannot stand there.
struct Broken;

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.take(byte) { Ok(()) } else { Err(Broken) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn document(&mut self) -> Result<(), Broken> {
        let mut open: Vec<Open> = Vec::new();
        self.space();
        loop {
            // A value begins here.
            if self.take(b'[') {
                self.space();
                if !self.take(b']') {
                    open.push(Open::Array);
                    continue;
                }
            } else if self.take(b'{') {
                self.space();
                if !self.take(b'}') {
                    open.push(Open::Object);
                    self.key()?;
                    continue;
                }
            } else {
                self.scalar()?;
            }
            // A value has ended here.
            loop {
                self.space();
                match open.last() {
                    None if self.at == self.text.len() => return Ok(()),
                    None => return Err(Broken),
                    Some(Open::Array) if self.take(b']') => _ = open.pop(),
                    Some(Open::Object) if self.take(b'}') => _ = open.pop(),
                    Some(&inside) => {
                        self.expect(b',')?;
                        self.space();
                        if inside == Open::Object {
                            self.key()?;
                        }
                        break;
                    }
                }
            }
        }
    }

    fn key(&mut self) -> Result<(), Broken> {
        self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Broken> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(Broken),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        word.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn number(&mut self) -> Result<(), Broken> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Broken> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(Broken) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<(), Broken> {
        self.expect(b'"')?;
        loop {
            let rest = &self.text[self.at..];
            let special = |byte: &u8| matches!(*byte, 0..0x20 | b'"' | b'\\');
            self.at += rest.iter().position(special).unwrap_or(rest.len());
            if self.take(b'"') {
                return Ok(());
            }
            self.expect(b'\\')?;
            match self.peek() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                Some(b'u') => self.unicode()?,
                _ => return Err(Broken),
            }
        }
    }

    /// `uXXXX` after a backslash, and a low surrogate where that is a high one.
    fn unicode(&mut self) -> Result<(), Broken> {
        let start = self.at;
        let first = self.code_unit()?;
        let paired = match first {
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                matches!(self.code_unit()?, 0xdc00..=0xdfff)
            }
            0xdc00..=0xdfff => false,
            _ => true,
        };
        if paired {
            return Ok(());
        }
        self.at = start;
        Err(Broken)
    }

    fn code_unit(&mut self) -> Result<u32, Broken> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or(Broken)?;
            self.at += 1;
        }
        Ok(unit)
    }
}
