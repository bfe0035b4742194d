use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rowmill_columns::text::{parse_date, parse_time, parse_timestamp};
use rowmill_columns::{Scalar, Value};

use super::name;
use crate::node::{ColumnRef, Expr, Op};
use crate::normal::chain;
use crate::operators::Operator as O;
use crate::{ExprError, limits};

impl Expr {
    /// The expression as JSON, as [`stored`](crate::stored) describes.
    ///
    /// ```
    /// use rowmill_expr::{Expr, Operator};
    /// let adult = Expr::call(Operator::GreaterOrEqual, [Expr::named("age"), Expr::literal(18)])?;
    /// let text = adult.to_json()?;
    /// assert_eq!(text, r#"["greater_or_equal", ["column", "age"], 18]"#);
    /// assert_eq!(Expr::from_json(&text)?.to_string(), adult.to_string());
    /// # Ok::<(), rowmill_expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// Where it holds a query, SQL, a window or a parameter, columns of two tables, or is nested deeper than
    /// [`limits::STORED_DEPTH`].
    pub fn to_json(&self) -> Result<String, ExprError> {
        let mut writer = Writer { out: String::new(), first: None };
        writer.node(self, limits::STORED_DEPTH)?;
        Ok(writer.out)
    }
}

struct Writer<'e> {
    out: String,
    /// The first column: all are of its table.
    first: Option<&'e ColumnRef>,
}

impl<'e> Writer<'e> {
    fn node(&mut self, node: &'e Expr, levels: usize) -> Result<(), ExprError> {
        let left = levels.checked_sub(1).ok_or_else(too_deep)?;
        match node.op() {
            Op::Column(column) => {
                let first = self.first.get_or_insert(column);
                let is_same = match (&first.source, &column.source) {
                    (None, None) => true,
                    (Some(one), Some(other)) => one.is(other),
                    _ => false,
                };
                if !is_same {
                    let message =
                        "is of another table than the column before: only the names are stored";
                    return Err(ExprError::about(message, node));
                }
                self.out.push_str("[\"column\", ");
                self.text(&column.name);
                self.out.push(']');
                Ok(())
            }
            Op::Literal(value) => self.value(value, left).map_err(|error| error.of(node)),
            Op::Call(operator) => {
                let _ = write!(self.out, "[\"{}\"", name(*operator));
                for operand in operands(node, *operator) {
                    self.out.push_str(", ");
                    self.node(operand, left)?;
                }
                self.out.push(']');
                Ok(())
            }
            Op::Parameter(_) => Err(ExprError::about("has no value yet to be stored", node)),
            Op::Over { .. } | Op::Query(..) | Op::Excluded(_) | Op::Raw(_) => {
                Err(ExprError::about(
                    "is for a database alone: only what looks at one row is stored",
                    node,
                ))
            }
        }
    }

    fn value(&mut self, value: &Scalar, levels: usize) -> Result<(), ExprError> {
        match value {
            Scalar::Null => self.out.push_str("null"),
            Scalar::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Scalar::Int(value) => {
                let _ = write!(self.out, "{value}");
            }
            Scalar::Text(value) => self.text(value),
            Scalar::Float(value) => {
                let is_plain = value.is_finite() && !(*value == 0.0 && value.is_sign_negative());
                let quote = if is_plain { "" } else { "\"" };
                let _ = write!(self.out, "{{\"float\": {quote}{}{quote}}}", Value::Float(*value));
            }
            Scalar::Decimal(value) => self.tagged("decimal", value),
            Scalar::Json(value) => self.tagged("json", value),
            Scalar::Bytes(value) => self.tagged("bytes", &STANDARD.encode(value)),
            Scalar::Uuid(value) => self.tagged("uuid", &Value::Uuid(*value).to_string()),
            // What is not read as text, midnight at the end of a day and years far off, is a number.
            Scalar::Time(micros) => {
                let text = Value::Time(*micros).to_string();
                if parse_time(text.as_bytes()) == Some(*micros) {
                    self.tagged("time", &text);
                } else {
                    let _ = write!(self.out, "{{\"time\": {micros}}}");
                }
            }
            Scalar::Date(days) => {
                let text = Value::Date(*days).to_string();
                if parse_date(text.as_bytes()) == Some(*days) {
                    self.tagged("date", &text);
                } else {
                    let _ = write!(self.out, "{{\"date\": {days}}}");
                }
            }
            Scalar::Timestamp { micros, utc } => {
                let tag = if *utc { "instant" } else { "timestamp" };
                let text = Value::Timestamp { micros: *micros, utc: *utc }.to_string();
                if parse_timestamp(text.as_bytes()) == Some((*micros, utc.then_some(0))) {
                    self.tagged(tag, &text);
                } else {
                    let _ = write!(self.out, "{{\"{tag}\": {micros}}}");
                }
            }
            Scalar::Interval { months, days, micros } => {
                let _ = write!(self.out, "{{\"interval\": [{months}, {days}, {micros}]}}");
            }
            Scalar::List(values) => {
                let left = levels.checked_sub(1).ok_or_else(too_deep)?;
                self.out.push_str("{\"list\": [");
                for (at, value) in values.each().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.value(&value, left)?;
                }
                self.out.push_str("]}");
            }
            Scalar::TimeTz { .. } | Scalar::Struct(_) => {
                return Err(ExprError::new(format!("{} cannot be stored", value.kind())));
            }
        }
        Ok(())
    }

    fn tagged(&mut self, tag: &str, value: &str) {
        let _ = write!(self.out, "{{\"{tag}\": ");
        self.text(value);
        self.out.push('}');
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        let mut copied = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out.push_str(&text[copied..at]);
            copied = at + 1;
            let _ = match byte {
                b'"' | b'\\' => write!(self.out, "\\{}", byte as char),
                other => write!(self.out, "\\u{other:04x}"),
            };
        }
        self.out.push_str(&text[copied..]);
        self.out.push('"');
    }
}

/// The operands, those of a chain side by side: `a & b & c` is one level, however it was put together.
fn operands(node: &Expr, operator: O) -> Vec<&Expr> {
    match operator {
        O::And | O::Or => chain(node, operator),
        _ => node.args().iter().collect(),
    }
}

pub(crate) fn too_deep() -> ExprError {
    ExprError::new(format!(
        "the expression is nested deeper than {} levels, more than are stored; a long chain of one operator is a \
         call of it with all operands, and many values are one in_()",
        limits::STORED_DEPTH
    ))
}
