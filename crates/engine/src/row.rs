use rowmill_columns::{Batch, Scalar, Value};

use crate::{Error, ErrorKind, Result};

/// One row of a batch; its values are read when asked for.
///
/// ```
/// let db = rowmill::Database::open("sqlite://")?;
/// let row = db.query("select 7 as id, 'Zoë' as name").fetch_one()?.unwrap();
/// assert_eq!(row.get("name").unwrap().to_string(), "Zoë");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    batch: Batch,
    index: usize,
}

impl Row {
    /// The first row of `batch`, where it has one.
    pub fn first(batch: &Batch) -> Option<Self> {
        Self::at(batch, 0)
    }

    /// Row `index` of `batch`, where there is one.
    pub fn at(batch: &Batch, index: usize) -> Option<Self> {
        (index < batch.rows()).then(|| Self { batch: batch.clone(), index })
    }

    /// The batch the row is of.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The row's place in its batch.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The value of the first column of this name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.batch.schema().position(name).and_then(|column| self.value(column))
    }

    /// The value of a column by its position.
    pub fn value(&self, column: usize) -> Option<Value<'_>> {
        let field = self.batch.schema().fields.get(column)?;
        Some(self.batch.columns()[column].value(&field.kind, self.index))
    }

    /// The value of a column by its position, owned.
    ///
    /// # Errors
    /// `Data` where there is no such column or [`Scalar`] has no such type.
    pub fn scalar(&self, column: usize) -> Result<Scalar> {
        let missing = || Error::new(ErrorKind::Data, format!("the row has no column {column}"));
        let value = self.value(column).ok_or_else(missing)?;
        owned(&value).ok_or_else(|| {
            let field = &self.batch.schema().fields[column];
            let message = format!("column {:?} of type {} is not a scalar", field.name, field.kind);
            Error::new(ErrorKind::Data, message)
        })
    }
}

/// The value as an owned scalar, where there is one.
fn owned(value: &Value<'_>) -> Option<Scalar> {
    Some(match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Int(value) => Scalar::Int(*value),
        Value::UInt(value) => {
            i64::try_from(*value).map_or_else(|_| Scalar::Decimal(value.to_string()), Scalar::Int)
        }
        Value::Float(value) => Scalar::Float(*value),
        Value::Float32(value) => Scalar::Float(f64::from(*value)),
        Value::Decimal(value) => Scalar::Decimal(value.to_string()),
        Value::Text(value) => Scalar::Text((*value).to_owned()),
        Value::Bytes(value) => Scalar::Bytes(value.to_vec()),
        Value::Json(value) => Scalar::Json((*value).to_owned()),
        Value::Uuid(value) => Scalar::Uuid(*value),
        Value::Date(days) => Scalar::Date(*days),
        Value::Time(micros) => Scalar::Time(*micros),
        Value::Timestamp { micros, utc } => Scalar::Timestamp { micros: *micros, utc: *utc },
        Value::Interval { months, days, nanos } if nanos % 1_000 == 0 => {
            Scalar::Interval { months: *months, days: *days, micros: nanos / 1_000 }
        }
        Value::List(list) => {
            Scalar::List(list.iter().map(|value| owned(&value)).collect::<Option<_>>()?)
        }
        Value::Interval { .. } | Value::Struct(_) | Value::Foreign(_) => return None,
    })
}
