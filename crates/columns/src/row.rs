use std::sync::Arc;

use crate::{Schema, Value};

/// One row with values of its own: two or three allocations, where a batch of one row takes several
/// a column. It holds what fits a few bytes, text and bytes; decimals and lists want a batch.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Field, OwnedRow, Schema, Type, Value};
/// let fields = vec![Field::new("id", Type::Int64), Field::new("name", Type::Text)];
/// let mut row = OwnedRow::new(Arc::new(Schema::new(fields)));
/// row.push_int(7);
/// row.push_text("Zoë");
/// assert_eq!(row.value(1), Some(Value::Text("Zoë")));
/// assert_eq!(row.position("id"), Some(0));
/// ```
#[derive(Clone, Debug)]
pub struct OwnedRow {
    schema: Arc<Schema>,
    cells: Vec<Cell>,
    /// All texts, one after the other.
    text: String,
    /// All bytes, one after the other.
    bytes: Vec<u8>,
}

/// A value; texts and bytes by where they start and end.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Float32(f32),
    Text(usize, usize),
    Json(usize, usize),
    Bytes(usize, usize),
    Uuid([u8; 16]),
    Date(i32),
    Time(i64),
    Timestamp(i64, bool),
    Interval(i32, i32, i64),
}

/// Room for the texts after the first, so that short ones share its allocation.
const ROOM: usize = 64;

impl OwnedRow {
    /// No values yet, of these columns.
    pub fn new(schema: Arc<Schema>) -> Self {
        let cells = Vec::with_capacity(schema.fields.len());
        Self { schema, cells, text: String::new(), bytes: Vec::new() }
    }

    /// Appends a NULL.
    pub fn push_null(&mut self) {
        self.cells.push(Cell::Null);
    }

    /// Appends a truth value.
    pub fn push_bool(&mut self, value: bool) {
        self.cells.push(Cell::Bool(value));
    }

    /// Appends a signed integer.
    pub fn push_int(&mut self, value: i64) {
        self.cells.push(Cell::Int(value));
    }

    /// Appends an unsigned integer.
    pub fn push_uint(&mut self, value: u64) {
        self.cells.push(Cell::UInt(value));
    }

    /// Appends a float of 64 bits.
    pub fn push_float(&mut self, value: f64) {
        self.cells.push(Cell::Float(value));
    }

    /// Appends a float of 32 bits.
    pub fn push_float32(&mut self, value: f32) {
        self.cells.push(Cell::Float32(value));
    }

    /// Appends text.
    pub fn push_text(&mut self, value: &str) {
        let (start, end) = self.keep(value);
        self.cells.push(Cell::Text(start, end));
    }

    /// Appends JSON.
    pub fn push_json(&mut self, value: &str) {
        let (start, end) = self.keep(value);
        self.cells.push(Cell::Json(start, end));
    }

    /// Appends bytes.
    pub fn push_bytes(&mut self, value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.cells.push(Cell::Bytes(start, self.bytes.len()));
    }

    /// Appends a UUID.
    pub fn push_uuid(&mut self, value: [u8; 16]) {
        self.cells.push(Cell::Uuid(value));
    }

    /// Appends a date, in days since 1970.
    pub fn push_date(&mut self, days: i32) {
        self.cells.push(Cell::Date(days));
    }

    /// Appends a time, in microseconds since midnight.
    pub fn push_time(&mut self, micros: i64) {
        self.cells.push(Cell::Time(micros));
    }

    /// Appends a point in time, in microseconds since 1970.
    pub fn push_timestamp(&mut self, micros: i64, utc: bool) {
        self.cells.push(Cell::Timestamp(micros, utc));
    }

    /// Appends an interval.
    pub fn push_interval(&mut self, months: i32, days: i32, nanos: i64) {
        self.cells.push(Cell::Interval(months, days, nanos));
    }

    fn keep(&mut self, text: &str) -> (usize, usize) {
        let start = self.text.len();
        if start == 0 {
            self.text.reserve(text.len() + ROOM);
        }
        self.text.push_str(text);
        (start, self.text.len())
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True before the first value.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The columns.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The position of the first column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.schema.position(name)
    }

    /// Bytes held so far.
    pub fn byte_len(&self) -> usize {
        std::mem::size_of_val(self.cells.as_slice()) + self.text.len() + self.bytes.len()
    }

    /// The value of a column by its position.
    #[inline]
    pub fn value(&self, column: usize) -> Option<Value<'_>> {
        Some(match *self.cells.get(column)? {
            Cell::Null => Value::Null,
            Cell::Bool(value) => Value::Bool(value),
            Cell::Int(value) => Value::Int(value),
            Cell::UInt(value) => Value::UInt(value),
            Cell::Float(value) => Value::Float(value),
            Cell::Float32(value) => Value::Float32(value),
            Cell::Text(start, end) => Value::Text(self.text.get(start..end)?),
            Cell::Json(start, end) => Value::Json(self.text.get(start..end)?),
            Cell::Bytes(start, end) => Value::Bytes(self.bytes.get(start..end)?),
            Cell::Uuid(value) => Value::Uuid(value),
            Cell::Date(days) => Value::Date(days),
            Cell::Time(micros) => Value::Time(micros),
            Cell::Timestamp(micros, utc) => Value::Timestamp { micros, utc },
            Cell::Interval(months, days, nanos) => Value::Interval { months, days, nanos },
        })
    }
}
