use rowmill_columns::text::{civil_from_days, days_from_civil};

use super::cell::{Cell, MICROS_A_DAY, Span};
use crate::ExprError;
use crate::operators::Operator as O;

const MICROS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;

fn out_of_range() -> ExprError {
    ExprError::new(
        "timestamp out of range: a result is beyond the years that 64 bits of microseconds hold",
    )
}

/// Where a date begins, in microseconds.
///
/// # Errors
/// Beyond 64 bits of these, which dates reach.
pub(super) fn midnight(days: i32) -> Result<i64, ExprError> {
    i64::from(days).checked_mul(MICROS_A_DAY).ok_or_else(out_of_range)
}

/// A part of a date or time, or its beginning; NULL for what has none.
///
/// # Errors
/// Where the beginning is further off than a timestamp can be.
pub(super) fn part<'a>(operator: O, cell: &Cell<'a>) -> Result<Cell<'a>, ExprError> {
    let (day_number, time) = match cell {
        Cell::Date(days) => (*days, 0),
        // Microseconds of 64 bits are fewer days than 32 bits hold.
        Cell::Time(micros) | Cell::Timestamp(micros) | Cell::Instant(micros) => {
            (micros.div_euclid(MICROS_A_DAY) as i32, micros.rem_euclid(MICROS_A_DAY))
        }
        _ => return Ok(Cell::Null),
    };
    let seconds = time / MICROS_A_SECOND;
    let civil = || civil_from_days(day_number);
    let at = |days: Option<i32>, time: i64| {
        // The first day of all begins before 64 bits do.
        let micros = i128::from(days.ok_or_else(out_of_range)?) * i128::from(MICROS_A_DAY);
        let micros = i64::try_from(micros + i128::from(time)).map_err(|_| out_of_range())?;
        Ok::<_, ExprError>(Cell::Timestamp(micros))
    };
    let floored = |unit: i64| at(Some(day_number), time - time % unit);
    let int = |value: i64| Cell::Int(value);
    Ok(match operator {
        O::Year => int(year(civil().0)),
        O::Quarter => int(i64::from(civil().1.div_ceil(3))),
        O::Month => int(civil().1.into()),
        O::Day => int(civil().2.into()),
        O::Week => int(week(day_number)),
        O::WeekDay => int(week_day(day_number)),
        O::YearDay => int(year_day(day_number)),
        O::Hour => int(seconds / 3_600),
        O::Minute => int(seconds / 60 % 60),
        O::Second => int(seconds % 60),
        O::Epoch => int(i64::from(day_number) * SECONDS_A_DAY + seconds),
        O::TruncateYear => at(days_from_civil(civil().0, 1, 1), 0)?,
        O::TruncateQuarter => {
            let (year, month, _) = civil();
            at(days_from_civil(year, (month - 1) / 3 * 3 + 1, 1), 0)?
        }
        O::TruncateMonth => {
            let (year, month, _) = civil();
            at(days_from_civil(year, month, 1), 0)?
        }
        O::TruncateWeek => at(day_number.checked_sub(week_day(day_number) as i32 - 1), 0)?,
        O::TruncateDay => at(Some(day_number), 0)?,
        O::TruncateHour => floored(3_600 * MICROS_A_SECOND)?,
        O::TruncateMinute => floored(60 * MICROS_A_SECOND)?,
        O::TruncateSecond => floored(MICROS_A_SECOND)?,
        _ => Cell::Null,
    })
}

/// The year as it is counted: before the year 1 is 1 BC, -1.
fn year(year: i32) -> i64 {
    if year > 0 { year.into() } else { i64::from(year) - 1 }
}

/// Monday is 1; 1970 began on a Thursday.
fn week_day(days: i32) -> i64 {
    (i64::from(days) + 3).rem_euclid(7) + 1
}

/// The week of ISO 8601: that of a year in which its Thursday is.
fn week(days: i32) -> i64 {
    let thursday = i64::from(days) + 4 - week_day(days);
    // No year begins or ends where days of 32 bits do.
    (year_day(i32::try_from(thursday).unwrap_or(days)) - 1) / 7 + 1
}

/// The day of the year, from 1.
fn year_day(days: i32) -> i64 {
    let (year, month, day) = civil_from_days(days);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
    before + i64::from(is_leap && month > 2) + i64::from(day)
}

/// A date or time that is moved by an interval, or two intervals together.
pub(super) fn moved<'a>(operator: O, a: &Cell<'a>, b: &Cell<'a>) -> Result<Cell<'a>, ExprError> {
    let signed = |span: Span| if operator == O::Subtract { negative(span) } else { Some(span) };
    match (a, b) {
        (Cell::Interval(a), Cell::Interval(b)) => {
            let sum = signed(*b).and_then(|b| {
                Some(Span {
                    months: a.months.checked_add(b.months)?,
                    days: a.days.checked_add(b.days)?,
                    micros: a.micros.checked_add(b.micros)?,
                })
            });
            sum.map(Cell::Interval).ok_or_else(out_of_range)
        }
        (when, Cell::Interval(span)) => {
            let (micros, instant) = match when {
                Cell::Date(days) => (midnight(*days)?, false),
                Cell::Timestamp(micros) => (*micros, false),
                Cell::Instant(micros) => (*micros, true),
                _ => return Ok(Cell::Null),
            };
            let moved =
                signed(*span).and_then(|span| shifted(micros, span)).ok_or_else(out_of_range)?;
            Ok(if instant { Cell::Instant(moved) } else { Cell::Timestamp(moved) })
        }
        (Cell::Interval(_), _) => moved(operator, b, a),
        _ => Ok(Cell::Null),
    }
}

pub(super) fn negated<'a>(span: Span) -> Result<Cell<'a>, ExprError> {
    negative(span).map(Cell::Interval).ok_or_else(out_of_range)
}

fn negative(span: Span) -> Option<Span> {
    Some(Span {
        months: span.months.checked_neg()?,
        days: span.days.checked_neg()?,
        micros: span.micros.checked_neg()?,
    })
}

/// Months first, to the month's last day at most, then days, then the rest: as PostgreSQL does.
fn shifted(micros: i64, span: Span) -> Option<i64> {
    let (mut days, time) = (micros.div_euclid(MICROS_A_DAY), micros.rem_euclid(MICROS_A_DAY));
    if span.months != 0 {
        let (year, month, day) = civil_from_days(i32::try_from(days).ok()?);
        let months = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(span.months);
        let (year, month) =
            (i32::try_from(months.div_euclid(12)).ok()?, months.rem_euclid(12) as u32 + 1);
        let found = (0..4).find_map(|back| days_from_civil(year, month, day.checked_sub(back)?));
        days = found?.into();
    }
    days.checked_add(span.days.into())?
        .checked_mul(MICROS_A_DAY)?
        .checked_add(time)?
        .checked_add(span.micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i32, month: u32, day: u32) -> i64 {
        i64::from(days_from_civil(year, month, day).unwrap()) * MICROS_A_DAY
    }

    fn int(operator: O, micros: i64) -> i64 {
        match part(operator, &Cell::Timestamp(micros)).unwrap() {
            Cell::Int(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (year, month, day, week, week_day) in [
            (2024, 12, 30, 1, 1),
            (2021, 1, 3, 53, 7),
            (2020, 12, 31, 53, 4),
            (1970, 1, 1, 1, 4),
            (1969, 12, 28, 52, 7),
        ] {
            assert_eq!(int(O::Week, at(year, month, day)), week, "{year}-{month}-{day}");
            assert_eq!(int(O::WeekDay, at(year, month, day)), week_day, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn dates_beyond_all_timestamps_have_parts_and_no_beginning() {
        for (days, year) in [(i32::MAX, 5_881_580), (i32::MIN, -5_877_642)] {
            let of = |operator| part(operator, &Cell::Date(days));
            assert!(matches!(of(O::Year), Ok(Cell::Int(found)) if found == year));
            let seconds = i64::from(days) * SECONDS_A_DAY;
            assert!(matches!(of(O::Epoch), Ok(Cell::Int(found)) if found == seconds));
            assert!(matches!(of(O::Hour), Ok(Cell::Int(0))));
            // The calendar begins anew after 146,097 days, on the same day of the week.
            let nearer = days - 146_097 * days.signum();
            assert_eq!((week(days), year_day(days)), (week(nearer), year_day(nearer)));
            for operator in [O::TruncateYear, O::TruncateWeek, O::TruncateDay, O::TruncateHour] {
                assert!(of(operator).is_err(), "{operator:?}");
            }
            let order = Cell::Date(days).compare(&Cell::Timestamp(0));
            assert_eq!(order, Some(days.cmp(&0)));
        }
    }

    #[test]
    fn parts_before_1970_are_those_of_their_day() {
        let micros = at(1969, 7, 20) + 20 * 3_600_000_000 + 17 * 60_000_000 + 40_999_999;
        let parts =
            [O::Year, O::Quarter, O::Month, O::Day, O::YearDay, O::Hour, O::Minute, O::Second];
        assert_eq!(parts.map(|operator| int(operator, micros)), [1969, 3, 7, 20, 201, 20, 17, 40]);
        assert_eq!(int(O::Epoch, -1), -1);
    }

    #[test]
    fn a_month_later_is_its_last_day_at_most() {
        let month = Span { months: 1, days: 0, micros: 0 };
        assert_eq!(shifted(at(2024, 1, 31), month), Some(at(2024, 2, 29)));
        let back = Span { months: -11, days: -1, micros: 0 };
        assert_eq!(shifted(at(2024, 1, 31), back), Some(at(2023, 2, 27)));
        assert_eq!(shifted(i64::MAX, month), None);
    }
}
