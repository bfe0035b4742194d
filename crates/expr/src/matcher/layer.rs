//! What the index has of one attribute: for each value a row of lines, and the slots in which it differs from its
//! row.

use super::line::{BLOCK, Line, Lines};
use super::slots::{Packed, Slots, Sort};

/// One attribute's clauses of one sort, at most one of each slot.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) attribute: usize,
    pub(crate) sort: Sort,
    /// Of records in which the attribute is missing.
    pub(crate) missing: Box<[u32]>,
    /// Numbers of lines: rows of one for each block.
    pub(crate) rows: Vec<u32>,
    pub(crate) places: Places,
    /// How much is expected to be left of the slots, of all that there are.
    pub(crate) passing: f64,
    /// The share of blocks of which it is expected to leave something.
    pub(crate) alive: f64,
    /// How many flips and how many rows beside the first a record is expected to have.
    pub(crate) flips: f64,
    pub(crate) dense: f64,
    pub(crate) clauses: usize,
    pub(crate) row_count: usize,
}

/// How a value's row is found, and its flips: the slots whose bits are the other way about.
#[derive(Debug)]
pub(crate) enum Places {
    Values {
        /// Of each value, where its flips begin, and those of the last end.
        starts: Vec<u32>,
        flips: Vec<u32>,
        /// The row of each value: of its own where it has many slots, and else that of all others.
        row_of: Vec<u32>,
    },
    Spans {
        /// Where the truth of some slot changes.
        keys: Vec<i64>,
        /// Of each key, where its flips begin, and those of the last end.
        starts: Vec<u32>,
        flips: Vec<u32>,
        /// How many keys are passed at each row, and the last of them, from the second row on.
        cuts: Vec<u32>,
        cut_keys: Vec<i64>,
    },
}

/// The clauses of a layer and the slots that they are of, in the order of these.
pub(crate) type Members<'a> = &'a [(u32, u32)];

impl Layer {
    pub(super) fn new(
        attribute: usize,
        sort: Sort,
        missing: Box<[u32]>,
        rows: Vec<u32>,
        places: Places,
        clauses: usize,
        row_count: usize,
    ) -> Self {
        let (passing, alive) = (1.0, 1.0);
        Self {
            attribute,
            sort,
            missing,
            rows,
            places,
            passing,
            alive,
            flips: 0.0,
            dense: 0.0,
            clauses,
            row_count,
        }
    }

    /// Finds what is to be expected of a record, in which values are as frequent as in expressions.
    pub(crate) fn expect(&mut self, weights: &[f32], blocks: usize) {
        let alive = |number: usize| {
            let row = self.row(number, blocks);
            row.iter().filter(|&&line| line != Lines::NONE).count() as f64 / blocks as f64
        };
        let (mut left, mut flips, mut dense) = (0.0, 0.0, 0.0);
        match &self.places {
            Places::Values { starts, row_of, .. } => {
                let other = alive(0);
                left += other * (1.0 - f64::from(weights.iter().sum::<f32>()));
                for (value, &weight) in weights.iter().enumerate() {
                    let weight = f64::from(weight);
                    let several = if self.sort == Sort::Elements { HELD } else { 1.0 };
                    flips += weight * several * f64::from(starts[value + 1] - starts[value]);
                    if row_of[value] != 0 {
                        dense += weight * several;
                    }
                    let row = if self.sort == Sort::Elements { 0 } else { row_of[value] as usize };
                    left += weight * if row == 0 { other } else { alive(row) };
                }
                if self.sort == Sort::Elements {
                    // What no value leaves a list of values leaves some of.
                    left = left.midpoint(1.0);
                } else {
                    dense = 0.0;
                }
            }
            Places::Spans { cuts, flips: all, .. } => {
                left = (0..cuts.len()).map(alive).sum::<f64>() / cuts.len() as f64;
                flips = all.len() as f64 / cuts.len() as f64 / 4.0;
            }
        }
        (self.alive, self.flips, self.dense) = (left.min(1.0), flips, dense);
    }

    pub(crate) fn row(&self, number: usize, blocks: usize) -> &[u32] {
        &self.rows[number * blocks..(number + 1) * blocks]
    }

    pub(crate) fn byte_len(&self) -> usize {
        let places = match &self.places {
            Places::Values { starts, flips, row_of } => {
                (starts.len() + flips.len() + row_of.len()) * 4
            }
            Places::Spans { keys, starts, flips, cuts, cut_keys } => {
                (keys.len() + cut_keys.len()) * 8 + (starts.len() + flips.len() + cuts.len()) * 4
            }
        };
        places + (self.rows.len() + self.missing.len()) * 4
    }

    /// The layer of sets of values.
    pub(crate) fn of_values(
        (attribute, sort): (usize, Sort),
        members: Members<'_>,
        slots: &Slots,
        values: usize,
        lines: &mut Lines,
        blocks: usize,
    ) -> Self {
        let clause = |number: u32| &slots.all_clauses()[number as usize];
        let mut other = vec![Line::ALL; blocks];
        let mut starts = vec![0_u32; values + 1];
        for &(slot, number) in members {
            let clause = clause(number);
            if !clause.not {
                other[slot as usize / BLOCK].flip(slot as usize % BLOCK);
            }
            for &value in slots.values(clause) {
                starts[value as usize + 1] += 1;
            }
        }
        let missing = missing(members, slots, lines, blocks);
        for at in 0..values {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut flips = vec![0_u32; starts[values] as usize];
        for &(slot, number) in members {
            for &value in slots.values(clause(number)) {
                let next = &mut next[value as usize];
                flips[*next as usize] = slot;
                *next += 1;
            }
        }
        drop(next);
        // A list may hold many values of one slot, so what is kept of it is which slots are hit, from none on.
        let base = match sort {
            Sort::Elements => vec![Line::NONE; blocks],
            _ => other.clone(),
        };
        let mut rows: Vec<u32> = other.iter().map(|line| lines.intern(line)).collect();
        let plain: Vec<u32> = base.iter().map(|line| lines.intern(line)).collect();
        let mut row_of = vec![0; values];
        let mut kept = 0;
        for value in 0..values {
            let range = starts[value] as usize..starts[value + 1] as usize;
            starts[value] = kept as u32;
            if is_dense(range.len(), sort, blocks) {
                row_of[value] = (rows.len() / blocks) as u32;
                let row = rows.len();
                rows.extend_from_slice(&plain);
                flip_blocks(&flips[range], |block, slots| {
                    let mut line = base[block];
                    for &slot in slots {
                        line.flip(slot as usize % BLOCK);
                    }
                    rows[row + block] = lines.intern(&line);
                });
            } else {
                flips.copy_within(range.clone(), kept);
                kept += range.len();
            }
        }
        starts[values] = kept as u32;
        flips.truncate(kept);
        flips.shrink_to_fit();
        rows.shrink_to_fit();
        let count = rows.len() / blocks;
        let places = Places::Values { starts, flips, row_of };
        Self::new(attribute, sort, missing, rows, places, members.len(), count)
    }

    /// The layer of ranges.
    pub(crate) fn of_spans(
        attribute: usize,
        members: Members<'_>,
        slots: &Slots,
        lines: &mut Lines,
        blocks: usize,
    ) -> Self {
        let mut state = vec![Line::ALL; blocks];
        let mut events: Vec<(i64, u32)> = Vec::with_capacity(2 * members.len());
        for &(slot, number) in members {
            let mut below = false;
            for &(low, high) in slots.spans(&slots.all_clauses()[number as usize]) {
                if low == i64::MIN {
                    below = true;
                } else {
                    events.push((low, slot));
                }
                if let Some(above) = high.checked_add(1) {
                    events.push((above, slot));
                }
            }
            if !below {
                state[slot as usize / BLOCK].flip(slot as usize % BLOCK);
            }
        }
        let missing = missing(members, slots, lines, blocks);
        events.sort_unstable();
        let mut keys = Vec::new();
        let mut starts = Vec::new();
        for (at, event) in events.iter().enumerate() {
            if keys.last() != Some(&event.0) {
                keys.push(event.0);
                starts.push(at as u32);
            }
        }
        starts.push(events.len() as u32);
        keys.shrink_to_fit();
        starts.shrink_to_fit();
        let flips: Vec<u32> = events.iter().map(|event| event.1).collect();
        drop(events);
        // A row at the beginning, and one after so many flips: half as many are between a key and the next row.
        let apart = blocks.max(MOST_BETWEEN);
        let mut row: Vec<u32> = state.iter().map(|line| lines.intern(line)).collect();
        let mut rows = row.clone();
        let mut cuts = vec![0_u32];
        let mut since = 0;
        let mut dirty = Vec::new();
        for at in 0..keys.len() {
            let range = starts[at] as usize..starts[at + 1] as usize;
            // The flips of keys that are few are in rows too.
            if at > 0 && since > 0 && (since + range.len() > apart || keys.len() <= MOST_KEYS) {
                cut(&mut dirty, &mut row, &state, lines);
                rows.extend_from_slice(&row);
                cuts.push(at as u32);
                since = 0;
            }
            since += range.len();
            for &slot in &flips[range] {
                let block = slot as usize / BLOCK;
                state[block].flip(slot as usize % BLOCK);
                dirty.push(block as u32);
            }
        }
        cut(&mut dirty, &mut row, &state, lines);
        rows.extend_from_slice(&row);
        cuts.push(keys.len() as u32);
        rows.shrink_to_fit();
        let count = rows.len() / blocks;
        let cut_keys = cuts[1..].iter().map(|&cut| keys.get((cut as usize).wrapping_sub(1)));
        let cut_keys = cut_keys.map(|key| key.copied().unwrap_or(i64::MIN)).collect();
        let places = Places::Spans { keys, starts, flips, cuts, cut_keys };
        let sort = Sort::Spans;
        Self::new(attribute, sort, missing, rows, places, members.len(), count)
    }
}

/// Values that a record's list is taken to hold.
const HELD: f64 = 12.0;
/// Flips between two rows of ranges, at least: fewer are quicker found one by one than by a row.
const MOST_BETWEEN: usize = 16;
/// Each of so many keys has a row of its own.
const MOST_KEYS: usize = 64;

/// Whether a value of so many slots has a row: it is then as quick as one of which no slot is. In a list it is a row
/// more, whose lines come from slow memory; flips come in a row, and two of them are as quick as a line.
fn is_dense(slots: usize, sort: Sort, blocks: usize) -> bool {
    let least = if sort == Sort::Elements { 2 * blocks } else { blocks };
    slots > least + 8
}

fn cut(dirty: &mut Vec<u32>, row: &mut [u32], state: &[Line], lines: &mut Lines) {
    dirty.sort_unstable();
    dirty.dedup();
    for block in dirty.drain(..) {
        row[block as usize] = lines.intern(&state[block as usize]);
    }
}

/// Slots by block.
fn flip_blocks(slots: &[u32], mut visit: impl FnMut(usize, &[u32])) {
    for slots in slots.chunk_by(|a, b| *a as usize / BLOCK == *b as usize / BLOCK) {
        visit(slots[0] as usize / BLOCK, slots);
    }
}

fn missing(members: Members<'_>, slots: &Slots, lines: &mut Lines, blocks: usize) -> Box<[u32]> {
    let mut missing = vec![Line::ALL; blocks];
    for &(slot, number) in members {
        let clause: &Packed = &slots.all_clauses()[number as usize];
        if !clause.null {
            missing[slot as usize / BLOCK].flip(slot as usize % BLOCK);
        }
    }
    missing.iter().map(|line| lines.intern(line)).collect()
}
