use std::fmt;

/// A statement or its arguments that make no sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementError {
    message: String,
    position: Option<usize>,
}

impl StatementError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None }
    }

    pub(crate) fn at(message: impl Into<String>, position: usize) -> Self {
        Self { message: message.into(), position: Some(position) }
    }

    /// Where in the statement's text, as a character count from 1.
    pub fn position(&self) -> Option<usize> {
        self.position
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StatementError {}
