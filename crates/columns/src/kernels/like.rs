use memchr::memmem::Finder;

/// A LIKE pattern, read once: `%` is any text, `_` one character, `\` takes the next one as it is.
#[derive(Clone, Debug)]
pub struct Like {
    shape: Shape,
    /// Both sides are compared in ASCII lower case.
    folded: bool,
}

#[derive(Clone, Debug)]
enum Shape {
    Exact(Vec<u8>),
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    Contains(Box<Finder<'static>>),
    Any(Vec<Token>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `_`
    One,
    /// `%`
    Many,
}

impl Like {
    /// The pattern as LIKE reads it, or as ILIKE does where `folded`. `None` where it ends in an
    /// escape that escapes nothing.
    ///
    /// ```
    /// use rowmill_columns::kernels::Like;
    /// let like = Like::new(r"50\% of %", false).unwrap();
    /// assert!(like.matches("50% of all".as_bytes()));
    /// assert!(!like.matches("50 of all".as_bytes()));
    /// assert!(Like::new("trailing\\", false).is_none());
    /// ```
    pub fn new(pattern: &str, folded: bool) -> Option<Self> {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut bytes = pattern.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'%' if tokens.last() == Some(&Token::Many) => {}
                b'%' => tokens.push(Token::Many),
                b'_' => tokens.push(Token::One),
                b'\\' => tokens.push(Token::Byte(fold(bytes.next()?, folded))),
                byte => tokens.push(Token::Byte(fold(byte, folded))),
            }
        }
        Some(Self { shape: Shape::of(tokens, folded), folded })
    }

    /// Whether the text is of the pattern.
    pub fn matches(&self, text: &[u8]) -> bool {
        match &self.shape {
            Shape::Exact(exact) if self.folded => text.eq_ignore_ascii_case(exact),
            Shape::Exact(exact) => text == exact,
            Shape::Prefix(prefix) => {
                text.get(..prefix.len()).is_some_and(|start| self.same(start, prefix))
            }
            Shape::Suffix(suffix) => {
                let from = text.len().checked_sub(suffix.len());
                from.is_some_and(|from| self.same(&text[from..], suffix))
            }
            Shape::Contains(finder) => finder.find(text).is_some(),
            Shape::Any(tokens) => matches(tokens, text, self.folded),
        }
    }

    fn same(&self, a: &[u8], b: &[u8]) -> bool {
        if self.folded { a.eq_ignore_ascii_case(b) } else { a == b }
    }
}

impl Shape {
    fn of(tokens: Vec<Token>, folded: bool) -> Self {
        let literal = |tokens: &[Token]| -> Option<Vec<u8>> {
            let bytes = tokens.iter().map(|token| match token {
                Token::Byte(byte) => Some(*byte),
                Token::One | Token::Many => None,
            });
            bytes.collect()
        };
        let found = match tokens.as_slice() {
            [Token::Many, middle @ .., Token::Many] if !folded => literal(middle)
                .map(|middle| Self::Contains(Box::new(Finder::new(&middle).into_owned()))),
            [Token::Many, rest @ ..] => literal(rest).map(Self::Suffix),
            [rest @ .., Token::Many] => literal(rest).map(Self::Prefix),
            all => literal(all).map(Self::Exact),
        };
        found.unwrap_or(Self::Any(tokens))
    }
}

fn fold(byte: u8, folded: bool) -> u8 {
    if folded { byte.to_ascii_lowercase() } else { byte }
}

/// By trying the last `%` at one more character whenever what follows it fails: no earlier one
/// need be tried again, so the time is at most the product of the lengths.
fn matches(tokens: &[Token], text: &[u8], folded: bool) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry = None;
    loop {
        let advanced = match tokens.get(token) {
            Some(Token::Many) => {
                retry = Some((token, at));
                token += 1;
                continue;
            }
            Some(Token::One) => (at < text.len()).then(|| at + character(text, at)),
            Some(Token::Byte(byte)) => {
                let same = text.get(at).is_some_and(|&found| fold(found, folded) == *byte);
                same.then_some(at + 1)
            }
            None if at == text.len() => return true,
            None => None,
        };
        match (advanced, retry) {
            (Some(next), _) => {
                at = next;
                token += 1;
            }
            (None, Some((many, from))) if from < text.len() => {
                at = from + character(text, from);
                retry = Some((many, at));
                token = many + 1;
            }
            (None, _) => return false,
        }
    }
}

/// Bytes of the character that begins at `at`.
fn character(text: &[u8], at: usize) -> usize {
    let rest = text[at + 1..].iter();
    1 + rest.take_while(|&&byte| byte & 0xc0 == 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(pattern: &str, text: &str) -> bool {
        Like::new(pattern, false).unwrap().matches(text.as_bytes())
    }

    /// The definition, tried every way.
    fn slowly(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|from| slowly(rest, &text[from..])),
            ['_', rest @ ..] => !text.is_empty() && slowly(rest, &text[1..]),
            ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
                text.first() == Some(literal) && slowly(rest, &text[1..])
            }
        }
    }

    #[test]
    fn each_shape() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "abc", true),
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("a_c", "aéc", true),
            ("a_c", "abbc", false),
            ("%a%b%", "xaxb", true),
            (r"\_", "_", true),
            (r"\_", "a", false),
            (r"\a", "a", true),
            ("_", "", false),
            ("%_", "é", true),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern:?} {text:?}");
        }
        let folded = |pattern| Like::new(pattern, true).unwrap();
        assert!(folded("%AbC%").matches(b"xxaBcxx"));
        assert!(folded("ABC").matches(b"abc"));
        assert!(!folded("É").matches("é".as_bytes()), "ASCII letters only");
    }

    proptest::proptest! {
        #[test]
        fn as_the_definition(pattern in "([ab%_é]|\\\\[%_a\\\\]){0,7}", text in "[ab%_é\\\\]{0,9}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            proptest::prop_assert_eq!(like(&pattern, &text), slowly(&p, &t));
        }
    }
}
