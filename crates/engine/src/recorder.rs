use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What a database ran while somebody watched.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Statements>);

type Statements = Mutex<Vec<Arc<str>>>;

/// Who watches a database.
#[derive(Debug, Default)]
pub(crate) struct Recorders {
    /// How many there may be: where nobody watches, this is all that a call looks at.
    count: AtomicUsize,
    all: Mutex<Vec<Weak<Statements>>>,
}

impl Recorder {
    /// The statements that ran so far, in their order; SQL as it was sent.
    pub fn statements(&self) -> Vec<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Recorders {
    pub(crate) fn add(&self) -> Recorder {
        let recorder = Recorder::default();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(&recorder.0));
        self.count.store(all.len(), Ordering::Release);
        recorder
    }

    pub(crate) fn note(&self, statement: &Arc<str>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        self.count.store(all.len(), Ordering::Release);
        for recorder in all.iter().filter_map(Weak::upgrade) {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(statement));
        }
    }
}
