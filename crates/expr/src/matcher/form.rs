//! An expression as clauses, and what of it is none, under `and` and `or` alone.

use std::collections::BTreeMap;

use rowmill_columns::Scalar;
use smallvec::SmallVec;

use super::clause::{Clause, Joined, Test, Values};
use super::dictionary::Dictionary;
use super::leaf::Leaves;
use crate::node::{Expr, Op};
use crate::normal::chain;
use crate::operators::Operator as O;

/// Where an expression is true. Where it is false or NULL makes no difference, once `not` is at the leaves.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Never,
    Always,
    /// A clause, and the condition that it is of.
    Clause(Clause, Part),
    /// A condition that is no clause.
    Part(Part),
    And(Vec<Form>),
    Or(Vec<Form>),
}

/// A condition, or what it is not.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) expression: Expr,
    pub(crate) not: bool,
    /// Whether its columns have the attributes' kinds; a clause can do without.
    pub(crate) is_bound: bool,
}

/// Clauses of which all have to be true, and what else has to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conjunction {
    pub(crate) clauses: SmallVec<[Clause; 8]>,
    pub(crate) rest: Vec<Form>,
}

/// An `or` beside other clauses becomes at most so many conjunctions; what would become more is looked at for those
/// records alone for which all else is true.
const MOST_BRANCHES: usize = 4;
/// The same where there is nothing else by which to find the expression.
const MOST_ALONE: usize = 32;

impl Form {
    /// `None` where a part of it is refused, or is not certain to be a condition.
    pub(crate) fn of(node: &Expr, not: bool, leaves: &mut Leaves<'_>) -> Option<Self> {
        match node.op() {
            Op::Call(O::Not) => Self::of(&node.args()[0], !not, leaves),
            Op::Call(joint @ (O::And | O::Or)) => {
                let is_and = (*joint == O::And) != not;
                let mut is_decided = false;
                let mut parts = Vec::new();
                for part in chain(node, *joint) {
                    match (Self::of(part, not, leaves)?, is_and) {
                        (Self::Always, true) | (Self::Never, false) => {}
                        // What follows may be refused all the same.
                        (Self::Never, true) | (Self::Always, false) => is_decided = true,
                        (Self::And(inner), true) | (Self::Or(inner), false) => parts.extend(inner),
                        (other, _) => parts.push(other),
                    }
                }
                Some(match (parts.len(), is_and) {
                    _ if is_decided => [Self::Always, Self::Never][usize::from(is_and)].clone(),
                    (0, true) => Self::Always,
                    (0, false) => Self::Never,
                    (1, _) => parts.swap_remove(0),
                    (_, true) => Self::And(parts),
                    (_, false) => Self::Or(parts),
                })
            }
            _ if leaves.is_plain(node) => Some(Self::leaf(node, not, false, leaves)),
            _ => {
                let bound = leaves.bound(node)?;
                Some(Self::leaf(&bound, not, true, leaves))
            }
        }
    }

    fn leaf(node: &Expr, not: bool, is_bound: bool, leaves: &mut Leaves<'_>) -> Self {
        match node.op() {
            Op::Literal(Scalar::Bool(value)) if *value != not => return Self::Always,
            Op::Literal(_) => return Self::Never,
            _ => {}
        }
        let part = || Part { expression: node.clone(), not, is_bound };
        let Some(clauses) = leaves.clauses(node, not) else { return Self::Part(part()) };
        let mut parts = Vec::with_capacity(clauses.len());
        for clause in clauses {
            match clause {
                Joined::One(clause) => parts.push(Self::Clause(clause, part())),
                Joined::Never => return Self::Never,
                Joined::Always | Joined::Apart => {}
            }
        }
        match parts.len() {
            0 => Self::Always,
            1 => parts.swap_remove(0),
            _ => Self::And(parts),
        }
    }

    /// The conjunctions of which one has to be true: none where it never is.
    pub(crate) fn conjunctions(&self, dictionaries: &[Dictionary]) -> Vec<Conjunction> {
        self.branches(MOST_ALONE, dictionaries).unwrap_or_else(|| {
            vec![Conjunction { rest: vec![self.clone()], ..Conjunction::default() }]
        })
    }

    /// `None` where there are more than `most`.
    fn branches(&self, most: usize, dictionaries: &[Dictionary]) -> Option<Vec<Conjunction>> {
        match self {
            Self::Never => Some(Vec::new()),
            Self::Always => Some(vec![Conjunction::default()]),
            Self::Clause(clause, _) => {
                let clauses = std::iter::once(clause.clone()).collect();
                Some(vec![Conjunction { clauses, rest: Vec::new() }])
            }
            Self::Part(_) => {
                Some(vec![Conjunction { rest: vec![self.clone()], ..Conjunction::default() }])
            }
            Self::Or(parts) => {
                let mut all: Vec<Conjunction> = Vec::new();
                let (clauses, parts) = gathered(parts, false);
                all.extend(clauses.into_iter().map(|clause| Conjunction {
                    clauses: std::iter::once(clause).collect(),
                    rest: Vec::new(),
                }));
                if all.len() > most {
                    return None;
                }
                for part in parts {
                    for branch in part.branches(most, dictionaries)? {
                        if branch.clauses.is_empty() && branch.rest.is_empty() {
                            return Some(vec![branch]);
                        }
                        if add_branch(&mut all, branch, dictionaries) {
                            return Some(vec![Conjunction::default()]);
                        }
                    }
                    if all.len() > most {
                        return None;
                    }
                }
                Some(all)
            }
            Self::And(parts) => {
                let mut base = Conjunction::default();
                let mut ors = Vec::new();
                let (clauses, parts) = gathered(parts, true);
                base.clauses.extend(clauses);
                for part in parts {
                    match part {
                        Self::Or(_) => ors.push(part),
                        Self::Clause(clause, _) => {
                            if !base.and(clause.clone(), dictionaries) {
                                return Some(Vec::new());
                            }
                        }
                        other => base.rest.push(other.clone()),
                    }
                }
                let most = if base.clauses.is_empty() { most } else { most.min(MOST_BRANCHES) };
                let mut open = Vec::with_capacity(ors.len());
                for or in ors {
                    match or.branches(most, dictionaries) {
                        Some(branches) => open.push((or, branches)),
                        None => base.rest.push(or.clone()),
                    }
                }
                open.sort_by_key(|(_, branches)| branches.len());
                let mut all = vec![base];
                for (or, branches) in open {
                    if all.len() * branches.len() <= most {
                        let pairs = all.iter().flat_map(|one| {
                            branches.iter().filter_map(|branch| one.both(branch, dictionaries))
                        });
                        all = pairs.collect();
                    } else {
                        for one in &mut all {
                            one.rest.push(or.clone());
                        }
                    }
                }
                Some(all)
            }
        }
    }
}

/// Values that one attribute may have, or may `not`, put together at once, and the other parts: one by one, a list of
/// a hundred thousand would be copied as often.
fn gathered(parts: &[Form], not: bool) -> (Vec<Clause>, Vec<&Form>) {
    let mut values: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut rest = Vec::new();
    for part in parts {
        match part {
            Form::Clause(
                Clause { attribute, test: Test::Values { values: some, not: is_not }, null: false },
                _,
            ) if *is_not == not => values.entry(*attribute).or_default().extend(some),
            other => rest.push(other),
        }
    }
    let clauses = values.into_iter().map(|(attribute, mut values)| {
        values.sort_unstable();
        values.dedup();
        let test = Test::Values { values: Values::from_vec(values), not };
        Clause { attribute, test, null: false }
    });
    (clauses.collect(), rest)
}

/// Adds a branch, to one that is there if both are of one attribute; true where one of them always is.
fn add_branch(
    all: &mut Vec<Conjunction>,
    branch: Conjunction,
    dictionaries: &[Dictionary],
) -> bool {
    if let ([clause], []) = (&branch.clauses[..], &branch.rest[..]) {
        for known in all.iter_mut() {
            if let ([other], []) = (&mut known.clauses[..], &known.rest[..])
                && other.attribute == clause.attribute
            {
                match other.or(clause, &dictionaries[clause.attribute as usize]) {
                    Joined::One(joined) => {
                        *other = joined;
                        return false;
                    }
                    Joined::Always => return true,
                    Joined::Apart | Joined::Never => {}
                }
            }
        }
    }
    all.push(branch);
    false
}

impl Conjunction {
    /// False where it can no longer be true.
    fn and(&mut self, mut clause: Clause, dictionaries: &[Dictionary]) -> bool {
        let mut at = 0;
        while at < self.clauses.len() {
            let known = &self.clauses[at];
            if known.attribute == clause.attribute {
                match known.and(&clause, &dictionaries[clause.attribute as usize]) {
                    Joined::Never => return false,
                    Joined::One(joined) => {
                        clause = joined;
                        self.clauses.remove(at);
                        // What it is now may go together with one that was passed.
                        at = 0;
                        continue;
                    }
                    Joined::Always | Joined::Apart => {}
                }
            }
            at += 1;
        }
        self.clauses.push(clause);
        true
    }

    fn both(&self, other: &Self, dictionaries: &[Dictionary]) -> Option<Self> {
        let mut both = self.clone();
        for clause in &other.clauses {
            if !both.and(clause.clone(), dictionaries) {
                return None;
            }
        }
        both.rest.extend(other.rest.iter().cloned());
        Some(both)
    }
}
