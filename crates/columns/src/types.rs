use std::collections::{BTreeMap, HashMap};
use std::fmt;

use arrow_schema::{DataType, Field as ArrowField, IntervalUnit, TimeUnit};

use crate::Field;

/// What a column's values are, and so how they are stored.
///
/// Text is stored with 64-bit offsets, timestamps in microseconds since 1970, dates in days since
/// 1970, uuids as sixteen bytes. Structs, maps, lists of one length, and all that comes from elsewhere
/// by the Arrow interface without a name here, are carried as [`Type::Foreign`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// No value ever: `select null` in SQLite.
    Null,
    /// True or false.
    Bool,
    /// A signed integer of 8 bits.
    Int8,
    /// A signed integer of 16 bits.
    Int16,
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// An unsigned integer of 8 bits.
    UInt8,
    /// An unsigned integer of 16 bits.
    UInt16,
    /// An unsigned integer of 32 bits.
    UInt32,
    /// An unsigned integer of 64 bits.
    UInt64,
    /// A float of 32 bits.
    Float32,
    /// A float of 64 bits.
    Float64,
    /// An exact decimal: at most 38 digits are stored in 128 bits, at most 76 in 256.
    Decimal {
        /// Digits in all, 1 to 76.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// JSON, as the database wrote it, unparsed.
    Json,
    /// A UUID.
    Uuid,
    /// A date without time.
    Date,
    /// A time of day without date or zone, in microseconds.
    Time,
    /// A point in time in microseconds.
    Timestamp {
        /// True for an instant (UTC), false for a wall clock without a zone.
        utc: bool,
    },
    /// Months, days and nanoseconds, kept apart.
    Interval,
    /// Text from a small set: a code per row and each value once.
    Enum,
    /// A list of values of one type.
    List(Box<Type>),
    /// Any other Arrow type; see [`Type::structure`], [`Type::text_map`] and [`Type::fixed_list`] for those
    /// that are made here.
    Foreign(ForeignType),
}

/// An Arrow type without a name in [`Type`]: how it is stored, and the name and parameters of its
/// extension type where it has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ForeignType {
    storage: DataType,
    extension: BTreeMap<String, String>,
}

impl ForeignType {
    pub(crate) fn storage(&self) -> &DataType {
        &self.storage
    }
}

/// The metadata key under which Arrow names an extension type.
pub(crate) const EXTENSION: &str = "ARROW:extension:name";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";

impl Type {
    /// Values with names: a composite, a range.
    ///
    /// ```
    /// use rowmill_columns::{Field, Type};
    /// let kind = Type::structure(&[Field::new("a", Type::Int32), Field::new("b", Type::Text)]);
    /// assert_eq!(kind.to_string(), "struct[a: int32, b: text]");
    /// ```
    #[must_use]
    pub fn structure(fields: &[Field]) -> Self {
        Self::from_storage(&DataType::Struct(
            fields.iter().map(|field| field.kind.field(&field.name)).collect(),
        ))
    }

    /// Texts under texts, some of them NULL: an `hstore`.
    ///
    /// ```
    /// assert_eq!(rowmill_columns::Type::text_map().to_string(), "map[text, text]");
    /// ```
    #[must_use]
    pub fn text_map() -> Self {
        let key = ArrowField::new("key", DataType::LargeUtf8, false);
        let value = ArrowField::new("value", DataType::LargeUtf8, true);
        let entries = DataType::Struct([key, value].into_iter().collect());
        let entries = ArrowField::new("entries", entries, false);
        Self::from_storage(&DataType::Map(entries.into(), false))
    }

    /// Lists of one length: vectors of a declared dimension. `None` for more than 2^31 elements.
    ///
    /// ```
    /// use rowmill_columns::Type;
    /// let kind = Type::fixed_list(&Type::Float32, 3).unwrap();
    /// assert_eq!(kind.to_string(), "list[float32, 3]");
    /// ```
    pub fn fixed_list(element: &Self, len: usize) -> Option<Self> {
        let len = i32::try_from(len).ok()?;
        Some(Self::from_storage(&DataType::FixedSizeList(element.item().into(), len)))
    }

    /// The type of the values that are [read](crate::Column::value) from a column of this one: a foreign
    /// layout of text is text, a timestamp in other units a timestamp. Others are as they are.
    ///
    /// ```
    /// use rowmill_columns::Type;
    /// assert_eq!(Type::Int16.meaning(), Type::Int16);
    /// assert_eq!(Type::fixed_list(&Type::Int32, 3).unwrap().meaning().to_string(), "list[int32]");
    /// ```
    #[must_use]
    pub fn meaning(&self) -> Self {
        let Self::Foreign(foreign) = self else { return self.clone() };
        if !foreign.extension.is_empty() {
            return self.clone();
        }
        match &foreign.storage {
            DataType::Timestamp(_, zone) => Self::Timestamp { utc: zone.is_some() },
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Duration(_) | DataType::Interval(_) => Self::Interval,
            DataType::Float16 => Self::Float32,
            DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
                Self::Decimal { precision: *precision, scale: *scale }
            }
            DataType::Dictionary(_, values) => Self::from_storage(values).meaning(),
            DataType::RunEndEncoded(_, values) => Self::from_field(values).meaning(),
            DataType::FixedSizeList(item, _)
            | DataType::LargeListView(item)
            | DataType::ListView(item) => Self::List(Box::new(Self::from_field(item).meaning())),
            _ => self.clone(),
        }
    }

    /// The Arrow type this is stored as.
    pub(crate) fn storage(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } if *precision <= 38 => {
                DataType::Decimal128(*precision, *scale)
            }
            Self::Decimal { precision, scale } => DataType::Decimal256(*precision, *scale),
            Self::Text | Self::Json => DataType::LargeUtf8,
            Self::Bytes => DataType::LargeBinary,
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { utc } => {
                DataType::Timestamp(TimeUnit::Microsecond, utc.then(|| "UTC".into()))
            }
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Enum => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8))
            }
            Self::List(element) => DataType::LargeList(element.item().into()),
            Self::Foreign(foreign) => foreign.storage.clone(),
        }
    }

    /// The Arrow field of a list's elements of this type.
    pub(crate) fn item(&self) -> ArrowField {
        self.field("item")
    }

    /// The Arrow field of this name and type.
    pub(crate) fn field(&self, name: &str) -> ArrowField {
        let metadata: HashMap<String, String> = self.metadata().into_iter().collect();
        ArrowField::new(name, self.storage(), true).with_metadata(metadata)
    }

    /// The Arrow field metadata that tells this type from others stored alike.
    pub(crate) fn metadata(&self) -> BTreeMap<String, String> {
        let name = match self {
            Self::Json => "arrow.json",
            Self::Uuid => "arrow.uuid",
            Self::Foreign(foreign) => return foreign.extension.clone(),
            _ => return BTreeMap::new(),
        };
        [(EXTENSION, name), (EXTENSION_METADATA, "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// The type of an Arrow column, from how it is stored and what its metadata say.
    pub(crate) fn from_field(field: &ArrowField) -> Self {
        let storage = field.data_type();
        let extension = field.metadata().get(EXTENSION).map(String::as_str);
        match (storage, extension) {
            (DataType::LargeUtf8, Some("arrow.json")) => Self::Json,
            (DataType::FixedSizeBinary(16), Some("arrow.uuid")) => Self::Uuid,
            (_, None) => Self::from_storage(storage),
            (_, Some(_)) => {
                let keys = [EXTENSION, EXTENSION_METADATA];
                let metadata = field.metadata().iter();
                let extension = metadata.filter(|(key, _)| keys.contains(&key.as_str()));
                let extension = extension.map(|(key, value)| (key.clone(), value.clone()));
                Self::Foreign(ForeignType {
                    storage: storage.clone(),
                    extension: extension.collect(),
                })
            }
        }
    }

    fn from_storage(storage: &DataType) -> Self {
        match storage {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale)
                if (*precision <= 38) == matches!(storage, DataType::Decimal128(..)) =>
            {
                Self::Decimal { precision: *precision, scale: *scale }
            }
            DataType::LargeUtf8 => Self::Text,
            DataType::LargeBinary => Self::Bytes,
            DataType::Date32 => Self::Date,
            DataType::Time64(TimeUnit::Microsecond) => Self::Time,
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::Timestamp { utc: false },
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => {
                Self::Timestamp { utc: true }
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => Self::Interval,
            DataType::Dictionary(key, value)
                if **key == DataType::Int32 && **value == DataType::LargeUtf8 =>
            {
                Self::Enum
            }
            DataType::LargeList(field) => Self::List(Box::new(Self::from_field(field))),
            other => {
                Self::Foreign(ForeignType { storage: other.clone(), extension: BTreeMap::new() })
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Decimal { precision, scale } => {
                return write!(f, "decimal({precision}, {scale})");
            }
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp { utc: false } => "timestamp",
            Self::Timestamp { utc: true } => "timestamp[utc]",
            Self::Interval => "interval",
            Self::Enum => "enum",
            Self::List(element) => return write!(f, "list[{element}]"),
            Self::Foreign(foreign) => {
                return match foreign.extension.get(EXTENSION) {
                    Some(name) => write!(f, "{name}({})", foreign.storage),
                    None => nested(f, &foreign.storage),
                };
            }
        };
        f.write_str(name)
    }
}

/// A nested type in the notation of the others; what is not nested as Arrow prints it.
fn nested(f: &mut fmt::Formatter<'_>, storage: &DataType) -> fmt::Result {
    let inner = |field: &ArrowField| Type::from_field(field);
    match storage {
        DataType::Struct(fields) => {
            f.write_str("struct[")?;
            for (at, field) in fields.iter().enumerate() {
                let comma = if at > 0 { ", " } else { "" };
                write!(f, "{comma}{}: {}", field.name(), inner(field))?;
            }
            f.write_str("]")
        }
        DataType::FixedSizeList(item, len) => write!(f, "list[{}, {len}]", inner(item)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                write!(f, "map[{}, {}]", inner(&fields[0]), inner(&fields[1]))
            }
            other => write!(f, "{other}"),
        },
        other => write!(f, "{other}"),
    }
}
