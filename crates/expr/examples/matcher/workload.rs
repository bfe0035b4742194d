//! Campaigns and requests such as a bidder has, drawn from a seed: 31 attributes, 3 to 10 conditions a campaign,
//! every sixth with an `or`, of which a request satisfies one in two hundred.

use std::sync::Arc;

use rowmill_columns::{Field, Scalar, Schema, Type, Value};
use rowmill_expr::matcher::{Attributes, Record};
use rowmill_expr::{Expr, ExprError, Operator};

use crate::chance::Chance;

/// What an attribute's values are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sort {
    /// One of so many texts.
    Word(usize),
    /// Up to so many of so many texts.
    Words(usize, usize),
    /// About so many of so many integers.
    Numbers(usize, usize),
    /// An integer below.
    Int(usize),
    /// A float below.
    Float(f64),
    Bool,
}

/// Name, values, and in how many of a hundred requests it is missing.
pub(crate) const ATTRIBUTES: [(&str, Sort, usize); 31] = [
    ("country", Sort::Word(40), 1),
    ("region", Sort::Word(300), 10),
    ("city", Sort::Word(5_000), 20),
    ("postal", Sort::Word(20_000), 30),
    ("device", Sort::Word(4), 1),
    ("os", Sort::Word(6), 3),
    ("browser", Sort::Word(8), 5),
    ("connection", Sort::Word(5), 20),
    ("language", Sort::Word(30), 10),
    ("gender", Sort::Word(3), 40),
    ("exchange", Sort::Word(12), 0),
    ("position", Sort::Word(6), 5),
    ("size", Sort::Word(20), 0),
    ("domain", Sort::Word(20_000), 5),
    ("publisher", Sort::Word(5_000), 5),
    ("bundle", Sort::Word(10_000), 50),
    ("age", Sort::Int(80), 50),
    ("hour", Sort::Int(24), 0),
    ("weekday", Sort::Int(7), 0),
    ("score", Sort::Int(1_000_000), 10),
    ("impressions", Sort::Int(60), 10),
    ("floor", Sort::Float(20.0), 5),
    ("viewability", Sort::Float(1.0), 15),
    ("lat", Sort::Float(90.0), 30),
    ("lon", Sort::Float(180.0), 30),
    ("app", Sort::Bool, 0),
    ("secure", Sort::Bool, 0),
    ("child", Sort::Bool, 5),
    ("categories", Sort::Words(4, 400), 5),
    ("segments", Sort::Numbers(25, 5_000), 20),
    ("deals", Sort::Words(3, 1_000), 60),
];

/// A campaign's condition.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// One of the values, or none of them.
    Within(usize, Vec<u32>, bool),
    /// A list that holds one of the values, or none of them.
    Holds(usize, Vec<u32>, bool),
    /// From one to another.
    Range(usize, Option<f64>, Option<f64>),
    Is(usize, bool),
    /// Text that begins so.
    Begins(usize, String),
    And(Vec<Filter>),
    Or(Vec<Filter>),
}

/// A request's value.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Missing,
    /// One of the texts, by its number.
    Word(u32),
    /// Some of the texts or integers.
    Some(Vec<u32>),
    Int(i64),
    Float(f64),
    Bool(bool),
}

pub(crate) struct Workload {
    attributes: Arc<Attributes>,
    columns: Vec<Expr>,
}

pub(crate) fn word(attribute: usize, value: u32) -> String {
    format!("{}-{value}", &ATTRIBUTES[attribute].0[..2])
}

fn at(name: &str) -> usize {
    ATTRIBUTES.iter().position(|attribute| attribute.0 == name).unwrap_or(0)
}

impl Workload {
    pub(crate) fn new() -> Self {
        let fields = ATTRIBUTES.iter().map(|(name, sort, _)| {
            let kind = match sort {
                Sort::Word(_) => Type::Text,
                Sort::Words(..) => Type::List(Box::new(Type::Text)),
                Sort::Numbers(..) => Type::List(Box::new(Type::Int64)),
                Sort::Int(_) => Type::Int64,
                Sort::Float(_) => Type::Float64,
                Sort::Bool => Type::Bool,
            };
            Field::new(*name, kind)
        });
        let attributes = Attributes::new(Arc::new(Schema::new(fields.collect())));
        let columns = ATTRIBUTES.iter().map(|attribute| Expr::named(attribute.0)).collect();
        Self { attributes, columns }
    }

    pub(crate) fn attributes(&self) -> &Arc<Attributes> {
        &self.attributes
    }

    /// A campaign.
    pub(crate) fn filter(chance: &mut Chance) -> Filter {
        let count = chance.between(3, 10).max(chance.between(3, 6));
        let mut used = 0_u64;
        let mut parts = Vec::with_capacity(count + 1);
        let mut asked = 0;
        while asked < count {
            let part = condition(chance);
            let attribute = part.attribute();
            if used >> attribute & 1 == 1 {
                continue;
            }
            used |= 1 << attribute;
            asked += 1;
            parts.push(part);
        }
        if chance.below(100) < 17 {
            let branches = (0..chance.between(2, 3)).map(|_| match chance.below(3) {
                0 => Filter::And(vec![condition(chance), condition(chance)]),
                _ => condition(chance),
            });
            parts.push(Filter::Or(branches.collect()));
        }
        Filter::And(parts)
    }

    pub(crate) fn expression(&self, filter: &Filter) -> Result<Expr, ExprError> {
        let column = |at: &usize| self.columns[*at].clone();
        let listed = |at: usize, values: &[u32]| {
            let is_int = matches!(ATTRIBUTES[at].1, Sort::Int(_) | Sort::Numbers(..));
            Expr::literal(Scalar::list(values.iter().map(|&value| {
                if is_int { Scalar::Int(value.into()) } else { Scalar::Text(word(at, value)) }
            })))
        };
        let number = |at: usize, value: f64| match ATTRIBUTES[at].1 {
            Sort::Int(_) => Expr::literal(value as i64),
            _ => Expr::literal(value),
        };
        match filter {
            Filter::Within(at, values, not) => {
                let operator = if *not { Operator::NotIn } else { Operator::In };
                Expr::call(operator, [column(at), listed(*at, values)])
            }
            Filter::Holds(at, values, not) => {
                let operator = if *not { Operator::ListDisjoint } else { Operator::ListOverlaps };
                Expr::call(operator, [column(at), listed(*at, values)])
            }
            Filter::Range(at, low, high) => {
                let low = low.map(|low| {
                    Expr::call(Operator::GreaterOrEqual, [column(at), number(*at, low)])
                });
                let high = high
                    .map(|high| Expr::call(Operator::LessOrEqual, [column(at), number(*at, high)]));
                match (low, high) {
                    (Some(low), Some(high)) => Expr::call(Operator::And, [low?, high?]),
                    (Some(one), None) | (None, Some(one)) => one,
                    (None, None) => Ok(Expr::literal(true)),
                }
            }
            Filter::Is(at, true) => Ok(column(at)),
            Filter::Is(at, false) => Expr::call(Operator::Not, [column(at)]),
            Filter::Begins(at, text) => {
                Expr::call(Operator::StartsWith, [column(at), Expr::literal(text.as_str())])
            }
            Filter::And(parts) => {
                let parts: Vec<Expr> =
                    parts.iter().map(|part| self.expression(part)).collect::<Result<_, _>>()?;
                Expr::call(Operator::And, parts)
            }
            Filter::Or(parts) => {
                let parts: Vec<Expr> =
                    parts.iter().map(|part| self.expression(part)).collect::<Result<_, _>>()?;
                Expr::call(Operator::Or, parts)
            }
        }
    }

    /// A request.
    pub(crate) fn request(chance: &mut Chance) -> Vec<Given> {
        let given = ATTRIBUTES.iter().map(|(_, sort, missing)| {
            if chance.below(100) < *missing {
                return Given::Missing;
            }
            match *sort {
                Sort::Word(count) => Given::Word(chance.frequent(count) as u32),
                Sort::Words(most, count) => {
                    let held = chance.between(1, most);
                    Given::Some((0..held).map(|_| chance.frequent(count) as u32).collect())
                }
                Sort::Numbers(about, count) => {
                    let held = chance.between(about / 2, about * 3 / 2);
                    Given::Some((0..held).map(|_| chance.frequent(count) as u32).collect())
                }
                Sort::Int(end) => Given::Int(chance.below(end) as i64),
                Sort::Float(end) => Given::Float(chance.share() * end),
                Sort::Bool => Given::Bool(chance.below(2) == 0),
            }
        });
        given.collect()
    }

    pub(crate) fn record(&self, request: &[Given]) -> Result<Record, ExprError> {
        let mut record = Record::new(&self.attributes);
        for (at, given) in request.iter().enumerate() {
            match given {
                Given::Missing => {}
                Given::Word(value) => record.set_text(at, &word(at, *value))?,
                Given::Some(values) if matches!(ATTRIBUTES[at].1, Sort::Numbers(..)) => {
                    record.set_list(at, values.iter().map(|&value| Value::Int(value.into())))?;
                }
                Given::Some(values) => {
                    let words: Vec<String> = values.iter().map(|&value| word(at, value)).collect();
                    record.set_list(at, words.iter().map(|word| Value::Text(word)))?;
                }
                Given::Int(value) => record.set_int(at, *value)?,
                Given::Float(value) => record.set_float(at, *value)?,
                Given::Bool(value) => record.set_bool(at, *value)?,
            }
        }
        Ok(record)
    }
}

impl Filter {
    pub(crate) fn attribute(&self) -> usize {
        match self {
            Self::Within(at, ..)
            | Self::Holds(at, ..)
            | Self::Range(at, ..)
            | Self::Is(at, _)
            | Self::Begins(at, _) => *at,
            Self::And(parts) | Self::Or(parts) => parts.first().map_or(0, Self::attribute),
        }
    }
}

/// One condition: its attribute, of which there are as many as the numbers say, and how it is asked for.
fn condition(chance: &mut Chance) -> Filter {
    let some = |name: &str, from: usize, to: usize, chance: &mut Chance| {
        let at = at(name);
        let end = match ATTRIBUTES[at].1 {
            Sort::Word(end) | Sort::Words(_, end) | Sort::Numbers(_, end) | Sort::Int(end) => end,
            _ => 1,
        };
        let is_int = matches!(ATTRIBUTES[at].1, Sort::Int(_));
        let count = chance.between(from, to);
        let draw = |chance: &mut Chance| {
            if is_int { chance.below(end) as u32 } else { chance.frequent(end) as u32 }
        };
        let mut values: Vec<u32> = (0..count).map(|_| draw(chance)).collect();
        values.sort_unstable();
        values.dedup();
        (at, values)
    };
    let within = |name: &str, from: usize, to: usize, chance: &mut Chance| {
        let (at, values) = some(name, from, to, chance);
        Filter::Within(at, values, false)
    };
    let without = |name: &str, from: usize, to: usize, chance: &mut Chance| {
        let (at, values) = some(name, from, to, chance);
        Filter::Within(at, values, true)
    };
    match chance.below(126) {
        0..12 => within("country", 1, 2, chance),
        12..15 => within("region", 2, 20, chance),
        15..17 => within("city", 2, 20, chance),
        17 => within("postal", 5, 40, chance),
        18..26 => within("device", 1, 2, chance),
        26..32 => within("os", 1, 2, chance),
        32..35 => within("browser", 1, 4, chance),
        35..37 => within("connection", 1, 3, chance),
        37..42 => within("language", 1, 2, chance),
        42..45 => within("gender", 1, 1, chance),
        45..50 => within("exchange", 1, 5, chance),
        50..54 => within("position", 1, 4, chance),
        54..60 => within("size", 1, 6, chance),
        60..65 => without("domain", 5, 40, chance),
        65..67 => within("domain", 10, 60, chance),
        67..70 => without("publisher", 2, 20, chance),
        70 => within("publisher", 5, 40, chance),
        71..73 => without("bundle", 2, 20, chance),
        73..77 => {
            let low = chance.between(5, 50) as f64;
            let width = chance.between(5, 30) as f64;
            Filter::Range(at("age"), Some(low), Some(low + width))
        }
        77..81 => {
            let low = chance.below(16) as f64;
            Filter::Range(at("hour"), Some(low), Some(low + chance.between(6, 18) as f64))
        }
        81..84 => within("weekday", 4, 10, chance),
        84..87 => Filter::Range(at("score"), Some((chance.share().powi(2) * 1e6).floor()), None),
        87..92 => Filter::Range(at("impressions"), None, Some(chance.between(5, 60) as f64)),
        92..98 => Filter::Range(at("floor"), None, Some(chance.share().sqrt() * 20.0)),
        98..101 => Filter::Range(at("viewability"), Some(chance.share().powi(2)), None),
        101 => {
            let (lat, lon) = (chance.share() * 60.0, chance.share() * 120.0);
            Filter::And(vec![
                Filter::Range(at("lat"), Some(lat), Some(lat + 30.0)),
                Filter::Range(at("lon"), Some(lon), Some(lon + 60.0)),
            ])
        }
        102..105 => Filter::Is(at("app"), chance.below(2) == 0),
        105..107 => Filter::Is(at("secure"), true),
        107..109 => Filter::Is(at("child"), false),
        109..116 => {
            let not = chance.below(2) == 0;
            let (at, values) = some("categories", if not { 1 } else { 3 }, 15, chance);
            Filter::Holds(at, values, not)
        }
        116..124 => {
            let not = chance.below(3) == 0;
            let (at, values) = some("segments", if not { 1 } else { 5 }, 30, chance);
            Filter::Holds(at, values, not)
        }
        124 => {
            let (at, values) = some("deals", 1, 5, chance);
            Filter::Holds(at, values, false)
        }
        _ => {
            let at = at("domain");
            Filter::Begins(at, word(at, chance.below(10) as u32 + 1))
        }
    }
}
