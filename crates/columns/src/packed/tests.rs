use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::{option, sample::Index};

use super::{Cell, Elements, Held, Layout, Packed, PackedField, Packer};
use crate::{Batch, ColumnError, DecimalValue, Type, Value};

fn field(name: &str, held: Held) -> PackedField {
    PackedField { name: name.into(), held, nullable: true, is_required: false, is_removed: false }
}

/// A field of every kind.
fn all() -> Layout {
    let inner = vec![field("x", Held::One(Type::Int64)), field("y", Held::One(Type::Text))];
    let inner = Arc::new(Layout::new("Inner", inner).unwrap());
    let one = Held::One;
    Layout::new(
        "All",
        vec![
            field("bool", one(Type::Bool)),
            field("int", one(Type::Int64)),
            field("float", one(Type::Float64)),
            field("decimal", one(Type::Decimal { precision: 38, scale: 0 })),
            field("text", one(Type::Text)),
            field("bytes", one(Type::Bytes)),
            field("uuid", one(Type::Uuid)),
            field("date", one(Type::Date)),
            field("time", one(Type::Time)),
            field("at", one(Type::Timestamp { utc: true })),
            field("span", one(Type::Interval)),
            field("ints", Held::List(Type::Int64)),
            field("texts", Held::List(Type::Text)),
            field("uuids", Held::List(Type::Uuid)),
            field("inner", Held::Record(inner.clone())),
            field("inners", Held::Records(inner)),
        ],
    )
    .unwrap()
}

fn full(layout: &Layout) -> Vec<u8> {
    let ints: Vec<u8> = [1_i64, -2, 3].iter().flat_map(|int| int.to_le_bytes()).collect();
    let Held::Record(inner) = &layout.fields()[14].held else { panic!("a record") };
    let mut record = Packer::new(inner);
    record.set(0, Cell::Int(5)).unwrap();
    let record = record.finish().unwrap();
    let mut packer = Packer::new(layout);
    let cells = [
        Cell::Bool(true),
        Cell::Int(-7),
        Cell::Float(0.5),
        Cell::Decimal(DecimalValue::new(-1_250, 2)),
        Cell::Text("grün"),
        Cell::Bytes(&[0, 255]),
        Cell::Uuid([9; 16]),
        Cell::Date(19_000),
        Cell::Time(1),
        Cell::Timestamp(1_700_000_000_000_000),
        Cell::Interval { months: -1, days: 2, nanos: 3_000 },
        Cell::List(Elements::Fixed { kind: &Type::Int64, bytes: &ints, len: 3 }),
        Cell::Null,
        Cell::List(Elements::Fixed { kind: &Type::Uuid, bytes: &[7; 32], len: 2 }),
        Cell::Record(&record),
    ];
    for (field, cell) in cells.into_iter().enumerate() {
        if field == 12 {
            let mut texts = packer.list(12, 3).unwrap();
            for text in ["a", "", "öl"] {
                texts.push(Cell::Text(text)).unwrap();
            }
            texts.finish().unwrap();
        } else {
            packer.set(field, cell).unwrap();
        }
    }
    let mut records = packer.list(15, 2).unwrap();
    (0..2).for_each(|_| records.push(Cell::Record(&record)).unwrap());
    records.finish().unwrap();
    packer.finish().unwrap()
}

fn cells<'a>(elements: &Elements<'a>) -> Vec<Cell<'a>> {
    (0..elements.len()).map(|at| elements.get(at).unwrap()).collect()
}

#[test]
fn what_was_packed_is_read() {
    let layout = all();
    let bytes = full(&layout);
    let record = Packed::open(&layout, &bytes).unwrap();
    let get = |at| record.get(at).unwrap();
    assert_eq!((get(0), get(1), get(2)), (Cell::Bool(true), Cell::Int(-7), Cell::Float(0.5)));
    assert_eq!(get(3), Cell::Decimal(DecimalValue::new(-1_250, 2)));
    assert_eq!((get(4), get(5)), (Cell::Text("grün"), Cell::Bytes(&[0, 255])));
    assert_eq!((get(6), get(7)), (Cell::Uuid([9; 16]), Cell::Date(19_000)));
    assert_eq!((get(8), get(9)), (Cell::Time(1), Cell::Timestamp(1_700_000_000_000_000)));
    assert_eq!(get(10), Cell::Interval { months: -1, days: 2, nanos: 3_000 });
    let list = |at| match get(at) {
        Cell::List(elements) => cells(&elements),
        other => panic!("{other:?}"),
    };
    assert_eq!(list(11), [1, -2, 3].map(Cell::Int));
    assert_eq!(list(12), ["a", "", "öl"].map(Cell::Text));
    assert_eq!(list(13), [Cell::Uuid([7; 16]); 2]);
    let (Cell::Record(inner), Held::Record(of)) = (get(14), &layout.fields()[14].held) else {
        panic!("a record")
    };
    assert_eq!(Packed::open(of, inner).unwrap().get(0), Ok(Cell::Int(5)));
    assert_eq!(list(15), [Cell::Bytes(inner); 2]);
}

#[test]
fn what_is_not_set_is_null_and_equal_records_are_equal_bytes() {
    let layout = all();
    let bytes = Packer::new(&layout).finish().unwrap();
    let record = Packed::open(&layout, &bytes).unwrap();
    for at in 0..layout.fields().len() {
        assert_eq!(record.get(at), Ok(Cell::Null));
    }
    assert_eq!(full(&layout), full(&layout));
    let reused = Packer::into(&layout, full(&layout)).finish().unwrap();
    assert_eq!(reused, bytes);
}

#[test]
fn many_records_are_columns() {
    let layout = all();
    let (some, none) = (full(&layout), Packer::new(&layout).finish().unwrap());
    let wanted: Vec<usize> = (0..layout.fields().len()).collect();
    let records = (0..600).map(|at| match at % 3 {
        0 => Some(&*some),
        1 => Some(&*none),
        _ => None,
    });
    let batch = layout.columns(records, &wanted).unwrap();
    assert_eq!((batch.rows(), batch.columns().len()), (600, wanted.len()));
    for column in 0..wanted.len() {
        assert!(!batch.value(column, 597).is_null(), "{column}");
        assert!(batch.value(column, 598).is_null() && batch.value(column, 599).is_null());
    }
    let told = |column, row| batch.value(column, row).to_string();
    assert_eq!(
        (told(1, 597), told(3, 597), told(4, 597)),
        ("-7".into(), "-12.50".into(), "grün".into())
    );
    assert_eq!(
        (told(9, 597), told(10, 597)),
        ("2023-11-14 22:13:20+00".into(), "-1 mons +2 days 00:00:00.000003".into())
    );
    for row in [0, 597] {
        assert_eq!(
            (told(11, row), told(12, row)),
            ("[1, -2, 3]".into(), "[\"a\", \"\", \"öl\"]".into())
        );
        assert_eq!(told(14, row), "{x: 5, y: null}");
        assert_eq!(told(15, row), "[{x: 5, y: null}, {x: 5, y: null}]");
    }
    let two = layout.columns([Some(&*some)], &[4, 1]).unwrap();
    assert_eq!((two.value(0, 0), two.value(1, 0)), (Value::Text("grün"), Value::Int(-7)));
}

#[test]
fn columns_are_records_again() {
    let layout = all();
    let (some, none) = (full(&layout), Packer::new(&layout).finish().unwrap());
    let wanted: Vec<usize> = (0..layout.fields().len()).collect();
    let batch = layout.columns([Some(&*some), Some(&*none)], &wanted).unwrap();
    let records = layout.pack(&batch).unwrap();
    let (ends, bytes) = records.variable_bytes().unwrap();
    assert_eq!(ends, [0, some.len() as i64, (some.len() + none.len()) as i64]);
    assert_eq!(bytes, [some, none].concat());

    let few = batch.select(&[4, 1]);
    let records = layout.pack(&few).unwrap();
    let (ends, bytes) = records.variable_bytes().unwrap();
    let first = Packed::open(&layout, &bytes[..ends[1] as usize]).unwrap();
    assert_eq!(
        (first.get(1), first.get(4), first.get(2)),
        (Ok(Cell::Int(-7)), Ok(Cell::Text("grün")), Ok(Cell::Null))
    );

    let told = |layout: &Layout, batch: &Batch| layout.pack(batch).unwrap_err().to_string();
    let one = |held| Layout::new("One", vec![field("int", held)]).unwrap();
    assert_eq!(
        told(&one(Held::One(Type::Int64)), &few),
        "One has no field for the column \"text\""
    );
    let ints = batch.select(&[1]);
    let wrong = "row 0: One: the field \"int\" is text, not int64";
    assert_eq!(told(&one(Held::One(Type::Text)), &ints), wrong);
    assert_eq!(told(&layout, &batch.select(&[1, 1])), "two columns are named \"int\"");
    let mut fields = one(Held::One(Type::Int64)).fields().to_vec();
    fields[0].nullable = false;
    let told = told(&Layout::new("One", fields).unwrap(), &ints);
    assert_eq!(told, "row 1: One: the field \"int\" may not be NULL");
}

#[test]
fn fields_come_at_the_end_and_go_in_place() {
    let ints = |names: &[&str]| {
        let fields = names.iter().map(|name| field(name, Held::One(Type::Int64))).collect();
        Layout::new("Grown", fields)
    };
    let (old, new) = (ints(&["a", "b"]).unwrap(), ints(&["a", "b", "c"]).unwrap());
    let mut packer = Packer::new(&old);
    packer.set(0, Cell::Int(1)).unwrap();
    let before = packer.finish().unwrap();
    let record = Packed::open(&new, &before).unwrap();
    assert_eq!(
        (record.get(0), record.get(1), record.get(2)),
        (Ok(Cell::Int(1)), Ok(Cell::Null), Ok(Cell::Null))
    );

    let new = new.with_defaults(|packer| packer.set(2, Cell::Int(42))).unwrap();
    assert_eq!(Packed::open(&new, &before).unwrap().get(2), Ok(Cell::Int(42)));
    let batch = new.columns([Some(&*before)], &[0, 2]).unwrap();
    assert_eq!((batch.value(0, 0), batch.value(1, 0)), (Value::Int(1), Value::Int(42)));

    let later = Packer::new(&new).finish().unwrap();
    let told = Packed::open(&old, &later).unwrap_err().to_string();
    assert!(told.contains("a record of 3 fields, and Grown has 2"), "{told}");
    for other in [&["b", "a"][..], &["a", "x"]] {
        let told = Packed::open(&ints(other).unwrap(), &before).unwrap_err().to_string();
        assert!(told.contains("a record of another class"), "{told}");
    }
    let mut fields = new.fields().to_vec();
    fields[2].is_required = true;
    let strict = Layout::new("Grown", fields).unwrap();
    let told = Packed::open(&strict, &before).unwrap().get(2).unwrap_err().to_string();
    assert!(told.contains("without the field \"c\""), "{told}");
    let told = strict.columns([Some(&*before)], &[2]).unwrap_err().to_string();
    assert!(told.starts_with("record 0: Grown: the record was written without"), "{told}");
}

#[test]
fn bytes_that_are_cut_or_changed_are_errors_or_other_values() {
    let layout = all();
    let bytes = full(&layout);
    let read = |bytes: &[u8]| same(&layout, bytes);
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "cut at {len}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let found = read(&changed);
            assert!(at >= 16 || found.is_err(), "the head's byte {at}");
        }
    }
}

/// All of a record's values, those of records in it included.
fn read(layout: &Layout, bytes: &[u8]) -> Result<(), ColumnError> {
    let record = Packed::open(layout, bytes)?;
    for (at, field) in layout.fields().iter().enumerate() {
        match (&field.held, record.get(at)?) {
            (Held::Record(inner), Cell::Record(bytes)) => read(inner, bytes)?,
            (Held::Records(inner), Cell::List(elements)) => {
                elements.pieces().try_for_each(|bytes| read(inner, bytes))?;
            }
            (_, Cell::List(elements)) => {
                (0..elements.len()).try_for_each(|at| elements.get(at).map(drop))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A record's columns, which are there where each of its values is.
fn same(layout: &Layout, bytes: &[u8]) -> Result<Batch, ColumnError> {
    let wanted: Vec<usize> = (0..layout.fields().len()).collect();
    let (one, columns) = (read(layout, bytes), layout.columns([Some(bytes)], &wanted));
    match (&one, &columns) {
        (Ok(()), Ok(_)) | (Err(_), Err(_)) => {}
        // One that was read may be too large for a column.
        (Ok(()), Err(error)) => assert!(error.to_string().contains("38 digits"), "{error}"),
        (Err(error), Ok(_)) => panic!("{error}"),
    }
    columns
}

/// What is stored now is read by every later version.
#[test]
fn the_bytes_stay_what_they_are() {
    let bytes = full(&all());
    let lines = bytes.chunks(32).map(|line| Value::Bytes(line).to_string());
    insta::assert_snapshot!(lines.collect::<Vec<String>>().join("\n"), @r"
    \x524d50311000000089a6fb9dd56ed9cb000000000000000001f9ffffffffffff
    \xff000000000000e03f1efbffffffffffffffffffffffffffff02a80000000500
    \x0000b00000000200000009090909090909090909090909090909384a00000100
    \x00000000000000401e18240a0600ffffffff02000000b80b000000000000b800
    \x000003000000d000000003000000e00000000200000000010000280000002801
    \x00000200000000006772c3bc6e00000000ff0000000000000100000000000000
    \xfeffffffffffffff030000000000000001000000010000000400000061c3b66c
    \x0707070707070707070707070707070707070707070707070707070707070707
    \x524d503102000000f200437666e6665202000000000000000500000000000000
    \x00000000000000002800000050000000524d503102000000f200437666e66652
    \x020000000000000005000000000000000000000000000000524d503102000000
    \xf200437666e66652020000000000000005000000000000000000000000000000
    ");
}

#[test]
fn a_record_of_no_fields_is_of_no_class() {
    let layout = all();
    let mut bytes = full(&layout)[..16].to_vec();
    bytes[4..6].fill(0);
    bytes[8..].copy_from_slice(&0xcbf2_9ce4_8422_2325_u64.to_le_bytes());
    assert!(Packed::open(&layout, &bytes).unwrap_err().to_string().contains("another class"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_alike_or_refused(
        tail in vec(any::<u8>(), 0..600),
        count in 0_u16..18,
    ) {
        let layout = all();
        let mut bytes = b"RMP1".to_vec();
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&layout.identity_of(count.into()).unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&tail);
        drop(same(&layout, &bytes));
    }

    #[test]
    fn a_record_with_other_bytes_in_it_is_read_alike_or_refused(
        changes in vec((any::<Index>(), any::<u8>()), 1..12),
        cut in any::<Index>(),
        is_cut: bool,
    ) {
        let layout = all();
        let mut bytes = full(&layout);
        for (at, byte) in changes {
            // The head says that it is a record, or nothing more is looked at.
            let at = 16 + at.index(bytes.len() - 16);
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        drop(same(&layout, &bytes));
    }

    #[test]
    fn what_is_set_is_read(
        ints in vec(option::of(any::<i64>()), 1..140),
        texts in vec(".{0,12}", 0..9),
    ) {
        let mut fields: Vec<_> =
            (0..ints.len()).map(|at| field(&at.to_string(), Held::One(Type::Int64))).collect();
        fields.push(field("texts", Held::List(Type::Text)));
        let layout = Layout::new("Many", fields).unwrap();
        let mut packer = Packer::new(&layout);
        for (at, int) in ints.iter().enumerate() {
            packer.set(at, int.map_or(Cell::Null, Cell::Int)).unwrap();
        }
        let mut list = packer.list(ints.len(), texts.len()).unwrap();
        for text in &texts {
            list.push(Cell::Text(text)).unwrap();
        }
        list.finish().unwrap();
        let bytes = packer.finish().unwrap();
        let record = Packed::open(&layout, &bytes).unwrap();
        for (at, int) in ints.iter().enumerate() {
            prop_assert_eq!(record.get(at).unwrap(), int.map_or(Cell::Null, Cell::Int));
        }
        let Cell::List(list) = record.get(ints.len()).unwrap() else { panic!("a list") };
        let read: Vec<_> = texts.iter().map(|text| Cell::Text(text)).collect();
        prop_assert_eq!(cells(&list), read);
        same(&layout, &bytes).unwrap();
    }
}

#[test]
fn values_of_other_types_are_refused_by_name() {
    let layout = all();
    let mut packer = Packer::new(&layout);
    let told = |found: Result<(), ColumnError>| found.unwrap_err().to_string();
    assert_eq!(told(packer.set(1, Cell::Text("x"))), "All: the field \"int\" is int64, not text");
    let wide = Cell::Decimal(DecimalValue::new(i128::MAX, 0));
    assert!(told(packer.set(3, wide)).ends_with(": 38 digits at most"));
    let mut list = packer.list(12, 1).unwrap();
    let wrong =
        "All: the field \"texts\" is list[text], and element 0 of what was given is an integer";
    assert_eq!(told(list.push(Cell::Int(1))), wrong);
    assert!(told(list.finish()).ends_with("has fewer elements than it began with"));
    assert!(packer.list(1, 1).is_err() && packer.set(14, Cell::Record(b"RMP1")).is_err());

    let mut fields = layout.fields().to_vec();
    fields[9].nullable = false;
    let strict = Layout::new("All", fields).unwrap();
    assert_eq!(
        told(Packer::new(&strict).set(9, Cell::Null)),
        "All: the field \"at\" may not be NULL"
    );
    let missing = "All: the field \"at\" is missing: it has no default, and may not be NULL";
    assert_eq!(Packer::new(&strict).finish().unwrap_err().to_string(), missing);
    let none = Packer::new(&layout).finish().unwrap();
    let told = strict.columns([Some(&*none)], &[9]).unwrap_err().to_string();
    assert_eq!(told, "record 0: All: the record is broken: the field \"at\" is NULL");
}

#[test]
fn layouts_that_make_no_sense_are_refused() {
    let int = || Held::One(Type::Int64);
    let told = |fields| Layout::new("X", fields).unwrap_err().to_string();
    assert_eq!(told(Vec::new()), "X: a record has 1 to 65535 fields, not 0");
    assert_eq!(
        told(vec![field("a", int()), field("a", int())]),
        "X: \"a\" is the name of two fields"
    );
    assert_eq!(
        told(vec![field("a", Held::One(Type::Null))]),
        "X: \"a\" is null, which no record holds"
    );
}
