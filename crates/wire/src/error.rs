use std::error::Error;
use std::fmt;

/// What a server says went wrong, or a notice of the same form.
///
/// `Display` gives `ERROR: relation "t" does not exist (42P01)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`...: never translated where the server is 9.6
    /// or later.
    pub severity: String,
    /// The SQLSTATE, five characters.
    pub code: String,
    /// What went wrong, in one line.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// Where in `internal_query`, in characters from 1.
    pub internal_position: Option<u32>,
    /// A statement the server made itself.
    pub internal_query: Option<String>,
    /// The calls that led there.
    pub where_: Option<String>,
    /// The schema it is about.
    pub schema: Option<String>,
    /// The table it is about.
    pub table: Option<String>,
    /// The column it is about.
    pub column: Option<String>,
    /// The data type it is about.
    pub data_type: Option<String>,
    /// The constraint it is about.
    pub constraint: Option<String>,
    /// The server's source file.
    pub file: Option<String>,
    /// The line in `file`.
    pub line: Option<u32>,
    /// The server's source routine.
    pub routine: Option<String>,
}

impl ServerError {
    /// Whether the server ends the connection with this.
    pub fn is_fatal(&self) -> bool {
        self.severity == "FATAL" || self.severity == "PANIC"
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.message)?;
        if self.code.is_empty() { Ok(()) } else { write!(f, " ({})", self.code) }
    }
}

impl Error for ServerError {}

/// The server broke the protocol: the connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    message: String,
}

impl ProtocolError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server broke the protocol: {}", self.message)
    }
}

impl Error for ProtocolError {}

/// A parameter that does not fit the statement. Nothing was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    /// Which one, from 1; with a wrong number of them, the first that is missing or too many.
    pub index: usize,
    /// The type the statement wants there, by PostgreSQL's name; empty where it wants none.
    pub expected: String,
    /// What is wrong with it.
    pub message: String,
    /// Whether there are too few of them or too many, rather than one that does not fit.
    pub is_count: bool,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter ${}", self.index)?;
        if !self.expected.is_empty() {
            write!(f, " ({})", self.expected)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Error for ParameterError {}

/// A value that the column's type cannot hold. The connection stays good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The column's name.
    pub column: String,
    /// The row of the result, from 0.
    pub row: u64,
    /// PostgreSQL's name of the column's type.
    pub type_name: String,
    /// What is wrong, and the way out.
    pub message: String,
}

impl DecodeError {
    /// Whether it may be that a composite type was altered since it was looked up.
    pub(crate) fn may_be_altered(&self) -> bool {
        [COMPOSITE_ALTERED, MORE_DIGITS].iter().any(|what| self.message.starts_with(what))
    }
}

/// What is said of a composite whose attributes are not those that were looked up.
pub(crate) const COMPOSITE_ALTERED: &str =
    "a composite type was altered since its attributes were looked up";
/// What is said of a number that its column does not hold.
pub(crate) const MORE_DIGITS: &str = "a numeric of more digits than its type declares";

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, row, type_name, message } = self;
        write!(f, "column \"{column}\" ({type_name}), row {row}: {message}")
    }
}

impl Error for DecodeError {}

/// Why a request gave no result. The connection stays good, unless the server says
/// [`FATAL`](ServerError::is_fatal).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server refused it or failed.
    Server(Box<ServerError>),
    /// A parameter does not fit; nothing was run.
    Parameter(ParameterError),
    /// The statement ran, but a value of its rows cannot be represented.
    Decode(DecodeError),
    /// A load into columns whose types are exchanged as text, by their places, while rows go in binary;
    /// nothing was run.
    Unloadable(Vec<usize>),
    /// It asks for something sessions do not do, as `COPY ... FROM STDIN`.
    NotSupported(String),
    /// It was abandoned before it was sent: the server never saw it.
    NotSent,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Parameter(error) => error.fmt(f),
            Self::Decode(error) => error.fmt(f),
            Self::Unloadable(columns) => {
                write!(f, "the types of columns {columns:?} cannot be loaded in binary")
            }
            Self::NotSupported(what) => f.write_str(what),
            Self::NotSent => f.write_str("abandoned before it was sent"),
        }
    }
}

impl Error for Failure {}
