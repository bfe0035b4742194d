//! A packed record of any bytes: an error, or values; and columns where there are values.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rowmill_columns::packed::{Cell, Held, Layout, Packed, PackedField, Packer};
use rowmill_columns::{ColumnError, Type};

fn field(name: &str, held: Held) -> PackedField {
    PackedField { name: name.into(), held, nullable: true, is_required: false, is_removed: false }
}

/// A field of every kind.
fn layout() -> Result<Layout, ColumnError> {
    let inner = vec![field("x", Held::One(Type::Int64)), field("texts", Held::List(Type::Text))];
    let inner = Arc::new(Layout::new("Inner", inner)?);
    let kinds = [
        Type::Bool,
        Type::Int64,
        Type::Float64,
        Type::Decimal { precision: 38, scale: 0 },
        Type::Text,
        Type::Bytes,
        Type::Uuid,
        Type::Date,
        Type::Time,
        Type::Timestamp { utc: true },
        Type::Interval,
    ];
    let mut fields = Vec::new();
    for kind in kinds {
        fields.push(field(&format!("one {kind}"), Held::One(kind.clone())));
        fields.push(field(&format!("list of {kind}"), Held::List(kind)));
    }
    fields.push(field("inner", Held::Record(inner.clone())));
    fields.push(field("inners", Held::Records(inner)));
    Layout::new("All", fields)
}

/// Reads all that there is.
fn read(layout: &Layout, bytes: &[u8]) -> Result<(), ColumnError> {
    let record = Packed::open(layout, bytes)?;
    for (at, field) in layout.fields().iter().enumerate() {
        match (&field.held, record.get(at)?) {
            (Held::Record(inner), Cell::Record(bytes)) => read(inner, bytes)?,
            (held, Cell::List(elements)) => {
                for at in 0..elements.len() {
                    if let (Held::Records(inner), Cell::Bytes(bytes)) = (held, elements.get(at)?) {
                        read(inner, bytes)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let layout = layout().expect("a layout");
    let (head, body) = input;
    // The head is right, mostly, or hardly anything would be looked at.
    let mut bytes = Packer::new(&layout).finish().expect("a record of NULLs");
    bytes.truncate(if head == 0 { 0 } else { 16 });
    bytes.extend_from_slice(&body);
    let wanted: Vec<usize> = (0..layout.fields().len()).collect();
    let (one, columns) = (read(&layout, &bytes), layout.columns([Some(&*bytes)], &wanted));
    match (&one, &columns) {
        (Ok(()), Err(error)) => assert!(error.to_string().contains("38 digits"), "{error}"),
        (Err(error), Ok(_)) => panic!("{error}"),
        _ => {}
    }
    // What was read is written again, and then it is the same.
    if let Ok(batch) = columns
        && let Ok(records) = layout.pack(&batch)
    {
        let (_, bytes) = records.variable_bytes().expect("bytes");
        assert_eq!(layout.columns([Some(bytes)], &wanted).as_ref(), Ok(&batch));
    }
});
