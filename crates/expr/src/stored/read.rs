use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rowmill_columns::Scalar;
use rowmill_columns::text::{parse_date, parse_time, parse_timestamp, parse_uuid};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::name;
use crate::ExprError;
use crate::nearest::nearest;
use crate::node::Expr;
use crate::operators::{Operator as O, TABLE};

/// Reads expressions from JSON; for many, one reader knows the operators' names once.
#[derive(Debug)]
pub struct Reader {
    operators: HashMap<String, O>,
}

impl Reader {
    /// A reader.
    pub fn new() -> Self {
        Self {
            operators: TABLE.iter().map(|entry| (name(entry.operator), entry.operator)).collect(),
        }
    }

    /// The expression that [`Expr::to_json`] wrote.
    ///
    /// # Errors
    /// Where the text is no such JSON, names no operator that there is, or the operands make no sense for one.
    pub fn read(&self, json: &str) -> Result<Expr, ExprError> {
        let mut source = serde_json::Deserializer::from_str(json);
        let found = Node(self).deserialize(&mut source);
        found
            .and_then(|node| source.end().map(|()| node))
            .map_err(|error| ExprError::new(format!("a stored expression: {error}")))
    }

    fn operator(&self, name: &str) -> Result<O, ExprError> {
        self.operators.get(name).copied().ok_or_else(|| {
            let names: Vec<&str> = self.operators.keys().map(String::as_str).collect();
            let nearest = nearest(name, &names);
            let hint = nearest.map_or_else(String::new, |near| format!("; is {near:?} meant?"));
            ExprError::new(format!("there is no operator {name:?}{hint}"))
        })
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Expr {
    /// The expression that [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn from_json(json: &str) -> Result<Self, ExprError> {
        Reader::new().read(json)
    }
}

struct Node<'r>(&'r Reader);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Expr;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Expr, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Expr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[\"column\", name], [operator, operands…] or a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Expr, E> {
        Ok(Expr::literal(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Expr, E> {
        Ok(Expr::literal(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Expr, E> {
        Ok(Expr::literal(integer(value)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Expr, E> {
        Ok(Expr::literal(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Expr, E> {
        Ok(Expr::literal(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Expr, E> {
        Ok(Expr::literal(Scalar::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Expr, A::Error> {
        let Some(name) = parts.next_element::<Cow<'de, str>>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        if name == "column" {
            let column: Option<String> = parts.next_element()?;
            let more = parts.next_element::<serde::de::IgnoredAny>()?.is_some();
            return match column.filter(|_| !more) {
                Some(column) => Ok(Expr::named(column)),
                None => Err(A::Error::custom("a column is [\"column\", name]")),
            };
        }
        let operator = self.0.operator(&name).map_err(A::Error::custom)?;
        let mut operands = Vec::new();
        while let Some(operand) = parts.next_element_seed(Node(self.0))? {
            operands.push(operand);
        }
        called(operator, operands).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Expr, A::Error> {
        tagged(members).map(Expr::literal)
    }
}

fn called(operator: O, operands: Vec<Expr>) -> Result<Expr, ExprError> {
    if !matches!(operator, O::And | O::Or) || operands.len() < 3 {
        return Expr::call(operator, operands);
    }
    let mut operands = operands.into_iter();
    let first = operands.next().ok_or_else(|| ExprError::new("no operand"))?;
    operands.try_fold(first, |all, next| Expr::call(operator, [all, next]))
}

fn integer(value: u64) -> Scalar {
    i64::try_from(value).map_or_else(|_| Scalar::Decimal(value.to_string()), Scalar::Int)
}

/// A value on its own, or in a list.
struct Plain(Scalar);

impl<'de> serde::Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
        Ok(integer(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Scalar, A::Error> {
        tagged(members)
    }
}

/// `{"date": "2024-01-31"}`
fn tagged<'de, A: MapAccess<'de>>(mut members: A) -> Result<Scalar, A::Error> {
    let Some(tag) = members.next_key::<Cow<'de, str>>()? else {
        return Err(A::Error::custom("an object names the kind of its value, as {\"float\": 1.5}"));
    };
    let value = match &*tag {
        "list" => {
            let values: Vec<Plain> = members.next_value()?;
            Scalar::list(values.into_iter().map(|value| value.0))
        }
        "interval" => {
            let (months, days, micros) = members.next_value()?;
            Scalar::Interval { months, days, micros }
        }
        _ => {
            let Plain(given) = members.next_value()?;
            match fitted(&tag, &given) {
                Some(value) => value,
                None => {
                    let message =
                        format!("{{{tag:?}: …}} is none of the kinds, or not of its form");
                    return Err(A::Error::custom(message));
                }
            }
        }
    };
    match members.next_key::<Cow<'de, str>>()? {
        None => Ok(value),
        Some(_) => Err(A::Error::custom(format!("{{{tag:?}: …}} has one member alone"))),
    }
}

fn fitted(tag: &str, given: &Scalar) -> Option<Scalar> {
    Some(match (tag, given) {
        ("float", Scalar::Float(value)) => Scalar::Float(*value),
        ("float", Scalar::Int(value)) => Scalar::Float(*value as f64),
        // NaN, Infinity, -Infinity and -0 as they are written; from 2^63 on as `jsonb` writes it out.
        ("float", Scalar::Text(text) | Scalar::Decimal(text)) => Scalar::Float(text.parse().ok()?),
        ("decimal", Scalar::Text(text)) => Scalar::Decimal(decimal(text)?),
        ("date", Scalar::Text(text)) => Scalar::Date(parse_date(text.as_bytes())?),
        ("date", Scalar::Int(days)) => Scalar::Date(i32::try_from(*days).ok()?),
        ("time", Scalar::Int(micros)) => Scalar::Time(*micros),
        ("time", Scalar::Text(text)) => Scalar::Time(parse_time(text.as_bytes())?),
        ("timestamp", Scalar::Text(text)) => match parse_timestamp(text.as_bytes())? {
            (micros, None) => Scalar::Timestamp { micros, utc: false },
            _ => return None,
        },
        ("instant", Scalar::Text(text)) => match parse_timestamp(text.as_bytes())? {
            (wall, Some(offset)) => {
                let micros = wall.checked_sub(i64::from(offset) * 1_000_000)?;
                Scalar::Timestamp { micros, utc: true }
            }
            _ => return None,
        },
        ("timestamp" | "instant", Scalar::Int(micros)) => {
            Scalar::Timestamp { micros: *micros, utc: tag == "instant" }
        }
        ("uuid", Scalar::Text(text)) => Scalar::Uuid(parse_uuid(text.as_bytes())?),
        ("bytes", Scalar::Text(text)) => Scalar::Bytes(STANDARD.decode(text).ok()?),
        ("json", Scalar::Text(text)) => {
            serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
            Scalar::Json(text.clone())
        }
        _ => return None,
    })
}

/// What is a number, or one of the decimals that are none.
fn decimal(text: &str) -> Option<String> {
    let is_special = matches!(text, "NaN" | "Infinity" | "-Infinity");
    let is_number =
        || text.parse::<f64>().is_ok() && text.bytes().any(|byte| byte.is_ascii_digit());
    (is_special || is_number()).then(|| text.to_owned())
}
