use proptest::prelude::*;
use rowmill_columns::Batch;

use super::RowDecoder;
use crate::catalogue::{Catalogue, Form, TypeInfo};
use crate::message::ColumnDescription;
use crate::statement::{Description, Prepared};
use crate::testing::{cells, row};

/// A statement of one column `v` of this type.
fn prepared(oid: u32, typmod: i32) -> Prepared {
    let catalogue = Catalogue::default();
    let info = |name: &str, form| TypeInfo { name: name.into(), form };
    catalogue.learn([
        (20_000, info("mood", Form::Enum)),
        (20_001, info("_mood", Form::Array { element: 20_000 })),
        (20_002, info("amount", Form::Domain { base: 1700, typmod: modifier(10, 2) })),
        (20_003, info("_amount", Form::Array { element: 20_002 })),
        (20_004, info("citext", Form::Other)),
        (20_005, info("deep", Form::Domain { base: 20_002, typmod: -1 })),
    ]);
    let column = ColumnDescription { name: "v".into(), oid, typmod };
    Prepared::new(Description { parameters: Vec::new(), columns: vec![column] }, &catalogue)
}

fn modifier(precision: i32, scale: i32) -> i32 {
    ((precision << 16) | (scale & 0x7ff)) + 4
}

fn decode_with(prepared: &Prepared, values: &[Option<&[u8]>]) -> Result<Batch, String> {
    let mut decoder = RowDecoder::new(prepared, usize::MAX, usize::MAX);
    let bytes: Vec<u8> = values.iter().flat_map(|value| row(&[*value])).collect();
    let taken = decoder.take(&bytes, 1 << 30, prepared).map_err(|error| error.to_string())?;
    match taken.stop {
        super::Stop::Value(error) => Err(error.to_string()),
        _ => {
            assert_eq!(taken.bytes, bytes.len());
            decoder.finish_last(prepared).map_err(|error| error.to_string())
        }
    }
}

/// The type and the values of the column, or what is wrong with it.
fn decode(oid: u32, typmod: i32, values: &[Option<&[u8]>]) -> Result<String, String> {
    let prepared = prepared(oid, typmod);
    if prepared.is_plain {
        for value in values {
            a_row_is_what_its_batch_is(&prepared, *value);
        }
    }
    let batch = decode_with(&prepared, values)?;
    Ok(format!("{}: {}", batch.schema().fields[0].kind, cells(&batch).concat().join(", ")))
}

/// A row without columns holds, or is refused for, the very same.
fn a_row_is_what_its_batch_is(prepared: &Prepared, value: Option<&[u8]>) {
    let alone = super::first_row(&row(&[value])[5..], prepared);
    let alone = alone.map_err(|error| error.to_string()).and_then(|row| {
        row.map(|row| (row.len(), format!("{:?}", row.value(0).unwrap())))
            .map_err(|error| error.to_string())
    });
    let batch = decode_with(prepared, &[value]);
    assert_eq!(alone, batch.map(|batch| (1, format!("{:?}", batch.value(0, 0)))));
}

fn one(oid: u32, value: &[u8]) -> String {
    decode(oid, -1, &[Some(value), None]).unwrap_or_else(|error| error)
}

fn numeric(groups: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
    let mut out = (groups.len() as u16).to_be_bytes().to_vec();
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
    out.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
    out
}

fn array(oid: u32, lengths: &[i32], elements: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = (lengths.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&oid.to_be_bytes());
    for length in lengths {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&5_i32.to_be_bytes());
    }
    // The cells of a row and the elements of an array are written alike.
    out.extend_from_slice(&row(elements)[7..]);
    out
}

#[test]
fn fixed_widths() {
    assert_eq!(one(16, &[1]), "bool: true, null");
    assert_eq!(one(21, &i16::MIN.to_be_bytes()), "int16: -32768, null");
    assert_eq!(one(23, &i32::MIN.to_be_bytes()), "int32: -2147483648, null");
    assert_eq!(one(20, &i64::MAX.to_be_bytes()), "int64: 9223372036854775807, null");
    assert_eq!(one(26, &[0xff; 4]), "uint32: 4294967295, null");
    assert_eq!(one(700, &1.5_f32.to_be_bytes()), "float32: 1.5, null");
    assert_eq!(one(701, &f64::NEG_INFINITY.to_be_bytes()), "float64: -Infinity, null");
    let uuid: Vec<u8> = (0..16).rev().collect();
    assert_eq!(one(2950, &uuid), "uuid: 0f0e0d0c-0b0a-0908-0706-050403020100, null");
}

#[test]
fn text_and_bytes() {
    assert_eq!(one(25, "Zoë".as_bytes()), "text: Zoë, null");
    assert_eq!(one(17, &[0, 0xff]), "bytes: \\x00ff, null");
    assert_eq!(one(114, b"{\"a\":  1}"), "json: {\"a\":  1}, null");
    assert_eq!(one(3802, b"\x01[1]"), "json: [1], null");
    assert!(one(3802, b"\x02[1]").contains("a jsonb that is not of version 1"));
    assert_eq!(one(18, b"a"), "text: a, null");
    assert_eq!(one(18, b"\0"), "text: , null");
    assert_eq!(one(18, b"\xc3"), "text: \\303, null");
    assert_eq!(one(2278, b""), "text: null, null");
    assert_eq!(one(20_000, b"happy"), "enum: happy, null");
    assert_eq!(one(20_004, b"Ab"), "text: Ab, null");
    assert_eq!(one(142, b"<a/>"), "text: <a/>, null");
    let broken = decode(25, -1, &[Some(b"a"), Some(b"\xff")]).unwrap_err();
    assert!(broken.starts_with("column \"v\" (text), row 1: text that is not UTF-8"), "{broken}");
}

#[test]
fn dates_and_times() {
    assert_eq!(one(1082, &0_i32.to_be_bytes()), "date: 2000-01-01, null");
    assert_eq!(one(1083, &86_399_999_999_i64.to_be_bytes()), "time: 23:59:59.999999, null");
    assert_eq!(one(1114, &(-1_i64).to_be_bytes()), "timestamp: 1999-12-31 23:59:59.999999, null");
    assert_eq!(one(1184, &0_i64.to_be_bytes()), "timestamp[utc]: 2000-01-01 00:00:00+00, null");
    let interval = [&(-1_i64).to_be_bytes()[..], &2_i32.to_be_bytes(), &14_i32.to_be_bytes()];
    assert_eq!(
        one(1186, &interval.concat()),
        "interval: 1 year 2 mons 2 days -00:00:00.000001, null"
    );
    for (oid, value, what) in [
        (1082, i32::MAX.to_be_bytes().to_vec(), "an infinite date"),
        (1082, i32::MIN.to_be_bytes().to_vec(), "an infinite date"),
        (1114, i64::MIN.to_be_bytes().to_vec(), "an infinite timestamp"),
        (1184, i64::MAX.to_be_bytes().to_vec(), "an infinite timestamp"),
        (1184, (i64::MAX - 1).to_be_bytes().to_vec(), "a timestamp after 294247-01-10"),
        (1083, 86_400_000_000_i64.to_be_bytes().to_vec(), "the time 24:00:00"),
        (1186, [i64::MAX.to_be_bytes(), [0xff; 8]].concat(), "an infinite interval"),
        (1186, [(i64::MAX / 999).to_be_bytes(), [0; 8]].concat(), "more than 292 years"),
    ] {
        let error = one(oid, &value);
        assert!(error.contains(what) && error.ends_with("\"v\"::text"), "{error}");
    }
}

#[test]
fn numerics() {
    let value = numeric(&[12, 3400], 0, 0, 2);
    let decoded = |typmod| decode(1700, typmod, &[Some(&value), None]);
    assert_eq!(decoded(-1).unwrap(), "decimal(38, 2): 12.34, null");
    assert_eq!(decoded(modifier(10, 3)).unwrap(), "decimal(10, 3): 12.340, null");
    assert!(decoded(modifier(3, 1)).unwrap_err().contains("more digits than its type declares"));
    let tens = numeric(&[1200], 0, 0x4000, 0);
    let tens = |typmod| decode(1700, typmod, &[Some(&tens)]);
    assert_eq!(tens(modifier(2, -2)).unwrap(), "decimal(4, 0): -1200");
    assert_eq!(tens(modifier(76, 0)).unwrap(), "decimal(76, 0): -1200");
    let small = numeric(&[90], -1, 0, 5);
    let small = decode(1700, modifier(2, 5), &[Some(&small)]);
    assert_eq!(small.unwrap(), "decimal(5, 5): 0.00900");
    // Past 76 digits the server is asked for text.
    assert!(!prepared(1700, modifier(77, 0)).columns[0].binary());
    assert_eq!(decode(1700, modifier(77, 0), &[Some(b"5")]).unwrap(), "text: 5");
    assert_eq!(decode(1700, -1, &[]).unwrap(), "decimal(38, 0): ");
    for (sign, what) in [(0xc000, "NaN"), (0xd000, "infinite"), (0xf000, "infinite")] {
        assert!(one(1700, &numeric(&[], 0, sign, 0)).contains(what));
    }
    for broken in [&[0, 1][..], &numeric(&[1], 0, 1, 0), &numeric(&[1, 2], 0, 0, 0)[..11]] {
        assert!(one(1700, broken).contains("broke the protocol"));
    }
    // A domain declares its digits for it.
    assert_eq!(decode(20_005, -1, &[Some(&value)]).unwrap(), "decimal(10, 2): 12.34");
}

#[test]
fn arrays() {
    let [a, b, c, d] = [1, 2, 3, 4_i32].map(i32::to_be_bytes);
    let flat = array(23, &[3], &[Some(&a), None, Some(&c)]);
    let empty = array(23, &[], &[]);
    assert_eq!(
        decode(1007, -1, &[Some(&empty), None, Some(&flat)]).unwrap(),
        "list[int32]: [], null, [1, null, 3]"
    );
    let square = array(23, &[2, 2], &[Some(&a), Some(&b), Some(&c), Some(&d)]);
    assert_eq!(
        decode(1007, -1, &[None, Some(&square), Some(&empty), Some(&square)]).unwrap(),
        "list[list[int32]]: null, [[1, 2], [3, 4]], [], [[1, 2], [3, 4]]"
    );
    let deep = array(23, &[2, 1, 2], &[Some(&a), Some(&b), Some(&c), Some(&d)]);
    assert_eq!(
        decode(1007, -1, &[Some(&deep)]).unwrap(),
        "list[list[list[int32]]]: [[[1, 2]], [[3, 4]]]"
    );
    let mixed = decode(1007, -1, &[Some(&flat), Some(&square)]).unwrap_err();
    assert!(mixed.contains("row 1: an array of 2 dimensions"), "{mixed}");
    let enums = array(20_000, &[2], &[Some(b"ok"), Some(b"sad")]);
    assert_eq!(one(20_001, &enums), "list[enum]: [\"ok\", \"sad\"], null");
    let amounts = array(20_002, &[1], &[Some(&numeric(&[1, 5000], 0, 0, 1))]);
    assert_eq!(one(20_003, &amounts), "list[decimal(10, 2)]: [1.50], null");
    let vector = array(26, &[0], &[]);
    assert_eq!(one(30, &vector), "list[uint32]: [], null");
    let broken = array(25, &[2], &[Some(b"a"), Some(b"\xff")]);
    assert!(one(1009, &broken).contains("element 1, counted from this row on, is not UTF-8"));
}

#[test]
fn arrays_that_contradict_themselves() {
    let a = [0_u8; 4];
    for broken in [
        array(23, &[2], &[Some(&a)]),
        array(23, &[1], &[Some(&a), Some(&a)]),
        array(20, &[1], &[Some(&a)]),
        array(23, &[i32::MAX], &[]),
        array(23, &[-1], &[]),
        array(23, &[i32::MAX, 0], &[]),
        array(23, &[65_536; 4], &[]),
        array(23, &[1; 7], &[Some(&a)]),
        array(23, &[], &[Some(&a)]),
        array(23, &[1], &[Some(&a[..3])]),
        vec![0; 11],
    ] {
        let error = one(1007, &broken);
        assert!(error.contains("broke the protocol"), "{error}");
    }
}

#[test]
fn rows_without_columns_are_counted() {
    let prepared = Prepared::new(Description::default(), &Catalogue::default());
    let mut decoder = RowDecoder::new(&prepared, usize::MAX, usize::MAX);
    decoder.take(&row(&[]).repeat(3), 1 << 30, &prepared).unwrap();
    assert_eq!(decoder.finish_last(&prepared).unwrap().rows(), 3);
}

/// A statement of these types, for rows of fixed width.
fn fixed_columns(oids: &[u32]) -> Prepared {
    let column = |&oid| ColumnDescription { name: "v".into(), oid, typmod: -1 };
    let columns = oids.iter().map(column).collect();
    Prepared::new(Description { parameters: Vec::new(), columns }, &Catalogue::default())
}

proptest! {
    /// Blocks of rows of fixed width, with a NULL here and there, a bound on the batch, and any
    /// cut: the same as row by row.
    #[test]
    fn blocks_of_fixed_rows_are_like_any_others(
        rows in proptest::collection::vec((any::<i64>(), any::<bool>(), any::<i32>(), 0..8_u8), 0..300),
        cut in any::<prop::sample::Index>(),
        max_rows in 1..200_usize,
    ) {
        let prepared = fixed_columns(&[20, 16, 23]);
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (a, b, c, null) in rows {
            let (a8, b1, c4) = (a.to_be_bytes(), [u8::from(b)], c.to_be_bytes());
            let c4 = (null > 0).then_some(&c4[..]);
            bytes.extend(row(&[Some(&a8), Some(&b1), c4]));
            let c = c4.map_or_else(|| "null".to_owned(), |_| c.to_string());
            expected.push(vec![a.to_string(), b.to_string(), c]);
        }
        let mut decoder = RowDecoder::new(&prepared, max_rows, usize::MAX);
        let cut = cut.index(bytes.len() + 1);
        let (mut got, mut start) = (Vec::new(), 0);
        for end in [cut, bytes.len()] {
            loop {
                let taken = decoder.take(&bytes[start..end], 1 << 30, &prepared).unwrap();
                start += taken.bytes;
                if !matches!(taken.stop, super::Stop::Full) {
                    break;
                }
                let batch = decoder.finish(&prepared).unwrap();
                prop_assert_eq!(batch.rows(), max_rows);
                got.extend(cells(&batch));
            }
        }
        prop_assert_eq!(start, bytes.len());
        got.extend(cells(&decoder.finish_last(&prepared).unwrap()));
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn no_cell_makes_a_decoder_panic(
        oid in prop::sample::select(vec![16, 18, 20, 21, 23, 25, 26, 700, 701, 1082, 1083, 1114,
            1184, 1186, 1700, 2278, 2950, 3802, 1000, 1007, 1009, 1231, 3807, 20_001, 20_003]),
        values in proptest::collection::vec(
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
    ) {
        let values: Vec<_> = values.iter().map(Option::as_deref).collect();
        let _ = decode(oid, -1, &values);
    }
}

#[test]
fn the_first_value_without_a_place_is_named_in_blocks_too() {
    let prepared = fixed_columns(&[1082, 1114]);
    let good = row(&[Some(&[0; 4]), Some(&[0; 8])]);
    let later = row(&[Some(&i32::MAX.to_be_bytes()), Some(&[0; 8])]);
    let first = row(&[Some(&[0; 4]), Some(&i64::MAX.to_be_bytes())]);
    let bytes = [good.repeat(40), first, later].concat();
    let mut decoder = RowDecoder::new(&prepared, usize::MAX, usize::MAX);
    let taken = decoder.take(&bytes, 1 << 30, &prepared).unwrap();
    let super::Stop::Value(error) = taken.stop else { panic!("{taken:?}") };
    assert_eq!((error.row, &*error.type_name), (40, "timestamp"));
}
