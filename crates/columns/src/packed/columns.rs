use super::cell::Elements;
use super::layout::{Held, Layout};
use super::read::{Packed, bool_of, decimal, span};
use crate::build::{
    Bits, Bytes, Fixed, IntervalMonthDayNano, ListOffsets, Native, Structure, TextError,
};
use crate::kernels::decimals;
use crate::{Batch, Column, ColumnError, DecimalValue, Field, Schema, Type};

/// Records that are looked at field by field before the next come: they stay in the first-level cache.
const TOGETHER: usize = 64;

/// Where among those that were pushed together an error is, and what it is.
type Pushed = Result<(), (usize, ColumnError)>;

impl Layout {
    /// The columns of many records: of each of the `wanted` fields one. NULL is what is `None`, and what a record was
    /// written without is the field's default. A record in a record is a struct.
    ///
    /// # Errors
    /// Where a record is none of this layout, or broken, by its number.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn columns<'a>(
        &'a self,
        records: impl IntoIterator<Item = Option<&'a [u8]>>,
        wanted: &[usize],
    ) -> Result<Batch, ColumnError> {
        let mut gathering = Gathering::new(self, wanted.iter().copied());
        let mut records = records.into_iter();
        gathering.reserve(records.size_hint().0);
        let mut rows = 0;
        let mut open = Vec::with_capacity(TOGETHER);
        loop {
            open.clear();
            for record in records.by_ref().take(TOGETHER) {
                let packed = record.map(|bytes| Packed::open(self, bytes)).transpose();
                let at = rows + open.len();
                open.push(packed.map_err(|error| of_row(at, &error))?);
            }
            if open.is_empty() {
                break;
            }
            gathering.push(&open).map_err(|(at, error)| of_row(rows + at, &error))?;
            rows += open.len();
        }
        let (fields, columns) = gathering.finish()?;
        Ok(Batch::new(Schema::new(fields).into(), columns, rows))
    }
}

fn of_row(row: usize, error: &ColumnError) -> ColumnError {
    ColumnError::new(format!("record {row}: {error}"))
}

/// Columns in the making, each with the number of its field.
struct Gathering<'l> {
    layout: &'l Layout,
    columns: Vec<(usize, Making<'l>)>,
}

impl<'l> Gathering<'l> {
    fn new(layout: &'l Layout, wanted: impl Iterator<Item = usize>) -> Self {
        let columns = wanted.map(|field| (field, Making::of(&layout.fields()[field].held)));
        Self { layout, columns: columns.collect() }
    }

    /// Of a record in a record: what was not given up.
    fn all(layout: &'l Layout) -> Self {
        let fields = layout.fields().iter().enumerate();
        Self::new(layout, fields.filter(|(_, field)| !field.is_removed).map(|(at, _)| at))
    }

    /// Makes room for so many records, in columns of one width.
    fn reserve(&mut self, rows: usize) {
        for (_, making) in &mut self.columns {
            match making {
                Making::Days(out) => out.reserve(rows),
                Making::Ints(out) => out.reserve(rows),
                Making::Floats(out) => out.reserve(rows),
                _ => {}
            }
        }
    }

    fn push(&mut self, records: &[Option<Packed<'_>>]) -> Pushed {
        self.columns.iter_mut().try_for_each(|(field, making)| making.push(*field, records))
    }

    fn finish(self) -> Result<(Vec<Field>, Vec<Column>), ColumnError> {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (at, making) in self.columns {
            let field = &self.layout.fields()[at];
            let (kind, column) =
                making.finish(&field.held).map_err(|error| error.in_column(&field.name))?;
            fields.push(Field::new(field.name.clone(), kind));
            columns.push(column);
        }
        Ok((fields, columns))
    }
}

/// A column in the making.
enum Making<'l> {
    Bools(Bits),
    Days(Fixed<i32>),
    Ints(Fixed<i64>),
    Floats(Fixed<f64>),
    Uuids(Fixed<i128>),
    Intervals(Fixed<IntervalMonthDayNano>),
    Decimals(Vec<Option<DecimalValue>>),
    Bytes(Bytes),
    List { kind: &'l Type, offsets: ListOffsets, len: usize, elements: Box<Making<'l>> },
    Record(Structure, Gathering<'l>),
    Records { offsets: ListOffsets, rows: Structure, gathering: Gathering<'l> },
}

impl<'l> Making<'l> {
    fn of(held: &'l Held) -> Self {
        match held {
            Held::One(kind) => Self::one(kind),
            Held::List(kind) => {
                let elements = Box::new(Self::one(kind));
                Self::List { kind, offsets: ListOffsets::default(), len: 0, elements }
            }
            Held::Record(layout) => Self::Record(Structure::default(), Gathering::all(layout)),
            Held::Records(layout) => Self::Records {
                offsets: ListOffsets::default(),
                rows: Structure::default(),
                gathering: Gathering::all(layout),
            },
        }
    }

    fn one(kind: &Type) -> Self {
        match kind {
            Type::Bool => Self::Bools(Bits::default()),
            Type::Date => Self::Days(Fixed::new(0)),
            Type::Float64 => Self::Floats(Fixed::new(f64::NAN)),
            // NaT, which NumPy reads without a bitmap.
            Type::Timestamp { .. } => Self::Ints(Fixed::new(i64::MIN)),
            Type::Uuid => Self::Uuids(Fixed::new(0)),
            Type::Interval => Self::Intervals(Fixed::new(interval([0; 16]))),
            Type::Decimal { .. } => Self::Decimals(Vec::new()),
            Type::Text => Self::Bytes(Bytes::text()),
            Type::Bytes => Self::Bytes(Bytes::binary()),
            // Integers and times.
            _ => Self::Ints(Fixed::new(0)),
        }
    }

    /// The field of all these records.
    fn push(&mut self, field: usize, records: &[Option<Packed<'_>>]) -> Pushed {
        match self {
            Self::Days(out) => numbers(out, field, records, i32::from_le_bytes),
            Self::Ints(out) => numbers(out, field, records, i64::from_le_bytes),
            Self::Floats(out) => numbers(out, field, records, f64::from_le_bytes),
            Self::Uuids(out) => numbers(out, field, records, i128::from_ne_bytes),
            Self::Intervals(out) => numbers(out, field, records, interval),
            Self::Bytes(out) => Packed::each(field, records, |known| {
                match known {
                    // Whether it is UTF-8 is looked at for many at once.
                    Some((record, slot)) => out.push(record.piece(field, slot, 1)?.0),
                    None => out.push_null(),
                }
                Ok(())
            }),
            Self::Bools(out) => Packed::each(field, records, |known| {
                match known {
                    Some((record, slot)) => {
                        let flag = bool_of(slot[0]);
                        out.push(flag.ok_or_else(|| record.wrong(field, "is no bool"))?);
                    }
                    None => out.push_null(),
                }
                Ok(())
            }),
            Self::Decimals(out) => Packed::each(field, records, |known| {
                out.push(known.and_then(|(_, slot)| decimal(slot)));
                Ok(())
            }),
            Self::List { kind, offsets, len, elements } => Packed::each(field, records, |known| {
                let Some((record, slot)) = known else {
                    offsets.push_null();
                    return Ok(());
                };
                let found = record.list(field, kind, slot)?;
                *len += found.len();
                offsets.push(*len);
                elements
                    .push_elements(&found)
                    .ok_or_else(|| record.wrong(field, "has a broken element"))
            }),
            Self::Record(rows, gathering) => {
                let mut inner = Vec::with_capacity(records.len());
                Packed::each(field, records, |known| {
                    let Some((record, slot)) = known else {
                        rows.push_null();
                        inner.push(None);
                        return Ok(());
                    };
                    let bytes = record.piece(field, slot, 1)?.0;
                    rows.push();
                    inner.push(Some(Packed::open(gathering.layout, bytes)?));
                    Ok(())
                })?;
                gathering.push(&inner)
            }
            Self::Records { offsets, rows, gathering } => Packed::each(field, records, |known| {
                let Some((record, slot)) = known else {
                    offsets.push_null();
                    return Ok(());
                };
                let mut inner = Vec::new();
                for bytes in record.texts(field, &Type::Bytes, slot)?.pieces() {
                    rows.push();
                    inner.push(Some(Packed::open(gathering.layout, bytes)?));
                }
                offsets.push(rows.len());
                gathering.push(&inner).map_err(|(_, error)| error)
            }),
        }
    }

    /// Elements of a list; `None` where one is no value.
    fn push_elements(&mut self, found: &Elements<'_>) -> Option<()> {
        let bytes = match found {
            Elements::Fixed { bytes, .. } => *bytes,
            Elements::Texts { .. } => &[],
        };
        match self {
            Self::Days(out) => extend(out, bytes, i32::from_le_bytes),
            Self::Ints(out) => extend(out, bytes, i64::from_le_bytes),
            Self::Floats(out) => extend(out, bytes, f64::from_le_bytes),
            Self::Uuids(out) => extend(out, bytes, i128::from_ne_bytes),
            Self::Intervals(out) => extend(out, bytes, interval),
            Self::Bytes(out) => found.pieces().for_each(|piece| out.push(piece)),
            Self::Bools(out) => {
                for byte in bytes {
                    out.push(bool_of(*byte)?);
                }
            }
            Self::Decimals(out) => {
                out.extend(bytes.chunks_exact(17).map(decimal));
            }
            // Lists have no lists and no records in them.
            Self::List { .. } | Self::Record(..) | Self::Records { .. } => return None,
        }
        Some(())
    }

    fn finish(self, held: &Held) -> Result<(Type, Column), ColumnError> {
        let list = |offsets: ListOffsets, kind: Type, elements| {
            let column = offsets.finish(&kind, elements);
            (Type::List(Box::new(kind)), column)
        };
        let kind = match held {
            Held::One(kind) | Held::List(kind) => kind,
            Held::Record(_) | Held::Records(_) => &Type::Null,
        };
        let column = match self {
            Self::Days(out) => out.finish(kind),
            Self::Ints(out) => out.finish(kind),
            Self::Floats(out) => out.finish(kind),
            Self::Uuids(out) => out.finish(kind),
            Self::Intervals(out) => out.finish(kind),
            Self::Bools(out) => out.finish(),
            Self::Decimals(cells) => {
                let found = decimals(&cells);
                return found.ok_or_else(|| ColumnError::new("38 digits do not hold all decimals"));
            }
            Self::Bytes(out) => out.finish().map_err(|TextError { row }| match held {
                Held::List(_) => ColumnError::new("a list of the field holds what is no UTF-8"),
                _ => ColumnError::new(format!("record {row}: the field is no UTF-8")),
            })?,
            Self::List { offsets, elements, .. } => {
                let (kind, elements) = elements.finish(held)?;
                return Ok(list(offsets, kind, elements));
            }
            Self::Record(rows, gathering) => {
                let (fields, columns) = gathering.finish()?;
                return Ok(rows.finish(&fields, columns));
            }
            Self::Records { offsets, rows, gathering } => {
                let (fields, columns) = gathering.finish()?;
                let (kind, elements) = rows.finish(&fields, columns);
                return Ok(list(offsets, kind, elements));
            }
        };
        Ok((kind.clone(), column))
    }
}

/// Values of one width, which is that of their slots.
fn numbers<const N: usize, T: Native>(
    out: &mut Fixed<T>,
    field: usize,
    records: &[Option<Packed<'_>>],
    number: impl Fn([u8; N]) -> T,
) -> Pushed {
    if let Some(slots) = Packed::slots(field, records) {
        if out.extend(slots.map(|slot| slot.map(|slot| number(*slot)))) {
            // NULL, which is an error where it may not be.
            return Packed::each(field, records, |_| Ok(()));
        }
        return Ok(());
    }
    Packed::each(field, records, |known| {
        match known.and_then(|(_, slot)| slot.first_chunk()) {
            Some(bytes) => out.push(number(*bytes)),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn extend<const N: usize, T: Native>(
    out: &mut Fixed<T>,
    bytes: &[u8],
    number: impl Fn([u8; N]) -> T,
) {
    out.extend(bytes.as_chunks().0.iter().map(|cell| Some(number(*cell))));
}

fn interval(bytes: [u8; 16]) -> IntervalMonthDayNano {
    let (months, days, nanos) = span(bytes);
    IntervalMonthDayNano::new(months, days, nanos)
}
