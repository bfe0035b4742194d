use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::Scalar;

/// The elements of a list: a slice of [`Scalar`]s that its clones share.
///
/// Keys to look for come by the ten thousand. Where all are integers they are kept as such, in a quarter of the space:
/// to make, check, send and drop 10,000 of them takes half the time. Who wants the slice makes the scalars, which are
/// then kept beside them; [`each`](Self::each) makes none that stay.
///
/// ```
/// use rowmill_columns::{Elements, Scalar};
///
/// let keys = Elements::from(vec![3, 5]);
/// assert_eq!(keys.integers(), Some(&[3, 5][..]));
/// assert_eq!(keys[1], Scalar::Int(5));
/// assert_eq!(keys, Elements::from(vec![Scalar::Int(3), Scalar::Int(5)]));
/// ```
#[derive(Clone)]
pub struct Elements(Arc<Kept>);

enum Kept {
    Scalars(Vec<Scalar>),
    Integers { packed: Vec<i64>, spelled: OnceLock<Vec<Scalar>> },
}

impl Elements {
    /// The integers, where they were given as such.
    pub fn integers(&self) -> Option<&[i64]> {
        match &*self.0 {
            Kept::Integers { packed, .. } => Some(packed),
            Kept::Scalars(_) => None,
        }
    }

    /// One after the other.
    pub fn each(&self) -> impl Iterator<Item = Cow<'_, Scalar>> {
        let (integers, scalars): (&[i64], &[Scalar]) = match &*self.0 {
            Kept::Integers { packed, .. } => (packed, &[]),
            Kept::Scalars(scalars) => (&[], scalars),
        };
        let integers = integers.iter().map(|&value| Cow::Owned(Scalar::Int(value)));
        integers.chain(scalars.iter().map(Cow::Borrowed))
    }

    /// Whether one of them is NULL.
    pub fn has_null(&self) -> bool {
        match &*self.0 {
            Kept::Scalars(scalars) => scalars.iter().any(|value| matches!(value, Scalar::Null)),
            Kept::Integers { .. } => false,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &*self.0 {
            Kept::Scalars(scalars) => scalars.len(),
            Kept::Integers { packed, .. } => packed.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Deref for Elements {
    type Target = [Scalar];

    fn deref(&self) -> &[Scalar] {
        match &*self.0 {
            Kept::Scalars(scalars) => scalars,
            Kept::Integers { packed, spelled } => {
                spelled.get_or_init(|| packed.iter().copied().map(Scalar::Int).collect())
            }
        }
    }
}

impl From<Vec<Scalar>> for Elements {
    fn from(scalars: Vec<Scalar>) -> Self {
        Self(Arc::new(Kept::Scalars(scalars)))
    }
}

impl From<Vec<i64>> for Elements {
    fn from(packed: Vec<i64>) -> Self {
        Self(Arc::new(Kept::Integers { packed, spelled: OnceLock::new() }))
    }
}

impl FromIterator<Scalar> for Elements {
    fn from_iter<I: IntoIterator<Item = Scalar>>(scalars: I) -> Self {
        let mut left = scalars.into_iter();
        let mut packed = Vec::new();
        let other = loop {
            match left.next() {
                Some(Scalar::Int(value)) => {
                    if packed.is_empty() {
                        packed.reserve(left.size_hint().0.saturating_add(1));
                    }
                    packed.push(value);
                }
                Some(other) => break other,
                None => return packed.into(),
            }
        };
        let mut scalars = Vec::with_capacity(packed.len() + 1 + left.size_hint().0);
        scalars.extend(packed.into_iter().map(Scalar::Int));
        scalars.push(other);
        scalars.extend(left);
        scalars.into()
    }
}

impl<'a> IntoIterator for &'a Elements {
    type Item = &'a Scalar;
    type IntoIter = std::slice::Iter<'a, Scalar>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Elements {
    fn eq(&self, other: &Self) -> bool {
        match (self.integers(), other.integers()) {
            (Some(a), Some(b)) => a == b,
            _ => **self == **other,
        }
    }
}

impl fmt::Debug for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
