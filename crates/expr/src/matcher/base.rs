use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::attributes::Attributes;
use super::builder::Builder;
use super::dictionary::Dictionary;
use super::expressions::Expressions;
use super::gather::layers;
use super::line::{BLOCK, Line, Lines};
use super::order::{Odds, ordered};
use super::record::Record;
use super::residual::{Residuals, Tree, Truth};
use super::scratch::Scratch;
use super::step::{Step, arranged};
use crate::ExprError;

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
    pub(crate) last: Line,
    pub(super) told: Told,
    /// The number of each slot's expression.
    pub(crate) slot_numbers: Vec<u32>,
    pub(super) extras: Vec<Extra>,
    pub(super) checks: Vec<Check>,
    pub(super) check_values: Vec<u32>,
    pub(super) trees: Vec<Tree>,
    pub(crate) residuals: Residuals,
    pub(crate) ids: Vec<u64>,
    pub(crate) priorities: Vec<f64>,
    pub(super) expressions: Expressions,
    pub(crate) numbers: HashMap<u64, u32, RandomState>,
}

/// What is told of a slot, and by what it may be kept from being told: together, for each is a line of memory away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfSlot {
    /// The id of its expression.
    pub(crate) id: u64,
    /// The expression's number among those of more than one slot, counted from 1; 0 for one of one slot.
    many: u32,
    /// Where in `extras` it is, counted from 1; 0 for one whose clauses are all there is of it.
    extra: u32,
}

/// What is told of all slots.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) of_slots: Vec<OfSlot>,
    /// The slots of which there is more to know than that their clauses are true.
    with_extras: Vec<Line>,
    /// Expressions of more than one slot.
    many: usize,
}

/// What else has to be true of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    pub(super) slot: u32,
    /// The tree that has to be, counted from 1; 0 for none.
    pub(super) residual: u32,
    /// Where its checks begin and end.
    pub(super) checks: (u32, u32),
}

/// A clause on a list for which there is no layer, for it would be of too few slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) attribute: u16,
    pub(super) not: bool,
    pub(super) null: bool,
    /// Where its values begin and end.
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Told {
    /// `slot_numbers` and `extras` are in the order of the slots.
    pub(super) fn of(ids: &[u64], slot_numbers: &[u32], extras: &[Extra]) -> Self {
        let mut counts = vec![0_u32; ids.len()];
        for &number in slot_numbers {
            counts[number as usize] += 1;
        }
        let mut many = 0;
        for count in &mut counts {
            *count = if *count > 1 {
                many += 1;
                many
            } else {
                0
            };
        }
        let mut with_extras = vec![Line::NONE; slot_numbers.len().div_ceil(BLOCK)];
        let mut extras = extras.iter().zip(1..).peekable();
        let of_slots = slot_numbers.iter().enumerate().map(|(slot, &number)| {
            let extra = extras.next_if(|(extra, _)| extra.slot as usize == slot);
            let (extra, many) = (extra.map_or(0, |(_, at)| at), counts[number as usize]);
            if extra != 0 || many != 0 {
                with_extras[slot / BLOCK].set(slot % BLOCK);
            }
            OfSlot { id: ids[number as usize], many, extra }
        });
        Self { of_slots: of_slots.collect(), with_extras, many: many as usize }
    }
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
            priorities,
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
        let mut slot_numbers = Vec::with_capacity(slots.len());
        let mut extras = Vec::new();
        let (mut checks, mut check_values) = (Vec::new(), Vec::new());
        let mut late = late.into_iter().peekable();
        for (place, &slot) in order.iter().enumerate() {
            let residual = slots.residuals[slot as usize];
            slot_numbers.push(slots.expressions[slot as usize]);
            let first = checks.len() as u32;
            while let Some((_, clause)) = late.next_if(|one| one.0 as usize == place) {
                let clause = &slots.all_clauses()[clause as usize];
                let start = check_values.len() as u32;
                check_values.extend_from_slice(slots.values(clause));
                let (attribute, not, null) = (clause.attribute, clause.not, clause.null);
                checks.push(Check { attribute, not, null, start, end: check_values.len() as u32 });
            }
            let checks = (first, checks.len() as u32);
            if residual != 0 || checks.0 != checks.1 {
                extras.push(Extra { slot: place as u32, residual, checks });
            }
        }
        Self {
            attributes,
            dictionaries,
            lines: lines.into_lines(),
            steps,
            blocks,
            slots: slots.len(),
            last: Line::last(slots.len()),
            told: Told::of(&ids, &slot_numbers, &extras),
            slot_numbers,
            extras,
            checks,
            check_values,
            trees,
            residuals,
            ids,
            priorities,
            expressions: Expressions::Made(expressions),
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
        self.visit(
            record,
            scratch,
            |_| true,
            |slot| {
                ids.push(self.told.of_slots[slot].id);
                true
            },
        )
    }

    /// How many expressions are true of a record.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn count(&self, record: &Record, scratch: &mut Scratch) -> Result<usize, ExprError> {
        let mut count = 0;
        self.visit(
            record,
            scratch,
            |_| true,
            |_| {
                count += 1;
                true
            },
        )?;
        Ok(count)
    }

    /// Whether an expression is true of a record.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn any(&self, record: &Record, scratch: &mut Scratch) -> Result<bool, ExprError> {
        let mut any = false;
        self.visit(
            record,
            scratch,
            |_| true,
            |_| {
                any = true;
                false
            },
        )?;
        Ok(any)
    }

    pub(crate) fn byte_len(&self) -> usize {
        let layers: usize = self.steps.iter().map(Step::byte_len).sum();
        let dictionaries: usize = self.dictionaries.iter().map(Dictionary::byte_len).sum();
        let slots = self.told.of_slots.len() * 20
            + self.extras.len() * 16
            + (self.checks.len() * 3 + self.check_values.len()) * 4
            + self.told.with_extras.len() * 64;
        let residual = self.residuals.byte_len() + self.trees.len() * 24;
        let ids = self.ids.len() * 24 + self.numbers.allocation_size();
        self.lines.len() * 64 + layers + dictionaries + slots + residual + ids
    }

    /// One slot of each expression, until `visit` has seen enough.
    pub(crate) fn visit(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        is_there: impl Fn(usize) -> bool,
        mut visit: impl FnMut(usize) -> bool,
    ) -> Result<(), ExprError> {
        if !self.attributes.same(record.attributes()) {
            return Err(ExprError::new("the record has other attributes than the expressions"));
        }
        self.narrow(record, scratch);
        scratch.memo.begin(self.residuals.len());
        scratch.told.resize(self.told.many.div_ceil(64), 0);
        // First which slots there are, then what they are: so that many are fetched at once.
        let Scratch { live, left, plain, extra, .. } = scratch;
        plain.clear();
        extra.clear();
        for (&block, line) in live.iter().zip(&*left) {
            let first = block * BLOCK as u32;
            let with = &self.told.with_extras[block as usize];
            line.without(with).each(|at| plain.push(first + at as u32));
            line.and(with).each(|at| extra.push(first + at as u32));
        }
        let done = plain.iter().all(|&slot| visit(slot as usize));
        let mut failed = Vec::new();
        for at in 0..if done { scratch.extra.len() } else { 0 } {
            let slot = scratch.extra[at] as usize;
            let OfSlot { many, extra, .. } = self.told.of_slots[slot];
            let bit = (many as usize).wrapping_sub(1);
            if many != 0 && scratch.told[bit / 64] >> (bit % 64) & 1 == 1 {
                continue;
            }
            match if extra == 0 { Truth::Yes } else { self.extra_holds(extra, record, scratch) } {
                Truth::Yes => {}
                Truth::No => continue,
                Truth::Failed => {
                    failed.push((slot, extra, bit));
                    continue;
                }
            }
            if many != 0 {
                scratch.told[bit / 64] |= 1 << (bit % 64);
                scratch.told_words.push((bit / 64) as u32);
            }
            if !visit(slot) {
                break;
            }
        }
        let Scratch { told, told_words, .. } = scratch;
        // What fails does not count where another slot of the same expression is true.
        let is_told =
            |many: usize| told.get(many / 64).is_some_and(|word| word >> (many % 64) & 1 == 1);
        let counts = failed.iter().find(|(slot, _, many)| is_there(*slot) && !is_told(*many));
        let error = counts.and_then(|(_, extra, _)| {
            let tree = self.extras[*extra as usize - 1].residual as usize - 1;
            self.residuals.error(&self.trees[tree], record)
        });
        told_words.drain(..).for_each(|word| told[word as usize] = 0);
        error.map_or(Ok(()), Err)
    }

    fn extra_holds(&self, extra: u32, record: &Record, scratch: &mut Scratch) -> Truth {
        let Extra { residual, checks: (from, to), .. } = self.extras[extra as usize - 1];
        let checks = &self.checks[from as usize..to as usize];
        if !checks.iter().all(|check| self.passes(check, record, scratch)) {
            return Truth::No;
        }
        if residual == 0 {
            return Truth::Yes;
        }
        self.residuals.holds(&self.trees[residual as usize - 1], record, &mut scratch.memo)
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
}
