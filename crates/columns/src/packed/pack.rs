use std::fmt;

use super::cell::Cell;
use super::layout::{Held, Layout};
use super::write::Packer;
use crate::build::Bytes;
use crate::{Batch, Column, ColumnError, DecimalValue, StructValue, Type, Value};

impl Layout {
    /// The rows as records, one column of bytes: columns and fields meet by their names. A field without a column
    /// has its default.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::packed::{Held, Layout, PackedField};
    /// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed};
    /// let mut ids = Fixed::new(0_i64);
    /// ids.push(7);
    /// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
    /// let batch = Batch::new(schema, vec![ids.finish(&Type::Int64)], 1);
    ///
    /// let id = PackedField {
    ///     name: "id".into(), held: Held::One(Type::Int64), nullable: false, is_required: true, is_removed: false,
    /// };
    /// let layout = Layout::new("User", vec![id])?;
    /// let records = layout.pack(&batch)?;
    /// let (_, bytes) = records.variable_bytes().unwrap();
    /// assert_eq!(layout.columns([Some(bytes)], &[0])?, batch);
    /// # Ok::<(), rowmill_columns::ColumnError>(())
    /// ```
    ///
    /// # Errors
    /// If a field has neither column nor default, a column no field, or a value does not fit, by its row.
    pub fn pack(&self, batch: &Batch) -> Result<Column, ColumnError> {
        let schema = batch.schema();
        if let Some(field) = schema.repeated() {
            return Err(ColumnError::new(format!("two columns are named {:?}", field.name)));
        }
        for field in &schema.fields {
            self.known(&field.name)?;
        }
        let columns: Vec<Option<usize>> =
            self.fields().iter().map(|field| schema.position(&field.name)).collect();
        let mut records = Bytes::binary();
        let mut memory = Vec::new();
        for row in 0..batch.rows() {
            let mut packer = Packer::into(self, memory);
            for (field, column) in columns.iter().enumerate() {
                let set = match column {
                    Some(column) => {
                        let kind = &schema.fields[*column].kind;
                        set(&mut packer, field, &batch.value(*column, row), kind)
                    }
                    None => packer.set_default(field),
                };
                set.map_err(|error| ColumnError::new(format!("row {row}: {error}")))?;
            }
            memory = packer.finish()?;
            records.push(&memory);
        }
        records.finish().map_err(|error| ColumnError::new(format!("row {}: no UTF-8", error.row)))
    }

    /// Whether there is a field for a column.
    fn known(&self, name: &str) -> Result<(), ColumnError> {
        if self.fields().iter().any(|own| &*own.name == name && !own.is_removed) {
            return Ok(());
        }
        let class = self.name();
        Err(ColumnError::new(format!("{class} has no field for the column {name:?}")))
    }

    /// A record of a struct's values.
    fn pack_one(&self, values: &StructValue<'_>) -> Result<Vec<u8>, ColumnError> {
        let mut packer = Packer::new(self);
        for (name, _) in values.iter() {
            self.known(name)?;
        }
        for (at, field) in self.fields().iter().enumerate() {
            match values.iter().find(|(name, _)| *name == &*field.name) {
                Some((_, value)) => set(&mut packer, at, &value, &"a value of another type")?,
                None => packer.set_default(at)?,
            }
        }
        packer.finish()
    }
}

/// Sets a field to a value, whose type `kind` names.
fn set(
    packer: &mut Packer<'_>,
    field: usize,
    value: &Value<'_>,
    kind: &dyn fmt::Display,
) -> Result<(), ColumnError> {
    let layout = packer.layout();
    match (&layout.fields()[field].held, value) {
        (_, Value::Null) => return packer.set(field, Cell::Null),
        (Held::One(wanted), value) => {
            if let Some(cell) = cell(wanted, value) {
                return packer.set(field, cell);
            }
        }
        (Held::Record(inner), Value::Struct(values)) => {
            return packer.set(field, Cell::Record(&inner.pack_one(values)?));
        }
        (Held::Record(_), Value::Bytes(record)) => return packer.set(field, Cell::Record(record)),
        (held, Value::List(values)) => {
            let mut list = packer.list(field, values.len())?;
            for value in values {
                match (held, &value) {
                    (Held::Records(inner), Value::Struct(values)) => {
                        list.push(Cell::Record(&inner.pack_one(values)?))?;
                    }
                    (Held::List(wanted), value) => match cell(wanted, value) {
                        Some(cell) => list.push(cell)?,
                        None => return Err(packer.mismatch(field, kind)),
                    },
                    _ => list.push(Cell::Null)?,
                }
            }
            return list.finish();
        }
        _ => {}
    }
    Err(packer.mismatch(field, kind))
}

/// A value as a field of a type takes it; numbers are widened where nothing is lost.
fn cell<'a>(wanted: &Type, value: &Value<'a>) -> Option<Cell<'a>> {
    Some(match (wanted, value) {
        (_, Value::Null) => Cell::Null,
        (Type::Bool, Value::Bool(value)) => Cell::Bool(*value),
        (Type::Int64, Value::Int(value)) => Cell::Int(*value),
        (Type::Int64, Value::UInt(value)) => Cell::Int(i64::try_from(*value).ok()?),
        (Type::Float64, Value::Float(value)) => Cell::Float(*value),
        (Type::Float64, Value::Float32(value)) => Cell::Float((*value).into()),
        (Type::Decimal { .. }, Value::Decimal(value)) => Cell::Decimal(*value),
        (Type::Decimal { .. }, Value::Int(value)) => {
            Cell::Decimal(DecimalValue::new((*value).into(), 0))
        }
        (Type::Decimal { .. }, Value::UInt(value)) => {
            Cell::Decimal(DecimalValue::new((*value).into(), 0))
        }
        (Type::Text, Value::Text(text) | Value::Json(text)) => Cell::Text(text),
        (Type::Bytes, Value::Bytes(bytes)) => Cell::Bytes(bytes),
        (Type::Uuid, Value::Uuid(value)) => Cell::Uuid(*value),
        (Type::Date, Value::Date(days)) => Cell::Date(*days),
        (Type::Time, Value::Time(micros)) => Cell::Time(*micros),
        // A wall clock is no instant.
        (Type::Timestamp { utc: wanted }, Value::Timestamp { micros, utc }) if wanted == utc => {
            Cell::Timestamp(*micros)
        }
        (Type::Interval, Value::Interval { months, days, nanos }) => {
            Cell::Interval { months: *months, days: *days, nanos: *nanos }
        }
        _ => return None,
    })
}
