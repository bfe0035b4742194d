//! Days and calendar dates (proleptic Gregorian).
//!
//! The algorithms are Howard Hinnant's `days_from_civil` and `civil_from_days`, from "chrono-
//! Compatible Low-Level Date Algorithms" (<https://howardhinnant.github.io/date_algorithms.html>):
//! years begin in March, so that the leap day is a year's last, and 400 years are one era.

const DAYS_AN_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Year, month (1 to 12) and day (1 to 31) of a count of days since 1970-01-01. Year 0 is 1 BC.
///
/// ```
/// assert_eq!(rowmill_columns::text::civil_from_days(19_724), (2024, 1, 2));
/// assert_eq!(rowmill_columns::text::civil_from_days(-1), (1969, 12, 31));
/// ```
#[inline]
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + EPOCH;
    let era = days.div_euclid(DAYS_AN_ERA);
    let day_of_era = days.rem_euclid(DAYS_AN_ERA) as u32;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
    (year as i32, month, day)
}

/// Days since 1970-01-01 of a date; `None` where there is no such day or the count is beyond 32
/// bits.
///
/// ```
/// use rowmill_columns::text::days_from_civil;
/// assert_eq!(days_from_civil(2024, 2, 29), Some(19_782));
/// assert_eq!(days_from_civil(2023, 2, 29), None);
/// ```
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    if day == 0 || day > days_in_month(year, month)? {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = i64::from((153 * shifted_month + 2) / 5 + day - 1);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * DAYS_AN_ERA + day_of_era - EPOCH).ok()
}

fn days_in_month(year: i32, month: u32) -> Option<u32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => Some(28 + u32::from(leap)),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}
