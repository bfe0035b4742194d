use rowmill_columns::Batch;
use rowmill_columns::kernels::{Bits, Mask, Numbers, Ready, compare_columns};
use smallvec::SmallVec;

use super::cell::Cell;
use super::numbers::out_of_range;
use super::plan::{ColumnTest, Number, Plan};
use super::row::Row;
use crate::ExprError;

/// Plans over the columns of one batch.
pub(super) struct Run<'a> {
    batch: &'a Batch,
    /// Most conditions have one, for which a small frame needs no allocation.
    tests: SmallVec<[Tested<'a>; 1]>,
    /// What is known of shared conditions in this chunk, and of which rows.
    shared: Vec<(Bits, Mask)>,
    slots: usize,
}

enum Tested<'a> {
    Ready(Ready<'a>),
    /// The column is stored in a way that the test does not know.
    Rows(Row),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        batch: &'a Batch,
        tests: &'a [ColumnTest],
        slots: usize,
    ) -> Result<Self, ExprError> {
        let mut all = SmallVec::with_capacity(tests.len());
        for test in tests {
            all.push(match test.test.on(batch.column(test.column)) {
                Some(ready) => Tested::Ready(ready),
                None => Tested::Rows(Row::new(&test.expression, batch.schema())?),
            });
        }
        Ok(Self { batch, tests: all, shared: Vec::new(), slots })
    }

    /// Forgets the chunk before.
    pub(super) fn begin(&mut self) {
        self.shared.clear();
        self.shared.resize(self.slots, (Bits::NONE, Mask::UNKNOWN));
    }

    /// Which of the `wanted` rows of a chunk all conditions are true of.
    pub(super) fn truth(
        &mut self,
        plans: &'a [Plan],
        start: usize,
        len: usize,
        wanted: Bits,
    ) -> Result<Bits, ExprError> {
        let mut left = wanted;
        for plan in plans {
            if left.is_empty() {
                break;
            }
            left = match plan {
                Plan::And(plans) => self.truth(plans, start, len, left)?,
                Plan::Test(at) => match &self.tests[*at] {
                    Tested::Ready(ready) => ready.truth(start, len, &left),
                    Tested::Rows(row) => left & by_rows(row, self.batch, start, &left)?.truth,
                },
                plan => left & self.mask(plan, start, len, &left)?.truth,
            };
        }
        Ok(left)
    }

    /// What a condition says of the `wanted` rows of a chunk.
    pub(super) fn mask(
        &mut self,
        plan: &'a Plan,
        start: usize,
        len: usize,
        wanted: &Bits,
    ) -> Result<Mask, ExprError> {
        Ok(match plan {
            Plan::Constant(Some(value)) => Mask::of(*value),
            Plan::Constant(None) => Mask::UNKNOWN,
            Plan::Test(at) => match &self.tests[*at] {
                Tested::Ready(ready) => ready.run(start, len, wanted),
                Tested::Rows(row) => by_rows(row, self.batch, start, wanted)?,
            },
            Plan::Columns { a, b, comparison, rows } => {
                let column =
                    |at: usize| (&self.batch.schema().fields[at].kind, self.batch.column(at));
                match compare_columns(column(*a), column(*b), *comparison, start, len, wanted) {
                    Some(mask) => mask,
                    None => by_rows(rows, self.batch, start, wanted)?,
                }
            }
            Plan::Numbers { a, b, comparison } => {
                let a = number(self.batch, a, start, len, wanted)?;
                let b = number(self.batch, b, start, len, wanted)?;
                a.compare(&b, *comparison)
            }
            Plan::And(plans) => {
                let mut all = Mask::of(true);
                for plan in plans {
                    let left = *wanted & !all.falsity();
                    if left.is_empty() {
                        break;
                    }
                    all = all.and(self.mask(plan, start, len, &left)?);
                }
                all
            }
            Plan::Or(plans) => {
                let mut any = Mask::of(false);
                for plan in plans {
                    let left = *wanted & !any.truth;
                    if left.is_empty() {
                        break;
                    }
                    any = any.or(self.mask(plan, start, len, &left)?);
                }
                any
            }
            Plan::Not(plan) => self.mask(plan, start, len, wanted)?.negated(),
            Plan::Decided { plan, null } => {
                let mask = self.mask(plan, start, len, wanted)?;
                let truth = if *null { mask.truth | !mask.known } else { mask.truth };
                Mask { truth, known: Bits::ALL }
            }
            Plan::Unknown(plan) => {
                let mask = self.mask(plan, start, len, wanted)?;
                Mask { truth: !mask.known, known: Bits::ALL }
            }
            Plan::Rows(row) => by_rows(row, self.batch, start, wanted)?,
            Plan::Shared { slot, plan } => {
                let (asked, before) = self.shared[*slot];
                let left = *wanted & !asked;
                if left.is_empty() {
                    return Ok(before);
                }
                let found = self.mask(plan, start, len, &left)?;
                let mask = Mask {
                    truth: (before.truth & asked) | (found.truth & left),
                    known: (before.known & asked) | (found.known & left),
                };
                self.shared[*slot] = (asked | left, mask);
                mask
            }
        })
    }
}

fn by_rows(row: &Row, batch: &Batch, start: usize, wanted: &Bits) -> Result<Mask, ExprError> {
    let mut mask = Mask::UNKNOWN;
    for at in wanted.iter() {
        if let Cell::Bool(value) = row.get(batch, start + at)? {
            mask.known.set(at);
            if value {
                mask.truth.set(at);
            }
        }
    }
    Ok(mask)
}

/// # Errors
/// Where an integer of a wanted row is out of range.
pub(super) fn number(
    batch: &Batch,
    number: &Number,
    start: usize,
    len: usize,
    wanted: &Bits,
) -> Result<Numbers, ExprError> {
    match number {
        Number::Int(value) => Ok(Numbers::int(*value, len)),
        Number::Float(value) => Ok(Numbers::float(*value, len)),
        Number::Column(at) => Numbers::read(batch.column(*at), start, len)
            .ok_or_else(|| ExprError::new("a column is not stored as its type says")),
        Number::Call(arithmetic, a, b) => {
            let a = self::number(batch, a, start, len, wanted)?;
            let b = self::number(batch, b, start, len, wanted)?;
            arithmetic.apply(&a, &b, wanted).map_err(|_| out_of_range())
        }
    }
}
