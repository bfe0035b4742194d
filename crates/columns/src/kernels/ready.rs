use super::compare::{floats, in_range};
use super::set::Set;
use super::test::{Kind, Test};
use super::view::{Codes, Values, View};
use super::{Bits, CHUNK, Mask, list, set, text};
use crate::Column;

/// Rows of a chunk, a sixteenth of it.
const FEW: usize = CHUNK / 16;

/// A test over the column that it is asked of.
pub struct Ready<'a> {
    test: &'a Test,
    view: View<'a>,
    inner: Inner<'a>,
}

enum Inner<'a> {
    None,
    /// What the test says of each value of a dictionary.
    Labels(Vec<u64>),
    /// The test of a list's elements.
    Elements(Box<Ready<'a>>),
}

impl Test {
    /// The test over a column; `None` where the column is not stored as the test needs it.
    #[inline]
    pub fn on<'a>(&'a self, column: &'a Column) -> Option<Ready<'a>> {
        Ready::new(self, View::new(column))
    }
}

impl<'a> Ready<'a> {
    fn new(test: &'a Test, view: View<'a>) -> Option<Self> {
        use Values as V;
        let mut inner = Inner::None;
        let fits = match (&test.kind, &view.values) {
            (Kind::Null(_), values) => !matches!(values, V::Other),
            (Kind::List(_, element), V::List(_, elements)) => {
                inner = Inner::Elements(Box::new(Self::new(element, View::of(elements))?));
                true
            }
            (_, V::Codes(_, labels)) => {
                let labels = View::of(labels);
                // A column of few rows out of a large dictionary is better read as it is.
                if labels.len > view.len * 4 + CHUNK {
                    return None;
                }
                inner = Inner::Labels(tested(&Ready::new(test, labels)?));
                true
            }
            (Kind::Range(_) | Kind::Among(Set::Integers(_)), values) => {
                matches!(values, V::I128(_))
                    || super::view::integers!(values, |_cells| true, else false)
            }
            (Kind::Always(_), _)
            | (Kind::Float(..) | Kind::Among(Set::Floats(_)), V::F32(_) | V::F64(_))
            | (Kind::Bool { .. }, V::Bool(_))
            | (Kind::Bytes(..) | Kind::Among(Set::Texts(_)), V::Bytes(_) | V::Uuid(_))
            | (Kind::Text(_), V::Bytes(_))
            | (Kind::Length(_), V::Bytes(_) | V::List(..)) => true,
            _ => false,
        };
        fits.then_some(Self { test, view, inner })
    }

    /// What the test says of the rows `start` to `start + len`, of which at most [`CHUNK`] are
    /// looked at in one go. Only what is said of `wanted` rows counts; of the others it may be
    /// anything.
    ///
    /// # Panics
    /// If there are not so many rows, or more than a chunk.
    pub fn run(&self, start: usize, len: usize, wanted: &Bits) -> Mask {
        assert!(len <= CHUNK && start + len <= self.view.len, "rows {start} and {len} more");
        let valid = Bits::valid(self.view.nulls, start, len);
        let mask = self.mask(start, len, valid, wanted);
        if self.test.negated { mask.negated() } else { mask }
    }

    /// Those of the `wanted` rows of which the test is true: quicker than [`run`](Self::run), for what is
    /// false and what is NULL need not be told apart.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn truth(&self, start: usize, len: usize, wanted: &Bits) -> Bits {
        let is_more = matches!(self.test.kind, Kind::Null(_) | Kind::Always(_) | Kind::List(..));
        if is_more || self.test.negated {
            return *wanted & self.run(start, len, wanted).truth;
        }
        assert!(len <= CHUNK && start + len <= self.view.len, "rows {start} and {len} more");
        let asked = match self.view.nulls {
            None => *wanted,
            Some(nulls) => *wanted & Bits::read(nulls.inner(), start, len),
        };
        asked & self.found(start, len, &asked)
    }

    fn mask(&self, start: usize, len: usize, valid: Bits, wanted: &Bits) -> Mask {
        if let Kind::Null(null) = self.test.kind {
            return Mask { truth: if null { !valid } else { valid }, known: Bits::ALL };
        }
        if let Kind::Always(value) = self.test.kind {
            return Mask::of(value);
        }
        let asked = *wanted & valid;
        if let (Kind::List(quantifier, _), Values::List(offsets, _), Inner::Elements(element)) =
            (&self.test.kind, &self.view.values, &self.inner)
        {
            let mask = list::test(offsets, *quantifier, element, start, len, &asked);
            return Mask { truth: mask.truth & valid, known: mask.known & valid };
        }
        Mask { truth: valid & self.found(start, len, &asked), known: valid }
    }

    /// What the test says of rows that are not NULL; of others than those it may be anything.
    fn found(&self, start: usize, len: usize, asked: &Bits) -> Bits {
        use Values as V;
        let values = &self.view.values;
        // Where so few rows are asked of, one by one is quicker than all of them by vectors.
        let few = asked.few(len, FEW).then_some(asked);
        match (&self.test.kind, values, &self.inner) {
            (_, V::Codes(codes, _), Inner::Labels(truths)) => labels(*codes, truths, start, asked),
            (Kind::Range(range), values, _) => in_range(values, range, start, len, few),
            (Kind::Float(comparison, literal), V::F64(cells), _) => {
                floats(&cells[start..start + len], *comparison, *literal, few)
            }
            (Kind::Float(comparison, literal), V::F32(cells), _) => {
                floats(&cells[start..start + len], *comparison, *literal, few)
            }
            (Kind::Bool { on_false, on_true }, V::Bool(array), _) => {
                let bits = Bits::read(array.values(), start, len);
                match (on_false, on_true) {
                    (false, true) => bits,
                    (true, false) => !bits,
                    (true, true) => Bits::ALL,
                    (false, false) => Bits::NONE,
                }
            }
            (Kind::Bytes(comparison, literal), V::Bytes(strings), _) => {
                text::compare(*strings, *comparison, literal, start, asked, few.is_some())
            }
            (Kind::Bytes(comparison, literal), V::Uuid(cells), _) => {
                asked.keep(|row| comparison.holds(cells[start + row].as_slice().cmp(literal)))
            }
            (Kind::Among(set), values, _) => set::find(values, set, start, len, asked),
            (Kind::Text(test), V::Bytes(strings), _) => text::test(*strings, test, start, asked),
            (Kind::Length(range), V::Bytes(strings), _) => {
                text::length(*strings, range, start, asked)
            }
            (Kind::Length(range), V::List(offsets, _), _) => {
                list::length(offsets, range, start, len)
            }
            // `new` lets no other pair through.
            _ => Bits::NONE,
        }
    }
}

/// What a test says of every value of a dictionary, none of which is NULL.
fn tested(labels: &Ready<'_>) -> Vec<u64> {
    let mut truths = Vec::with_capacity(labels.view.len.div_ceil(64));
    for start in (0..labels.view.len).step_by(CHUNK) {
        let len = CHUNK.min(labels.view.len - start);
        let mask = labels.run(start, len, &Bits::first(len));
        truths.extend_from_slice(&mask.truth.0[..len.div_ceil(64)]);
    }
    // Negation was done above, and is not done again for the rows.
    if labels.test.negated {
        for word in &mut truths {
            *word = !*word;
        }
    }
    truths
}

fn labels(codes: Codes<'_>, truths: &[u64], start: usize, asked: &Bits) -> Bits {
    asked.keep(|row| {
        let code = codes.get(start + row);
        truths.get(code / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    })
}
