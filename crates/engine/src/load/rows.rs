use std::fmt;
use std::sync::Arc;

use rowmill_columns::{Batch, Schema};

use crate::{Error, ErrorKind, Result};

/// The rows of a load, one part at a time: memory stays bounded by the largest.
pub struct Rows<'a> {
    parts: Box<dyn Iterator<Item = Result<Batch>> + Send + 'a>,
    /// What is left of the part that was begun.
    rest: Option<Batch>,
    /// The columns as the table names them, once there is a part.
    schema: Option<Arc<Schema>>,
    /// Names that are another in the table, or none.
    names: Vec<(String, Option<String>)>,
    given: u64,
    /// How many more may be given before a commit.
    left: usize,
    tell: Option<Box<dyn FnMut(u64) -> Result<()> + Send + 'a>>,
}

/// Some of the rows, and how many came before, for errors to count on.
pub(crate) struct Piece {
    pub(crate) batch: Batch,
    pub(crate) before: u64,
}

impl<'a> Rows<'a> {
    /// Rows that come in parts, all of the same columns. An error ends the load.
    pub fn parts(parts: impl Iterator<Item = Result<Batch>> + Send + 'a) -> Self {
        Self {
            parts: Box::new(parts),
            rest: None,
            schema: None,
            names: Vec::new(),
            given: 0,
            left: usize::MAX,
            tell: None,
        }
    }

    pub(super) fn rename(&mut self, names: Vec<(String, Option<String>)>) {
        self.names = names;
    }

    pub(super) fn tell(&mut self, tell: impl FnMut(u64) -> Result<()> + Send + 'a) {
        self.tell = Some(Box::new(tell));
    }

    /// Tells how far the load is.
    pub(crate) fn sent(&mut self, rows: u64) -> Result<()> {
        self.tell.as_mut().map_or(Ok(()), |tell| tell(rows))
    }

    pub(super) fn limit(&mut self, rows: Option<usize>) {
        self.left = rows.unwrap_or(usize::MAX);
    }

    /// Rows given out so far.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// The columns; `None` where there is no part at all.
    pub(crate) fn schema(&mut self) -> Result<Option<Arc<Schema>>> {
        if self.schema.is_none() {
            self.fetch()?;
        }
        Ok(self.schema.clone())
    }

    /// True once all rows were given.
    pub(super) fn is_over(&mut self) -> Result<bool> {
        if self.rest.is_none() {
            self.fetch()?;
        }
        Ok(self.rest.is_none())
    }

    /// The next rows, in their order.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>> {
        if self.left == 0 || self.is_over()? {
            return Ok(None);
        }
        let Some(batch) = self.rest.take() else { return Ok(None) };
        let rows = batch.rows().min(self.left);
        if rows < batch.rows() {
            self.rest = Some(batch.slice(rows, batch.rows() - rows));
        }
        let before = self.given;
        self.given += rows as u64;
        self.left -= rows;
        Ok(Some(Piece { batch: batch.slice(0, rows), before }))
    }

    /// Takes parts up to one that has rows.
    fn fetch(&mut self) -> Result<()> {
        while self.rest.is_none() {
            let Some(part) = self.parts.next() else { return Ok(()) };
            let part = part?;
            // An empty list, for one, has no columns: nothing to load, and nothing wrong with it.
            if part.columns().is_empty() && part.rows() == 0 {
                continue;
            }
            let part = named(part, &self.names)?;
            match &self.schema {
                None => self.schema = Some(checked(part.schema())?),
                Some(first) if same_names(first, part.schema()) => {}
                Some(first) => {
                    let message = format!(
                        "the part from row {} on has the columns {}, not {}",
                        self.given,
                        list(part.schema()),
                        list(first)
                    );
                    return Err(Error::new(ErrorKind::Programming, message));
                }
            }
            if part.rows() > 0 {
                self.rest = Some(part);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("given", &self.given).finish_non_exhaustive()
    }
}

fn same_names(a: &Schema, b: &Schema) -> bool {
    a.fields.iter().map(|field| &field.name).eq(b.fields.iter().map(|field| &field.name))
}

fn list(schema: &Schema) -> String {
    let names: Vec<_> = schema.fields.iter().map(|field| format!("{:?}", field.name)).collect();
    names.join(", ")
}

/// The part with its columns named as the table names them.
fn named(batch: Batch, names: &[(String, Option<String>)]) -> Result<Batch> {
    if names.is_empty() {
        return Ok(batch);
    }
    let mut fields = batch.schema().fields.clone();
    let mut is_wanted = vec![true; fields.len()];
    for (from, to) in names {
        let Some(at) = batch.schema().fields.iter().position(|field| *field.name == **from) else {
            let message =
                format!("the rows have no column {from:?}, only {}", list(batch.schema()));
            return Err(Error::new(ErrorKind::Programming, message));
        };
        match to {
            Some(to) => fields[at].name = to.as_str().into(),
            None => is_wanted[at] = false,
        }
    }
    let wanted: Vec<usize> = (0..fields.len()).filter(|at| is_wanted[*at]).collect();
    Ok(Batch::new(Arc::new(Schema::new(fields)), batch.columns().to_vec(), batch.rows())
        .select(&wanted))
}

/// Rows need columns, each of a name of its own.
fn checked(schema: &Arc<Schema>) -> Result<Arc<Schema>> {
    let message = match schema.repeated() {
        _ if schema.fields.is_empty() => "the rows have no columns".to_owned(),
        _ if schema.fields.iter().any(|field| field.name.is_empty()) => {
            "a column of the rows has no name; give it that of the table's".to_owned()
        }
        Some(field) => format!("two columns of the rows are named {:?}", field.name),
        None => return Ok(Arc::clone(schema)),
    };
    Err(Error::new(ErrorKind::Programming, message))
}
