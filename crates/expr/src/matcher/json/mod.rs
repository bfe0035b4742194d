//! A record from JSON: an object whose members are the attributes.

use std::borrow::Cow;
use std::fmt;

use rowmill_columns::kernels::parse_decimal;
use rowmill_columns::{DecimalValue, Scalar, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

mod eight;
pub(super) mod plain;

use super::record::{GIVEN, HOLDS, Record, shown};
use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::text_value::text_value;

impl Record {
    /// Sets the attributes that are members of a JSON object; the others stay as they are. Dates, times and UUIDs are
    /// texts, decimals numbers or texts, and of a JSON attribute any value is kept as text.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::{Field, Schema, Type};
    /// use rowmill_expr::matcher::{Attributes, Record};
    /// let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("age", Type::Int64)])));
    /// let mut record = Record::new(&attributes);
    /// record.set_json(br#"{"age": 30, "name": "Ada"}"#, true)?;
    /// let unknown = record.set_json(br#"{"name": "Ada"}"#, false).unwrap_err();
    /// assert!(unknown.to_string().contains("no attribute \"name\""));
    /// # Ok::<(), rowmill_expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// Where the text is no JSON object, a member is of another kind than its attribute, or, unless unknown ones are
    /// ignored, of none. The record may be half set then.
    pub fn set_json(&mut self, json: &[u8], ignores_unknown: bool) -> Result<(), ExprError> {
        let mut names_nothing = false;
        let names = if ignores_unknown { None } else { Some(&mut names_nothing) };
        let read = match std::str::from_utf8(json) {
            // Looked at once, and not text by text.
            Ok(json) if plain::read(self, json, ignores_unknown).is_some() => Ok(()),
            Ok(json) => self.read_json(serde_json::Deserializer::from_str(json), names),
            // Which knows where it is.
            Err(_) => self.read_json(serde_json::Deserializer::from_slice(json), names),
        };
        read.map_err(|error| {
            let what = if error.is_data() { "the record" } else { "the record is no JSON" };
            ExprError::of_record(format!("{what}: {error}"), names_nothing)
        })
    }

    /// Sets a list to what JSON text has.
    pub(super) fn set_list_json(&mut self, attribute: usize, text: &str) -> Result<(), ExprError> {
        let mut source = serde_json::Deserializer::from_str(text);
        let read = Member { record: self, attribute }.deserialize(&mut source);
        read.and_then(|()| source.end()).map_err(|error| {
            let name = self.attributes().name(attribute);
            ExprError::new(format!("the attribute {name:?}, a list as JSON: {error}"))
        })
    }

    /// Where a name of no attribute is an error, it is noted that it was one.
    pub(super) fn read_json<'de, R: serde_json::de::Read<'de>>(
        &mut self,
        mut source: serde_json::Deserializer<R>,
        unknown: Option<&mut bool>,
    ) -> serde_json::Result<()> {
        source.deserialize_map(Members { record: self, unknown })?;
        source.end()
    }
}

struct Members<'r> {
    record: &'r mut Record,
    unknown: Option<&'r mut bool>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut next = 0;
        while let Some(name) = members.next_key_seed(Text)? {
            match self.record.attributes().number_from(next, &name) {
                Some(attribute) => {
                    next = attribute + 1;
                    members.next_value_seed(Member { record: &mut *self.record, attribute })?;
                }
                None => match &mut self.unknown {
                    Some(unknown) => {
                        **unknown = true;
                        return Err(A::Error::custom(self.record.attributes().unknown(&name)));
                    }
                    None => {
                        members.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(())
    }
}

/// A text, borrowed where nothing in it is escaped.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Cow<'de, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

/// A member's value.
struct Member<'r> {
    record: &'r mut Record,
    attribute: usize,
}

impl Member<'_> {
    fn set<E: Error>(self, value: &Value<'_>) -> Result<(), E> {
        self.record.set(self.attribute, value).map_err(E::custom)
    }

    fn set_scalar<E: Error>(self, value: &Scalar) -> Result<(), E> {
        self.record.set_scalar(self.attribute, value).map_err(E::custom)
    }

    /// What is kept as it is spelled.
    fn raw<E: Error>(self, base: Base, raw: &str) -> Result<(), E> {
        match (base, raw) {
            (_, "null") => self.set(&Value::Null),
            (Base::Json, raw) => self.set(&Value::Json(raw)),
            (_, raw) => self.set_scalar(&Scalar::Decimal(raw.trim_matches('"').to_owned())),
        }
    }

    fn kind(&self) -> Kind {
        self.record.attributes().get(self.attribute).kind
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self.kind() {
            Kind::One(base @ (Base::Json | Base::Decimal)) => {
                let raw: &RawValue = serde::Deserialize::deserialize(from)?;
                self.raw(base, raw.get())
            }
            _ => from.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.record.attributes().name(self.attribute);
        write!(f, "{} as the attribute {name:?}", self.kind())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.record.set_null(self.attribute);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.record.set_bool(self.attribute, value).map_err(E::custom)
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self.kind() {
            // Beyond 64 bits it is a float already, as near as there is one.
            Kind::One(Base::Float) => self.set(&Value::Int(value)),
            _ => self.record.set_int(self.attribute, value).map_err(E::custom),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.set(&Value::UInt(value)),
        }
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let Self { record, attribute } = self;
        let set = record.set_float(attribute, value);
        set.map_err(|error| E::custom(float_error(record, attribute, GIVEN, value, error)))
    }

    #[inline]
    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.kind() {
            Kind::One(Base::Text) => self.record.set_text(self.attribute, value).map_err(E::custom),
            Kind::One(base) => match text_value(base, value) {
                Some(scalar) => self.set_scalar(&scalar),
                None => self.set(&Value::Text(value)),
            },
            _ => self.set(&Value::Text(value)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Kind::List(base) = self.kind() else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        };
        let start = self.record.elements.len();
        let Self { record, attribute } = self;
        while elements
            .next_element_seed(Element { record: &mut *record, attribute, base })?
            .is_some()
        {}
        record.end_list(attribute, start);
        Ok(())
    }
}

/// An element of a list, which is kept where the record's others are.
struct Element<'r> {
    record: &'r mut Record,
    attribute: usize,
    base: Base,
}

impl Element<'_> {
    fn push<E: Error>(self, value: &Value<'_>) -> Result<(), E> {
        self.record.push(self.attribute, self.base, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.base != Base::Decimal {
            return from.deserialize_any(self);
        }
        let raw: &RawValue = serde::Deserialize::deserialize(from)?;
        match decimal(raw.get()) {
            Some(value) => self.push(&value),
            None => {
                let given =
                    format!("{}, which is no decimal of at most 38 digits", shown(raw.get()));
                Err(D::Error::custom(self.record.refused(self.attribute, HOLDS, &given)))
            }
        }
    }
}

/// What is said of a number that is no integer, where one is wanted: in JSON that is a matter of how it is written.
#[cold]
fn float_error(
    record: &Record,
    attribute: usize,
    how: &str,
    value: f64,
    error: ExprError,
) -> ExprError {
    if record.attributes().get(attribute).base() != Base::Int {
        return error;
    }
    // Of so many digits, they are read as a float.
    let is_wide = value.abs() >= i64::MAX as f64;
    let given = if is_wide {
        "a number beyond 64 bits"
    } else {
        "a float; JSON has an integer without point and exponent: 20, not 20.0"
    };
    record.refused(attribute, how, given)
}

fn decimal(raw: &str) -> Option<Value<'static>> {
    if raw == "null" {
        return Some(Value::Null);
    }
    let (digits, scale) = parse_decimal(raw.trim_matches('"'))?;
    Some(Value::Decimal(DecimalValue::new(digits, scale.try_into().ok()?)))
}

impl Visitor<'_> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.record.attributes();
        let (kind, name) = (attributes.get(self.attribute).kind, attributes.name(self.attribute));
        write!(f, "what the attribute {name:?} holds, which is {kind}")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(&Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(&Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(&Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.push(&Value::Int(value)),
            Err(_) if self.base == Base::Int => {
                let refused = self.record.refused(self.attribute, HOLDS, "a number beyond 64 bits");
                Err(E::custom(refused))
            }
            Err(_) => self.push(&Value::UInt(value)),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let Self { record, attribute, base } = self;
        let pushed = record.push(attribute, base, &Value::Float(value));
        pushed.map_err(|error| E::custom(float_error(record, attribute, HOLDS, value, error)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let value = match text_value(self.base, value) {
            Some(Scalar::Date(days)) => Value::Date(days),
            Some(Scalar::Time(micros)) => Value::Time(micros),
            Some(Scalar::Timestamp { micros, utc }) => Value::Timestamp { micros, utc },
            Some(Scalar::Uuid(value)) => Value::Uuid(value),
            _ => Value::Text(value),
        };
        self.push(&value)
    }
}
