use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use rowmill_columns::{Schema, Type};

use super::key::Keys;
use crate::kind::{Base, Kind};
use crate::nearest::{listed, nearest};

/// What records have: names, types and the number under which each attribute is set.
///
/// An attribute may be missing in any record, which is NULL.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Field, Schema, Type};
/// use rowmill_expr::matcher::Attributes;
/// let fields = vec![Field::new("country", Type::Text), Field::new("age", Type::Int64)];
/// let attributes = Attributes::new(Arc::new(Schema::new(fields)));
/// assert_eq!(attributes.number("age"), Some(1));
/// ```
#[derive(Debug)]
pub struct Attributes {
    schema: Arc<Schema>,
    all: Vec<Attribute>,
    numbers: HashMap<Arc<str>, usize, RandomState>,
}

/// What is known of one attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    pub(crate) kind: Kind,
    /// What its values, or those in its lists, are looked up by.
    pub(crate) keys: Keys,
}

impl Attributes {
    /// The attributes that are this schema's fields, numbered in its order.
    pub fn new(schema: Arc<Schema>) -> Arc<Self> {
        let mut numbers = HashMap::default();
        let mut all = Vec::with_capacity(schema.fields.len());
        for (at, field) in schema.fields.iter().enumerate() {
            numbers.entry(Arc::clone(&field.name)).or_insert(at);
            all.push(Attribute::of(&field.kind));
        }
        Arc::new(Self { schema, all, numbers })
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of the attribute of this name.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The same, where it is likely to be this one: records tend to name their attributes in one order.
    #[inline]
    pub fn number_from(&self, likely: usize, name: &str) -> Option<usize> {
        match self.schema.fields.get(likely) {
            Some(field) if *field.name == *name => Some(likely),
            _ => self.number(name),
        }
    }

    /// What to say of a name that is none of theirs.
    pub fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = self.schema.fields.iter().map(|field| &*field.name).collect();
        match nearest(name, &names) {
            Some(near) => format!("there is no attribute {name:?}; is {near:?} meant?"),
            None => format!("there is no attribute {name:?}; there are {}", listed(&names)),
        }
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        &self.schema.fields[number].name
    }

    pub(crate) fn get(&self, number: usize) -> Attribute {
        self.all[number]
    }

    /// Whether no two have one name.
    pub(crate) fn are_apart(&self) -> bool {
        self.numbers.len() == self.all.len()
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || *self.schema == *other.schema
    }
}

impl Attribute {
    fn of(declared: &Type) -> Self {
        let meaning = declared.meaning();
        let kind = Kind::of(&meaning);
        let element = match &meaning {
            Type::List(element) => element,
            other => other,
        };
        let keys = match (kind, element) {
            // Beyond 63 bits such an integer is a decimal to whoever compares it.
            (_, Type::UInt64) | (Kind::Any, _) => Keys::None,
            (Kind::One(base) | Kind::List(base), _) => Keys::of(base),
        };
        Self { kind, keys }
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self.kind, Kind::List(_))
    }

    pub(crate) fn base(self) -> Base {
        match self.kind {
            Kind::One(base) | Kind::List(base) => base,
            Kind::Any => Base::Other,
        }
    }
}
