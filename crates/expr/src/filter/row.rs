//! Any expression, a row at a time: what has no kernel is computed here, and nothing is missing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use rowmill_columns::kernels::{Comparison, Like, Quantifier};
use rowmill_columns::{Batch, Scalar, Schema, Type, Value};

use super::cell::{Cell, List};
use super::decimal::Decimal;
use super::json::{self, Step};
use super::{dates, numbers, refusal, typed};
use crate::kind::Kind;
use crate::node::{Expr, Op};
use crate::operators::{Operator as O, Place};
use crate::{ExprError, regex};

/// An expression whose columns are found.
#[derive(Debug)]
pub(crate) enum Row {
    Column { at: usize, kind: Type },
    Literal(Scalar),
    Call { operator: O, args: Vec<Row>, of: Expr, ready: Ready },
}

/// What is made of a literal operand once.
#[derive(Debug)]
pub(crate) enum Ready {
    Nothing,
    Like(Like),
    Regex(Box<::regex::Regex>),
    Path(Vec<Step>),
    Texts(HashSet<Box<str>>),
    Ints(HashSet<i64>),
}

impl Row {
    /// # Errors
    /// Where a part needs a database, or no column has its name.
    pub(crate) fn new(expression: &Expr, schema: &Schema) -> Result<Self, ExprError> {
        match expression.op() {
            Op::Column(_) => {
                let (at, kind) = typed(schema, expression)?;
                Ok(Self::Column { at, kind })
            }
            Op::Literal(value) if is_wide(value) => Err(ExprError::about(
                "has more than 38 digits, more than filters compute with; round it",
                expression,
            )),
            Op::Literal(value) => Ok(Self::Literal(value.clone())),
            Op::Call(operator) if operator.entry().place == Place::Row => {
                let args = expression.args();
                let ready = Ready::new(*operator, args)?;
                let args =
                    args.iter().map(|arg| Self::new(arg, schema)).collect::<Result<_, _>>()?;
                Ok(Self::Call { operator: *operator, args, of: expression.clone(), ready })
            }
            _ => Err(refusal(expression)),
        }
    }

    /// # Errors
    /// Where an integer is out of range.
    pub(super) fn get<'a>(&'a self, batch: &'a Batch, row: usize) -> Result<Cell<'a>, ExprError> {
        self.of(BatchRow { batch, row })
    }

    /// # Errors
    /// Where an integer is out of range.
    pub(crate) fn of<'a>(&'a self, cells: impl Cells<'a>) -> Result<Cell<'a>, ExprError> {
        match self {
            Self::Column { at, kind } => cells.cell(*at, kind),
            Self::Literal(value) => Ok(value.into()),
            Self::Call { operator, args, of, ready } => {
                call(*operator, args, of.kind(), ready, cells).map_err(|error| error.of(of))
            }
        }
    }

    fn is_null<'a>(&'a self, cells: impl Cells<'a>) -> Result<bool, ExprError> {
        match self {
            // Whatever the value is, of which nothing else may be computed.
            Self::Column { at, .. } => Ok(cells.is_null(*at)),
            other => Ok(other.of(cells)?.is_null()),
        }
    }
}

/// Where the cells of one row come from.
pub(crate) trait Cells<'a>: Copy {
    /// The cell of a column of this type.
    ///
    /// # Errors
    /// Where it holds what nothing is computed with.
    fn cell(self, column: usize, kind: &Type) -> Result<Cell<'a>, ExprError>;

    fn is_null(self, column: usize) -> bool;
}

/// A row of a batch.
#[derive(Clone, Copy)]
struct BatchRow<'a> {
    batch: &'a Batch,
    row: usize,
}

impl<'a> Cells<'a> for BatchRow<'a> {
    fn cell(self, column: usize, kind: &Type) -> Result<Cell<'a>, ExprError> {
        match self.batch.column(column).value(kind, self.row) {
            Value::Decimal(value) if value.unscaled().is_none() => {
                Err(wide(&self.batch.schema().fields[column].name, self.row))
            }
            value => Ok(value.into()),
        }
    }

    fn is_null(self, column: usize) -> bool {
        self.batch.column(column).is_null(self.row)
    }
}

/// Whether a literal is a number that no decimal here holds.
fn is_wide(value: &Scalar) -> bool {
    match value {
        Scalar::Decimal(text) => {
            text.ends_with(|last: char| last.is_ascii_digit()) && Decimal::parse(text).is_none()
        }
        Scalar::List(values) => values.integers().is_none() && values.iter().any(is_wide),
        _ => false,
    }
}

#[cold]
fn wide(column: &str, row: usize) -> ExprError {
    ExprError::new(format!(
        "decimal out of range: column {column:?}, row {row} has more than 38 digits, more than filters compute \
         with; cast it in the statement, to numeric(38, 6) or to float"
    ))
}

impl Ready {
    fn new(operator: O, args: &[Expr]) -> Result<Self, ExprError> {
        let Some(value) = args.get(1).and_then(Expr::value) else { return Ok(Self::Nothing) };
        Ok(match (operator, value) {
            (O::Like | O::ILike, Scalar::Text(pattern)) => Self::Like(like(operator, pattern)?),
            (O::Matches, Scalar::Text(pattern)) => Self::Regex(Box::new(matcher(pattern)?)),
            (O::JsonGet, path) => match Step::path(path) {
                Some(path) => Self::Path(path),
                None => {
                    let kind = path.kind();
                    let message = format!("a step into JSON is a str or an int, not {kind}");
                    return Err(ExprError::new(message));
                }
            },
            (O::In | O::NotIn, Scalar::List(values)) => {
                let texts = values.each().map(|value| match &*value {
                    Scalar::Text(text) => Some(text.as_str().into()),
                    _ => None,
                });
                let ints = values.each().map(|value| match *value {
                    Scalar::Int(value) => Some(value),
                    _ => None,
                });
                match (texts.collect(), ints.collect()) {
                    (Some(texts), _) => Self::Texts(texts),
                    (_, Some(ints)) => Self::Ints(ints),
                    _ => Self::Nothing,
                }
            }
            _ => Self::Nothing,
        })
    }
}

/// # Errors
/// Where the pattern ends in an escape of nothing.
pub(super) fn like(operator: O, pattern: &str) -> Result<Like, ExprError> {
    Like::new(pattern, operator == O::ILike)
        .ok_or_else(|| ExprError::new(format!("the pattern {pattern:?} ends in a backslash")))
}

/// # Errors
/// Where the pattern is none, or too large.
pub(super) fn matcher(pattern: &str) -> Result<::regex::Regex, ExprError> {
    ::regex::Regex::new(&regex::spelled(pattern)).map_err(|error| {
        ExprError::new(format!("the regular expression {pattern:?} cannot be run: {error}"))
    })
}

pub(crate) fn comparison(operator: O) -> Option<Comparison> {
    Some(match operator {
        O::Equal | O::AnyEqual | O::AllEqual => Comparison::Eq,
        O::NotEqual | O::AnyNotEqual | O::AllNotEqual => Comparison::Ne,
        O::Less | O::AnyLess | O::AllLess => Comparison::Lt,
        O::LessOrEqual | O::AnyLessOrEqual | O::AllLessOrEqual => Comparison::Le,
        O::Greater | O::AnyGreater | O::AllGreater => Comparison::Gt,
        O::GreaterOrEqual | O::AnyGreaterOrEqual | O::AllGreaterOrEqual => Comparison::Ge,
        _ => return None,
    })
}

/// Whether the operator asks of any of a list's elements, or of all.
pub(crate) fn quantifier(operator: O) -> Option<Quantifier> {
    Some(match operator {
        O::AnyEqual
        | O::AnyNotEqual
        | O::AnyLess
        | O::AnyLessOrEqual
        | O::AnyGreater
        | O::AnyGreaterOrEqual => Quantifier::Any,
        O::AllEqual
        | O::AllNotEqual
        | O::AllLess
        | O::AllLessOrEqual
        | O::AllGreater
        | O::AllGreaterOrEqual => Quantifier::All,
        _ => return None,
    })
}

fn call<'a>(
    operator: O,
    args: &'a [Row],
    kind: Kind,
    ready: &'a Ready,
    cells: impl Cells<'a>,
) -> Result<Cell<'a>, ExprError> {
    let get = |at: usize| args[at].of(cells);
    let truth = |value: Option<bool>| Ok(value.map_or(Cell::Null, Cell::Bool));
    match operator {
        // Those with a rule of their own for NULL.
        O::And | O::Or => {
            let deciding = operator == O::Or;
            let mut known = true;
            for arg in args {
                match arg.of(cells)? {
                    Cell::Bool(value) if value == deciding => return truth(Some(deciding)),
                    Cell::Bool(_) => {}
                    _ => known = false,
                }
            }
            truth(known.then_some(!deciding))
        }
        O::IsNull => truth(Some(args[0].is_null(cells)?)),
        O::IsNotNull => truth(Some(!args[0].is_null(cells)?)),
        O::IsDistinct | O::IsNotDistinct => {
            let (a, b) = (get(0)?, get(1)?);
            let same = match (a.is_null(), b.is_null()) {
                (false, false) => a.compare(&b).is_some_and(Ordering::is_eq),
                (a, b) => a == b,
            };
            truth(Some(same == (operator == O::IsNotDistinct)))
        }
        O::Between => {
            let (value, low, high) = (get(0)?, get(1)?, get(2)?);
            let above = ordered(&value, &low).map(Ordering::is_ge);
            let below = ordered(&value, &high).map(Ordering::is_le);
            truth(match (above, below) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            })
        }
        O::In | O::NotIn => {
            let found = match (get(0)?, ready) {
                (Cell::Text(text), Ready::Texts(texts)) if !texts.is_empty() => {
                    Some(texts.contains(&*text))
                }
                (Cell::Int(value), Ready::Ints(ints)) if !ints.is_empty() => {
                    Some(ints.contains(&value))
                }
                (value, _) => match get(1)? {
                    Cell::List(list) if list.len() == 0 => Some(false),
                    Cell::List(list) if !value.is_null() => kleene_any(
                        list.iter().map(|one| ordered(&value, &one).map(Ordering::is_eq)),
                    ),
                    _ => None,
                },
            };
            truth(found.map(|found| found == (operator == O::In)))
        }
        O::Coalesce => {
            for arg in args {
                let cell = arg.of(cells)?;
                if !cell.is_null() {
                    return cell.widened(kind);
                }
            }
            Ok(Cell::Null)
        }
        O::Case => {
            let (pairs, last) = args.as_chunks::<2>();
            for [condition, value] in pairs {
                if matches!(condition.of(cells)?, Cell::Bool(true)) {
                    return value.of(cells)?.widened(kind);
                }
            }
            match last {
                [last] => last.of(cells)?.widened(kind),
                _ => Ok(Cell::Null),
            }
        }
        O::Least | O::Greatest => {
            let wanted = if operator == O::Least { Ordering::Less } else { Ordering::Greater };
            let mut best = Cell::Null;
            for arg in args {
                let cell = arg.of(cells)?.widened(kind)?;
                if !cell.is_null() && (best.is_null() || cell.compare(&best) == Some(wanted)) {
                    best = cell;
                }
            }
            Ok(best)
        }
        // All others are NULL where an operand is.
        O::Concat => {
            let mut text = String::new();
            for arg in args {
                let Cell::Text(part) = arg.of(cells)? else { return Ok(Cell::Null) };
                text.push_str(&part);
            }
            Ok(Cell::Text(text.into()))
        }
        O::GeoWithin => {
            let mut numbers = [0.0; 5];
            for (number, arg) in numbers.iter_mut().zip(args) {
                let Some(value) = arg.of(cells)?.float() else { return Ok(Cell::Null) };
                *number = value;
            }
            truth(Some(numbers::geo_within(numbers)))
        }
        _ => {
            let first = get(0)?;
            if first.is_null() {
                return Ok(Cell::Null);
            }
            if args.len() == 1 {
                return unary(operator, first);
            }
            let second = match ready {
                Ready::Like(_) | Ready::Regex(_) | Ready::Path(_) => Cell::Null,
                _ => get(1)?,
            };
            binary(operator, &first, &second, ready)
        }
    }
}

fn ordered(a: &Cell<'_>, b: &Cell<'_>) -> Option<Ordering> {
    if a.is_null() || b.is_null() { None } else { a.compare(b) }
}

fn kleene_any(said: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for one in said {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = false,
        }
    }
    known.then_some(false)
}

fn unary(operator: O, cell: Cell<'_>) -> Result<Cell<'_>, ExprError> {
    Ok(match (operator, cell) {
        (O::Not, Cell::Bool(value)) => Cell::Bool(!value),
        (O::Negate | O::Abs | O::Floor | O::Ceil | O::ToInt | O::ToFloat, cell) => {
            numbers::unary(operator, &cell)?
        }
        (O::Lower, Cell::Text(text)) => Cell::Text(text.to_ascii_lowercase().into()),
        (O::Upper, Cell::Text(text)) => Cell::Text(text.to_ascii_uppercase().into()),
        (O::Trim, Cell::Text(text)) => Cell::Text(match text {
            Cow::Borrowed(text) => text.trim_matches(' ').into(),
            Cow::Owned(text) => text.trim_matches(' ').to_owned().into(),
        }),
        (O::Length, Cell::Text(text)) => Cell::Int(text.chars().count() as i64),
        (O::Length | O::ListLength, Cell::List(list)) => Cell::Int(list.len() as i64),
        (O::ToText, cell) => match cell {
            Cell::Int(value) => Cell::Text(value.to_string().into()),
            Cell::Text(text) => Cell::Text(text),
            Cell::Json(text) => Cell::Text(text.into()),
            Cell::Uuid(uuid) => Cell::Text(rowmill_columns::Value::Uuid(uuid).to_string().into()),
            Cell::Date(days) => Cell::Text(rowmill_columns::Value::Date(days).to_string().into()),
            _ => Cell::Null,
        },
        (operator, cell) => dates::part(operator, &cell)?,
    })
}

fn binary<'a>(
    operator: O,
    first: &Cell<'a>,
    second: &Cell<'a>,
    ready: &Ready,
) -> Result<Cell<'a>, ExprError> {
    let prepared = match (ready, first) {
        (Ready::Like(like), Cell::Text(text)) => Some(Cell::Bool(like.matches(text.as_bytes()))),
        (Ready::Regex(regex), Cell::Text(text)) => Some(Cell::Bool(regex.is_match(text))),
        (Ready::Path(path), Cell::Json(text)) => {
            Some(json::get(text, path).map_or(Cell::Null, Cell::Text))
        }
        _ => None,
    };
    if let Some(found) = prepared {
        return Ok(found);
    }
    if let (Some(quantifier), Some(comparison), Cell::List(list)) =
        (quantifier(operator), comparison(operator), first)
    {
        let all = quantifier == Quantifier::All;
        let said = list.iter().map(|one| {
            // All is the contrary of any to the contrary.
            ordered(&one, second).map(|order| comparison.holds(order) != all)
        });
        return Ok(kleene_any(said).map_or(Cell::Null, |any| Cell::Bool(any != all)));
    }
    if second.is_null() {
        return Ok(Cell::Null);
    }
    if let Some(comparison) = comparison(operator) {
        let order = first.compare(second);
        return Ok(order.map_or(Cell::Null, |order| Cell::Bool(comparison.holds(order))));
    }
    Ok(match (operator, first, second) {
        (O::Contains, Cell::Text(a), Cell::Text(b)) => Cell::Bool(a.contains(&**b)),
        (O::StartsWith, Cell::Text(a), Cell::Text(b)) => Cell::Bool(a.starts_with(&**b)),
        (O::EndsWith, Cell::Text(a), Cell::Text(b)) => Cell::Bool(a.ends_with(&**b)),
        (O::ListContains | O::Contains, Cell::List(list), value) => Cell::Bool(has(*list, value)),
        (O::ListOverlaps, Cell::List(a), Cell::List(b)) => {
            Cell::Bool(a.iter().any(|one| has(*b, &one)))
        }
        (O::ListDisjoint, Cell::List(a), Cell::List(b)) => {
            Cell::Bool(!a.iter().any(|one| has(*b, &one)))
        }
        (O::ListContainsAll, Cell::List(a), Cell::List(b)) => {
            Cell::Bool(b.iter().all(|one| has(*a, &one)))
        }
        (O::Add | O::Subtract, Cell::Interval(_), _)
        | (O::Add | O::Subtract, _, Cell::Interval(_)) => dates::moved(operator, first, second)?,
        _ => numbers::binary(operator, first, second)?,
    })
}

/// Whether an element is equal to the value; NULL is to none.
fn has(list: List<'_>, value: &Cell<'_>) -> bool {
    list.iter().any(|one| ordered(&one, value).is_some_and(Ordering::is_eq))
}
