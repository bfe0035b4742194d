use std::io;

use super::super::line::{Line, WORDS};

/// Writes numbers and arrays, and hashes what it writes.
pub(super) struct Out<'w> {
    to: &'w mut dyn io::Write,
    hasher: blake3::Hasher,
    len: u64,
    buffer: Vec<u8>,
}

/// Bytes of an array that are written at once.
const PIECE: usize = 1 << 20;

impl<'w> Out<'w> {
    pub(super) fn new(to: &'w mut dyn io::Write) -> Self {
        Self { to, hasher: blake3::Hasher::new(), len: 0, buffer: Vec::new() }
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        self.to.write_all(bytes)
    }

    pub(super) fn u32(&mut self, value: u32) -> io::Result<()> {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> io::Result<()> {
        self.raw(&value.to_le_bytes())
    }

    /// Bytes with their number before them, as all that is of many.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.u64(bytes.len() as u64)?;
        self.raw(bytes)
    }

    pub(super) fn u32s(
        &mut self,
        values: impl IntoIterator<Item = u32, IntoIter: ExactSizeIterator>,
    ) -> io::Result<()> {
        self.array(values, u32::to_le_bytes)
    }

    pub(super) fn u64s(
        &mut self,
        values: impl IntoIterator<Item = u64, IntoIter: ExactSizeIterator>,
    ) -> io::Result<()> {
        self.array(values, u64::to_le_bytes)
    }

    pub(super) fn lines(&mut self, lines: &[Line]) -> io::Result<()> {
        self.u64((lines.len() * WORDS) as u64)?;
        self.pieces(lines.iter().flat_map(|line| line.0), u64::to_le_bytes)
    }

    fn array<T, const SIZE: usize>(
        &mut self,
        values: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        bytes_of: impl Fn(T) -> [u8; SIZE],
    ) -> io::Result<()> {
        let values = values.into_iter();
        self.u64(values.len() as u64)?;
        self.pieces(values, bytes_of)
    }

    fn pieces<T, const SIZE: usize>(
        &mut self,
        values: impl Iterator<Item = T>,
        bytes_of: impl Fn(T) -> [u8; SIZE],
    ) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        for value in values {
            buffer.extend_from_slice(&bytes_of(value));
            if buffer.len() >= PIECE {
                self.raw(&buffer)?;
                buffer.clear();
            }
        }
        self.raw(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    /// The length and the checksum of all that was written.
    pub(super) fn end(self, mark: &[u8]) -> io::Result<()> {
        self.to.write_all(&self.len.to_le_bytes())?;
        self.to.write_all(self.hasher.finalize().as_bytes())?;
        self.to.write_all(mark)
    }
}
