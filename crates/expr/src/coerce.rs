//! Values fitted to what they are compared with, so that a comparison means the same on every engine: a float
//! against whole numbers becomes the whole number at the same place, against decimals a decimal.

use rowmill_columns::Scalar;

use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::node::{Args, Expr, Op, Parameter};
use crate::operators::Operator as O;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Fits the literals in `args`.
pub(crate) fn coerce(operator: O, args: &mut Args) -> Result<(), ExprError> {
    match operator {
        O::IsDistinct | O::IsNotDistinct => compared(operator, args),
        operator if operator.is_comparison() => compared(operator, args),
        O::In | O::NotIn => {
            listed(operator, args)?;
            // Nothing is other than what is in an empty list, NULL included.
            tested(if operator == O::In { args } else { &args[1..] })
        }
        O::ListContains | O::ListOverlaps | O::ListContainsAll | O::ListDisjoint => {
            fit_element(args);
            tested(args)
        }
        O::Add | O::Subtract | O::Multiply | O::Divide => {
            if args.len() == 2 {
                fit_number(args);
            }
            Ok(())
        }
        O::Like | O::ILike => pattern(args).and_then(|()| tested(args)),
        O::Matches => expression(args).and_then(|()| tested(args)),
        O::And | O::Or => asked(args),
        operator if operator.is_never_true_of_null() => tested(args),
        _ => Ok(()),
    }
}

fn none_of(value: &Expr, operator: O, args: &[Expr]) -> Result<(), ExprError> {
    if matches!(value.value(), Some(Scalar::Null))
        && !matches!(operator, O::IsDistinct | O::IsNotDistinct)
    {
        let (method, distinct) = match operator {
            O::NotEqual => ("is_not_null()", "is_distinct_from()"),
            _ => ("is_null()", "is_not_distinct_from()"),
        };
        let other = args.iter().find(|arg| !arg.is(value)).unwrap_or(value);
        let message = format!(
            "a comparison with None is never true in SQL; write {other}.{method}, or {distinct} to \
             compare NULLs too"
        );
        return Err(ExprError::new(message));
    }
    Ok(())
}

/// Refuses a condition that a literal NULL keeps from ever being true.
fn tested(args: &[Expr]) -> Result<(), ExprError> {
    let is_none = |arg: &Expr| matches!(arg.value(), Some(Scalar::Null));
    if !args.iter().any(is_none) {
        return Ok(());
    }
    let or = match args.iter().find(|arg| !is_none(arg)) {
        Some(other) if !matches!(other.kind(), Kind::List(_)) && other.value().is_none() => {
            format!(", or write {other}.is_null()")
        }
        _ => String::new(),
    };
    Err(ExprError::new(format!("a condition on None is never true in SQL; leave it out{or}")))
}

/// A value to come, of a kind that only what it is compared with tells, has this kind where it is asked whether it is
/// NULL: `PostgreSQL` does not say what `$1 is null or at > $1` is of.
fn asked(args: &mut Args) -> Result<(), ExprError> {
    for at in 0..args.len() {
        let (Op::Call(operator @ (O::IsNull | O::IsNotNull)), [asked]) =
            (args[at].op(), args[at].args())
        else {
            continue;
        };
        let Op::Parameter(parameter) = asked.op() else { continue };
        if parameter.kind != Kind::Any {
            continue;
        }
        let mut kind = None;
        args.iter()
            .for_each(|arg| arg.walk(|node| kind = kind.or(compared_kind(node, parameter.at))));
        if let Some(kind) = kind {
            let typed = Expr::parameter(Parameter { kind, ..parameter.clone() });
            args[at] = Expr::call(*operator, [typed])?;
        }
    }
    Ok(())
}

/// What a comparison holds a value to come against.
fn compared_kind(node: &Expr, at: usize) -> Option<Kind> {
    let Op::Call(operator) = node.op() else { return None };
    let is_it = |arg: &Expr| matches!(arg.op(), Op::Parameter(parameter) if parameter.at == at);
    if !operator.is_never_true_of_null() || !node.args().iter().any(is_it) {
        return None;
    }
    node.args()
        .iter()
        .filter(|arg| !is_it(arg))
        .map(Expr::kind)
        .find(|kind| matches!(kind, Kind::One(base) if *base != Base::Null))
}

fn compared(operator: O, args: &mut Args) -> Result<(), ExprError> {
    for value in args.iter() {
        none_of(value, operator, args)?;
    }
    let moment = args.iter().find_map(|arg| match arg.kind() {
        kind @ Kind::One(Base::Instant | Base::Timestamp) => Some(kind),
        Kind::One(Base::Date) => Some(Kind::One(Base::Timestamp)),
        _ => None,
    });
    if let Some(kind) = moment {
        for arg in args.iter_mut() {
            if let Some(typed) = moved_from(arg, kind)? {
                *arg = typed;
            }
        }
    }
    let Some(with) = args.iter().find(|arg| arg.value().is_none()).map(Expr::kind) else {
        return Ok(());
    };
    for at in 0..args.len() {
        let Some(value) = args[at].value() else { continue };
        if let Kind::One(base) = with
            && let Some(fitted) = fitted(value, base, rounding(operator, at))
        {
            args[at] = Expr::literal(fitted);
        }
    }
    Ok(())
}

/// A datetime to come that is moved by an interval, as one of the kind it is compared with: `PostgreSQL` takes
/// `$1 - $2::interval` for the difference of two intervals.
fn moved_from(arg: &Expr, kind: Kind) -> Result<Option<Expr>, ExprError> {
    let (Op::Call(operator @ (O::Add | O::Subtract)), [when, by]) = (arg.op(), arg.args()) else {
        return Ok(None);
    };
    let typed = |operand: &Expr| match operand.op() {
        Op::Parameter(parameter) if parameter.kind == Kind::Any => {
            Ok(Some(Expr::parameter(Parameter { kind, ..parameter.clone() })))
        }
        _ => moved_from(operand, kind),
    };
    let interval = Kind::One(Base::Interval);
    let args = match (typed(when)?, typed(by)?) {
        (Some(when), None) if by.kind() == interval => [when, by.clone()],
        (None, Some(by)) if when.kind() == interval => [when.clone(), by],
        _ => return Ok(None),
    };
    Expr::call(*operator, args).map(Some)
}

/// Which way a literal at this place goes where no whole number is its equal.
#[derive(Clone, Copy)]
enum Rounding {
    Down,
    Up,
    None,
}

fn rounding(operator: O, at: usize) -> Rounding {
    match (operator, at) {
        // x > 2.5 is x > 2, and x <= 2.5 is x <= 2; the other way about with the literal on the left.
        (O::Greater | O::LessOrEqual, 1) | (O::Less | O::GreaterOrEqual, 0) | (O::Between, 2) => {
            Rounding::Down
        }
        (O::Less | O::GreaterOrEqual | O::Between, 1) | (O::Greater | O::LessOrEqual, 0) => {
            Rounding::Up
        }
        _ => Rounding::None,
    }
}

/// A value as one of the kind it is compared with, where it has to be another.
fn fitted(value: &Scalar, base: Base, rounding: Rounding) -> Option<Scalar> {
    match (base, value) {
        (Base::Int, Scalar::Float(value)) => whole(*value, rounding),
        (Base::Int, Scalar::Decimal(text)) => whole_of_digits(text, rounding),
        (Base::Float, Scalar::Int(value)) => Some(Scalar::Float(*value as f64)),
        (Base::Float, Scalar::Decimal(text)) => text.parse().ok().map(Scalar::Float),
        (Base::Decimal, Scalar::Int(value)) => Some(Scalar::Decimal(value.to_string())),
        (Base::Decimal, Scalar::Float(value)) if value.is_finite() => {
            // What has hundreds of digits is compared, and computed with, as a float.
            (*value == 0.0 || (1e-30..1e30).contains(&value.abs()))
                .then(|| Scalar::Decimal(format!("{value}")))
        }
        (Base::Decimal, Scalar::Float(value)) => Some(Scalar::Decimal(
            match (value.is_nan(), *value > 0.0) {
                (true, _) => "NaN",
                (_, true) => "Infinity",
                (_, false) => "-Infinity",
            }
            .to_owned(),
        )),
        (Base::Timestamp, Scalar::Date(days)) => Some(Scalar::Timestamp {
            micros: i64::from(*days).checked_mul(MICROS_PER_DAY)?,
            utc: false,
        }),
        _ => None,
    }
}

/// The integer that a comparison with a float means, or the float where it is none.
fn whole(value: f64, rounding: Rounding) -> Option<Scalar> {
    let at = match rounding {
        Rounding::Down => value.floor(),
        Rounding::Up => value.ceil(),
        Rounding::None if value.fract() == 0.0 => value,
        Rounding::None => return None,
    };
    // 2^63 is the first float beyond; as a float the largest integer would be its equal.
    let range = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    match at {
        at if range.contains(&at) => Some(Scalar::Int(at as i64)),
        at if at.is_nan() => None,
        at => Some(Scalar::Float(f64::INFINITY.copysign(at))),
    }
}

/// The same of a decimal, whose digits say more than a float's: none of them is rounded off.
fn whole_of_digits(text: &str, rounding: Rounding) -> Option<Scalar> {
    let near: f64 = text.parse().ok()?;
    let negative = text.starts_with('-');
    let beyond = Scalar::Float(f64::INFINITY.copysign(near));
    let Some((digits, point)) = digits(text) else { return whole(near, rounding) };
    if digits.is_empty() {
        return Some(Scalar::Int(0));
    }
    if point > 19 {
        return Some(beyond);
    }
    let point = usize::try_from(point).unwrap_or(0);
    let (before, after) = digits.split_at(point.min(digits.len()));
    let between = match (rounding, after.is_empty()) {
        (_, true) => 0,
        (Rounding::None, _) => {
            // To what reads it as a float it must not be whole there.
            return (near.fract() == 0.0).then_some(beyond);
        }
        (Rounding::Down, _) => i128::from(negative),
        (Rounding::Up, _) => i128::from(!negative),
    };
    let whole = format!("{before:0<point$}").parse::<i128>().unwrap_or(0) + between;
    let whole = i64::try_from(if negative { -whole } else { whole });
    Some(whole.map_or(beyond, Scalar::Int))
}

/// The integer that a decimal is.
pub(crate) fn exact_int(text: &str) -> Option<i64> {
    match whole_of_digits(text, Rounding::None) {
        Some(Scalar::Int(value)) => Some(value),
        _ => None,
    }
}

/// A number as a column of this kind keeps it; None where the column cannot hold it.
pub fn kept(value: &Scalar, base: Base) -> Option<Scalar> {
    match (base, value) {
        (Base::Int, Scalar::Float(_) | Scalar::Decimal(_)) => {
            fitted(value, base, Rounding::None).filter(|kept| matches!(kept, Scalar::Int(_)))
        }
        // "Infinity" is one, and 1E+400 is none.
        (Base::Float, Scalar::Decimal(text)) => {
            let float: f64 = text.parse().ok()?;
            (float.is_finite() || digits(text).is_none()).then_some(Scalar::Float(float))
        }
        // Of which no float is exactly some beyond 53 bits.
        (Base::Float, Scalar::Int(int)) => {
            let float = *int as f64;
            (float as i128 == i128::from(*int)).then(|| value.clone())
        }
        _ => Some(value.clone()),
    }
}

/// A decimal's digits without zeros at either end, and how many of them stand before the point; negative where zeros
/// stand behind it. None where it is no number.
pub(crate) fn digits(text: &str) -> Option<(String, i64)> {
    let text = text.trim_start_matches(['-', '+']);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let digits = format!("{before}{after}");
    let kept = digits.trim_start_matches('0');
    // Python's exponents have 18 digits at most.
    let exponent = exponent.parse::<i64>().ok()?;
    let point = before.len() as i64 - (digits.len() - kept.len()) as i64;
    Some((kept.trim_end_matches('0').to_owned(), point.saturating_add(exponent)))
}

fn listed(operator: O, args: &mut Args) -> Result<(), ExprError> {
    let kind = args[0].kind();
    let Some(Scalar::List(values)) = args[1].value() else { return Ok(()) };
    let is_whole = matches!(kind, Kind::One(Base::Int) | Kind::Any);
    if is_whole && values.integers().is_some() {
        return Ok(());
    }
    if values.has_null() {
        let name = if operator == O::In { "in_" } else { "not_in" };
        let message = format!(
            "the list of {name}() holds None, with which nothing is equal; leave it out, and write | {}.is_null() \
             where rows without a value are meant",
            args[0]
        );
        return Err(ExprError::new(message));
    }
    let Kind::One(base) = kind else {
        if let Some(numbers) = numbers(values)? {
            args[1] = Expr::literal(Scalar::list(numbers));
        }
        return Ok(());
    };
    let of_base = |value: &Scalar| Kind::of_scalar(value) == Kind::One(base);
    if values.iter().all(of_base) {
        return Ok(());
    }
    let mut all = Vec::with_capacity(values.len());
    for value in values {
        if of_base(value) {
            all.push(value.clone());
        } else if let Some(value) = fitted(value, base, Rounding::None).filter(of_base) {
            all.push(value);
        } else if base == Base::Int && matches!(value, Scalar::Float(_) | Scalar::Decimal(_)) {
            // No integer is 2.5: it is in no list of them.
        } else {
            let message = format!("is {base}, but the list holds {}", value.kind());
            return Err(ExprError::about(&message, &args[0]));
        }
    }
    args[1] = Expr::literal(Scalar::list(all));
    Ok(())
}

/// The values of a list of mixed numbers as one kind of them that holds each, where what they are compared with is
/// not known yet.
fn numbers(values: &[Scalar]) -> Result<Option<Vec<Scalar>>, ExprError> {
    let mut kinds = values.iter().map(Kind::of_scalar);
    let Some(first) = kinds.next() else { return Ok(None) };
    let Some(other) = kinds.find(|kind| *kind != first) else { return Ok(None) };
    if !values.iter().all(|value| Kind::of_scalar(value).may_be_number()) {
        return Err(ExprError::new(format!(
            "the list of in_() holds {first} and {other}; one kind is wanted"
        )));
    }
    let is_float = |value: &Scalar| match value {
        Scalar::Int(value) => value.unsigned_abs() <= 1 << 53,
        value => matches!(value, Scalar::Float(_)),
    };
    let base = if values.iter().all(is_float) { Base::Float } else { Base::Decimal };
    let fit = |value: &Scalar| fitted(value, base, Rounding::None).unwrap_or_else(|| value.clone());
    Ok(Some(values.iter().map(fit).collect()))
}

/// An element that a list may hold, as one of the list's kind.
fn fit_element(args: &mut Args) {
    let Kind::List(base) = args[0].kind() else { return };
    let fit = |value: &Scalar| fitted(value, base, Rounding::None).unwrap_or_else(|| value.clone());
    let new = match args.get(1).and_then(Expr::value) {
        Some(Scalar::List(values)) => {
            if values.each().all(|value| Kind::of_scalar(&value) == Kind::One(base)) {
                return;
            }
            Scalar::List(values.each().map(|value| fit(&value)).collect())
        }
        Some(value) => match fitted(value, base, Rounding::None) {
            Some(value) => value,
            None => return,
        },
        None => return,
    };
    args[1] = Expr::literal(new);
}

/// In arithmetic a number goes with its neighbour: `decimal * 1.5` stays exact.
fn fit_number(args: &mut Args) {
    for at in 0..2 {
        let other = args[1 - at].kind();
        if let (Some(value), Kind::One(base @ (Base::Float | Base::Decimal))) =
            (args[at].value(), other)
            && !matches!(value, Scalar::Float(value) if !value.is_finite())
            && let Some(value) = fitted(value, base, Rounding::None)
        {
            args[at] = Expr::literal(value);
        }
    }
}

/// LIKE patterns are given as values: a database's own escapes in a column would mean something else elsewhere.
fn pattern(args: &Args) -> Result<(), ExprError> {
    match args.get(1).map(Expr::op) {
        Some(Op::Literal(Scalar::Text(pattern))) => {
            let trailing = pattern.chars().rev().take_while(|letter| *letter == '\\').count();
            if trailing % 2 == 1 {
                let message = format!(
                    "the pattern {pattern:?} ends in a backslash that takes nothing; write \\\\ for one"
                );
                return Err(ExprError::new(message));
            }
            Ok(())
        }
        Some(Op::Literal(Scalar::Null)) => Err(ExprError::new("a pattern is a str, not None")),
        Some(Op::Literal(_) | Op::Parameter(_)) | None => Ok(()),
        Some(_) => Err(ExprError::new(
            "a pattern is a str, not an expression; contains(), starts_with() and ends_with() take columns",
        )),
    }
}

/// Regular expressions that both engines read alike.
fn expression(args: &Args) -> Result<(), ExprError> {
    match args.get(1).map(Expr::op) {
        Some(Op::Literal(Scalar::Text(pattern))) => crate::regex::check(pattern),
        Some(Op::Literal(Scalar::Null)) => {
            Err(ExprError::new("a regular expression is a str, not None"))
        }
        Some(Op::Literal(_)) | None => Ok(()),
        Some(_) => Err(ExprError::new("a regular expression is a str, not an expression")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_against_whole_numbers_is_the_whole_number_at_its_place() {
        let (down, up) = (Scalar::Float(f64::NEG_INFINITY), Scalar::Float(f64::INFINITY));
        let int = |value: i64| Scalar::Int(value);
        for (text, below, above) in [
            ("2.5", int(2), int(3)),
            ("-2.5", int(-3), int(-2)),
            ("9007199254740993.5", int(9_007_199_254_740_993), int(9_007_199_254_740_994)),
            ("-9007199254740993.5", int(-9_007_199_254_740_994), int(-9_007_199_254_740_993)),
            ("2.00000000000000000000000000000000000000000001", int(2), int(3)),
            ("9223372036854775806.999", int(i64::MAX - 1), int(i64::MAX)),
            ("9223372036854775807.5", int(i64::MAX), up.clone()),
            ("-9223372036854775808.5", down.clone(), int(i64::MIN)),
            ("-9223372036854775808", int(i64::MIN), int(i64::MIN)),
            ("9223372036854775808", up.clone(), up.clone()),
            ("1E+3", int(1_000), int(1_000)),
            ("1.50E+1", int(15), int(15)),
            ("00.0010", int(0), int(1)),
            ("-1E-999999999", int(-1), int(0)),
            ("1E+999999999", up.clone(), up.clone()),
            ("0E+999999999", int(0), int(0)),
            ("-0.0", int(0), int(0)),
            ("Infinity", up.clone(), up),
            ("-Infinity", down.clone(), down),
        ] {
            assert_eq!(whole_of_digits(text, Rounding::Down), Some(below), "{text} and below");
            assert_eq!(whole_of_digits(text, Rounding::Up), Some(above), "{text} and above");
        }
    }

    #[test]
    fn no_whole_number_is_equal_to_a_fraction() {
        for text in
            ["9007199254740993.5", "2.00000000000000000000001", "1E-400", "12345678901234567890.5"]
        {
            let beyond = Some(Scalar::Float(f64::INFINITY));
            assert_eq!(whole_of_digits(text, Rounding::None), beyond, "{text}");
        }
        assert_eq!(whole_of_digits("2.5", Rounding::None), None);
        assert_eq!(whole_of_digits("NaN", Rounding::Down), None);
        assert_eq!(whole_of_digits("42.000", Rounding::None), Some(Scalar::Int(42)));
    }
}
