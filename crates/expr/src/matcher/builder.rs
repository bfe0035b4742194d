use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::attributes::Attributes;
use super::base::Base;
use super::clause::{Clause, Test};
use super::dictionary::Dictionary;
use super::form::{Conjunction, Form};
use super::leaf::Leaves;
use super::residual::{Residuals, Tree};
use super::slots::Slots;
use crate::filter::bind::{Binder, Columns};
use crate::kind::{Base as BaseKind, Kind};
use crate::node::Expr;
use crate::{ExprError, limits};

/// Expressions on their way into a [`Base`].
///
/// See [the module](super) for an example.
#[derive(Debug)]
pub struct Builder {
    pub(crate) attributes: Arc<Attributes>,
    pub(crate) dictionaries: Vec<Dictionary>,
    pub(crate) slots: Slots,
    pub(crate) residuals: Residuals,
    pub(crate) trees: Vec<Tree>,
    pub(crate) ids: Vec<u64>,
    pub(crate) priorities: Vec<f64>,
    pub(crate) expressions: Vec<Expr>,
    pub(crate) numbers: HashMap<u64, u32, RandomState>,
    columns: Columns,
}

/// Clauses of one attribute that an expression has side by side, at most: each has a layer of its own.
const MOST_LAYERS: usize = 4;

impl Builder {
    /// No expressions yet.
    pub fn new(attributes: &Arc<Attributes>) -> Self {
        Self {
            attributes: Arc::clone(attributes),
            dictionaries: vec![Dictionary::default(); attributes.len()],
            slots: Slots::default(),
            residuals: Residuals::default(),
            trees: Vec::new(),
            ids: Vec::new(),
            priorities: Vec::new(),
            expressions: Vec::new(),
            numbers: HashMap::default(),
            columns: Columns::default(),
        }
    }

    /// How many expressions there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds an expression, of priority 0. One that is never true is kept, to be [explained](Base::explain), and costs nothing.
    ///
    /// # Errors
    /// Where the id is taken, or the expression is no condition, names an attribute that is not there, makes no
    /// sense for the attributes' kinds, or needs a database. The builder is then as it was.
    pub fn insert(&mut self, id: u64, expression: &Expr) -> Result<(), ExprError> {
        self.insert_with_priority(id, expression, 0.0)
    }

    /// The same, of a priority: see [`View::top`](super::View::top).
    ///
    /// # Errors
    /// As [`insert`](Self::insert), and where the priority is NaN.
    pub fn insert_with_priority(
        &mut self,
        id: u64,
        expression: &Expr,
        priority: f64,
    ) -> Result<(), ExprError> {
        let priority = checked(priority)?;
        if self.numbers.contains_key(&id) {
            return Err(ExprError::new(format!("there is an expression {id} already")));
        }
        let form = form(expression, &self.attributes, &mut self.dictionaries, &mut self.columns)?;
        let mut conjunctions = form.conjunctions(&self.dictionaries);
        let values = conjunctions.iter().flat_map(|one| &one.clauses).map(Clause::size).sum();
        if self.ids.len() >= MOST || !self.slots.has_room(values) {
            return Err(ExprError::new(
                "there are more expressions or values than one index takes",
            ));
        }
        for conjunction in &mut conjunctions {
            limit(conjunction, &form);
        }
        let mut kept = Vec::with_capacity(conjunctions.len());
        for conjunction in &conjunctions {
            kept.push(self.rest(&conjunction.rest)?);
        }
        let number = self.ids.len() as u32;
        for (conjunction, residual) in conjunctions.iter().zip(kept) {
            self.slots.push(number, residual, &conjunction.clauses);
        }
        if let Entry::Vacant(entry) = self.numbers.entry(id) {
            entry.insert(number);
        }
        self.ids.push(id);
        self.priorities.push(priority);
        self.expressions.push(expression.clone());
        Ok(())
    }

    /// Where the tree of what is no clause is, counted from 1.
    fn rest(&mut self, rest: &[Form]) -> Result<u32, ExprError> {
        let schema = self.attributes.schema();
        let tree = match rest {
            [] => return Ok(0),
            [one] => self.residuals.tree(one, schema)?,
            more => {
                let trees = more.iter().map(|form| self.residuals.tree(form, schema));
                Tree::All(trees.collect::<Result<_, _>>()?)
            }
        };
        self.trees.push(tree);
        Ok(self.trees.len() as u32)
    }

    /// The index.
    #[must_use]
    pub fn build(self) -> Base {
        Base::of(self)
    }
}

/// A priority that can be compared with any other.
pub(super) fn checked(priority: f64) -> Result<f64, ExprError> {
    if priority.is_nan() {
        return Err(ExprError::new("a priority is a number, and NaN is none"));
    }
    // -0 is 0.
    Ok(priority + 0.0)
}

/// Expressions that one index takes: they are counted in 32 bits, and each may be in 32 slots.
const MOST: usize = 1 << 26;

/// Attributes that one index takes: they are counted in 16 bits.
const MOST_ATTRIBUTES: usize = u16::MAX as usize;

/// Where the expression is true.
///
/// # Errors
/// Where it is no condition of these attributes.
pub(crate) fn form(
    expression: &Expr,
    attributes: &Attributes,
    dictionaries: &mut [Dictionary],
    columns: &mut Columns,
) -> Result<Form, ExprError> {
    let mut leaves = Leaves { attributes, dictionaries, columns };
    let is_flat = expression.depth() as usize <= limits::FILTER_DEPTH;
    if is_flat
        && attributes.len() <= MOST_ATTRIBUTES
        && let Some(form) = Form::of(expression, false, &mut leaves)
    {
        return Ok(form);
    }
    // As a whole it says what it is refused for, or that its chains are long and not deep.
    let bound = bound(expression, attributes)?;
    Form::of(&bound, false, &mut leaves)
        .ok_or_else(|| ExprError::about("is no condition of these attributes", &bound))
}

/// The expression with the attributes' kinds.
pub(crate) fn bound(expression: &Expr, attributes: &Attributes) -> Result<Expr, ExprError> {
    if attributes.len() > MOST_ATTRIBUTES {
        let message =
            format!("there are {} attributes, and a record has 65,535 at most", attributes.len());
        return Err(ExprError::new(message));
    }
    let bound = Binder::new(attributes.schema())
        .bind(expression)
        .map_err(|error| unknown(expression, attributes).unwrap_or(error))?;
    if !bound.kind().may_be(BaseKind::Bool) || bound.kind() == Kind::Any {
        let message = format!("is {}, and a condition is a bool", bound.kind());
        return Err(ExprError::about(&message, &bound));
    }
    Ok(bound)
}

/// The error of a name that is no attribute's, which a frame's columns say otherwise.
#[cold]
fn unknown(expression: &Expr, attributes: &Attributes) -> Option<ExprError> {
    let mut found = None;
    expression.walk(|node| {
        if let Some(column) = node.as_column()
            && attributes.number(&column.name).is_none()
        {
            found.get_or_insert(&column.name);
        }
    });
    found.map(|name| ExprError::new(attributes.unknown(name)))
}

/// Clauses of lists beyond the layers there are become one look at the whole expression.
fn limit(conjunction: &mut Conjunction, form: &Form) {
    let clauses = &conjunction.clauses;
    let before = |at: usize| {
        clauses[..at].iter().filter(|one| one.attribute == clauses[at].attribute).count()
    };
    let keep: Vec<bool> = (0..clauses.len())
        .map(|at| !matches!(clauses[at].test, Test::Elements { .. }) || before(at) < MOST_LAYERS)
        .collect();
    if keep.iter().all(|keep| *keep) {
        return;
    }
    let mut at = 0;
    conjunction.clauses.retain(|_| {
        at += 1;
        keep[at - 1]
    });
    conjunction.rest = vec![form.clone()];
}
