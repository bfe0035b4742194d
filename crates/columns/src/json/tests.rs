use std::collections::BTreeMap;

use arrow_buffer::IntervalMonthDayNano;
use proptest::prelude::*;
use serde_json::Value as Parsed;

use super::{CHUNK, Decimals, JsonCells, Options, Orient, Writer, validate_json, write};
use crate::testing::{any_batch, batch, fixed, text};
use crate::text::{parse_date, parse_time, parse_timestamp, parse_uuid};
use crate::{Batch, Column, ColumnError, Type, Value};

fn written(batch: &Batch, options: Options) -> String {
    let mut out = b"before".to_vec();
    write(batch, options, &mut out).unwrap();
    String::from_utf8(out.split_off(6)).unwrap()
}

fn oriented(orient: Orient) -> Options {
    Options { orient, ..Options::default() }
}

fn records(batch: &Batch) -> String {
    written(batch, Options::default())
}

/// The cells of one column as they stand in an array.
fn cells(kind: Type, column: Column) -> String {
    let json = written(&batch(vec![("x", kind, column)]), oriented(Orient::Columns));
    json.strip_prefix(r#"{"x":["#).unwrap().strip_suffix("]}").unwrap().to_owned()
}

/// Whether parsed JSON is what the value should have become.
fn agrees(json: &Parsed, value: &Value<'_>) -> bool {
    let same = |expected: f64| json.as_f64() == Some(expected);
    let text = json.as_str().map(str::as_bytes);
    match value {
        Value::Bool(value) => json.as_bool() == Some(*value),
        Value::Int(value) => json.as_i64() == Some(*value),
        Value::UInt(value) => json.as_u64() == Some(*value),
        Value::Float(value) if value.is_finite() => same(*value),
        Value::Float32(value) if value.is_finite() => {
            json.as_f64().is_some_and(|found| (found as f32).total_cmp(value).is_eq())
        }
        Value::Null | Value::Float(_) | Value::Float32(_) => json.is_null(),
        Value::Decimal(value) => same(value.to_string().parse().unwrap()),
        Value::Text(value) => json.as_str() == Some(value),
        Value::Foreign(value) => json.as_str() == Some(value),
        Value::Bytes(value) => text.and_then(decode) == Some(value.to_vec()),
        Value::Json(value) => serde_json::from_str::<Parsed>(value).ok().as_ref() == Some(json),
        Value::Uuid(value) => text.and_then(parse_uuid) == Some(*value),
        Value::Date(value) => text.and_then(parse_date) == Some(*value),
        Value::Time(value) => text.and_then(parse_time) == Some(*value),
        Value::Timestamp { micros, utc } => {
            text.and_then(parse_timestamp) == Some((*micros, utc.then_some(0)))
        }
        Value::Interval { .. } => json.as_str().is_some_and(|text| text.starts_with('P')),
        Value::List(list) => json.as_array().is_some_and(|array| {
            array.len() == list.len()
                && array.iter().zip(list).all(|(json, value)| agrees(json, &value))
        }),
        Value::Struct(fields) => json
            .as_object()
            .is_some_and(|object| fields.iter().all(|(name, value)| agrees(&object[name], &value))),
        Value::Map(entries) => json
            .as_object()
            .is_some_and(|object| entries.iter().all(|(key, value)| agrees(&object[key], &value))),
    }
}

/// Base64 the slow way.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let alphabet: Vec<u8> =
        (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain([b'+', b'/']).collect();
    let symbols = text.iter().filter(|symbol| **symbol != b'=');
    let bits: Option<Vec<usize>> =
        symbols.map(|symbol| alphabet.iter().position(|known| known == symbol)).collect();
    let padding = text.iter().rev().take_while(|symbol| **symbol == b'=').count();
    let bytes = bits?
        .chunks(4)
        .flat_map(|quad| {
            let bits = (0..4).fold(0, |bits, at| bits << 6 | quad.get(at).copied().unwrap_or(0));
            [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
        })
        .collect::<Vec<u8>>();
    text.len().is_multiple_of(4).then(|| bytes[..bytes.len() - padding].to_vec())
}

fn agrees_with_row(json: &Parsed, batch: &Batch, row: usize) -> bool {
    let names = batch.schema().fields.iter().map(|field| &*field.name);
    json.as_object().is_some_and(|object| {
        object.len() == batch.columns().len()
            && names.zip(0..).all(|(name, at)| agrees(&object[name], &batch.value(at, row)))
    })
}

fn has_a_name_twice(batch: &Batch) -> bool {
    let names: Vec<_> = batch.schema().fields.iter().map(|field| &*field.name).collect();
    (0..names.len()).any(|at| names[..at].contains(&names[at]))
}

#[test]
fn a_name_that_repeats_is_refused() {
    let column = || fixed(&Type::Int64, 0_i64, &[Some(1)]);
    let twice = batch(vec![("a", Type::Int64, column()), ("a", Type::Int64, column())]);
    for orient in [Orient::Records, Orient::Columns, Orient::Ndjson] {
        let mut out = b"before".to_vec();
        let error = write(&twice, oriented(orient), &mut out).unwrap_err();
        assert!(error.to_string().contains(r#"two columns are named "a""#), "{error}");
        assert_eq!(out, b"before");
    }
}

proptest! {
    #[test]
    fn a_parser_reads_back_the_same_values(batch in any_batch()) {
        if has_a_name_twice(&batch) {
            return Ok(());
        }
        let parsed: Parsed = serde_json::from_str(&records(&batch)).unwrap();
        let rows = parsed.as_array().unwrap();
        prop_assert_eq!(rows.len(), batch.rows());
        for (row, json) in rows.iter().enumerate() {
            prop_assert!(agrees_with_row(json, &batch, row), "{json}");
        }

        let lines = written(&batch, oriented(Orient::Ndjson));
        prop_assert_eq!(lines.lines().count(), batch.rows());
        for (row, line) in lines.split_terminator('\n').enumerate() {
            let json = serde_json::from_str(line).unwrap();
            prop_assert!(agrees_with_row(&json, &batch, row), "{line}");
        }

        let parsed: BTreeMap<String, Vec<Parsed>> =
            serde_json::from_str(&written(&batch, oriented(Orient::Columns))).unwrap();
        for (name, cells) in parsed {
            let column = batch.schema().position(&name).unwrap();
            prop_assert_eq!(cells.len(), batch.rows());
            for (row, cell) in cells.iter().enumerate() {
                prop_assert!(agrees(cell, &batch.value(column, row)), "{cell}");
            }
        }
    }

    #[test]
    fn chunks_are_the_document(
        batch in any_batch(),
        cut in any::<prop::sample::Index>(),
        orient in prop_oneof![Just(Orient::Records), Just(Orient::Ndjson)],
    ) {
        if has_a_name_twice(&batch) {
            return Ok(());
        }
        let cut = cut.index(batch.rows() + 1);
        let mut out = Vec::new();
        let mut writer = Writer::new(oriented(orient), |chunk| {
            out.extend_from_slice(chunk);
            Ok::<(), ColumnError>(())
        });
        writer.batch(&batch.slice(0, cut)).unwrap();
        writer.batch(&batch.slice(cut, batch.rows() - cut)).unwrap();
        writer.finish().unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), written(&batch, oriented(orient)));
    }

    #[test]
    fn floats_are_written_exactly(double in proptest::num::f64::NORMAL, single in proptest::num::f32::NORMAL) {
        let json = cells(Type::Float64, fixed(&Type::Float64, 0.0, &[Some(double)]));
        prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), double.to_bits());
        let json = cells(Type::Float32, fixed(&Type::Float32, 0.0, &[Some(single)]));
        prop_assert_eq!(json.parse::<f32>().unwrap().to_bits(), single.to_bits());
    }

    #[test]
    fn decimals_are_written_exactly(unscaled in any::<i128>(), scale in -38..=38_i8) {
        let column = |kind: &Type| fixed_decimal(kind, unscaled / 10);
        let kind = Type::Decimal { precision: 38, scale };
        let expected = Value::Decimal(crate::DecimalValue::new(unscaled / 10, scale)).to_string();
        prop_assert_eq!(&cells(kind.clone(), column(&kind)), &expected);
        let one = batch(vec![("x", kind.clone(), column(&kind))]);
        let strings = Options { decimals: Decimals::Strings, ..Options::default() };
        prop_assert_eq!(written(&one, strings), format!("[{{\"x\":\"{expected}\"}}]"));
    }

    /// Our checker and serde_json agree on what JSON is, but for numbers beyond a float and
    /// nesting, which only serde_json limits.
    #[test]
    fn the_checker_agrees_with_a_parser(
        text in prop_oneof![
            any::<String>(),
            "[\\[\\]{}\",:0-9eE+.\\\\u /-]{0,12}",
            "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
            "\"(\\\\u[dD][89abAB][0-9a-f]{2}|\\\\u[dD][c-fC-F][0-9a-f]{2}|\\\\[nrtu\"/x]|[a-z\u{e9}\u{1}]){0,4}\"",
            "[\\[{ ]?(\"a\" ?: ?)?(true|false|null|nul|1|\"\") ?,?[\\]} ]?",
        ]
    ) {
        let parsed = serde_json::from_str::<Parsed>(&text);
        let too_large = parsed.as_ref().is_err_and(|error| error.to_string().contains("range"));
        let checked = validate_json(text.as_bytes());
        prop_assert!(too_large || checked.is_ok() == parsed.is_ok(), "{text:?} {checked:?} {parsed:?}");
        prop_assert!(checked.err().is_none_or(|position| position <= text.len()));
    }
}

fn fixed_decimal(kind: &Type, unscaled: i128) -> Column {
    let array = arrow_array::Decimal128Array::from(vec![unscaled]);
    Column::from_array(std::sync::Arc::new(array.with_data_type(kind.storage())))
}

#[test]
fn every_byte_is_escaped_or_not_as_it_should_be_at_every_place() {
    for special in
        (0..=0x7f_u8).map(char::from).chain(['\u{80}', '\u{7ff}', '\u{ffff}', '\u{10000}'])
    {
        for before in 0..20 {
            for after in 0..10 {
                let cell = [
                    "a".repeat(before),
                    special.to_string(),
                    "\"".repeat(after % 2),
                    "b".repeat(after),
                ]
                .concat();
                let json = cells(Type::Text, text(&[Some(&cell)]));
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), cell);
                let plain = !special.is_control() || special >= '\u{7f}';
                if plain && special != '"' && special != '\\' {
                    assert!(json.contains(special), "{special:?} needs no escape");
                }
            }
        }
    }
}

#[test]
fn long_text_is_written_in_blocks() {
    for len in [1_023, 1_024, 1_025, 4_095, 4_096, 4_097, 8_192, 300_000] {
        let cell = "\u{1}\"x\u{e9}".repeat(len / 5);
        let json = cells(Type::Text, text(&[Some(&cell)]));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), cell, "{len}");
    }
    let bytes: Vec<u8> = (0..20_000_u32).map(|at| (at * 7) as u8).collect();
    for len in [0, 1, 2, 3, 4, 3_071, 3_072, 3_073, 20_000] {
        let mut column = crate::build::Bytes::binary();
        column.push(&bytes[..len]);
        let json = cells(Type::Bytes, column.finish().unwrap());
        assert_eq!(decode(json.trim_matches('"').as_bytes()).unwrap(), bytes[..len]);
    }
}

#[test]
fn layouts() {
    let pair = batch(vec![
        ("id", Type::Int64, fixed(&Type::Int64, 0_i64, &[Some(1), None])),
        ("a \"name\"", Type::Text, text(&[Some("x\ny"), Some("")])),
    ]);
    insta::assert_snapshot!(records(&pair), @r#"[{"id":1,"a \"name\"":"x\ny"},{"id":null,"a \"name\"":""}]"#);
    insta::assert_snapshot!(written(&pair, oriented(Orient::Columns)), @r#"{"id":[1,null],"a \"name\"":["x\ny",""]}"#);
    insta::assert_snapshot!(written(&pair, oriented(Orient::Ndjson)), @r#"
    {"id":1,"a \"name\"":"x\ny"}
    {"id":null,"a \"name\"":""}
    "#);
    let none = pair.slice(0, 0);
    assert_eq!(records(&none), "[]");
    assert_eq!(written(&none, oriented(Orient::Columns)), r#"{"id":[],"a \"name\"":[]}"#);
    assert_eq!(written(&none, oriented(Orient::Ndjson)), "");
    let bare = pair.select(&[]);
    assert_eq!(records(&bare), "[{},{}]");
    assert_eq!(written(&bare, oriented(Orient::Columns)), "{}");
    assert_eq!(written(&bare, oriented(Orient::Ndjson)), "{}\n{}\n");
}

#[test]
fn long_names_are_written_whole() {
    for len in [27, 28, 29, 30, 60, 2_000] {
        let name = "n".repeat(len);
        let one = batch(vec![(&name, Type::Int64, fixed(&Type::Int64, 0_i64, &[Some(1)]))]);
        assert_eq!(records(&one), format!("[{{\"{name}\":1}}]"));
    }
}

#[test]
fn dates_and_times() {
    let day = 86_400_000_000_i64;
    let timestamps = [
        0,
        1,
        -1,
        19_724 * day + 11_045_678_901,
        253_402_300_800_000_000 - 1,
        253_402_300_800_000_000,
        -719_528 * day,
        -719_528 * day - 1,
        i64::MAX,
        i64::MIN,
    ]
    .map(Some);
    let list = |json: String| json.replace("\",\"", "\"\n\"");
    let utc = Type::Timestamp { utc: true };
    insta::assert_snapshot!(list(cells(utc.clone(), fixed(&utc, 0, &timestamps))), @r#"
    "1970-01-01T00:00:00Z"
    "1970-01-01T00:00:00.000001Z"
    "1969-12-31T23:59:59.999999Z"
    "2024-01-02T03:04:05.678901Z"
    "9999-12-31T23:59:59.999999Z"
    "+010000-01-01T00:00:00Z"
    "0000-01-01T00:00:00Z"
    "-000001-12-31T23:59:59.999999Z"
    "+294247-01-10T04:00:54.775807Z"
    "-290308-12-21T19:59:05.224192Z"
    "#);
    let wall = Type::Timestamp { utc: false };
    insta::assert_snapshot!(cells(wall.clone(), fixed(&wall, 0, &timestamps[3..6])), @r#""2024-01-02T03:04:05.678901","9999-12-31T23:59:59.999999","+010000-01-01T00:00:00""#);
    let dates = [0, -719_529, 2_932_897, i32::MAX, i32::MIN].map(Some);
    insta::assert_snapshot!(list(cells(Type::Date, fixed(&Type::Date, 0, &dates))), @r#"
    "1970-01-01"
    "-000001-12-31"
    "+010000-01-01"
    "+5881580-07-11"
    "-5877641-06-23"
    "#);
    let times = [0, 11_045_678_901, day - 1].map(Some);
    insta::assert_snapshot!(cells(Type::Time, fixed(&Type::Time, 0, &times)), @r#""00:00:00","03:04:05.678901","23:59:59.999999""#);
}

#[test]
fn intervals() {
    let intervals = [
        (0, 0, 0),
        (14, 3, 14_706_700_000_000),
        (-14, 3, -14_706_700_000_000),
        (0, 0, -500_000_000),
        (0, -1, 0),
        (1, 0, 3_600_000_000_000),
        (0, 0, 1),
        (i32::MIN, i32::MIN, i64::MIN),
    ];
    let cells_of =
        intervals.map(|(months, days, nanos)| Some(IntervalMonthDayNano::new(months, days, nanos)));
    let column = fixed(&Type::Interval, IntervalMonthDayNano::new(0, 0, 0), &cells_of);
    insta::assert_snapshot!(cells(Type::Interval, column).replace(',', "\n"), @r#"
    "PT0S"
    "P1Y2M3DT4H5M6.7S"
    "P-1Y-2M3DT-4H-5M-6.7S"
    "PT-0.5S"
    "P-1D"
    "P1MT1H"
    "PT0.000000001S"
    "P-178956970Y-8M-2147483648DT-2562047H-47M-16.854775808S"
    "#);
}

#[test]
fn numbers() {
    let floats = [0.0, -0.0, 1.0, 1e16, 1e300, -2.5e-7, f64::NAN, f64::INFINITY].map(Some);
    insta::assert_snapshot!(cells(Type::Float64, fixed(&Type::Float64, 0.0, &floats)), @"0.0,-0.0,1.0,1e+16,1e+300,-2.5e-7,null,null");
    let large = [u64::MAX, (1 << 53) + 1].map(Some);
    assert_eq!(
        cells(Type::UInt64, fixed(&Type::UInt64, 0, &large)),
        "18446744073709551615,9007199254740993"
    );
    let small = [i64::MIN, -1].map(Some);
    assert_eq!(cells(Type::Int64, fixed(&Type::Int64, 0, &small)), "-9223372036854775808,-1");
}

#[test]
fn json_cells_are_checked_unless_trusted() {
    let cell = "{\n\"a\" : \"\\n\" }";
    let json = |cell: &str| batch(vec![("doc", Type::Json, text(&[Some("1"), Some(cell)]))]);
    assert_eq!(records(&json(cell)), "[{\"doc\":1},{\"doc\":{\n\"a\" : \"\\n\" }}]");
    assert_eq!(
        written(&json(cell), oriented(Orient::Ndjson)),
        "{\"doc\":1}\n{\"doc\":{ \"a\" : \"\\n\" }}\n"
    );

    let mut out = b"kept".to_vec();
    let error = write(&json("{'a'}"), Options::default(), &mut out).unwrap_err();
    insta::assert_snapshot!(error, @r#"column "doc", row 1: the text is not JSON, see its byte 1"#);
    assert_eq!(out, b"kept");
    let trusted = Options { json: JsonCells::Trusted, ..Options::default() };
    assert_eq!(written(&json("{'a'}"), trusted), "[{\"doc\":1},{\"doc\":{'a'}}]");

    let mut lists = crate::build::ListOffsets::default();
    lists.push(2);
    let kind = Type::List(Box::new(Type::Json));
    let list = lists.finish(&Type::Json, text(&[Some("1"), Some("1 1")]));
    let nested = batch(vec![("docs", kind, list)]);
    let error = write(&nested, Options::default(), &mut out).unwrap_err();
    insta::assert_snapshot!(error, @r#"column "docs", row 0: the text is not JSON, see its byte 2"#);
}

#[test]
fn chunks_are_no_larger_than_the_buffer() {
    let long = "\u{1}".repeat(1_000_000);
    let column = text(&[Some(long.as_str()), Some("x"), Some(long.as_str())]);
    let large = batch(vec![("text", Type::Text, column.clone()), ("again", Type::Text, column)]);
    let mut sizes = Vec::new();
    let mut writer = Writer::new(Options::default(), |chunk| {
        sizes.push(chunk.len());
        Ok::<(), ColumnError>(())
    });
    writer.batch(&large).unwrap();
    writer.finish().unwrap();
    assert_eq!(sizes.iter().sum::<usize>(), records(&large).len());
    assert!(sizes.iter().all(|size| *size <= CHUNK && *size > 0), "{sizes:?}");
    assert!(sizes.len() <= 24_000_000 / (CHUNK / 2), "{}", sizes.len());
}

#[test]
fn a_receiver_that_fails_ends_the_writing() {
    let rows = batch(vec![("x", Type::Text, text(&[Some("y".repeat(2 * CHUNK))]))]);
    let mut calls = 0;
    let mut writer = Writer::new(Options::default(), |_| {
        calls += 1;
        Err::<(), std::io::Error>(std::io::ErrorKind::BrokenPipe.into())
    });
    assert_eq!(writer.batch(&rows).unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    drop(writer);
    assert_eq!(calls, 1);
}

#[test]
fn documents_of_no_batch_or_several() {
    let one = batch(vec![("x", Type::Int64, fixed(&Type::Int64, 0_i64, &[Some(1)]))]);
    let document = |orient, batches: &[&Batch]| {
        let mut out = Vec::new();
        let mut writer = Writer::new(oriented(orient), |chunk| {
            out.extend_from_slice(chunk);
            Ok::<(), ColumnError>(())
        });
        batches.iter().try_for_each(|batch| writer.batch(batch))?;
        writer.finish()?;
        Ok::<String, ColumnError>(String::from_utf8(out).unwrap())
    };
    let empty = one.slice(0, 0);
    assert_eq!(document(Orient::Records, &[]).unwrap(), "[]");
    assert_eq!(
        document(Orient::Records, &[&empty, &one, &empty, &one]).unwrap(),
        r#"[{"x":1},{"x":1}]"#
    );
    assert_eq!(document(Orient::Ndjson, &[]).unwrap(), "");
    assert_eq!(document(Orient::Columns, &[]).unwrap(), "{}");
    assert_eq!(document(Orient::Columns, &[&one]).unwrap(), r#"{"x":[1]}"#);
    let error = document(Orient::Columns, &[&one, &one]).unwrap_err();
    insta::assert_snapshot!(error, @"JSON by columns is written from a single batch");
}

#[test]
fn the_checker_names_the_place() {
    let place = |text: &[u8]| validate_json(text).err();
    assert_eq!(place(b""), Some(0));
    assert_eq!(place(b"[1,]"), Some(3));
    assert_eq!(place(b"{\"a\":1,}"), Some(7));
    assert_eq!(place(b"01"), Some(1));
    assert_eq!(place(b"1."), Some(2));
    assert_eq!(place(b"-"), Some(1));
    assert_eq!(place(b"nul"), Some(3));
    assert_eq!(place(b"\"\x01\""), Some(1));
    assert_eq!(place(b"\"\xff\""), Some(1));
    assert_eq!(place(br#""\ud800""#), Some(7));
    assert_eq!(place(br#""\ud83d\ude00""#), None);
    assert_eq!(place(br#""\ude00""#), Some(2));
    assert_eq!(place(b" [ ] "), None);
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    assert_eq!(place(deep.as_bytes()), None);
}
