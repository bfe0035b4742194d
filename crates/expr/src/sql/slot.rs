use std::collections::HashSet;
use std::fmt::Write as _;

use rowmill_columns::Scalar;

use super::Bound;
use crate::ExprError;
use crate::coerce::{digits, exact_int};
use crate::kind::{Base, Kind};
use crate::node::Op;

/// What a parameter of a text is: which of the query's values, in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    pub(super) leaf: usize,
    pub(super) form: Form,
}

/// What a value is made before it is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Nothing.
    Plain,
    /// A pattern of LIKE as one of GLOB.
    Glob,
    /// A list of the value alone.
    One,
    /// A regular expression whose classes are ASCII.
    Classes,
    /// A number of rows.
    Rows,
    /// One step of the path of a JSON value.
    Step(u16),
    /// The path as `$.a[0]`.
    JsonPath,
    /// Decimals as floats, which is how SQLite keeps them.
    Real,
    /// A decimal as text, of which a column of text keeps every digit.
    Digits,
    /// A list's values once each, where they stand first.
    Once,
}

impl Slot {
    pub(super) fn value(self, bound: &Bound<'_>, given: &[Scalar]) -> Result<Scalar, ExprError> {
        let value = match bound.leaf(self.leaf).op() {
            Op::Literal(value) => value,
            Op::Parameter(parameter) => given.get(parameter.at).ok_or_else(|| {
                ExprError::new(format!("no value for the parameter {:?}", &*parameter.name))
            })?,
            _ => return Err(ExprError::new("a parameter's value is neither literal nor given")),
        };
        match self.form {
            Form::Plain => Ok(value.clone()),
            // No list holds NULL in a way that can be asked for.
            Form::One if matches!(value, Scalar::Null) => Ok(Scalar::Null),
            Form::One => Ok(Scalar::list([value.clone()])),
            Form::Glob => match value {
                Scalar::Text(pattern) => glob(pattern).map(Scalar::Text),
                other => Ok(other.clone()),
            },
            Form::Classes => match value {
                Scalar::Text(pattern) => Ok(Scalar::Text(crate::regex::ascii(pattern))),
                other => Ok(other.clone()),
            },
            Form::Rows => match value {
                Scalar::Int(0..) => Ok(value.clone()),
                Scalar::Int(rows) => Err(ExprError::new(format!(
                    "{rows} is no number of rows: limit() and offset() take an int from 0"
                ))),
                other => Err(ExprError::new(format!(
                    "limit() and offset() take an int from 0, not {}",
                    other.kind()
                ))),
            },
            Form::Step(at) => Ok(match value {
                Scalar::List(steps) => match steps.get(usize::from(at)) {
                    // PostgreSQL counts places in 32 bits; none is beyond.
                    Some(Scalar::Int(at)) => {
                        Scalar::Int(*at.clamp(&i64::from(i32::MIN), &i64::from(i32::MAX)))
                    }
                    Some(step) => step.clone(),
                    None => Scalar::Null,
                },
                one => one.clone(),
            }),
            Form::JsonPath => path(value, &|steps| {
                let mut out = "$".to_owned();
                steps.iter().try_for_each(|step| step.json(&mut out))?;
                Ok(Scalar::Text(out))
            }),
            Form::Real => Ok(real(value)),
            Form::Digits => match value {
                Scalar::Decimal(digits) => Ok(Scalar::Text(digits.clone())),
                other => Ok(other.clone()),
            },
            Form::Once => Ok(once(value)),
        }
    }
}

fn whole(value: &Scalar) -> Option<Scalar> {
    match value {
        Scalar::Decimal(text) => exact_int(text).map(Scalar::Int),
        _ => None,
    }
}

fn real(value: &Scalar) -> Scalar {
    match value {
        Scalar::Decimal(text) => text.parse().map_or_else(|_| value.clone(), Scalar::Float),
        Scalar::List(values) if Kind::of_scalar(value) == Kind::List(Base::Decimal) => {
            // They are compared and not computed with, so whole ones need not be rounded.
            let element = |value| whole(value).unwrap_or_else(|| real(value));
            Scalar::List(values.iter().map(element).collect())
        }
        other => other.clone(),
    }
}

fn once(value: &Scalar) -> Scalar {
    let Scalar::List(values) = value else { return value.clone() };
    if let Some(integers) = values.integers() {
        let mut seen = HashSet::with_capacity(integers.len());
        let all: Vec<i64> = integers.iter().copied().filter(|value| seen.insert(*value)).collect();
        return Scalar::List(all.into());
    }
    let mut seen = HashSet::with_capacity(values.len());
    Scalar::list(values.iter().filter(|value| seen.insert(identity(value))).cloned())
}

/// What two values that are equal have in common.
fn identity(value: &Scalar) -> String {
    match value {
        Scalar::Float(value) => (value + 0.0).to_string(),
        Scalar::Decimal(text) => match digits(text) {
            Some((digits, _)) if digits.is_empty() => "0".to_owned(),
            Some((digits, point)) => format!("{}{digits}e{point}", text.starts_with('-')),
            None => text.clone(),
        },
        other => format!("{other:?}"),
    }
}

/// A pattern of LIKE, with backslashes as escapes, as one of GLOB.
fn glob(pattern: &str) -> Result<String, ExprError> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => out.push('*'),
            '_' => out.push('?'),
            '\\' => match letters.next() {
                Some(taken) => literal(taken, &mut out),
                None => {
                    let message =
                        format!("the pattern {pattern:?} ends in a backslash that takes nothing");
                    return Err(ExprError::new(message));
                }
            },
            other => literal(other, &mut out),
        }
    }
    Ok(out)
}

fn literal(letter: char, out: &mut String) {
    match letter {
        '*' | '?' | '[' => out.extend(['[', letter, ']']),
        other => out.push(other),
    }
}

enum Step<'a> {
    Key(&'a str),
    At(i64),
}

impl Step<'_> {
    fn json(&self, out: &mut String) -> Result<(), ExprError> {
        match self {
            Self::At(at @ 0..) => {
                let _ = write!(out, "[{at}]");
            }
            Self::At(at) => {
                let _ = write!(out, "[#{at}]");
            }
            // SQLite reads a quoted key to the next quote, and compares it with JSON's own spelling.
            Self::Key(key) if key.contains(['"', '\\']) => {
                return Err(ExprError::new(format!(
                    "SQLite finds no JSON key with a quote or a backslash in it: {key:?}"
                )));
            }
            Self::Key(key) => {
                let _ = write!(out, ".\"{key}\"");
            }
        }
        Ok(())
    }
}

fn path(
    value: &Scalar,
    form: &dyn Fn(&[Step<'_>]) -> Result<Scalar, ExprError>,
) -> Result<Scalar, ExprError> {
    let step = |value| match value {
        &Scalar::Int(at) => Ok(Step::At(at)),
        Scalar::Text(key) => Ok(Step::Key(key)),
        other => Err(ExprError::new(format!(
            "a step into JSON is a str or an int, not {}",
            other.kind()
        ))),
    };
    let steps = match value {
        Scalar::List(steps) => steps.iter().map(step).collect::<Result<Vec<_>, _>>()?,
        one => vec![step(one)?],
    };
    form(&steps)
}
