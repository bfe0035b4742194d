//! What expressions need and SQLite has not: functions on every connection.

use std::sync::Arc;

use regex::Regex;
use rowmill_expr::regex::spelled;
use rowmill_expr::text_number;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};

/// The mean radius of the Earth in metres, as of the IUGG.
const EARTH: f64 = 6_371_008.8;

/// Bytes that a compiled pattern may take: a longer one is refused, not compiled.
const PATTERN_BYTES: usize = 4 << 20;

/// Adds `text regexp pattern`, `floor`, `ceil`, `rowmill_int`, `rowmill_float` and `rowmill_metres` to a connection.
pub(super) fn add(connection: &Connection) -> Result<()> {
    // Harmless, so that views and indexes may use them where the schema is not trusted.
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("regexp", 2, flags, regexp)?;
    connection
        .create_scalar_function("floor", 1, flags, |context| Ok(rounded(context, f64::floor)))?;
    connection
        .create_scalar_function("ceil", 1, flags, |context| Ok(rounded(context, f64::ceil)))?;
    connection.create_scalar_function("rowmill_int", 1, flags, |context| Ok(int(context)))?;
    connection.create_scalar_function("rowmill_float", 1, flags, |context| Ok(float(context)))?;
    connection.create_scalar_function("rowmill_metres", 4, flags, |context| Ok(metres(context)))
}

/// `regexp(pattern, text)`, which is what `text regexp pattern` calls.
fn regexp(context: &Context<'_>) -> Result<Option<bool>> {
    let compile = |value: ValueRef<'_>| -> std::result::Result<Regex, BoxError> {
        let ValueRef::Text(pattern) = value else {
            return Err("a pattern of regexp is text".into());
        };
        let pattern = std::str::from_utf8(pattern)?;
        Ok(regex::RegexBuilder::new(&spelled(pattern)).size_limit(PATTERN_BYTES).build()?)
    };
    if context.get_raw(0) == ValueRef::Null {
        return Ok(None);
    }
    let pattern: Arc<Regex> = context.get_or_create_aux(0, compile)?;
    match context.get_raw(1) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => Ok(Some(pattern.is_match(&String::from_utf8_lossy(text)))),
        ValueRef::Integer(value) => Ok(Some(pattern.is_match(&value.to_string()))),
        ValueRef::Real(value) => Ok(Some(pattern.is_match(&value.to_string()))),
        ValueRef::Blob(_) => Err(Error::UserFunctionError("regexp takes text, not a blob".into())),
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn rounded(context: &Context<'_>, round: fn(f64) -> f64) -> Value {
    match context.get_raw(0) {
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(round(value)),
        // Text that is a number is one, as in SQLite's own functions of these names.
        ValueRef::Text(text) => number(text).map_or(Value::Null, |value| Value::Real(round(value))),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    }
}

fn number(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    // Rust reads the words for infinity and NaN too.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if plain { text.parse().ok() } else { None }
}

/// The integer that a text is.
fn int(context: &Context<'_>) -> Option<i64> {
    match context.get_raw(0) {
        ValueRef::Integer(value) => Some(value),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(text_number::int),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

/// The float that a text is.
fn float(context: &Context<'_>) -> Option<f64> {
    match context.get_raw(0) {
        ValueRef::Integer(value) => Some(value as f64),
        ValueRef::Real(value) => Some(value).filter(|value| value.is_finite()),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(text_number::float),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// The distance of two points in degrees, on a sphere.
fn metres(context: &Context<'_>) -> Option<f64> {
    let mut degrees = [0.0_f64; 4];
    for (at, degree) in degrees.iter_mut().enumerate() {
        *degree = match context.get_raw(at) {
            ValueRef::Integer(value) => value as f64,
            ValueRef::Real(value) => value,
            _ => return None,
        };
    }
    let [latitude, longitude, of_latitude, of_longitude] = degrees.map(f64::to_radians);
    let across = ((of_latitude - latitude) / 2.0).sin().powi(2);
    let along = ((of_longitude - longitude) / 2.0).sin().powi(2);
    let half = latitude.cos().mul_add(of_latitude.cos() * along, across);
    Some(2.0 * EARTH * half.min(1.0).sqrt().asin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sql: &str) -> std::result::Result<Value, String> {
        let connection = Connection::open_in_memory().unwrap();
        add(&connection).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).map_err(|error| error.to_string())
    }

    #[test]
    fn regexp_is_unanchored_and_null_of_null() {
        let matches = [
            ("'hello' regexp 'l+'", Value::Integer(1)),
            ("'hello' regexp '^l'", Value::Integer(0)),
            ("null regexp 'l'", Value::Null),
            ("'l' regexp null", Value::Null),
            ("null regexp null", Value::Null),
            ("1204 regexp '^1.*4$'", Value::Integer(1)),
            ("'a' || char(10) || 'b' regexp 'a.b'", Value::Integer(1)),
            ("'٣' regexp '\\d'", Value::Integer(0)),
            ("cast(x'ff61' as text) regexp 'a$'", Value::Integer(1)),
            ("'' regexp ''", Value::Integer(1)),
        ];
        for (sql, expected) in matches {
            assert_eq!(asked(&format!("select {sql}")), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error_and_a_huge_one_is_not_compiled() {
        for (sql, said) in [
            ("'a' regexp '('", "unclosed group"),
            ("'a' regexp 'a{5000}{5000}'", "size limit"),
            ("x'61' regexp 'a'", "regexp takes text, not a blob"),
            ("'a' regexp x'61'", "a pattern of regexp is text"),
            ("'1' regexp 1", "a pattern of regexp is text"),
        ] {
            let error = asked(&format!("select {sql}")).unwrap_err();
            assert!(error.contains(said), "{sql}: {error}");
        }
        // Of a pattern in a column each row's own is taken.
        let sql = "with t(x, p) as (values ('ab', 'a'), ('ab', '^b'), ('ab', 'b')) select sum(x regexp p) from t";
        assert_eq!(asked(sql), Ok(Value::Integer(2)));
    }

    #[test]
    fn floor_and_ceil_keep_integers_and_pass_over_what_is_no_number() {
        for (sql, expected) in [
            ("floor(-1.5)", Value::Real(-2.0)),
            ("ceil(-1.5)", Value::Real(-1.0)),
            ("floor(9223372036854775807)", Value::Integer(i64::MAX)),
            ("ceil(null)", Value::Null),
            ("floor('2.5')", Value::Real(2.0)),
            ("floor('inf')", Value::Null),
            ("floor('x')", Value::Null),
            ("floor(x'31')", Value::Null),
            ("ceil(1e300)", Value::Real(1e300)),
        ] {
            assert_eq!(asked(&format!("select {sql}")), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn a_text_is_the_integer_that_its_digits_are() {
        for (sql, expected) in [
            ("'42'", Value::Integer(42)),
            ("' -00000000000000000000042 '", Value::Integer(-42)),
            ("'9223372036854775807'", Value::Integer(i64::MAX)),
            ("'-9223372036854775808'", Value::Integer(i64::MIN)),
            ("'9223372036854775808'", Value::Null),
            ("'1e3'", Value::Null),
            ("'1.0'", Value::Null),
            ("''", Value::Null),
            ("'\u{a0}1'", Value::Null),
            ("7", Value::Integer(7)),
            ("1.5", Value::Null),
            ("null", Value::Null),
            ("x'31'", Value::Null),
        ] {
            assert_eq!(asked(&format!("select rowmill_int({sql})")), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn a_text_is_the_float_that_it_spells() {
        for (sql, expected) in [
            ("' -.5e1 '", Value::Real(-5.0)),
            ("'1.7976931348623157e308'", Value::Real(f64::MAX)),
            ("'1e309'", Value::Null),
            ("'-1e39223372036854775807'", Value::Null),
            ("'1e-324'", Value::Null),
            ("'0.0e-400'", Value::Real(0.0)),
            ("'inf'", Value::Null),
            ("'1 2'", Value::Null),
            ("''", Value::Null),
            ("7", Value::Real(7.0)),
            ("1.5", Value::Real(1.5)),
            ("1e999", Value::Null),
            ("null", Value::Null),
            ("x'31'", Value::Null),
        ] {
            assert_eq!(asked(&format!("select rowmill_float({sql})")), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn distances_are_those_of_a_sphere() {
        let metres = |points: &str| match asked(&format!("select rowmill_metres({points})")) {
            Ok(Value::Real(metres)) => metres,
            other => panic!("{points}: {other:?}"),
        };
        assert!(metres("1, 2, 1, 2").abs() < 1e-9);
        let quarter = EARTH * std::f64::consts::FRAC_PI_2;
        assert!((metres("0, 0, 90, 0") - quarter).abs() < 1e-3);
        assert!((metres("0, -90, 0, 90") - 2.0 * quarter).abs() < 1e-3);
        assert!((metres("10, 179.5, 10, -179.5") - metres("10, 0.5, 10, -0.5")).abs() < 1e-3);
        assert_eq!(asked("select rowmill_metres(null, 0, 0, 0)"), Ok(Value::Null));
        assert_eq!(asked("select rowmill_metres('1', 0, 0, 0)"), Ok(Value::Null));
    }

    #[test]
    fn a_view_may_use_them_where_the_schema_is_not_trusted() {
        let connection = Connection::open_in_memory().unwrap();
        add(&connection).unwrap();
        let made = "pragma trusted_schema = off; create view v as select floor(1.5) as x where 'a' regexp 'a'";
        connection.execute_batch(made).unwrap();
        assert_eq!(
            connection.query_row("select x from v", [], |row| row.get::<_, f64>(0)),
            Ok(1.0)
        );
    }
}
