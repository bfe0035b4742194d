use std::fmt;

use crate::display::{rendered, with_marks};
use crate::node::Expr;
use crate::operators::Operator;
use crate::rules::Mismatch;

/// An expression or a query that makes no sense, with the part that does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    message: String,
    /// The expression on one line and marks below its wrong part on the next.
    shown: Option<String>,
    names_nothing: bool,
}

impl ExprError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), shown: None, names_nothing: false }
    }

    /// Of a name that a record has and its attributes have not, or of a value.
    pub(crate) fn of_record(message: impl Into<String>, names_nothing: bool) -> Self {
        Self { names_nothing, ..Self::new(message) }
    }

    /// Whether it is a record's name that is wrong, and not a value.
    pub fn names_nothing(&self) -> bool {
        self.names_nothing
    }

    /// `expression` and what of it is wrong.
    pub(crate) fn about(message: &str, expression: &Expr) -> Self {
        Self::new(format!("{} {message}", rendered(expression)))
    }

    /// With the part that it is of, where none is shown yet.
    #[cold]
    pub(crate) fn of(self, expression: &Expr) -> Self {
        let shown = self.shown.or_else(|| Some(rendered(expression)));
        Self { shown, ..self }
    }

    pub(crate) fn mismatch(operator: Operator, args: &[Expr], mismatch: &Mismatch) -> Self {
        let shown = with_marks(operator, args, mismatch.argument);
        Self { shown: Some(shown), ..Self::new(&*mismatch.message) }
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.shown {
            Some(shown) => write!(f, "\n{shown}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExprError {}
