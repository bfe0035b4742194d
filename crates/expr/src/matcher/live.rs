use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::attributes::Attributes;
use super::base::Base;
use super::builder::{checked, form};
use super::dictionary::Dictionary;
use super::merge::{InFlight, Merge};
use super::residual::Residuals;
use super::view::{Dead, Level, Recent, View};
use crate::ExprError;
use crate::filter::bind::Columns;
use crate::node::Expr;

/// Conditions that come and go while records are matched.
///
/// Whoever matches takes a [`View`]: what was stored at that moment, which nothing changes and for which nobody
/// waits. A condition that came is held against each record until it is one of a few; then [`merge`](Self::merge)
/// makes an index of these and of smaller ones, on a thread of the caller's choice, while others match and store. The
/// indexes are few because each is several times as large as the one before.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Field, Schema, Type};
/// use rowmill_expr::matcher::{Attributes, Live, Record, Scratch};
/// use rowmill_expr::{Expr, Operator};
/// let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("age", Type::Int64)])));
/// let live = Live::new(&attributes);
/// let over = |age| Expr::call(Operator::Greater, [Expr::named("age"), Expr::literal(age)]);
/// live.insert(1, &over(17)?)?;
/// live.insert(2, &over(64)?)?;
/// let before = live.view();
/// assert!(live.replace(2, &over(20)?)? && live.remove(1));
///
/// let (mut record, mut scratch, mut ids) = (Record::new(&attributes), Scratch::new(), Vec::new());
/// record.set_int(0, 30)?;
/// live.view().matches(&record, &mut scratch, &mut ids)?;
/// assert_eq!(ids, [2]);
/// ids.clear();
/// before.matches(&record, &mut scratch, &mut ids)?;
/// assert_eq!(ids, [1]);
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Live {
    attributes: Arc<Attributes>,
    /// Held for as long as it takes to read or to change a pointer.
    view: RwLock<Arc<View>>,
    /// Held by whoever changes the conditions.
    writer: Mutex<Vec<InFlight>>,
    /// Merges begun so far. None has the number of another: one that is over and not yet dropped would take that
    /// other's place.
    merges: AtomicU64,
}

/// Conditions that are held against records one by one, at most, before an index is made of them: each takes some
/// 60 ns, and an index a microsecond at least.
pub const RECENT: usize = 32;
/// An index goes into the next one that is not so many times as large.
const RATIO: usize = 4;

impl Live {
    /// No conditions yet.
    pub fn new(attributes: &Arc<Attributes>) -> Self {
        let view = RwLock::new(Arc::new(View::empty(attributes)));
        let attributes = Arc::clone(attributes);
        Self { attributes, view, writer: Mutex::default(), merges: AtomicU64::new(0) }
    }

    /// What records have.
    pub fn attributes(&self) -> &Arc<Attributes> {
        &self.attributes
    }

    /// What is stored at this moment.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores a condition, of priority 0; [`merge`](Self::merge) is called from time to time.
    ///
    /// # Errors
    /// Where the id is taken, or the expression is none that a [`Builder`](super::Builder) takes. Nothing has changed
    /// then.
    pub fn insert(&self, id: u64, expression: &Expr) -> Result<(), ExprError> {
        self.insert_with_priority(id, expression, 0.0)
    }

    /// The same, of a priority: see [`View::top`].
    ///
    /// # Errors
    /// As [`insert`](Self::insert), and where the priority is NaN.
    pub fn insert_with_priority(
        &self,
        id: u64,
        expression: &Expr,
        priority: f64,
    ) -> Result<(), ExprError> {
        let recent = self.recent(id, expression, priority)?;
        let _writer = self.writer();
        let view = self.view();
        if view.contains(id) {
            return Err(taken(id));
        }
        self.publish(view.with(Arc::new(recent)));
        Ok(())
    }

    /// Stores many conditions, all or none, as one index.
    ///
    /// # Errors
    /// As [`insert`](Self::insert), for the first condition that is at fault.
    pub fn insert_all(&self, all: impl IntoIterator<Item = (u64, Expr)>) -> Result<(), ExprError> {
        let mut builder = Base::builder(&self.attributes);
        for (id, expression) in all {
            builder.insert(id, &expression)?;
        }
        self.insert_base(builder.build())
    }

    /// Stores the conditions of an index, all or none.
    ///
    /// # Errors
    /// Where an id is taken.
    pub fn insert_base(&self, base: Base) -> Result<(), ExprError> {
        let _writer = self.writer();
        let view = self.view();
        if !base.attributes().same(&self.attributes) {
            return Err(ExprError::new("the index has other attributes than the records"));
        }
        if let Some(id) = base.ids.iter().find(|&&id| view.contains(id)) {
            return Err(taken(*id));
        }
        if !base.is_empty() {
            let mut new = View::clone(&view);
            new.levels.push(Level { base: Arc::new(base), dead: None, is_fixed: false });
            self.publish(new);
        }
        Ok(())
    }

    /// Stores a condition in place of the one of its id, whose priority it has, if there is one: whether there was.
    ///
    /// # Errors
    /// As [`insert`](Self::insert), but for an id that is taken.
    pub fn replace(&self, id: u64, expression: &Expr) -> Result<bool, ExprError> {
        Ok(self.put(self.recent(id, expression, 0.0)?, true))
    }

    /// The same, with another priority.
    ///
    /// # Errors
    /// As [`replace`](Self::replace), and where the priority is NaN.
    pub fn replace_with_priority(
        &self,
        id: u64,
        expression: &Expr,
        priority: f64,
    ) -> Result<bool, ExprError> {
        Ok(self.put(self.recent(id, expression, priority)?, false))
    }

    /// Removes a condition: whether there was one.
    pub fn remove(&self, id: u64) -> bool {
        let mut writer = self.writer();
        let Some(without) = self.view().without(id) else { return false };
        writer.iter_mut().for_each(|merge| merge.removed.push(id));
        self.publish(without);
        true
    }

    /// Work that makes matching quicker, if there is some that is not being done already. It is begun here, done by
    /// [`Merge::run`], and may be dropped.
    pub fn merge(&self) -> Option<Merge<'_>> {
        let mut writer = self.writer();
        let view = self.view();
        let is_free = |base: &Arc<Base>| {
            writer.iter().flat_map(|merge| &merge.bases).all(|taken| !Arc::ptr_eq(taken, base))
        };
        let mut levels: Vec<&Level> =
            view.levels.iter().filter(|level| !level.is_fixed && is_free(&level.base)).collect();
        levels.sort_by_key(|level| level.alive());
        let is_new = |recent: &&Arc<Recent>| {
            writer.iter().flat_map(|merge| &merge.recent).all(|taken| !Arc::ptr_eq(taken, recent))
        };
        let recent: Vec<Arc<Recent>> = view.recent.iter().filter(is_new).cloned().collect();
        let is_full = recent.len() >= RECENT;
        let mut count = if is_full { recent.len() } else { 0 };
        let mut chosen: Vec<Level> = Vec::new();
        for (at, level) in levels.iter().enumerate() {
            let is_next = count > 0 && level.alive() <= count * RATIO;
            // Two that came one after the other may be of about one size.
            let is_twin =
                levels.get(at + 1).is_some_and(|next| next.alive() <= level.alive() * RATIO);
            if is_next || is_twin || level.is_hollow() {
                count += level.alive();
                chosen.push((*level).clone());
            }
        }
        if !is_full && chosen.is_empty() {
            return None;
        }
        let recent = if is_full { recent } else { Vec::new() };
        let number = self.merges.fetch_add(1, Ordering::Relaxed);
        writer.push(InFlight {
            number,
            bases: chosen.iter().map(|level| Arc::clone(&level.base)).collect(),
            recent: recent.clone(),
            removed: Vec::new(),
        });
        Some(Merge { live: self, number, levels: chosen, recent })
    }

    /// Whether there are indexes of about one size, or one of which so much was removed that it is made anew.
    pub fn is_uneven(&self) -> bool {
        let view = self.view();
        let levels = || view.levels.iter().filter(|level| !level.is_fixed);
        let mut sizes: Vec<usize> = levels().map(Level::alive).collect();
        sizes.sort_unstable();
        sizes.windows(2).any(|pair| pair[1] <= pair[0] * RATIO) || levels().any(Level::is_hollow)
    }

    /// Forgets the merges that are running, of which none will ever be done: in a child of a process that forked.
    pub fn forget_merges(&self) {
        self.writer().clear();
    }

    /// Conditions that no index has yet, or none will ever have: when they are many, [`merge`](Self::merge) is late.
    pub fn waiting(&self) -> usize {
        self.view().recent.len()
    }

    fn put(&self, mut recent: Recent, keeps_priority: bool) -> bool {
        let id = recent.id;
        let mut writer = self.writer();
        let view = self.view();
        let without = view.without(id);
        let was = without.is_some();
        if was {
            writer.iter_mut().for_each(|merge| merge.removed.push(id));
        }
        if keeps_priority {
            recent.priority = view.priority(id).unwrap_or(0.0);
        }
        self.publish(without.unwrap_or_else(|| View::clone(&view)).with(Arc::new(recent)));
        was
    }

    fn recent(&self, id: u64, expression: &Expr, priority: f64) -> Result<Recent, ExprError> {
        let priority = checked(priority)?;
        // As an index has it, so that it means the same before and after.
        let dictionaries = &mut vec![Dictionary::default(); self.attributes.len()];
        let form = form(expression, &self.attributes, dictionaries, &mut Columns::default())?;
        let mut conditions = Residuals::default();
        let tree = conditions.tree(&form, self.attributes.schema())?;
        Ok(Recent { id, expression: expression.clone(), priority, conditions, tree })
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Vec<InFlight>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Under the writer's lock.
    pub(super) fn publish(&self, view: View) {
        let view = Arc::new(view);
        let old = std::mem::replace(
            &mut *self.view.write().unwrap_or_else(PoisonError::into_inner),
            view,
        );
        // What it holds may take long to free.
        drop(old);
    }
}

fn taken(id: u64) -> ExprError {
    ExprError::new(format!("there is an expression {id} already"))
}

/// Bits of what is removed, a copy with one more.
pub(super) fn killed(dead: Option<&Arc<Dead>>, number: u32, of: usize) -> Arc<Dead> {
    let mut new = match dead {
        Some(dead) => Dead::clone(dead),
        None => Dead { words: vec![0; of.div_ceil(64)], count: 0 },
    };
    new.kill(number);
    Arc::new(new)
}
