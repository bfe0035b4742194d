use crate::ColumnError;

/// What happens when the buffer is full.
pub(super) trait Grow {
    type Error: From<ColumnError>;

    /// Takes the bytes away and says true, or says false: then the buffer grows.
    fn full(&mut self, filled: &[u8]) -> Result<bool, Self::Error>;
}

/// A buffer of which the first `at` bytes are written.
///
/// All of it is initialised, so that writing is a store of fixed size behind one comparison, and
/// may reach past the value's end: the next value overwrites what stands there.
pub(super) struct Out<G> {
    buffer: Vec<u8>,
    at: usize,
    grow: G,
}

/// The widest value of fixed width with its quotes, and room to write past its end.
pub(super) const WIDEST: usize = 64;

/// How much of a long value is written between two looks at the room left.
const BLOCK: usize = 4 * 1024;

impl<G: Grow> Out<G> {
    /// A buffer of which the first `at` bytes are written already.
    pub(super) fn new(buffer: Vec<u8>, at: usize, grow: G) -> Self {
        Self { buffer, at, grow }
    }

    /// What has been written, where the buffer grows.
    pub(super) fn into_filled(mut self) -> Vec<u8> {
        self.buffer.truncate(self.at);
        self.buffer
    }

    /// How many bytes have been written, where the buffer grows.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The whole buffer.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Hands over what has been written, where the buffer does not grow.
    pub(super) fn flush(&mut self) -> Result<(), G::Error> {
        if self.at > 0 && self.grow.full(&self.buffer[..self.at])? {
            self.at = 0;
        }
        Ok(())
    }

    /// Makes sure that `need` bytes can be written.
    #[inline]
    pub(super) fn room(&mut self, need: usize) -> Result<(), G::Error> {
        if self.buffer.len() - self.at < need { self.make_room(need) } else { Ok(()) }
    }

    #[cold]
    fn make_room(&mut self, need: usize) -> Result<(), G::Error> {
        self.flush()?;
        if self.buffer.len() - self.at < need {
            let len = (self.at + need).max(self.buffer.len() * 2).max(BLOCK);
            self.buffer.resize(len, 0);
        }
        Ok(())
    }

    /// Writes `len` bytes of `bytes`; there must be room for all of them.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        self.buffer[self.at..self.at + N].copy_from_slice(bytes);
        self.at += len;
    }

    /// Writes one byte; there must be room.
    #[inline]
    pub(super) fn put_byte(&mut self, byte: u8) {
        self.buffer[self.at] = byte;
        self.at += 1;
    }

    /// Writes a few bytes (most are fewer than 32) without calling `memcpy`; there must be room.
    #[inline]
    pub(super) fn put_short(&mut self, bytes: &[u8]) {
        let to = &mut self.buffer[self.at..self.at + bytes.len()];
        // Two overlapping stores cover every length between their size and twice that.
        macro_rules! overlapping {
            ($size:literal) => {
                if let (Some(head), Some(tail)) =
                    (bytes.first_chunk::<$size>(), bytes.last_chunk::<$size>())
                    && bytes.len() <= 2 * $size
                {
                    to[..$size].copy_from_slice(head);
                    let tail_at = to.len() - $size;
                    to[tail_at..].copy_from_slice(tail);
                    self.at += bytes.len();
                    return;
                }
            };
        }
        overlapping!(2);
        overlapping!(4);
        overlapping!(8);
        overlapping!(16);
        to.copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// The buffer from here on, for a writer that says how many bytes it wrote.
    #[inline]
    pub(super) fn with(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        self.at += write(&mut self.buffer[self.at..]);
    }

    /// Writes bytes of any length, making room for them in blocks.
    pub(super) fn put_long(&mut self, bytes: &[u8]) -> Result<(), G::Error> {
        self.blocks(bytes, 1, |to, block| {
            to[..block.len()].copy_from_slice(block);
            block.len()
        })
    }

    /// Gives `bytes` block by block to `write`, which makes at most `times` as many of them.
    pub(super) fn blocks(
        &mut self,
        bytes: &[u8],
        times: usize,
        mut write: impl FnMut(&mut [u8], &[u8]) -> usize,
    ) -> Result<(), G::Error> {
        for block in bytes.chunks(BLOCK) {
            self.room(block.len() * times + WIDEST)?;
            self.with(|to| write(to, block));
        }
        Ok(())
    }
}
