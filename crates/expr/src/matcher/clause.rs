//! What is asked of one attribute, as the set of values for which it is true.

use smallvec::{SmallVec, smallvec};

use super::dictionary::Dictionary;

/// A set of values of one attribute: an expression's condition is true of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) attribute: u32,
    pub(crate) test: Test,
    /// Whether it is true of NULL.
    pub(crate) null: bool,
}

/// Numbers of values in a dictionary, in order.
pub(crate) type Values = SmallVec<[u32; 4]>;
/// Keys from one to another, both within; in order, none touching the next.
pub(crate) type Spans = SmallVec<[(i64, i64); 1]>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// One of the values, or any other value than these.
    Values { values: Values, not: bool },
    /// A list that holds one of the values, or none of them.
    Elements { values: Values, not: bool },
    /// A key in one of the spans.
    Spans(Spans),
}

/// What two clauses on one attribute are together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Both have to be kept.
    Apart,
    One(Clause),
    Always,
    Never,
}

/// A list of values is made into spans, to be put together with such, up to this many.
const MOST_SPANS: usize = 16;

impl Test {
    pub(crate) fn empty(is_list: bool, not: bool) -> Self {
        let values = Values::new();
        if is_list { Self::Elements { values, not } } else { Self::Values { values, not } }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Values { values, not } | Self::Elements { values, not } => {
                values.is_empty() && !not
            }
            Self::Spans(spans) => spans.is_empty(),
        }
    }

    fn is_all(&self) -> bool {
        match self {
            Self::Values { values, not } | Self::Elements { values, not } => {
                values.is_empty() && *not
            }
            Self::Spans(spans) => **spans == [(i64::MIN, i64::MAX)],
        }
    }
}

impl Clause {
    /// Values or spans.
    pub(crate) fn size(&self) -> usize {
        match &self.test {
            Test::Values { values, .. } | Test::Elements { values, .. } => values.len(),
            Test::Spans(spans) => spans.len(),
        }
    }

    /// As it is, or always, or never.
    pub(crate) fn settled(self) -> Joined {
        if self.test.is_empty() && !self.null {
            Joined::Never
        } else if self.test.is_all() && self.null {
            Joined::Always
        } else {
            Joined::One(self)
        }
    }

    fn with(&self, test: Test, null: bool) -> Joined {
        Self { attribute: self.attribute, test, null }.settled()
    }

    /// Where both are true.
    pub(crate) fn and(&self, other: &Self, dictionary: &Dictionary) -> Joined {
        use Test as T;
        let null = self.null && other.null;
        let apart = |empty: bool| if empty && !null { Joined::Never } else { Joined::Apart };
        match (&self.test, &other.test) {
            (one, rest) | (rest, one) if one.is_all() => self.with(rest.clone(), null),
            (one, _) | (_, one) if one.is_empty() => self.with(one.clone(), null),
            (T::Values { values: a, not: false }, T::Values { values: b, not }) => {
                self.with(T::Values { values: kept(a, |id| has(b, id) != *not), not: false }, null)
            }
            (T::Values { values: a, not: true }, T::Values { values: b, not: false }) => {
                self.with(T::Values { values: kept(b, |id| !has(a, id)), not: false }, null)
            }
            (T::Values { values: a, not: true }, T::Values { values: b, not: true }) => {
                self.with(T::Values { values: union(a, b), not: true }, null)
            }
            (T::Values { values, not: false }, T::Spans(spans))
            | (T::Spans(spans), T::Values { values, not: false }) => {
                let within = |id| {
                    dictionary.number(id).is_some_and(|key| {
                        spans.iter().any(|&(low, high)| (low..=high).contains(&key))
                    })
                };
                self.with(T::Values { values: kept(values, within), not: false }, null)
            }
            (T::Spans(a), T::Spans(b)) => self.with(T::Spans(intersection(a, b)), null),
            (T::Elements { values: a, not: true }, T::Elements { values: b, not: true }) => {
                self.with(T::Elements { values: union(a, b), not: true }, null)
            }
            (a, b) => apart(a.is_empty() || b.is_empty()),
        }
    }

    /// Where one of them is true.
    pub(crate) fn or(&self, other: &Self, dictionary: &Dictionary) -> Joined {
        use Test as T;
        let null = self.null || other.null;
        match (&self.test, &other.test) {
            (one, rest) | (rest, one) if one.is_empty() => self.with(rest.clone(), null),
            (one, _) | (_, one) if one.is_all() => self.with(one.clone(), null),
            (T::Values { values: a, not: false }, T::Values { values: b, not: false }) => {
                self.with(T::Values { values: union(a, b), not: false }, null)
            }
            (T::Values { values: a, not: false }, T::Values { values: b, not: true })
            | (T::Values { values: b, not: true }, T::Values { values: a, not: false }) => {
                self.with(T::Values { values: kept(b, |id| !has(a, id)), not: true }, null)
            }
            (T::Values { values: a, not: true }, T::Values { values: b, not: true }) => {
                self.with(T::Values { values: kept(a, |id| has(b, id)), not: true }, null)
            }
            (T::Elements { values: a, not: false }, T::Elements { values: b, not: false }) => {
                self.with(T::Elements { values: union(a, b), not: false }, null)
            }
            (T::Spans(a), T::Spans(b)) => {
                self.with(T::Spans(merged(a.iter().chain(b).copied())), null)
            }
            (T::Values { values, not: false }, T::Spans(spans))
            | (T::Spans(spans), T::Values { values, not: false })
                if values.len() + spans.len() <= MOST_SPANS =>
            {
                let points = values.iter().filter_map(|&id| dictionary.number(id));
                let points = points.map(|key| (key, key));
                self.with(T::Spans(merged(points.chain(spans.iter().copied()))), null)
            }
            _ => Joined::Apart,
        }
    }
}

fn has(values: &[u32], id: u32) -> bool {
    values.binary_search(&id).is_ok()
}

fn kept(values: &[u32], keep: impl Fn(u32) -> bool) -> Values {
    values.iter().copied().filter(|&id| keep(id)).collect()
}

fn union(a: &[u32], b: &[u32]) -> Values {
    let mut all: Values = a.iter().chain(b).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn intersection(a: &[(i64, i64)], b: &[(i64, i64)]) -> Spans {
    let mut found = Spans::new();
    for &(low, high) in a {
        for &(other_low, other_high) in b {
            let (low, high) = (low.max(other_low), high.min(other_high));
            if low <= high {
                found.push((low, high));
            }
        }
    }
    found.sort_unstable();
    found
}

/// Spans in order, those put together that overlap or touch.
pub(crate) fn merged(spans: impl Iterator<Item = (i64, i64)>) -> Spans {
    let mut spans: Spans = spans.filter(|(low, high)| low <= high).collect();
    spans.sort_unstable();
    let mut found: Spans = smallvec![];
    for (low, high) in spans {
        match found.last_mut() {
            Some((_, last)) if low <= last.saturating_add(1) => *last = high.max(*last),
            _ => found.push((low, high)),
        }
    }
    found
}
