use std::sync::Arc;

use proptest::prelude::*;
use rowmill_columns::build::{self, Bytes, Dictionary, Fixed, ListOffsets};
use rowmill_columns::{Batch, Column, DecimalValue, Field, Scalar, Schema, Type, Value};

use super::cell::Cell;
use super::*;
use crate::operators::Operator as O;

const ROWS: usize = 1_100;

/// Numbers by a recurrence, so that every run sees the same rows.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn fixed<T: build::Native>(kind: &Type, dice: &mut Dice, values: &[T]) -> Column {
    let mut out = Fixed::new(values[0]);
    for _ in 0..ROWS {
        match dice.roll(8) {
            0 => out.push_null(),
            _ => out.push(values[dice.roll(values.len() as u64) as usize]),
        }
    }
    out.finish(kind)
}

const TEXTS: [&str; 9] =
    ["", "a", "ab", "Ab", "aé%_", "50%", "exactly sixteen!", "more than sixteen bytes", "12"];

pub(crate) fn frame() -> Batch {
    let dice = &mut Dice(0x9e37_79b9_7f4a_7c15);
    let mut columns: Vec<(&str, Type, Column)> = Vec::new();
    let mut add = |name, kind: Type, column| columns.push((name, kind, column));
    let ints = [0_i64, 1, -1, 2, 7, 100, i64::MAX, i64::MIN];
    add("i", Type::Int64, fixed(&Type::Int64, dice, &ints));
    add("j", Type::Int64, fixed(&Type::Int64, dice, &[0_i64, 1, 2, 3]));
    add("s", Type::Int16, fixed(&Type::Int16, dice, &[0_i16, 1, 2, -3, i16::MAX]));
    add("u", Type::UInt64, fixed(&Type::UInt64, dice, &[0_u64, 1, 2, u64::MAX]));
    let floats = [0.0, -0.0, 1.0, 2.5, -7.25, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    add("f", Type::Float64, fixed(&Type::Float64, dice, &floats));
    add("g", Type::Float32, fixed(&Type::Float32, dice, &[0.5_f32, 1.0, 2.0, f32::NAN]));
    add("day", Type::Date, fixed(&Type::Date, dice, &[0_i32, 1, -1, 19_724]));
    let clocks = [0_i64, 1, 86_400_000_000, -1, 1_700_000_000_123_456];
    for (name, utc) in [("wall", false), ("at", true)] {
        let kind = Type::Timestamp { utc };
        add(name, kind.clone(), fixed(&kind, dice, &clocks));
    }
    add("uuid", Type::Uuid, fixed(&Type::Uuid, dice, &[0_i128, 1, -1]));
    let (mut texts, mut labels, mut json) = (Bytes::text(), Dictionary::default(), Bytes::text());
    let mut bools = build::Bits::default();
    let mut decimals = Vec::new();
    let (mut lists, mut elements) = (ListOffsets::default(), Fixed::new(0_i64));
    let (mut names, mut parts) = (ListOffsets::default(), Bytes::text());
    for _ in 0..ROWS {
        match dice.roll(8) {
            0 => {
                texts.push_null();
                labels.push_null();
                bools.push_null();
                decimals.push(None);
                lists.push_null();
                json.push_null();
                names.push_null();
            }
            other => {
                texts.push(TEXTS[dice.roll(9) as usize].as_bytes());
                labels.push(["ok", "sad", "a"][dice.roll(3) as usize].as_bytes());
                bools.push(other % 2 == 0);
                let cents = [0, 5, 250, -125, 10_000][dice.roll(5) as usize];
                decimals.push(Some(DecimalValue::new(cents, 2)));
                for _ in 0..dice.roll(4) {
                    match dice.roll(6) {
                        0 => elements.push_null(),
                        value => elements.push(value as i64),
                    }
                    parts.push(TEXTS[dice.roll(5) as usize].as_bytes());
                }
                lists.push(elements.len());
                names.push(parts.len());
                json.push(
                    [r#"{"a": "x", "b": [1, 2]}"#, r#"{"a": null}"#, "[3]"][dice.roll(3) as usize]
                        .as_bytes(),
                );
            }
        }
    }
    let text = |builder: Bytes| builder.finish().unwrap();
    add("t", Type::Text, text(texts));
    add("e", Type::Enum, labels.finish().unwrap());
    add("b", Type::Bool, bools.finish());
    let (kind, column) = rowmill_columns::kernels::decimals(&decimals).unwrap();
    add("d", kind, column);
    let (int, word) = (Type::Int64, Type::Text);
    add("l", Type::List(Box::new(int.clone())), lists.finish(&int, elements.finish(&int)));
    add("w", Type::List(Box::new(word.clone())), names.finish(&word, text(parts)));
    add("json", Type::Json, text(json));
    let (fields, columns) =
        columns.into_iter().map(|(name, kind, column)| (Field::new(name, kind), column)).unzip();
    // A piece from within, so that offsets and bitmaps begin in the middle of a byte.
    Batch::new(Arc::new(Schema::new(fields)), columns, ROWS).slice(3, ROWS - 5)
}

fn call(operator: O, args: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::call(operator, args).unwrap()
}

fn one_of(choices: &'static [O]) -> impl Strategy<Value = O> {
    proptest::sample::select(choices)
}

fn columns(names: &'static [&'static str]) -> BoxedStrategy<Expr> {
    proptest::sample::select(names).prop_map(Expr::named).boxed()
}

fn literal<T: Clone + std::fmt::Debug + Into<Scalar> + 'static>(
    values: Vec<T>,
) -> BoxedStrategy<Expr> {
    proptest::sample::select(values).prop_map(Expr::literal).boxed()
}

fn numbers() -> BoxedStrategy<Expr> {
    let floats = literal(vec![0.0, 2.5, -0.5, f64::NAN, 1e300]);
    let leaf = prop_oneof![
        4 => columns(&["i", "j", "s", "f", "g", "d", "u"]),
        2 => literal(vec![0_i64, 1, 2, 100, -3]),
        1 => floats,
        1 => Just(call(O::Length, [call(O::ToText, [Expr::named("j")])])),
        1 => Just(call(O::Year, [Expr::named("at")])),
    ];
    let sums = &[O::Add, O::Subtract, O::Multiply, O::Divide];
    leaf.prop_recursive(2, 6, 2, move |inner| {
        prop_oneof![
            (one_of(sums), inner.clone(), inner.clone()).prop_map(|(o, a, b)| call(o, [a, b])),
            (one_of(&[O::Quotient, O::Remainder]), columns(&["i", "j", "s"]), columns(&["i", "j"]))
                .prop_map(|(o, a, b)| call(o, [a, b])),
            (one_of(&[O::Abs, O::Floor, O::Ceil, O::ToInt, O::ToFloat]), columns(&["j", "s", "d"]))
                .prop_map(|(o, a)| call(o, [a])),
            (one_of(&[O::Coalesce, O::Least, O::Greatest]), inner.clone(), inner)
                .prop_map(|(o, a, b)| call(o, [a, b])),
        ]
    })
    .boxed()
}

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
const QUANTIFIED: &[O] = &[
    O::AnyEqual,
    O::AnyNotEqual,
    O::AnyLess,
    O::AnyLessOrEqual,
    O::AnyGreater,
    O::AnyGreaterOrEqual,
    O::AllEqual,
    O::AllNotEqual,
    O::AllLess,
    O::AllLessOrEqual,
    O::AllGreater,
    O::AllGreaterOrEqual,
];

pub(crate) fn conditions() -> BoxedStrategy<Expr> {
    let texts = || prop_oneof![columns(&["t", "e"]), Just(call(O::Lower, [Expr::named("t")]))];
    let words = || literal(TEXTS.to_vec());
    let listed = |values: Vec<Scalar>| Expr::literal(Scalar::list(values));
    let some_ints = || proptest::collection::vec((0..6_i64).prop_map(Scalar::Int), 0..6);
    let some_texts = || {
        proptest::collection::vec(proptest::sample::select(&TEXTS[..]).prop_map(Scalar::from), 0..6)
    };
    let leaf = prop_oneof![
        6 => (one_of(COMPARISONS), numbers(), numbers()).prop_map(|(o, a, b)| call(o, [a, b])),
        3 => (one_of(COMPARISONS), texts(), words()).prop_map(|(o, a, b)| call(o, [a, b])),
        1 => (one_of(COMPARISONS), texts(), texts()).prop_map(|(o, a, b)| call(o, [a, b])),
        1 => (one_of(COMPARISONS), columns(&["t"]), columns(&["t"])).prop_map(|(o, a, b)| call(o, [a, b])),
        2 => (one_of(&[O::Contains, O::StartsWith, O::EndsWith, O::Like, O::ILike]), texts(), words())
            .prop_map(|(o, a, b)| call(o, [a, b])),
        1 => (one_of(&[O::Matches]), texts(), literal(vec!["^a", "b$", "x.*s", "[0-9]+"]))
            .prop_map(|(o, a, b)| call(o, [a, b])),
        1 => columns(&["b"]),
        1 => (one_of(&[O::IsNull, O::IsNotNull]), columns(&["i", "t", "e", "l", "b", "json", "uuid", "d"]))
            .prop_map(|(o, a)| call(o, [a])),
        2 => (one_of(&[O::In, O::NotIn]), columns(&["i", "j", "s", "f", "d", "u"]), some_ints())
            .prop_map(move |(o, a, b)| call(o, [a, listed(b)])),
        2 => (one_of(&[O::In, O::NotIn]), texts(), some_texts())
            .prop_map(move |(o, a, b)| call(o, [a, listed(b)])),
        1 => (columns(&["i", "j", "f", "d"]), 0..3_i64, 0..9_i64)
            .prop_map(|(a, low, high)| call(O::Between, [a, Expr::literal(low), Expr::literal(high)])),
        1 => (numbers(), numbers(), numbers()).prop_map(|(a, b, c)| call(O::Between, [a, b, c])),
        2 => (one_of(QUANTIFIED), columns(&["l"]), literal(vec![1_i64, 2, 3])).prop_map(|(o, a, b)| call(o, [a, b])),
        1 => (one_of(QUANTIFIED), columns(&["l"]), columns(&["j"])).prop_map(|(o, a, b)| call(o, [a, b])),
        1 => (columns(&["l"]), literal(vec![1_i64, 5])).prop_map(|(a, b)| call(O::ListContains, [a, b])),
        1 => (columns(&["w"]), words()).prop_map(|(a, b)| call(O::ListContains, [a, b])),
        2 => (one_of(&[O::ListOverlaps, O::ListDisjoint, O::ListContainsAll]), columns(&["l"]), some_ints())
            .prop_map(move |(o, a, b)| call(o, [a, listed(b)])),
        1 => (one_of(COMPARISONS), one_of(&[O::ListLength, O::Length]), literal(vec![0_i64, 2]))
            .prop_map(|(o, length, b)| {
                let of = if length == O::Length { "t" } else { "l" };
                call(o, [call(length, [Expr::named(of)]), b])
            }),
        1 => one_of(COMPARISONS).prop_map(|o| {
            let day = Expr::literal(Scalar::Date(1));
            call(o, [Expr::named("wall"), day])
        }),
        1 => (one_of(COMPARISONS), columns(&["day", "wall"]), columns(&["day", "wall"]))
            .prop_map(|(o, a, b)| call(o, [a, b])),
        1 => one_of(COMPARISONS).prop_map(|o| {
            let path = Expr::literal(Scalar::from("a"));
            call(o, [call(O::JsonGet, [Expr::named("json"), path]), Expr::literal("x")])
        }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (one_of(&[O::And, O::Or]), inner.clone(), inner.clone(), inner.clone())
                // One of them twice, so that it is shared.
                .prop_map(|(o, a, b, c)| call(o, [a.clone(), call(O::Or, [b, a]), c])),
            inner.clone().prop_map(|a| call(O::Not, [a])),
            (one_of(&[O::IsNull, O::IsNotNull]), inner.clone()).prop_map(|(o, a)| call(o, [a])),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| call(O::Case, [a, b, c])),
        ]
    })
    .boxed()
}

/// The condition by each row alone.
pub(crate) fn slowly(condition: &Expr, batch: &Batch) -> Result<Vec<Option<bool>>, ExprError> {
    let schema = batch.schema();
    let bound = Binder::new(schema).bind(condition)?;
    let row = row::Row::new(&bound, schema)?;
    let said = (0..batch.rows()).map(|at| {
        Ok(match row.get(batch, at)? {
            Cell::Bool(value) => Some(value),
            _ => None,
        })
    });
    said.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, max_global_rejects: 200_000, ..ProptestConfig::default() })]

    #[test]
    fn kernels_say_what_each_row_says(condition in conditions()) {
        let batch = frame();
        // What has no meaning for the columns' kinds, or leaves the range, is refused by both or by one
        // that had to look at the row.
        let Ok(expected) = slowly(&condition, &batch) else { return Ok(()) };
        let normal = condition.normal().unwrap();
        if let Ok(said) = slowly(&normal, &batch) {
            prop_assert_eq!(&said, &expected, "{} in normal form is {}", condition, normal);
        }
        prop_assert_eq!(normal.normal().unwrap().shape(), normal.shape());
        let program = Program::new(std::slice::from_ref(&condition), batch.schema()).unwrap();
        let kept = program.run(&batch, 0..batch.rows());
        let Ok(kept) = kept else { return Err(TestCaseError::fail(format!("{condition}: {kept:?}"))) };
        let passing: Vec<u32> =
            (0_u32..).zip(&expected).filter(|(_, said)| **said == Some(true)).map(|(row, _)| row).collect();
        prop_assert_eq!(kept.indices(), passing, "{}", condition);
        let projection = Projection::new(&[("x".into(), condition.clone())], batch.schema()).unwrap();
        let column = projection.run(&batch).unwrap();
        for (row, said) in expected.iter().enumerate() {
            let value = said.map_or(Value::Null, Value::Bool);
            prop_assert_eq!(column.value(0, row), value, "{} in row {}", condition, row);
        }
    }

    #[test]
    fn computed_numbers_are_those_of_each_row(number in numbers()) {
        let batch = frame();
        let schema = batch.schema();
        let Ok(bound) = Binder::new(schema).bind(&number) else { return Ok(()) };
        let row = row::Row::new(&bound, schema).unwrap();
        let cells: Result<Vec<Cell<'_>>, _> = (0..batch.rows()).map(|at| row.get(&batch, at)).collect();
        let projected = Projection::new(&[("x".into(), number.clone())], schema).unwrap().run(&batch);
        let (Ok(cells), Ok(projected)) = (cells, projected) else { return Ok(()) };
        for (at, cell) in cells.into_iter().enumerate() {
            let value = Cell::from(projected.value(0, at));
            prop_assert_eq!(cell.is_null(), value.is_null(), "{} in row {}", number, at);
            if !cell.is_null() {
                prop_assert!(cell.compare(&value).is_some_and(std::cmp::Ordering::is_eq), "{} in row {}: {:?} {:?}", number, at, cell, value);
            }
        }
    }
}

fn error(condition: Expr) -> String {
    Program::new(&[condition], frame().schema()).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_asked_is_one_clear_error() {
    let x = |name: &str| Expr::named(name);
    let one = || Expr::literal(1_i64);
    assert_eq!(
        error(call(O::Equal, [x("jsn"), Expr::literal("x")])),
        "the frame has no column \"jsn\"; did you mean \"json\"?"
    );
    assert!(error(call(O::Equal, [x("nothing"), one()])).contains("it has \"i\", \"j\""));
    assert!(error(call(O::Equal, [x("t"), one()])).contains("text cannot be compared with int"));
    assert!(error(x("t")).contains("is text, and a condition is a bool"));
    assert!(
        error(call(O::Equal, [call(O::CountRows, []), one()]))
            .contains("looks at many rows at once")
    );
    let parameter = crate::Parameter { at: 0, name: "limit".into(), kind: Kind::INT };
    assert!(error(call(O::Equal, [x("i"), Expr::parameter(parameter)])).contains("is a parameter"));
}

#[test]
fn a_long_chain_is_flat_and_a_deep_tree_is_refused() {
    let even = |n: i64| call(O::Equal, [Expr::named("j"), Expr::literal(n)]);
    let chain = (1..10_000).fold(even(0), |all, n| call(O::Or, [all, even(n)]));
    let batch = frame();
    let kept =
        Program::new(&[chain], batch.schema()).unwrap().run(&batch, 0..batch.rows()).unwrap();
    let known = (0..batch.rows()).filter(|&row| !batch.value(1, row).is_null()).count();
    assert_eq!(kept.count(), known);
    let deep = (1..10_000).fold(even(0), |all, _| call(O::Not, [all]));
    assert_eq!(deep.normal().unwrap().depth(), even(0).depth());
    assert!(error(deep).contains("more than 400 levels"));
}

#[test]
fn an_integer_beyond_64_bits_is_an_error_where_it_is_asked_for() {
    let batch = frame();
    let more = call(O::Add, [Expr::named("i"), Expr::literal(1_i64)]);
    let large = call(O::Greater, [more, Expr::literal(0_i64)]);
    let run = |conditions: &[Expr]| {
        Program::new(conditions, batch.schema()).unwrap().run(&batch, 0..batch.rows())
    };
    assert!(
        run(std::slice::from_ref(&large))
            .unwrap_err()
            .to_string()
            .starts_with("integer out of range")
    );
    let small = call(O::Less, [Expr::named("i"), Expr::literal(1_000_i64)]);
    assert!(run(&[large, small]).is_ok(), "the quicker condition leaves no such row");
}

#[test]
fn parts_are_put_together() {
    let batch = frame();
    let condition = call(O::Greater, [Expr::named("j"), Expr::literal(1_i64)]);
    let program = Program::new(&[condition], batch.schema()).unwrap();
    let mut parts = program.run(&batch, 0..CHUNK).unwrap();
    parts.append(&program.run(&batch, CHUNK..batch.rows()).unwrap());
    assert_eq!(parts, program.run(&batch, 0..batch.rows()).unwrap());
}
