//! One result cut into ranges of a column, to be read side by side.

#[cfg(test)]
mod tests;

use std::slice;
use std::sync::Arc;

use rowmill_columns::Scalar;
use rowmill_expr::{Dialect, Statement};

use crate::load::{TableName, quoted};
use crate::{Database, Error, ErrorKind, Result};

/// How a result is cut into parts, which several connections read side by side on one snapshot: by
/// ranges of a column, `NULL` being a range of its own.
///
/// The statement is run once for each part, so it has to give the same rows each time: no `random()`,
/// no `limit` without an order. Parts are short work where the column has an index.
///
/// ```
/// use rowmill::{Control, Database, Partition};
/// let db = Database::open("sqlite://")?; // reads the same, on one connection
/// db.script("create table t (id integer primary key); insert into t values (2), (1), (3)")?;
/// let parts = db.query("select id from t").stream_partitioned(&Partition::new("id").ordered(), 0)?;
/// assert_eq!(parts.map(|part| Ok(part?.rows())).sum::<rowmill::Result<usize>>()?, 3);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    on: String,
    parts: usize,
    cut: Cut,
    ordered: bool,
}

/// Where a result is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// Into equal steps from the smallest to the greatest value, which an index tells at once: of
    /// numbers, dates, times and UUIDs.
    #[default]
    Range,
    /// Into equal counts of rows, for which the server sorts the column's values: of any type that has
    /// an order, and whatever the values are.
    Rows,
}

/// One of the statements into which a result is cut.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) statement: Arc<Statement>,
    pub(crate) parameters: Vec<Scalar>,
}

/// The pages of a table, in place of a column.
const PAGES: &str = "ctid";

impl Partition {
    /// Cuts by this column of the result. `ctid` cuts a whole table by its pages: then the statement is
    /// the table's name.
    pub fn new(on: impl Into<String>) -> Self {
        Self { on: on.into(), parts: 4, cut: Cut::default(), ordered: false }
    }

    /// How many parts, at least one; four where nothing is said. Connections share them: where values
    /// crowd together more parts than connections even that out.
    #[must_use]
    pub fn parts(mut self, parts: usize) -> Self {
        self.parts = parts.max(1);
        self
    }

    /// Where to cut.
    #[must_use]
    pub fn cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// The rows come in the order of the column, `NULL` last, as by `order by`. Without, each part comes
    /// as soon as it is there.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    pub(crate) fn count(&self) -> usize {
        self.parts
    }

    pub(crate) fn is_ordered(&self) -> bool {
        self.ordered
    }

    fn key(&self) -> String {
        format!("part.{}", quoted(&self.on))
    }

    /// The statement that SQLite runs in its place, on one connection.
    pub(crate) fn on_sqlite(
        &self,
        database: &Database,
        statement: &Arc<Statement>,
    ) -> Result<Arc<Statement>> {
        let Some(sql) = self.sqlite_sql(statement.text())? else {
            return Ok(Arc::clone(statement));
        };
        let ordered = database.statement(&sql)?;
        Ok(match statement.kinds() {
            Some(kinds) => Arc::new((*ordered).clone().of_kinds(kinds)),
            None => ordered,
        })
    }

    /// The statement for SQLite, which reads it on one connection: none where that is `sql` itself.
    ///
    /// # Errors
    /// `NotSupported` for `ctid`.
    fn sqlite_sql(&self, sql: &str) -> Result<Option<String>> {
        if self.on == PAGES {
            let error = Error::new(ErrorKind::NotSupported, "SQLite has no ctid to cut a table by");
            return Err(error.with_hint("name a column of the statement"));
        }
        let source = source(sql);
        let key = self.key();
        Ok(self.ordered.then(|| format!("select * from {source} order by {key} nulls last")))
    }

    /// The statement whose rows say where to cut; none where there is nothing to be cut.
    pub(crate) fn question(&self, sql: &str) -> Result<Option<String>> {
        if self.parts == 1 {
            return Ok(None);
        }
        let (source, key, parts) = (source(sql), self.key(), self.parts);
        Ok(Some(if self.on == PAGES {
            let table = TableName::parse(sql)?.to_string().replace('\'', "''");
            format!(
                "select pg_catalog.pg_relation_size('{table}') \
                 / pg_catalog.current_setting('block_size')::bigint"
            )
        } else if self.cut == Cut::Rows {
            let at = (1..parts).map(|part| format!("{part}::float8 / {parts}"));
            let at = at.collect::<Vec<_>>().join(", ");
            format!(
                "select unnest(percentile_disc(array[{at}]) within group (order by {key}))::text \
                 from {source}"
            )
        } else {
            // Not min and max, which UUIDs have since PostgreSQL 18 only.
            let end = |order| {
                format!(
                    "(select {key} from {source} where {key} is not null order by {key}{order} limit 1)"
                )
            };
            format!("{} union all {}", end(""), end(" desc"))
        }))
    }

    /// The pieces, in the order of the column, from what the server answered to the
    /// [`question`](Self::question).
    pub(crate) fn pieces(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        answer: &[Scalar],
    ) -> Result<Vec<Piece>> {
        let (text, first) = (&**statement.text(), parameters.len() + 1);
        if self.on == PAGES {
            return self.pages(text, answer);
        }
        let mut cuts = match self.cut {
            Cut::Rows => answer.to_vec(),
            Cut::Range => self.steps(answer)?,
        };
        // Text stands in the statement, where the server reads it as a value of the column's type.
        let at = |number: usize, cut: &Scalar| match (self.cut, cut) {
            (Cut::Rows, Scalar::Text(cut)) => literal(cut),
            _ => format!("${number}"),
        };
        let bound = |cuts: &[Scalar]| match self.cut {
            Cut::Rows => Vec::new(),
            Cut::Range => cuts.to_vec(),
        };
        cuts.retain(|cut| *cut != Scalar::Null);
        cuts.dedup();
        let (source, key) = (source(text), self.key());
        let order = if self.ordered { format!(" order by {key}") } else { String::new() };
        let piece = |condition: String, cuts: &[Scalar]| -> Result<Piece> {
            let sql = format!("select * from {source}{condition}{order}");
            let statement = Arc::new(Statement::parse(&sql, Dialect::Postgres)?);
            Ok(Piece { statement, parameters: [parameters, &bound(cuts)].concat() })
        };
        let (Some(lowest), Some(highest)) = (cuts.first(), cuts.last()) else {
            return Ok(vec![piece(String::new(), &[])?]);
        };
        let mut pieces =
            vec![piece(format!(" where {key} < {}", at(first, lowest)), slice::from_ref(lowest))?];
        for ends in cuts.windows(2) {
            let (from, to) = (at(first, &ends[0]), at(first + 1, &ends[1]));
            pieces.push(piece(format!(" where {key} >= {from} and {key} < {to}"), ends)?);
        }
        let above = format!(" where {key} >= {}", at(first, highest));
        pieces.push(piece(above, slice::from_ref(highest))?);
        pieces.push(piece(format!(" where {key} is null"), &[])?);
        Ok(pieces)
    }

    fn pages(&self, table: &str, answer: &[Scalar]) -> Result<Vec<Piece>> {
        let table = TableName::parse(table)?;
        let pages = match answer {
            [Scalar::Int(pages)] => *pages,
            _ => 0,
        };
        let mut cuts = steps(0, pages.into(), self.parts);
        cuts.dedup();
        let mut ends: Vec<_> = cuts.iter().map(|page| format!("'({page},0)'::tid")).collect();
        ends.insert(0, String::new());
        ends.push(String::new());
        let order = if self.ordered { " order by ctid" } else { "" };
        let piece = |ends: &[String]| {
            let from = Some(&ends[0]).filter(|end| !end.is_empty());
            let to = Some(&ends[1]).filter(|end| !end.is_empty());
            let conditions =
                [from.map(|end| format!("ctid >= {end}")), to.map(|end| format!("ctid < {end}"))];
            let conditions: Vec<_> = conditions.into_iter().flatten().collect();
            let filter = if conditions.is_empty() { "" } else { " where " };
            let sql = format!("select * from {table}{filter}{}{order}", conditions.join(" and "));
            Ok(Piece {
                statement: Arc::new(Statement::parse(&sql, Dialect::Postgres)?),
                parameters: Vec::new(),
            })
        };
        ends.windows(2).map(piece).collect()
    }

    /// Equal steps between the smallest and the greatest value.
    fn steps(&self, answer: &[Scalar]) -> Result<Vec<Scalar>> {
        let parts = self.parts;
        let whole = |low: i64, high: i64| steps(low.into(), high.into(), parts).into_iter();
        Ok(match answer {
            [Scalar::Int(low), Scalar::Int(high)] => {
                whole(*low, *high).map(|cut| Scalar::Int(cut as i64)).collect()
            }
            [Scalar::Date(low), Scalar::Date(high)] => {
                whole((*low).into(), (*high).into()).map(|cut| Scalar::Date(cut as i32)).collect()
            }
            [Scalar::Time(low), Scalar::Time(high)] => {
                whole(*low, *high).map(|cut| Scalar::Time(cut as i64)).collect()
            }
            [Scalar::Timestamp { micros: low, utc }, Scalar::Timestamp { micros: high, .. }] => {
                let instant = |cut| Scalar::Timestamp { micros: cut as i64, utc: *utc };
                whole(*low, *high).map(instant).collect()
            }
            [Scalar::Uuid(low), Scalar::Uuid(high)] => {
                let (low, high) = (u128::from_be_bytes(*low), u128::from_be_bytes(*high));
                let step = (high - low) / parts as u128;
                let cuts = (1..parts as u128).filter(|_| step > 0).map(|part| low + step * part);
                cuts.map(|cut| Scalar::Uuid(cut.to_be_bytes())).collect()
            }
            [Scalar::Float(low), Scalar::Float(high)] => {
                floats(*low, *high, parts).map(Scalar::Float).collect()
            }
            [Scalar::Decimal(low), Scalar::Decimal(high)] => {
                let parse = |text: &str| text.parse().unwrap_or(f64::NAN);
                let cuts = floats(parse(low), parse(high), parts);
                cuts.map(|cut| Scalar::Decimal(cut.to_string())).collect()
            }
            [Scalar::Null, _] | [] => Vec::new(),
            _ => {
                let message =
                    format!("the values of {:?} have no steps between them to cut at", self.on);
                return Err(Error::new(ErrorKind::Programming, message)
                    .with_hint("cut by counts of rows instead: by=\"rows\""));
            }
        })
    }
}

/// The statement as a table. On lines of its own, for it may end in a comment.
fn source(sql: &str) -> String {
    format!("(\n{}\n) as part", sql.trim_end().trim_end_matches(';'))
}

/// Text as SQL has it, however the server reads backslashes.
fn literal(text: &str) -> String {
    format!("e'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Where equal parts of what lies from `low` to `high` end, the last left out.
fn steps(low: i128, high: i128, parts: usize) -> Vec<i128> {
    let parts = parts as i128;
    let cuts = (1..parts).map(|part| low + (high - low) * part / parts);
    cuts.filter(|cut| *cut > low).collect()
}

/// As [`steps`]; none where there is no measure between the two. A cut may lie anywhere: rounding it
/// loses no row.
fn floats(low: f64, high: f64, parts: usize) -> impl Iterator<Item = f64> {
    let width = high - low;
    let cuts = (1..parts).map(move |part| low + width * (part as f64 / parts as f64));
    cuts.filter(move |cut| width.is_finite() && *cut > low && *cut < high)
}
