//! The rows of a load, once the server waits for them.

use rowmill_columns::Batch;

use super::Session;
use super::in_flight::{Stage, Step};
use crate::{LoadError, encode, load};

impl Session {
    /// Makes rows of `batch` from row `from` on [pending](Self::pending), about `most` bytes of
    /// them and one row at least; which row comes next. A load that the server has given up takes
    /// all rows and sends none: its [`Event::Done`](crate::Event::Done) says why.
    ///
    /// The columns are those of [`Load::insert`](crate::Load::insert), by position.
    ///
    /// # Errors
    /// A value that does not fit its column. Nothing of this call is pending then: say
    /// [`load_fail`](Self::load_fail), or leave the row out.
    pub fn load_rows(
        &mut self,
        batch: &Batch,
        from: usize,
        most: usize,
    ) -> Result<usize, LoadError> {
        let Some(Stage::Loading(loading)) = self.queue.front().map(|front| &front.stage) else {
            return Ok(batch.rows());
        };
        if loading.step != Step::CopyIn || from >= batch.rows() {
            return Ok(batch.rows());
        }
        // One message's length is 31 bits, and the server's patience a gigabyte.
        let most = most.min(self.limits.max_message / 2);
        load::rows(&mut self.out, &loading.prepared.parameters, batch, from, most)
    }

    /// All rows were given.
    pub fn load_end(&mut self) {
        if self.end_copy() {
            load::end(&mut self.out);
        }
    }

    /// No more rows are given, and none are to be kept; the server's error will hold `why`.
    pub fn load_fail(&mut self, why: &str) {
        if self.end_copy() {
            encode::copy_fail(&mut self.out, &why.replace('\0', " "));
        }
    }

    /// True where the server waits for rows; it waits no longer.
    fn end_copy(&mut self) -> bool {
        let Some(Stage::Loading(loading)) = self.queue.front_mut().map(|front| &mut front.stage)
        else {
            return false;
        };
        let waits = loading.step == Step::CopyIn;
        loading.step = Step::Complete;
        waits
    }
}
