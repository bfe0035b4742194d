//! Stored conditions that change while others match: the merging is done by threads of its own.

mod file;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use rowmill_expr::matcher::{
    Attributes, Base, Builder, Bytes, Record, Said, Scratch, Stats, Top, View, set_bits,
};
use rowmill_expr::matcher::{Live, RECENT};
use rowmill_expr::{Expr, ExprError};

/// Conditions by id, and which of them are true of a record.
///
/// ```
/// use std::sync::Arc;
/// use rowmill::expr::{Expr, Operator};
/// use rowmill::matcher::{Attributes, Matcher, Record, Scratch};
/// use rowmill::{Field, Schema, Type};
/// let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("age", Type::Int64)])));
/// let matcher = Matcher::new(&attributes);
/// matcher.insert(7, &Expr::call(Operator::Greater, [Expr::named("age"), Expr::literal(17)])?)?;
/// let (mut record, mut scratch, mut ids) = (Record::new(&attributes), Scratch::new(), Vec::new());
/// record.set_int(0, 30)?;
/// matcher.view().matches(&record, &mut scratch, &mut ids)?;
/// assert_eq!(ids, [7]);
/// # Ok::<(), rowmill::expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Matcher {
    live: Arc<Live>,
    merging: Arc<AtomicUsize>,
    /// Whose threads they are.
    process: AtomicU32,
}

/// Threads that merge: a long merge is not to keep a short one waiting.
const THREADS: usize = 2;
/// Conditions without an index, held against each record, up to which whoever stores is not asked to help.
const WAITING: usize = 1_024;

impl Matcher {
    /// No conditions yet.
    pub fn new(attributes: &Arc<Attributes>) -> Self {
        Self::of(Live::new(attributes))
    }

    fn of(live: Live) -> Self {
        let process = AtomicU32::new(std::process::id());
        Self { live: Arc::new(live), merging: Arc::default(), process }
    }

    /// What [`save`] wrote, and what was kept beside it. The file is mapped: its conditions are read when one is asked
    /// for, from pages that all processes share. It is for [`save`] alone to replace; one that something else cuts short
    /// while it is mapped ends the process.
    ///
    /// # Errors
    /// Those of the file; of the kind `InvalidData`, an [`ExprError`] where it is no snapshot or not a whole one, was
    /// damaged, or was written by a later version.
    pub fn load(path: &Path) -> io::Result<(Self, Bytes)> {
        let loaded = Self::from_bytes(file::mapped(path)?);
        loaded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// What a [snapshot](View::snapshot) has, and what was kept beside it.
    ///
    /// # Errors
    /// As [`Live::from_bytes`].
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<(Self, Bytes), ExprError> {
        let (live, beside) = Live::from_bytes(&bytes.into())?;
        let matcher = Self::of(live);
        matcher.tend();
        Ok((matcher, beside))
    }

    /// What records have.
    pub fn attributes(&self) -> &Arc<Attributes> {
        self.live.attributes()
    }

    /// What is stored at this moment.
    pub fn view(&self) -> Arc<View> {
        self.live.view()
    }

    /// Stores a condition, of priority 0.
    ///
    /// # Errors
    /// As [`Live::insert`].
    pub fn insert(&self, id: u64, condition: &Expr) -> Result<(), ExprError> {
        self.insert_with_priority(id, condition, 0.0)
    }

    /// The same, of a priority: see [`View::top`].
    ///
    /// # Errors
    /// As [`Live::insert_with_priority`].
    pub fn insert_with_priority(
        &self,
        id: u64,
        condition: &Expr,
        priority: f64,
    ) -> Result<(), ExprError> {
        self.live.insert_with_priority(id, condition, priority)?;
        self.tend();
        Ok(())
    }

    /// Stores the conditions of an index, all or none.
    ///
    /// # Errors
    /// As [`Live::insert_base`].
    pub fn insert_base(&self, base: Base) -> Result<(), ExprError> {
        self.live.insert_base(base)?;
        self.tend();
        Ok(())
    }

    /// Stores a condition in place of the one of its id, whose priority it has: whether there was one.
    ///
    /// # Errors
    /// As [`Live::replace`].
    pub fn replace(&self, id: u64, condition: &Expr) -> Result<bool, ExprError> {
        let was = self.live.replace(id, condition)?;
        self.tend();
        Ok(was)
    }

    /// The same, with another priority.
    ///
    /// # Errors
    /// As [`Live::replace_with_priority`].
    pub fn replace_with_priority(
        &self,
        id: u64,
        condition: &Expr,
        priority: f64,
    ) -> Result<bool, ExprError> {
        let was = self.live.replace_with_priority(id, condition, priority)?;
        self.tend();
        Ok(was)
    }

    /// Removes a condition: whether there was one.
    pub fn remove(&self, id: u64) -> bool {
        let was = self.live.remove(id);
        self.tend();
        was
    }

    /// Waits until nothing is left to be merged, or for so long: whether nothing is left.
    pub fn settle(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        self.adopt();
        loop {
            match self.live.merge() {
                Some(merge) => merge.run(),
                None if self.merging.load(Ordering::Acquire) == 0 => return true,
                None if Instant::now() >= end => return false,
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// After a fork the merging threads are the parent's.
    fn adopt(&self) {
        let here = std::process::id();
        if self.process.swap(here, Ordering::AcqRel) != here {
            self.merging.store(0, Ordering::Release);
            self.live.forget_merges();
        }
    }

    /// Has what is to be merged merged by others.
    fn tend(&self) {
        self.adopt();
        let waiting = self.live.waiting();
        let merging = self.merging.load(Ordering::Acquire);
        if waiting > WAITING {
            // Faster than they are merged: whoever stores does it.
            if let Some(merge) = self.live.merge() {
                merge.run();
            }
            return;
        }
        let is_even = || merging > 0 || !self.live.is_uneven();
        if merging >= THREADS || waiting < RECENT * (merging + 1) && is_even() {
            return;
        }
        self.merging.fetch_add(1, Ordering::AcqRel);
        let (live, count) = (Arc::clone(&self.live), Arc::clone(&self.merging));
        let begun = thread::Builder::new().name("rowmill-matcher".to_owned()).spawn(move || {
            let _done = Done(&count);
            while let Some(merge) = live.merge() {
                merge.run();
            }
        });
        if begun.is_err() {
            // No thread is to be had: the next one who stores tries again.
            self.merging.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Writes what is stored to a file, whole or not at all; `beside` is what [`Matcher::load`] gives back with it.
///
/// ```
/// use std::sync::Arc;
/// use rowmill::expr::Expr;
/// use rowmill::matcher::{self, Attributes, Matcher};
/// use rowmill::{Field, Schema, Type};
/// let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("new", Type::Bool)])));
/// let matcher = Matcher::new(&attributes);
/// matcher.insert(7, &Expr::named("new"))?;
/// let path = std::env::temp_dir().join(format!("rowmill-{}.snapshot", std::process::id()));
/// matcher::save(&matcher.view(), b"flags", &path)?;
/// let (again, beside) = Matcher::load(&path)?;
/// assert!(again.view().contains(7) && *beside == *b"flags");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of the file, and as [`View::snapshot`], of the kind `InvalidInput`. What was there before is there then.
pub fn save(view: &View, beside: &[u8], path: &Path) -> io::Result<()> {
    file::save(view, beside, path)
}

/// One merging thread less, even after a panic.
struct Done<'c>(&'c AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
