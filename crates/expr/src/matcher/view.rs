use std::sync::Arc;

use super::attributes::Attributes;
use super::base::Base;
use super::bitmap::set_bits;
use super::explain::Said;
use super::live::killed;
use super::record::Record;
use super::residual::{Residuals, Tree, Truth};
use super::scratch::Scratch;
use super::top::Top;
use crate::ExprError;
use crate::node::Expr;

/// What a [`Live`](super::Live) had stored at one moment.
#[derive(Clone, Debug)]
pub struct View {
    attributes: Arc<Attributes>,
    pub(super) levels: Vec<Level>,
    pub(super) recent: Vec<Arc<Recent>>,
}

/// An index, and what was removed of it since.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) base: Arc<Base>,
    pub(super) dead: Option<Arc<Dead>>,
    /// No other index can be made of it: a condition is not what a snapshot should have.
    pub(super) is_fixed: bool,
}

/// A condition that is in no index.
#[derive(Debug)]
pub(super) struct Recent {
    pub(super) id: u64,
    pub(super) expression: Expr,
    pub(super) priority: f64,
    pub(super) conditions: Residuals,
    pub(super) tree: Tree,
}

/// Removed expressions, a bit for each of an index.
#[derive(Clone, Debug)]
pub(super) struct Dead {
    pub(super) words: Vec<u64>,
    pub(super) count: usize,
}

impl Dead {
    pub(super) fn has(&self, number: u32) -> bool {
        self.words[number as usize / 64] >> (number % 64) & 1 == 1
    }

    pub(super) fn kill(&mut self, number: u32) {
        self.count += usize::from(!self.has(number));
        self.words[number as usize / 64] |= 1 << (number % 64);
    }
}

/// A condition that is true of a record, of which no more is read than is asked for.
enum Found<'v> {
    Slot(&'v Base, usize),
    Recent(&'v Recent),
}

impl Found<'_> {
    fn id(&self) -> u64 {
        match self {
            Self::Slot(base, slot) => base.told.of_slots[*slot].id,
            Self::Recent(recent) => recent.id,
        }
    }

    fn priority(&self) -> f64 {
        match self {
            Self::Slot(base, slot) => base.priorities[base.slot_numbers[*slot] as usize],
            Self::Recent(recent) => recent.priority,
        }
    }
}

impl Level {
    pub(super) fn alive(&self) -> usize {
        self.base.len() - self.dead.as_ref().map_or(0, |dead| dead.count)
    }

    /// Of half of it nobody asks any more.
    pub(super) fn is_hollow(&self) -> bool {
        self.alive() * 2 < self.base.len()
    }

    pub(super) fn is_alive(&self, number: u32) -> bool {
        self.dead.as_ref().is_none_or(|dead| !dead.has(number))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        let numbered = self.base.ids.iter().zip(0..);
        numbered.filter(|(_, number)| self.is_alive(*number)).map(|(&id, _)| id)
    }

    /// Whether an id is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (small, large) =
            if self.base.len() < other.base.len() { (self, other) } else { (other, self) };
        small.ids().any(|id| large.number(id).is_some())
    }

    fn number(&self, id: u64) -> Option<u32> {
        self.base.numbers.get(&id).copied().filter(|&number| self.is_alive(number))
    }
}

impl View {
    pub(super) fn empty(attributes: &Arc<Attributes>) -> Self {
        Self { attributes: Arc::clone(attributes), levels: Vec::new(), recent: Vec::new() }
    }

    pub(super) fn with(&self, recent: Arc<Recent>) -> Self {
        let mut new = self.clone();
        new.recent.push(recent);
        new
    }

    /// `None` where there is no such id.
    pub(super) fn without(&self, id: u64) -> Option<Self> {
        if let Some(at) = self.recent.iter().position(|recent| recent.id == id) {
            let mut new = self.clone();
            new.recent.remove(at);
            return Some(new);
        }
        let (at, number) = self.find(id)?;
        let mut new = self.clone();
        let level = &mut new.levels[at];
        level.dead = Some(killed(level.dead.as_ref(), number, level.base.len()));
        if level.alive() == 0 {
            new.levels.remove(at);
        }
        Some(new)
    }

    fn find(&self, id: u64) -> Option<(usize, u32)> {
        let mut levels = self.levels.iter().enumerate();
        levels.find_map(|(at, level)| level.number(id).map(|number| (at, number)))
    }

    /// How many conditions there are.
    pub fn len(&self) -> usize {
        self.recent.len() + self.levels.iter().map(Level::alive).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.levels.is_empty()
    }

    /// Whether there is a condition of this id.
    pub fn contains(&self, id: u64) -> bool {
        self.recent.iter().any(|recent| recent.id == id) || self.find(id).is_some()
    }

    /// What records have.
    pub fn attributes(&self) -> &Arc<Attributes> {
        &self.attributes
    }

    /// The condition of this id.
    ///
    /// # Errors
    /// Where it is in a snapshot, and is no expression there.
    pub fn get(&self, id: u64) -> Result<Option<Expr>, ExprError> {
        if let Some(recent) = self.recent.iter().find(|recent| recent.id == id) {
            return Ok(Some(recent.expression.clone()));
        }
        let Some((at, number)) = self.find(id) else { return Ok(None) };
        self.levels[at].base.expressions.get(number as usize).map(Some)
    }

    /// The priority of the condition of this id.
    pub fn priority(&self, id: u64) -> Option<f64> {
        if let Some(recent) = self.recent.iter().find(|recent| recent.id == id) {
            return Some(recent.priority);
        }
        let (at, number) = self.find(id)?;
        Some(self.levels[at].base.priorities[number as usize])
    }

    /// The ids of all conditions, in no order.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        let stored = self.levels.iter().flat_map(Level::ids);
        stored.chain(self.recent.iter().map(|recent| recent.id))
    }

    /// The indexes, the first ones made first.
    pub fn bases(&self) -> impl ExactSizeIterator<Item = &Base> {
        self.levels.iter().map(|level| &*level.base)
    }

    /// Appends the ids of all conditions that are true of a record, each once, in no order.
    ///
    /// # Errors
    /// As [`Base::matches`].
    pub fn matches(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        ids: &mut Vec<u64>,
    ) -> Result<(), ExprError> {
        self.visit(record, scratch, |found| {
            ids.push(found.id());
            true
        })
    }

    /// Adds all conditions that are true of a record to those of which the highest priorities are wanted. Those of
    /// other views may be added too.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::{Field, Schema, Type};
    /// use rowmill_expr::matcher::{Attributes, Live, Record, Scratch, Top};
    /// use rowmill_expr::{Expr, Operator};
    /// let fields = vec![Field::new("age", Type::Int64)];
    /// let attributes = Attributes::new(Arc::new(Schema::new(fields)));
    /// let live = Live::new(&attributes);
    /// let over = |age| Expr::call(Operator::Greater, [Expr::named("age"), Expr::literal(age)]);
    /// for (id, age, bid) in [(1, 17, 0.5), (2, 20, 2.5), (3, 64, 9.0), (4, 25, 1.0)] {
    ///     live.insert_with_priority(id, &over(age)?, bid)?;
    /// }
    ///
    /// let (mut record, mut scratch, mut top) = (Record::new(&attributes), Scratch::new(), Top::new(2));
    /// record.set_int(0, 30)?;
    /// live.view().top(&record, &mut scratch, &mut top)?;
    /// assert_eq!(top.ranked(), [(2, 2.5), (4, 1.0)]);
    /// # Ok::<(), rowmill_expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Base::matches`].
    pub fn top(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        top: &mut Top,
    ) -> Result<(), ExprError> {
        self.visit(record, scratch, |found| {
            top.push(found.id(), found.priority());
            true
        })
    }

    /// Sets the bit of the id of each condition that is true of a record: id 0 is the least significant bit of the
    /// first byte, id 8 that of the second, as Arrow has it. Bits that are set already stay so. Says how many
    /// conditions are true.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::{Field, Schema, Type};
    /// use rowmill_expr::Expr;
    /// use rowmill_expr::matcher::{Attributes, Live, Record, Scratch};
    /// let fields = vec![Field::new("age", Type::Int64)];
    /// let attributes = Attributes::new(Arc::new(Schema::new(fields)));
    /// let live = Live::new(&attributes);
    /// live.insert(1, &Expr::literal(true))?;
    /// live.insert(8, &Expr::literal(true))?;
    /// let (record, mut scratch, mut bitmap) = (Record::new(&attributes), Scratch::new(), [0; 2]);
    /// assert_eq!(live.view().match_into(&record, &mut scratch, &mut bitmap)?, 2);
    /// assert_eq!(bitmap, [0b10, 0b1]);
    /// # Ok::<(), rowmill_expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Base::matches`], and where an id is beyond the bitmap. No bit is set then.
    pub fn match_into(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        bitmap: &mut [u8],
    ) -> Result<usize, ExprError> {
        let mut ids = Vec::new();
        self.matches(record, scratch, &mut ids)?;
        set_bits(&ids, bitmap.len(), |byte, bit| bitmap[byte] |= bit)?;
        Ok(ids.len())
    }

    /// How many conditions are true of a record.
    ///
    /// # Errors
    /// As [`Base::matches`].
    pub fn count(&self, record: &Record, scratch: &mut Scratch) -> Result<usize, ExprError> {
        let mut count = 0;
        self.visit(record, scratch, |_| {
            count += 1;
            true
        })?;
        Ok(count)
    }

    /// Whether a condition is true of a record.
    ///
    /// # Errors
    /// As [`Base::matches`]; none where one that is true was found before.
    pub fn any(&self, record: &Record, scratch: &mut Scratch) -> Result<bool, ExprError> {
        let mut any = false;
        let failed = self.visit(record, scratch, |_| {
            any = true;
            false
        });
        if any { Ok(true) } else { failed.map(|()| false) }
    }

    /// As [`Base::explain`].
    ///
    /// # Errors
    /// As [`Base::explain`].
    pub fn explain(&self, id: u64, record: &Record) -> Result<Vec<Said>, ExprError> {
        let Some(expression) = self.get(id)? else {
            return Err(ExprError::new(format!("there is no expression {id}")));
        };
        if !self.attributes.same(record.attributes()) {
            return Err(ExprError::new("the record has other attributes than the expressions"));
        }
        Said::of(&expression, &self.attributes, record)
    }

    fn visit(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        mut visit: impl FnMut(Found<'_>) -> bool,
    ) -> Result<(), ExprError> {
        if !self.attributes.same(record.attributes()) {
            return Err(ExprError::new("the record has other attributes than the expressions"));
        }
        let mut failed = Ok(());
        let mut goes_on = true;
        for level in &self.levels {
            let base = &level.base;
            let is_there = |slot: usize| level.is_alive(base.slot_numbers[slot]);
            let found = base.visit(record, scratch, is_there, |slot| {
                goes_on = !is_there(slot) || visit(Found::Slot(base, slot));
                goes_on
            });
            failed = failed.and(found);
            if !goes_on {
                return failed;
            }
        }
        for recent in &self.recent {
            let Recent { conditions, tree, .. } = &**recent;
            scratch.memo.begin(conditions.len());
            match conditions.holds(tree, record, &mut scratch.memo) {
                Truth::Yes => {
                    if !visit(Found::Recent(recent)) {
                        return failed;
                    }
                }
                Truth::No => {}
                Truth::Failed => {
                    let error = conditions.error(tree, record);
                    failed = failed.and(error.map_or(Ok(()), Err));
                }
            }
        }
        failed
    }
}
