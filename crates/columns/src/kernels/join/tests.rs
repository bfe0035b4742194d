use arrow_array::UInt32Array;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

use super::{Join, Partners};
use crate::kernels::Keep;
use crate::testing::{Typed, fixed, flat};
use crate::{Batch, Column, ColumnError, Field, Schema, Type, Value};

const FEW: usize = 8;

/// Two columns of one type, whose values are drawn from the same few.
fn sides() -> impl Strategy<Value = (Type, Column, Column)> {
    let rows = || vec(0..FEW as u32, 0..40);
    (flat(FEW), rows(), rows()).prop_map(|((kind, column), left, right)| {
        let take = |rows: Vec<u32>| column.take(&UInt32Array::from(rows)).unwrap();
        let (left, right) = (take(left), take(right));
        (kind, left, right)
    })
}

fn numbered(key: &Typed, from: i64) -> Batch {
    let rows = key.1.len();
    let numbers: Vec<_> = (from..).take(rows).map(Some).collect();
    let fields = vec![Field::new("key", key.0.clone()), Field::new("row", Type::Int64)];
    let columns = vec![key.1.clone(), fixed(&Type::Int64, 0_i64, &numbers)];
    Batch::new(Arc::new(Schema::new(fields)), columns, rows)
}

fn numbers(batch: &Batch, column: usize) -> Vec<Option<i64>> {
    let number = |row| match batch.value(column, row) {
        Value::Int(number) => Some(number),
        _ => None,
    };
    (0..batch.rows()).map(number).collect()
}

/// Whether values of such a type cannot be told apart.
fn refused(kind: &Type, error: &ColumnError) -> Result<(), TestCaseError> {
    let is_odd = match kind {
        Type::Interval | Type::Json => true,
        Type::Decimal { precision, .. } => *precision > 38,
        _ => false,
    };
    prop_assert!(is_odd, "{}: {}", kind, error);
    let said = format!("column \"key\": values of type {kind} cannot be grouped");
    prop_assert_eq!(error.to_string(), said);
    Ok(())
}

proptest! {
    #[test]
    fn joined_are_the_rows_of_equal_keys((kind, left, right) in sides()) {
        let (left, right) = (numbered(&(kind.clone(), left), 0), numbered(&(kind.clone(), right), 0));
        let both = Arc::new(Schema::new(vec![
            Field::new("key", kind.clone()), Field::new("row", Type::Int64), Field::new("other", Type::Int64),
        ]));
        let inner = match left.join(&right, &[(0, 0)], Join::Inner, &both, &[1]) {
            Ok(inner) => inner,
            Err(error) => return refused(&kind, &error),
        };
        let partners = |row: usize| -> Vec<Option<i64>> {
            let key = left.value(0, row);
            let equal = |&at: &usize| !key.is_null() && right.value(0, at) == key;
            (0..right.rows()).filter(equal).map(|at| Some(at as i64)).collect()
        };
        let (mut inners, mut lefts) = (Vec::new(), Vec::new());
        let (mut semis, mut antis) = (Vec::new(), Vec::new());
        for row in 0..left.rows() {
            let number = Some(row as i64);
            let found = partners(row);
            if found.is_empty() { antis.push(number) } else { semis.push(number) }
            inners.extend(found.iter().map(|&other| (number, other)));
            let padded = if found.is_empty() { vec![None] } else { found };
            lefts.extend(padded.into_iter().map(|other| (number, other)));
        }
        let pairs = |batch: &Batch| -> Vec<_> {
            numbers(batch, 1).into_iter().zip(numbers(batch, 2)).collect()
        };
        prop_assert_eq!(pairs(&inner), inners);
        let padded = left.join(&right, &[(0, 0)], Join::Left, &both, &[1]).unwrap();
        prop_assert_eq!(pairs(&padded), lefts);
        for row in 0..padded.rows() {
            let Some(number) = numbers(&padded, 1)[row] else { unreachable!() };
            prop_assert_eq!(padded.value(0, row), left.value(0, number as usize));
        }
        for (join, expected) in [(Join::Semi, semis), (Join::Anti, antis)] {
            let found = left.join(&right, &[(0, 0)], join, left.schema(), &[]).unwrap();
            prop_assert_eq!(numbers(&found, 1), expected);
        }
    }

    #[test]
    fn unique_rows_are_those_that_no_other_is_equal_to((kind, column, _) in sides()) {
        let batch = numbered(&(kind.clone(), column), 0);
        let firsts = match batch.unique(&[0], Keep::First) {
            Ok(firsts) => firsts,
            Err(error) => return refused(&kind, &error),
        };
        let rows = || 0..batch.rows();
        let is_same = |a: usize, b: usize| batch.value(0, a) == batch.value(0, b);
        let expected = |keep: Keep| -> Vec<Option<i64>> {
            let is_kept = |&row: &usize| !rows().any(|other| is_same(row, other) && match keep {
                Keep::First => other < row,
                Keep::Last => other > row,
                Keep::Alone => other != row,
            });
            rows().filter(is_kept).map(|row| Some(row as i64)).collect()
        };
        prop_assert_eq!(numbers(&firsts, 1), expected(Keep::First));
        for keep in [Keep::Last, Keep::Alone] {
            prop_assert_eq!(numbers(&batch.unique(&[0], keep).unwrap(), 1), expected(keep));
        }
        prop_assert_eq!(batch.unique(&[0, 1], Keep::Alone).unwrap(), batch);
    }
}

#[test]
fn keys_of_different_types_are_refused_but_integers_of_different_widths() {
    let side = |kind: Type, column: Column| {
        let rows = column.len();
        Batch::new(Arc::new(Schema::new(vec![Field::new("id", kind)])), vec![column], rows)
    };
    let large = fixed(&Type::Int64, 0_i64, &[Some(1 << 40), Some(7), None, Some(-1)]);
    let small = fixed(&Type::Int16, 0_i16, &[Some(-1), Some(7), None]);
    let (large, small) = (side(Type::Int64, large), side(Type::Int16, small));
    let found = large.join(&small, &[(0, 0)], Join::Semi, large.schema(), &[]).unwrap();
    assert_eq!(numbers(&found, 0), [Some(7), Some(-1)]);
    let text = side(Type::Text, Column::empty(&Type::Text));
    let said = large.join(&text, &[(0, 0)], Join::Semi, large.schema(), &[]).unwrap_err();
    assert_eq!(
        said.to_string(),
        "the key \"id\" is int64, and \"id\" on the other side text, which are not compared"
    );
}

#[test]
fn rows_beyond_32_bits_are_refused_before_they_are_made() {
    let many = 70_000;
    let same = fixed(&Type::Int64, 0_i64, &vec![Some(1_i64); 2 * many]);
    let partners = Partners::by(&[("id".into(), Type::Int64, same)], many).unwrap();
    let said = partners.pairs(false).map(|_| ()).unwrap_err().to_string();
    assert!(
        said.starts_with("the join would have 4900000000 rows, more than 32 bits count"),
        "{said}"
    );
}
