//! What the index does not know: computed for those expressions alone whose clauses are all true.

use std::hash::{BuildHasher as _, Hash as _, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use rowmill_columns::{Scalar, Schema};

use super::form::{Form, Part};
use super::record::Record;
use super::snapshot::Packed;
use crate::ExprError;
use crate::filter::bind::Binder;
use crate::filter::cell::Cell;
use crate::filter::row::Row;
use crate::node::{Expr, Op};
use crate::normal::negated;

/// Conditions, each once in however many expressions it stands.
#[derive(Debug, Default)]
pub(crate) struct Residuals {
    rows: Vec<Row>,
    expressions: Vec<Expr>,
    known: HashTable<(u64, u32)>,
    hasher: RandomState,
}

/// Which conditions have to be true.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Condition(u32),
    All(Box<[Tree]>),
    Any(Box<[Tree]>),
}

/// What is known of conditions for one record.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// Four times the number of the request, and what the condition is, as a number.
    said: Vec<u32>,
    now: u32,
}

/// What a condition or a tree of them is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// False or unknown.
    No,
    Yes,
    /// A number went out of range, and what else there is does not decide without it.
    Failed,
}

impl Memo {
    /// Forgets the record before.
    pub(crate) fn begin(&mut self, conditions: usize) {
        // What other indexes noted is of requests before this one.
        self.now = self.now.wrapping_add(4);
        if self.now == 0 {
            self.said.clear();
            self.now = 4;
        }
        if self.said.len() < conditions {
            self.said.resize(conditions, 0);
        }
    }
}

impl Residuals {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn expressions(&self) -> &[Expr] {
        &self.expressions
    }

    /// Conditions that were written. None is added to them.
    ///
    /// # Errors
    /// Where one cannot be computed for a record.
    pub(crate) fn read(packed: &Packed, schema: &Schema) -> Result<Self, ExprError> {
        let mut read = Self::default();
        for at in 0..packed.len() {
            let expression = Binder::new(schema).bind(&packed.get(at)?)?;
            read.rows.push(Row::new(&expression, schema)?);
            read.expressions.push(expression);
        }
        Ok(read)
    }

    /// # Errors
    /// Where a condition cannot be computed for a record.
    pub(crate) fn tree(&mut self, form: &Form, schema: &Schema) -> Result<Tree, ExprError> {
        Ok(match form {
            Form::Never => Tree::Any(Box::default()),
            Form::Always => Tree::All(Box::default()),
            Form::Clause(_, part) | Form::Part(part) => {
                Tree::Condition(self.condition(part, schema)?)
            }
            Form::And(parts) => Tree::All(self.trees(parts, schema)?),
            Form::Or(parts) => Tree::Any(self.trees(parts, schema)?),
        })
    }

    fn trees(&mut self, parts: &[Form], schema: &Schema) -> Result<Box<[Tree]>, ExprError> {
        parts.iter().map(|part| self.tree(part, schema)).collect()
    }

    fn condition(&mut self, part: &Part, schema: &Schema) -> Result<u32, ExprError> {
        let expression = if part.is_bound {
            part.expression.clone()
        } else {
            Binder::new(schema).bind(&part.expression)?
        };
        let expression = if part.not { negated(&expression)? } else { expression };
        let hash = fingerprint(&expression, &self.hasher);
        let same = |&(other, at): &(u64, u32)| {
            other == hash && self.expressions[at as usize].same(&expression)
        };
        if let Some(&(_, at)) = self.known.find(hash, same) {
            return Ok(at);
        }
        let row = Row::new(&expression, schema)?;
        let at = self.rows.len() as u32;
        self.rows.push(row);
        self.expressions.push(expression);
        self.known.insert_unique(hash, (hash, at), |&(hash, _)| hash);
        Ok(at)
    }

    /// Whether a tree is true of a record.
    pub(crate) fn holds(&self, tree: &Tree, record: &Record, memo: &mut Memo) -> Truth {
        let (trees, decided, otherwise) = match tree {
            Tree::Condition(at) => return self.condition_of(*at as usize, record, memo),
            Tree::All(trees) => (trees, Truth::No, Truth::Yes),
            Tree::Any(trees) => (trees, Truth::Yes, Truth::No),
        };
        let mut found = otherwise;
        for tree in trees {
            match self.holds(tree, record, memo) {
                truth if truth == decided => return decided,
                Truth::Failed => found = Truth::Failed,
                _ => {}
            }
        }
        found
    }

    fn condition_of(&self, at: usize, record: &Record, memo: &mut Memo) -> Truth {
        let said = memo.said[at];
        if said & !3 == memo.now {
            return [Truth::No, Truth::Yes, Truth::Failed][(said & 3) as usize % 3];
        }
        let truth = match self.rows[at].of(record) {
            Ok(Cell::Bool(true)) => Truth::Yes,
            Ok(_) => Truth::No,
            Err(_) => Truth::Failed,
        };
        memo.said[at] = memo.now | truth as u32;
        truth
    }

    /// Why a tree has failed.
    #[cold]
    pub(crate) fn error(&self, tree: &Tree, record: &Record) -> Option<ExprError> {
        match tree {
            Tree::Condition(at) => self.rows[*at as usize].of(record).err(),
            Tree::All(trees) | Tree::Any(trees) => {
                trees.iter().find_map(|tree| self.error(tree, record))
            }
        }
    }

    /// Bytes that it takes, about: an interpreter's node is 200 with what it holds.
    pub(crate) fn byte_len(&self) -> usize {
        let nodes: usize = self.expressions.iter().map(|one| one.size() as usize).sum();
        nodes * 200 + self.known.allocation_size()
    }
}

/// A hash of an expression and of the values in it.
fn fingerprint(expression: &Expr, hasher: &RandomState) -> u64 {
    let mut state = hasher.build_hasher();
    state.write_u128(expression.shape());
    expression.walk(|node| {
        if let Op::Literal(value) = node.op() {
            scalar(value, &mut state);
        }
    });
    state.finish()
}

fn scalar(value: &Scalar, state: &mut impl Hasher) {
    match value {
        Scalar::Bool(value) => value.hash(state),
        Scalar::Int(value) | Scalar::Time(value) | Scalar::Timestamp { micros: value, .. } => {
            value.hash(state);
        }
        // Floats that are equal may have other bits.
        Scalar::Float(value) => (value + 0.0).to_bits().hash(state),
        Scalar::Decimal(value) | Scalar::Text(value) | Scalar::Json(value) => value.hash(state),
        Scalar::Bytes(value) => value.hash(state),
        Scalar::Uuid(value) => value.hash(state),
        Scalar::Date(value) => value.hash(state),
        Scalar::List(values) => values.each().for_each(|value| scalar(&value, state)),
        _ => {}
    }
}
