#![expect(clippy::float_cmp, reason = "the same sums in the same order")]

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::Aggregate;
use crate::kernels::{Groups, NullKeys, compare_floats};
use crate::testing::{fixed, text};
use crate::{Column, Type, Value};

/// What a group comes to, said naively: the values that are not NULL with the numbers of their rows.
fn naive(what: Aggregate, cells: &[(usize, f64)]) -> Option<f64> {
    let values = || cells.iter().map(|(_, value)| *value);
    let ordered = || {
        let mut ordered: Vec<f64> = values().collect();
        ordered.sort_by(|a, b| compare_floats(*a, *b));
        ordered
    };
    let count = cells.len() as f64;
    let mean = || values().fold(0.0, |sum, value| sum + value) / count;
    let variance = || {
        let mean = mean();
        let squares = values().fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
        (cells.len() > 1).then(|| squares / (count - 1.0))
    };
    let row_of = |value: f64| {
        let same = |(_, other): &&(usize, f64)| compare_floats(*other, value).is_eq();
        cells.iter().find(same).map(|(row, _)| *row as f64)
    };
    match what {
        Aggregate::Count => Some(count),
        Aggregate::Sum => (!cells.is_empty()).then(|| values().fold(0.0, |sum, value| sum + value)),
        Aggregate::Mean => (!cells.is_empty()).then(mean),
        Aggregate::Min => ordered().first().copied(),
        Aggregate::Max => ordered().last().copied(),
        Aggregate::First => values().next(),
        Aggregate::Last => values().next_back(),
        Aggregate::IndexMin => ordered().first().and_then(|&least| row_of(least)),
        Aggregate::IndexMax => ordered().last().and_then(|&most| row_of(most)),
        Aggregate::Variance => variance(),
        Aggregate::Deviation => variance().map(f64::sqrt),
        Aggregate::Quantile(part) => {
            let ordered = ordered();
            let place = ordered.len().checked_sub(1)? as f64 * part;
            let (low, high) = (ordered[place.floor() as usize], ordered[place.ceil() as usize]);
            Some(if place.fract() == 0.0 { low } else { low + (high - low) * place.fract() })
        }
        Aggregate::Distinct => {
            let mut ordered = ordered();
            ordered.dedup_by(|a, b| compare_floats(*a, *b).is_eq());
            Some(ordered.len() as f64)
        }
        Aggregate::Any | Aggregate::All | Aggregate::List => unreachable!("not of numbers"),
    }
}

const OF_NUMBERS: [Aggregate; 14] = [
    Aggregate::Count,
    Aggregate::Sum,
    Aggregate::Mean,
    Aggregate::Min,
    Aggregate::Max,
    Aggregate::First,
    Aggregate::Last,
    Aggregate::IndexMin,
    Aggregate::IndexMax,
    Aggregate::Variance,
    Aggregate::Deviation,
    Aggregate::Quantile(0.5),
    Aggregate::Quantile(0.9),
    Aggregate::Distinct,
];

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Null => None,
        Value::Int(value) => Some(*value as f64),
        Value::UInt(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Float32(value) => Some((*value).into()),
        other => panic!("{other:?} is no number"),
    }
}

fn check(keys: &[i64], kind: &Type, column: &Column) {
    let teams = fixed(&Type::Int64, 0, &keys.iter().copied().map(Some).collect::<Vec<_>>());
    let groups = Groups::by(keys.len(), &[(&Type::Int64, &teams)], NullKeys::Kept).unwrap();
    for what in OF_NUMBERS {
        let (of, found) = groups.aggregate(what, kind, column).unwrap();
        assert_eq!(found.len(), groups.len());
        for group in 0..groups.len() {
            let mut cells = Vec::new();
            for row in (0..keys.len()).filter(|&row| groups.of_rows()[row] == group as u32) {
                cells.extend(number(&column.value(kind, row)).map(|value| (row, value)));
            }
            let (found, expected) = (number(&found.value(&of, group)), naive(what, &cells));
            let same = match (found, expected) {
                (Some(a), Some(b)) => a == b || a.is_nan() && b.is_nan(),
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(same, "{what:?} of {cells:?}: {found:?}, not {expected:?}");
        }
    }
}

proptest! {
    #[test]
    fn whole_numbers(rows in vec((0..5_i64, weighted(0.7, -4..4_i64)), 0..100)) {
        let (keys, cells): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        check(&keys, &Type::Int64, &fixed(&Type::Int64, 0, &cells));
        let small: Vec<_> = cells.iter().map(|cell| cell.map(|cell| cell as i8)).collect();
        check(&keys, &Type::Int8, &fixed(&Type::Int8, 0, &small));
        let large: Vec<_> = cells.iter().map(|cell| cell.map(|cell| (cell + 4) as u64)).collect();
        check(&keys, &Type::UInt64, &fixed(&Type::UInt64, 0, &large));
    }

    #[test]
    fn floats(rows in vec((0..5_i64, weighted(0.7, prop_oneof![
        Just(f64::NAN), Just(-0.0), Just(0.0), Just(1.5), Just(-2.25), Just(f64::INFINITY),
    ])), 0..100)) {
        let (keys, cells): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        check(&keys, &Type::Float64, &fixed(&Type::Float64, f64::NAN, &cells));
        let small: Vec<_> = cells.iter().map(|cell| cell.map(|cell| cell as f32)).collect();
        check(&keys, &Type::Float32, &fixed(&Type::Float32, f32::NAN, &small));
    }
}

fn one_group(rows: usize) -> Groups {
    Groups::by(rows, &[], NullKeys::Kept).unwrap()
}

#[test]
fn texts_have_a_least_and_a_first_and_lists() {
    let names = text(&[None, Some("Zoë"), Some("Ada"), Some("Zoë")]);
    let groups = one_group(4);
    let of = |what| {
        let (kind, column) = groups.aggregate(what, &Type::Text, &names).unwrap();
        format!("{:?}", column.value(&kind, 0))
    };
    assert_eq!(of(Aggregate::Min), r#"Text("Ada")"#);
    assert_eq!(of(Aggregate::Max), r#"Text("Zoë")"#);
    assert_eq!(of(Aggregate::First), r#"Text("Zoë")"#);
    assert_eq!(of(Aggregate::IndexMin), "Int(2)");
    assert_eq!(of(Aggregate::Distinct), "Int(2)");
    assert_eq!(of(Aggregate::Count), "Int(3)");
    let (kind, lists) = groups.aggregate(Aggregate::List, &Type::Text, &names).unwrap();
    assert_eq!(kind, Type::List(Box::new(Type::Text)));
    let Value::List(list) = lists.value(&kind, 0) else { panic!("no list") };
    assert_eq!((list.len(), list.get(0), list.get(2)), (4, Value::Null, Value::Text("Ada")));
}

#[test]
fn truth() {
    let mut flags = crate::build::Bits::default();
    for flag in [true, false] {
        flags.push(flag);
    }
    flags.push_null();
    let flags = flags.finish();
    let keys = fixed(&Type::Int64, 0, &[Some(1_i64), Some(1), Some(2)]);
    let groups = Groups::by(3, &[(&Type::Int64, &keys)], NullKeys::Kept).unwrap();
    let of = |what| {
        let (kind, column) = groups.aggregate(what, &Type::Bool, &flags).unwrap();
        [0, 1].map(|group| match column.value(&kind, group) {
            Value::Bool(value) => Some(value),
            _ => None,
        })
    };
    assert_eq!(of(Aggregate::Any), [Some(true), None]);
    assert_eq!(of(Aggregate::All), [Some(false), None]);
}

#[test]
fn a_sum_beyond_its_type_is_an_error() {
    let most = fixed(&Type::Int64, 0, &[Some(i64::MAX), Some(1)]);
    let error = one_group(2).aggregate(Aggregate::Sum, &Type::Int64, &most).unwrap_err();
    assert!(error.to_string().contains("beyond 64 bits"), "{error}");
    let names = text(&[Some("Ada")]);
    let error = one_group(1).aggregate(Aggregate::Sum, &Type::Text, &names).unwrap_err();
    assert_eq!(error.to_string(), "values of type text have no sum");
    let error = one_group(1).aggregate(Aggregate::Quantile(1.5), &Type::Int64, &most.slice(0, 1));
    assert_eq!(error.unwrap_err().to_string(), "a quantile is from 0 to 1, not 1.5");
}

#[test]
fn only_sums_themselves_have_bounds() {
    let keys = fixed(&Type::Int64, 0, &[Some(1_i64), Some(1), Some(1), None, None]);
    let groups = Groups::by(5, &[(&Type::Int64, &keys)], NullKeys::Dropped).unwrap();
    let most = i64::MAX;
    let cells = [most, 1, -1, most, most].map(Some);
    let cells = fixed(&Type::Int64, 0, &cells);
    let of = |what| {
        let (kind, column) = groups.aggregate(what, &Type::Int64, &cells).unwrap();
        format!("{:?}", column.value(&kind, 0))
    };
    assert_eq!(of(Aggregate::Sum), format!("Int({most})"), "on the way it was more");
    let cells = fixed(&Type::Int64, 0, &[1_i64 << 62, 1, -1 << 62].map(Some));
    let (kind, means) = one_group(3).aggregate(Aggregate::Mean, &Type::Int64, &cells).unwrap();
    assert_eq!(number(&means.value(&kind, 0)), Some(1.0 / 3.0));
}

#[test]
fn decimals_have_exact_sums() {
    let kind = Type::Decimal { precision: 38, scale: 2 };
    let cells = |cells: Vec<Option<i128>>| {
        let cells = arrow_array::Decimal128Array::from(cells);
        let cells = cells.with_precision_and_scale(38, 2).unwrap();
        Column::from_array(std::sync::Arc::new(cells))
    };
    let sum = |of: Vec<Option<i128>>| {
        let of = cells(of);
        let found = one_group(of.len()).aggregate(Aggregate::Sum, &kind, &of);
        found.map(|(kind, sums)| format!("{:?}", sums.value(&kind, 0)))
    };
    assert_eq!(sum(vec![Some(150), None, Some(-25)]).unwrap(), sum(vec![Some(125)]).unwrap());
    assert_eq!(sum(vec![None]).unwrap(), "Null");
    let most = 10_i128.pow(38) - 1;
    assert!(sum(vec![Some(most), Some(1)]).unwrap_err().to_string().contains("38 digits"));
    assert!(sum(vec![Some(most), Some(1), Some(-1)]).is_ok());
}

#[test]
fn nothing_but_null_has_a_sum_of_null() {
    let nothing = Column::nulls(&Type::Null, 2);
    for what in [Aggregate::Sum, Aggregate::Mean, Aggregate::Min] {
        let (kind, column) = one_group(2).aggregate(what, &Type::Null, &nothing).unwrap();
        assert_eq!(column.value(&kind, 0), Value::Null, "{what:?}");
    }
}

#[test]
fn no_rows_have_no_sum() {
    let none = fixed(&Type::Int64, 0, &[None::<i64>; 0]);
    assert!(none.array().nulls().is_none(), "nothing says that a value is missing");
    let (kind, sums) = one_group(0).aggregate(Aggregate::Sum, &Type::Int64, &none).unwrap();
    assert_eq!((sums.len(), sums.value(&kind, 0)), (1, Value::Null));
}

#[test]
fn rows_in_no_group_are_in_no_aggregate() {
    let keys = fixed(&Type::Int64, 0, &[None, Some(1_i64), None]);
    let groups = Groups::by(3, &[(&Type::Int64, &keys)], NullKeys::Dropped).unwrap();
    let cells = fixed(&Type::Int64, 0, &[Some(5_i64), Some(6), Some(7)]);
    for what in OF_NUMBERS {
        let (kind, column) = groups.aggregate(what, &Type::Int64, &cells).unwrap();
        assert_eq!(column.len(), 1, "{what:?}");
        assert_eq!(number(&column.value(&kind, 0)), naive(what, &[(1, 6.0)]), "{what:?}");
    }
    let (kind, lists) = groups.aggregate(Aggregate::List, &Type::Int64, &cells).unwrap();
    let Value::List(list) = lists.value(&kind, 0) else { panic!("no list") };
    assert_eq!((list.len(), list.get(0)), (1, Value::Int(6)));
}
