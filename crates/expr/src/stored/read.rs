use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rowmill_columns::Scalar;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::name;
use crate::ExprError;
use crate::kind::Base;
use crate::nearest::nearest;
use crate::node::Expr;
use crate::operators::{Operator as O, TABLE};
use crate::text_value::text_value;

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
        let found = PartOf(Some(self)).deserialize(&mut source);
        found
            .and_then(|part| source.end().map(|()| part.expression()))
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

/// An expression, or a value.
enum Part {
    Expression(Expr),
    Value(Scalar),
}

impl Part {
    fn expression(self) -> Expr {
        match self {
            Self::Expression(expression) => expression,
            Self::Value(value) => Expr::literal(value),
        }
    }
}

/// Reads a part; without a reader values alone, which lists hold.
struct PartOf<'r>(Option<&'r Reader>);

impl<'de> DeserializeSeed<'de> for PartOf<'_> {
    type Value = Part;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Part, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartOf<'_> {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "[\"column\", name], [operator, operands…] or a value",
            None => "a value",
        })
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Part, E> {
        Ok(Part::Value(Scalar::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Part, E> {
        Ok(Part::Value(Scalar::Int(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Part, E> {
        let int = i64::try_from(value).map(Scalar::Int);
        Ok(Part::Value(int.unwrap_or_else(|_| Scalar::Decimal(value.to_string()))))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Part, E> {
        Ok(Part::Value(Scalar::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Part, E> {
        Ok(Part::Value(Scalar::Text(value.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Part, E> {
        Ok(Part::Value(Scalar::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Part, A::Error> {
        let Some(reader) = self.0 else {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        };
        let Some(name) = parts.next_element::<Cow<'de, str>>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        if name == "column" {
            let column: Option<String> = parts.next_element()?;
            let more = parts.next_element::<serde::de::IgnoredAny>()?.is_some();
            return match column.filter(|_| !more) {
                Some(column) => Ok(Part::Expression(Expr::named(column))),
                None => Err(A::Error::custom("a column is [\"column\", name]")),
            };
        }
        let operator = reader.operator(&name).map_err(A::Error::custom)?;
        let mut operands = Vec::new();
        while let Some(operand) = parts.next_element_seed(PartOf(Some(reader)))? {
            operands.push(operand.expression());
        }
        called(operator, operands).map(Part::Expression).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Part, A::Error> {
        tagged(members).map(Part::Value)
    }
}

pub(crate) fn called(operator: O, operands: Vec<Expr>) -> Result<Expr, ExprError> {
    if !matches!(operator, O::And | O::Or) || operands.len() < 3 {
        return Expr::call(operator, operands);
    }
    let mut operands = operands.into_iter();
    let first = operands.next().ok_or_else(|| ExprError::new("no operand"))?;
    operands.try_fold(first, |all, next| Expr::call(operator, [all, next]))
}

/// A value on its own, or in a list.
struct Plain(Scalar);

impl<'de> serde::Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match PartOf(None).deserialize(from)? {
            Part::Value(value) => Ok(Self(value)),
            Part::Expression(_) => Err(D::Error::invalid_type(Unexpected::Seq, &PartOf(None))),
        }
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
        ("date", Scalar::Int(days)) => Scalar::Date(i32::try_from(*days).ok()?),
        ("time", Scalar::Int(micros)) => Scalar::Time(*micros),
        ("timestamp" | "instant", Scalar::Int(micros)) => {
            Scalar::Timestamp { micros: *micros, utc: tag == "instant" }
        }
        ("date", Scalar::Text(text)) => text_value(Base::Date, text)?,
        ("time", Scalar::Text(text)) => text_value(Base::Time, text)?,
        ("timestamp", Scalar::Text(text)) => text_value(Base::Timestamp, text)?,
        ("instant", Scalar::Text(text)) => text_value(Base::Instant, text)?,
        ("uuid", Scalar::Text(text)) => text_value(Base::Uuid, text)?,
        ("bytes", Scalar::Text(text)) => Scalar::Bytes(STANDARD.decode(text).ok()?),
        ("json", Scalar::Text(text)) => {
            serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
            Scalar::Json(text.clone())
        }
        _ => return None,
    })
}

/// What is a number, or one of the decimals that are none.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let is_special = matches!(text, "NaN" | "Infinity" | "-Infinity");
    let is_number =
        || text.parse::<f64>().is_ok() && text.bytes().any(|byte| byte.is_ascii_digit());
    (is_special || is_number()).then(|| text.to_owned())
}
