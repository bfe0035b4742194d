//! JSON read the quick way is what `serde_json` makes of it, or is left to that.

use std::fmt::Write as _;
use std::sync::Arc;

use rowmill_columns::{Field, Schema, Type};

use super::chance::Chance;
use crate::filter::cell::{Cell, List};
use crate::filter::row::Cells;
use crate::matcher::{Attributes, Record, json};

type Made = fn() -> Type;

const KINDS: &[(&str, Made)] = &[
    ("int", || Type::Int64),
    ("unsigned", || Type::UInt64),
    ("float", || Type::Float64),
    ("flag", || Type::Bool),
    ("text", || Type::Text),
    ("decimal", || Type::Decimal { precision: 38, scale: 10 }),
    ("json", || Type::Json),
    ("day", || Type::Date),
    ("at", || Type::Timestamp { utc: true }),
    ("id", || Type::Uuid),
    ("ints", || Type::List(Box::new(Type::Int64))),
    ("floats", || Type::List(Box::new(Type::Float64))),
    ("texts", || Type::List(Box::new(Type::Text))),
    ("decimals", || Type::List(Box::new(Type::Decimal { precision: 38, scale: 2 }))),
];

const VALUES: &[&str] = &[
    "0",
    "-0",
    "7",
    "-7",
    "00",
    "-01",
    "123456789012345678",
    "1234567890123456789",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.5",
    "-0.0",
    "1.",
    ".5",
    "-",
    "1.25",
    "0.1",
    "123456789.123456789",
    "1234567890.1234567890",
    "1e3",
    "1E-7",
    "1e999",
    "1.5e",
    "2.50",
    "true",
    "false",
    "null",
    "nul",
    r#""""#,
    r#""a""#,
    r#""Zoë""#,
    r#""a\nb""#,
    r#""\u00e9""#,
    r#""\ud800""#,
    "\"\u{1}\"",
    r#""open"#,
    r#""2024-01-31""#,
    r#""2024-01-31T12:00:00Z""#,
    r#""12.50""#,
    r#""6ba7b810-9dad-11d1-80b4-00c04fd430c8""#,
    "[]",
    "[1, 2]",
    "[1,null,-3]",
    "[0.5,1]",
    "[1e2]",
    r#"["a","b"]"#,
    r#"["a\tb", "c"]"#,
    "[[1]]",
    "[1,]",
    "[1 2]",
    "{}",
    r#"{"a": [1, {"b": null}]}"#,
    "1.10",
    "-12345678901234567890.5",
    "",
    "\u{feff}1",
]; // What JSON may hold, and what it may not.

fn shown(record: &Record) -> String {
    let fields = &record.attributes().schema().fields;
    let mut out = String::new();
    for (at, field) in fields.iter().enumerate() {
        match record.cell(at, &field.kind) {
            Ok(Cell::List(List::Held(list))) => {
                let cells: Vec<_> = (0..list.len()).map(|at| list.get(at)).collect();
                writeln!(out, "{} {cells:?}", field.name)
            }
            cell => writeln!(out, "{} {cell:?}", field.name),
        }
        .unwrap_or_else(|error| panic!("{error}"));
    }
    out
}

fn attributes() -> Arc<Attributes> {
    let fields = KINDS.iter().map(|(name, kind)| Field::new(*name, kind())).collect();
    Attributes::new(Arc::new(Schema::new(fields)))
}

/// A text that is nearly a record.
fn drawn(chance: &mut Chance) -> String {
    let mut out = String::from("{");
    let members = chance.below(5);
    for at in 0..members {
        let blank = *chance.one(&["", "", "", " ", "\n\t", "\r"]);
        let name = match chance.below(20) {
            0 => "nobody",
            1 => r"te\u0078t",
            _ => chance.one(KINDS).0,
        };
        let value = chance.one(VALUES);
        let comma = if at + 1 < members { "," } else { "" };
        write!(out, "{blank}\"{name}\"{blank}:{blank}{value}{blank}{comma}")
            .unwrap_or_else(|error| panic!("{error}"));
    }
    out.push('}');
    if chance.below(4) == 0 {
        let at = chance.below(out.len());
        if out.is_char_boundary(at) {
            match chance.below(3) {
                0 => out.truncate(at),
                1 => out.insert_str(at, chance.one::<&str>(VALUES)),
                _ => out.insert(at, *chance.one(&['"', ',', ':', '}', ']', '\\', ' ', '\0'])),
            }
        }
    }
    out
}

#[test]
fn both_ways_agree() {
    let attributes = attributes();
    let mut chance = Chance(5);
    let (mut quick, mut alike) = (Record::new(&attributes), Record::new(&attributes));
    let (mut whole, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let text = drawn(&mut chance);
        let ignores = chance.below(2) == 0;
        quick.clear();
        alike.clear();
        let done = json::plain::read(&mut quick, &text, ignores);
        let mut names_nothing = false;
        let names = (!ignores).then_some(&mut names_nothing);
        let told = alike.read_json(serde_json::Deserializer::from_str(&text), names);
        if done.is_some() {
            assert!(told.is_ok(), "{text}: {told:?}");
            assert_eq!(shown(&quick), shown(&alike), "{text}");
            whole += 1;
        }
        // No more is left to the slow way than what only it can read.
        assert!(done.is_some() || told.is_err() || text.contains('\\'), "{text}");
        refused += usize::from(told.is_err());
        // What is left half set can still be read.
        shown(&quick);
        let set = quick.set_json(text.as_bytes(), ignores);
        assert_eq!(set.is_ok(), told.is_ok(), "{text}");
        assert_eq!(set.is_err_and(|error| error.names_nothing()), names_nothing, "{text}");
    }
    assert!(whole > 10_000 && refused > 10_000, "{whole} read, {refused} refused");
}

/// Digits before and behind a point, and an exponent, of all lengths that are read in one way or another.
fn number(chance: &mut Chance) -> String {
    let digits = |chance: &mut Chance, most: usize| -> String {
        let count = chance.below(most + 1);
        (0..count).map(|_| char::from(b'0' + chance.below(10) as u8)).collect()
    };
    let mut out = String::from(*chance.one(&["", "", "-"]));
    out += &digits(chance, 21);
    if chance.below(2) == 0 {
        out.push('.');
        out += &digits(chance, 21);
    }
    if chance.below(6) == 0 {
        out += chance.one::<&str>(&["e", "E", "e+", "e-"]);
        out += &digits(chance, 3);
    }
    out
}

#[test]
fn numbers_of_all_lengths_are_read_alike() {
    let attributes = attributes();
    let mut chance = Chance(11);
    let mut read = 0;
    for _ in 0..60_000 {
        let value = number(&mut chance);
        let text = match *chance.one(&["int", "unsigned", "float", "decimal", "ints", "floats"]) {
            list @ ("ints" | "floats") => format!("{{\"{list}\":[{value},{value} ]}}"),
            name => format!("{{\"{name}\":{value}}}"),
        };
        read += usize::from(compare(&attributes, &text));
    }
    assert!(read > 10_000, "{read}");
}

/// Each byte that ends a text or might be taken for one, after each number of others.
#[test]
fn texts_end_where_they_end() {
    let attributes = attributes();
    for before in 0..20 {
        for mark in [
            "\"", "\\n", "\\", "\u{1f}", " ", "!", "#", "[", "]", "\u{7f}", "é", "€", "😀",
            "\u{a0}",
        ] {
            for behind in ["", "a", "\"", "aaaaaaaaaaa\""] {
                let text = format!("{{\"text\":\"{}{mark}{behind}", "a".repeat(before));
                for end in ["", "}", "\"}", ",\"int\":1}"] {
                    compare(&attributes, &format!("{text}{end}"));
                }
            }
        }
    }
}

/// Whether both ways read it, and have read the same.
fn compare(attributes: &Arc<Attributes>, text: &str) -> bool {
    let (mut quick, mut alike) = (Record::new(attributes), Record::new(attributes));
    let done = json::plain::read(&mut quick, text, false).is_some();
    let told = alike.read_json(serde_json::Deserializer::from_str(text), Some(&mut false));
    assert_eq!(done, told.is_ok(), "{text}: {told:?}");
    if done {
        assert_eq!(shown(&quick), shown(&alike), "{text}");
    }
    done
}

#[test]
fn odd_members_do_not_send_the_rest_the_long_way() {
    let mut record = Record::new(&attributes());
    let text = r#" {"text": "a\nb", "ints": [1, 2], "texts": ["\t"], "json": {"a": []}, "decimal": 1.50,
        "float": 1e3, "other": {"a": [1]}, "int": -5, "flag": true, "day": null, "floats": []} "#;
    assert!(json::plain::read(&mut record, text, true).is_some());
    insta::assert_snapshot!(shown(&record));
    assert!(json::plain::read(&mut record, text, false).is_none(), "\"other\" is no attribute");
}
