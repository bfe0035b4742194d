//! Schemas, records and expressions drawn from a seed.

use std::sync::Arc;

use rowmill_columns::{DecimalValue, Field, Scalar, Schema, Type, Value};

use crate::matcher::{Attributes, Record};
use crate::operators::Operator as O;
use crate::{Expr, ExprError};

/// SplitMix64: a few lines, and the same on every machine.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(bits ^ (bits >> 31)) * end as u128) >> 64) as usize
    }

    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }
}

const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -2.5,
    2.5,
    1e300,
    5e-324,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
];
const INTS: &[i64] = &[i64::MIN, i64::MAX, i64::MIN + 1, i64::MAX - 1, -1, 0, 1, 2, 3, 7];
const WORDS: &[&str] = &["", "a", "b", "ab", "A", "Zoë", "zoë", "sport", "news", "a%", "x y"];

/// What is in a schema; how many of each, and in which order, is drawn.
const KINDS: &[Type] = &[
    Type::Text,
    Type::Enum,
    Type::Int64,
    Type::Int16,
    Type::UInt64,
    Type::Float64,
    Type::Float32,
    Type::Bool,
    Type::Date,
    Type::Time,
    Type::Timestamp { utc: false },
    Type::Timestamp { utc: true },
    Type::Uuid,
    Type::Bytes,
    Type::Decimal { precision: 10, scale: 2 },
];

pub(super) struct World {
    pub(super) attributes: Arc<Attributes>,
    /// How many different values there are of what has many.
    pub(super) many: usize,
}

impl World {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let count = 1 + chance.below(12);
        let fields = (0..count).map(|at| {
            let kind = chance.one(KINDS).clone();
            let kind = if chance.below(4) == 0 { Type::List(Box::new(kind)) } else { kind };
            Field::new(format!("a{at}"), kind)
        });
        let attributes = Attributes::new(Arc::new(Schema::new(fields.collect())));
        Self { attributes, many: *chance.one(&[3, 20, 300]) }
    }

    pub(super) fn value(&self, kind: &Type, chance: &mut Chance) -> Scalar {
        let near = chance.below(self.many) as i64;
        let extreme = chance.below(8) == 0;
        match kind {
            Type::Text | Type::Enum if extreme => Scalar::from(*chance.one(WORDS)),
            Type::Text | Type::Enum => Scalar::Text(format!("t{near}")),
            Type::Int16 => Scalar::Int(if extreme { 32_767 } else { near }),
            Type::Int64 if extreme => Scalar::Int(*chance.one(INTS)),
            Type::Int64 | Type::UInt64 => Scalar::Int(near),
            Type::Float64 | Type::Float32 if extreme => Scalar::Float(*chance.one(FLOATS)),
            Type::Float64 | Type::Float32 => Scalar::Float(near as f64 / 4.0),
            Type::Bool => Scalar::Bool(near % 2 == 0),
            Type::Date if extreme => Scalar::Date(*chance.one(&[-100_000_000, 100_000_000])),
            Type::Date => Scalar::Date(near as i32),
            Type::Time => Scalar::Time(near * 3_600_000_000 % 86_400_000_000),
            Type::Timestamp { utc } => {
                let micros = if extreme { *chance.one(INTS) } else { near * 40_000_000_000 };
                Scalar::Timestamp { micros, utc: *utc }
            }
            Type::Uuid => Scalar::Uuid([near as u8; 16]),
            Type::Bytes => Scalar::Bytes(near.to_string().into_bytes()),
            Type::Decimal { .. } => Scalar::Decimal(format!("{near}.50")),
            _ => Scalar::Null,
        }
    }

    /// A value, now and then of another kind that it may be compared with.
    fn literal(&self, kind: &Type, chance: &mut Chance) -> Expr {
        let near = chance.below(self.many) as f64;
        Expr::literal(match (kind, chance.below(12)) {
            (Type::Int16 | Type::Int64 | Type::UInt64, 0) => Scalar::Float(near + 0.5),
            (Type::Int64 | Type::UInt64, 1) => Scalar::Float(*chance.one(FLOATS)),
            (Type::Int64 | Type::Decimal { .. } | Type::Float64, 2) => {
                Scalar::Decimal(format!("{near}.25"))
            }
            (Type::Float64 | Type::Decimal { .. }, 3) => Scalar::Int(near as i64),
            (Type::Timestamp { utc: false }, 4) => Scalar::Date(near as i32),
            _ => self.value(kind, chance),
        })
    }

    pub(super) fn fill(&self, record: &mut Record, chance: &mut Chance) {
        record.clear();
        for (at, field) in self.attributes.schema().fields.iter().enumerate() {
            if chance.below(6) == 0 {
                continue;
            }
            if let Type::List(element) = &field.kind {
                let elements = chance.some(6, |chance| {
                    if chance.below(8) == 0 { Scalar::Null } else { self.value(element, chance) }
                });
                record.set_list(at, elements.iter().map(value)).unwrap();
            } else if field.kind == Type::UInt64 && chance.below(6) == 0 {
                record.set(at, &Value::UInt(u64::MAX - chance.below(2) as u64)).unwrap();
            } else {
                record.set(at, &value(&self.value(&field.kind, chance))).unwrap();
            }
        }
    }

    fn leaf(&self, chance: &mut Chance) -> Result<Expr, ExprError> {
        const COMPARISONS: &[O] = &[
            O::Equal,
            O::NotEqual,
            O::Less,
            O::LessOrEqual,
            O::Greater,
            O::GreaterOrEqual,
            O::IsDistinct,
            O::IsNotDistinct,
        ];
        let field = chance.one(&self.attributes.schema().fields);
        let column = || Expr::named(Arc::clone(&field.name));
        let kind = &field.kind;
        if let Type::List(element) = kind {
            let one = [
                O::ListContains,
                O::AnyEqual,
                O::AnyLess,
                O::AllNotEqual,
                O::AllGreaterOrEqual,
                O::AnyNotEqual,
            ];
            let many = [O::ListOverlaps, O::ListDisjoint, O::ListContainsAll];
            return match chance.below(10) {
                0 => Expr::call(*chance.one(&[O::IsNull, O::IsNotNull]), [column()]),
                1 => {
                    let length = Expr::call(O::ListLength, [column()])?;
                    Expr::call(*chance.one(COMPARISONS), [length, Expr::literal(2)])
                }
                2..4 => Expr::call(*chance.one(&one), [column(), self.literal(element, chance)]),
                _ => {
                    let values = chance.some(5, |chance| match chance.below(20) {
                        0 => Scalar::Null,
                        _ => self.value(element, chance),
                    });
                    let values = Expr::literal(Scalar::list(values));
                    Expr::call(*chance.one(&many), [column(), values])
                }
            };
        }
        match chance.below(14) {
            0 => Expr::call(*chance.one(&[O::IsNull, O::IsNotNull]), [column()]),
            1 if *kind == Type::Bool => Ok(column()),
            1 if matches!(kind, Type::Text | Type::Enum) => {
                let tests =
                    [O::StartsWith, O::EndsWith, O::Contains, O::Like, O::ILike, O::Matches];
                Expr::call(
                    *chance.one(&tests),
                    [column(), Expr::literal(*chance.one(&["t1", "a", "1"]))],
                )
            }
            2 if matches!(kind, Type::Text) => {
                let lower = Expr::call(O::Lower, [column()])?;
                Expr::call(O::Equal, [lower, Expr::literal("a")])
            }
            2 if matches!(kind, Type::Int64 | Type::Int16) => {
                let sum = Expr::call(O::Add, [column(), Expr::literal(1)])?;
                Expr::call(*chance.one(COMPARISONS), [sum, self.literal(kind, chance)])
            }
            2 if matches!(kind, Type::Date | Type::Timestamp { .. }) => {
                let part = Expr::call(*chance.one(&[O::Hour, O::WeekDay, O::Year]), [column()])?;
                Expr::call(O::LessOrEqual, [part, Expr::literal(chance.below(9) as i64)])
            }
            3 => {
                let (low, high) = (self.literal(kind, chance), self.literal(kind, chance));
                Expr::call(O::Between, [column(), low, high])
            }
            4 => {
                let other = chance.one(&self.attributes.schema().fields);
                let other = Expr::named(Arc::clone(&other.name));
                Expr::call(*chance.one(COMPARISONS), [column(), other])
            }
            5 => Expr::call(*chance.one(COMPARISONS), [self.literal(kind, chance), column()]),
            6 if chance.below(4) == 0 => {
                let null = Expr::literal(Scalar::Null);
                Expr::call(*chance.one(&[O::IsDistinct, O::IsNotDistinct]), [column(), null])
            }
            7 if chance.below(4) == 0 => {
                let values = [Scalar::Null, Scalar::Bool(true), Scalar::Bool(false)];
                Ok(Expr::literal(chance.one(&values).clone()))
            }
            8..11 => {
                let most = *chance.one(&[1, 4, 40]);
                let values = chance.some(most, |chance| self.value(kind, chance));
                Expr::call(
                    *chance.one(&[O::In, O::NotIn]),
                    [column(), Expr::literal(Scalar::list(values))],
                )
            }
            _ => Expr::call(*chance.one(COMPARISONS), [column(), self.literal(kind, chance)]),
        }
    }

    pub(super) fn condition(&self, depth: usize, chance: &mut Chance) -> Expr {
        loop {
            let made = match chance.below(8) {
                0 if depth > 0 => Expr::call(O::Not, [self.condition(depth - 1, chance)]),
                1..5 if depth > 0 => {
                    let joint = *chance.one(&[O::And, O::And, O::Or]);
                    let parts = 2 + chance.below(5);
                    Expr::call(joint, (0..parts).map(|_| self.condition(depth - 1, chance)))
                }
                _ => self.leaf(chance),
            };
            // What has no meaning for the kinds is refused, and another drawn.
            if let Ok(made) = made
                && super::super::builder::bound(&made, &self.attributes).is_ok()
            {
                return made;
            }
        }
    }
}

fn value(scalar: &Scalar) -> Value<'_> {
    match scalar {
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Int(*value),
        Scalar::Float(value) => Value::Float(*value),
        Scalar::Decimal(text) => {
            let unscaled = text.replace('.', "").parse().unwrap();
            Value::Decimal(DecimalValue::new(unscaled, 2))
        }
        Scalar::Text(value) => Value::Text(value),
        Scalar::Bytes(value) => Value::Bytes(value),
        Scalar::Uuid(value) => Value::Uuid(*value),
        Scalar::Date(days) => Value::Date(*days),
        Scalar::Time(micros) => Value::Time(*micros),
        Scalar::Timestamp { micros, utc } => Value::Timestamp { micros: *micros, utc: *utc },
        _ => Value::Null,
    }
}
