use super::compare::Comparison;
use super::exact::{self, Place, Range};
use super::list::Quantifier;
use super::set::{Integers, Set, Texts, float_bits};
use super::text::TextTest;
use crate::{Elements, Scalar, Type};

/// One question about one column, compiled for the column's type: a comparison with a literal, IN,
/// a text's shape, a list's elements.
///
/// It is NULL where the column is, but for [`null`](Self::null) and IN of an empty list, which are
/// never NULL.
///
/// ```
/// use rowmill_columns::kernels::{Bits, Comparison, Test};
/// use rowmill_columns::{Scalar, Type, build::Fixed};
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// ids.push_null();
/// let ids = ids.finish(&Type::Int64);
/// let test = Test::compare(&Type::Int64, Comparison::Gt, &Scalar::Float(1.5)).unwrap();
/// let mask = test.on(&ids).unwrap().run(0, 4, &Bits::first(4));
/// assert_eq!(mask.truth.iter().collect::<Vec<_>>(), [1, 2]);
/// assert!(!mask.known.has(3));
/// ```
#[derive(Clone, Debug)]
pub struct Test {
    pub(crate) kind: Kind,
    pub(crate) negated: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The same for all rows, NULL or not: IN of an empty list.
    Always(bool),
    Null(bool),
    Range(Range),
    Float(Comparison, f64),
    Bool {
        on_false: bool,
        on_true: bool,
    },
    /// Text, bytes or a uuid against these bytes.
    Bytes(Comparison, Box<[u8]>),
    Among(Set),
    Text(TextTest),
    /// Characters of a text, elements of a list.
    Length(Range),
    List(Quantifier, Box<Test>),
}

impl From<Kind> for Test {
    fn from(kind: Kind) -> Self {
        Self { kind, negated: false }
    }
}

impl Test {
    /// Compares a column of type `kind` with a literal; `None` where this has no kernel for the two.
    pub fn compare(kind: &Type, comparison: Comparison, literal: &Scalar) -> Option<Self> {
        if let Some(place) = exact::place(kind, literal) {
            return Some(Kind::Range(place.range(comparison)).into());
        }
        let kind = match (stored(kind), literal) {
            (Stored::Float, literal) => Kind::Float(comparison, float(literal)?),
            (Stored::Bool, Scalar::Bool(value)) => Kind::Bool {
                on_false: comparison.holds(false.cmp(value)),
                on_true: comparison.holds(true.cmp(value)),
            },
            (Stored::Text, Scalar::Text(text)) => Kind::Bytes(comparison, text.as_bytes().into()),
            (Stored::Bytes, Scalar::Bytes(bytes)) => {
                Kind::Bytes(comparison, bytes.as_slice().into())
            }
            (Stored::Uuid, Scalar::Uuid(uuid)) => Kind::Bytes(comparison, (*uuid).into()),
            _ => return None,
        };
        Some(kind.into())
    }

    /// Whether values of a column of type `kind` are neither below `low` nor above `high`, in one
    /// pass; `None` where this has no kernel for the three.
    pub fn between(kind: &Type, low: &Scalar, high: &Scalar) -> Option<Self> {
        let low = exact::place(kind, low)?.range(Comparison::Ge);
        let high = exact::place(kind, high)?.range(Comparison::Le);
        let (low, high) = (low.low.max(high.low), low.high.min(high.high));
        Some(Kind::Range(Range { low, high, outside: false }).into())
    }

    /// Whether a column of type `kind` holds one of the literals, of which none is NULL.
    pub fn among(kind: &Type, literals: &Elements) -> Option<Self> {
        if literals.is_empty() {
            return Some(Kind::Always(false).into());
        }
        let set = match stored(kind) {
            Stored::Float => {
                let floats = literals.each().map(|literal| Some(float_bits(float(&literal)?)));
                Set::Floats(floats.collect::<Option<_>>()?)
            }
            Stored::Text | Stored::Bytes | Stored::Uuid => {
                let bytes = literals.iter().map(|literal| bytes_like(kind, literal));
                Set::Texts(Texts::new(bytes.collect::<Option<Vec<_>>>()?.into_iter()))
            }
            Stored::Bool => {
                let has = |value| literals.contains(&Scalar::Bool(value));
                if !literals.iter().all(|literal| matches!(literal, Scalar::Bool(_))) {
                    return None;
                }
                return Some(Kind::Bool { on_false: has(false), on_true: has(true) }.into());
            }
            Stored::Other => {
                let mut numbers = Vec::with_capacity(literals.len());
                for literal in literals.each() {
                    // What stands between the stored numbers is none of them.
                    if let Place::At { floor, exact: true } = exact::place(kind, &literal)? {
                        numbers.push(floor);
                    }
                }
                Set::Integers(Integers::new(numbers))
            }
        };
        Some(Kind::Among(set).into())
    }

    /// A test of text or of an enum's labels.
    pub fn text(kind: &Type, test: TextTest) -> Option<Self> {
        (stored(kind) == Stored::Text).then_some(Kind::Text(test).into())
    }

    /// Compares the number of characters of a text, or of elements of a list, with a literal.
    pub fn length(kind: &Type, comparison: Comparison, literal: &Scalar) -> Option<Self> {
        let counted = matches!(kind, Type::Text | Type::Enum | Type::List(_));
        let place = exact::place(&Type::Int64, literal).filter(|_| counted)?;
        Some(Kind::Length(place.range(comparison)).into())
    }

    /// Whether there is no value (`true`), or one (`false`); never NULL.
    #[must_use]
    pub fn null(null: bool) -> Self {
        Kind::Null(null).into()
    }

    /// What a test of the elements says of a column of lists.
    #[must_use]
    pub fn list(quantifier: Quantifier, element: Self) -> Self {
        Kind::List(quantifier, Box::new(element)).into()
    }

    /// The contrary; NULL stays NULL.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { negated: !self.negated, ..self }
    }

    /// About how long a row takes beside others, for the order in which tests are best run.
    pub fn cost(&self) -> u32 {
        match &self.kind {
            Kind::Always(_) | Kind::Null(_) | Kind::Bool { .. } => 1,
            Kind::Range(_) | Kind::Float(..) => 2,
            Kind::Bytes(..) | Kind::Among(Set::Integers(_)) => 5,
            Kind::Among(_) | Kind::Length(_) => 12,
            Kind::List(_, element) => 10 + element.cost(),
            Kind::Text(_) => 20,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    Float,
    Bool,
    Text,
    Bytes,
    Uuid,
    Other,
}

fn stored(kind: &Type) -> Stored {
    use arrow_schema::DataType as D;
    match kind {
        Type::Float32 | Type::Float64 => Stored::Float,
        Type::Bool => Stored::Bool,
        Type::Text | Type::Enum => Stored::Text,
        Type::Bytes => Stored::Bytes,
        Type::Uuid => Stored::Uuid,
        Type::Foreign(foreign) => match foreign.storage() {
            D::Dictionary(_, values) if **values == D::LargeUtf8 => Stored::Text,
            _ => Stored::Other,
        },
        _ => Stored::Other,
    }
}

fn float(literal: &Scalar) -> Option<f64> {
    match literal {
        Scalar::Float(value) => Some(*value),
        Scalar::Int(value) => Some(*value as f64),
        Scalar::Decimal(text) => text.parse().ok(),
        _ => None,
    }
}

fn bytes_like<'a>(kind: &Type, literal: &'a Scalar) -> Option<&'a [u8]> {
    match (stored(kind), literal) {
        (Stored::Text, Scalar::Text(text)) => Some(text.as_bytes()),
        (Stored::Bytes, Scalar::Bytes(bytes)) => Some(bytes),
        (Stored::Uuid, Scalar::Uuid(uuid)) => Some(uuid),
        _ => None,
    }
}
