//! Which slots are left of a record: its row of each layer, one after the other.

use super::base::Base;
use super::key::Key;
use super::layer::{Layer, Places};
use super::line::{BLOCK, Line, Lines};
use super::record::Record;
use super::scratch::Scratch;
use super::slots::Sort;
use super::step::Step;

impl Base {
    /// Finds the slots whose clauses are all true.
    pub(crate) fn narrow(&self, record: &Record, scratch: &mut Scratch) {
        self.narrow_by(record, scratch, |_| ());
    }

    /// The same, seen after each step.
    pub(crate) fn narrow_by(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        mut seen: impl FnMut(&Scratch),
    ) {
        scratch.live.clear();
        scratch.left.clear();
        scratch.lists.clear();
        scratch.values.clear();
        scratch.is_spread = false;
        let mut is_first = true;
        for step in &self.steps {
            let found = if step.is_several() {
                Found::plain(self.row_of_several(step, record))
            } else {
                self.row_of(&step.layers[0], record, scratch)
            };
            match found {
                Found::Row { row, flips: [] } if is_first => self.begin_with(row, scratch),
                found => {
                    if is_first {
                        self.begin(scratch);
                    }
                    self.narrow_to(&step.layers[0], found, step.compacts, scratch);
                }
            }
            is_first = false;
            seen(scratch);
            if scratch.live.is_empty() {
                return;
            }
        }
        if is_first {
            self.begin(scratch);
        }
    }

    fn begin(&self, scratch: &mut Scratch) {
        scratch.live.extend(0..self.blocks as u32);
        scratch.left.resize(self.blocks, Line::ALL);
        if let Some(last) = scratch.left.last_mut() {
            *last = self.last;
        }
    }

    fn begin_with(&self, row: &[u32], scratch: &mut Scratch) {
        let Scratch { live, left, .. } = scratch;
        for (block, &line) in row.iter().enumerate() {
            if line != Lines::NONE {
                live.push(block as u32);
                left.push(self.lines[line as usize]);
            }
        }
        if live.last().is_some_and(|&block| block as usize + 1 == self.blocks)
            && let Some(last) = left.last_mut()
        {
            *last = last.and(&self.last);
        }
    }

    fn row_of_several<'b>(&self, step: &'b Step, record: &Record) -> &'b [u32] {
        let mut state = 0;
        for layer in step.layers.iter().rev() {
            state = state * layer.states() + self.state(layer, record);
        }
        &step.rows[state * self.blocks..(state + 1) * self.blocks]
    }

    /// Which of its rows a layer without flips has for a record.
    fn state(&self, layer: &Layer, record: &Record) -> usize {
        let at = layer.attribute;
        if !record.has(at) {
            return layer.row_count;
        }
        let key = record.key(at);
        match (&layer.places, key) {
            (Places::Values { row_of, .. }, Some(key)) => {
                self.dictionaries[at].find(key).map_or(0, |id| row_of[id as usize] as usize)
            }
            (Places::Spans { cut_keys, .. }, Some(Key::Number(key))) => {
                cut_keys.partition_point(|&one| one <= key)
            }
            _ => 0,
        }
    }

    fn row_of<'b>(&'b self, layer: &'b Layer, record: &Record, scratch: &mut Scratch) -> Found<'b> {
        let at = layer.attribute;
        if !record.has(at) {
            return Found::plain(&layer.missing);
        }
        match &layer.places {
            Places::Values { starts, flips, row_of } if layer.sort == Sort::Values => {
                let id = record.key(at).and_then(|key| self.dictionaries[at].find(key));
                let Some(id) = id.map(|id| id as usize) else {
                    return Found::plain(layer.row(0, self.blocks));
                };
                let row = layer.row(row_of[id] as usize, self.blocks);
                Found::Row { row, flips: &flips[starts[id] as usize..starts[id + 1] as usize] }
            }
            Places::Values { .. } => {
                let (from, to) = self.list(at, record, scratch);
                if from == to {
                    return Found::plain(layer.row(0, self.blocks));
                }
                Found::Several(from, to)
            }
            Places::Spans { keys, starts, flips, cuts, cut_keys } => {
                let Some(Key::Number(key)) = record.key(at) else {
                    return Found::plain(&layer.missing);
                };
                // Which row first: its keys are few, and near each other in memory.
                let cut = cut_keys.partition_point(|&one| one <= key);
                let from = cuts[cut] as usize;
                let to = cuts.get(cut + 1).map_or(from, |&to| to as usize);
                let passed = from + keys[from..to].partition_point(|&one| one <= key);
                let start = |at: usize| starts[at] as usize;
                let here = start(passed);
                let before = start(cuts[cut] as usize)..here;
                let (row, flips) = match cuts.get(cut + 1) {
                    Some(&next) if start(next as usize) - here < before.len() => {
                        (cut + 1, &flips[here..start(next as usize)])
                    }
                    _ => (cut, &flips[before]),
                };
                Found::Row { row: layer.row(row, self.blocks), flips }
            }
        }
    }

    fn narrow_to(&self, layer: &Layer, found: Found<'_>, compacts: bool, scratch: &mut Scratch) {
        match found {
            Found::Row { row, flips: [] } => self.and(row, scratch),
            Found::Row { row, flips } => {
                spread(scratch, self.blocks);
                flip(flips, scratch);
                self.and_flipped(row, scratch);
            }
            Found::Several(from, to) => {
                let Places::Values { starts, flips, row_of } = &layer.places else { return };
                spread(scratch, self.blocks);
                for value in from..to {
                    let id = scratch.values[value] as usize;
                    if row_of[id] != 0 {
                        let row = layer.row(row_of[id] as usize, self.blocks);
                        for (&block, flips) in scratch.live.iter().zip(&mut scratch.flips[1..]) {
                            *flips = flips.or(&self.lines[row[block as usize] as usize]);
                        }
                    }
                    set(&flips[starts[id] as usize..starts[id + 1] as usize], scratch);
                }
                self.and_flipped(layer.row(0, self.blocks), scratch);
            }
        }
        if compacts {
            compact(scratch);
            scratch.is_spread = false;
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

    /// Leaves the slots that a row has.
    fn and(&self, row: &[u32], scratch: &mut Scratch) {
        for (&block, left) in scratch.live.iter().zip(&mut scratch.left) {
            *left = left.and(&self.lines[row[block as usize] as usize]);
        }
    }

    /// The same of a row with bits that are the other way about, which are forgotten.
    fn and_flipped(&self, row: &[u32], scratch: &mut Scratch) {
        let Scratch { live, left, flips, .. } = scratch;
        flips[0] = Line::NONE;
        for ((&block, left), flips) in live.iter().zip(left).zip(&mut flips[1..]) {
            let flips = std::mem::replace(flips, Line::NONE);
            *left = left.and(&self.lines[row[block as usize] as usize].xor(&flips));
        }
    }
}

/// What a layer says of a record.
#[derive(Clone, Copy)]
enum Found<'b> {
    /// A row, and the slots in which it is the other way about.
    Row { row: &'b [u32], flips: &'b [u32] },
    /// The values of a list, where they are in the scratch.
    Several(usize, usize),
}

impl<'b> Found<'b> {
    fn plain(row: &'b [u32]) -> Self {
        Self::Row { row, flips: &[] }
    }
}

/// Takes out the blocks of which nothing is left.
fn compact(scratch: &mut Scratch) {
    let Scratch { live, left, .. } = scratch;
    let mut kept = 0;
    for at in 0..live.len() {
        let line = left[at];
        // Written in any case, and overwritten where nothing is left: there is no branch to guess.
        live[kept] = live[at];
        left[kept] = line;
        kept += usize::from(line.any());
    }
    live.truncate(kept);
    left.truncate(kept);
}

/// Notes where the blocks are of which something is left, if that is not known, and makes room for as many flips.
fn spread(scratch: &mut Scratch, blocks: usize) {
    let Scratch { live, place, flips, is_spread, .. } = scratch;
    if *is_spread {
        return;
    }
    *is_spread = true;
    place.clear();
    place.resize(blocks, 0);
    for (at, &block) in live.iter().enumerate() {
        place[block as usize] = at as u32 + 1;
    }
    if flips.len() <= live.len() {
        flips.resize(live.len() + 1, Line::NONE);
    }
}

fn flip(slots: &[u32], scratch: &mut Scratch) {
    let Scratch { place, flips, .. } = scratch;
    for &slot in slots {
        flips[place[slot as usize / BLOCK] as usize].flip(slot as usize % BLOCK);
    }
}

fn set(slots: &[u32], scratch: &mut Scratch) {
    let Scratch { place, flips, .. } = scratch;
    for &slot in slots {
        flips[place[slot as usize / BLOCK] as usize].set(slot as usize % BLOCK);
    }
}
