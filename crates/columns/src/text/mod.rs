//! Values as text: how they are printed, and how dates, times and uuids are read.

mod civil;
mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use civil::{civil_from_days, days_from_civil};
pub use parse::{parse_date, parse_time, parse_timestamp, parse_uuid};
pub use print::time_with_zone;
pub(crate) use print::{duration, time_nanos, timestamp_seconds};
