use rowmill_columns::build::Bytes;
use rowmill_columns::{Column, Type};

use super::CellError;
use super::column::FinishError;
use super::levels::Levels;
use crate::limits::ARRAY_DIMENSIONS;

/// A column of arrays whose elements are exchanged as text, read from PostgreSQL's notation of an
/// array: `{a,NULL,"b\"c"}`. Lower bounds (`[5:7]={1,2,3}`) are not kept.
#[derive(Debug)]
pub(crate) struct TextArrayDecoder {
    levels: Levels,
    elements: Bytes,
}

impl TextArrayDecoder {
    pub(crate) fn new() -> Self {
        Self { levels: Levels::new(), elements: Bytes::text() }
    }

    pub(crate) fn next(&self) -> Self {
        Self { levels: self.levels.next(), elements: Bytes::text() }
    }

    /// Appends an array.
    #[inline(never)]
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        // The bounds, where they are not 1, end with the first `=`: no brace comes before it.
        let start = memchr::memchr(b'{', cell).ok_or(MALFORMED)?;
        let mut rest = &cell[start..];
        if rest == b"{}" {
            self.levels.push_empty(self.elements.len());
            return Ok(());
        }
        let depth = rest.iter().take_while(|&&byte| byte == b'{').count();
        if depth > ARRAY_DIMENSIONS {
            return Err(MALFORMED);
        }
        self.levels.set_depth(depth)?;
        let mut open = 0;
        loop {
            while let Some((b'{', after)) = rest.split_first() {
                open += 1;
                rest = after;
            }
            if open != depth {
                return Err(MALFORMED);
            }
            rest = self.element(rest)?;
            while let Some((b'}', after)) = rest.split_first() {
                open = open.checked_sub(1).ok_or(MALFORMED)?;
                let below = self.levels.lists.get(open + 1);
                let below = below.map_or_else(|| self.elements.len(), |list| list.len());
                self.levels.lists[open].push(below);
                rest = after;
            }
            match (open, rest.split_first()) {
                (0, None) => return Ok(()),
                (1.., Some((b',', after))) => rest = after,
                _ => return Err(MALFORMED),
            }
        }
    }

    /// Appends the element at the start of `text`; what comes after it.
    fn element<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], CellError> {
        let Some((b'"', quoted)) = text.split_first() else {
            let end = memchr::memchr2(b',', b'}', text).ok_or(MALFORMED)?;
            match &text[..end] {
                b"" => return Err(MALFORMED),
                b"NULL" => self.elements.push_null(),
                word => self.elements.push(word),
            }
            return Ok(&text[end..]);
        };
        let mut rest = quoted;
        let mut closed = false;
        self.elements.push_with(|out| {
            while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
                out.extend_from_slice(&rest[..at]);
                let (is_end, after) = (rest[at] == b'"', &rest[at + 1..]);
                rest = after;
                if is_end {
                    closed = true;
                    return;
                }
                let Some((&escaped, after)) = rest.split_first() else { return };
                out.push(escaped);
                rest = after;
            }
        });
        if closed { Ok(rest) } else { Err(MALFORMED) }
    }

    pub(crate) fn push_null(&mut self) {
        self.levels.push_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }

    pub(crate) fn finish(self) -> Result<(Type, Column), FinishError> {
        let elements = self.elements.finish().map_err(FinishError::element)?;
        Ok(self.levels.finish(Type::Text, elements))
    }
}

const MALFORMED: CellError = CellError::Malformed("an array that contradicts itself");
