use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rowmill_columns::{Batch, ColumnError, Scalar, json};
use rowmill_expr::{self as expr, Parameters, Statement};
use rowmill_wire::Output;

use crate::{
    Completion, Control, Database, Error, ErrorKind, Orient, Partition, Result, Row, Stream,
    Transaction, limits,
};

/// The values of a statement's parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// For `$1`, `$2`, ... in order.
    Positional(Vec<Scalar>),
    /// For `:name`.
    Named(Vec<(String, Scalar)>),
}

impl Arguments {
    /// The values in the order of the statement's parameters.
    ///
    /// # Errors
    /// `Programming`, naming the parameter that is missing or too many.
    pub(crate) fn arrange(self, statement: &Statement) -> Result<Vec<Scalar>> {
        match (self, statement.parameters()) {
            (Self::Positional(values), Parameters::Numbered(count))
                if *count == values.len() || *count == 0 =>
            {
                Ok(values)
            }
            (Self::Positional(values), Parameters::Numbered(count)) => {
                let message = format!(
                    "the statement takes {}, {} given",
                    match count {
                        1 => "1 parameter ($1)".to_owned(),
                        count => format!("{count} parameters ($1 to ${count})"),
                    },
                    values.len()
                );
                Err(Error::new(ErrorKind::Programming, message))
            }
            (Self::Positional(values), Parameters::Named(names)) => {
                let names: Vec<_> = names.iter().map(|name| format!(":{name}")).collect();
                let message = format!(
                    "the statement takes its parameters by name ({}), {} given by position",
                    names.join(", "),
                    values.len()
                );
                Err(Error::new(ErrorKind::Programming, message).with_hint(
                    "give them by keyword, or as one mapping, which takes any name: fetch(sql, \
                     {\"timeout\": 5})",
                ))
            }
            (Self::Named(named), _) => Ok(statement.arrange(named)?),
        }
    }
}

/// The batch as JSON. Json cells were checked where they were read: by the server, or by SQLite's
/// reader here.
pub(crate) fn to_json(batch: &Batch, orient: Orient) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    json::write(batch, json_options(orient), &mut out).map_err(not_json)?;
    Ok(out)
}

fn json_options(orient: Orient) -> json::Options {
    json::Options { orient, json: json::JsonCells::Trusted, ..Default::default() }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn not_json(error: ColumnError) -> Error {
    Error::new(ErrorKind::Data, error.to_string())
}

/// Where a query runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Database(&'a Database),
    Transaction(&'a Transaction),
}

impl Target<'_> {
    pub(crate) fn database(&self) -> &Database {
        match self {
            Target::Database(database) => database,
            Target::Transaction(transaction) => transaction.database(),
        }
    }

    /// The deadline that the database gives calls which name none.
    pub(crate) fn control<'a>(&self) -> Control<'a> {
        Control::within(self.database().config().timeout)
    }
}

/// A query in the making: bind its parameters, then say what to do with the rows.
#[derive(Debug)]
#[must_use = "a query does nothing until its rows are asked for"]
pub struct Query<'a> {
    target: Target<'a>,
    ask: Ask<'a>,
    control: Control<'a>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Ask<'a> {
    /// SQL, with the values of its parameters.
    Sql(Cow<'a, str>, Arguments),
    /// A query of expressions, with the values of its parameters, where it has such.
    Query(expr::query::Query, Vec<Scalar>),
}

impl<'a> Query<'a> {
    pub(crate) fn new(target: Target<'a>, ask: Ask<'a>) -> Self {
        let control = target.control();
        Self { target, ask, control }
    }

    /// The next positional parameter: the first call is `$1`.
    pub fn bind(mut self, value: impl Into<Scalar>) -> Self {
        match &mut self.ask {
            Ask::Sql(_, Arguments::Positional(values)) | Ask::Query(_, values) => {
                values.push(value.into());
            }
            Ask::Sql(_, Arguments::Named(named)) => {
                let name = format!("${}", named.len() + 1);
                named.push((name, value.into()));
            }
        }
        self
    }

    /// The parameter `:name` of SQL.
    pub fn bind_named(mut self, name: &str, value: impl Into<Scalar>) -> Self {
        let value = (name.to_owned(), value.into());
        match &mut self.ask {
            Ask::Sql(_, Arguments::Named(named)) => named.push(value),
            Ask::Sql(_, arguments) => *arguments = Arguments::Named(vec![value]),
            Ask::Query(..) => {}
        }
        self
    }

    /// All parameters of SQL at once.
    pub fn bind_all(mut self, all: Arguments) -> Self {
        match (&mut self.ask, all) {
            (Ask::Sql(_, arguments), all) => *arguments = all,
            (Ask::Query(_, given), Arguments::Positional(values)) => *given = values,
            (Ask::Query(..), Arguments::Named(_)) => {}
        }
        self
    }

    /// A deadline that far from now.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.control.deadline = Control::timeout(timeout).deadline;
        self
    }

    /// Asked about ten times a second while the call waits; true stops it.
    pub fn interrupt(mut self, interrupt: &'a dyn Fn() -> bool) -> Self {
        self.control = self.control.interrupted_by(interrupt);
        self
    }

    /// All rows, in one batch.
    ///
    /// # Errors
    /// Any.
    pub fn fetch(self) -> Result<Batch> {
        self.run(Output::Batch).map(|completion| completion.batch)
    }

    /// The first row. Those after it may stay unread: that Rowmill could not hold a value of theirs
    /// may stay unseen, and on SQLite that computing them fails.
    ///
    /// # Errors
    /// Any.
    pub fn fetch_one(self) -> Result<Option<Row>> {
        if let Target::Database(database) = self.target
            && let Some(sqlite) = database.sqlite()
        {
            let (_, statement, parameters, control) = self.prepare()?;
            return sqlite.fetch_row(&statement, &parameters, &control);
        }
        self.run(Output::First).map(Completion::into_first)
    }

    /// The first column of the first row, read as by [`fetch_one`](Self::fetch_one);
    /// `Scalar::Null` also where there is no row.
    ///
    /// # Errors
    /// `Data` where the value is of a type that [`Scalar`] does not hold.
    pub fn fetch_value(self) -> Result<Scalar> {
        let row = self.fetch_one()?;
        row.map_or(Ok(Scalar::Null), |row| row.scalar(0))
    }

    /// All rows as JSON.
    ///
    /// # Errors
    /// Any.
    pub fn fetch_json(self, orient: Orient) -> Result<Vec<u8>> {
        self.fetch().and_then(|batch| to_json(&batch, orient))
    }

    /// All rows as JSON, over what stands in `out`; how many bytes that is. A buffer used again and
    /// again saves a tenth of the work of a large answer.
    ///
    /// # Errors
    /// Any.
    pub fn fetch_json_over(self, orient: Orient, out: &mut Vec<u8>) -> Result<usize> {
        let batch = self.fetch()?;
        json::write_over(&batch, json_options(orient), out).map_err(not_json)
    }

    /// Runs the statement for its effect; returns the rows affected.
    ///
    /// # Errors
    /// Any.
    pub fn execute(self) -> Result<u64> {
        self.run(Output::Discard).map(|completion| completion.affected)
    }

    /// The rows in parts of about `batch_rows`, so that memory stays bounded.
    ///
    /// # Errors
    /// Any; those of rows come from the stream.
    pub fn stream(self, batch_rows: usize) -> Result<Stream> {
        let batch_rows = limits::batch_rows(batch_rows);
        let (target, statement, parameters, control) = self.prepare()?;
        let stream = match target {
            Target::Database(database) => {
                database.stream(&statement, parameters, batch_rows, &control)
            }
            Target::Transaction(transaction) => {
                transaction.stream(&statement, parameters, batch_rows)
            }
        };
        stream.map_err(|error| error.about(&statement))
    }

    /// As [`stream`](Self::stream), read by as many of the pool's connections as are free, all on one
    /// snapshot. On SQLite it is read by one.
    ///
    /// # Errors
    /// As [`stream`](Self::stream); `NotSupported` inside a transaction, which has one connection.
    pub fn stream_partitioned(self, partition: &Partition, batch_rows: usize) -> Result<Stream> {
        let Target::Database(database) = self.target else {
            let message = "a transaction has one connection: its streams are not partitioned";
            return Err(Error::new(ErrorKind::NotSupported, message));
        };
        if database.sqlite().is_some() {
            let (_, statement, parameters, control) = self.prepare()?;
            let statement = partition.on_sqlite(database, &statement)?;
            let batch_rows = limits::batch_rows(batch_rows);
            return database
                .stream(&statement, parameters, batch_rows, &control)
                .map_err(|error| error.about(&statement));
        }
        let batch_rows = limits::batch_rows(batch_rows);
        let (_, statement, parameters, control) = self.prepare()?;
        let (of, partition) = (Arc::clone(&statement), partition.clone());
        database
            .stream_partitioned(of, parameters, partition, batch_rows, &control)
            .map_err(|error| error.about(&statement))
    }

    fn run(self, output: Output) -> Result<Completion> {
        let (target, statement, parameters, control) = self.prepare()?;
        let done = match target {
            Target::Database(database) => database.run(&statement, parameters, output, &control),
            Target::Transaction(transaction) => {
                transaction.run(&statement, parameters, output, &control)
            }
        };
        done.map_err(|error| error.about(&statement))
    }

    fn prepare(self) -> Result<(Target<'a>, Arc<Statement>, Vec<Scalar>, Control<'a>)> {
        let (statement, parameters) = self.ask.prepare(self.target.database())?;
        Ok((self.target, statement, parameters, self.control))
    }
}

impl Ask<'_> {
    /// The statement, and its parameters' values in order.
    pub(crate) fn prepare(self, database: &Database) -> Result<(Arc<Statement>, Vec<Scalar>)> {
        let (statement, values) = self.statement(database)?;
        database.recorders().note(statement.text());
        Ok((statement, values))
    }

    fn statement(self, database: &Database) -> Result<(Arc<Statement>, Vec<Scalar>)> {
        match self {
            Self::Sql(sql, arguments) => {
                let statement = database.statement(&sql)?;
                let parameters =
                    arguments.arrange(&statement).map_err(|error| error.with_query(&sql))?;
                Ok((statement, parameters))
            }
            Self::Query(query, given) => database.shapes().get(&query, &given),
        }
    }
}
