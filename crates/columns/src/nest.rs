use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, LargeListArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;

use crate::{Batch, Column, ColumnError, Field, Schema, Type, Value};

/// How many rows belong to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// A list of them, in their order; an empty one where there are none.
    Many,
    /// The first, or NULL.
    One,
}

/// What rows are brought together by: alike where a database holds the values equal, whatever their types are.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Whole(i128),
    /// Digits, the last of them no zero, and how many follow the point.
    Fraction(i128, usize),
    Text(&'a str),
    Bytes(&'a [u8]),
    Uuid([u8; 16]),
    /// Microseconds, and whether they are an instant's. A date is its midnight.
    Moment(i128, bool),
    /// Nanoseconds, of months of 30 days, as `PostgreSQL` compares intervals.
    Interval(i128),
    Other(String),
}

impl<'a> Key<'a> {
    fn of(value: &Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(value) => Self::Whole((*value).into()),
            Value::Int(value) => Self::Whole((*value).into()),
            Value::UInt(value) => Self::Whole((*value).into()),
            Value::Float(value) => Self::number(&value.to_string()),
            Value::Float32(value) => Self::number(&f64::from(*value).to_string()),
            Value::Decimal(value) => Self::number(&value.to_string()),
            Value::Text(value) => Self::Text(value),
            Value::Bytes(value) => Self::Bytes(value),
            Value::Uuid(value) => Self::Uuid(*value),
            Value::Date(days) => Self::Moment(i128::from(*days) * 86_400_000_000, false),
            Value::Timestamp { micros, utc } => Self::Moment((*micros).into(), *utc),
            Value::Interval { months, days, nanos } => {
                let days = i128::from(*months) * 30 + i128::from(*days);
                Self::Interval(days * 86_400_000_000_000 + i128::from(*nanos))
            }
            other => Self::Other(other.to_string()),
        })
    }

    /// A number as it is printed: digits, maybe with a point, or a word as `NaN`.
    fn number(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        match (format!("{whole}{fraction}").parse(), fraction.len()) {
            (Ok(digits), 0) => Self::Whole(digits),
            (Ok(digits), scale) => Self::Fraction(digits, scale),
            (Err(_), 0) => Self::Other(whole.to_owned()),
            (Err(_), _) => Self::Other(format!("{whole}.{fraction}")),
        }
    }
}

/// Rows of children, of one key each; the first has none.
type Groups = Vec<Vec<u32>>;

/// The rows of children by their keys, and which of those groups each row of a batch has.
fn grouped(
    of: &Batch,
    at: usize,
    children: &Batch,
    child_key: usize,
) -> Result<(Groups, Vec<usize>), ColumnError> {
    let rows = u32::try_from(children.rows())
        .map_err(|_| ColumnError::new("more than 2^32 rows cannot be brought under others"))?;
    let mut groups = vec![Vec::new()];
    let mut by_key: HashMap<Key<'_>, usize> = HashMap::new();
    for row in 0..rows {
        if let Some(key) = Key::of(&children.value(child_key, row as usize)) {
            let group = *by_key.entry(key).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(row);
        }
    }
    let mut found = vec![false; groups.len()];
    found[0] = true;
    let place = |row: usize| {
        let key = Key::of(&of.value(at, row))?;
        by_key.get(&key).copied()
    };
    let mut places: Vec<usize> = (0..of.rows()).map(|row| place(row).unwrap_or(0)).collect();
    for &place in &places {
        found[place] = true;
    }
    let lost: Vec<usize> = (0..groups.len()).filter(|&group| !found[group]).collect();
    if !lost.is_empty() {
        bring_alike(of, at, children, child_key, &lost, &mut groups, &mut places)?;
    }
    Ok((groups, places))
}

/// Brings those groups whose key no row has as it stands, though the database found them for one, under the
/// rows whose key is alike.
fn bring_alike(
    of: &Batch,
    at: usize,
    children: &Batch,
    child_key: usize,
    lost: &[usize],
    groups: &mut Groups,
    places: &mut [usize],
) -> Result<(), ColumnError> {
    let mut by_folded: HashMap<String, (Vec<usize>, bool)> = HashMap::new();
    for &group in lost {
        let value = children.value(child_key, groups[group][0] as usize);
        let folded = folded(&value).ok_or_else(|| strange(&value))?;
        by_folded.entry(folded).or_default().0.push(group);
    }
    for (row, place) in places.iter_mut().enumerate() {
        let Some(folded) = folded(&of.value(at, row)) else { continue };
        let Some((alike, found)) = by_folded.get_mut(&folded) else { continue };
        *found = true;
        let all = alike.iter().chain([&*place]).flat_map(|&group| groups[group].iter().copied());
        let mut all: Vec<u32> = all.collect();
        all.sort_unstable();
        *place = groups.len();
        groups.push(all);
    }
    match by_folded.values().find(|(_, found)| !found) {
        Some((alike, _)) => Err(strange(&children.value(child_key, groups[alike[0]][0] as usize))),
        None => Ok(()),
    }
}

/// Text as a column compares it that minds neither case (`citext`, `nocase`) nor the blanks at its end
/// (`char(n)`).
fn folded(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.trim_end_matches(' ').to_lowercase()),
        _ => None,
    }
}

/// The database found a row for a key that is another to Rowmill.
fn strange(value: &Value<'_>) -> ColumnError {
    ColumnError::new(format!(
        "the database holds the key {value} of a row equal to one that is read as another: give both columns one \
         type, or join the tables"
    ))
}

impl Batch {
    /// This batch with one column more, `name`: the rows of `children` whose `child_key` is this batch's `key`,
    /// as lists of structs or as structs. `shown` are the columns of `children` that they have.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::{Batch, Field, Nesting, Schema, Type, build::Fixed};
    /// let column = |values: &[i64]| {
    ///     let mut column = Fixed::new(0_i64);
    ///     values.iter().for_each(|value| column.push(*value));
    ///     column.finish(&Type::Int64)
    /// };
    /// let schema = |names: &[&str]| {
    ///     Arc::new(Schema::new(names.iter().map(|name| Field::new(*name, Type::Int64)).collect()))
    /// };
    /// let parents = Batch::new(schema(&["id"]), vec![column(&[1, 2])], 2);
    /// let children = Batch::new(schema(&["of", "x"]), vec![column(&[2, 2]), column(&[7, 8])], 2);
    /// let nested = parents.nest("children", 0, &children, 0, &[1], Nesting::Many)?;
    /// assert_eq!(nested.value(1, 0).to_string(), "[]");
    /// assert_eq!(nested.schema().fields[1].kind.to_string(), "list[struct[x: int64]]");
    /// # Ok::<(), rowmill_columns::ColumnError>(())
    /// ```
    ///
    /// # Errors
    /// Where there is a column `name`, a row among `children` that belongs to none of this, or more than 2^32
    /// rows.
    pub fn nest(
        &self,
        name: &str,
        at: usize,
        children: &Self,
        child_key: usize,
        shown: &[usize],
        nesting: Nesting,
    ) -> Result<Self, ColumnError> {
        if self.schema().position(name).is_some() {
            return Err(ColumnError::new(format!("there is a column {name:?} already")));
        }
        let (groups, places) = grouped(self, at, children, child_key)?;
        let kept = children.select(shown);
        let structure = Type::structure(&kept.schema().fields);
        let (column, kind) = match nesting {
            Nesting::Many => {
                let lengths = places.iter().map(|&place| groups[place].len());
                let offsets = OffsetBuffer::<i64>::from_lengths(lengths);
                let taken = places.iter().flat_map(|&place| groups[place].iter().copied());
                let taken: Vec<u32> = taken.collect();
                let values = structs(&kept, &taken.into(), None)?;
                let field = Arc::new(structure.item());
                let list = LargeListArray::try_new(field, offsets, values, None)?;
                (Arc::new(list) as ArrayRef, Type::List(Box::new(structure)))
            }
            Nesting::One => {
                let taken = places.iter().map(|&place| groups[place].first().copied());
                let taken: UInt32Array = taken.collect();
                let nulls = arrow_array::Array::nulls(&taken).cloned();
                (structs(&kept, &taken, nulls)?, structure)
            }
        };
        let mut fields = self.schema().fields.clone();
        fields.push(Field::new(name, kind));
        let mut columns = self.columns().to_vec();
        columns.push(Column::from_array(column));
        Ok(Self::new(Arc::new(Schema::new(fields)), columns, self.rows()))
    }
}

/// The rows of `taken` as structs.
fn structs(
    of: &Batch,
    taken: &UInt32Array,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ColumnError> {
    let DataType::Struct(fields) = Type::structure(&of.schema().fields).storage() else {
        return Err(ColumnError::new("a structure is stored as one"));
    };
    let columns = of.columns().iter().map(|column| Ok(column.take(taken)?.into_array()));
    let columns = columns.collect::<Result<Vec<_>, ColumnError>>()?;
    let rows = arrow_array::Array::len(taken);
    let array = if columns.is_empty() {
        StructArray::new_empty_fields(rows, nulls)
    } else {
        StructArray::try_new(fields, columns, nulls)?
    };
    Ok(Arc::new(array))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Nesting;
    use crate::testing::{fixed, text};
    use crate::{Batch, Column, Field, Schema, Type, Value};

    fn batch(columns: Vec<(&str, Type, Column)>, rows: usize) -> Batch {
        let fields =
            columns.iter().map(|(name, kind, _)| Field::new(*name, kind.clone())).collect();
        let columns = columns.into_iter().map(|(_, _, column)| column).collect();
        Batch::new(Arc::new(Schema::new(fields)), columns, rows)
    }

    fn parents() -> Batch {
        let ids = fixed(&Type::Int64, 0, &[Some(2_i64), None, Some(1), Some(2)]);
        batch(vec![("id", Type::Int64, ids)], 4)
    }

    fn shown(of: &Batch) -> Vec<String> {
        (0..of.rows()).map(|row| of.value(1, row).to_string()).collect()
    }

    #[test]
    fn rows_come_under_each_that_has_their_key_whatever_the_width_of_it() {
        let of = fixed(&Type::Int32, 0, &[Some(2_i32), Some(1), None, Some(2), Some(1)]);
        let names = text(&[Some("a"), Some("b"), Some("c"), None, Some("e")]);
        let children = batch(vec![("of", Type::Int32, of), ("name", Type::Text, names)], 5);
        let many = parents().nest("all", 0, &children, 0, &[1], Nesting::Many).unwrap();
        assert_eq!(many.schema().fields[1].kind.to_string(), "list[struct[name: text]]");
        let found = shown(&many);
        assert_eq!(found[0], found[3]);
        assert_eq!(found[1], "[]");
        assert!(found[0].contains('a') && !found[0].contains('b'), "{found:?}");
        assert!(found[2].contains('b'), "{found:?}");
        let one = parents().nest("one", 0, &children, 0, &[1, 0], Nesting::One).unwrap();
        assert!(one.value(1, 1).is_null());
        assert!(!one.value(1, 0).is_null());
        assert_eq!(one.schema().fields[1].kind.to_string(), "struct[name: text, of: int32]");
    }

    /// How many children each of these has.
    fn met(parents: (Type, Column), children: (Type, Column)) -> Result<Vec<usize>, String> {
        let rows = |column: &Column| arrow_array::Array::len(column.array());
        let (own, other) = (rows(&parents.1), rows(&children.1));
        let parents = batch(vec![("id", parents.0, parents.1)], own);
        let children = batch(vec![("of", children.0, children.1)], other);
        let nested = parents.nest("all", 0, &children, 0, &[0], Nesting::Many);
        let nested = nested.map_err(|error| error.to_string())?;
        let length = |row| match nested.value(1, row) {
            Value::List(list) => list.len(),
            other => panic!("no list: {other}"),
        };
        Ok((0..own).map(length).collect())
    }

    fn decimals(scale: i8, values: &[Option<i128>]) -> (Type, Column) {
        let values = arrow_array::Decimal128Array::from(values.to_vec());
        let array = Arc::new(values.with_precision_and_scale(38, scale).unwrap());
        (Type::Decimal { precision: 38, scale }, Column::from_array(array))
    }

    fn texts(values: &[Option<&str>]) -> (Type, Column) {
        (Type::Text, text(values))
    }

    #[test]
    fn what_a_database_holds_equal_is_one_key() {
        let ints = || (Type::Int32, fixed(&Type::Int32, 0, &[Some(10_i32), Some(-3), None]));
        let floats = |values: &[Option<f64>]| (Type::Float64, fixed(&Type::Float64, 0.0, values));
        let tens = decimals(2, &[Some(1_000), Some(-300), Some(-300)]);
        assert_eq!(met(ints(), tens).unwrap(), [1, 2, 0]);
        assert_eq!(met(decimals(0, &[Some(10), Some(-3)]), ints()).unwrap(), [1, 1]);
        let scales = met(decimals(2, &[Some(150), Some(5)]), decimals(3, &[Some(1_500), Some(50)]));
        assert_eq!(scales.unwrap(), [1, 1]);
        let halves = met(floats(&[Some(1.5), Some(-0.0)]), decimals(1, &[Some(15), Some(0)]));
        assert_eq!(halves.unwrap(), [1, 1]);
        let zeros = met(floats(&[Some(-0.0), Some(f64::NAN)]), floats(&[Some(0.0), Some(-0.0)]));
        assert_eq!(zeros.unwrap(), [2, 0]);
        assert_eq!(met(ints(), floats(&[Some(10.0), Some(-3.0)])).unwrap(), [1, 1, 0]);
    }

    #[test]
    fn text_that_a_database_found_for_another_comes_under_it() {
        let padded = met(texts(&[Some("a    "), Some("b    ")]), texts(&[Some("a"), Some("a")]));
        assert_eq!(padded.unwrap(), [2, 0]);
        // Where both are asked for, each has its own.
        let both = met(texts(&[Some("A"), Some("a")]), texts(&[Some("a"), Some("A"), Some("a")]));
        assert_eq!(both.unwrap(), [1, 2]);
        let cases = met(texts(&[Some("A"), Some("b")]), texts(&[Some("a"), Some("A"), Some("B")]));
        assert_eq!(cases.unwrap(), [2, 1]);
    }

    #[test]
    fn a_row_that_was_found_is_never_left_out() {
        let error = met(texts(&[Some("1"), None]), texts(&[Some("one")])).unwrap_err();
        assert!(error.contains("the key one of a row"), "{error}");
        let ints = (Type::Int64, fixed(&Type::Int64, 0, &[Some(1_i64)]));
        assert!(met(texts(&[Some("1")]), ints).unwrap_err().contains("one type"));
    }

    #[test]
    fn there_may_be_no_rows_and_no_columns_to_show() {
        let none = batch(vec![("of", Type::Int64, fixed::<i64>(&Type::Int64, 0, &[]))], 0);
        for nesting in [Nesting::Many, Nesting::One] {
            let found = parents().nest("x", 0, &none, 0, &[0], nesting).unwrap();
            assert_eq!((found.rows(), found.columns().len()), (4, 2));
            let bare = parents().nest("x", 0, &parents(), 0, &[], nesting).unwrap();
            assert_eq!(bare.rows(), 4);
            let empty = none.nest("x", 0, &none, 0, &[0], nesting).unwrap();
            assert_eq!(empty.rows(), 0);
        }
    }

    #[test]
    fn a_name_that_is_there_is_refused() {
        let error = parents().nest("id", 0, &parents(), 0, &[0], Nesting::Many).unwrap_err();
        assert_eq!(error.to_string(), "there is a column \"id\" already");
    }
}
