//! Columns of every type for property tests.

use std::sync::Arc;

use arrow_buffer::IntervalMonthDayNano;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::build::{Bits, Bytes, Decimal, Dictionary, Fixed, ListOffsets, Native};
use crate::{Batch, Column, Field, Schema, Type};

pub(crate) type Typed = (Type, Column);

pub(crate) fn fixed<T: Native>(kind: &Type, slot: T, cells: &[Option<T>]) -> Column {
    let mut builder = Fixed::new(slot);
    for cell in cells {
        match cell {
            None => builder.push_null(),
            Some(value) => builder.push(*value),
        }
    }
    builder.finish(kind)
}

pub(crate) fn text(cells: &[Option<impl AsRef<[u8]>>]) -> Column {
    let mut builder = Bytes::text();
    for cell in cells {
        match cell {
            None => builder.push_null(),
            Some(value) => builder.push(value.as_ref()),
        }
    }
    builder.finish().unwrap()
}

pub(crate) fn batch(columns: Vec<(&str, Type, Column)>) -> Batch {
    let rows = columns.first().map_or(0, |(_, _, column)| column.len());
    let (fields, columns) =
        columns.into_iter().map(|(name, kind, column)| (Field::new(name, kind), column)).unzip();
    Batch::new(Arc::new(Schema::new(fields)), columns, rows)
}

/// The four digits of each group, the weight and the scale of a number in decimal notation.
pub(crate) fn groups(whole: &str, fraction: &str) -> (Vec<u8>, i16, u16) {
    let pad = (4 - whole.len() % 4) % 4;
    let digits =
        ["0".repeat(pad).as_str(), whole, fraction, &"0".repeat((4 - fraction.len() % 4) % 4)]
            .concat();
    let groups = digits.as_bytes().chunks(4).flat_map(|group| {
        let number: u16 = std::str::from_utf8(group).unwrap().parse().unwrap();
        number.to_be_bytes()
    });
    let weight = ((whole.len() + pad) / 4) as i16 - 1;
    (groups.collect(), weight, fraction.len() as u16)
}

fn nullable<T: Native + std::fmt::Debug>(
    kind: Type,
    slot: T,
    rows: usize,
    values: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Typed> {
    vec(weighted(0.8, values), rows)
        .prop_map(move |cells| (kind.clone(), fixed(&kind, slot, &cells)))
        .boxed()
}

fn strings(rows: usize) -> impl Strategy<Value = Vec<Option<String>>> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~\"\\\\\u{0}-\u{1f}]{0,40}",
        "[a-z]{0,20}",
        Just("\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10ffff}".to_owned()),
        Just("long \"text\" ".repeat(500)),
    ];
    vec(weighted(0.8, text), rows)
}

/// A column of any type but lists.
pub(crate) fn flat(rows: usize) -> BoxedStrategy<Typed> {
    let interval = (any::<i32>(), any::<i32>(), any::<i64>())
        .prop_map(|(months, days, nanos)| IntervalMonthDayNano::new(months, days, nanos));
    let json = prop_oneof![
        Just("{\"a\": [1, 2.5,\n null]}".to_owned()),
        Just(" true ".to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let decimal = ("[0-9]{1,30}", "[0-9]{0,12}", any::<bool>());
    prop_oneof![
        vec(weighted(0.8, any::<bool>()), rows).prop_map(|cells| {
            let mut bits = Bits::default();
            for cell in cells {
                match cell {
                    None => bits.push_null(),
                    Some(value) => bits.push(value),
                }
            }
            (Type::Bool, bits.finish())
        }),
        nullable(Type::Int8, 0, rows, any::<i8>()),
        nullable(Type::Int16, 0, rows, any::<i16>()),
        nullable(Type::Int32, 0, rows, any::<i32>()),
        nullable(Type::Int64, 0, rows, any::<i64>()),
        nullable(Type::UInt8, 0, rows, any::<u8>()),
        nullable(Type::UInt16, 0, rows, any::<u16>()),
        nullable(Type::UInt32, 0, rows, any::<u32>()),
        nullable(Type::UInt64, 0, rows, any::<u64>()),
        nullable(Type::Float32, f32::NAN, rows, proptest::num::f32::ANY),
        nullable(Type::Float64, f64::NAN, rows, proptest::num::f64::ANY),
        nullable(Type::Date, 0, rows, any::<i32>()),
        nullable(Type::Date, 0, rows, -1_000_000..3_000_000_i32),
        nullable(Type::Time, 0, rows, 0..86_400_000_000_i64),
        nullable(Type::Timestamp { utc: true }, i64::MIN, rows, any::<i64>()),
        nullable(Type::Timestamp { utc: false }, i64::MIN, rows, -1_i64 << 50..1_i64 << 52),
        nullable(Type::Interval, IntervalMonthDayNano::new(0, 0, 0), rows, interval),
        nullable(Type::Uuid, 0, rows, any::<i128>()),
        vec(weighted(0.8, decimal), rows).prop_map(|cells| {
            let mut decimals = Decimal::undeclared();
            for cell in cells {
                match cell {
                    None => decimals.push_null(),
                    Some((whole, fraction, negative)) => {
                        let (groups, weight, scale) = groups(&whole, &fraction);
                        decimals.push(negative, &groups, weight, scale).unwrap();
                    }
                }
            }
            decimals.finish()
        }),
        strings(rows).prop_map(|cells| (Type::Text, text(&cells))),
        vec(weighted(0.8, json), rows).prop_map(|cells| (Type::Json, text(&cells))),
        strings(rows).prop_map(|cells| {
            let mut bytes = Bytes::binary();
            for cell in cells {
                match cell {
                    None => bytes.push_null(),
                    Some(value) => bytes.push(value.as_bytes()),
                }
            }
            (Type::Bytes, bytes.finish().unwrap())
        }),
        vec(weighted(0.8, "[a-c]"), rows).prop_map(|cells| {
            let mut labels = Dictionary::default();
            for cell in cells {
                match cell {
                    None => labels.push_null(),
                    Some(value) => labels.push(value.as_bytes()),
                }
            }
            (Type::Enum, labels.finish().unwrap())
        }),
        Just((Type::Null, Column::from_array(Arc::new(arrow_array::NullArray::new(rows))))),
    ]
    .boxed()
}

/// Lists of the elements that come.
fn listed(
    rows: usize,
    element: impl Fn(usize) -> BoxedStrategy<Typed> + 'static,
) -> BoxedStrategy<Typed> {
    vec(weighted(0.8, 0..4_usize), rows)
        .prop_flat_map(move |lengths| {
            let elements = element(lengths.iter().flatten().sum());
            (Just(lengths), elements)
        })
        .prop_map(|(lengths, (kind, elements))| {
            let mut lists = ListOffsets::default();
            let mut end = 0;
            for length in lengths {
                match length {
                    None => lists.push_null(),
                    Some(length) => {
                        end += length;
                        lists.push(end);
                    }
                }
            }
            let column = lists.finish(&kind, elements);
            (Type::List(Box::new(kind)), column)
        })
        .boxed()
}

pub(crate) fn column(rows: usize) -> BoxedStrategy<Typed> {
    prop_oneof![
        6 => flat(rows),
        1 => listed(rows, flat),
        1 => listed(rows, |rows| listed(rows, flat)),
    ]
    .boxed()
}

/// A batch of a few columns of any types, sliced out of a larger one.
pub(crate) fn any_batch() -> impl Strategy<Value = Batch> {
    let columns = (0..40_usize)
        .prop_flat_map(|rows| (Just(rows), vec((any::<String>(), column(rows)), 0..8)));
    (columns, any::<(prop::sample::Index, prop::sample::Index)>()).prop_map(
        |((rows, columns), (start, len))| {
            let (fields, columns) = columns
                .into_iter()
                .map(|(name, (kind, column))| (Field::new(name.replace('\0', ""), kind), column))
                .unzip();
            let batch = Batch::new(Arc::new(Schema::new(fields)), columns, rows);
            let start = start.index(rows + 1);
            batch.slice(start, len.index(rows - start + 1))
        },
    )
}
