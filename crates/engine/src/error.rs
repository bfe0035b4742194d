use std::fmt;

use rowmill_expr::Parameters;
use rowmill_wire::{DecodeError, Failure, ParameterError, ProtocolError, ServerError};

/// What went wrong, coarsely: the classes of PEP 249 and the few that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A URL or an option that makes no sense.
    Config,
    /// A handle used after it was closed, in a forked process, or on another event loop.
    Misuse,
    /// No connection could be made.
    Connect,
    /// A connection broke; whether the statement ran is not known.
    ConnectionLost,
    /// No connection became free in time.
    PoolTimeout,
    /// A statement ran past its deadline and was cancelled.
    QueryTimeout,
    /// The caller asked to stop (Ctrl-C, a cancelled task).
    Cancelled,
    /// Concurrent transactions collided; trying again may succeed.
    Serialization,
    /// The database could not serve the request: disk full, shutting down, locked, out of memory.
    Operational,
    /// A value out of range or not representable.
    Data,
    /// A constraint was violated.
    Integrity,
    /// Wrong SQL, an unknown name, wrong parameters, a missing right.
    Programming,
    /// A thing the database or this library does not do.
    NotSupported,
    /// The database broke its own rules, or its protocol.
    Internal,
}

/// What of the database an error is about, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The table's schema.
    pub schema: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
}

/// Anything that went wrong, in words that name the cause and, where there is one, the way out.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    sqlstate: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
    position: Option<usize>,
    query: Option<String>,
    /// The number of the parameter that the message begins with.
    parameter: Option<usize>,
    place: Place,
    /// Whether nobody answered, so that asking again later makes sense.
    unreachable: bool,
}

impl Error {
    /// An error of this kind with this message, for code that stands on this crate.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            sqlstate: None,
            detail: None,
            hint: None,
            position: None,
            query: None,
            parameter: None,
            place: Place::default(),
            unreachable: false,
        }))
    }

    /// Says that nobody answered.
    #[must_use]
    pub(crate) fn nobody_there(mut self) -> Self {
        self.0.unreachable = true;
        self
    }

    /// Whether nobody answered.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.0.unreachable
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the SQL the error is about.
    #[must_use]
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        self.0.query.get_or_insert_with(|| query.to_owned());
        self
    }

    /// Says which statement the error is about, in the words of who wrote it.
    #[must_use]
    pub(crate) fn about(mut self, statement: &rowmill_expr::Statement) -> Self {
        if self.0.query.as_deref() != Some(statement.source()) {
            self.0.position = self.0.position.map(|at| statement.source_position(at));
            self.0.query = Some(statement.source().to_string());
            if self.0.hint.is_none() && self.0.kind == ErrorKind::Programming {
                self.0.hint = way_out(self.0.message.as_str(), statement.source());
            }
            if let (Some(number), Parameters::Named(names)) =
                (self.0.parameter.take(), statement.parameters())
                && let Some(name) = names.get(number.wrapping_sub(1))
            {
                let numbered = format!("parameter ${number}");
                self.0.message =
                    self.0.message.replacen(&numbered, &format!("parameter :{name}"), 1);
            }
        }
        self
    }

    /// Adds where in the SQL, as a character count from 1.
    #[must_use]
    pub(crate) fn with_position(mut self, position: Option<usize>) -> Self {
        self.0.position = position;
        self
    }

    /// Gives the error another kind and message; its other parts stay.
    pub(crate) fn set(&mut self, kind: ErrorKind, message: String) {
        (self.0.kind, self.0.message) = (kind, message);
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, in one sentence; `Display` prints the same.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The five-character SQLSTATE, where a PostgreSQL server sent one; SQLite's violations of
    /// constraints have that which PostgreSQL would send.
    pub fn sqlstate(&self) -> Option<&str> {
        self.0.sqlstate.as_deref()
    }

    /// What of the database it is about.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// More about the cause, as the server gave it.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The way out.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in [`query`](Self::query), as a character count from 1.
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// The SQL the error is about.
    pub fn query(&self) -> Option<&str> {
        self.0.query.as_deref()
    }

    /// The error a PostgreSQL server reported.
    pub(crate) fn server(error: ServerError) -> Self {
        let kind = match error.code.as_str() {
            // One code for a time-out set at the server and for an administrator's word; only the
            // message tells them apart.
            "57014" if error.message.contains("timeout") => ErrorKind::QueryTimeout,
            code => kind_of_sqlstate(code),
        };
        let mut this = Self::new(kind, error.message);
        this.0.detail = error.detail;
        this.0.hint = error.hint;
        if this.0.hint.is_none() {
            this.0.hint = match error.code.as_str() {
                "25P02" => Some(crate::postgres::SAVEPOINT.to_owned()),
                code => pooler_hint(code, &this.0.message),
            };
        }
        this.0.position = error.position.map(|position| position as usize);
        this.0.sqlstate = Some(error.code);
        let (schema, table) = (error.schema, error.table);
        this.0.place = Place { schema, table, column: error.column, constraint: error.constraint };
        this
    }

    /// Adds what a violated constraint is about.
    #[must_use]
    pub(crate) fn with_place(mut self, sqlstate: &str, place: Place) -> Self {
        self.0.sqlstate = Some(sqlstate.to_owned());
        self.0.place = place;
        self
    }
}

/// The class of an SQLSTATE (its first two characters) decides, as PEP 249 suggests.
fn kind_of_sqlstate(code: &str) -> ErrorKind {
    match code {
        "57P01" | "57P02" | "57P05" => return ErrorKind::ConnectionLost,
        "57P03" => return ErrorKind::Connect,
        // Not the whole class: 40003 says that the outcome is unknown.
        "40001" | "40P01" => return ErrorKind::Serialization,
        _ => {}
    }
    match code.get(..2).unwrap_or_default() {
        "08" => ErrorKind::ConnectionLost,
        "0A" => ErrorKind::NotSupported,
        "21" | "22" => ErrorKind::Data,
        "23" => ErrorKind::Integrity,
        "28" | "3D" => ErrorKind::Connect,
        "40" | "53" | "54" | "55" | "57" | "58" => ErrorKind::Operational,
        "XX" => ErrorKind::Internal,
        _ => ErrorKind::Programming,
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Server(error) => Self::server(*error),
            Failure::Parameter(error) => error.into(),
            Failure::Decode(error) => error.into(),
            Failure::NotSent => Self::new(ErrorKind::Cancelled, failure.to_string()),
            Failure::Unloadable(_) => Self::new(ErrorKind::NotSupported, failure.to_string()),
            Failure::NotSupported(message) => Self::new(ErrorKind::NotSupported, message),
        }
    }
}

/// What to set, where an error is of those that a pooler in transaction mode causes.
#[cold]
fn pooler_hint(code: &str, message: &str) -> Option<String> {
    let is_statement = matches!(code, "26000" | "42P05")
        // Ours have no names but these; one that the caller prepared himself is his.
        && message.split_once("\"r").is_some_and(|(_, name)| name.starts_with(|c: char| c.is_ascii_digit()));
    if is_statement {
        return Some(
            "behind a pooler in transaction mode, such as PgBouncer, add pooler=transaction to the URL, \
             or have the pooler follow prepared statements (max_prepared_statements, from PgBouncer 1.21)"
                .to_owned(),
        );
    }
    let (_, parameter) = message.split_once("unsupported startup parameter")?;
    let parameter = parameter.rsplit([':', ' ']).next().unwrap_or_default();
    Some(format!(
        "leave {parameter} out of the URL and the environment, or have PgBouncer pass it over \
         (ignore_startup_parameters = {parameter})"
    ))
}

/// What to try, where a statement was written as other libraries want it.
#[cold]
fn way_out(message: &str, sql: &str) -> Option<String> {
    if message.contains("multiple commands into a prepared statement") {
        return Some(SCRIPT.to_owned());
    }
    let is_foreign = sql.contains("%s") || sql.contains('?');
    let is_about_it = ["syntax error", "end of input", "column \"s\"", "operator does not exist"]
        .iter()
        .any(|words| message.contains(words));
    (is_foreign && is_about_it).then(|| "parameters are written $1, $2 or :name".to_owned())
}

/// For several statements where one is wanted.
pub(crate) const SCRIPT: &str = "run several statements with execute_script (in Rust: script)";

impl From<ParameterError> for Error {
    fn from(error: ParameterError) -> Self {
        let kind = if error.is_count { ErrorKind::Programming } else { ErrorKind::Data };
        let mut this = Self::new(kind, error.to_string());
        this.0.hint = parameter_hint(&error);
        this.0.parameter = Some(error.index);
        this
    }
}

/// What to do about a parameter of another kind than the statement wants.
#[cold]
fn parameter_hint(error: &ParameterError) -> Option<String> {
    let number = error.index;
    if error.message == "wants a range, not a list" {
        return Some("give it by its bounds' names, as Python's rm.Range(1, 5) does".to_owned());
    }
    if error.message.ends_with("not a list") {
        return Some(format!(
            "give values one by one, as in fetch(sql, 1, 2), and compare with a list by `= any(${number})`"
        ));
    }
    // Where nothing in the statement tells a parameter's type the server takes it for text, and
    // beside a minus for what stands on the other side.
    let is_text = error.expected == "text";
    let kinds = [
        ("an integer", "int8"),
        ("a float", "float8"),
        ("a decimal", "numeric"),
        ("a bool", "bool"),
        ("a date", "date"),
        ("a timestamp", "timestamptz"),
        ("an interval", "interval"),
    ];
    let (_, given) = error.message.rsplit_once("not ")?;
    let (_, kind) = kinds.iter().find(|(words, _)| *words == given)?;
    if !is_text && given != "an interval" {
        return None;
    }
    let first = if is_text { "give it as text, or " } else { "" };
    Some(format!("{first}say in the statement what the parameter is: ${number}::{kind}"))
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::new(ErrorKind::Data, error.to_string())
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::new(ErrorKind::Internal, error.to_string())
    }
}

impl From<rowmill_expr::StatementError> for Error {
    fn from(error: rowmill_expr::StatementError) -> Self {
        let position = error.position();
        Self::new(ErrorKind::Programming, error.to_string()).with_position(position)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &inner.kind).field("message", &inner.message);
        for (name, value) in [
            ("sqlstate", &inner.sqlstate),
            ("detail", &inner.detail),
            ("hint", &inner.hint),
            ("query", &inner.query),
        ] {
            if let Some(value) = value {
                out.field(name, value);
            }
        }
        out.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

/// The result of anything here.
pub type Result<T> = std::result::Result<T, Error>;
