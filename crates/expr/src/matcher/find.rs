//! Where each step has what it says of a record.

use super::base::Base;
use super::key::Key;
use super::layer::{Layer, Places};
use super::record::Record;
use super::scratch::Scratch;
use super::slots::Sort;
use super::step::Step;

impl Base {
    /// Finds where all is that will be looked at: first the values' numbers, then their rows. What each has to wait for
    /// of slow memory they wait for together so, which one after the other is a tenth of a request at 10,000 conditions.
    pub(super) fn find(&self, record: &Record, scratch: &mut Scratch) {
        scratch.ids.clear();
        scratch.ids.extend(self.dictionaries.iter().enumerate().map(|(at, dictionary)| {
            record.key(at).and_then(|key| dictionary.find(key)).unwrap_or(NO_VALUE)
        }));
        scratch.found.clear();
        for step in &self.steps {
            let place = if step.is_several() {
                Place { row: step.state(record, &scratch.ids) as u32, from: 0, to: 0 }
            } else {
                self.place(&step.layers[0], record, scratch)
            };
            scratch.found.push(place);
        }
    }

    fn place(&self, layer: &Layer, record: &Record, scratch: &mut Scratch) -> Place {
        let at = layer.attribute;
        if !record.has(at) {
            return Place::MISSING;
        }
        match &layer.places {
            Places::Values { starts, row_of, .. } if layer.sort == Sort::Values => {
                let id = scratch.ids[at] as usize;
                match row_of.get(id) {
                    Some(&row) => Place { row, from: starts[id], to: starts[id + 1] },
                    None => Place { row: 0, from: 0, to: 0 },
                }
            }
            Places::Values { .. } => {
                let (from, to) = self.list(at, record, scratch);
                Place { row: 0, from: from as u32, to: to as u32 }
            }
            Places::Spans { keys, starts, cuts, cut_keys, .. } => {
                let Some(Key::Number(key)) = record.key(at) else { return Place::MISSING };
                // Which row first: its keys are few, and near each other in memory.
                let cut = cut_keys.partition_point(|&one| one <= key);
                let from = cuts[cut] as usize;
                let to = cuts.get(cut + 1).map_or(from, |&to| to as usize);
                let passed = from + keys[from..to].partition_point(|&one| one <= key);
                let (here, before) = (starts[passed], starts[from]);
                match cuts.get(cut + 1).map(|&next| starts[next as usize]) {
                    Some(next) if next - here < here - before => {
                        Place { row: cut as u32 + 1, from: here, to: next }
                    }
                    _ => Place { row: cut as u32, from: before, to: here },
                }
            }
        }
    }

    /// The values in a record's list, found once for however many layers.
    pub(crate) fn list(
        &self,
        attribute: usize,
        record: &Record,
        scratch: &mut Scratch,
    ) -> (usize, usize) {
        if let Some(&(_, from, to)) = scratch.lists.iter().find(|list| list.0 == attribute) {
            return (from, to);
        }
        let from = scratch.values.len();
        let dictionary = &self.dictionaries[attribute];
        scratch.values.extend(record.keys(attribute).filter_map(|key| dictionary.find(key)));
        let to = scratch.values.len();
        scratch.lists.push((attribute, from, to));
        (from, to)
    }
}

impl Step {
    /// Which of its rows layers that are put together have for a record.
    fn state(&self, record: &Record, ids: &[u32]) -> usize {
        let all = self.layers.iter().rev();
        all.fold(0, |state, layer| state * layer.states() + layer.state(record, ids))
    }
}

impl Layer {
    /// Which of its rows a layer without flips has for a record.
    fn state(&self, record: &Record, ids: &[u32]) -> usize {
        let at = self.attribute;
        if !record.has(at) {
            return self.row_count;
        }
        match (&self.places, record.key(at)) {
            (Places::Values { row_of, .. }, _) => {
                row_of.get(ids[at] as usize).map_or(0, |&row| row as usize)
            }
            (Places::Spans { cut_keys, .. }, Some(Key::Number(key))) => {
                cut_keys.partition_point(|&one| one <= key)
            }
            _ => 0,
        }
    }
}

/// Of a value that no expression names.
const NO_VALUE: u32 = u32::MAX;

/// Where a step has what it says of a record: which row, and where its flips are among the layer's; of a list, where its
/// values are in the scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) row: u32,
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Place {
    /// Of an attribute that the record does not have.
    pub(super) const MISSING: Self = Self { row: u32::MAX, from: 0, to: 0 };
}
