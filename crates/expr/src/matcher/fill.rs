//! A record's values as they come from elsewhere.

use std::sync::Arc;

use rowmill_columns::kernels::parse_decimal;
use rowmill_columns::{DecimalValue, Scalar, Value};

use super::record::{GIVEN, HOLDS, Record, shown};
use crate::ExprError;

impl Record {
    /// Sets a value that is given as a scalar.
    ///
    /// # Errors
    /// Where the attribute is of another kind.
    ///
    /// # Panics
    /// If there is no such attribute.
    pub fn set_scalar(&mut self, attribute: usize, value: &Scalar) -> Result<(), ExprError> {
        if let Scalar::List(values) = value {
            if let Some(integers) = values.integers() {
                return self.set_list(attribute, integers.iter().map(|&value| Value::Int(value)));
            }
            let mut all = Vec::with_capacity(values.len());
            for value in values {
                all.push(self.as_value(attribute, HOLDS, value)?);
            }
            return self.set_list(attribute, all);
        }
        let value = self.as_value(attribute, GIVEN, value)?;
        self.set(attribute, &value)
    }

    /// Sets all to what another record of the same attributes has.
    ///
    /// # Panics
    /// If it is of other attributes.
    pub fn copy_from(&mut self, other: &Self) {
        assert!(
            Arc::ptr_eq(self.attributes(), other.attributes()),
            "records of the same attributes"
        );
        self.cells.clone_from(&other.cells);
        self.elements.clone_from(&other.elements);
        self.text.clone_from(&other.text);
        self.bytes.clone_from(&other.bytes);
    }

    fn as_value<'s>(
        &self,
        attribute: usize,
        how: &str,
        scalar: &'s Scalar,
    ) -> Result<Value<'s>, ExprError> {
        Ok(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(*value),
            Scalar::Int(value) => Value::Int(*value),
            Scalar::Float(value) => Value::Float(*value),
            Scalar::Decimal(text) => {
                let parsed = parse_decimal(text);
                match parsed.and_then(|(digits, scale)| Some((digits, i8::try_from(scale).ok()?))) {
                    Some((digits, scale)) => Value::Decimal(DecimalValue::new(digits, scale)),
                    None => {
                        let given =
                            format!("{}, which is no decimal of at most 38 digits", shown(text));
                        return Err(self.refused(attribute, how, &given));
                    }
                }
            }
            Scalar::Text(value) => Value::Text(value),
            Scalar::Bytes(value) => Value::Bytes(value),
            Scalar::Json(value) => Value::Json(value),
            Scalar::Uuid(value) => Value::Uuid(*value),
            Scalar::Date(days) => Value::Date(*days),
            Scalar::Time(micros) => Value::Time(*micros),
            Scalar::Timestamp { micros, utc } => Value::Timestamp { micros: *micros, utc: *utc },
            Scalar::Interval { months, days, micros } => match micros.checked_mul(1_000) {
                Some(nanos) => Value::Interval { months: *months, days: *days, nanos },
                None => {
                    return Err(self.refused(attribute, how, "an interval of more than 292 years"));
                }
            },
            Scalar::List(_) | Scalar::TimeTz { .. } | Scalar::Struct(_) => {
                return Err(self.refused(attribute, how, scalar.kind()));
            }
        })
    }
}
