//! Prepared statements, and the cache that keeps them per connection.

use std::collections::HashMap;
use std::ffi::c_int;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use rowmill_columns::{Field, Schema, Type};
use rowmill_expr::{Kind, Statement};

use super::cells::Cells;
use super::dates::Dates;
use super::error::error;
use super::raw::RawConnection;
use super::raw_statement::RawStatement;
use super::types::{CellType, cell_type, computed_type};
use crate::words::space;
use crate::{Error, ErrorKind, Result, limits};

/// A prepared statement and what is known of its columns.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) raw: RawStatement,
    pub(super) columns: Vec<ColumnPlan>,
    pub(super) parameters: usize,
    /// How its dates are stored.
    pub(super) dates: Dates,
    /// Whether it leaves the database as it is.
    pub(super) reads: bool,
    /// The columns, where it only reads and each cell's value follows from the cell alone: then a
    /// first row needs no batch. What only values tell is `Null` here.
    pub(super) plain: Option<Arc<Schema>>,
    /// What its columns are computed to hold.
    kinds: Option<Arc<[Kind]>>,
    reprepared: c_int,
    /// Of the last result: another of the same types shares it.
    schema: Option<Arc<Schema>>,
    used: u64,
    is_long: bool,
}

/// What is known of a column before its first row.
#[derive(Clone, Debug)]
pub(super) struct ColumnPlan {
    pub(super) name: Arc<str>,
    pub(super) declared: Option<Box<str>>,
    pub(super) kind: CellType,
}

impl CellType {
    /// Whether a value is what SQLite stores, and nothing is made of it or checked but its kind.
    fn is_plain(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Text | Self::Bytes | Self::Found)
    }
}

impl Prepared {
    pub(super) fn new(
        connection: &RawConnection,
        statement: &Statement,
        dates: Dates,
    ) -> Result<Self> {
        let sql = &**statement.text();
        let (raw, after) = connection.prepare(sql, true).map_err(|failure| error(&failure, sql))?;
        let Some(raw) = raw else {
            return Err(Error::new(ErrorKind::Programming, "the SQL holds no statement"));
        };
        let rest = space(&sql[after..]);
        if !rest.is_empty() {
            let position = sql[..sql.len() - rest.len()].chars().count() + 1;
            let message = "the SQL holds more than one statement";
            return Err(Error::new(ErrorKind::Programming, message)
                .with_position(Some(position))
                .with_hint(crate::error::SCRIPT));
        }
        let mut this = Self {
            columns: Vec::new(),
            parameters: raw.parameters(),
            reads: raw.is_read_only(),
            plain: None,
            kinds: statement.kinds().cloned(),
            reprepared: 0,
            schema: None,
            used: 0,
            is_long: sql.len() > limits::TEXT_BYTES,
            dates,
            raw,
        };
        this.plan();
        Ok(this)
    }

    /// Empty cells for each column.
    pub(super) fn cells(&self) -> Vec<Cells> {
        self.columns.iter().map(|column| Cells::new(column.kind, self.dates)).collect()
    }

    fn plan(&mut self) {
        let (raw, dates) = (&self.raw, self.dates);
        // Were there others than the query names, no kind would be anything's.
        let kinds = self.kinds.as_deref().filter(|kinds| kinds.len() as c_int == raw.columns());
        let computed = |at: c_int| {
            let kind = kinds.and_then(|kinds| kinds.get(at as usize));
            kind.map_or(CellType::Found, |kind| computed_type(*kind))
        };
        let column = |at| {
            let declared = raw.declared(at).filter(|declared| !declared.is_empty());
            ColumnPlan {
                name: raw.name(at).into(),
                kind: declared.as_deref().map_or(computed(at), |declared| {
                    match cell_type(declared) {
                        // Numbers are instants.
                        CellType::Timestamp if dates != Dates::Text => CellType::Instant,
                        kind => kind,
                    }
                }),
                declared: declared.map(String::into_boxed_str),
            }
        };
        self.columns = (0..raw.columns()).map(column).collect();
        let plain = self.reads && self.columns.iter().all(|column| column.kind.is_plain());
        self.plain = plain.then(|| {
            let field = |column: &ColumnPlan| Field {
                name: Arc::clone(&column.name),
                kind: match column.kind {
                    CellType::Int => Type::Int64,
                    CellType::Float => Type::Float64,
                    CellType::Text => Type::Text,
                    CellType::Bytes => Type::Bytes,
                    _ => Type::Null,
                },
            };
            Arc::new(Schema::new(self.columns.iter().map(field).collect()))
        });
        self.reprepared = raw.reprepared();
        self.schema = None;
    }

    /// Reads names and types anew where the schema changed under the statement. SQLite notices at
    /// an execution's first step, so this is called after it.
    #[inline]
    pub(super) fn after_first_step(&mut self) {
        if self.raw.reprepared() != self.reprepared {
            self.plan();
        }
    }

    /// The schema of a result of these types.
    pub(super) fn schema<'a>(
        &mut self,
        types: impl Iterator<Item = &'a Type> + Clone,
    ) -> Arc<Schema> {
        if let Some(schema) = &self.schema
            && schema.fields.iter().map(|field| &field.kind).eq(types.clone())
        {
            return Arc::clone(schema);
        }
        let field = |(column, kind): (&ColumnPlan, &Type)| Field {
            name: Arc::clone(&column.name),
            kind: kind.clone(),
        };
        let schema = Arc::new(Schema::new(self.columns.iter().zip(types).map(field).collect()));
        self.schema = Some(Arc::clone(&schema));
        schema
    }
}

/// The statements a connection has prepared, by their identity.
#[derive(Debug)]
pub(super) struct Cache {
    statements: HashMap<u128, Box<Prepared>, BuildHasherDefault<KeyHasher>>,
    capacity: usize,
    dates: Dates,
    clock: u64,
}

impl Cache {
    pub(super) fn new(capacity: usize, dates: Dates) -> Self {
        Self { statements: HashMap::default(), capacity: capacity.max(1), dates, clock: 0 }
    }

    /// The statement, prepared if it is not here yet.
    pub(super) fn get(
        &mut self,
        connection: &RawConnection,
        statement: &Statement,
    ) -> Result<&mut Prepared> {
        self.clock += 1;
        let key = statement.key();
        if !self.statements.contains_key(&key) {
            self.put(key, Box::new(Prepared::new(connection, statement, self.dates)?));
        }
        let clock = self.clock;
        let prepared = self.statements.get_mut(&key).ok_or_else(lost)?;
        prepared.used = clock;
        Ok(prepared)
    }

    /// The statement, out of the cache while a cursor stands on it.
    pub(super) fn take(
        &mut self,
        connection: &RawConnection,
        statement: &Statement,
    ) -> Result<Box<Prepared>> {
        match self.statements.remove(&statement.key()) {
            Some(prepared) => Ok(prepared),
            None => Prepared::new(connection, statement, self.dates).map(Box::new),
        }
    }

    /// Keeps a statement; the one unused longest goes where there are too many.
    pub(super) fn put(&mut self, key: u128, mut prepared: Box<Prepared>) {
        // Of those whose text is long one is kept, for SQLite holds on to the text of each.
        if prepared.is_long {
            self.statements.retain(|_, other| !other.is_long);
        }
        if self.statements.len() >= self.capacity && !self.statements.contains_key(&key) {
            let oldest = self.statements.iter().min_by_key(|(_, prepared)| prepared.used);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.statements.remove(&key);
            }
        }
        prepared.used = self.clock;
        self.statements.insert(key, prepared);
    }
}

#[cold]
fn lost() -> Error {
    Error::new(ErrorKind::Internal, "a prepared statement was lost")
}

/// The keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}
