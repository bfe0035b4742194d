//! Pages by the place of a row in an order, not by counting rows: the thousandth costs what the first does.

use std::fmt::Write as _;
use std::sync::Arc;

use rowmill_columns::Scalar;

use super::{Output, Outputs, Select, SetOperation, sources_of};
use crate::ExprError;
use crate::node::{Expr, Op};
use crate::operators::Operator as O;
use crate::sql::order_key;

/// The prefix of columns that a page adds to know its rows' places.
const HIDDEN: &str = "rowmill_key_";

/// A query's order, made such that it tells all rows apart.
#[derive(Clone, Debug)]
pub struct Keyset {
    select: Select,
    keys: Vec<Key>,
    /// How many of the answer's columns were asked for.
    asked: usize,
}

#[derive(Clone, Debug)]
struct Key {
    expression: Expr,
    descending: bool,
    /// Whether NULLs come before values, in the order of the query.
    nulls_first: bool,
    nullable: bool,
    /// Where in the answer its values are.
    column: usize,
}

impl Keyset {
    /// The order of `select`. Columns of primary keys that it lacks are appended.
    ///
    /// # Errors
    /// Where there is no order, or the query is of a kind that has no pages.
    pub fn new(select: &Select) -> Result<Self, ExprError> {
        if select.compound.is_some() {
            let message = "a union has no pages by itself: page over it as a query with a name, \
                           rm.select(q.subquery(\"u\")).order_by(...)";
            return Err(ExprError::new(message));
        }
        if select.top.is_some() {
            let message = "top_n() has no pages by itself: page over it as a query with a name, \
                           rm.select(q.subquery(\"t\")).order_by(...)";
            return Err(ExprError::new(message));
        }
        if select.limit.is_some() || select.offset.is_some() {
            return Err(ExprError::new("a page has its own size: leave limit() and offset() away"));
        }
        if select.order.is_empty() {
            let message = "pages want an order: order_by() what makes sense to read, the primary key is appended";
            return Err(ExprError::new(message));
        }
        let selected = select.outputs.list().iter().map(|output| &output.expression);
        if let Some(window) = selected.chain(&select.order).find(|one| one.has_window()) {
            let message = "has a window, which would see the rows of one page: page over the query with a name, \
                           rm.select(q.subquery(\"q\")).order_by(...)";
            return Err(ExprError::about(message, window));
        }
        let mut select = select.clone();
        select.settle();
        let outer = outer_sources(&select);
        let mut keys: Vec<Key> = Vec::new();
        for key in &select.order {
            let (key, descending, nulls) = order_key(key);
            // The column of a name may be downwards itself, and its NULLs where they are of the name.
            let (expression, turned, _) = order_key(meant(&select, key));
            let nulls = nulls.or(Some(descending));
            push(&mut keys, expression.clone(), descending != turned, nulls, &outer);
        }
        let last = keys.last().is_some_and(|key| key.descending);
        for column in unique_columns(&select) {
            push(&mut keys, column, last, None, &outer);
        }
        let mut outputs = select.outputs.list().to_vec();
        let asked = outputs.len();
        for (at, key) in keys.iter_mut().enumerate() {
            let known = outputs.iter().position(|output| output.expression.same(&key.expression));
            if let Some(known) = known {
                // The very node, so that its values are the parameters of the column.
                key.expression = outputs[known].expression.clone();
            }
            key.column = known.unwrap_or_else(|| {
                let label = Some(format!("{HIDDEN}{at}").into());
                outputs.push(Output { expression: key.expression.clone(), label });
                outputs.len() - 1
            });
        }
        if select.distinct && outputs.len() > asked {
            let message = "a page of distinct rows is ordered by columns that are selected";
            return Err(ExprError::new(message));
        }
        select.outputs = Arc::new(Outputs::new(outputs));
        Ok(Self { select, keys, asked })
    }

    /// What the order is, in words that stay the same between programs: a token of another is refused.
    pub fn signature(&self) -> String {
        let mut out = String::new();
        for key in &self.keys {
            let _ = write!(out, "{} {} {}", key.expression, key.descending, key.nulls_first);
            if key.expression.as_column().is_none() {
                // Shown in short: what it is in whole tells it from others that begin alike.
                let _ = write!(out, " {:x}", key.expression.shape());
                key.expression.leaves(&mut |leaf| {
                    if let Some(value) = leaf.value() {
                        let _ = write!(out, " {value:?}");
                    }
                });
            }
            out.push(';');
        }
        out
    }

    /// Where in the answer the keys' values are.
    pub fn columns(&self) -> Vec<usize> {
        self.keys.iter().map(|key| key.column).collect()
    }

    /// The columns that were asked for, in front of those that are there for the keys alone.
    pub fn asked(&self) -> &[Output] {
        &self.select.outputs.list()[..self.asked]
    }

    /// The first key that has no value here though it is declared to have one.
    ///
    /// Pages pass over such rows: no comparison is true of them.
    pub fn missing(&self, place: &[Scalar]) -> Option<&Expr> {
        let missing =
            |(key, value): &(&Key, &Scalar)| !key.nullable && matches!(value, Scalar::Null);
        self.keys.iter().zip(place).find(missing).map(|(key, _)| &key.expression)
    }

    /// Whether a row of these keys lies beyond a place, as far as can be told without knowing the database's
    /// collations: by whole numbers, days and times.
    pub fn is_beyond(&self, row: &[Scalar], place: &[Scalar], backwards: bool) -> Option<bool> {
        for (key, (row, place)) in self.keys.iter().zip(row.iter().zip(place)) {
            let order = match (row, place) {
                (row, place) if row == place => continue,
                (Scalar::Date(row), Scalar::Date(place)) => row.cmp(place),
                (Scalar::Int(row), Scalar::Int(place))
                | (
                    Scalar::Timestamp { micros: row, .. },
                    Scalar::Timestamp { micros: place, .. },
                ) => row.cmp(place),
                _ => return None,
            };
            return Some(order.is_gt() != (key.descending != backwards));
        }
        Some(false)
    }

    /// The query for `rows` rows after the place, or before it in the order turned round.
    ///
    /// # Errors
    /// Where a value of the place does not fit its key.
    pub fn page(
        &self,
        rows: usize,
        place: Option<&[Scalar]>,
        backwards: bool,
    ) -> Result<Select, ExprError> {
        let turned: Vec<Key> = self
            .keys
            .iter()
            .map(|key| Key {
                descending: key.descending != backwards,
                nulls_first: key.nulls_first != backwards,
                ..key.clone()
            })
            .collect();
        let mut base = self.select.clone();
        base.limit = Some(Expr::literal(i64::try_from(rows).unwrap_or(i64::MAX)));
        base.order = order(&turned)?;
        let Some(place) = place else { return Ok(base) };
        if place.len() != turned.len() {
            return Err(ExprError::new("the place has another number of keys than the order"));
        }
        let mut parts = Vec::new();
        for segment in segments(&turned, place)? {
            let mut part = base.clone();
            let (groups, rows): (Vec<_>, Vec<_>) =
                segment.conditions.into_iter().partition(Expr::is_aggregate);
            part.filter.extend(rows);
            part.having.extend(groups);
            part.order = order(&segment.keys)?;
            parts.push(part);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        // NULLs and values are two ranges of an index, which `or` would have the database scan whole.
        let members = parts.into_iter().map(Arc::new).collect();
        Ok(Select {
            order: base.order,
            limit: base.limit,
            compound: Some((SetOperation::UnionAll, members)),
            ..Select::default()
        })
    }
}

/// A part of the rows after a place, which one range of an index holds.
struct Segment {
    conditions: Vec<Expr>,
    keys: Vec<Key>,
}

fn segments(keys: &[Key], place: &[Scalar]) -> Result<Vec<Segment>, ExprError> {
    let (Some(first), Some(value)) = (keys.first(), place.first()) else { return Ok(Vec::new()) };
    let certain = || {
        let mut keys = keys.to_vec();
        keys[0] = first.not_null();
        keys
    };
    let is_null = Expr::call(O::IsNull, [first.expression.clone()])?;
    let is_not_null = Expr::call(O::IsNotNull, [first.expression.clone()])?;
    if matches!(value, Scalar::Null) {
        let mut conditions = vec![is_null];
        conditions.extend(after(&keys[1..], &place[1..])?);
        let mut found = vec![Segment { conditions, keys: keys[1..].to_vec() }];
        if keys.len() == 1 {
            found.clear();
        }
        if first.nulls_first {
            found.push(Segment { conditions: vec![is_not_null], keys: certain() });
        }
        if found.is_empty() {
            found.push(Segment { conditions: vec![Expr::literal(false)], keys: keys.to_vec() });
        }
        return Ok(found);
    }
    let keys_here = certain();
    let mut found = vec![Segment {
        conditions: after(&keys_here, place)?.into_iter().collect(),
        keys: keys_here,
    }];
    if first.nullable && !first.nulls_first {
        let rest = if keys.len() > 1 { keys[1..].to_vec() } else { keys.to_vec() };
        found.push(Segment { conditions: vec![is_null], keys: rest });
    }
    Ok(found)
}

impl Key {
    /// The key where it is known to have a value: a column says so, so that SQLite needs no word on NULLs.
    fn not_null(&self) -> Self {
        let expression = match self.expression.op() {
            Op::Column(column) => {
                let mut column = column.clone();
                column.nullable = false;
                Expr::column(column)
            }
            _ => self.expression.clone(),
        };
        Self { expression, nullable: false, ..self.clone() }
    }

    fn beyond(&self) -> O {
        if self.descending { O::Less } else { O::Greater }
    }
}

/// The condition that a row comes after a place; none where there are no keys.
fn after(keys: &[Key], place: &[Scalar]) -> Result<Option<Expr>, ExprError> {
    let (Some(first), Some(value)) = (keys.first(), place.first()) else { return Ok(None) };
    let plain = keys.iter().all(|key| !key.nullable && key.descending == first.descending)
        && place.iter().all(|value| !matches!(value, Scalar::Null));
    if plain && keys.len() > 1 {
        return row_value(keys, place, first.descending).map(Some);
    }
    let key = first.expression.clone();
    let rest = after(&keys[1..], &place[1..])?;
    if matches!(value, Scalar::Null) {
        let is_null = Expr::call(O::IsNull, [key.clone()])?;
        let equal = match rest {
            Some(rest) => Some(Expr::call(O::And, [is_null, rest])?),
            None => None,
        };
        let beyond = if first.nulls_first { Some(Expr::call(O::IsNotNull, [key])?) } else { None };
        return match (equal, beyond) {
            (Some(equal), Some(beyond)) => Expr::call(O::Or, [equal, beyond]).map(Some),
            (Some(one), None) | (None, Some(one)) => Ok(Some(one)),
            (None, None) => Ok(Some(Expr::literal(false))),
        };
    }
    let value = fitted(&key, value);
    let mut beyond = Expr::call(first.beyond(), [key.clone(), value.clone()])?;
    let nulls_follow = first.nullable && !first.nulls_first;
    if nulls_follow {
        beyond = Expr::call(O::Or, [beyond, Expr::call(O::IsNull, [key.clone()])?])?;
    }
    let Some(rest) = rest else { return Ok(Some(beyond)) };
    let equal = Expr::call(O::And, [Expr::call(O::Equal, [key.clone(), value.clone()])?, rest])?;
    let either = Expr::call(O::Or, [beyond, equal])?;
    if nulls_follow {
        return Ok(Some(either));
    }
    // The bound says nothing new, but it is what an index can be entered by.
    let bound = if first.descending { O::LessOrEqual } else { O::GreaterOrEqual };
    Expr::call(O::And, [Expr::call(bound, [key, value])?, either]).map(Some)
}

/// `(a, b) > (1, 2)`, which both databases find in an index.
fn row_value(keys: &[Key], place: &[Scalar], descending: bool) -> Result<Expr, ExprError> {
    let commas =
        |pieces: &mut Vec<Arc<str>>| pieces.extend((1..keys.len()).map(|_| Arc::from(", ")));
    let mut pieces: Vec<Arc<str>> = vec!["(".into()];
    commas(&mut pieces);
    pieces.push(if descending { ") < (" } else { ") > (" }.into());
    commas(&mut pieces);
    pieces.push(")".into());
    let mut operands: Vec<Expr> = keys.iter().map(|key| key.expression.clone()).collect();
    for (key, value) in keys.iter().zip(place) {
        operands.push(fitted(&key.expression, value));
    }
    Expr::raw(pieces, operands)
}

/// A value of a key as an operand beside it. SQLite gives a UUID as the text that it stores, which no literal
/// beside a UUID may be: such goes as it is.
fn fitted(key: &Expr, value: &Scalar) -> Expr {
    let literal = Expr::literal(value.clone());
    if Expr::call(O::Equal, [key.clone(), literal.clone()]).is_ok() {
        return literal;
    }
    let plain = Expr::raw(vec!["".into(), "".into()], vec![literal.clone()]);
    plain.unwrap_or(literal)
}

fn order(keys: &[Key]) -> Result<Vec<Expr>, ExprError> {
    let mut order = Vec::with_capacity(keys.len());
    for key in keys {
        let mut expression = key.expression.clone();
        if key.descending {
            expression = Expr::call(O::Descending, [expression])?;
        }
        // NULL above all values is what is understood.
        if key.nullable && key.nulls_first != key.descending {
            let nulls = if key.nulls_first { O::NullsFirst } else { O::NullsLast };
            expression = Expr::call(nulls, [expression])?;
        }
        order.push(expression);
    }
    Ok(order)
}

/// What a key is by: a name by itself is the answer's column, where that has one of the name.
fn meant<'a>(select: &'a Select, key: &'a Expr) -> &'a Expr {
    let Op::Column(column) = key.op() else { return key };
    let named = |output: &&Output| column.source.is_none() && output.name() == Some(&column.name);
    select.outputs.list().iter().find(named).map_or(key, |output| &output.expression)
}

fn push(
    keys: &mut Vec<Key>,
    expression: Expr,
    descending: bool,
    nulls: Option<bool>,
    outer: &[u128],
) {
    if keys.iter().any(|key| key.expression.same(&expression)) {
        return;
    }
    let nullable = match expression.op() {
        Op::Column(column) => {
            column.nullable
                || column.source.as_ref().is_some_and(|source| outer.contains(&source.key()))
        }
        Op::Call(O::CountRows | O::Count | O::CountDistinct) => false,
        _ => true,
    };
    keys.push(Key {
        expression,
        descending,
        nulls_first: nulls.unwrap_or(descending),
        nullable,
        column: 0,
    });
}

/// The sources whose rows may be missing beside others.
pub(super) fn outer_sources(select: &Select) -> Vec<u128> {
    use super::JoinForm::{Full, Left};
    let left = select.joins.iter().filter(|join| matches!(join.form, Left | Full));
    let mut outer: Vec<u128> = left.map(|join| join.source.key()).collect();
    if select.joins.iter().any(|join| join.form == Full) {
        outer.extend(select.sources().iter().map(|source| source.key()));
    }
    outer
}

/// Columns that together are another in each row, as far as it is declared.
fn unique_columns(select: &Select) -> Vec<Expr> {
    if select.distinct {
        return select.outputs.list().iter().map(|output| output.expression.clone()).collect();
    }
    if select.is_grouped() {
        return select.group.clone();
    }
    let mut sources = select.sources();
    if sources.is_empty() {
        select.order.iter().for_each(|key| sources_of(key, &mut sources));
    }
    let mut columns = Vec::new();
    for source in &sources {
        if let Some(table) = source.as_table() {
            columns.extend(
                table
                    .columns
                    .iter()
                    .filter(|column| column.primary)
                    .map(|column| column.of(source)),
            );
        }
    }
    columns
}
