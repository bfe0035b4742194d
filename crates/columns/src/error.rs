use std::fmt;

use arrow_schema::ArrowError;

/// What went wrong with columns that came in or go out, in words.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type};
/// let ids = Batch::empty(Arc::new(Schema::new(vec![Field::new("id", Type::Int64)])));
/// let names = Batch::empty(Arc::new(Schema::new(vec![Field::new("name", Type::Text)])));
/// let error = Batch::concat(&[ids, names]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "batch 1 differs from batch 0: column 0 is \"name\" text, not \"id\" int64"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ColumnError(Box<str>);

impl ColumnError {
    pub(crate) fn new(message: impl Into<Box<str>>) -> Self {
        Self(message.into())
    }

    /// Of rows whose numbers do not fit 32 bits.
    pub fn too_many_rows() -> Self {
        Self::new("more rows than 32 bits count cannot be filtered or sorted at once")
    }

    /// The same error, said of the column `name`.
    pub(crate) fn in_column(self, name: &str) -> Self {
        Self::new(format!("column {name:?}: {}", self.0))
    }
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnError({:?})", self.0)
    }
}

impl std::error::Error for ColumnError {}

impl From<ArrowError> for ColumnError {
    fn from(error: ArrowError) -> Self {
        Self::new(error.to_string())
    }
}

/// So that a writer into a file or socket can fail with one type.
impl From<ColumnError> for std::io::Error {
    fn from(error: ColumnError) -> Self {
        Self::other(error)
    }
}
