//! What is known of a statement once it is prepared, and which ones a connection has prepared.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use rowmill_columns::{Field, Schema};

use crate::catalogue::{Catalogue, Shape};
use crate::decode::{ColumnPlan, FixedRows};
use crate::encode;
use crate::limits::CATALOGUE_STATEMENTS;
use crate::message::ColumnDescription;
use crate::oid::Kind;

/// A statement's parameters and columns as the server told them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) parameters: Vec<u32>,
    pub(crate) columns: Vec<ColumnDescription>,
}

impl Description {
    /// Every type it names.
    pub(crate) fn oids(&self) -> impl Iterator<Item = u32> {
        self.parameters.iter().copied().chain(self.columns.iter().map(|column| column.oid))
    }
}

/// A parameter's type.
#[derive(Clone, Debug)]
pub(crate) struct ParameterType {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

impl ParameterType {
    /// Whether it is sent in binary.
    pub(crate) fn binary(&self) -> bool {
        self.shape.all(Kind::binds_binary)
    }
}

/// All that running a statement needs, worked out once.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) description: Description,
    pub(crate) parameters: Vec<ParameterType>,
    /// The format codes of the parameters, as Bind wants them.
    pub(crate) parameter_formats: Vec<u8>,
    pub(crate) columns: Vec<ColumnPlan>,
    /// The format codes of the columns, as Bind wants them.
    pub(crate) column_formats: Vec<u8>,
    /// The schema, as far as it is known before any row.
    pub(crate) schema: Arc<Schema>,
    /// The form of the rows, where every column has a fixed width.
    pub(crate) fixed: Option<FixedRows>,
    /// Whether a row can be had without columns.
    pub(crate) is_plain: bool,
    /// Where composites are among its types: which [state](Catalogue::composites) of what is known of
    /// them this is made of.
    composites: Option<u64>,
    /// Whether it may set something that lasts beyond its transaction.
    pub(crate) sets: bool,
}

impl Prepared {
    pub(crate) fn new(description: Description, catalogue: &Catalogue) -> Self {
        // Before anything is resolved: what is forgotten meanwhile makes this out of date.
        let state = catalogue.composites();
        let parameters: Vec<ParameterType> = description
            .parameters
            .iter()
            .map(|&oid| catalogue.resolve(oid, -1))
            .map(|resolved| ParameterType { name: resolved.name, shape: resolved.shape })
            .collect();
        let columns: Vec<ColumnPlan> = description
            .columns
            .iter()
            .map(|column| ColumnPlan::new(column, catalogue.resolve(column.oid, column.typmod)))
            .collect();
        let fields = columns.iter().map(|plan| Field::new(Arc::clone(&plan.name), plan.kind()));
        let has_composites = columns.iter().any(ColumnPlan::has_composites)
            || parameters.iter().any(|kind| kind.shape.has_composites());
        Self {
            composites: has_composites.then_some(state),
            sets: false,
            parameter_formats: encode::formats(parameters.iter().map(ParameterType::binary)),
            column_formats: encode::formats(columns.iter().map(ColumnPlan::binary)),
            schema: Arc::new(Schema::new(fields.collect())),
            fixed: FixedRows::new(&columns),
            is_plain: columns.iter().all(ColumnPlan::is_plain),
            description,
            parameters,
            columns,
        }
    }

    /// Whether composites are among its types.
    pub(crate) fn has_composites(&self) -> bool {
        self.composites.is_some()
    }

    /// Whether nothing that it is made of was found to be out of date.
    pub(crate) fn is_current(&self, catalogue: &Catalogue) -> bool {
        self.composites.is_none_or(|state| state == catalogue.composites())
    }

    /// For rows that were asked for in the formats of `self` and turn out to be `columns`: how to
    /// read them nevertheless, or the column that cannot be.
    pub(crate) fn described_anew(
        &self,
        columns: Vec<ColumnDescription>,
        catalogue: &Catalogue,
    ) -> Result<Self, ColumnPlan> {
        let parameters = self.description.parameters.clone();
        let mut anew = Self::new(Description { parameters, columns }, catalogue);
        anew.sets = self.sets;
        let all_binary = self.columns.iter().all(ColumnPlan::binary);
        for (at, plan) in anew.columns.iter_mut().enumerate() {
            let asked_binary = self.columns.get(at).map_or(all_binary, ColumnPlan::binary);
            match (asked_binary, plan.binary()) {
                (true, false) => return Err(plan.clone()),
                (false, true) => plan.become_text(),
                _ => {}
            }
        }
        let fields =
            anew.columns.iter().map(|plan| Field::new(Arc::clone(&plan.name), plan.kind()));
        anew.schema = Arc::new(Schema::new(fields.collect()));
        anew.fixed = FixedRows::new(&anew.columns);
        anew.is_plain = anew.columns.iter().all(ColumnPlan::is_plain);
        Ok(anew)
    }
}

/// The statements a connection has prepared, the least recently used given up first.
#[derive(Debug)]
pub(crate) struct StatementCache {
    entries: HashMap<u128, Entry, BuildHasherDefault<KeyHasher>>,
    limit: usize,
    clock: u64,
    last_number: u64,
    /// Statements given up that the server still keeps.
    to_close: Vec<u64>,
    /// Statements that are better sent anew each time.
    unnamed: HashSet<u128, BuildHasherDefault<KeyHasher>>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    prepared: Arc<Prepared>,
    used: u64,
}

impl StatementCache {
    /// A cache of `limit` statements, which are numbered from the one after `last_number`.
    pub(crate) fn new(limit: usize, last_number: u64) -> Self {
        let (entries, unnamed) = (HashMap::default(), HashSet::default());
        Self { entries, limit, clock: 0, last_number, to_close: Vec::new(), unnamed }
    }

    /// A number for a new statement; 0, the unnamed one, where none are kept, or not this one.
    pub(crate) fn next_number(&mut self, key: u128) -> u64 {
        if self.limit == 0 || self.unnamed.contains(&key) {
            return 0;
        }
        self.last_number = self.last_number.checked_add(1).unwrap_or(1);
        self.last_number
    }

    pub(crate) fn get(&mut self, key: u128) -> Option<(u64, &Arc<Prepared>)> {
        let entry = self.entries.get_mut(&key)?;
        self.clock += 1;
        entry.used = self.clock;
        Some((entry.number, &entry.prepared))
    }

    /// Gives the statement no name from now on: whoever stands between here and the server takes a
    /// new name of its text for an old one, whose plan is out of date.
    pub(crate) fn keep_unnamed(&mut self, key: u128) {
        if self.unnamed.len() >= CATALOGUE_STATEMENTS {
            self.unnamed.clear();
        }
        self.unnamed.insert(key);
    }

    /// Remembers a statement that has a number, and gives up others for it.
    pub(crate) fn insert(&mut self, key: u128, number: u64, prepared: Arc<Prepared>) {
        if number == 0 {
            return;
        }
        self.clock += 1;
        let entry = Entry { number, prepared, used: self.clock };
        if let Some(old) = self.entries.insert(key, entry) {
            self.to_close.push(old.number);
        }
        // A scan is fine: it happens once for each Parse, which costs the server far more.
        while self.entries.len() > self.limit {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some((&oldest, _)) = oldest else { break };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.to_close.push(entry.number);
            }
        }
    }

    /// Forgets a statement; the server is told with the next request.
    pub(crate) fn give_up(&mut self, key: u128, number: u64) {
        if self.remove(key, number) {
            self.to_close.push(number);
        }
    }

    /// Forgets a statement that the server does not have; whether it was known.
    pub(crate) fn remove(&mut self, key: u128, number: u64) -> bool {
        let is_kept = self.entries.get(&key).is_some_and(|entry| entry.number == number);
        is_kept && self.entries.remove(&key).is_some()
    }
    /// Forgets all: the server did.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.to_close.clear();
    }

    /// Whether Close messages are due.
    pub(crate) fn has_closes(&self) -> bool {
        !self.to_close.is_empty()
    }

    /// Appends the Close messages that are due; how many.
    pub(crate) fn write_closes(&mut self, out: &mut Vec<u8>) -> u32 {
        for &number in &self.to_close {
            encode::close(out, number);
        }
        let count = self.to_close.len() as u32;
        self.to_close.clear();
        count
    }

    #[cfg(test)]
    pub(crate) fn has(&self, key: u128) -> bool {
        self.entries.contains_key(&key)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Keys are 128-bit hashes already: their low half is as good as any hash of them.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64 ^ (key >> 64) as u64;
    }
}
