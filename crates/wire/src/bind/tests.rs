use proptest::prelude::*;
use rowmill_columns::Scalar;

use super::bind;
use crate::catalogue::{Catalogue, Form, TypeInfo};
use crate::decode::{RowDecoder, Stop};
use crate::message::ColumnDescription;
use crate::statement::{Description, Prepared};
use crate::testing::{cells, row};

fn prepared(oids: &[u32]) -> Prepared {
    let catalogue = Catalogue::default();
    let info = |name: &str, form| TypeInfo { name: name.into(), form };
    catalogue.learn([
        (20_000, info("mood", Form::Enum)),
        (20_001, info("_mood", Form::Array { element: 20_000 })),
        (20_002, info("citext", Form::Other)),
        (20_003, info("_citext", Form::Array { element: 20_002 })),
    ]);
    let column = |&oid| ColumnDescription { name: "v".into(), oid, typmod: -1 };
    let columns = oids.iter().map(column).collect();
    Prepared::new(Description { parameters: oids.to_vec(), columns }, &catalogue)
}

/// What is sent of one value: `t` or `b` for the format, then the bytes; or what is wrong.
fn sent(oid: u32, value: impl Into<Scalar>) -> String {
    let mut out = Vec::new();
    match bind(&mut out, 0, 1, &prepared(&[oid]), &[value.into()], 1 << 30) {
        Ok(()) => {
            // Kind, length, no portal, `r1`, then the formats.
            let (text, rest) = match out[9..].split_first_chunk::<2>() {
                Some(([0, 0], rest)) => (true, rest),
                _ => (false, &out[13..]),
            };
            let len = i32::from_be_bytes([rest[2], rest[3], rest[4], rest[5]]);
            if len < 0 {
                return "NULL".to_owned();
            }
            let value = rest[6..6 + len as usize].escape_ascii();
            format!("{} {value}", if text { "t" } else { "b" })
        }
        Err(error) => {
            assert!(out.is_empty(), "an error leaves nothing behind");
            error.message
        }
    }
}

#[test]
fn every_kind() {
    let list = |values: Vec<Scalar>| Scalar::list(values);
    let lines = [
        sent(16, true),
        sent(21, -2_i32),
        sent(23, 7),
        sent(20, i64::MAX),
        sent(26, u32::MAX),
        sent(700, 1.5),
        sent(701, 3),
        sent(1700, 0.1),
        sent(1700, f64::NEG_INFINITY),
        sent(1700, Scalar::Decimal("-1.50".into())),
        sent(25, "Zoë"),
        sent(17, vec![0_u8, 255]),
        sent(18, "a"),
        sent(114, Scalar::Json("{}".into())),
        sent(3802, "[1]"),
        sent(3802, list(vec![1.into(), "a\"\n".into(), Scalar::Null, list(vec![true.into()])])),
        sent(2950, "00112233-4455-6677-8899-aabbccddeeff"),
        sent(1082, Scalar::Date(10_957)),
        sent(1083, Scalar::Time(1)),
        sent(1114, Scalar::Timestamp { micros: 946_684_800_000_001, utc: false }),
        sent(1184, Scalar::Timestamp { micros: 946_684_800_000_001, utc: true }),
        sent(1114, Scalar::Date(10_958)),
        sent(1186, Scalar::Interval { months: 1, days: 2, micros: 3 }),
        sent(20_000, "ok"),
        sent(869, "10.0.0.1"),
        sent(23, Scalar::Null),
        sent(1007, list(vec![1.into(), Scalar::Null])),
        sent(1007, list(vec![list(vec![1.into()]), list(vec![2.into()])])),
        sent(1007, list(vec![])),
        sent(20_001, list(vec!["ok".into()])),
        sent(20_003, list(vec![list(vec!["a\"\\".into()]), list(vec![Scalar::Null])])),
        sent(20_003, list(vec![])),
        sent(20_003, "{a}"),
        sent(1231, list(vec![Scalar::Decimal("1.5".into()), 2.into()])),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_does_not_fit() {
    let list = |values: Vec<Scalar>| Scalar::list(values);
    let naive = || Scalar::Timestamp { micros: 0, utc: false };
    let instant = || Scalar::Timestamp { micros: 0, utc: true };
    let mut deep = list(vec![]);
    for _ in 0..200 {
        deep = list(vec![deep]);
    }
    let lines = [
        sent(23, 3_000_000_000_i64),
        sent(21, Scalar::Decimal("99999999999999999999".into())),
        sent(26, -1),
        sent(23, 1.0),
        sent(23, "1"),
        sent(25, 1),
        sent(16, 1),
        sent(701, (1_i64 << 53) + 1),
        sent(700, 1e300),
        sent(701, Scalar::Decimal("0.1".into())),
        sent(1700, "1"),
        sent(25, "a\0b"),
        sent(18, "ab"),
        sent(17, "a"),
        sent(2950, "no"),
        sent(1184, naive()),
        sent(1184, Scalar::Date(1)),
        sent(1114, instant()),
        sent(1114, Scalar::Timestamp { micros: i64::MIN, utc: false }),
        sent(1114, Scalar::Date(i32::MAX)),
        sent(1082, naive()),
        sent(1082, Scalar::Date(i32::MIN)),
        sent(1083, 1),
        sent(1186, 1),
        sent(869, 1),
        sent(23, list(vec![])),
        sent(1007, 1),
        sent(1007, list(vec![1.into(), "a".into()])),
        sent(1007, list(vec![list(vec![1.into()]), 2.into()])),
        sent(1007, list(vec![1.into(), list(vec![2.into()])])),
        sent(1007, list(vec![list(vec![1.into()]), list(vec![])])),
        sent(1007, list(vec![list(vec![])])),
        sent(1007, deep.clone()),
        sent(3802, deep),
        sent(3802, list(vec![f64::NAN.into()])),
        sent(3802, 1),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_wrong_number_of_parameters() {
    let error = |given: &[Scalar]| {
        bind(&mut Vec::new(), 0, 1, &prepared(&[23, 25]), given, 1 << 30).unwrap_err().to_string()
    };
    assert_eq!(
        error(&[1.into()]),
        "parameter $2 (text): the statement wants 2 parameters, 1 was given"
    );
    assert_eq!(
        error(&[Scalar::Null, Scalar::Null, Scalar::Null]),
        "parameter $3: the statement wants 2 parameters, 3 were given"
    );
    let long = Scalar::from("x".repeat(100));
    let error = bind(&mut Vec::new(), 0, 1, &prepared(&[25]), &[long], 99).unwrap_err();
    assert_eq!(error.message, "with it the message would be 119 bytes long");
}

/// Sends a value and reads it back as a column of the same type.
fn round_trip(oid: u32, value: &Scalar) -> String {
    let prepared = prepared(&[oid]);
    let mut out = Vec::new();
    let bound = bind(&mut out, 0, 1, &prepared, std::slice::from_ref(value), 1 << 30);
    bound.unwrap_or_else(|error| panic!("{value:?}: {error}"));
    // Kind, length, no portal, `r1`, one format, one parameter, its length; then the formats.
    let cell = &out[19..out.len() - 4];
    let mut decoder = RowDecoder::new(&prepared, usize::MAX, usize::MAX);
    let taken = decoder.take(&row(&[Some(cell)]), 1 << 30, &prepared).unwrap();
    assert!(matches!(taken.stop, Stop::Incomplete), "{taken:?}");
    cells(&decoder.finish_last(&prepared).unwrap()).concat().concat()
}

proptest! {
    #[test]
    fn integers_come_back(value: i64) {
        prop_assert_eq!(round_trip(20, &value.into()), value.to_string());
    }

    #[test]
    fn floats_come_back(value: f64) {
        let back: f64 = round_trip(701, &value.into()).parse().unwrap();
        prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
    }

    #[test]
    fn text_comes_back(value in "[^\0]*") {
        prop_assert_eq!(round_trip(25, &value.clone().into()), value);
    }

    #[test]
    fn lists_come_back(values in proptest::collection::vec(any::<i32>(), 0..9)) {
        let list = Scalar::List(values.iter().map(|&value| value.into()).collect());
        prop_assert_eq!(round_trip(1007, &list), format!("{values:?}"));
    }

    #[test]
    fn packed_integers_are_sent_as_scalars_are(
        values in proptest::collection::vec(any::<i64>().prop_map(|value| value >> (value & 63)), 0..9),
        oid in proptest::sample::select(vec![1005_u32, 1007, 1016, 1022, 1231, 1009, 1028, 3802, 20]),
    ) {
        let spelled = Scalar::list(values.clone());
        prop_assert_eq!(sent(oid, Scalar::List(values.into())), sent(oid, spelled));
    }

    #[test]
    fn squares_come_back(values in proptest::collection::vec(any::<[i64; 3]>(), 1..5)) {
        let inner = |row: &[i64; 3]| Scalar::list(*row);
        let list = Scalar::List(values.iter().map(inner).collect());
        prop_assert_eq!(round_trip(1016, &list), format!("{values:?}"));
    }
}
