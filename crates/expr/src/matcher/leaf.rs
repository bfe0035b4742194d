//! One condition of an expression as a set of values of one attribute, where it is one.

use rowmill_columns::Scalar;
use rowmill_columns::kernels::Comparison;

use super::attributes::{Attribute, Attributes};
use super::clause::{Clause, Joined, Test, Values, merged};
use super::dictionary::Dictionary;
use super::key::{Key, Keys, key};
use crate::filter::bind::{Binder, Columns};
use crate::filter::row::comparison;
use crate::kind::{Base, Kind};
use crate::node::{Expr, Op};
use crate::operators::Operator as O;

/// What makes clauses of conditions.
pub(crate) struct Leaves<'a> {
    pub(crate) attributes: &'a Attributes,
    pub(crate) dictionaries: &'a mut [Dictionary],
    pub(crate) columns: &'a mut Columns,
}

/// A list of which all have to be held is so many clauses at most.
const MOST_ALL: usize = 3;

impl Leaves<'_> {
    /// Whether a condition would be the same if it were bound, but for its column's kind: an attribute beside values
    /// of its own kind. Most are, and to bind one is to make it anew.
    pub(crate) fn is_plain(&self, node: &Expr) -> bool {
        let args = node.args();
        let column = args.first().unwrap_or(node);
        let Some((_, attribute)) = self.column(column).filter(|_| self.attributes.are_apart())
        else {
            return false;
        };
        let is_own = |value: &Scalar| Kind::of_scalar(value) == Kind::One(attribute.base());
        match (node.op(), args) {
            (Op::Column(_), _) => attribute.kind == Kind::BOOL,
            (Op::Call(O::IsNull | O::IsNotNull), _) => true,
            (
                Op::Call(
                    O::Equal
                    | O::NotEqual
                    | O::Less
                    | O::LessOrEqual
                    | O::Greater
                    | O::GreaterOrEqual
                    | O::Between,
                ),
                [_, values @ ..],
            ) => {
                attribute.keys != Keys::None
                    && !attribute.is_list()
                    && values.iter().all(|value| value.value().is_some_and(is_own))
            }
            (Op::Call(O::In | O::NotIn), [_, list]) => {
                attribute.keys != Keys::None && !attribute.is_list() && is_list_of(list, is_own)
            }
            (Op::Call(O::ListOverlaps | O::ListDisjoint), [_, list]) => {
                attribute.keys != Keys::None && attribute.is_list() && is_list_of(list, is_own)
            }
            _ => false,
        }
    }

    /// A condition with the attributes' kinds; `None` where it is refused, or may be something else than a bool.
    pub(crate) fn bound(&mut self, node: &Expr) -> Option<Expr> {
        let bound = Binder::keeping(self.attributes.schema(), self.columns).bind(node).ok()?;
        matches!(bound.kind(), Kind::BOOL | Kind::NULL).then_some(bound)
    }

    /// The values of which a condition is true, or with `not` those of which it is false; `None` where it is not
    /// about one attribute in a way that the index knows.
    pub(crate) fn clauses(&mut self, node: &Expr, not: bool) -> Option<Vec<Joined>> {
        let args = node.args();
        let operator = match node.op() {
            Op::Column(_) => return self.compared(Comparison::Eq, node, &Scalar::Bool(!not)),
            Op::Call(operator) => *operator,
            _ => return None,
        };
        match (operator, args) {
            (O::IsNull | O::IsNotNull, [column]) => {
                let (number, attribute) = self.column(column)?;
                let null = (operator == O::IsNull) != not;
                // Of what has a value: all, or none.
                let test = Test::empty(attribute.is_list(), !null);
                one(Clause { attribute: number, test, null })
            }
            (O::IsDistinct | O::IsNotDistinct, [a, b]) => {
                let (column, value) = sides(a, b).or_else(|| sides(b, a))?;
                let same = (operator == O::IsNotDistinct) != not;
                let (number, attribute) = self.column(column)?;
                if *value == Scalar::Null {
                    let test = Test::empty(attribute.is_list(), !same);
                    return one(Clause { attribute: number, test, null: same });
                }
                let values = self.values(number, attribute, [value])?;
                one(Clause {
                    attribute: number,
                    test: Test::Values { values, not: !same },
                    null: !same,
                })
            }
            (O::Between, [column, low, high]) => {
                let (low, high) = (low.value()?, high.value()?);
                let (number, attribute) = self.ordered(column)?;
                let (Key::Number(low), Key::Number(high)) =
                    (key(attribute.base(), low)?, key(attribute.base(), high)?)
                else {
                    return None;
                };
                let spans = if not {
                    let below = low.checked_sub(1).map(|below| (i64::MIN, below));
                    let above = high.checked_add(1).map(|above| (above, i64::MAX));
                    merged(below.into_iter().chain(above))
                } else {
                    merged(std::iter::once((low, high)))
                };
                one(Clause { attribute: number, test: Test::Spans(spans), null: false })
            }
            (O::In | O::NotIn, [column, list]) => {
                let Some(Scalar::List(list)) = list.value() else { return None };
                let (number, attribute) = self.column(column)?;
                let not = (operator == O::NotIn) != not;
                if list.is_empty() {
                    // Known even of NULL.
                    return Some(vec![if not { Joined::Always } else { Joined::Never }]);
                }
                let values = match (list.integers(), attribute.keys) {
                    (Some(integers), Keys::Numbers) if attribute.kind == Kind::INT => {
                        let dictionary = &mut self.dictionaries[number as usize];
                        sorted(integers.iter().map(|&value| dictionary.intern(Key::Number(value))))
                    }
                    _ => self.values(number, attribute, list.iter())?,
                };
                one(Clause { attribute: number, test: Test::Values { values, not }, null: false })
            }
            (
                O::ListContains
                | O::ListOverlaps
                | O::ListDisjoint
                | O::ListContainsAll
                | O::AnyEqual,
                [column, other],
            ) => self.listed(operator, column, other.value()?, not),
            (_, [a, b]) => {
                let comparison = comparison(operator)?;
                if crate::filter::row::quantifier(operator).is_some() {
                    return None;
                }
                let comparison = if not { opposite(comparison) } else { comparison };
                match sides(a, b) {
                    Some((column, value)) => self.compared(comparison, column, value),
                    None => {
                        let (column, value) = sides(b, a)?;
                        self.compared(comparison.flipped(), column, value)
                    }
                }
            }
            _ => None,
        }
    }

    fn column(&self, expression: &Expr) -> Option<(u32, Attribute)> {
        let number = self.attributes.number(&expression.as_column()?.name)?;
        Some((number as u32, self.attributes.get(number)))
    }

    /// A column whose keys are in the order of its values.
    fn ordered(&self, expression: &Expr) -> Option<(u32, Attribute)> {
        let (number, attribute) = self.column(expression)?;
        (attribute.keys == Keys::Numbers && !attribute.is_list()).then_some((number, attribute))
    }

    /// The numbers of values; `None` where one of them has no key.
    fn values<'v>(
        &mut self,
        number: u32,
        attribute: Attribute,
        values: impl IntoIterator<Item = &'v Scalar>,
    ) -> Option<Values> {
        if attribute.is_list() || attribute.keys == Keys::None {
            return None;
        }
        self.elements(number, attribute, values)
    }

    fn elements<'v>(
        &mut self,
        number: u32,
        attribute: Attribute,
        values: impl IntoIterator<Item = &'v Scalar>,
    ) -> Option<Values> {
        let dictionary = &mut self.dictionaries[number as usize];
        let ids: Option<Values> = values
            .into_iter()
            .map(|value| key(attribute.base(), value).map(|key| dictionary.intern(key)))
            .collect();
        ids.map(|ids| sorted(ids.into_iter()))
    }

    fn compared(
        &mut self,
        comparison: Comparison,
        column: &Expr,
        value: &Scalar,
    ) -> Option<Vec<Joined>> {
        let (number, attribute) = self.column(column)?;
        if let Comparison::Eq | Comparison::Ne = comparison {
            let values = self.values(number, attribute, [value])?;
            let test = Test::Values { values, not: comparison == Comparison::Ne };
            return one(Clause { attribute: number, test, null: false });
        }
        let (number, attribute) = self.ordered(column)?;
        let Key::Number(at) = key(attribute.base(), value)? else { return None };
        let span = match comparison {
            Comparison::Lt => at.checked_sub(1).map(|high| (i64::MIN, high)),
            Comparison::Le => Some((i64::MIN, at)),
            Comparison::Gt => at.checked_add(1).map(|low| (low, i64::MAX)),
            _ => Some((at, i64::MAX)),
        };
        let test = Test::Spans(merged(span.into_iter()));
        one(Clause { attribute: number, test, null: false })
    }

    fn listed(
        &mut self,
        operator: O,
        column: &Expr,
        other: &Scalar,
        not: bool,
    ) -> Option<Vec<Joined>> {
        let (number, attribute) = self.column(column)?;
        if !attribute.is_list() || attribute.keys == Keys::None {
            return None;
        }
        let is_one = matches!(operator, O::ListContains | O::AnyEqual);
        let scalars: Vec<&Scalar> = match other {
            Scalar::List(values) if !is_one => {
                let is_negation = (operator == O::ListDisjoint) != not;
                if let (Some(integers), O::ListOverlaps | O::ListDisjoint, Kind::List(Base::Int)) =
                    (values.integers(), operator, attribute.kind)
                {
                    // Scalars made of them would stay beside them.
                    let dictionary = &mut self.dictionaries[number as usize];
                    let ids = integers.iter().map(|&value| dictionary.intern(Key::Number(value)));
                    let test = Test::Elements { values: sorted(ids), not: is_negation };
                    return one(Clause { attribute: number, test, null: false });
                }
                values.iter().collect()
            }
            Scalar::List(_) | Scalar::Null => return None,
            value if is_one => vec![value],
            _ => return None,
        };
        let has_null = scalars.contains(&&Scalar::Null);
        let clause = |values: Values, not: bool| {
            Clause { attribute: number, test: Test::Elements { values, not }, null: false }
                .settled()
        };
        match operator {
            // Where no element is the value, it is unknown if one is NULL.
            O::AnyEqual if not => None,
            O::ListContainsAll if has_null => None,
            O::ListContainsAll if not => {
                // One is missing: as many branches as there are values.
                let [only] = scalars[..] else { return None };
                Some(vec![clause(self.elements(number, attribute, [only])?, true)])
            }
            O::ListContainsAll if scalars.is_empty() => Some(vec![clause(Values::new(), true)]),
            O::ListContainsAll => {
                let mut all = Vec::with_capacity(scalars.len());
                for one in scalars {
                    let values = self.elements(number, attribute, [one])?;
                    let clause = clause(values, false);
                    if !all.contains(&clause) {
                        all.push(clause);
                    }
                }
                (all.len() <= MOST_ALL).then_some(all)
            }
            _ => {
                let scalars = scalars.into_iter().filter(|value| **value != Scalar::Null);
                let values = self.elements(number, attribute, scalars)?;
                Some(vec![clause(values, (operator == O::ListDisjoint) != not)])
            }
        }
    }
}

fn is_list_of(list: &Expr, is_own: impl Fn(&Scalar) -> bool) -> bool {
    match list.value() {
        Some(Scalar::List(values)) => match values.integers() {
            Some(integers) => integers.is_empty() || is_own(&Scalar::Int(0)),
            None => values.iter().all(is_own),
        },
        _ => false,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what the caller gives back")]
fn one(clause: Clause) -> Option<Vec<Joined>> {
    Some(vec![clause.settled()])
}

fn sides<'e>(column: &'e Expr, value: &'e Expr) -> Option<(&'e Expr, &'e Scalar)> {
    column.as_column().and(value.value()).map(|value| (column, value))
}

fn sorted(ids: impl Iterator<Item = u32>) -> Values {
    let mut ids: Values = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What is true where the comparison is false, of values that are not NULL.
fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Eq => Comparison::Ne,
        Comparison::Ne => Comparison::Eq,
        Comparison::Lt => Comparison::Ge,
        Comparison::Le => Comparison::Gt,
        Comparison::Gt => Comparison::Le,
        Comparison::Ge => Comparison::Lt,
    }
}
