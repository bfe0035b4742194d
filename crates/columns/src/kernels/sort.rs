use std::cmp::Ordering;

use super::selection::Kept;
use super::view::{Strings, Values, View, typed};
use super::{Held, compare_floats};
use crate::{Batch, Column, ColumnError, Type, Value};

/// A key by which rows are put in order.
#[derive(Clone, Copy, Debug)]
pub struct SortKey<'a> {
    /// The values' type.
    pub kind: &'a Type,
    /// The values.
    pub column: &'a Column,
    /// From the greatest on.
    pub descending: bool,
    /// NULLs before all values, whichever way these go.
    pub nulls_first: bool,
}

/// The numbers of the rows in the order of the first key, where that is equal in the order of the
/// second, and so on; rows that are equal in all keys stay as they are. NaN is greater than all
/// numbers.
///
/// ```
/// use rowmill_columns::kernels::{SortKey, order};
/// use rowmill_columns::{Type, build::Fixed};
/// let mut ages = Fixed::new(0_i64);
/// ages.push(30);
/// ages.push_null();
/// ages.push(20);
/// let (kind, column) = (&Type::Int64, &ages.finish(&Type::Int64));
/// let key = SortKey { kind, column, descending: false, nulls_first: false };
/// assert_eq!(order(3, &[key]).unwrap(), [2, 0, 1]);
/// ```
///
/// # Errors
/// If there are more rows than 32 bits count, or values of a key have no order.
pub fn order(rows: usize, keys: &[SortKey<'_>]) -> Result<Vec<u32>, ColumnError> {
    let rows = u32::try_from(rows).map_err(|_| ColumnError::too_many_rows())?;
    let ranks = keys.iter().map(Ranks::new).collect::<Result<Vec<_>, _>>()?;
    let Some((first, rest)) = ranks.split_first() else { return Ok((0..rows).collect()) };
    let by = |ranks: &[Ranks<'_>], a: u32, b: u32| {
        let orders = ranks.iter().map(|ranks| ranks.compare(a as usize, b as usize));
        orders.fold(Ordering::Equal, Ordering::then)
    };
    let (mut nulls, mut values) = (Vec::new(), Vec::with_capacity(rows as usize));
    for row in 0..rows {
        if first.is_null(row as usize) {
            nulls.push(row);
        } else {
            values.push((first.prefixes[row as usize], row));
        }
    }
    // Beside each row stands what decides nearly always, so that memory is read in order; the row's
    // number decides last, which makes an unstable sort stable.
    if first.exact && rest.is_empty() {
        values.sort_unstable();
    } else {
        values.sort_unstable_by(|&(a, x), &(b, y)| {
            a.cmp(&b).then_with(|| by(&ranks, x, y)).then(x.cmp(&y))
        });
    }
    if !rest.is_empty() {
        nulls.sort_unstable_by(|&x, &y| by(rest, x, y).then(x.cmp(&y)));
    }
    let values = values.into_iter().map(|(_, row)| row);
    Ok(if first.nulls_first {
        nulls.into_iter().chain(values).collect()
    } else {
        values.chain(nulls).collect()
    })
}

/// A key's values as numbers of the same order, as far as 64 bits go.
pub(super) struct Ranks<'a> {
    view: View<'a>,
    prefixes: Vec<u64>,
    /// Whether values of equal prefixes are equal.
    exact: bool,
    whole: Whole<'a>,
    descending: bool,
    nulls_first: bool,
    /// Nulls that the bitmap does not tell of.
    others: Vec<bool>,
}

/// What decides between values of one prefix.
enum Whole<'a> {
    None,
    Bytes(Strings<'a>),
    Wide(Vec<i128>),
    Uuid(&'a [[u8; 16]]),
}

impl<'a> Ranks<'a> {
    pub(super) fn new(key: &SortKey<'a>) -> Result<Self, ColumnError> {
        let view = View::new(key.column);
        let mut whole = Whole::None;
        let mut others = Vec::new();
        macro_rules! signed {
            ($cells:expr) => {
                $cells.iter().map(|&cell| i64::from(cell) as u64 ^ SIGN).collect()
            };
        }
        let mut prefixes: Vec<u64> = match (&view.values, key.kind) {
            (Values::I8(cells), _) => signed!(cells),
            (Values::I16(cells), _) => signed!(cells),
            (Values::I32(cells), _) => signed!(cells),
            (Values::I64(cells), _) => signed!(cells),
            (Values::U8(cells), _) => cells.iter().map(|&cell| cell.into()).collect(),
            (Values::U16(cells), _) => cells.iter().map(|&cell| cell.into()).collect(),
            (Values::U32(cells), _) => cells.iter().map(|&cell| cell.into()).collect(),
            (Values::U64(cells), _) => cells.to_vec(),
            (Values::F32(cells), _) => cells.iter().map(|&cell| float(cell.into())).collect(),
            (Values::F64(cells), _) => cells.iter().map(|&cell| float(cell)).collect(),
            (Values::Bool(array), _) => {
                (0..view.len).map(|row| u64::from(array.value(row))).collect()
            }
            (Values::I128(cells), _) => {
                whole = Whole::Wide(cells.to_vec());
                cells.iter().map(|&cell| wide(cell)).collect()
            }
            (Values::Uuid(cells), Type::Uuid) => {
                whole = Whole::Uuid(cells);
                cells.iter().map(|cell| prefix(cell)).collect()
            }
            (Values::Bytes(strings), Type::Text | Type::Bytes) => {
                whole = Whole::Bytes(*strings);
                (0..view.len).map(|row| prefix(strings.get(row))).collect()
            }
            (Values::Codes(codes, labels), _) => {
                let labels = ranked(labels)?;
                let rank = |row| labels.get(codes.get(row)).copied().unwrap_or_default();
                (0..view.len).map(rank).collect()
            }
            _ => {
                let (found, wide) = by_value(key, view.len)?;
                others = found;
                let prefixes = wide.iter().map(|&value| self::wide(value)).collect();
                whole = Whole::Wide(wide);
                prefixes
            }
        };
        if key.descending {
            for prefix in &mut prefixes {
                *prefix = !*prefix;
            }
        }
        let exact = matches!(whole, Whole::None);
        let (descending, nulls_first) = (key.descending, key.nulls_first);
        Ok(Self { view, prefixes, exact, whole, descending, nulls_first, others })
    }

    fn is_null(&self, row: usize) -> bool {
        self.view.nulls.is_some_and(|nulls| nulls.is_null(row))
            || self.others.get(row).is_some_and(|&null| null)
    }

    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        match (self.is_null(a), self.is_null(b)) {
            (true, true) => return Ordering::Equal,
            (true, false) if self.nulls_first => return Ordering::Less,
            (true, false) => return Ordering::Greater,
            (false, true) if self.nulls_first => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        let prefixes = self.prefixes[a].cmp(&self.prefixes[b]);
        if prefixes.is_ne() || self.exact {
            return prefixes;
        }
        let whole = match &self.whole {
            Whole::None => Ordering::Equal,
            Whole::Bytes(strings) => strings.get(a).cmp(strings.get(b)),
            Whole::Wide(cells) => cells[a].cmp(&cells[b]),
            Whole::Uuid(cells) => cells[a].cmp(&cells[b]),
        };
        if self.descending { whole.reverse() } else { whole }
    }
}

const SIGN: u64 = 1 << 63;

fn float(value: f64) -> u64 {
    let bits = super::set::float_bits(value);
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The number where 64 bits hold it, else the nearest that they do.
fn wide(value: i128) -> u64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64 as u64 ^ SIGN
}

fn prefix(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let len = bytes.len().min(8);
    eight[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(eight)
}

/// The place of each of a dictionary's values in their order; equal values have one.
fn ranked(labels: &arrow_array::ArrayRef) -> Result<Vec<u64>, ColumnError> {
    let (kind, labels) = typed(labels);
    let key = SortKey { kind: &kind, column: &labels, descending: false, nulls_first: false };
    let ranks = Ranks::new(&key)?;
    let order = order(labels.len(), &[key])?;
    let mut places = vec![0; labels.len()];
    let mut place = 0;
    for (at, &row) in order.iter().enumerate() {
        if at > 0 && ranks.compare(order[at - 1] as usize, row as usize).is_ne() {
            place += 1;
        }
        places[row as usize] = place;
    }
    Ok(places)
}

/// Values of the rarer kinds, read one by one.
fn by_value(key: &SortKey<'_>, rows: usize) -> Result<(Vec<bool>, Vec<i128>), ColumnError> {
    const DAY: i128 = 86_400_000_000_000;
    let (mut nulls, mut numbers) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    // Texts, floats and wide decimals in such layouts become their places among all of them.
    let mut texts: Vec<(Value<'_>, usize)> = Vec::new();
    for row in 0..rows {
        let value = key.column.value(key.kind, row);
        nulls.push(value.is_null());
        numbers.push(match value {
            Value::Null => 0,
            Value::Bool(value) => value.into(),
            Value::Int(value) | Value::Time(value) => value.into(),
            Value::Timestamp { micros, .. } => micros.into(),
            Value::UInt(value) => value.into(),
            Value::Date(days) => days.into(),
            // As PostgreSQL: a month is thirty days.
            Value::Interval { months, days, nanos } => {
                (i128::from(months) * 30 + i128::from(days)) * DAY + i128::from(nanos)
            }
            value @ (Value::Text(_) | Value::Bytes(_) | Value::Float(_) | Value::Float32(_)) => {
                texts.push((value, row));
                0
            }
            _ => {
                let kind = key.kind;
                return Err(ColumnError::new(format!("values of type {kind} have no order")));
            }
        });
    }
    texts.sort_by(|(a, _), (b, _)| compare_values(a, b));
    let mut place = 0;
    for at in 0..texts.len() {
        if at > 0 && compare_values(&texts[at - 1].0, &texts[at].0).is_ne() {
            place += 1;
        }
        numbers[texts[at].1] = place;
    }
    Ok((nulls, numbers))
}

fn compare_values(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => compare_floats(*a, *b),
        (Value::Float32(a), Value::Float32(b)) => compare_floats((*a).into(), (*b).into()),
        _ => Ordering::Equal,
    }
}

impl Batch {
    /// The rows in another order, of numbers that [`order`] gave, copied.
    ///
    /// # Errors
    /// If there is no such row, or the values become too large for their column's offsets.
    pub fn reorder(&self, rows: &[u32]) -> Result<Self, ColumnError> {
        if let Some(row) = rows.iter().find(|&&row| row as usize >= self.rows()) {
            return Err(ColumnError::new(format!("there is no row {row} among {}", self.rows())));
        }
        // Kept rows that are not copied yet are copied in their new order.
        let numbers;
        let (columns, rows) = match self.source() {
            None => (Held::all(self.shared()), rows),
            Some((columns, kept)) => {
                let kept = kept.indices();
                numbers = rows.iter().map(|&row| kept[row as usize]).collect::<Vec<_>>();
                (columns, &*numbers)
            }
        };
        let kept = Kept::of(rows);
        let columns = columns.iter().map(|column| column.gather(&kept));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Self::new(self.schema().clone(), columns, rows.len()))
    }
}
