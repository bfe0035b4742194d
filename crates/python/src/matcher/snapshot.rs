//! A matcher as bytes: beside the conditions stand the options and the ids that are text.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use rowmill::expr::{Expr, ExprError};
use rowmill::matcher::{self, Record, View};

use super::Matcher;
use super::ids::{Ids, Sort};
use crate::errors;
use crate::query::raised;

const MAGIC: &[u8] = b"rowmill.Matcher\x01";
const DAMAGED: &str = "the snapshot is damaged: its ids or options";

impl Matcher {
    /// What is stored at one moment, and what stands beside it.
    pub(super) fn moment(&self, py: Python<'_>) -> (Arc<View>, Vec<u8>) {
        py.detach(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            (self.inner.view(), self.beside())
        })
    }

    fn beside(&self) -> Vec<u8> {
        let ids = self.ids();
        let sort = match ids.sort() {
            None => 0,
            Some(Sort::Int) => 1,
            Some(Sort::Text) => 2,
        };
        let mut out = MAGIC.to_vec();
        out.extend([self.ignores_unknown.into(), self.skips_errors.into(), sort]);
        number(&mut out, self.defaults.len() as u64);
        for (at, default) in &self.defaults {
            number(&mut out, *at as u64);
            bytes(&mut out, default.as_bytes());
        }
        let texts = ids.texts();
        number(&mut out, texts.len() as u64);
        for (id, text) in texts {
            number(&mut out, id);
            bytes(&mut out, text.as_bytes());
        }
        out
    }

    pub(super) fn loaded(py: Python<'_>, inner: matcher::Matcher, beside: &[u8]) -> PyResult<Self> {
        let view = inner.view();
        let schema = Arc::clone(inner.attributes().schema());
        let names = schema.fields.iter().map(|field| PyString::intern(py, &field.name).unbind());
        let mut loaded = Self {
            names: names.collect(),
            blank: Record::new(inner.attributes()),
            inner,
            defaults: Vec::new(),
            ignores_unknown: false,
            skips_errors: false,
            ids: Mutex::default(),
            writing: Mutex::default(),
            spare: Mutex::default(),
        };
        // From Rust: ids are numbers.
        if !beside.is_empty() {
            let ids = loaded.read(py, beside, &view);
            let ids = ids.ok_or_else(|| errors::value(py, DAMAGED))?;
            loaded.ids = Mutex::new(ids);
        }
        Ok(loaded)
    }

    fn read(&mut self, py: Python<'_>, beside: &[u8], view: &View) -> Option<Ids> {
        let mut left = beside.strip_prefix(MAGIC)?;
        let (&[ignores, skips, sort], rest) = left.split_first_chunk()?;
        left = rest;
        (self.ignores_unknown, self.skips_errors) = (ignores != 0, skips != 0);
        for _ in 0..take(&mut left)? {
            let at = usize::try_from(take(&mut left)?).ok()?;
            let text = std::str::from_utf8(part(&mut left)?).ok()?;
            if at >= self.names.len() {
                return None;
            }
            self.blank.set_scalar(at, Expr::from_json(text).ok()?.value()?).ok()?;
            self.defaults.push((at, text.to_owned()));
        }
        let sort = match sort {
            0 => None,
            1 => Some(Sort::Int),
            2 => Some(Sort::Text),
            _ => return None,
        };
        let there = if sort == Some(Sort::Text) { view.len() } else { 0 };
        if take(&mut left)? != there as u64 {
            return None;
        }
        let mut ids = Ids::with_capacity(sort, there);
        for _ in 0..there {
            let id = take(&mut left)?;
            ids.note(py, id, std::str::from_utf8(part(&mut left)?).ok()?)?;
        }
        let is_whole = left.is_empty() && (there == 0 || view.ids().all(|id| ids.has(id)));
        is_whole.then_some(ids)
    }
}

/// What went wrong with a file.
pub(super) fn of_file(py: Python<'_>, error: &std::io::Error, path: PathBuf) -> PyErr {
    if let Some(refused) = error.get_ref().and_then(|inner| inner.downcast_ref::<ExprError>()) {
        if error.kind() == std::io::ErrorKind::InvalidInput {
            return raised(py, refused);
        }
        return errors::value(py, &format!("{}: {refused}", path.display()));
    }
    // Python's own class for each number.
    PyOSError::new_err((error.raw_os_error(), error.to_string(), path))
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take(left: &mut &[u8]) -> Option<u64> {
    let (bytes, rest) = left.split_first_chunk()?;
    *left = rest;
    Some(u64::from_le_bytes(*bytes))
}

fn part<'b>(left: &mut &'b [u8]) -> Option<&'b [u8]> {
    let len = usize::try_from(take(left)?).ok()?;
    let (part, rest) = left.split_at_checked(len)?;
    *left = rest;
    Some(part)
}
