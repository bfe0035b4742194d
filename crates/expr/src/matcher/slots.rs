use super::clause::{Clause, Test};

/// Conjunctions with their clauses one after the other in memory: a million of them are few allocations.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// The expression that each is of.
    pub(crate) expressions: Vec<u32>,
    /// Where each has what else has to be true, counted from 1; 0 where nothing has.
    pub(crate) residuals: Vec<u32>,
    /// Where the clauses of each begin, and the last end.
    starts: Vec<u32>,
    clauses: Vec<Packed>,
    values: Vec<u32>,
    spans: Vec<(i64, i64)>,
}

/// What a layer's clauses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sort {
    Values,
    Elements,
    Spans,
}

/// A clause, with where its values or spans are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    pub(crate) attribute: u16,
    pub(crate) sort: Sort,
    pub(crate) not: bool,
    pub(crate) null: bool,
    /// Which of a slot's clauses of this sort on this attribute.
    pub(crate) nth: u8,
    start: u32,
    len: u32,
}

impl Packed {
    /// The number of the layer that it would be in.
    pub(crate) fn name(&self) -> usize {
        (self.attribute as usize * 3 + self.sort as usize) << 8 | self.nth as usize
    }

    /// The attribute, the sort and which of a slot's clauses the number is of.
    pub(crate) fn of_name(name: usize) -> (usize, Sort, usize) {
        let sort = [Sort::Values, Sort::Elements, Sort::Spans][(name >> 8) % 3];
        ((name >> 8) / 3, sort, name & 0xff)
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            expressions: Vec::new(),
            residuals: Vec::new(),
            starts: vec![0],
            clauses: Vec::new(),
            values: Vec::new(),
            spans: Vec::new(),
        }
    }
}

impl Slots {
    pub(crate) fn len(&self) -> usize {
        self.expressions.len()
    }

    /// Whether there is room for so many values more: they are counted in 32 bits.
    pub(crate) fn has_room(&self, values: usize) -> bool {
        const MOST: usize = u32::MAX as usize - 1_000_000;
        self.values.len().max(self.spans.len()).max(self.clauses.len()) + values < MOST
    }

    pub(crate) fn push(&mut self, expression: u32, residual: u32, clauses: &[Clause]) {
        let first = self.clauses.len();
        for clause in clauses {
            let (sort, not) = match &clause.test {
                Test::Values { not, .. } => (Sort::Values, *not),
                Test::Elements { not, .. } => (Sort::Elements, *not),
                Test::Spans(_) => (Sort::Spans, false),
            };
            let attribute = clause.attribute as u16;
            let before = |one: &&Packed| one.attribute == attribute && one.sort == sort;
            let nth = self.clauses[first..].iter().filter(before).count() as u8;
            let (start, len) = match &clause.test {
                Test::Values { values, .. } | Test::Elements { values, .. } => {
                    let start = self.values.len();
                    self.values.extend_from_slice(values);
                    (start, values.len())
                }
                Test::Spans(spans) => {
                    let start = self.spans.len();
                    self.spans.extend_from_slice(spans);
                    (start, spans.len())
                }
            };
            let (start, len) = (start as u32, len as u32);
            let null = clause.null;
            self.clauses.push(Packed { attribute, sort, not, null, nth, start, len });
        }
        self.starts.push(self.clauses.len() as u32);
        self.expressions.push(expression);
        self.residuals.push(residual);
    }

    pub(crate) fn clauses_of(&self, slot: usize) -> &[Packed] {
        &self.clauses[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    /// What is kept beside the clauses of a slot.
    pub(crate) fn keys_of<'k, T>(&self, slot: usize, keys: &'k [T]) -> &'k [T] {
        &keys[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    pub(crate) fn all_clauses(&self) -> &[Packed] {
        &self.clauses
    }

    /// The number of a slot's first clause.
    pub(crate) fn first_clause(&self, slot: usize) -> usize {
        self.starts[slot] as usize
    }

    pub(crate) fn values(&self, clause: &Packed) -> &[u32] {
        &self.values[clause.start as usize..(clause.start + clause.len) as usize]
    }

    pub(crate) fn spans_len(clause: &Packed) -> usize {
        if clause.sort == Sort::Spans { clause.len as usize } else { 0 }
    }

    pub(crate) fn spans(&self, clause: &Packed) -> &[(i64, i64)] {
        &self.spans[clause.start as usize..(clause.start + clause.len) as usize]
    }
}
