//! Any batch becomes JSON that another parser reads, with the same rows, names and texts.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rowmill_columns::build::{
    Bits, Bytes, Decimal, Dictionary, Fixed, IntervalMonthDayNano, ListOffsets, Native,
};
use rowmill_columns::json::{self, Options, Orient, Writer, validate_json};
use rowmill_columns::{Batch, Column, ColumnError, Field, Schema, Type, Value};
use serde_json::Value as Parsed;

fuzz_target!(|data: &[u8]| {
    // Too few bytes for a batch is no finding.
    let _ = batch(&mut Unstructured::new(data)).map(|batch| check(&batch));
});

fn check(batch: &Batch) {
    let mut records = Vec::new();
    let written = json::write_records(batch, &mut records);
    let repeated = batch.schema().repeated().is_some();
    if repeated || json_cells(batch).any(|text| validate_json(text.as_bytes()).is_err()) {
        assert!(written.is_err() && records.is_empty());
        return;
    }
    written.unwrap();
    assert_eq!(chunked(batch), records);
    validate_json(&records).unwrap();
    // serde_json limits nesting and the size of numbers in json cells; we do not.
    if json_cells(batch).any(|text| serde_json::from_str::<Parsed>(text).is_err()) {
        return;
    }
    let rows: Vec<Parsed> = serde_json::from_slice(&records).unwrap();
    assert_eq!(rows.len(), batch.rows());
    for (row, object) in rows.iter().enumerate() {
        for (at, field) in batch.schema().fields.iter().enumerate() {
            if let Value::Text(text) = batch.value(at, row) {
                assert_eq!(object[&*field.name].as_str(), Some(text));
            }
        }
    }
    let mut lines = Vec::new();
    json::write_ndjson(batch, &mut lines).unwrap();
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), batch.rows());
    for (line, row) in lines.split(|byte| *byte == b'\n').zip(&rows) {
        assert_eq!(&serde_json::from_slice::<Parsed>(line).unwrap(), row);
    }
    let mut columns = Vec::new();
    json::write_columns(batch, &mut columns).unwrap();
    let columns: serde_json::Map<String, Parsed> = serde_json::from_slice(&columns).unwrap();
    assert!(columns.values().all(|cells| cells.as_array().unwrap().len() == batch.rows()));
}

fn chunked(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::new();
    let options = Options { orient: Orient::Records, ..Options::default() };
    let mut writer = Writer::new(options, |chunk| {
        out.extend_from_slice(chunk);
        Ok::<(), ColumnError>(())
    });
    writer.batch(batch).unwrap();
    writer.finish().unwrap();
    out
}

fn json_cells(batch: &Batch) -> impl Iterator<Item = &str> {
    let cells =
        (0..batch.columns().len()).flat_map(|at| (0..batch.rows()).map(move |row| (at, row)));
    cells.filter_map(|(at, row)| match batch.value(at, row) {
        Value::Json(text) => Some(text),
        _ => None,
    })
}

fn batch(u: &mut Unstructured<'_>) -> Result<Batch> {
    let rows = u.int_in_range(0..=24)?;
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for _ in 0..u.int_in_range(0..=6)? {
        let (kind, column) = column(u, rows)?;
        fields.push(Field::new(u.arbitrary::<&str>()?, kind));
        columns.push(column);
    }
    Ok(Batch::new(Arc::new(Schema::new(fields)), columns, rows))
}

fn column(u: &mut Unstructured<'_>, rows: usize) -> Result<(Type, Column)> {
    Ok(match u.int_in_range(0..=17)? {
        0 => fixed(u, rows, Type::Int8, 0, |u| u.arbitrary::<i8>())?,
        1 => fixed(u, rows, Type::Int32, 0, |u| u.arbitrary::<i32>())?,
        2 => fixed(u, rows, Type::Int64, 0, |u| u.arbitrary::<i64>())?,
        3 => fixed(u, rows, Type::UInt64, 0, |u| u.arbitrary::<u64>())?,
        4 => fixed(u, rows, Type::Float32, f32::NAN, |u| u.arbitrary::<f32>())?,
        5 => fixed(u, rows, Type::Float64, f64::NAN, |u| u.arbitrary::<f64>())?,
        6 => fixed(u, rows, Type::Date, 0, |u| u.arbitrary::<i32>())?,
        7 => fixed(u, rows, Type::Time, 0, |u| u.int_in_range(0..=86_400_000_000_i64))?,
        8 => fixed(u, rows, Type::Timestamp { utc: true }, 0, |u| u.arbitrary::<i64>())?,
        9 => fixed(u, rows, Type::Uuid, 0, |u| u.arbitrary::<i128>())?,
        10 => {
            let none = IntervalMonthDayNano::new(0, 0, 0);
            fixed(u, rows, Type::Interval, none, |u| {
                Ok(IntervalMonthDayNano::new(u.arbitrary()?, u.arbitrary()?, u.arbitrary()?))
            })?
        }
        11 => {
            let mut bits = Bits::default();
            for _ in 0..rows {
                match u.arbitrary()? {
                    Some(value) => bits.push(value),
                    None => bits.push_null(),
                }
            }
            (Type::Bool, bits.finish())
        }
        12 => {
            let mut decimals = Decimal::undeclared();
            while decimals.len() < rows {
                let (negative, weight, scale) =
                    (u.arbitrary()?, u.arbitrary::<i8>()?, u.arbitrary::<u8>()?);
                // What the builder refuses is left out.
                if decimals.push(negative, u.arbitrary()?, weight.into(), scale.into()).is_err() {
                    decimals.push_null();
                }
            }
            decimals.finish()
        }
        13 => {
            let mut labels = Dictionary::default();
            for _ in 0..rows {
                labels.push(u.arbitrary::<&str>()?.as_bytes());
            }
            (Type::Enum, labels.finish().unwrap())
        }
        14 => (Type::Bytes, bytes(u, rows, Bytes::binary())?),
        15 => (Type::Json, bytes(u, rows, Bytes::text())?),
        16 => {
            let (mut lists, mut end) = (ListOffsets::default(), 0);
            for _ in 0..rows {
                end += u.int_in_range(0..=2)?;
                lists.push(end);
            }
            let elements = bytes(u, end, Bytes::text())?;
            (Type::List(Box::new(Type::Text)), lists.finish(&Type::Text, elements))
        }
        _ => (Type::Text, bytes(u, rows, Bytes::text())?),
    })
}

fn fixed<T: Native>(
    u: &mut Unstructured<'_>,
    rows: usize,
    kind: Type,
    slot: T,
    mut value: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<(Type, Column)> {
    let mut builder = Fixed::new(slot);
    for _ in 0..rows {
        if u.ratio(1, 8)? { builder.push_null() } else { builder.push(value(u)?) }
    }
    let column = builder.finish(&kind);
    Ok((kind, column))
}

fn bytes(u: &mut Unstructured<'_>, rows: usize, mut builder: Bytes) -> Result<Column> {
    for _ in 0..rows {
        match u.arbitrary::<Option<&str>>()? {
            Some(text) => builder.push(text.as_bytes()),
            None => builder.push_null(),
        }
    }
    Ok(builder.finish().unwrap())
}
