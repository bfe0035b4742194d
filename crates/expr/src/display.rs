//! Expressions as Python writes them, for messages and `repr`.

use std::fmt::{self, Write as _};

use rowmill_columns::{Scalar, Value};

use crate::limits;
use crate::node::{Expr, Op, QueryForm};
use crate::operators::{Binding, Operator, Place};

/// Levels that are written; deeper ones are dots.
const LEVELS: usize = 24;
/// Characters of a text that are written, and bytes.
const TEXT: usize = 40;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rendered(self))
    }
}

/// The expression as text of bounded length.
pub(crate) fn rendered(expression: &Expr) -> String {
    let mut writer = Writer::default();
    writer.expression(expression, LEVELS);
    writer.out
}

/// A call that failed, and marks below its wrong operand.
pub(crate) fn with_marks(operator: Operator, args: &[Expr], wrong: usize) -> String {
    let mut writer = Writer { mark: Some(wrong), ..Writer::default() };
    writer.call(operator, args, LEVELS);
    let (from, to) = writer.marked.unwrap_or((0, writer.out.chars().count()));
    format!("  {}\n  {}{}", writer.out, " ".repeat(from), "^".repeat((to - from).max(1)))
}

#[derive(Default)]
struct Writer {
    out: String,
    /// The operand of the outermost call whose place is wanted.
    mark: Option<usize>,
    marked: Option<(usize, usize)>,
}

impl Writer {
    fn push(&mut self, text: &str) {
        let room = limits::SHOWN.saturating_sub(self.out.chars().count());
        if text.chars().count() <= room {
            self.out.push_str(text);
        } else if !self.out.ends_with('…') {
            self.out.extend(text.chars().take(room));
            self.out.push('…');
        }
    }

    fn expression(&mut self, expression: &Expr, levels: usize) {
        if levels == 0 || self.out.ends_with('…') {
            return self.push("…");
        }
        match expression.op() {
            Op::Column(column) => match &column.source {
                Some(source) => self.push(&format!("{}.{}", source.label(), column.name)),
                None => self.push(&format!("col({:?})", column.name)),
            },
            Op::Excluded(column) => self.push(&format!("excluded({:?})", column.name)),
            Op::Literal(value) => self.value(value),
            Op::Parameter(parameter) => self.push(&format!(":{}", parameter.name)),
            Op::Call(operator) => self.call(*operator, expression.args(), levels),
            Op::Over { partition } => {
                let (function, rest) = expression.args().split_at(1);
                self.list(function, levels);
                self.push(".over(");
                let (by, order) = rest.split_at(*partition);
                if !by.is_empty() {
                    self.push("partition_by=[");
                    self.list(by, levels);
                    self.push("]");
                }
                if !order.is_empty() {
                    self.push(if by.is_empty() { "order_by=[" } else { ", order_by=[" });
                    self.list(order, levels);
                    self.push("]");
                }
                self.push(")");
            }
            Op::Query(form, _) => {
                self.list(expression.args(), levels);
                self.push(match form {
                    QueryForm::Exists => "exists(select(…))",
                    QueryForm::Value => "select(…).value()",
                    QueryForm::In => ".in_(select(…))",
                    QueryForm::NotIn => ".not_in(select(…))",
                });
            }
            Op::Raw(pieces) => {
                self.push("sql(\"");
                for (at, piece) in pieces.iter().enumerate() {
                    self.push(piece);
                    if let Some(operand) = expression.args().get(at) {
                        self.push("{");
                        self.expression(operand, levels - 1);
                        self.push("}");
                    }
                }
                self.push("\")");
            }
        }
    }

    fn list(&mut self, expressions: &[Expr], levels: usize) {
        for (at, expression) in expressions.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.expression(expression, levels - 1);
        }
    }

    fn call(&mut self, operator: Operator, args: &[Expr], levels: usize) {
        let marked = self.mark.take();
        let notation = operator.entry().notation;
        let mut rest = notation;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            self.push(before);
            let close = after.find('}').unwrap_or(after.len() - 1);
            let name = &after[1..close];
            rest = &after[close + 1..];
            match name.parse::<usize>() {
                Ok(at) => {
                    let from = self.out.chars().count();
                    let is_method = rest.starts_with('.') || rest.starts_with('[');
                    if let Some(Some(Scalar::List(steps))) = args.get(at).map(Expr::value)
                        && operator == Operator::JsonGet
                    {
                        for (at, step) in steps.iter().enumerate() {
                            self.push(if at > 0 { "][" } else { "" });
                            self.value(step);
                        }
                    } else if let Some(arg) = args.get(at) {
                        self.operand(operator, arg, is_method, notation, levels);
                    }
                    if marked == Some(at) {
                        self.marked = Some((from, self.out.chars().count()));
                    }
                }
                Err(_) => self.list(args, levels),
            }
        }
        self.push(rest);
    }

    fn operand(
        &mut self,
        of: Operator,
        arg: &Expr,
        is_method: bool,
        notation: &str,
        levels: usize,
    ) {
        let wrap = match arg.op() {
            Op::Call(operator) => {
                let entry = operator.entry();
                let infix = entry.notation.starts_with("{0} ")
                    || entry.notation.starts_with('-')
                    || entry.notation.starts_with('~')
                    || entry.notation.starts_with("{0}.any() ")
                    || entry.notation.starts_with("{0}.all() ");
                // `a & b & c` needs none within itself; nor does what stands between commas.
                let same = *operator == of && matches!(entry.binding, Binding::And | Binding::Or);
                let listed = notation.contains('(') && !is_method && entry.place != Place::Order;
                infix && !same && !listed
            }
            _ => false,
        };
        if wrap {
            self.push("(");
        }
        self.expression(arg, levels - 1);
        if wrap {
            self.push(")");
        }
    }

    fn value(&mut self, value: &Scalar) {
        let text = match value {
            Scalar::Null => "None".to_owned(),
            Scalar::Bool(true) => "True".to_owned(),
            Scalar::Bool(false) => "False".to_owned(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => format!("{value:?}"),
            Scalar::Decimal(value) => format!("Decimal({value:?})"),
            Scalar::Text(value) => shortened(value),
            Scalar::Json(value) => format!("json({})", shortened(value)),
            Scalar::Bytes(value) => {
                let more = if value.len() > TEXT { "…" } else { "" };
                format!("b\"{}{more}\"", value[..value.len().min(TEXT)].escape_ascii())
            }
            Scalar::Uuid(value) => format!("UUID(\"{}\")", Value::Uuid(*value)),
            Scalar::Date(days) => format!("date(\"{}\")", Value::Date(*days)),
            Scalar::Time(micros) => format!("time(\"{}\")", Value::Time(*micros)),
            Scalar::Timestamp { micros, utc } => {
                format!("datetime(\"{}\")", Value::Timestamp { micros: *micros, utc: *utc })
            }
            Scalar::Interval { months, days, micros } => {
                let nanos = micros.saturating_mul(1_000);
                format!("interval(\"{}\")", Value::Interval { months: *months, days: *days, nanos })
            }
            Scalar::List(values) => {
                self.push("[");
                for (at, value) in values.each().take(4).enumerate() {
                    if at > 0 {
                        self.push(", ");
                    }
                    self.value(&value);
                }
                if values.len() > 4 {
                    let mut more = String::new();
                    let _ = write!(more, ", … {} in all", values.len());
                    self.push(&more);
                }
                return self.push("]");
            }
            other => other.kind().to_owned(),
        };
        self.push(&text);
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}
