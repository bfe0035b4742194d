//! Types made of others, and those that become their text.

use proptest::prelude::*;

use super::{RowDecoder, Stop};
use crate::catalogue::{Attribute, Catalogue, Form, TypeInfo};
use crate::message::ColumnDescription;
use crate::statement::{Description, Prepared};
use crate::testing::{cells, row};

const PAIR: u32 = 20_000;
const PAIRS: u32 = 20_001;
const HSTORE: u32 = 20_002;
const VECTOR: u32 = 20_003;
const HALFVEC: u32 = 20_004;
const DEEP: u32 = 20_005;
const WITH_POINT: u32 = 20_006;
const ENDLESS: u32 = 20_007;

fn prepared(oid: u32, typmod: i32) -> Prepared {
    let catalogue = Catalogue::default();
    let info = |name: &str, form| TypeInfo { name: name.into(), form };
    let composite = |attributes: &[(&str, u32)]| {
        let attributes = attributes.iter();
        let attribute =
            attributes.map(|&(name, oid)| Attribute { name: name.into(), oid, typmod: -1 });
        Form::Composite(attribute.collect())
    };
    catalogue.learn([
        (PAIR, info("pair", composite(&[("a", 23), ("b", 25)]))),
        (PAIRS, info("_pair", Form::Array { element: PAIR })),
        (HSTORE, info("hstore", Form::Base)),
        (VECTOR, info("vector", Form::Base)),
        (HALFVEC, info("halfvec", Form::Base)),
        (DEEP, info("deep", composite(&[("p", PAIR), ("r", 3904), ("l", PAIRS)]))),
        (WITH_POINT, info("with_point", composite(&[("p", 600)]))),
        // No server has one; a false look-up may tell of it.
        (ENDLESS, info("endless", composite(&[("e", ENDLESS); 40]))),
    ]);
    let column = ColumnDescription { name: "v".into(), oid, typmod };
    Prepared::new(Description { parameters: Vec::new(), columns: vec![column] }, &catalogue)
}

fn decode_as(oid: u32, typmod: i32, values: &[Option<&[u8]>]) -> Result<String, String> {
    let prepared = prepared(oid, typmod);
    let mut decoder = RowDecoder::new(&prepared, usize::MAX, usize::MAX);
    let bytes: Vec<u8> = values.iter().flat_map(|value| row(&[*value])).collect();
    let taken = decoder.take(&bytes, 1 << 30, &prepared).map_err(|error| error.to_string())?;
    if let Stop::Value(error) = taken.stop {
        return Err(error.to_string());
    }
    let batch = decoder.finish_last(&prepared).map_err(|error| error.to_string())?;
    Ok(format!("{}: {}", batch.schema().fields[0].kind, cells(&batch).concat().join(", ")))
}

/// A value between two NULLs, or what is wrong with it.
fn decoded(oid: u32, value: &[u8]) -> String {
    decode_as(oid, -1, &[None, Some(value), None]).unwrap_or_else(|error| error)
}

fn with_length(value: &[u8]) -> Vec<u8> {
    [&(value.len() as u32).to_be_bytes(), value].concat()
}

fn pair(a: i32, b: &[u8]) -> Vec<u8> {
    let (a, b) = (with_length(&a.to_be_bytes()), with_length(b));
    [&[0, 0, 0, 2, 0, 0, 0, 23], &*a, &[0, 0, 0, 25], &b].concat()
}

#[test]
fn ranges() {
    let (one, five) = (with_length(&[0, 0, 0, 1]), with_length(&[0, 0, 0, 5]));
    let range = |flags: u8, bounds: &[&[u8]]| [&[flags], bounds.concat().as_slice()].concat();
    let kind = "struct[lower: int32, upper: int32, bounds: text]";
    assert_eq!(
        decoded(3904, &range(2, &[&one, &five])),
        format!(r#"{kind}: null, {{lower: 1, upper: 5, bounds: "[)"}}, null"#)
    );
    assert!(decoded(3904, &range(4, &[&one, &five])).contains("(]"));
    assert!(decoded(3904, &range(6, &[&one, &five])).contains("[]"));
    assert!(decoded(3904, &range(0, &[&one, &five])).contains("()"));
    assert!(decoded(3904, &range(1, &[])).contains(r#"lower: null, upper: null, bounds: "empty""#));
    assert!(decoded(3904, &range(8, &[&five])).contains("lower: null, upper: 5"));
    assert!(decoded(3904, &range(16 | 2, &[&one])).contains("lower: 1, upper: null"));
    for broken in [vec![], range(2, &[&one]), range(1, &[&one]), range(2, &[&one, &five, &one])] {
        assert!(decoded(3904, &broken).contains("contradicts itself"), "{broken:?}");
    }
    let many = [&[0, 0, 0, 1], &*with_length(&range(2, &[&one, &five]))].concat();
    assert_eq!(
        decoded(4451, &many),
        format!(r#"list[{kind}]: null, [{{lower: 1, upper: 5, bounds: "[)"}}], null"#)
    );
    assert!(decoded(4451, &[0xff; 4]).contains("contradicts itself"));
}

#[test]
fn composites() {
    let kind = "struct[a: int32, b: text]";
    assert_eq!(decoded(PAIR, &pair(1, b"x")), format!(r#"{kind}: null, {{a: 1, b: "x"}}, null"#));
    let array = |element: &[u8]| {
        let head = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x4e, 0x20, 0, 0, 0, 1, 0, 0, 0, 1];
        [&head, &*with_length(element)].concat()
    };
    assert_eq!(
        decoded(PAIRS, &array(&pair(1, b"x"))),
        format!(r#"list[{kind}]: null, [{{a: 1, b: "x"}}], null"#)
    );
    let deep = [
        &[0, 0, 0, 3, 0, 0, 0x4e, 0x20],
        &*with_length(&pair(7, b"")),
        &[0, 0, 0x0f, 0x40, 0, 0, 0, 1, 1, 0, 0, 0x4e, 0x21, 0xff, 0xff, 0xff, 0xff],
    ];
    assert!(decoded(DEEP, &deep.concat()).ends_with(
        r#": null, {p: {a: 7, b: ""}, r: {lower: null, upper: null, bounds: "empty"}, l: null}, null"#
    ));
    // An attribute more than was looked up, or one of another type.
    for altered in [[0, 0, 0, 3].as_slice(), &[0, 0, 0, 2, 0, 0, 0, 20, 0, 0, 0, 0]] {
        assert!(decoded(PAIR, altered).contains("was altered"), "{altered:?}");
    }
    for broken in [&pair(1, b"x")[..15], &[], &[0, 0, 0, 2, 0, 0, 0, 23, 0xff, 0xff, 0xff, 0xfe]] {
        assert!(decoded(PAIR, broken).contains("contradicts itself"), "{broken:?}");
    }
    assert!(decoded(PAIR, &pair(1, b"\xff")).contains("is not UTF-8"));
    // What has no binary form here is text as a whole.
    assert_eq!(decoded(WITH_POINT, br#"("(1,2)")"#), r#"text: null, ("(1,2)"), null"#);
    assert_eq!(decoded(ENDLESS, b"()"), "text: null, (), null");
}

#[test]
fn extensions() {
    let hstore = [&[0, 0, 0, 2], &*with_length(b"a"), &with_length(b"1"), &with_length(b"b")];
    let hstore = [hstore.concat(), vec![0xff; 4]].concat();
    assert_eq!(decoded(HSTORE, &hstore), r#"map[text, text]: null, {a: "1", b: null}, null"#);
    assert!(decoded(HSTORE, &hstore[..hstore.len() - 1]).contains("contradicts itself"));
    let vector = [&[0, 2, 0, 0], &1.5_f32.to_be_bytes()[..], &(-2_f32).to_be_bytes()].concat();
    assert_eq!(decoded(VECTOR, &vector), "list[float32]: null, [1.5, -2.0], null");
    assert_eq!(
        decode_as(VECTOR, 2, &[None, Some(&vector), None]).unwrap(),
        "list[float32, 2]: null, [1.5, -2.0], null"
    );
    let other = decode_as(VECTOR, 3, &[Some(&vector)]).unwrap_err();
    assert!(other.contains("another dimension"), "{other}");
    assert!(decoded(VECTOR, &vector[..11]).contains("contradicts itself"));
    // One, the least subnormal, the greatest, minus zero, minus infinity.
    let halves = [0x3c00, 0x0001, 0x7bff, 0x8000, 0xfc00_u16].map(u16::to_be_bytes).concat();
    assert_eq!(
        decoded(HALFVEC, &[&[0, 5, 0, 0], &*halves].concat()),
        "list[float32]: null, [1.0, 5.9604645e-8, 65504.0, -0.0, -Infinity], null"
    );
}

#[test]
fn texts_that_are_made() {
    assert_eq!(decoded(869, &[2, 32, 0, 4, 10, 0, 0, 1]), "text: null, 10.0.0.1, null");
    assert_eq!(decoded(650, &[2, 32, 1, 4, 10, 0, 0, 1]), "text: null, 10.0.0.1/32, null");
    let mut six = [0; 20];
    six[..4].copy_from_slice(&[3, 64, 0, 16]);
    assert_eq!(decoded(869, &six), "text: null, ::/64, null");
    assert_eq!(decoded(829, &[8, 0, 0x2b, 1, 2, 3]), "text: null, 08:00:2b:01:02:03, null");
    assert_eq!(decoded(1562, &[0, 0, 0, 9, 0x50, 0x80]), "text: null, 010100001, null");
    let zoned = [&45_296_700_000_i64.to_be_bytes()[..], &(-19_800_i32).to_be_bytes()].concat();
    assert_eq!(decoded(1266, &zoned), "text: null, 12:34:56.7+05:30, null");
    for (oid, broken) in [
        (869, &[2, 33, 0, 4, 10, 0, 0, 1][..]),
        (869, &[2, 32, 0, 4, 10]),
        (869, &[4, 32, 0, 4, 10, 0, 0, 1]),
        (829, &[1, 2, 3]),
        (1562, &[0, 0, 0, 9, 0x50]),
        (1266, &zoned[..11]),
    ] {
        assert!(decoded(oid, broken).contains("does not have its type's form"), "{broken:?}");
    }
}

#[test]
fn arrays_of_what_comes_as_text() {
    let text = |literal: &str| decoded(1017, literal.as_bytes());
    assert_eq!(text("{}"), "list[text]: null, [], null");
    assert_eq!(
        text(r#"{"(1,2)",NULL,"NULL","q\"\\",a b}"#),
        r#"list[text]: null, ["(1,2)", null, "NULL", "q\"\\", "a b"], null"#
    );
    assert_eq!(text("[5:6]={a,b}"), r#"list[text]: null, ["a", "b"], null"#);
    assert_eq!(
        text("{{a,NULL},{c,d}}"),
        r#"list[list[text]]: null, [["a", null], ["c", "d"]], null"#
    );
    for broken in
        ["", "{", "{a", "{a,}", r#"{"a}"#, r#"{"a\"#, "{a}}", "{{a},b}", "{a}b", "{{{{{{{a}}}}}}}"]
    {
        assert!(text(broken).contains("contradicts itself"), "{broken}: {}", text(broken));
    }
    let depths = decode_as(1017, -1, &[Some(b"{a}"), Some(b"{{a}}")]).unwrap_err();
    assert!(depths.contains("2 dimensions"), "{depths}");
}

proptest! {
    #[test]
    fn no_cell_makes_a_decoder_panic(
        oid in prop::sample::select(vec![PAIR, PAIRS, HSTORE, VECTOR, HALFVEC, DEEP, WITH_POINT,
            ENDLESS, 3904, 3905, 3906, 4451, 6150, 869, 650, 829, 774, 1560, 1266, 5069, 1041, 1017]),
        typmod in -1..4_i32,
        values in proptest::collection::vec(
            proptest::option::of(proptest::collection::vec(
                prop_oneof![
                    Just(0_u8), 0..8_u8, any::<u8>(), prop::sample::select(br#"{}",\"#.to_vec())
                ],
                0..48,
            )), 0..4),
    ) {
        let values: Vec<_> = values.iter().map(Option::as_deref).collect();
        let _ = decode_as(oid, typmod, &values);
    }
}
