use arrow_array::UInt32Array;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Groups, NullKeys};
use crate::testing::{Typed, fixed, flat, text};
use crate::{Type, Value};

const FEW: usize = 8;

/// A column of which many rows are equal.
fn repeated(rows: usize) -> impl Strategy<Value = Typed> {
    (flat(FEW), vec(0..FEW as u32, rows)).prop_map(|((kind, column), rows)| {
        let column = column.take(&UInt32Array::from(rows)).unwrap();
        (kind, column)
    })
}

fn keys() -> impl Strategy<Value = Vec<Typed>> {
    (0..200_usize).prop_flat_map(|rows| vec(repeated(rows), 1..4))
}

proptest! {
    #[test]
    fn groups_are_the_rows_of_equal_keys(keys in keys(), drops in any::<bool>()) {
        let rows = keys[0].1.len();
        let named: Vec<_> = keys.iter().map(|(kind, column)| (kind, column)).collect();
        let nulls = if drops { NullKeys::Dropped } else { NullKeys::Kept };
        let groups = match Groups::by(rows, &named, nulls) {
            Ok(groups) => groups,
            Err(error) => {
                let is_odd = |(kind, _): &Typed| match kind {
                    Type::Interval | Type::Json => true,
                    Type::Decimal { precision, .. } => *precision > 38,
                    _ => false,
                };
                prop_assert!(keys.iter().any(is_odd), "{}", error);
                return Ok(());
            }
        };
        let row = |row: usize| -> Vec<Value<'_>> {
            keys.iter().map(|(kind, column)| column.value(kind, row)).collect()
        };
        let mut firsts: Vec<u32> = Vec::new();
        let mut expected = Vec::new();
        for at in 0..rows {
            let key = row(at);
            if drops && key.iter().any(Value::is_null) {
                expected.push(None);
                continue;
            }
            let known = firsts.iter().position(|&first| row(first as usize) == key);
            let group = known.unwrap_or(firsts.len());
            if known.is_none() {
                firsts.push(at as u32);
            }
            expected.push(Some(group as u32));
        }
        let none = firsts.len() as u32;
        let of_rows: Vec<u32> = expected.iter().map(|group| group.unwrap_or(none)).collect();
        prop_assert_eq!((groups.firsts(), groups.of_rows()), (&*firsts, &*of_rows));

        let (in_order, ends) = groups.rows();
        for (group, ends) in ends.windows(2).enumerate() {
            let here = &in_order[ends[0] as usize..ends[1] as usize];
            let there: Vec<u32> =
                (0..rows as u32).filter(|&row| of_rows[row as usize] == group as u32).collect();
            prop_assert_eq!(here, &*there);
        }
        prop_assert_eq!(ends.len(), groups.len() + 1);
    }
}

#[test]
fn numbers_far_apart_are_hashed() {
    let cells: Vec<_> = (0..5_000_i64).map(|n| Some((n % 1_000) * 1_000_000_007)).collect();
    let column = fixed(&Type::Int64, 0, &cells);
    let groups = Groups::by(5_000, &[(&Type::Int64, &column)], NullKeys::Kept).unwrap();
    let expected: Vec<u32> = (0..5_000).map(|n| n % 1_000).collect();
    assert_eq!((groups.len(), groups.of_rows()), (1_000, &*expected));
    let ends = fixed(&Type::Int64, 0, &[Some(i64::MIN), Some(i64::MAX), Some(i64::MIN)]);
    let groups = Groups::by(3, &[(&Type::Int64, &ends)], NullKeys::Kept).unwrap();
    assert_eq!(groups.of_rows(), [0, 1, 0]);
}

#[test]
fn many_groups_of_two_keys_are_hashed() {
    let rows = 3_000;
    let number = |n: usize| Some((n % rows) as i64);
    let (a, b): (Vec<_>, Vec<_>) = (0..2 * rows).map(|n| (number(n), number(n * 7))).unzip();
    let (a, b) = (fixed(&Type::Int64, 0, &a), fixed(&Type::Int64, 0, &b));
    let keys = [(&Type::Int64, &a), (&Type::Int64, &b)];
    let groups = Groups::by(2 * rows, &keys, NullKeys::Kept).unwrap();
    assert_eq!(groups.len(), rows);
    assert_eq!(groups.of_rows()[..rows], groups.of_rows()[rows..]);
}

#[test]
fn what_has_no_rows_has_no_groups() {
    let none = text(&[None::<&str>; 0]);
    let groups = Groups::by(0, &[(&Type::Text, &none)], NullKeys::Kept).unwrap();
    assert!(groups.is_empty());
    assert_eq!(groups.rows(), (vec![], vec![0]));
    assert_eq!(Groups::by(0, &[], NullKeys::Kept).unwrap().rows(), (vec![], vec![0, 0]));
    assert_eq!(Groups::by(3, &[], NullKeys::Kept).unwrap().of_rows(), [0, 0, 0]);
}
