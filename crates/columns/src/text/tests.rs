use proptest::prelude::*;

use super::{
    civil_from_days, days_from_civil, parse_date, parse_time, parse_timestamp, parse_uuid,
};
use crate::{DecimalValue, Value};

const DAY: i64 = 86_400_000_000;

fn shown(values: &[Value<'_>]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn plain_values() {
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::UInt(u64::MAX),
        Value::Float(1.0),
        Value::Float(f64::NAN),
        Value::Float(f64::NEG_INFINITY),
        Value::Float32(0.1),
        Value::Decimal(DecimalValue::new(-5, 2)),
        Value::Decimal(DecimalValue::new(12, -2)),
        Value::Decimal(DecimalValue::new(0, 3)),
        Value::Text("as it is, \"quoted\""),
        Value::Bytes(&[0, 10, 255]),
        Value::Json("{ }"),
        Value::Uuid(*b"0123456789abcdef"),
    ];
    insta::assert_snapshot!(shown(&values), @r#"
    null
    true
    -9223372036854775808
    18446744073709551615
    1.0
    NaN
    -Infinity
    0.1
    -0.05
    1200
    0.000
    as it is, "quoted"
    \x000aff
    { }
    30313233-3435-3637-3839-616263646566
    "#);
}

#[test]
fn dates_and_times() {
    let utc = |micros| Value::Timestamp { micros, utc: true };
    let values = [
        Value::Date(19_724),
        Value::Date(-719_529),
        Value::Date(-734_763),
        Value::Date(2_932_897),
        Value::Date(i32::MAX),
        Value::Date(i32::MIN),
        Value::Time(0),
        Value::Time(11_045_600_000),
        Value::Time(DAY),
        utc(0),
        utc(19_724 * DAY + 11_045_678_901),
        utc(-719_529 * DAY + 1),
        utc(i64::MAX),
        utc(i64::MIN),
        Value::Timestamp { micros: -1, utc: false },
    ];
    insta::assert_snapshot!(shown(&values), @r"
    2024-01-02
    0002-12-31 BC
    0043-04-16 BC
    10000-01-01
    5881580-07-11
    5877642-06-23 BC
    00:00:00
    03:04:05.6
    24:00:00
    1970-01-01 00:00:00+00
    2024-01-02 03:04:05.678901+00
    0002-12-31 00:00:00.000001+00 BC
    294247-01-10 04:00:54.775807+00
    290309-12-21 19:59:05.224192+00 BC
    1969-12-31 23:59:59.999999
    ");
}

#[test]
fn intervals() {
    let interval = |months, days, nanos| Value::Interval { months, days, nanos };
    let values = [
        interval(0, 0, 0),
        interval(14, 3, 14_706_700_000_000),
        interval(-14, 3, -14_706_700_000_000),
        interval(1, -1, 1_000_000_000),
        interval(0, 1, 0),
        interval(-12, 0, 0),
        interval(0, 0, -500_000_000),
        interval(0, 0, 360_000_000_000_000),
    ];
    insta::assert_snapshot!(shown(&values), @r"
    00:00:00
    1 year 2 mons 3 days 04:05:06.7
    -1 years -2 mons +3 days -04:05:06.7
    1 mon -1 days +00:00:01
    1 day
    -1 years
    -00:00:00.5
    100:00:00
    ");
}

#[test]
fn texts_that_are_no_dates() {
    for text in [
        "",
        "2024",
        "2024-1-02",
        "2024-01-2",
        "2024-00-01",
        "2024-01-00",
        "2023-02-29",
        "1900-02-29",
        "2024-01-02 ",
        "24-01-02",
        "12024-01-02",
        "2024/01/02",
        "-24-01-02",
        "+9999999999-01-01",
        "+999999999-01-01",
    ] {
        assert_eq!(parse_date(text.as_bytes()), None, "{text}");
    }
    for text in [
        "",
        "1:02",
        "24:00",
        "12:60",
        "12:00:60",
        "12:00:00.",
        "12:00:00.1234567",
        "12:00:",
        "12:00:00x",
    ] {
        assert_eq!(parse_time(text.as_bytes()), None, "{text}");
    }
    for text in [
        "2024-01-02T",
        "2024-01-02T25:00",
        "2024-01-02x03:04",
        "2024-01-02 03:04 ",
        "2024-01-02 03:04+",
        "2024-01-02 03:04+2",
        "2024-01-02 03:04+02:",
        "2024-01-02 03:04+02:60",
        "2024-01-02 03:04ZZ",
        "+294248-01-01 00:00",
    ] {
        assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
    }
    for text in [
        "",
        "0",
        "00112233445566778899aabbccddeefg",
        "0011223344-556677-8899-aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeef",
        "+0112233445566778899aabbccddeeff",
    ] {
        assert_eq!(parse_uuid(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn forms_of_timestamps() {
    let seconds = |text: &str| {
        parse_timestamp(text.as_bytes()).map(|(micros, offset)| (micros - 19_724 * DAY, offset))
    };
    assert_eq!(seconds("2024-01-02"), Some((0, None)));
    assert_eq!(seconds("2024-01-02 00:01"), Some((60_000_000, None)));
    assert_eq!(seconds("2024-01-02t00:00:01.5z"), Some((1_500_000, Some(0))));
    assert_eq!(seconds("2024-01-02T00:00:00.123456000"), Some((123_456, None)));
    assert_eq!(seconds("2024-01-02T00:00:00-0330"), Some((0, Some(-12_600))));
    assert_eq!(seconds("2024-01-02T00:00:00 +02:30:15"), Some((0, Some(9_015))));
    assert_eq!(parse_uuid(b"{00112233445566778899aabbccddeeff}").unwrap()[15], 0xff);
}

proptest! {
    #[test]
    fn every_day_has_one_date(days in any::<i32>()) {
        let (year, month, day) = civil_from_days(days);
        prop_assert_eq!(days_from_civil(year, month, day), Some(days));
        if let Some(next) = days.checked_add(1) {
            let next = civil_from_days(next);
            prop_assert!(next > (year, month, day));
            prop_assert!(next.2 == day + 1 || next.2 == 1);
        }
    }

    #[test]
    fn printed_timestamps_are_read_back(micros in -62_135_596_800_000_000..253_402_300_800_000_000_i64, utc in any::<bool>()) {
        let text = Value::Timestamp { micros, utc }.to_string();
        prop_assert_eq!(parse_timestamp(text.as_bytes()), Some((micros, utc.then_some(0))));
    }

    #[test]
    fn uuids_are_read_back(uuid in any::<[u8; 16]>()) {
        prop_assert_eq!(parse_uuid(Value::Uuid(uuid).to_string().as_bytes()), Some(uuid));
    }

    #[test]
    fn nothing_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = (parse_date(&text), parse_time(&text), parse_timestamp(&text), parse_uuid(&text));
    }
}
