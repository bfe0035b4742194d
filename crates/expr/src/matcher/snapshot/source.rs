use std::ops::Range;

use bytes::Bytes;

use super::super::line::{Line, WORDS};
use crate::ExprError;

/// Reads numbers and arrays. What is said to be many is made room for when it is there.
pub(super) struct Source<'b> {
    whole: &'b Bytes,
    at: usize,
    end: usize,
}

/// The error of bytes that the checksum is right of, and which make no sense.
#[cold]
pub(super) fn damaged(what: &str) -> ExprError {
    ExprError::new(format!("the snapshot is damaged: {what}"))
}

impl<'b> Source<'b> {
    pub(super) fn new(whole: &'b Bytes, part: Range<usize>) -> Self {
        Self { whole, at: part.start, end: part.end }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], ExprError> {
        if count > self.end - self.at {
            return Err(damaged("it ends too early"));
        }
        let bytes = &self.whole[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    fn fixed<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], ExprError> {
        let bytes = self.take(SIZE)?;
        bytes.try_into().map_err(|_| damaged("it ends too early"))
    }

    pub(super) fn u32(&mut self) -> Result<u32, ExprError> {
        self.fixed().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, ExprError> {
        self.fixed().map(u64::from_le_bytes)
    }

    /// How many of something there are that take so many bytes each.
    fn many(&mut self, size: usize) -> Result<&'b [u8], ExprError> {
        let count = usize::try_from(self.u64()?).ok();
        match count.and_then(|count| count.checked_mul(size)) {
            Some(bytes) => self.take(bytes),
            None => Err(damaged("it ends too early")),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<&'b [u8], ExprError> {
        self.many(1)
    }

    /// Bytes that are not copied.
    pub(super) fn shared(&mut self) -> Result<Bytes, ExprError> {
        let len = self.many(1)?.len();
        Ok(self.whole.slice(self.at - len..self.at))
    }

    pub(super) fn text(&mut self) -> Result<&'b str, ExprError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged("text that is no UTF-8"))
    }

    pub(super) fn u32s(&mut self) -> Result<Vec<u32>, ExprError> {
        let chunks = self.many(4)?.as_chunks().0;
        Ok(chunks.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
    }

    pub(super) fn u64s(&mut self) -> Result<Vec<u64>, ExprError> {
        let chunks = self.many(8)?.as_chunks().0;
        Ok(chunks.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect())
    }

    pub(super) fn i64s(&mut self) -> Result<Vec<i64>, ExprError> {
        let chunks = self.many(8)?.as_chunks().0;
        Ok(chunks.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect())
    }

    pub(super) fn f64s(&mut self) -> Result<Vec<f64>, ExprError> {
        let chunks = self.many(8)?.as_chunks().0;
        Ok(chunks.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect())
    }

    pub(super) fn lines(&mut self) -> Result<Vec<Line>, ExprError> {
        let words = self.many(8)?.as_chunks().0;
        let (lines, rest) = words.as_chunks::<WORDS>();
        if !rest.is_empty() {
            return Err(damaged("part of a line"));
        }
        Ok(lines.iter().map(|line| Line(line.map(u64::from_le_bytes))).collect())
    }

    pub(super) fn end(&self) -> Result<(), ExprError> {
        if self.at == self.end { Ok(()) } else { Err(damaged("it goes on behind its end")) }
    }
}
