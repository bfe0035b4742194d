use std::sync::Arc;

use rowmill_columns::text::parse_uuid;
use rowmill_columns::{Batch, Type, Value, json};

use super::attributes::Attributes;
use super::key::{Key, Keys, float_key};
use crate::ExprError;
use crate::filter::cell::{Cell, Span};
use crate::filter::decimal::Decimal;
use crate::filter::row::Cells;
use crate::kind::{Base, Kind};

/// The values of one record; what was not set is NULL.
///
/// It is made once and filled for each request: a text is copied into room that is there already.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Field, Schema, Type};
/// use rowmill_expr::matcher::{Attributes, Record};
/// let fields = vec![Field::new("country", Type::Text), Field::new("age", Type::Int64)];
/// let attributes = Attributes::new(Arc::new(Schema::new(fields)));
/// let mut record = Record::new(&attributes);
/// record.set_text(0, "DE")?;
/// record.set_int(1, 30)?;
/// assert!(record.set_text(1, "thirty").unwrap_err().to_string().contains("\"age\""));
/// record.clear();
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    pub(super) attributes: Arc<Attributes>,
    pub(super) cells: Vec<Held>,
    /// The elements of all lists.
    pub(super) elements: Vec<Held>,
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

/// A value; texts, bytes and lists by where they start and end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Text(u32, u32),
    Json(u32, u32),
    Bytes(u32, u32),
    Uuid([u8; 16]),
    Date(i32),
    Time(i64),
    Timestamp(i64),
    Instant(i64),
    Interval(Span),
    List(u32, u32),
    Other,
}

/// A list of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldList<'a> {
    record: &'a Record,
    start: u32,
    end: u32,
}

impl<'a> HeldList<'a> {
    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    pub(crate) fn get(&self, at: usize) -> Cell<'a> {
        self.record.read(self.record.elements[self.start as usize + at])
    }
}

impl Record {
    /// A record of which nothing is set.
    pub fn new(attributes: &Arc<Attributes>) -> Self {
        Self {
            attributes: Arc::clone(attributes),
            cells: vec![Held::Null; attributes.len()],
            elements: Vec::new(),
            text: String::new(),
            bytes: Vec::new(),
        }
    }

    /// What it is of.
    pub fn attributes(&self) -> &Arc<Attributes> {
        &self.attributes
    }

    /// Sets all to NULL.
    pub fn clear(&mut self) {
        self.cells.fill(Held::Null);
        self.elements.clear();
        self.text.clear();
        self.bytes.clear();
    }

    /// Sets a value.
    ///
    /// # Errors
    /// Where the attribute is of another kind.
    ///
    /// # Panics
    /// If there is no such attribute, as all that set.
    #[inline]
    pub fn set(&mut self, attribute: usize, value: &Value<'_>) -> Result<(), ExprError> {
        let kind = self.attributes.get(attribute).kind;
        self.cells[attribute] = match (value, kind) {
            (Value::List(list), Kind::List(_)) => {
                return self.set_list(attribute, list.iter());
            }
            (value, Kind::One(base)) => match self.hold(value, base) {
                // What goes beyond 63 bits is of an attribute that may.
                Some(Held::Decimal(_))
                    if base == Base::Int && self.attributes.get(attribute).keys != Keys::None =>
                {
                    return Err(self.wrong(attribute, GIVEN, value));
                }
                Some(held) => held,
                None => return Err(self.wrong(attribute, GIVEN, value)),
            },
            (Value::Null, _) => Held::Null,
            (value, _) => return Err(self.wrong(attribute, GIVEN, value)),
        };
        Ok(())
    }

    /// Sets a list.
    ///
    /// # Errors
    /// Where the attribute is no list, or one of other values.
    pub fn set_list<'v>(
        &mut self,
        attribute: usize,
        values: impl IntoIterator<Item = Value<'v>>,
    ) -> Result<(), ExprError> {
        let Kind::List(base) = self.attributes.get(attribute).kind else {
            return Err(self.refused(attribute, GIVEN, "a list"));
        };
        let start = self.elements.len();
        for value in values {
            self.push(attribute, base, &value).inspect_err(|_| self.elements.truncate(start))?;
        }
        self.end_list(attribute, start);
        Ok(())
    }

    /// Keeps an element of a list that [`end_list`](Self::end_list) will end.
    #[inline]
    pub(super) fn push(
        &mut self,
        attribute: usize,
        base: Base,
        value: &Value<'_>,
    ) -> Result<(), ExprError> {
        // Written where it is kept: what `hold` makes is read back before it is in memory, which stalls.
        match (value, base) {
            (Value::Int(value), Base::Int) => self.elements.push(Held::Int(*value)),
            (Value::Text(value), Base::Text) => {
                let (start, end) = self.keep(value);
                self.elements.push(Held::Text(start, end));
            }
            _ => match self.hold(value, base) {
                Some(held) => self.elements.push(held),
                None => return Err(self.wrong(attribute, HOLDS, value)),
            },
        }
        Ok(())
    }

    /// Sets a list, of the elements from one on.
    pub(super) fn end_list(&mut self, attribute: usize, start: usize) {
        self.cells[attribute] = Held::List(start as u32, self.elements.len() as u32);
    }

    /// Sets NULL.
    pub fn set_null(&mut self, attribute: usize) {
        self.cells[attribute] = Held::Null;
    }

    /// Sets what an attribute of this kind holds as it is; another is asked what it makes of the value.
    #[inline]
    fn set_one(
        &mut self,
        attribute: usize,
        base: Base,
        held: Held,
        value: &Value<'_>,
    ) -> Result<(), ExprError> {
        if self.attributes.get(attribute).kind != Kind::One(base) {
            return self.set(attribute, value);
        }
        self.cells[attribute] = held;
        Ok(())
    }

    /// Sets a text.
    ///
    /// # Errors
    /// Where the attribute is of another kind.
    #[inline]
    pub fn set_text(&mut self, attribute: usize, value: &str) -> Result<(), ExprError> {
        if self.attributes.get(attribute).kind != Kind::One(Base::Text) {
            return self.set(attribute, &Value::Text(value));
        }
        let (start, end) = self.keep(value);
        self.cells[attribute] = Held::Text(start, end);
        Ok(())
    }

    /// Sets an integer.
    ///
    /// # Errors
    /// As [`set_text`](Self::set_text).
    #[inline]
    pub fn set_int(&mut self, attribute: usize, value: i64) -> Result<(), ExprError> {
        self.set_one(attribute, Base::Int, Held::Int(value), &Value::Int(value))
    }

    /// Sets a float.
    ///
    /// # Errors
    /// As [`set_text`](Self::set_text).
    #[inline]
    pub fn set_float(&mut self, attribute: usize, value: f64) -> Result<(), ExprError> {
        self.set_one(attribute, Base::Float, Held::Float(value), &Value::Float(value))
    }

    /// Sets a bool.
    ///
    /// # Errors
    /// As [`set_text`](Self::set_text).
    #[inline]
    pub fn set_bool(&mut self, attribute: usize, value: bool) -> Result<(), ExprError> {
        self.set_one(attribute, Base::Bool, Held::Bool(value), &Value::Bool(value))
    }

    /// Sets JSON that is given as text.
    ///
    /// # Errors
    /// Where the attribute is of another kind, or the text is no JSON.
    pub fn set_json_text(&mut self, attribute: usize, text: &str) -> Result<(), ExprError> {
        if json::validate_json(text.as_bytes()).is_ok() {
            return self.set(attribute, &Value::Json(text));
        }
        let (name, shown) = (self.attributes.name(attribute), shown(text));
        Err(ExprError::new(format!(
            "the attribute {name:?} takes JSON, which {shown:?} is not: give the dict or the list itself, or text as of \
             json.dumps()"
        )))
    }

    /// As [`set`](Self::set), of a frame's value: of a decimal of more than 38 digits it is known that there is one, a
    /// list may be JSON text, as SQLite keeps it, and JSON a text, a list or named values.
    ///
    /// # Errors
    /// Where the attribute is of another kind.
    pub fn set_cell(&mut self, attribute: usize, value: &Value<'_>) -> Result<(), ExprError> {
        match (value, self.attributes.get(attribute).kind) {
            (Value::Json(text) | Value::Text(text), Kind::List(_)) => {
                self.set_list_json(attribute, text)
            }
            (Value::Text(text), Kind::One(Base::Json)) => self.set_json_text(attribute, text),
            (Value::List(_) | Value::Struct(_) | Value::Map(_), Kind::One(Base::Json)) => {
                let mut text = Vec::new();
                json::write_value(value, &mut text);
                self.set(attribute, &Value::Json(&String::from_utf8_lossy(&text)))
            }
            (Value::Decimal(value), Kind::One(Base::Decimal)) if value.unscaled().is_none() => {
                self.cells[attribute] = Held::Other;
                Ok(())
            }
            _ => self.set(attribute, value),
        }
    }

    /// Sets all to what a row of a batch has, whose columns are the attributes in their order.
    ///
    /// # Errors
    /// Where a decimal has more than 38 digits or the batch has other columns.
    pub fn set_row(&mut self, batch: &Batch, row: usize) -> Result<(), ExprError> {
        let schema = self.attributes.schema();
        if !Arc::ptr_eq(schema, batch.schema()) && **schema != **batch.schema() {
            return Err(ExprError::new("the frame has other columns than the records"));
        }
        self.clear();
        for at in 0..self.cells.len() {
            self.set_cell(at, &batch.value(at, row))?;
        }
        Ok(())
    }

    #[inline]
    fn hold(&mut self, value: &Value<'_>, base: Base) -> Option<Held> {
        Some(match (value, base) {
            (Value::Null, _) => Held::Null,
            (Value::Bool(value), Base::Bool) => Held::Bool(*value),
            (Value::Int(value), Base::Int) => Held::Int(*value),
            (Value::UInt(value), Base::Int) => match i64::try_from(*value) {
                Ok(value) => Held::Int(value),
                Err(_) => Held::Decimal(Decimal::new((*value).into(), 0)),
            },
            (Value::Float(value), Base::Float) => Held::Float(*value),
            (Value::Float32(value), Base::Float) => Held::Float((*value).into()),
            (Value::Int(value), Base::Float) => Held::Float(float_of((*value).into())?),
            (Value::UInt(value), Base::Float) => Held::Float(float_of((*value).into())?),
            // As integers beyond 64 bits come.
            (Value::Decimal(value), Base::Float) if value.scale() == 0 => {
                Held::Float(float_of(value.unscaled()?)?)
            }
            (Value::Int(value), Base::Decimal) => Held::Decimal(Decimal::new((*value).into(), 0)),
            (Value::Decimal(value), Base::Decimal) => {
                Held::Decimal(Decimal::new(value.unscaled()?, value.scale().into()))
            }
            (Value::Text(value), Base::Text) => {
                let (start, end) = self.keep(value);
                Held::Text(start, end)
            }
            (Value::Json(value), Base::Json) => {
                let (start, end) = self.keep(value);
                Held::Json(start, end)
            }
            (Value::Bytes(value), Base::Bytes) => {
                let start = self.bytes.len() as u32;
                self.bytes.extend_from_slice(value);
                Held::Bytes(start, self.bytes.len() as u32)
            }
            (Value::Uuid(value), Base::Uuid) => Held::Uuid(*value),
            (Value::Text(value), Base::Uuid) => Held::Uuid(parse_uuid(value.as_bytes())?),
            (Value::Date(days), Base::Date) => Held::Date(*days),
            (Value::Time(micros), Base::Time) => Held::Time(*micros),
            (Value::Timestamp { micros, utc: false }, Base::Timestamp) => Held::Timestamp(*micros),
            (Value::Timestamp { micros, utc: true }, Base::Instant) => Held::Instant(*micros),
            (Value::Interval { months, days, nanos }, Base::Interval) => {
                Held::Interval(Span { months: *months, days: *days, micros: nanos / 1_000 })
            }
            (_, Base::Other) => Held::Other,
            _ => return None,
        })
    }

    fn keep(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        (start, self.text.len() as u32)
    }

    #[cold]
    fn wrong(&self, attribute: usize, how: &str, value: &Value<'_>) -> ExprError {
        let given = match value {
            Value::Struct(_) | Value::Map(_) => "named values",
            Value::Foreign(_) => "a time with parts of a microsecond",
            Value::List(_) => "a list",
            Value::Decimal(value) if value.unscaled().is_none() => {
                "a decimal of more than 38 digits"
            }
            other => other.to_scalar().map_or("another value", |scalar| scalar.kind()),
        };
        let base = self.attributes.get(attribute).base();
        let inexact = &format!("{value}, which no float is exactly");
        let given = match value {
            Value::Int(_) | Value::UInt(_) if base == Base::Float => inexact,
            Value::Decimal(number) if base == Base::Float && number.scale() == 0 => inexact,
            Value::UInt(_) => "an integer beyond 64 bits",
            Value::Decimal(value) if value.scale() == 0 => {
                "a decimal, or an integer beyond 64 bits"
            }
            _ => given,
        };
        self.refused(attribute, how, &format!("{given}{}", way_out(base, value)))
    }

    #[cold]
    pub(super) fn refused(&self, attribute: usize, how: &str, given: &str) -> ExprError {
        let (name, kind) = (self.attributes.name(attribute), self.attributes.get(attribute).kind);
        ExprError::new(format!("the attribute {name:?} is {kind}, but {how} {given}"))
    }

    fn read(&self, held: Held) -> Cell<'_> {
        let text = |start: u32, end: u32| &self.text[start as usize..end as usize];
        match held {
            Held::Null => Cell::Null,
            Held::Bool(value) => Cell::Bool(value),
            Held::Int(value) => Cell::Int(value),
            Held::Float(value) => Cell::Float(value),
            Held::Decimal(value) => Cell::Decimal(value),
            Held::Text(start, end) => Cell::Text(text(start, end).into()),
            Held::Json(start, end) => Cell::Json(text(start, end)),
            Held::Bytes(start, end) => Cell::Bytes(&self.bytes[start as usize..end as usize]),
            Held::Uuid(value) => Cell::Uuid(value),
            Held::Date(days) => Cell::Date(days),
            Held::Time(micros) => Cell::Time(micros),
            Held::Timestamp(micros) => Cell::Timestamp(micros),
            Held::Instant(micros) => Cell::Instant(micros),
            Held::Interval(span) => Cell::Interval(span),
            Held::List(start, end) => {
                let list = HeldList { record: self, start, end };
                Cell::List(crate::filter::cell::List::Held(list))
            }
            Held::Other => Cell::Other,
        }
    }

    fn key_of<'a>(&'a self, held: &'a Held) -> Option<Key<'a>> {
        Some(match held {
            Held::Bool(value) => Key::Number((*value).into()),
            Held::Int(value)
            | Held::Time(value)
            | Held::Timestamp(value)
            | Held::Instant(value) => Key::Number(*value),
            Held::Float(value) => Key::Number(float_key(*value)),
            Held::Date(days) => Key::Number((*days).into()),
            Held::Text(start, end) => {
                Key::Bytes(&self.text.as_bytes()[*start as usize..*end as usize])
            }
            Held::Bytes(start, end) => Key::Bytes(&self.bytes[*start as usize..*end as usize]),
            Held::Uuid(value) => Key::Bytes(value),
            _ => return None,
        })
    }

    /// The key of an attribute that has keys; `None` where it is NULL.
    #[inline]
    pub(crate) fn key(&self, attribute: usize) -> Option<Key<'_>> {
        self.key_of(&self.cells[attribute])
    }

    /// The keys in a list, NULLs passed over.
    pub(crate) fn keys(&self, attribute: usize) -> impl Iterator<Item = Key<'_>> {
        let (start, end) = match self.cells[attribute] {
            Held::List(start, end) => (start as usize, end as usize),
            _ => (0, 0),
        };
        self.elements[start..end].iter().filter_map(|held| self.key_of(held))
    }

    #[inline]
    pub(crate) fn has(&self, attribute: usize) -> bool {
        !matches!(self.cells[attribute], Held::Null)
    }
}

impl<'a> Cells<'a> for &'a Record {
    fn cell(self, column: usize, _: &Type) -> Result<Cell<'a>, ExprError> {
        match self.cells[column] {
            Held::Other if self.attributes.get(column).kind == Kind::One(Base::Decimal) => {
                Err(ExprError::new(format!(
                    "decimal out of range: the attribute {:?} has more than 38 digits, more than filters compute \
                     with",
                    self.attributes.name(column)
                )))
            }
            held => Ok(self.read(held)),
        }
    }

    fn is_null(self, column: usize) -> bool {
        !self.has(column)
    }
}

/// How an attribute has the value that it is refused for: itself, or in its list.
pub(super) const GIVEN: &str = "is given";
pub(super) const HOLDS: &str = "its list holds";

/// As much of a text as a message shows.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The float that an integer is, or that is written so: the shortest digits that tell it from others, and noughts.
fn float_of(whole: i128) -> Option<f64> {
    if whole.unsigned_abs() <= 1 << 53 {
        return Some(whole as i64 as f64);
    }
    let float = whole as f64;
    (float as i128 == whole || float.to_string() == whole.to_string()).then_some(float)
}

const ROUND: &str = "; round it, as float() does, or declare the attribute as int or Decimal";

/// What to do about a value of the wrong kind, where there is something that many meet.
fn way_out(base: Base, value: &Value<'_>) -> &'static str {
    match (base, value) {
        (Base::Instant, Value::Text(_)) => {
            "; in JSON it is a text as \"2024-01-31T12:00:00Z\", with its zone and six digits of a second at most"
        }
        (Base::Timestamp, Value::Text(_)) => {
            "; in JSON it is a text as \"2024-01-31T12:00:00\", without a zone, with six digits of a second at most"
        }
        (Base::Date, Value::Text(_)) => "; in JSON it is a text as \"2024-01-31\"",
        (Base::Time, Value::Text(_)) => "; in JSON it is a text as \"12:00:00\"",
        (Base::Instant, Value::Timestamp { .. }) => {
            "; give the datetime a tzinfo, or declare the attribute as \"timestamp\""
        }
        (Base::Timestamp, Value::Timestamp { .. }) => {
            "; take the zone off, or declare the attribute as datetime"
        }
        (Base::Date, Value::Timestamp { .. }) => "; give its .date()",
        (Base::Uuid, Value::Text(_)) => {
            "; it is a text as \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\", or a uuid.UUID"
        }
        (Base::Float, Value::Int(_) | Value::UInt(_)) => ROUND,
        (Base::Float, Value::Decimal(value)) if value.scale() == 0 => ROUND,
        (Base::Int, Value::Float(_)) => {
            "; pandas makes floats of integers beside missing values, and convert_dtypes() keeps them"
        }
        _ => "",
    }
}
