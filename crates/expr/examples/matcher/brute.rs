//! What the index is held against: each filter as a tree of comparisons of numbers, until one is false.

use crate::workload::{Filter, Given, word};

/// A request with its texts looked up already, lists in order.
pub(crate) struct Known(Vec<Cell>);

enum Cell {
    Missing,
    Word(u32, String),
    Some(Vec<u32>),
    Number(f64),
    Bool(bool),
}

impl Known {
    pub(crate) fn new(request: &[Given]) -> Self {
        let cells = request.iter().enumerate().map(|(at, given)| match given {
            Given::Missing => Cell::Missing,
            Given::Word(value) => Cell::Word(*value, word(at, *value)),
            Given::Some(values) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                Cell::Some(values)
            }
            Given::Int(value) => Cell::Number(*value as f64),
            Given::Float(value) => Cell::Number(*value),
            Given::Bool(value) => Cell::Bool(*value),
        });
        Self(cells.collect())
    }
}

/// A filter: what is quick first, true or not.
pub(crate) enum Tree {
    Within(usize, Box<[u32]>, bool),
    Holds(usize, Box<[u32]>, bool),
    Range(usize, f64, f64),
    Is(usize, bool),
    Begins(usize, Box<str>),
    And(Box<[Tree]>),
    Or(Box<[Tree]>),
}

impl Tree {
    pub(crate) fn new(filter: &Filter) -> Self {
        let all = |parts: &[Filter]| {
            let mut trees: Vec<Self> = parts.iter().map(Self::new).collect();
            trees.sort_by_key(Self::cost);
            trees.into_boxed_slice()
        };
        match filter {
            Filter::Within(at, values, not) => Self::Within(*at, values.as_slice().into(), *not),
            Filter::Holds(at, values, not) => Self::Holds(*at, values.as_slice().into(), *not),
            Filter::Range(at, low, high) => {
                Self::Range(*at, low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))
            }
            Filter::Is(at, value) => Self::Is(*at, *value),
            Filter::Begins(at, text) => Self::Begins(*at, text.as_str().into()),
            Filter::And(parts) => Self::And(all(parts)),
            Filter::Or(parts) => Self::Or(all(parts)),
        }
    }

    /// What leaves little goes first, and what takes long last.
    fn cost(&self) -> usize {
        match self {
            Self::Within(_, values, false) => values.len(),
            Self::Is(..) => 2,
            Self::Range(..) => 3,
            Self::Within(_, values, true) => 10 + values.len(),
            Self::Begins(..) => 20,
            Self::Holds(_, values, _) => 50 + values.len(),
            Self::And(trees) | Self::Or(trees) => 30 + trees.iter().map(Self::cost).sum::<usize>(),
        }
    }

    pub(crate) fn holds(&self, known: &Known) -> bool {
        match self {
            Self::Within(at, values, not) => match &known.0[*at] {
                Cell::Word(value, _) => found(values, *value) != *not,
                Cell::Number(value) => found(values, *value as u32) != *not,
                _ => false,
            },
            Self::Holds(at, values, not) => match &known.0[*at] {
                Cell::Some(held) => {
                    let (few, many) = if held.len() < values.len() {
                        (&**held, &**values)
                    } else {
                        (&**values, &**held)
                    };
                    few.iter().any(|value| found(many, *value)) != *not
                }
                _ => false,
            },
            Self::Range(at, low, high) => match &known.0[*at] {
                Cell::Number(value) => low <= value && value <= high,
                _ => false,
            },
            Self::Is(at, wanted) => matches!(&known.0[*at], Cell::Bool(value) if value == wanted),
            Self::Begins(at, text) => {
                matches!(&known.0[*at], Cell::Word(_, word) if word.starts_with(&**text))
            }
            Self::And(trees) => trees.iter().all(|tree| tree.holds(known)),
            Self::Or(trees) => trees.iter().any(|tree| tree.holds(known)),
        }
    }
}

fn found(values: &[u32], value: u32) -> bool {
    if values.len() <= 8 { values.contains(&value) } else { values.binary_search(&value).is_ok() }
}
