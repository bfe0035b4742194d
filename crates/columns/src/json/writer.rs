use super::room::{Grow, Out};
use super::{Options, Orient, plan};
use crate::{Batch, ColumnError};

/// The buffer of a [`Writer`], and so the size of its chunks, in bytes: large enough that the
/// receiver's work for each chunk does not count, small enough to stay in the second-level cache.
pub const CHUNK: usize = 128 * 1024;

/// Writes batches as one JSON document, in chunks out of one reused buffer.
///
/// Chunks are at most [`CHUNK`] bytes (a row of very many columns may need more) and end anywhere.
/// The layout is that of `Options::orient`; with `Orient::Columns` there can be one batch only.
///
/// ```
/// use std::{io::Write as _, sync::Arc};
/// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed, json};
/// let mut ids = Fixed::new(0_i64);
/// ids.push(1);
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema, vec![ids.finish(&Type::Int64)], 1);
///
/// let mut file = Vec::new();
/// let mut writer = json::Writer::new(json::Options::default(), |chunk| file.write_all(chunk));
/// writer.batch(&batch)?;
/// writer.batch(&batch)?;
/// writer.finish()?;
/// assert_eq!(file, br#"[{"id":1},{"id":1}]"#);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Writer<F> {
    out: Out<Chunks<F>>,
    options: Options,
    /// No batch was written yet.
    first: bool,
    /// No row was written yet.
    empty: bool,
}

struct Chunks<F>(F);

impl<E: From<ColumnError>, F: FnMut(&[u8]) -> Result<(), E>> Grow for Chunks<F> {
    type Error = E;

    fn full(&mut self, filled: &[u8]) -> Result<bool, E> {
        if !filled.is_empty() {
            (self.0)(filled)?;
        }
        Ok(true)
    }
}

impl<E: From<ColumnError>, F: FnMut(&[u8]) -> Result<(), E>> Writer<F> {
    /// A writer that hands its chunks to `receive`.
    pub fn new(options: Options, receive: F) -> Self {
        let out = Out::new(vec![0; CHUNK], 0, Chunks(receive));
        Self { out, options, first: true, empty: true }
    }

    /// Writes a batch.
    ///
    /// # Errors
    /// What `receive` fails with; if a cell of a json column is not JSON; a second batch with
    /// `Orient::Columns`. The document is broken then and the writer of no more use.
    pub fn batch(&mut self, batch: &Batch) -> Result<(), E> {
        match self.options.orient {
            Orient::Columns if self.first => {
                self.first = false;
                return plan::write_columns(batch, self.options, &mut self.out);
            }
            Orient::Columns => {
                let message = "JSON by columns is written from a single batch";
                return Err(ColumnError::new(message).into());
            }
            Orient::Records if self.first => self.out.put_long(b"[")?,
            Orient::Records | Orient::Ndjson => {}
        }
        self.first = false;
        plan::write_rows(batch, self.options, self.empty, &mut self.out)?;
        self.empty &= batch.rows() == 0;
        Ok(())
    }

    /// Ends the document and hands over what is left.
    ///
    /// # Errors
    /// What `receive` fails with.
    pub fn finish(mut self) -> Result<(), E> {
        match (self.options.orient, self.first) {
            (Orient::Records, true) => self.out.put_long(b"[]")?,
            (Orient::Records, false) => self.out.put_long(b"]")?,
            (Orient::Columns, true) => self.out.put_long(b"{}")?,
            (Orient::Columns, false) | (Orient::Ndjson, _) => {}
        }
        self.out.flush()
    }
}

impl<F> std::fmt::Debug for Writer<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("options", &self.options).finish_non_exhaustive()
    }
}
