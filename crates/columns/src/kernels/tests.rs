use std::cmp::Ordering;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{column, fixed, flat, text};
use crate::{Batch, Column, Field, Scalar, Schema, Type, Value};

const ALL: [Comparison; 6] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Lt,
    Comparison::Le,
    Comparison::Gt,
    Comparison::Ge,
];

/// The order of a cell and a literal of its own type, said naively.
fn naive(value: &Value<'_>, literal: &Scalar) -> Option<Ordering> {
    Some(match (value, literal) {
        (Value::Bool(a), Scalar::Bool(b)) => a.cmp(b),
        (Value::Int(a), Scalar::Int(b))
        | (Value::Time(a), Scalar::Time(b))
        | (Value::Timestamp { micros: a, .. }, Scalar::Timestamp { micros: b, .. }) => a.cmp(b),
        (Value::UInt(a), Scalar::Int(b)) => i128::from(*a).cmp(&i128::from(*b)),
        (Value::Int(a), Scalar::Float(b)) => integer_and_float((*a).into(), *b),
        (Value::UInt(a), Scalar::Float(b)) => integer_and_float(i128::from(*a), *b),
        (Value::UInt(a), Scalar::Decimal(b)) => i128::from(*a).cmp(&b.parse().unwrap()),
        (Value::Float(a), Scalar::Float(b)) => compare_floats(*a, *b),
        (Value::Float32(a), Scalar::Float(b)) => compare_floats((*a).into(), *b),
        (Value::Text(a), Scalar::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Bytes(a), Scalar::Bytes(b)) => (*a).cmp(b.as_slice()),
        (Value::Uuid(a), Scalar::Uuid(b)) => a.cmp(b),
        (Value::Date(a), Scalar::Date(b)) => a.cmp(b),
        (Value::Decimal(a), Scalar::Decimal(b)) => {
            let (b, places) = parse_decimal(b).unwrap();
            let a = a.unscaled()?;
            assert!(places <= value_scale(value), "literals are drawn from the column");
            a.cmp(&(b * 10_i128.pow((value_scale(value) - places) as u32)))
        }
        _ => return None,
    })
}

fn selection_of(kept: &[bool]) -> Selection {
    let mut selection = Selection::with_capacity(kept.len());
    for part in kept.chunks(CHUNK) {
        let mut bits = Bits::NONE;
        part.iter().enumerate().filter(|(_, kept)| **kept).for_each(|(row, _)| bits.set(row));
        selection.push(&bits, part.len());
    }
    selection
}

fn value_scale(value: &Value<'_>) -> i32 {
    match value {
        Value::Decimal(value) => value.scale().into(),
        _ => 0,
    }
}

fn integer_and_float(a: i128, b: f64) -> Ordering {
    if b.is_nan() || b >= 1e30 {
        Ordering::Less
    } else if b <= -1e30 {
        Ordering::Greater
    } else {
        // Both are doubled, so that what lies between whole numbers has a place.
        let floor = b.floor() as i128 * 2;
        (a * 2).cmp(&(floor + i128::from(b.fract() != 0.0)))
    }
}

fn rows_of(mask: Mask, rows: usize) -> Vec<Option<bool>> {
    (0..rows).map(|row| mask.known.has(row).then(|| mask.truth.has(row))).collect()
}

fn run(test: &Test, column: &Column) -> Option<Vec<Option<bool>>> {
    let ready = test.on(column)?;
    let mut all = Vec::new();
    for start in (0..column.len()).step_by(CHUNK) {
        let len = CHUNK.min(column.len() - start);
        all.extend(rows_of(ready.run(start, len, &Bits::first(len)), len));
    }
    Some(all)
}

/// A column, a piece of it, and a literal out of it or beside it.
fn asked() -> impl Strategy<Value = (Type, Column, Scalar)> {
    let rows = prop_oneof![0..70_usize, Just(CHUNK - 1), Just(CHUNK + 77)];
    rows.prop_flat_map(|rows| (flat(rows), 0..=rows, any::<prop::sample::Index>(), any::<i64>()))
        .prop_map(|((kind, column), from, at, other)| {
            let column = column.slice(from, column.len() - from);
            let found = (!column.is_empty()).then(|| at.index(column.len()));
            let found = found.and_then(|row| column.value(&kind, row).to_scalar());
            let literal = match found.unwrap_or(Scalar::Null) {
                Scalar::Int(value) if other % 3 == 0 => {
                    Scalar::Float(value as f64 + (other % 7) as f64 / 4.0)
                }
                Scalar::Null => Scalar::Int(other),
                Scalar::Text(text) if other % 2 == 0 => Scalar::Text(format!("{text}!")),
                found => found,
            };
            (kind, column, literal)
        })
}

#[test]
fn what_only_others_make_is_copied_with_a_way_to_fail() {
    use arrow_schema::{DataType as D, Field, IntervalUnit, TimeUnit};
    let others = [
        D::Float16,
        D::Decimal256(50, 2),
        D::Interval(IntervalUnit::MonthDayNano),
        D::Timestamp(TimeUnit::Nanosecond, None),
        D::Time32(TimeUnit::Second),
        D::Duration(TimeUnit::Microsecond),
        D::Utf8,
        D::FixedSizeBinary(20),
    ];
    for other in others {
        let list = D::LargeList(Arc::new(Field::new("item", other.clone(), true)));
        for kind in [other, list] {
            let array = arrow_array::new_null_array(&kind, 1);
            assert!(!gather::is_plain(&kind), "{kind}");
            assert!(gather::copied(&array, &selection::Kept::of(&[0])).is_none(), "{kind}");
        }
    }
    assert!(!gather::is_plain(&D::LargeList(Arc::new(Field::new("item", D::Int8, false)))));
}

proptest! {
    #[test]
    fn a_comparison_is_what_each_row_says((kind, column, literal) in asked()) {
        for comparison in ALL {
            let Some(test) = Test::compare(&kind, comparison, &literal) else { continue };
            let Some(found) = run(&test, &column) else { continue };
            let negated = run(&test.clone().negated(), &column).unwrap();
            let len = column.len().min(CHUNK);
            let mut few = Bits::NONE;
            (0..len).step_by(37).for_each(|row| few.set(row));
            let alone = test.on(&column).unwrap().run(0, len, &few);
            for row in few.iter() {
                prop_assert_eq!(alone.known.has(row).then(|| alone.truth.has(row)), found[row]);
            }
            for (row, said) in found.iter().enumerate() {
                let value = column.value(&kind, row);
                prop_assert_eq!(negated[row], said.map(|said| !said));
                if value.is_null() {
                    prop_assert_eq!(*said, None);
                } else if let Some(order) = naive(&value, &literal) {
                    prop_assert_eq!(*said, Some(comparison.holds(order)), "{:?} {:?}", value, literal);
                }
            }
        }
    }

    #[test]
    fn every_common_type_has_kernels((kind, column, _) in asked()) {
        let literal = (0..column.len()).map(|row| column.value(&kind, row)).find(|value| !value.is_null());
        let Some(literal) = literal.and_then(|value| value.to_scalar()) else { return Ok(()) };
        let wide = matches!(kind, Type::Decimal { precision, .. } if precision > 38);
        if !wide && !matches!(kind, Type::Null | Type::Json | Type::Interval) {
            for test in [Test::compare(&kind, Comparison::Eq, &literal), Test::among(&kind, &[literal].into_iter().collect())] {
                prop_assert!(test.unwrap().on(&column).is_some(), "{kind}");
            }
        }
        let null = run(&Test::null(true), &column);
        if let Some(null) = null {
            let expected: Vec<_> = (0..column.len()).map(|row| Some(column.is_null(row))).collect();
            prop_assert_eq!(null, expected);
        }
    }

    #[test]
    fn in_is_to_be_equal_to_one((kind, column, _) in asked(), count in 1..40_usize) {
        let values = (0..column.len()).map(|row| column.value(&kind, row));
        let literals: Vec<Scalar> =
            values.filter(|value| !value.is_null()).step_by(3).take(count)
                .filter_map(|value| value.to_scalar()).collect();
        let Some(test) = Test::among(&kind, &literals.iter().cloned().collect()) else { return Ok(()) };
        let Some(found) = run(&test, &column) else { return Ok(()) };
        let equal: Vec<_> = literals.iter()
            .map(|literal| run(&Test::compare(&kind, Comparison::Eq, literal).unwrap(), &column).unwrap())
            .collect();
        for (row, said) in found.iter().enumerate() {
            let answered = literals.is_empty() || !column.is_null(row);
            let expected = answered.then(|| equal.iter().any(|rows| rows[row] == Some(true)));
            prop_assert_eq!(*said, expected);
        }
    }

    #[test]
    fn what_is_kept_is_what_take_takes(
        seed in any::<u64>(),
        dense in 0..6_u32,
        typed in (0..200_usize).prop_flat_map(column),
    ) {
        let (kind, whole) = typed;
        let from = (seed % 5) as usize;
        let column = if whole.len() > from { whole.slice(from, whole.len() - from) } else { whole };
        let mut state = seed | 1;
        let kept: Vec<bool> = (0..column.len()).map(|at| {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            match dense {
                0 => state % 16 == 0,
                1 => state % 2 == 0,
                2 => state % 64 != 0,
                3 => (at / 50) % 2 == 0,
                4 => false,
                _ => true,
            }
        }).collect();
        let selection = selection_of(&kept);
        let numbers: Vec<u32> = (0_u32..).zip(&kept).filter(|(_, kept)| **kept).map(|(row, _)| row).collect();
        // More than one, for what is small shares memory.
        let schema = Arc::new(Schema::new(vec![Field::new("x", kind); 3]));
        let batch = Batch::new(schema.clone(), vec![column.clone(); 3], kept.len());
        let taken = batch.take(&numbers).unwrap();
        prop_assert_eq!(selection.indices(), numbers.clone());
        let places = Arc::from([2, 0, 1]);
        let keep = |selection: &Selection| batch.keep(selection.clone(), &places, schema.clone()).unwrap();
        prop_assert_eq!(&keep(&selection), &taken);
        // One column is copied, and then the others.
        let one = keep(&selection);
        prop_assert_eq!(one.column(1), taken.column(1));
        prop_assert_eq!(&one, &taken);
        prop_assert!(one.source().is_none() && one.waiting().is_empty());
        // Kept again, of what is copied and of what is not.
        let again: Vec<bool> = (0..selection.count()).map(|row| row % 3 != 1).collect();
        let again = selection_of(&again);
        let expected = taken.take(&again.indices()).unwrap();
        for copied in [false, true] {
            let first = keep(&selection);
            if copied {
                first.columns();
            }
            let second = first.keep(again.clone(), &places, schema.clone()).unwrap();
            prop_assert_eq!(&second.copy().unwrap(), &expected);
            prop_assert_eq!(&second, &expected);
            prop_assert!(!second.holds(1));
        }
        let kept = selection.into_kept().unwrap();
        let plain = gather::copied(column.array(), &kept);
        prop_assert_eq!(plain.is_some(), gather::is_plain(column.array().data_type()));
        prop_assert_eq!(&column.gather(&kept).unwrap(), &taken.columns()[0]);
        let backwards: Vec<u32> = numbers.into_iter().rev().collect();
        prop_assert_eq!(batch.reorder(&backwards).unwrap(), batch.take(&backwards).unwrap());
    }

    #[test]
    fn columns_compare_as_their_rows(
        (kind, a, b, from) in (0..90_usize).prop_flat_map(|rows| (flat(rows), 0..=rows))
            .prop_map(|((kind, column), from)| {
                let backwards: Vec<u32> = (0..column.len() as u32).rev().collect();
                let other = column.gather(&selection::Kept::of(&backwards)).unwrap();
                (kind, column, other, from)
            })
    ) {
        let len = a.len() - from;
        for comparison in ALL {
            let Some(mask) = compare_columns((&kind, &a), (&kind, &b), comparison, from, len, &Bits::first(len))
            else { continue };
            for (at, said) in rows_of(mask, len).into_iter().enumerate() {
                let (x, y) = (a.value(&kind, from + at), b.value(&kind, from + at));
                if x.is_null() || y.is_null() {
                    prop_assert_eq!(said, None);
                } else if let Some(order) = y.to_scalar().and_then(|y| naive(&x, &y)) {
                    prop_assert_eq!(said, Some(comparison.holds(order)), "{:?} {:?}", x, y);
                }
            }
        }
    }

    #[test]
    fn sorting_is_a_stable_sort_of_the_values(
        (kind, column) in (0..120_usize).prop_flat_map(flat),
        second in vec(0..3_i64, 120),
        descending in any::<bool>(),
        nulls_first in any::<bool>(),
    ) {
        let second: Vec<Option<i64>> = second.into_iter().take(column.len()).map(Some).collect();
        let second = fixed(&Type::Int64, 0, &second);
        let keys = [
            SortKey { kind: &Type::Int64, column: &second, descending: true, nulls_first },
            SortKey { kind: &kind, column: &column, descending, nulls_first },
        ];
        let (Ok(by_both), Ok(by_one)) = (order(column.len(), &keys), order(column.len(), &keys[1..])) else {
            prop_assert!(matches!(kind, Type::Json | Type::Decimal { .. }), "{kind}");
            return Ok(());
        };
        let compare = |a: u32, b: u32| {
            let (a, b) = (column.value(&kind, a as usize), column.value(&kind, b as usize));
            match (a.is_null(), b.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => if nulls_first { Ordering::Less } else { Ordering::Greater },
                (false, true) => if nulls_first { Ordering::Greater } else { Ordering::Less },
                (false, false) => {
                    let order = match (&a, &b) {
                        (Value::UInt(a), Value::UInt(b)) => Some(a.cmp(b)),
                        (a, b) => b.to_scalar().and_then(|b| naive(a, &b)),
                    };
                    // Intervals have no literal to be compared with; their order is not asked here.
                    let order = order.unwrap_or(Ordering::Equal);
                    if descending { order.reverse() } else { order }
                }
            }
        };
        if kind == Type::Interval { return Ok(()); }
        let mut expected: Vec<u32> = (0..column.len() as u32).collect();
        expected.sort_by(|&a, &b| compare(a, b));
        prop_assert_eq!(&by_one, &expected);
        let group = |row: u32| match second.value(&Type::Int64, row as usize) { Value::Int(n) => -n, _ => 0 };
        expected.sort_by_key(|&row| group(row));
        prop_assert_eq!(by_both, expected);
    }

    #[test]
    fn lists_are_what_their_elements_say(
        lists in vec(proptest::option::weighted(0.8, vec(proptest::option::weighted(0.8, 0..4_i64), 0..5)), 0..300),
        from in 0..300_usize,
    ) {
        let mut builder = crate::build::ListOffsets::default();
        let mut elements = crate::build::Fixed::new(0_i64);
        for list in &lists {
            match list {
                None => builder.push_null(),
                Some(list) => {
                    for cell in list {
                        match cell {
                            Some(value) => elements.push(*value),
                            None => elements.push_null(),
                        }
                    }
                    builder.push(elements.len());
                }
            }
        }
        let from = from.min(lists.len());
        let column = builder.finish(&Type::Int64, elements.finish(&Type::Int64)).slice(from, lists.len() - from);
        let two = || Test::compare(&Type::Int64, Comparison::Eq, &Scalar::Int(2)).unwrap();
        let contains = run(&Test::list(Quantifier::Contains, two()), &column).unwrap();
        let any = run(&Test::list(Quantifier::Any, two()), &column).unwrap();
        let all = run(&Test::list(Quantifier::All, two()), &column).unwrap();
        let length = Test::length(&Type::List(Box::new(Type::Int64)), Comparison::Ge, &Scalar::Int(2));
        let length = run(&length.unwrap(), &column).unwrap();
        for (row, list) in lists[from..].iter().enumerate() {
            let two = |cell: &Option<i64>| cell.map(|value| value == 2);
            let kleene = |decided: bool| list.as_ref().and_then(|list| {
                let said: Vec<_> = list.iter().map(two).collect();
                if said.contains(&Some(decided)) { Some(decided) }
                else if said.contains(&None) { None } else { Some(!decided) }
            });
            let expected = list.as_ref().map(|list| list.contains(&Some(2)));
            prop_assert_eq!(contains[row], expected);
            prop_assert_eq!(any[row], kleene(true));
            prop_assert_eq!(all[row], kleene(false));
            prop_assert_eq!(length[row], list.as_ref().map(|list| list.len() >= 2));
        }
    }
}

#[test]
fn texts_are_tested_by_their_shape() {
    let column =
        text(&[Some("Zoë"), Some("a long text of more than thirty-two bytes"), None, Some("")]);
    let said = |test: TextTest| run(&Test::text(&Type::Text, test).unwrap(), &column).unwrap();
    let long = [Some(false), Some(true), None, Some(false)];
    assert_eq!(said(TextTest::contains("more than")), long);
    assert_eq!(said(TextTest::StartsWith("a long".into())), long);
    assert_eq!(said(TextTest::EndsWith("bytes".into())), long);
    assert_eq!(said(TextTest::Like(Box::new(Like::new("%long%by_es", false).unwrap()))), long);
    assert_eq!(said(TextTest::Holds(Arc::new(|text| text.len() > 9))), long);
    let three = Test::length(&Type::Text, Comparison::Eq, &Scalar::Int(3)).unwrap();
    assert_eq!(run(&three, &column).unwrap(), [Some(true), Some(false), None, Some(false)]);
}

#[test]
fn arithmetic_is_exact_or_an_error() {
    let numbers = |cells: &[Option<i64>]| {
        let column = fixed(&Type::Int64, 0, cells);
        Numbers::read(&column, 0, cells.len()).unwrap()
    };
    let a = numbers(&[Some(7), Some(-7), None, Some(i64::MAX)]);
    let b = numbers(&[Some(2), Some(2), Some(1), Some(0)]);
    let all = Bits::first(4);
    let apply = |operator: Arithmetic| -> Vec<Option<i64>> {
        let found = operator.apply(&a, &b, &all).unwrap();
        (0..4).map(|row| found.int_at(row)).collect()
    };
    assert_eq!(apply(Arithmetic::Quotient), [Some(3), Some(-3), None, None]);
    assert_eq!(apply(Arithmetic::Remainder), [Some(1), Some(-1), None, None]);
    assert_eq!(apply(Arithmetic::Add), [Some(9), Some(-5), None, Some(i64::MAX)]);
    let over = Arithmetic::Add.apply(&a, &Numbers::int(1, 4), &all);
    assert_eq!(over.unwrap_err(), Overflow);
    assert!(Arithmetic::Add.apply(&a, &Numbers::int(1, 4), &Bits::first(3)).is_ok(), "not asked");
    let halves = Arithmetic::Divide.apply(&a, &b, &all).unwrap();
    assert_eq!((halves.float_at(0), halves.float_at(3)), (Some(3.5), None));
    let mask = halves.compare(&Numbers::int(3, 4), Comparison::Gt);
    assert_eq!(rows_of(mask, 4), [Some(true), Some(false), None, None]);
}

#[test]
fn columns_of_columns_that_were_named_are_the_named_ones() {
    for rows in [3, CHUNK, CHUNK + 1] {
        let rows = rows as i64;
        let cells = |from: i64| (0..rows).map(|row| Some(row + from)).collect::<Vec<_>>();
        let columns = [0, 10_000, 20_000, 30_000].map(|from| fixed(&Type::Int64, 0, &cells(from)));
        let schema = |names: &[&str]| {
            let fields = names.iter().map(|name| Field::new(*name, Type::Int64));
            Arc::new(Schema::new(fields.collect()))
        };
        let whole = Batch::new(schema(&["a", "b", "c", "d"]), columns.to_vec(), rows as usize);
        let but_one =
            |out: i64| selection_of(&(0..rows - out).map(|row| row != 1).collect::<Vec<_>>());
        let three = || whole.keep(but_one(0), &[3, 0, 1].into(), schema(&["d", "a", "b"])).unwrap();
        assert_eq!(three().value(0, 1), Value::Int(30_002));
        assert_eq!(three().value(2, 0), Value::Int(10_000));
        let two = three().keep(but_one(1), &[2, 0].into(), schema(&["b", "d"])).unwrap();
        let whole_again = two.keep(but_one(2), &[0, 1].into(), schema(&["b", "d"])).unwrap();
        assert_eq!((two.value(0, 0), two.value(1, 0)), (Value::Int(10_000), Value::Int(30_000)));
        assert_eq!(whole_again.rows(), rows as usize - 3 + usize::from(rows == 3));
        assert_eq!(whole_again.value(1, 0), Value::Int(30_000));
        assert_eq!(three().reorder(&[1, 0]).unwrap().value(1, 1), Value::Int(0));
    }
}
