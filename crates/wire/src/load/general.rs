//! Cells of any type, by way of the parameter that they would be.

use rowmill_columns::{Column, Scalar, Type, Value};

use crate::bind;
use crate::statement::ParameterType;

/// The cells of a block, written when they were measured.
#[derive(Default)]
pub(super) struct Written {
    bytes: Vec<u8>,
    /// Where each cell ends.
    ends: Vec<usize>,
}

impl Written {
    /// Writes cells until there are `places.len()` or `room` is full, and adds their lengths; how
    /// many there are.
    pub(super) fn measure(
        &mut self,
        (column, kind, target): (&Column, &Type, &ParameterType),
        from: usize,
        places: &mut [usize],
        room: usize,
    ) -> Result<usize, (usize, String)> {
        self.bytes.clear();
        self.ends.clear();
        for (at, place) in places.iter_mut().enumerate() {
            if self.bytes.len() > room {
                return Ok(at);
            }
            let start = self.bytes.len();
            let value = column.value(kind, from + at);
            bind::with_length(&mut self.bytes, |out| cell(out, target, &value))
                .map_err(|message| (at, message))?;
            *place += self.bytes.len() - start - 4;
            self.ends.push(self.bytes.len());
        }
        Ok(places.len())
    }

    /// Puts the cells in their places.
    pub(super) fn put(&self, block: &mut [u8], places: &mut [usize]) {
        let mut start = 0;
        for (place, &end) in places.iter_mut().zip(&self.ends) {
            let cell = &self.bytes[start..end];
            block[*place..*place + cell.len()].copy_from_slice(cell);
            *place += cell.len();
            start = end;
        }
    }
}

fn cell(
    out: &mut Vec<u8>,
    target: &ParameterType,
    value: &Value<'_>,
) -> Result<bind::Written, String> {
    bind::shaped(out, &target.shape, &scalar(value)?)
}

/// The value as a parameter would be given.
fn scalar(value: &Value<'_>) -> Result<Scalar, String> {
    value
        .to_scalar()
        .ok_or_else(|| format!("{value} has a part below the microsecond; round it before"))
}
