use rowmill_columns::{Column, Type};

use super::general::Written;
use crate::bind::{EPOCH_DAYS, EPOCH_MICROS};
use crate::catalogue::Shape;
use crate::oid::Kind;
use crate::statement::ParameterType;

/// The longest value that PostgreSQL takes, with a little to spare: its own bound (MaxAllocSize) is
/// that of the whole message too.
const LONGEST: usize = 0x3fff_fe00;

/// The cells of one column on their way into one of the table.
pub(super) struct Cells<'a> {
    column: &'a Column,
    form: Form<'a>,
    /// One byte for each row of the block, 0 where it is NULL; empty where no row is.
    validity: Vec<u8>,
    has_nulls: bool,
}

/// What the cells are made of; the common types, and [`Written`] for all others.
enum Form<'a> {
    Bool(Vec<u8>),
    /// Bytes as they are: uuids.
    Uuid(&'a [[u8; 16]]),
    Int16(&'a [[u8; 2]]),
    Int32(&'a [[u8; 4]]),
    /// 64 bits of any meaning: integers, floats and times.
    Int64(&'a [[u8; 8]]),
    /// 64 bits that have to fit into 32 and 16.
    Int64As32(&'a [[u8; 8]]),
    Int64As16(&'a [[u8; 8]]),
    Date(&'a [[u8; 4]]),
    Timestamp(&'a [[u8; 8]]),
    /// Bytes of any length, after those of `head`.
    Bytes {
        offsets: &'a [i64],
        bytes: &'a [u8],
        head: &'static [u8],
        is_text: bool,
    },
    General(&'a Type, &'a ParameterType, Written),
}

/// The row of the block that does not fit, and what to say.
type Unfit = (usize, String);

impl<'a> Cells<'a> {
    pub(super) fn new(column: &'a Column, kind: &'a Type, target: &'a ParameterType) -> Self {
        let mut cells = Self::general(column, kind, target);
        if let Some(form) = Form::new(column, kind, target) {
            cells.form = form;
        }
        cells
    }

    /// Cells of any type.
    pub(super) fn general(column: &'a Column, kind: &'a Type, target: &'a ParameterType) -> Self {
        let form = Form::General(kind, target, Written::default());
        Self { column, form, validity: Vec::new(), has_nulls: column.null_count() > 0 }
    }

    /// Adds the bytes of each row's cell beside its length's to `places`, and refuses what does not
    /// fit. How many rows were measured: fewer where they would not have `room`.
    pub(super) fn measure(
        &mut self,
        from: usize,
        places: &mut [usize],
        room: usize,
    ) -> Result<usize, Unfit> {
        let len = places.len();
        if let Form::General(kind, target, written) = &mut self.form {
            return written.measure((self.column, kind, target), from, places, room);
        }
        self.validity.clear();
        if self.has_nulls {
            self.column.slice(from, len).write_validity(&mut self.validity);
        }
        let valid = &self.validity[..];
        let width = match &mut self.form {
            Form::Bool(values) => {
                values.clear();
                let _ = self.column.slice(from, len).write_bools(values);
                1
            }
            Form::Int16(_) => 2,
            Form::Int32(_) => 4,
            Form::Int64(_) => 8,
            Form::Uuid(_) => 16,
            Form::Int64As32(values) => {
                let is_out = |value| i32::try_from(i64::from_ne_bytes(value)).is_err();
                fits(&values[from..from + len], valid, is_out, |value| {
                    format!("{} is out of range for int4", i64::from_ne_bytes(value))
                })?;
                4
            }
            Form::Int64As16(values) => {
                let is_out = |value| i16::try_from(i64::from_ne_bytes(value)).is_err();
                fits(&values[from..from + len], valid, is_out, |value| {
                    format!("{} is out of range for int2", i64::from_ne_bytes(value))
                })?;
                2
            }
            // The least of all stands for "-infinity".
            Form::Date(values) => {
                let is_out = |days| i32::from_ne_bytes(days) <= i32::MIN + EPOCH_DAYS;
                fits(&values[from..from + len], valid, is_out, |days| {
                    format!("{} is out of range for date", i32::from_ne_bytes(days))
                })?;
                4
            }
            Form::Timestamp(values) => {
                let is_out = |micros| i64::from_ne_bytes(micros) <= i64::MIN + EPOCH_MICROS;
                fits(&values[from..from + len], valid, is_out, |micros| {
                    format!("{} is out of range for timestamp", i64::from_ne_bytes(micros))
                })?;
                8
            }
            Form::Bytes { offsets, bytes, head, is_text } => {
                let offsets = &offsets[from..=from + len];
                // Long values: those beyond the room are looked at when their turn comes.
                let fit = offsets.partition_point(|end| (end - offsets[0]) as usize <= room);
                let len = fit.clamp(1, len);
                let (offsets, places) = (&offsets[..=len], &mut places[..len]);
                if *is_text {
                    no_nul(offsets, bytes, valid)?;
                }
                return lengths(offsets, valid, head.len(), places);
            }
            Form::General(..) => 0,
        };
        if valid.is_empty() {
            for place in places {
                *place += width;
            }
        } else {
            for (place, valid) in places.iter_mut().zip(valid) {
                *place += width * usize::from(*valid);
            }
        }
        Ok(len)
    }

    /// Writes the cells of the rows that begin at `from` to `places`, which then are behind them.
    pub(super) fn write(&self, from: usize, block: &mut [u8], places: &mut [usize]) {
        let valid = &self.validity[..];
        match &self.form {
            Form::Bool(values) => scatter(block, places, valid, |at| [values[at]]),
            Form::Uuid(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| values[at]);
            }
            Form::Int16(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| i16::from_ne_bytes(values[at]).to_be_bytes());
            }
            Form::Int32(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| i32::from_ne_bytes(values[at]).to_be_bytes());
            }
            Form::Int64(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| i64::from_ne_bytes(values[at]).to_be_bytes());
            }
            Form::Int64As32(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| {
                    (i64::from_ne_bytes(values[at]) as i32).to_be_bytes()
                });
            }
            Form::Int64As16(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| {
                    (i64::from_ne_bytes(values[at]) as i16).to_be_bytes()
                });
            }
            Form::Date(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| {
                    i32::from_ne_bytes(values[at]).wrapping_sub(EPOCH_DAYS).to_be_bytes()
                });
            }
            Form::Timestamp(values) => {
                let values = &values[from..];
                scatter(block, places, valid, |at| {
                    i64::from_ne_bytes(values[at]).wrapping_sub(EPOCH_MICROS).to_be_bytes()
                });
            }
            Form::Bytes { offsets, bytes, head, .. } => {
                put_bytes(block, places, valid, (&offsets[from..], bytes, head));
            }
            Form::General(_, _, written) => written.put(block, places),
        }
    }
}

impl<'a> Form<'a> {
    /// The form of a common pair of types.
    fn new(column: &'a Column, kind: &Type, target: &ParameterType) -> Option<Self> {
        let Shape::Scalar(wanted) = &target.shape else { return None };
        Some(match (kind, wanted) {
            (Type::Bool, Kind::Bool) => Self::Bool(Vec::new()),
            (Type::Int16, Kind::Int2) => Self::Int16(fixed(column)?),
            (Type::Int32, Kind::Int4) | (Type::Float32, Kind::Float4) => {
                Self::Int32(fixed(column)?)
            }
            (Type::Int64, Kind::Int8)
            | (Type::Float64, Kind::Float8)
            | (Type::Time, Kind::Time) => Self::Int64(fixed(column)?),
            (Type::Int64, Kind::Int4) => Self::Int64As32(fixed(column)?),
            (Type::Int64, Kind::Int2) => Self::Int64As16(fixed(column)?),
            (Type::Uuid, Kind::Uuid) => Self::Uuid(fixed(column)?),
            (Type::Date, Kind::Date) => Self::Date(fixed(column)?),
            (Type::Timestamp { utc: false }, Kind::Timestamp)
            | (Type::Timestamp { utc: true }, Kind::Timestamptz) => Self::Timestamp(fixed(column)?),
            (Type::Text, Kind::Text | Kind::Json) | (Type::Json, Kind::Json) => {
                Self::bytes(column, b"", true)?
            }
            // The format's version.
            (Type::Text | Type::Json, Kind::Jsonb) => Self::bytes(column, &[1], true)?,
            (Type::Bytes, Kind::Bytea) => Self::bytes(column, b"", false)?,
            _ => return None,
        })
    }

    fn bytes(column: &'a Column, head: &'static [u8], is_text: bool) -> Option<Self> {
        let (offsets, bytes) = column.variable_bytes()?;
        Some(Self::Bytes { offsets, bytes, head, is_text })
    }
}

fn fixed<const N: usize>(column: &Column) -> Option<&[[u8; N]]> {
    let (values, rest) = column.fixed_bytes()?.as_chunks();
    (rest.is_empty() && values.len() == column.len()).then_some(values)
}

#[inline]
fn is_valid(valid: &[u8], at: usize) -> bool {
    valid.is_empty() || valid[at] != 0
}

/// The first value, among those that are not NULL, that is out of range.
fn fits<const N: usize>(
    values: &[[u8; N]],
    valid: &[u8],
    is_out: impl Fn([u8; N]) -> bool,
    message: impl Fn([u8; N]) -> String,
) -> Result<(), Unfit> {
    // Without a way out of the loop it looks at several values at once.
    if !values.iter().fold(false, |any, value| any | is_out(*value)) {
        return Ok(());
    }
    let mut unfit = (0..values.len()).filter(|at| is_out(values[*at]) && is_valid(valid, *at));
    unfit.next().map_or(Ok(()), |at| Err((at, message(values[at]))))
}

/// Adds the lengths of the values, and of `head` before each, to `places`.
fn lengths(
    offsets: &[i64],
    valid: &[u8],
    head: usize,
    places: &mut [usize],
) -> Result<usize, Unfit> {
    let len = |at: usize| (offsets[at + 1] - offsets[at]) as usize + head;
    let rows = places.len();
    if (offsets[rows] - offsets[0]) as usize + head > LONGEST {
        let mut long = (0..rows).filter(|at| len(*at) > LONGEST && is_valid(valid, *at));
        if let Some(at) = long.next() {
            return Err((at, "it is longer than PostgreSQL's 1 GiB".to_owned()));
        }
    }
    let lengths =
        offsets.iter().zip(&offsets[1..]).map(|(start, end)| (end - start) as usize + head);
    if valid.is_empty() {
        for (place, len) in places.iter_mut().zip(lengths) {
            *place += len;
        }
    } else {
        for ((place, len), valid) in places.iter_mut().zip(lengths).zip(valid) {
            *place += len * usize::from(*valid);
        }
    }
    Ok(rows)
}

/// Text in PostgreSQL cannot hold NUL: one look at all of it, and a second one only to say where.
fn no_nul(offsets: &[i64], bytes: &[u8], valid: &[u8]) -> Result<(), Unfit> {
    let range = |from: usize, to: usize| offsets[from] as usize..offsets[to] as usize;
    if memchr::memchr(0, &bytes[range(0, offsets.len() - 1)]).is_none() {
        return Ok(());
    }
    for at in (0..offsets.len() - 1).filter(|at| is_valid(valid, *at)) {
        if let Some(byte) = memchr::memchr(0, &bytes[range(at, at + 1)]) {
            return Err((at, crate::bind::holds_nul(byte)));
        }
    }
    Ok(())
}

/// Puts cells of one width in their places. On its own, that each loop has the registers it wants.
#[inline(never)]
fn scatter<const N: usize>(
    block: &mut [u8],
    places: &mut [usize],
    valid: &[u8],
    cell: impl Fn(usize) -> [u8; N],
) {
    for (at, place) in places.iter_mut().enumerate() {
        if !is_valid(valid, at) {
            null(block, place);
            continue;
        }
        let space = &mut block[*place..*place + 4 + N];
        space[..4].copy_from_slice(&(N as i32).to_be_bytes());
        space[4..].copy_from_slice(&cell(at));
        *place += 4 + N;
    }
}

/// Puts cells of any length in their places: `head` and a value each.
#[inline(never)]
fn put_bytes(
    block: &mut [u8],
    places: &mut [usize],
    valid: &[u8],
    (offsets, bytes, head): (&[i64], &[u8], &[u8]),
) {
    for (at, place) in places.iter_mut().enumerate() {
        if !is_valid(valid, at) {
            null(block, place);
            continue;
        }
        let value = &bytes[offsets[at] as usize..offsets[at + 1] as usize];
        let len = head.len() + value.len();
        let (space, rest) = block[*place..*place + 4 + len].split_at_mut(4);
        space.copy_from_slice(&(len as i32).to_be_bytes());
        if !head.is_empty() {
            rest[..head.len()].copy_from_slice(head);
        }
        copy(&mut rest[head.len()..], value);
        *place += 4 + len;
    }
}

#[inline]
fn null(block: &mut [u8], place: &mut usize) {
    block[*place..*place + 4].copy_from_slice(&(-1_i32).to_be_bytes());
    *place += 4;
}

/// Copies bytes of one length, up to 32 of them without a call: as two halves that may overlap.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        16..=32 => halves::<16>(to, from),
        8..16 => halves::<8>(to, from),
        4..8 => halves::<4>(to, from),
        _ => to.copy_from_slice(from),
    }
}

#[inline]
fn halves<const N: usize>(to: &mut [u8], from: &[u8]) {
    debug_assert_eq!(to.len(), from.len());
    if let (Some(head), Some(tail)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        if let Some(space) = to.first_chunk_mut() {
            *space = *head;
        }
        if let Some(space) = to.last_chunk_mut() {
            *space = *tail;
        }
    }
}
