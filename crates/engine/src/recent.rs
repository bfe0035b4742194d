//! What was made of what was asked last, so that the same is not made again.

use std::sync::{Arc, Mutex, PoisonError};

use crate::limits;

/// The last things that were made, each with what it was asked for by.
#[derive(Debug)]
pub(crate) struct Recent<K, T> {
    entries: Mutex<Vec<(K, Arc<T>)>>,
}

impl<K, T> Recent<K, T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self { entries: Mutex::new(Vec::new()) }
    }

    /// The one that is meant, made where it is not there.
    pub(crate) fn get<E>(
        &self,
        is_it: impl Fn(&K, &T) -> bool,
        make: impl FnOnce() -> Result<(K, T), E>,
    ) -> Result<Arc<T>, E> {
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = entries.iter().rposition(|(key, made)| is_it(key, made)) {
                let made = Arc::clone(&entries[at].1);
                // The last one is looked at first.
                if at + 1 < entries.len() {
                    let entry = entries.remove(at);
                    entries.push(entry);
                }
                return Ok(made);
            }
        }
        let (key, made) = make()?;
        let made = Arc::new(made);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (entries.len() >= limits::FILTERS).then(|| entries.remove(0));
        entries.push((key, Arc::clone(&made)));
        drop(entries);
        // What it holds may take long to free.
        drop(oldest);
        Ok(made)
    }
}
