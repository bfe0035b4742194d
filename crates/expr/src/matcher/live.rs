use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::attributes::Attributes;
use super::base::Base;
use super::builder::bound;
use super::explain::Said;
use super::record::Record;
use super::scratch::Scratch;
use crate::ExprError;
use crate::filter::cell::Cell;
use crate::filter::row::Row;
use crate::node::Expr;

/// Expressions that come and go while records are matched.
///
/// Who matches takes a [`View`], which never changes; who changes something puts a new one in its place, and neither
/// waits for the other. What was added lately is in small indexes of its own, until [`merge`](Self::merge) makes one
/// of all: whoever has a thread to spare calls that when [`lately`](Self::lately) has grown.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Field, Schema, Type};
/// use rowmill_expr::matcher::{Attributes, Matcher, Record, Scratch};
/// use rowmill_expr::{Expr, Operator};
/// let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("age", Type::Int64)])));
/// let matcher = Matcher::new(&attributes);
/// matcher.insert(7, &Expr::call(Operator::Greater, [Expr::named("age"), Expr::literal(18)])?)?;
/// let mut record = Record::new(&attributes);
/// record.set_int(0, 30)?;
/// let (mut scratch, mut ids) = (Scratch::new(), Vec::new());
/// matcher.view().matches(&record, &mut scratch, &mut ids)?;
/// assert_eq!(ids, [7]);
/// matcher.remove(7)?;
/// assert!(!matcher.view().any(&record, &mut scratch)?);
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Matcher {
    attributes: Arc<Attributes>,
    /// Locked for as long as it takes to clone it, or to put another in its place.
    now: RwLock<View>,
    writer: Mutex<Writer>,
}

/// What a writer has to know that matching need not.
#[derive(Debug, Default)]
struct Writer {
    /// How many of the parts a merge is making one of.
    merging: usize,
    /// What was taken out of these since it began.
    removed: Vec<u64>,
}

/// The expressions at one moment.
#[derive(Clone, Debug)]
pub struct View {
    attributes: Arc<Attributes>,
    /// The largest first.
    parts: Vec<Part>,
    /// What came last, looked at one by one.
    last: Vec<Arc<Single>>,
}

#[derive(Clone, Debug)]
struct Part {
    base: Arc<Base>,
    /// Which expressions have been taken out: bits by their numbers, none where nothing was.
    gone: Arc<Vec<u64>>,
    left: usize,
}

#[derive(Debug)]
struct Single {
    id: u64,
    expression: Expr,
    row: Row,
}

/// Expressions that are looked at one by one: more are an index.
const LAST: usize = 32;
/// As many small indexes of about one size become one.
const PARTS: usize = 4;

impl Matcher {
    /// No expressions.
    pub fn new(attributes: &Arc<Attributes>) -> Self {
        Self::of(View { attributes: Arc::clone(attributes), parts: Vec::new(), last: Vec::new() })
    }

    /// The expressions of an index.
    pub fn with(base: Base) -> Self {
        let attributes = Arc::clone(base.attributes());
        Self::of(View { attributes, parts: vec![Part::new(base)], last: Vec::new() })
    }

    fn of(view: View) -> Self {
        let attributes = Arc::clone(&view.attributes);
        Self { attributes, now: RwLock::new(view), writer: Mutex::default() }
    }

    /// The expressions as they are now.
    pub fn view(&self) -> View {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, view: View) {
        let before =
            std::mem::replace(&mut *self.now.write().unwrap_or_else(PoisonError::into_inner), view);
        // What nobody else holds is freed here, without the lock.
        drop(before);
    }

    /// How many expressions there are.
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many expressions came or went since all were in one index.
    pub fn lately(&self) -> usize {
        let view = self.view();
        let small: usize = view.parts.iter().skip(1).map(|part| part.base.len()).sum();
        let gone = view.parts.first().map_or(0, |part| part.base.len() - part.left);
        small + view.last.len() + gone
    }

    /// Adds an expression, which is matched by every view from now on.
    ///
    /// # Errors
    /// As [`Builder::insert`](super::Builder::insert); the expressions are then as they were.
    pub fn insert(&self, id: u64, expression: &Expr) -> Result<(), ExprError> {
        let single = self.single(id, expression)?;
        let writer = self.writer();
        let mut view = self.view();
        if view.find(id).is_some() {
            return Err(ExprError::new(format!("there is an expression {id} already")));
        }
        view.push(single, writer.merging)?;
        self.publish(view);
        Ok(())
    }

    /// Takes an expression out.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub fn remove(&self, id: u64) -> Result<(), ExprError> {
        let mut writer = self.writer();
        let mut view = self.view();
        view.remove(id, &mut writer)?;
        self.publish(view);
        Ok(())
    }

    /// Puts another expression in the place of one: no view has neither or both.
    ///
    /// # Errors
    /// Where there is none of this id, and as [`insert`](Self::insert).
    pub fn replace(&self, id: u64, expression: &Expr) -> Result<(), ExprError> {
        let single = self.single(id, expression)?;
        let mut writer = self.writer();
        let mut view = self.view();
        view.remove(id, &mut writer)?;
        view.push(single, writer.merging)?;
        self.publish(view);
        Ok(())
    }

    /// Makes one index of all. Meanwhile records are matched and expressions come and go as ever; a second call at
    /// the same time does nothing.
    ///
    /// # Errors
    /// None that an expression was not refused with when it was added.
    pub fn merge(&self) -> Result<(), ExprError> {
        let mut writer = self.writer();
        if writer.merging > 0 {
            return Ok(());
        }
        let mut view = self.view();
        view.settle()?;
        let count = view.parts.len();
        if count == 0 || count == 1 && view.parts[0].gone.is_empty() {
            return Ok(());
        }
        self.publish(view.clone());
        writer.merging = count;
        drop(writer);
        let built = Part::together(&self.attributes, &view.parts, &[]);
        let mut writer = self.writer();
        let removed = std::mem::take(&mut writer.removed);
        writer.merging = 0;
        let mut part = built?;
        for id in removed {
            part.remove(id);
        }
        let mut view = self.view();
        view.parts.splice(..count, [part]);
        self.publish(view);
        Ok(())
    }

    fn single(&self, id: u64, expression: &Expr) -> Result<Arc<Single>, ExprError> {
        let bound = bound(expression, &self.attributes)?;
        let row = Row::new(&bound, self.attributes.schema())?;
        Ok(Arc::new(Single { id, expression: expression.clone(), row }))
    }
}

impl View {
    /// How many expressions there are.
    pub fn len(&self) -> usize {
        self.last.len() + self.parts.iter().map(|part| part.left).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`Base::matches`].
    ///
    /// # Errors
    /// As [`Base::matches`].
    pub fn matches(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        ids: &mut Vec<u64>,
    ) -> Result<(), ExprError> {
        self.visit(record, scratch, |id| {
            ids.push(id);
            true
        })
    }

    /// As [`Base::count`].
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

    /// As [`Base::any`].
    ///
    /// # Errors
    /// As [`Base::matches`].
    pub fn any(&self, record: &Record, scratch: &mut Scratch) -> Result<bool, ExprError> {
        let mut any = false;
        self.visit(record, scratch, |_| {
            any = true;
            false
        })?;
        Ok(any)
    }

    /// As [`Base::explain`].
    ///
    /// # Errors
    /// As [`Base::explain`].
    pub fn explain(&self, id: u64, record: &Record) -> Result<Vec<Said>, ExprError> {
        match self.find(id) {
            Some(Found::Last(at)) => Said::of(&self.last[at].expression, &self.attributes, record),
            Some(Found::Part(at)) => self.parts[at].base.explain(id, record),
            None => Err(ExprError::new(format!("there is no expression {id}"))),
        }
    }

    fn visit(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        mut visit: impl FnMut(u64) -> bool,
    ) -> Result<(), ExprError> {
        if !self.attributes.same(record.attributes()) {
            return Err(ExprError::new("the record has other attributes than the expressions"));
        }
        let mut failed = None;
        let mut goes_on = true;
        for part in &self.parts {
            let base = &*part.base;
            let found = base.visit(record, scratch, |slot| {
                if !part.is_gone(base.slot_numbers[slot]) {
                    goes_on = visit(base.of_slots[slot].id);
                }
                goes_on
            });
            failed = failed.or(found.err());
            if !goes_on {
                break;
            }
        }
        for single in &self.last {
            if !goes_on {
                break;
            }
            match single.row.of(record) {
                Ok(Cell::Bool(true)) => goes_on = visit(single.id),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn find(&self, id: u64) -> Option<Found> {
        if let Some(at) = self.last.iter().position(|single| single.id == id) {
            return Some(Found::Last(at));
        }
        self.parts.iter().position(|part| part.number(id).is_some()).map(Found::Part)
    }

    fn remove(&mut self, id: u64, writer: &mut Writer) -> Result<(), ExprError> {
        match self.find(id) {
            Some(Found::Last(at)) => drop(self.last.swap_remove(at)),
            Some(Found::Part(at)) => {
                self.parts[at].remove(id);
                if at < writer.merging {
                    writer.removed.push(id);
                } else if self.parts[at].left == 0 {
                    self.parts.remove(at);
                }
            }
            None => return Err(ExprError::new(format!("there is no expression {id}"))),
        }
        Ok(())
    }

    fn push(&mut self, single: Arc<Single>, merging: usize) -> Result<(), ExprError> {
        self.last.push(single);
        if self.last.len() < LAST {
            return Ok(());
        }
        self.settle()?;
        // The first is what all are to be in, and those that are being merged are not touched.
        let fixed = merging.max(1);
        loop {
            let small = self.parts.get(fixed..).unwrap_or_default();
            let size = small.last().map_or(0, |part| part.left);
            let alike = small.iter().rev().take_while(|part| part.left < PARTS * size).count();
            if alike < PARTS {
                return Ok(());
            }
            let from = self.parts.len() - alike;
            let one = Part::together(&self.attributes, &self.parts[from..], &[])?;
            self.parts.truncate(from);
            self.parts.push(one);
        }
    }

    /// Makes an index of what came last.
    fn settle(&mut self) -> Result<(), ExprError> {
        if self.last.is_empty() {
            return Ok(());
        }
        let part = Part::together(&self.attributes, &[], &self.last)?;
        self.parts.push(part);
        self.last.clear();
        Ok(())
    }
}

/// Where an expression is.
enum Found {
    Part(usize),
    Last(usize),
}

impl Part {
    fn new(base: Base) -> Self {
        Self { left: base.len(), base: Arc::new(base), gone: Arc::default() }
    }

    fn together(
        attributes: &Arc<Attributes>,
        parts: &[Self],
        last: &[Arc<Single>],
    ) -> Result<Self, ExprError> {
        let mut builder = Base::builder(attributes);
        for part in parts {
            let all = part.base.ids.iter().zip(&part.base.expressions);
            for (number, (id, expression)) in (0..).zip(all) {
                if !part.is_gone(number) {
                    builder.insert(*id, expression)?;
                }
            }
        }
        for single in last {
            builder.insert(single.id, &single.expression)?;
        }
        Ok(Self::new(builder.build()))
    }

    fn is_gone(&self, number: u32) -> bool {
        self.gone.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// The number of an expression that was not taken out.
    fn number(&self, id: u64) -> Option<u32> {
        self.base.numbers.get(&id).copied().filter(|&number| !self.is_gone(number))
    }

    fn remove(&mut self, id: u64) {
        if let Some(number) = self.number(id) {
            let gone = Arc::make_mut(&mut self.gone);
            if gone.is_empty() {
                gone.resize(self.base.len().div_ceil(64), 0);
            }
            gone[number as usize / 64] |= 1 << (number % 64);
            self.left -= 1;
        }
    }
}
