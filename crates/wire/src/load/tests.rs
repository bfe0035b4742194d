use proptest::prelude::*;
use rowmill_columns::build::{Bits, Bytes, Fixed};
use rowmill_columns::{Column, Type};

use super::cells::Cells;
use super::message;
use crate::catalogue::Shape;
use crate::oid::Kind;
use crate::statement::ParameterType;

type Cell = (i64, String);

fn target(kind: Kind) -> ParameterType {
    ParameterType { name: format!("{kind:?}"), shape: Shape::Scalar(kind) }
}

/// A column of each common type and where it goes, out of the same cells.
fn columns(cells: &[Option<Cell>]) -> Vec<(Column, Type, Kind)> {
    macro_rules! fixed {
        ($zero:expr, $kind:expr, $value:expr) => {{
            let mut values = Fixed::new($zero);
            for cell in cells {
                match cell {
                    Some(cell) => values.push($value(cell)),
                    None => values.push_null(),
                }
            }
            values.finish(&$kind)
        }};
    }
    fn bytes(mut values: Bytes, cells: &[Option<Cell>], value: impl Fn(&str) -> Vec<u8>) -> Column {
        for cell in cells {
            match cell {
                Some((_, text)) => values.push(&value(text)),
                None => values.push_null(),
            }
        }
        values.finish().unwrap()
    }
    let mut bools = Bits::default();
    for cell in cells {
        match cell {
            Some((number, _)) => bools.push(number % 2 == 0),
            None => bools.push_null(),
        }
    }
    let int64 = || fixed!(0_i64, Type::Int64, |cell: &Cell| cell.0);
    let timestamps = |utc| fixed!(0_i64, Type::Timestamp { utc }, |cell: &Cell| cell.0);
    let text = || bytes(Bytes::text(), cells, |text| text.into());
    vec![
        (bools.finish(), Type::Bool, Kind::Bool),
        (fixed!(0_i16, Type::Int16, |cell: &Cell| cell.0 as i16), Type::Int16, Kind::Int2),
        (fixed!(0_i32, Type::Int32, |cell: &Cell| cell.0 as i32), Type::Int32, Kind::Int4),
        (fixed!(0_i32, Type::Int32, |cell: &Cell| cell.0 as i32), Type::Int32, Kind::Int8),
        (int64(), Type::Int64, Kind::Int8),
        (int64(), Type::Int64, Kind::Int4),
        (int64(), Type::Int64, Kind::Int2),
        (int64(), Type::Int64, Kind::Numeric),
        (int64(), Type::Int64, Kind::Text),
        (fixed!(0_f32, Type::Float32, |cell: &Cell| cell.0 as f32), Type::Float32, Kind::Float4),
        (fixed!(0_f64, Type::Float64, |cell: &Cell| cell.0 as f64), Type::Float64, Kind::Float8),
        (fixed!(0_i128, Type::Uuid, |cell: &Cell| i128::from(cell.0)), Type::Uuid, Kind::Uuid),
        (fixed!(0_i32, Type::Date, |cell: &Cell| cell.0 as i32), Type::Date, Kind::Date),
        (fixed!(0_i64, Type::Time, |cell: &Cell| cell.0), Type::Time, Kind::Time),
        (timestamps(false), Type::Timestamp { utc: false }, Kind::Timestamp),
        (timestamps(true), Type::Timestamp { utc: true }, Kind::Timestamptz),
        (timestamps(true), Type::Timestamp { utc: true }, Kind::Timestamp),
        (text(), Type::Text, Kind::Text),
        (text(), Type::Text, Kind::Jsonb),
        (text(), Type::Json, Kind::Json),
        (text(), Type::Json, Kind::Jsonb),
        (bytes(Bytes::binary(), cells, |text| text.into()), Type::Bytes, Kind::Bytea),
    ]
}

/// Its length would not fit into its message's head, and what follows be taken for messages.
#[test]
fn a_row_longer_than_a_message_can_be_is_refused() {
    let mut values = Bytes::binary();
    values.push_with(|out| out.resize(out.len() + (360 << 20), 0));
    values.push(b"short");
    let column = values.finish().unwrap();
    let (kind, target) = (Type::Bytes, target(Kind::Bytea));
    let mut out = Vec::new();
    let mut thrice = [0; 3].map(|_| Cells::new(&column, &kind, &target));
    let unfit = message(&mut out, &mut thrice, 0..2, 1 << 10).unwrap_err();
    assert!(unfit.row == 0 && unfit.message.contains("1 GiB"), "{unfit:?}");
    assert_eq!(message(&mut out, &mut thrice, 1..2, 1 << 10).unwrap(), 2);
}

fn some_cells() -> impl Strategy<Value = Vec<Option<Cell>>> {
    let number = prop_oneof![
        4 => -1000..1000_i64,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MAX, i64::from(i32::MIN)]),
    ];
    let text = prop_oneof![20 => "[a-zé]{0,40}", 1 => "[a\0]{1,3}"];
    let cell = prop_oneof![9 => (number, text).prop_map(Some), 1 => Just(None)];
    prop_oneof![prop::collection::vec(cell.clone(), 0..20), prop::collection::vec(cell, 250..530)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_form_writes_what_the_general_one_does(
        rows in some_cells(),
        from in any::<prop::sample::Index>(),
        most in 1..20_000_usize,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
    ) {
        let columns = columns(&rows);
        let targets: Vec<_> = columns.iter().map(|(_, _, kind)| target(*kind)).collect();
        // Each alone, so that no other column's refusal hides what it does; then some together.
        let mut choices: Vec<Vec<usize>> = (0..columns.len()).map(|at| vec![at]).collect();
        choices.push(picks.iter().map(|pick| pick.index(columns.len())).collect());
        for chosen in choices {
            let make = |is_general: bool| {
                let cell = |&at: &usize| {
                    let (column, kind, target) = (&columns[at].0, &columns[at].1, &targets[at]);
                    if is_general {
                        Cells::general(column, kind, target)
                    } else {
                        Cells::new(column, kind, target)
                    }
                };
                let (mut out, mut from) = (vec![7], from.index(rows.len() + 1));
                let mut cells: Vec<_> = chosen.iter().map(cell).collect();
                loop {
                    let next = message(&mut out, &mut cells, from..rows.len(), most);
                    match next {
                        Ok(next) if next < rows.len() => from = next,
                        Ok(next) => return Ok((out, next)),
                        // What was written before it depends on how far the form looks ahead.
                        Err(unfit) => return Err(unfit),
                    }
                }
            };
            prop_assert_eq!(make(false), make(true), "{:?}", chosen);
        }
    }
}
