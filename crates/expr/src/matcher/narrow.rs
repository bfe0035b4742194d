//! Which slots are left of a record: its row of each layer, one after the other.

use super::base::Base;
use super::find::Place;
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
        self.find(record, scratch);
        let mut is_first = true;
        for (at, step) in self.steps.iter().enumerate() {
            let found = step.found(scratch.found[at], self.blocks);
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

impl Step {
    fn found(&self, place: Place, blocks: usize) -> Found<'_> {
        let Place { row, from, to } = place;
        if self.is_several() {
            let row = row as usize * blocks;
            return Found::plain(&self.rows[row..row + blocks]);
        }
        let layer = &self.layers[0];
        if place == Place::MISSING {
            return Found::plain(&layer.missing);
        }
        let (from, to) = (from as usize, to as usize);
        match &layer.places {
            Places::Values { .. } if layer.sort == Sort::Elements && from < to => {
                Found::Several(from, to)
            }
            Places::Values { .. } if layer.sort == Sort::Elements => {
                Found::plain(layer.row(0, blocks))
            }
            Places::Values { flips, .. } | Places::Spans { flips, .. } => {
                Found::Row { row: layer.row(row as usize, blocks), flips: &flips[from..to] }
            }
        }
    }
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
