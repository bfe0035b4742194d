use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::attributes::Attributes;
use super::builder::Builder;
use super::dictionary::Dictionary;
use super::key::Key;
use super::layer::{Layer, Places};
use super::line::{BLOCK, Line, Lines};
use super::order::{Odds, ordered};
use super::record::Record;
use super::residual::{Residuals, Tree};
use super::scratch::Scratch;
use super::slots::{Packed, Slots, Sort};
use super::step::{Step, arranged};
use crate::ExprError;
use crate::node::Expr;

/// An index of expressions, which never changes and is shared between threads.
///
/// See [the module](super) for an example.
#[derive(Debug)]
pub struct Base {
    pub(crate) attributes: Arc<Attributes>,
    pub(crate) dictionaries: Vec<Dictionary>,
    pub(crate) lines: Vec<Line>,
    pub(crate) steps: Vec<Step>,
    pub(crate) blocks: usize,
    pub(crate) slots: usize,
    /// The slots of the last block that there are.
    last: Line,
    /// The id of each slot's expression.
    pub(crate) slot_ids: Vec<u64>,
    /// The number of each slot's expression.
    pub(crate) slot_numbers: Vec<u32>,
    /// Of each slot where in `extras` it is, counted from 1; 0 for one whose clauses are all there is of it.
    slot_extras: Vec<u32>,
    extras: Vec<Extra>,
    /// The slots that have one.
    with_extras: Vec<Line>,
    checks: Vec<Check>,
    check_values: Vec<u32>,
    trees: Vec<Tree>,
    pub(crate) residuals: Residuals,
    /// Expressions of more than one slot.
    many: usize,
    pub(crate) ids: Vec<u64>,
    pub(crate) expressions: Vec<Expr>,
    pub(crate) numbers: HashMap<u64, u32, RandomState>,
}

/// What else a slot has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extra {
    /// The tree that has to be true, counted from 1; 0 for none.
    residual: u32,
    /// The number among expressions of more than one slot, counted from 1; 0 for one of one slot.
    many: u32,
    /// Where its checks begin and end.
    checks: (u32, u32),
}

/// A clause on a list for which there is no layer, for it would be of too few slots.
#[derive(Clone, Copy, Debug)]
struct Check {
    attribute: u16,
    not: bool,
    null: bool,
    /// Where its values begin and end.
    start: u32,
    end: u32,
}

impl Base {
    /// See [`Builder::new`].
    pub fn builder(attributes: &Arc<Attributes>) -> Builder {
        Builder::new(attributes)
    }

    pub(super) fn of(builder: Builder) -> Self {
        let Builder {
            attributes,
            mut dictionaries,
            slots,
            residuals,
            trees,
            ids,
            expressions,
            numbers,
            ..
        } = builder;
        let values: Vec<usize> = dictionaries.iter().map(Dictionary::len).collect();
        dictionaries.iter_mut().for_each(Dictionary::settle);
        let odds = Odds::of(&slots, &values);
        let shares = odds.shares(&slots);
        let order = ordered(&slots, &odds, &shares);
        let blocks = slots.len().div_ceil(BLOCK);
        let mut lines = Lines::new();
        let (layers, late) = layers(&slots, &odds, &shares, &order, &values, &mut lines, blocks);
        let steps = arranged(layers, &mut lines, blocks);
        let mut counts = vec![0_u32; ids.len()];
        slots.expressions.iter().for_each(|&number| counts[number as usize] += 1);
        let mut many = 0;
        for count in &mut counts {
            *count = if *count > 1 {
                many += 1;
                many
            } else {
                0
            };
        }
        let mut slot_ids = Vec::with_capacity(slots.len());
        let mut slot_numbers = Vec::with_capacity(slots.len());
        let mut slot_extras = Vec::with_capacity(slots.len());
        let mut extras = Vec::new();
        let (mut checks, mut check_values) = (Vec::new(), Vec::new());
        let mut late = late.into_iter().peekable();
        let mut with_extras = vec![Line::NONE; blocks];
        for (place, &slot) in order.iter().enumerate() {
            let number = slots.expressions[slot as usize] as usize;
            let (residual, many) = (slots.residuals[slot as usize], counts[number]);
            slot_ids.push(ids[number]);
            slot_numbers.push(number as u32);
            let first = checks.len() as u32;
            while let Some((_, clause)) = late.next_if(|one| one.0 as usize == place) {
                let clause = &slots.all_clauses()[clause as usize];
                let start = check_values.len() as u32;
                check_values.extend_from_slice(slots.values(clause));
                let (attribute, not, null) = (clause.attribute, clause.not, clause.null);
                checks.push(Check { attribute, not, null, start, end: check_values.len() as u32 });
            }
            let checks = (first, checks.len() as u32);
            if residual == 0 && many == 0 && checks.0 == checks.1 {
                slot_extras.push(0);
            } else {
                extras.push(Extra { residual, many, checks });
                slot_extras.push(extras.len() as u32);
                with_extras[place / BLOCK].set(place % BLOCK);
            }
        }
        let last = match slots.len() % BLOCK {
            0 => Line::ALL,
            left => Line::first(left),
        };
        Self {
            attributes,
            dictionaries,
            lines: lines.into_lines(),
            steps,
            blocks,
            slots: slots.len(),
            last,
            slot_ids,
            slot_numbers,
            slot_extras,
            extras,
            with_extras,
            checks,
            check_values,
            trees,
            residuals,
            many: many as usize,
            ids,
            expressions,
            numbers,
        }
    }

    /// What records have.
    pub fn attributes(&self) -> &Arc<Attributes> {
        &self.attributes
    }

    /// Expressions.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Appends the ids of all expressions that are true of a record, each once, in no order.
    ///
    /// # Errors
    /// Where the record is of other attributes; or else where a number went out of range: the expression that it is
    /// of counts as not true, and all others have been appended.
    pub fn matches(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        ids: &mut Vec<u64>,
    ) -> Result<(), ExprError> {
        self.visit(record, scratch, |slot| {
            ids.push(self.slot_ids[slot]);
            true
        })
    }

    /// How many expressions are true of a record.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn count(&self, record: &Record, scratch: &mut Scratch) -> Result<usize, ExprError> {
        let mut count = 0;
        self.visit(record, scratch, |_| {
            count += 1;
            true
        })?;
        Ok(count)
    }

    /// Whether an expression is true of a record.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn any(&self, record: &Record, scratch: &mut Scratch) -> Result<bool, ExprError> {
        let mut any = false;
        self.visit(record, scratch, |_| {
            any = true;
            false
        })?;
        Ok(any)
    }

    pub(crate) fn byte_len(&self) -> usize {
        let layers: usize = self.steps.iter().map(Step::byte_len).sum();
        let dictionaries: usize = self.dictionaries.iter().map(Dictionary::byte_len).sum();
        let slots = self.slot_ids.len() * 12
            + self.slot_extras.len() * 4
            + self.extras.len() * 16
            + (self.checks.len() * 3 + self.check_values.len()) * 4
            + self.with_extras.len() * 64;
        let residual = self.residuals.byte_len() + self.trees.len() * 24;
        let ids = self.ids.len() * 8 + self.expressions.len() * 8 + self.numbers.allocation_size();
        self.lines.len() * 64 + layers + dictionaries + slots + residual + ids
    }

    /// One slot of each expression, until `visit` has seen enough.
    pub(crate) fn visit(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        mut visit: impl FnMut(usize) -> bool,
    ) -> Result<(), ExprError> {
        if !self.attributes.same(record.attributes()) {
            return Err(ExprError::new("the record has other attributes than the expressions"));
        }
        self.narrow(record, scratch);
        scratch.memo.begin(self.residuals.len());
        scratch.told.resize(self.many.div_ceil(64), 0);
        // First which slots there are, then what they are: so that many are fetched at once.
        let Scratch { live, left, plain, extra, extra_of, .. } = scratch;
        plain.clear();
        extra.clear();
        for (&block, line) in live.iter().zip(&*left) {
            let first = block * BLOCK as u32;
            let with = &self.with_extras[block as usize];
            line.without(with).each(|at| plain.push(first + at as u32));
            line.and(with).each(|at| extra.push(first + at as u32));
        }
        let done = plain.iter().all(|&slot| visit(slot as usize));
        let extras = extra
            .drain(..)
            .map(|slot| (slot, self.extras[self.slot_extras[slot as usize] as usize - 1]));
        extra_of.clear();
        extra_of.extend(extras);
        for at in 0..if done { scratch.extra_of.len() } else { 0 } {
            let (slot, extra) = scratch.extra_of[at];
            let slot = slot as usize;
            let many = (extra.many as usize).wrapping_sub(1);
            if extra.many != 0 && scratch.told[many / 64] >> (many % 64) & 1 == 1 {
                continue;
            }
            let (from, to) = extra.checks;
            let checks = &self.checks[from as usize..to as usize];
            if !checks.iter().all(|check| self.passes(check, record, scratch)) {
                continue;
            }
            if extra.residual != 0 {
                let tree = &self.trees[extra.residual as usize - 1];
                if !self.residuals.holds(tree, record, &mut scratch.memo) {
                    continue;
                }
            }
            if extra.many != 0 {
                scratch.told[many / 64] |= 1 << (many % 64);
                scratch.told_words.push((many / 64) as u32);
            }
            if !visit(slot) {
                break;
            }
        }
        let Scratch { memo, told, told_words, .. } = scratch;
        told_words.drain(..).for_each(|word| told[word as usize] = 0);
        memo.take_error().map_or(Ok(()), Err)
    }

    fn passes(&self, check: &Check, record: &Record, scratch: &mut Scratch) -> bool {
        let attribute = check.attribute as usize;
        if !record.has(attribute) {
            return check.null;
        }
        let (from, to) = self.list(attribute, record, scratch);
        let values = &self.check_values[check.start as usize..check.end as usize];
        let held = &scratch.values[from..to];
        held.iter().any(|value| values.binary_search(value).is_ok()) != check.not
    }

    /// Finds the slots whose clauses are all true.
    fn narrow(&self, record: &Record, scratch: &mut Scratch) {
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
    fn list(&self, attribute: usize, record: &Record, scratch: &mut Scratch) -> (usize, usize) {
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

/// The layers, each with the odds that it leaves a slot.
fn layers(
    slots: &Slots,
    odds: &Odds,
    shares: &[f32],
    order: &[u32],
    values: &[usize],
    lines: &mut Lines,
    blocks: usize,
) -> (Vec<Layer>, Vec<(u32, u32)>) {
    // Counted, then filled: in the order of the slots, and without a list that grows for each.
    let mut counts: Vec<usize> = Vec::new();
    for clause in slots.all_clauses() {
        let name = clause.name();
        if name >= counts.len() {
            counts.resize(name + 1, 0);
        }
        counts[name] += 1;
    }
    let mut names: Vec<(usize, usize)> = counts.iter().copied().enumerate().collect();
    // Where a slot has several lists to look for, the few are looked at when all else is true.
    names.retain(|(name, count)| {
        *count > 0 && (Packed::of_name(*name).2 == 0 || *count * FEW > slots.len())
    });
    counts.fill(usize::MAX);
    let mut late = Vec::new();
    let mut next = Vec::with_capacity(names.len());
    let mut total = 0;
    for (at, (name, count)) in names.iter().enumerate() {
        counts[*name] = at;
        next.push(total);
        total += count;
    }
    let mut members = vec![(0_u32, 0_u32); total];
    let mut missed = vec![0.0_f64; names.len()];
    for (place, &slot) in order.iter().enumerate() {
        let first = slots.first_clause(slot as usize);
        for (at, clause) in slots.clauses_of(slot as usize).iter().enumerate() {
            let layer = counts[clause.name()];
            if layer == usize::MAX {
                late.push((place as u32, (first + at) as u32));
                continue;
            }
            members[next[layer]] = (place as u32, (first + at) as u32);
            next[layer] += 1;
            missed[layer] += 1.0 - f64::from(shares[first + at]);
        }
    }
    let mut layers = Vec::with_capacity(names.len());
    for (at, (name, count)) in names.into_iter().enumerate() {
        let (attribute, sort, _) = Packed::of_name(name);
        let end = next[at];
        let members = &members[end - count..end];
        let mut layer = match sort {
            Sort::Spans => Layer::of_spans(attribute, members, slots, lines, blocks),
            _ => {
                let of = (attribute, sort);
                Layer::of_values(of, members, slots, values[attribute], lines, blocks)
            }
        };
        layer.passing = 1.0 - missed[at] / slots.len() as f64;
        layer.expect(odds.weights(attribute), blocks);
        layers.push(layer);
    }
    (layers, late)
}

/// One of so many slots is few.
const FEW: usize = 64;
