//! What may stand where. Rows are joined and chosen, then grouped, then seen through windows; databases differ in
//! what they say of another order, and in whether they say anything.

use crate::ExprError;
use crate::node::{Expr, Op};
use crate::operators::Place;
use crate::query::{Output, Select};

/// Refuses what stands where it means nothing.
pub(super) fn check(select: &Select) -> Result<(), ExprError> {
    for on in select.joins.iter().filter_map(|join| join.on.as_ref()) {
        of_one_row(on, "join()")?;
    }
    for condition in &select.filter {
        if condition.is_aggregate() && !condition.has_window() {
            return Err(ExprError::about("looks at groups: it goes into having()", condition));
        }
        of_one_row(condition, "where()")?;
    }
    for key in &select.group {
        of_one_row(key, "group_by()")?;
    }
    for condition in &select.having {
        without_window(condition, "having()")?;
    }
    if let Some(condition) = select.having.first()
        && !select.is_grouped()
        && !select.having.iter().any(Expr::is_aggregate)
    {
        let message = "stands in having(), but there are no groups: name them in group_by(), or put it into where()";
        return Err(ExprError::about(message, condition));
    }
    let outputs = select.outputs.list().iter().map(|output| &output.expression);
    outputs.clone().chain(&select.order).try_for_each(has_its_windows)?;
    if select.is_grouped() || !select.having.is_empty() {
        let labels = |output: &&Output| {
            !select.group.iter().filter_map(Expr::as_column).any(|key| {
                key.source.is_none() && output.name().is_some_and(|name| *name == key.name)
            })
        };
        let outputs = select.outputs.list().iter().filter(labels).map(|output| &output.expression);
        outputs
            .chain(&select.having)
            .chain(&select.order)
            .try_for_each(|one| of_groups(one, select))?;
    }
    Ok(())
}

/// Whether a key names the column without saying whose it is.
fn is_named(key: &Expr, node: &Expr) -> bool {
    match (key.as_column(), node.as_column()) {
        (Some(key), Some(column)) => key.source.is_none() && key.name == column.name,
        _ => false,
    }
}

/// Refuses a column of which a group has many values: SQLite would give any of them.
fn of_groups(expression: &Expr, select: &Select) -> Result<(), ExprError> {
    let mut stack = vec![expression];
    while let Some(node) = stack.pop() {
        if select.group.iter().any(|key| key.same(node) || is_named(key, node)) {
            continue;
        }
        match node.op() {
            Op::Call(operator) if operator.entry().place == Place::Group => {}
            Op::Column(column) => {
                // Of a table whose whole key is grouped by, each column has one value. What is of no table
                // may be a label.
                let Some(source) = &column.source else { continue };
                let Some(table) = source.as_table() else { continue };
                let keyed = |name: &str| {
                    select.group.iter().filter_map(Expr::as_column).any(|key| {
                        &*key.name == name && key.source.as_ref().is_some_and(|of| of.is(source))
                    })
                };
                let mut primary = table.columns.iter().filter(|column| column.primary).peekable();
                let one_row = primary.peek().is_some() && primary.all(|column| keyed(&column.name));
                let own = select.sources().iter().any(|of| of.is(source));
                if own && !one_row {
                    let message = "has many values in a group: name it in group_by(), or take one with min(), max() or \
                                   another aggregate";
                    return Err(ExprError::about(message, node));
                }
            }
            _ => stack.extend(node.args()),
        }
    }
    Ok(())
}

/// Refuses what looks at more than one row, and what is no value.
pub(super) fn of_one_row(expression: &Expr, place: &str) -> Result<(), ExprError> {
    without_window(expression, place)?;
    if expression.is_aggregate() {
        let message = format!("looks at groups, which come after {place}");
        return Err(ExprError::about(&message, expression));
    }
    if expression.is_order() {
        return Err(ExprError::about("is an order's key, for order_by() alone", expression));
    }
    Ok(())
}

fn without_window(expression: &Expr, place: &str) -> Result<(), ExprError> {
    if expression.has_window() {
        let message =
            format!("has a window, which comes after {place}: filter a query over this one");
        return Err(ExprError::about(&message, expression));
    }
    Ok(())
}

/// Refuses a function of windows that has none.
pub(super) fn has_its_windows(expression: &Expr) -> Result<(), ExprError> {
    if !expression.has_window() {
        return Ok(());
    }
    let mut stack = vec![expression];
    while let Some(node) = stack.pop() {
        match node.op() {
            Op::Over { .. } => {
                stack.extend(&node.args()[1..]);
                stack.extend(node.args()[0].args());
            }
            Op::Call(operator) if operator.entry().place == Place::Window => {
                let message = "is of a window: say which, as .over(order_by=...)";
                return Err(ExprError::about(message, node));
            }
            _ => stack.extend(node.args()),
        }
    }
    Ok(())
}
