//! What text is as a value of another kind, wherever values come as JSON.

use rowmill_columns::Scalar;
use rowmill_columns::text::{parse_date, parse_time, parse_timestamp, parse_uuid};

use crate::kind::Base;

/// A date, a time, a timestamp, an instant or a UUID as ISO 8601 and PostgreSQL write them; `None` for what is none,
/// for a timestamp with a zone, an instant without, and for other kinds.
pub(crate) fn text_value(base: Base, text: &str) -> Option<Scalar> {
    let bytes = text.as_bytes();
    Some(match base {
        Base::Date => Scalar::Date(parse_date(bytes)?),
        Base::Time => Scalar::Time(parse_time(bytes)?),
        Base::Uuid => Scalar::Uuid(parse_uuid(bytes)?),
        Base::Timestamp => match parse_timestamp(bytes)? {
            (micros, None) => Scalar::Timestamp { micros, utc: false },
            _ => return None,
        },
        Base::Instant => match parse_timestamp(bytes)? {
            (micros, Some(offset)) => {
                let micros = micros.checked_sub(i64::from(offset) * 1_000_000)?;
                Scalar::Timestamp { micros, utc: true }
            }
            _ => return None,
        },
        _ => return None,
    })
}
