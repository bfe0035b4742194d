//! What kind an operator's result is, given those of its operands.

use crate::kind::{Base, Kind};

/// The kind of a result, or which operand makes no sense and why.
pub type Rule = fn(&[Kind]) -> Result<Kind, Mismatch>;

/// An operand that an operator cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which, from 0.
    pub argument: usize,
    /// Why.
    pub message: String,
}

fn wrong(argument: usize, message: impl Into<String>) -> Mismatch {
    Mismatch { argument, message: message.into() }
}

fn each(args: &[Kind], base: Base) -> Result<(), Mismatch> {
    match args.iter().position(|kind| !kind.may_be(base)) {
        Some(at) => Err(wrong(at, format!("takes {base}, not {}", args[at]))),
        None => Ok(()),
    }
}

fn count(args: &[Kind], wanted: usize) -> Result<(), Mismatch> {
    if args.len() == wanted {
        return Ok(());
    }
    Err(wrong(0, format!("takes {wanted} operands, {} given", args.len())))
}

pub(crate) fn logic(args: &[Kind]) -> Result<Kind, Mismatch> {
    each(args, Base::Bool).map_err(|Mismatch { argument, message }| {
        // `a & b == c` is `(a & b) == c` to Python.
        wrong(
            argument,
            format!("{message}: each condition stands in parentheses, (a == 1) & (b == 2)"),
        )
    })?;
    Ok(Kind::BOOL)
}

#[expect(clippy::unnecessary_wraps, reason = "a Rule")]
pub(crate) fn test(_: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(Kind::BOOL)
}

/// Whether values of these kinds can be compared, and if they can only be equal or not.
fn comparable(left: Kind, right: Kind) -> bool {
    match (left, right) {
        (Kind::Any | Kind::NULL, _) | (_, Kind::Any | Kind::NULL) => true,
        (Kind::One(left), Kind::One(right)) => {
            left == right && left != Base::Other
                || left.is_number() && right.is_number()
                || matches!(
                    (left, right),
                    (Base::Date, Base::Timestamp) | (Base::Timestamp, Base::Date)
                )
        }
        (Kind::List(left), Kind::List(right)) => {
            left == right || left == Base::Null || right == Base::Null
        }
        _ => false,
    }
}

fn compare(left: Kind, right: Kind) -> Result<(), Mismatch> {
    if comparable(left, right) {
        return Ok(());
    }
    let zones = matches!(
        (left, right),
        (Kind::One(Base::Instant), Kind::One(Base::Timestamp | Base::Date))
            | (Kind::One(Base::Timestamp | Base::Date), Kind::One(Base::Instant))
    );
    let why = if zones {
        ": a point in time has a zone, a wall clock has none; give the datetime a tzinfo, or declare the \
         column with rm.column(naive=True)"
    } else {
        match (left, right) {
            (Kind::One(base), Kind::TEXT) => in_place_of_text(base),
            (Kind::TEXT, Kind::One(base)) if base.is_number() => ": give its text, as of str()",
            _ => "",
        }
    };
    Err(wrong(1, format!("{left} cannot be compared with {right}{why}")))
}

/// What to compare with in place of a text.
fn in_place_of_text(base: Base) -> &'static str {
    match base {
        Base::Uuid => ": give a uuid.UUID, as of uuid.UUID(text)",
        Base::Instant => ": give a datetime with a tzinfo, as of datetime.fromisoformat(text)",
        Base::Timestamp => ": give a datetime, as of datetime.fromisoformat(text)",
        Base::Date => ": give a date, as of date.fromisoformat(text)",
        Base::Time => ": give a time, as of time.fromisoformat(text)",
        Base::Int => ": give an int, as of int(text)",
        Base::Float => ": give a float, as of float(text)",
        Base::Decimal => ": give a Decimal, as of Decimal(text)",
        _ => "",
    }
}

pub(crate) fn equality(args: &[Kind]) -> Result<Kind, Mismatch> {
    for (at, kind) in args.iter().enumerate() {
        if *kind == Kind::One(Base::Json) {
            return Err(wrong(
                at,
                "JSON is not compared as a whole; take a value out with [\"key\"]",
            ));
        }
    }
    compare(args[0], args[1])?;
    Ok(Kind::BOOL)
}

fn ordered(args: &[Kind]) -> Result<(), Mismatch> {
    for (at, kind) in args.iter().enumerate() {
        if matches!(kind, Kind::List(_) | Kind::One(Base::Json | Base::Interval | Base::Other)) {
            return Err(wrong(at, format!("{kind} has no order")));
        }
    }
    Ok(())
}

pub(crate) fn order(args: &[Kind]) -> Result<Kind, Mismatch> {
    compare(args[0], args[1])?;
    ordered(args)?;
    Ok(Kind::BOOL)
}

pub(crate) fn between(args: &[Kind]) -> Result<Kind, Mismatch> {
    compare(args[0], args[1])?;
    compare(args[0], args[2]).map_err(|error| wrong(2, error.message))?;
    ordered(args)?;
    Ok(Kind::BOOL)
}

pub(crate) fn within(args: &[Kind]) -> Result<Kind, Mismatch> {
    match args[1] {
        Kind::List(element) => compare(args[0], Kind::One(element))?,
        Kind::Any => {}
        Kind::One(other) => return Err(wrong(1, format!("takes a list, not {other}"))),
    }
    equality(&[args[0], Kind::Any])
}

/// The wider of two numbers.
fn wider(left: Base, right: Base) -> Base {
    match (left, right) {
        (Base::Float, _) | (_, Base::Float) => Base::Float,
        (Base::Decimal, _) | (_, Base::Decimal) => Base::Decimal,
        _ => Base::Int,
    }
}

fn numbers(args: &[Kind]) -> Result<Kind, Mismatch> {
    if let Some(at) = args.iter().position(|kind| !kind.may_be_number()) {
        return Err(wrong(at, format!("takes numbers, not {}", args[at])));
    }
    Ok(match (args[0], args[1]) {
        (Kind::One(left), Kind::One(right)) if left != Base::Null && right != Base::Null => {
            Kind::One(wider(left, right))
        }
        (Kind::NULL, other) | (other, Kind::NULL) => other,
        _ => Kind::Any,
    })
}

pub(crate) fn sum(args: &[Kind]) -> Result<Kind, Mismatch> {
    use Base::{Date, Instant, Interval, Timestamp};
    match (args[0], args[1]) {
        // What is not known yet can only be an interval.
        (Kind::One(Date | Timestamp), Kind::One(Interval) | Kind::Any)
        | (Kind::One(Interval), Kind::One(Date | Timestamp)) => Ok(Kind::One(Timestamp)),
        (Kind::One(Instant), Kind::One(Interval) | Kind::Any)
        | (Kind::One(Interval), Kind::One(Instant)) => Ok(Kind::One(Instant)),
        (Kind::Any, Kind::One(Interval)) | (Kind::One(Interval), Kind::Any) => Ok(Kind::Any),
        (Kind::One(Interval), Kind::One(Interval)) => Ok(Kind::One(Interval)),
        (left, right) if left.may_be(Base::Text) && right.may_be(Base::Text) => numbers(args)
            .map_err(|Mismatch { argument, message }| {
                wrong(argument, format!("{message}: rm.concat(a, b) joins texts"))
            }),
        _ => numbers(args),
    }
}

pub(crate) fn difference(args: &[Kind]) -> Result<Kind, Mismatch> {
    match args {
        [Kind::One(Base::Interval), other] if !other.may_be(Base::Interval) => {
            Err(wrong(1, format!("takes an interval, not {other}")))
        }
        _ => sum(args),
    }
}

pub(crate) fn product(args: &[Kind]) -> Result<Kind, Mismatch> {
    numbers(args)
}

pub(crate) fn quotient(args: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(match numbers(args)? {
        Kind::One(Base::Int) => Kind::FLOAT,
        other => other,
    })
}

pub(crate) fn integers(args: &[Kind]) -> Result<Kind, Mismatch> {
    each(args, Base::Int)?;
    Ok(Kind::INT)
}

#[expect(clippy::unnecessary_wraps, reason = "a Rule")]
pub(crate) fn negation(args: &[Kind]) -> Result<Kind, Mismatch> {
    // Of what is no number it is an order's key, which is seen where it is used.
    Ok(args[0])
}

pub(crate) fn number(args: &[Kind]) -> Result<Kind, Mismatch> {
    if args[0].may_be_number() {
        return Ok(args[0]);
    }
    Err(wrong(0, format!("takes a number, not {}", args[0])))
}

pub(crate) fn texts(args: &[Kind]) -> Result<Kind, Mismatch> {
    each(args, Base::Text)?;
    Ok(Kind::BOOL)
}

pub(crate) fn pattern(args: &[Kind]) -> Result<Kind, Mismatch> {
    texts(args)
}

pub(crate) fn text_to_text(args: &[Kind]) -> Result<Kind, Mismatch> {
    each(args, Base::Text)?;
    Ok(Kind::TEXT)
}

pub(crate) fn text_to_int(args: &[Kind]) -> Result<Kind, Mismatch> {
    each(args, Base::Text)?;
    Ok(Kind::INT)
}

pub(crate) fn concat(args: &[Kind]) -> Result<Kind, Mismatch> {
    each(args, Base::Text)?;
    Ok(Kind::TEXT)
}

fn list(args: &[Kind], at: usize) -> Result<(), Mismatch> {
    match args[at] {
        Kind::List(_) | Kind::Any | Kind::NULL => Ok(()),
        Kind::One(other) => Err(wrong(at, format!("takes a list, not {other}"))),
    }
}

pub(crate) fn list_and_element(args: &[Kind]) -> Result<Kind, Mismatch> {
    list(args, 0)?;
    if let Kind::List(element) = args[0] {
        compare(Kind::One(element), args[1])?;
    }
    Ok(Kind::BOOL)
}

pub(crate) fn lists(args: &[Kind]) -> Result<Kind, Mismatch> {
    list(args, 0)?;
    list(args, 1)?;
    compare(args[0], args[1])?;
    Ok(Kind::BOOL)
}

pub(crate) fn list_to_int(args: &[Kind]) -> Result<Kind, Mismatch> {
    list(args, 0)?;
    Ok(Kind::INT)
}

pub(crate) fn json_path(args: &[Kind]) -> Result<Kind, Mismatch> {
    if args[0].may_be(Base::Json) {
        return Ok(Kind::TEXT);
    }
    Err(wrong(0, format!("takes json, not {}", args[0])))
}

fn dated(args: &[Kind], or_time: bool) -> Result<(), Mismatch> {
    match args[0] {
        Kind::Any | Kind::NULL => Ok(()),
        Kind::One(base) if base.is_dated() || or_time && base == Base::Time => Ok(()),
        other => Err(wrong(0, format!("takes a date or a timestamp, not {other}"))),
    }
}

pub(crate) fn dated_to_int(args: &[Kind]) -> Result<Kind, Mismatch> {
    dated(args, false)?;
    Ok(Kind::INT)
}

pub(crate) fn timed_to_int(args: &[Kind]) -> Result<Kind, Mismatch> {
    match args[0] {
        Kind::One(Base::Date) => Err(wrong(0, "a date has no time of day")),
        _ => dated(args, true).map(|()| Kind::INT),
    }
}

pub(crate) fn truncate(args: &[Kind]) -> Result<Kind, Mismatch> {
    dated(args, false)?;
    Ok(match args[0] {
        Kind::Any => Kind::Any,
        _ => Kind::One(Base::Timestamp),
    })
}

/// One kind for values of which one is taken.
fn common(args: &[Kind], first: usize) -> Result<Kind, Mismatch> {
    let mut found = Kind::NULL;
    for (at, kind) in args.iter().enumerate().skip(first) {
        found = match (found, *kind) {
            (Kind::NULL, kind) => kind,
            (found, Kind::NULL) => found,
            (Kind::Any, _) | (_, Kind::Any) => Kind::Any,
            (Kind::One(left), Kind::One(right)) if left.is_number() && right.is_number() => {
                Kind::One(wider(left, right))
            }
            (found, kind) if found == kind => found,
            (found, kind) => {
                return Err(wrong(at, format!("is {kind} where another value is {found}")));
            }
        };
    }
    Ok(found)
}

pub(crate) fn same(args: &[Kind]) -> Result<Kind, Mismatch> {
    common(args, 0)
}

/// The same of values that have an order.
pub(crate) fn lowest(args: &[Kind]) -> Result<Kind, Mismatch> {
    ordered(args)?;
    same(args)
}

/// Conditions and values in turn, then the last value.
pub(crate) fn case(args: &[Kind]) -> Result<Kind, Mismatch> {
    let pairs = args.len() / 2;
    for at in (0..pairs).map(|pair| 2 * pair) {
        if !args[at].may_be(Base::Bool) {
            return Err(wrong(at, format!("is a condition, but {} and not bool", args[at])));
        }
    }
    let values: Vec<Kind> = args
        .iter()
        .enumerate()
        .filter(|(at, _)| at % 2 == 1 || at / 2 == pairs)
        .map(|(_, kind)| *kind)
        .collect();
    common(&values, 0)
}

pub(crate) fn to_number(args: &[Kind]) -> Result<Kind, Mismatch> {
    match args[0] {
        Kind::Any | Kind::NULL => Ok(Kind::Any),
        Kind::One(base) if base.is_number() || matches!(base, Base::Text | Base::Bool) => {
            Ok(Kind::Any)
        }
        other => Err(wrong(0, format!("{other} is no number"))),
    }
}

pub(crate) fn to_text(args: &[Kind]) -> Result<Kind, Mismatch> {
    use Base::{Date, Int, Json, Text, Uuid};
    match args[0] {
        Kind::Any | Kind::NULL | Kind::One(Int | Text | Uuid | Date | Json) => Ok(Kind::TEXT),
        other => Err(wrong(
            0,
            format!("the databases write {other} in different ways; format it in Python"),
        )),
    }
}

pub(crate) fn geo(args: &[Kind]) -> Result<Kind, Mismatch> {
    count(args, 5)?;
    for kind in args {
        number(&[*kind])?;
    }
    Ok(Kind::BOOL)
}

#[expect(clippy::unnecessary_wraps, reason = "a Rule")]
pub(crate) fn count_rows(_: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(Kind::INT)
}

#[expect(clippy::unnecessary_wraps, reason = "a Rule")]
pub(crate) fn count_values(_: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(Kind::INT)
}

pub(crate) fn total(args: &[Kind]) -> Result<Kind, Mismatch> {
    number(args)
}

pub(crate) fn average(args: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(match number(args)? {
        Kind::One(Base::Decimal) => Kind::One(Base::Decimal),
        Kind::Any => Kind::Any,
        _ => Kind::FLOAT,
    })
}

/// What the operand is.
#[expect(clippy::unnecessary_wraps, reason = "a Rule")]
pub(crate) fn unchanged(args: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(args[0])
}

/// PostgreSQL orders these, but has no lowest of them.
pub(crate) fn extreme(args: &[Kind]) -> Result<Kind, Mismatch> {
    if let Kind::One(Base::Bool | Base::Json | Base::Uuid) = args[0] {
        return Err(wrong(0, format!("{} has no lowest and no highest", args[0])));
    }
    Ok(args[0])
}

pub(crate) fn where_(args: &[Kind]) -> Result<Kind, Mismatch> {
    if args[1].may_be(Base::Bool) {
        return Ok(args[0]);
    }
    Err(wrong(1, format!("takes a condition, not {}", args[1])))
}

#[expect(clippy::unnecessary_wraps, reason = "a Rule")]
pub(crate) fn number_rows(_: &[Kind]) -> Result<Kind, Mismatch> {
    Ok(Kind::INT)
}

pub(crate) fn shifted(args: &[Kind]) -> Result<Kind, Mismatch> {
    if !args[1].may_be(Base::Int) {
        return Err(wrong(1, format!("takes a number of rows, not {}", args[1])));
    }
    Ok(args[0])
}
