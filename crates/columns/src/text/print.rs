use std::fmt::{self, Formatter, Write};

use super::civil_from_days;
use crate::{ListValue, Value};

const MICROS_A_DAY: i64 = 86_400_000_000;

/// As PostgreSQL prints it with `DateStyle` ISO and `IntervalStyle` postgres: dates
/// `2024-01-02`, `0044-03-15 BC`, timestamps `2024-01-02 03:04:05.6` with `+00` for instants,
/// intervals `1 year 2 mons 3 days 04:05:06.7`, bytes `\x0aff`. NULL is `null`, floats
/// take the shortest digits that read back as the same float, lists are `[1, 2, null]` and structs
/// `{a: 1, b: "x"}`, with text inside them quoted.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => f.write_str(itoa::Buffer::new().format(*value)),
            Self::UInt(value) => f.write_str(itoa::Buffer::new().format(*value)),
            Self::Float(value) if value.is_infinite() => infinite(f, *value > 0.0),
            Self::Float32(value) if value.is_infinite() => infinite(f, *value > 0.0),
            Self::Float(value) => f.write_str(zmij::Buffer::new().format(*value)),
            Self::Float32(value) => f.write_str(zmij::Buffer::new().format(*value)),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::Text(value) | Self::Json(value) => f.write_str(value),
            Self::Foreign(value) => f.write_str(value),
            Self::Bytes(value) => {
                f.write_str("\\x")?;
                value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Uuid(value) => uuid(f, value),
            Self::Date(days) => {
                date(f, *days)?;
                era(f, *days)
            }
            Self::Time(micros) => clock(f, micros.saturating_mul(1_000)),
            Self::Timestamp { micros, utc } => {
                let nanos = micros.rem_euclid(1_000_000) * 1_000;
                timestamp(f, micros.div_euclid(1_000_000), nanos as u32, *utc)
            }
            Self::Interval { months, days, nanos } => interval(f, *months, *days, *nanos),
            Self::List(list) => write_list(f, list),
            Self::Struct(fields) => write_named(f, fields.iter()),
            Self::Map(entries) => write_named(f, entries.iter()),
        }
    }
}

fn infinite(f: &mut Formatter<'_>, positive: bool) -> fmt::Result {
    f.write_str(if positive { "Infinity" } else { "-Infinity" })
}

fn uuid(f: &mut Formatter<'_>, bytes: &[u8; 16]) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
        write!(f, "{dash}{byte:02x}")?;
    }
    Ok(())
}

/// Year, month and day, the year as it is counted within its era.
fn date(f: &mut impl Write, days: i32) -> fmt::Result {
    let (year, month, day) = civil_from_days(days);
    let year = if year > 0 { year } else { 1 - year };
    write!(f, "{year:04}-{month:02}-{day:02}")
}

fn era(f: &mut impl Write, days: i32) -> fmt::Result {
    if civil_from_days(days).0 > 0 { Ok(()) } else { f.write_str(" BC") }
}

/// Hours, minutes, seconds and as many digits of the fraction as there are.
fn clock(f: &mut impl Write, nanos: i64) -> fmt::Result {
    if nanos < 0 {
        f.write_char('-')?;
    }
    let (seconds, part) =
        (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    write!(f, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
    if part == 0 {
        return Ok(());
    }
    let digits = format!("{part:09}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

fn timestamp(f: &mut impl Write, seconds: i64, nanos: u32, utc: bool) -> fmt::Result {
    let Ok(days) = i32::try_from(seconds.div_euclid(86_400)) else {
        // Beyond five million years: the calendar has no use for it.
        let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let (sign, total) = (if total < 0 { "-" } else { "" }, total.unsigned_abs());
        let (seconds, nanos) = (total / 1_000_000_000, total % 1_000_000_000);
        return write!(f, "{sign}{seconds}.{nanos:09} seconds since 1970");
    };
    date(f, days)?;
    f.write_char(' ')?;
    clock(f, seconds.rem_euclid(86_400) * 1_000_000_000 + i64::from(nanos))?;
    f.write_str(if utc { "+00" } else { "" })?;
    era(f, days)
}

fn interval(f: &mut impl Write, months: i32, days: i32, nanos: i64) -> fmt::Result {
    let parts = [(months / 12, "year"), (months % 12, "mon"), (days, "day")];
    let mut written = false;
    let mut negative_before = false;
    for (value, unit) in parts.into_iter().filter(|(value, _)| *value != 0) {
        let space = if written { " " } else { "" };
        // PostgreSQL marks a positive part that follows a negative one.
        let sign = if negative_before && value > 0 { "+" } else { "" };
        let plural = if value == 1 { "" } else { "s" };
        write!(f, "{space}{sign}{value} {unit}{plural}")?;
        written = true;
        negative_before = value < 0;
    }
    if nanos != 0 || !written {
        let space = if written { " " } else { "" };
        let sign = if negative_before && nanos >= 0 { "+" } else { "" };
        write!(f, "{space}{sign}")?;
        clock(f, nanos)?;
    }
    Ok(())
}

fn write_list(f: &mut Formatter<'_>, list: &ListValue<'_>) -> fmt::Result {
    f.write_char('[')?;
    for (at, value) in list.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { ", " })?;
        nested(f, &value)?;
    }
    f.write_char(']')
}

fn write_named<'a>(
    f: &mut Formatter<'_>,
    fields: impl Iterator<Item = (&'a str, Value<'a>)>,
) -> fmt::Result {
    f.write_char('{')?;
    for (at, (name, value)) in fields.enumerate() {
        write!(f, "{}{name}: ", if at == 0 { "" } else { ", " })?;
        nested(f, &value)?;
    }
    f.write_char('}')
}

/// Inside a list, text is quoted: its commas and brackets are its own.
fn nested(f: &mut Formatter<'_>, value: &Value<'_>) -> fmt::Result {
    match value {
        Value::Text(text) => write!(f, "{text:?}"),
        other => write!(f, "{other}"),
    }
}

fn to_string(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    let written = write(&mut text);
    debug_assert!(written.is_ok(), "a String takes everything");
    text
}

/// A time of day that has a part below the microsecond.
pub(crate) fn time_nanos(nanos: i64) -> String {
    to_string(|text| clock(text, nanos))
}

/// A time of day and its zone's offset, in seconds east of UTC: `12:34:56.7+05:30`.
pub fn time_with_zone(micros: i64, offset: i32) -> String {
    to_string(|text| {
        clock(text, micros.saturating_mul(1_000))?;
        let (sign, zone) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
        write!(text, "{sign}{:02}", zone / 3_600)?;
        if !zone.is_multiple_of(3_600) {
            write!(text, ":{:02}", zone / 60 % 60)?;
        }
        if !zone.is_multiple_of(60) {
            write!(text, ":{:02}", zone % 60)?;
        }
        Ok(())
    })
}

/// A timestamp in seconds since 1970 and nanoseconds after that.
pub(crate) fn timestamp_seconds(seconds: i64, nanos: u32, utc: bool) -> String {
    to_string(|text| timestamp(text, seconds, nanos, utc))
}

/// A duration beyond 64 bits of nanoseconds.
pub(crate) fn duration(units: i64, nanos_a_unit: i64) -> String {
    let nanos = i128::from(units) * i128::from(nanos_a_unit);
    let (days, rest) =
        (nanos / (i128::from(MICROS_A_DAY) * 1_000), nanos % (i128::from(MICROS_A_DAY) * 1_000));
    to_string(|text| {
        write!(text, "{days} days ")?;
        clock(text, rest as i64)
    })
}
