//! How dates and timestamps are stored: SQLite has no type for them, and three customs.

use rowmill_columns::Scalar;
use rowmill_columns::text::civil_from_days;

use super::bind::Refusal;
use super::short_text::ShortText;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The years that SQLite's own functions know, 0 to 9999, as microseconds since 1970.
const KNOWN: std::ops::Range<i64> = -62_167_219_200 * SECOND..253_402_300_800 * SECOND;

/// The Julian day number of 1970-01-01 00:00 UTC.
const JULIAN_EPOCH: f64 = 2_440_587.5;

/// What dates and timestamps are stored as. Text is read from columns of each custom; numbers are
/// instants, so a timestamp stored as one has to have a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dates {
    /// As ISO 8601 text.
    #[default]
    Text,
    /// As Julian day numbers: days, with a fraction, since noon of 24 November 4714 BC (UTC). They
    /// keep milliseconds, as those of SQLite's `julianday()`.
    Julian,
    /// As Unix time: seconds, with a fraction where there is one, since 1970 (UTC).
    Unix,
}

/// What a date, time, timestamp or uuid becomes.
pub(super) enum Stored {
    Text(ShortText),
    Int(i64),
    Float(f64),
}

impl Dates {
    /// How `value` is stored, a date, time, timestamp or uuid.
    pub(super) fn store(self, value: &Scalar) -> Result<Stored, Refusal> {
        if self == Self::Text {
            return text(value).map(Stored::Text);
        }
        let micros = match *value {
            Scalar::Date(days) => i64::from(days).checked_mul(DAY).ok_or(OUTSIDE)?,
            Scalar::Timestamp { micros, utc: true } => micros,
            Scalar::Timestamp { utc: false, .. } => {
                return Err(Refusal::OutOfRange(
                    "without a time zone, and dates=julian and dates=unix store instants; give it \
                     one, as datetime.replace(tzinfo=timezone.utc) does",
                ));
            }
            _ => return text(value).map(Stored::Text),
        };
        if !KNOWN.contains(&micros) {
            return Err(OUTSIDE);
        }
        if self == Self::Julian {
            let millis = micros.div_euclid(1_000) + i64::from(micros.rem_euclid(1_000) >= 500);
            return Ok(Stored::Float(JULIAN_EPOCH + millis as f64 / 86_400_000.0));
        }
        if micros % SECOND == 0 {
            return Ok(Stored::Int(micros / SECOND));
        }
        let seconds = micros as f64 / SECOND as f64;
        if unix(seconds) != Some(micros) {
            return Err(Refusal::OutOfRange("so far from 1970 that a float loses microseconds"));
        }
        Ok(Stored::Float(seconds))
    }

    /// The microseconds since 1970 that an integer stands for.
    pub(super) fn micros_of_int(self, value: i64) -> Option<i64> {
        match self {
            Self::Text => None,
            Self::Julian => self.micros_of_float(value as f64),
            Self::Unix => value.checked_mul(SECOND).filter(|micros| KNOWN.contains(micros)),
        }
    }

    /// The microseconds since 1970 that a float stands for.
    pub(super) fn micros_of_float(self, value: f64) -> Option<i64> {
        match self {
            Self::Text => None,
            Self::Julian => {
                let millis = ((value - JULIAN_EPOCH) * 86_400_000.0).round();
                let micros = (millis.abs() < 1e15).then_some(millis as i64 * 1_000)?;
                KNOWN.contains(&micros).then_some(micros)
            }
            Self::Unix => unix(value),
        }
    }

    /// The day that the microseconds begin, where they are midnight.
    pub(super) fn day(micros: i64) -> Option<i32> {
        (micros % DAY == 0).then(|| i32::try_from(micros / DAY).ok()).flatten()
    }
}

/// Seconds and their fraction apart, so that no digit of the fraction is lost.
fn unix(seconds: f64) -> Option<i64> {
    let whole = seconds.floor();
    let micros = (whole.abs() < 1e12).then_some(whole as i64 * SECOND)?;
    let micros = micros + ((seconds - whole) * SECOND as f64).round() as i64;
    KNOWN.contains(&micros).then_some(micros)
}

const OUTSIDE: Refusal = Refusal::OutOfRange("outside of the years 0 to 9999 that SQLite knows");

/// The text of a uuid, date, time or timestamp.
fn text(value: &Scalar) -> Result<ShortText, Refusal> {
    let mut out = ShortText::default();
    match *value {
        Scalar::Uuid(uuid) => out.uuid(uuid),
        Scalar::Date(days) => date_text(&mut out, days)?,
        Scalar::Time(micros) if (0..DAY).contains(&micros) => out.clock(micros),
        Scalar::Time(_) => return Err(Refusal::OutOfRange("outside of a day")),
        Scalar::Timestamp { micros, utc } => {
            let days = i32::try_from(micros.div_euclid(DAY));
            date_text(&mut out, days.unwrap_or(i32::MAX))?;
            out.put(b" ");
            out.clock(micros.rem_euclid(DAY));
            out.put(if utc { b"+00:00" } else { b"" });
        }
        _ => {}
    }
    Ok(out)
}

/// SQLite's dates have four digits for the year.
fn date_text(out: &mut ShortText, days: i32) -> Result<(), Refusal> {
    let (year, month, day) = civil_from_days(days);
    let year = u32::try_from(year).ok().filter(|year| *year <= 9_999).ok_or(OUTSIDE)?;
    out.date(year, month, day);
    Ok(())
}
