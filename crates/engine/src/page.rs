use std::sync::Arc;

use rowmill_columns::{Batch, Scalar, Schema};
use rowmill_expr::query::{Keyset, Place, Query, Select};

use crate::{Error, ErrorKind, Result};

/// A page to fetch: the query of it, and what becomes of its rows.
///
/// ```
/// use rowmill::expr::query::{Output, Query, Select, Source, Table};
/// use rowmill::expr::Expr;
/// use rowmill::{Ask, Database, Paging};
/// let db = Database::open("sqlite://")?;
/// db.script("create table t (id integer primary key); insert into t values (1), (2), (3)")?;
/// let mut select = Select::new(vec![Output { expression: Expr::named("id"), label: None }]);
/// let table = Table { schema: None, name: "t".into(), alias: None, columns: [].into() };
/// select.from = Some(Source::Table(table).into());
/// select.order = vec![Expr::named("id")];
/// let first = Paging::new(&select, 2, None, b"secret")?;
/// let page = first.finish(&db.ask(Ask::Query(first.query(), vec![])).fetch()?)?;
/// assert_eq!((page.rows.rows(), page.previous), (2, None));
/// let second = Paging::new(&select, 2, page.next.as_deref(), b"secret")?;
/// let page = second.finish(&db.ask(Ask::Query(second.query(), vec![])).fetch()?)?;
/// assert_eq!((page.rows.rows(), page.next), (1, None));
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Paging {
    keyset: Keyset,
    select: Arc<Select>,
    size: usize,
    place: Option<Place>,
    secret: Vec<u8>,
}

/// Rows, and the tokens of the pages beside them.
#[derive(Clone, Debug)]
pub struct Page {
    /// The rows, in the query's order.
    pub rows: Batch,
    /// The token of the page after this, where there is one.
    pub next: Option<String>,
    /// The token of the page before this, where there is one.
    pub previous: Option<String>,
}

impl Paging {
    /// The page of `size` rows that `token` means; none is the first. `secret` seals the tokens, so that they
    /// last as long as it does.
    ///
    /// # Errors
    /// `Programming` for a query that has no pages, `Data` for a token that is none of it.
    pub fn new(select: &Select, size: usize, token: Option<&str>, secret: &[u8]) -> Result<Self> {
        if size == 0 {
            return Err(Error::new(ErrorKind::Programming, "a page has one row at least"));
        }
        let keyset = Keyset::new(select)?;
        let signature = keyset.signature();
        // It came from outside, as data does.
        let opened = token.map(|token| Place::of(token, &signature, secret)).transpose();
        let place = opened.map_err(|error| Error::new(ErrorKind::Data, error.to_string()))?;
        let backwards = place.as_ref().is_some_and(|place| place.backwards);
        let values = place.as_ref().map(|place| place.values.as_slice());
        // One row more tells whether there is a page beyond.
        let select = keyset.page(size.saturating_add(1), values, backwards)?;
        Ok(Self { keyset, select: Arc::new(select), size, place, secret: secret.to_vec() })
    }

    /// Whether the page is before its token.
    pub fn is_backwards(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.backwards)
    }

    /// The query of the page.
    pub fn query(&self) -> Query {
        Query::Select(self.select())
    }

    /// The query of the page, as one that reads.
    pub fn select(&self) -> Arc<Select> {
        Arc::clone(&self.select)
    }

    /// The page, of the rows that the query gave.
    ///
    /// # Errors
    /// `Data` where a key's value cannot be kept in a token.
    pub fn finish(&self, found: &Batch) -> Result<Page> {
        let more = found.rows() > self.size;
        let rows = found.rows().min(self.size);
        let backwards = self.is_backwards();
        let kept = if backwards {
            let turned: Vec<u32> = (0..rows as u32).rev().collect();
            found.take(&turned).map_err(|error| Error::new(ErrorKind::Data, error.to_string()))?
        } else {
            found.slice(0, rows)
        };
        let (has_next, has_previous) = match (&self.place, backwards) {
            (None, _) => (more, false),
            (Some(_), false) => (more, true),
            (Some(_), true) => (true, more),
        };
        if more && self.place_of(found, rows - 1)? == self.place_of(found, rows)? {
            return Err(Error::new(
                ErrorKind::Data,
                "a page would end between two rows that the order does not tell apart, and the second be lost: \
                 declare the primary key with rm.pk(), or add columns to order_by() that are another in each row",
            ));
        }
        if rows > 0
            && let Some(place) = &self.place
            && self.keyset.is_beyond(&self.place_of(found, 0)?, &place.values, backwards)
                == Some(false)
        {
            return Err(Error::new(
                ErrorKind::Data,
                "the page begins with a row that the page before it had: the database does not order the keys by \
                 what they are read as",
            )
            .with_hint(
                "SQLite compares dates as they are written: keep all of a column in one form, \
                 YYYY-MM-DD HH:MM:SS[.ffffff] without trailing zeros, as Rowmill writes them",
            ));
        }
        let signature = self.keyset.signature();
        let token = |row: usize, backwards: bool| {
            let place = Place { values: self.place_of(&kept, row)?, backwards };
            place.token(&signature, &self.secret).map_err(Error::from)
        };
        let next = (has_next && rows > 0).then(|| token(rows - 1, false)).transpose()?;
        let previous = (has_previous && rows > 0).then(|| token(0, true)).transpose()?;
        Ok(Page { rows: self.named(&kept), next, previous })
    }

    /// The values of a row's keys.
    fn place_of(&self, rows: &Batch, row: usize) -> Result<Vec<Scalar>> {
        let value = |&column: &usize| {
            let value = rows.value(column, row).to_scalar();
            value.ok_or_else(|| {
                Error::new(ErrorKind::Data, "a key's value is below the microsecond")
            })
        };
        let place = self.keyset.columns().iter().map(value).collect::<Result<Vec<_>>>()?;
        match self.keyset.missing(&place) {
            None => Ok(place),
            Some(key) => Err(Error::new(
                ErrorKind::Data,
                format!(
                    "{key} is NULL here and declared to have a value, by which a page would lose rows: declare it \
                     as rm.Col[type | None]"
                ),
            )),
        }
    }

    /// The columns that were asked for. SQLite renames twins where a page is made of two ranges.
    fn named(&self, rows: &Batch) -> Batch {
        let asked = self.keyset.asked();
        let columns: Vec<usize> = (0..asked.len()).collect();
        let kept = rows.select(&columns);
        let mut fields = kept.schema().fields.clone();
        for (field, output) in fields.iter_mut().zip(asked) {
            if let Some(name) = output.name() {
                field.name = Arc::clone(name);
            }
        }
        Batch::new(Arc::new(Schema::new(fields)), kept.columns().to_vec(), kept.rows())
    }
}
