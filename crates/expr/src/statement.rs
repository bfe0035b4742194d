use std::sync::Arc;

use crate::StatementError;
use crate::kind::Kind;
use crate::lexer::{Placeholder, placeholders};

/// Whose SQL a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Parameters are written `$1`.
    Postgres,
    /// Parameters are written `?1`.
    Sqlite,
}

/// The parameters a statement's text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// `$1` to `$n`: how many. 0 where the text holds none of ours (SQLite's own `?` is left to it).
    Numbered(usize),
    /// `:name`, in the order of first use; a name used twice is one parameter.
    Named(Vec<Box<str>>),
}

/// SQL in a database's own spelling, with its parameters and a 128-bit identity.
///
/// ```
/// use rowmill_expr::{Dialect, Parameters, Statement};
/// let sql = "select * from orders where total > :floor and tax < :floor and note <> ':x'";
/// let statement = Statement::parse(sql, Dialect::Postgres)?;
/// assert_eq!(&**statement.text(), "select * from orders where total > $1 and tax < $1 and note <> ':x'");
/// assert_eq!(*statement.parameters(), Parameters::Named(vec!["floor".into()]));
/// # Ok::<(), rowmill_expr::StatementError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Statement {
    source: Arc<str>,
    text: Arc<str>,
    /// For each placeholder: the characters of the text up to its end, and of the source up to its.
    ends: Vec<(usize, usize)>,
    key: u128,
    parameters: Parameters,
    kinds: Option<Arc<[Kind]>>,
}

impl Statement {
    /// Reads the placeholders of `sql` and spells them for `dialect`.
    ///
    /// # Errors
    /// Where `$n` and `:name` are mixed, or `$n` is not from 1 to 65,535.
    pub fn parse(sql: &str, dialect: Dialect) -> Result<Self, StatementError> {
        let found = placeholders(sql)?;
        let mut text = String::with_capacity(sql.len());
        let mut names: Vec<Box<str>> = Vec::new();
        let mut highest = 0;
        let mut copied = 0;
        let mut ends = Vec::with_capacity(found.len());
        let (mut text_chars, mut source_chars) = (0, 0);
        let mark = match dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite => '?',
        };
        for placeholder in found {
            let (start, end, number) = match placeholder {
                Placeholder::Number { start, end, number } => {
                    highest = highest.max(number);
                    (start, end, number)
                }
                Placeholder::Name { start, end, name } => {
                    let known = names.iter().position(|known| **known == *name);
                    let at = known.unwrap_or_else(|| {
                        names.push(name.into());
                        names.len() - 1
                    });
                    (start, end, at + 1)
                }
            };
            if highest > 0 && !names.is_empty() {
                let message = "the statement mixes $1 and :name parameters; use one kind";
                return Err(StatementError::at(message, sql[..start].chars().count() + 1));
            }
            let between = sql[copied..start].chars().count();
            text.push_str(&sql[copied..start]);
            let spelled = format!("{mark}{number}");
            text.push_str(&spelled);
            text_chars += between + spelled.len();
            source_chars += between + sql[start..end].chars().count();
            ends.push((text_chars, source_chars));
            copied = end;
        }
        text.push_str(&sql[copied..]);
        let parameters =
            if names.is_empty() { Parameters::Numbered(highest) } else { Parameters::Named(names) };
        let key = identity(&text);
        let text: Arc<str> = text.into();
        let source = if *text == *sql { Arc::clone(&text) } else { sql.into() };
        Ok(Self { source, text, ends, key, parameters, kinds: None })
    }

    /// A text that is in the database's own spelling, with so many parameters.
    pub fn ready(text: Arc<str>, parameters: usize) -> Self {
        let key = identity(&text);
        let source = Arc::clone(&text);
        let parameters = Parameters::Numbered(parameters);
        Self { source, text, ends: Vec::new(), key, parameters, kinds: None }
    }

    /// The same, read as columns of these kinds where the database itself does not say what they hold. It is
    /// another statement than the same text without.
    #[must_use]
    pub fn of_kinds(self, kinds: &[Kind]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.text.as_bytes());
        for kind in kinds {
            // No text has this byte, so that no other text ends alike.
            hasher.update(&[0xFF]);
            hasher.update(&kind.tag().to_le_bytes());
        }
        let key = shortened(hasher.finalize());
        Self { key, kinds: Some(kinds.into()), ..self }
    }

    /// What its columns hold, where that is known.
    pub fn kinds(&self) -> Option<&Arc<[Kind]>> {
        self.kinds.as_ref()
    }

    /// The SQL, in the database's own spelling.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The SQL as it was written.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Where in [`source`](Self::source) a place in [`text`](Self::text) is, both counted in
    /// characters from 1: databases report places in the text they were given.
    pub fn source_position(&self, position: usize) -> usize {
        let next = self.ends.partition_point(|(text_end, _)| *text_end < position);
        let (text_end, source_end) = next.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let place = position - text_end + source_end;
        // Within `$10`, of which the source may have had fewer letters, it is none beyond them.
        self.ends.get(next).map_or(place, |(_, source_end)| place.min(*source_end))
    }

    /// The statement's identity: equal for equal texts, and not to be forged (128 bits of BLAKE3),
    /// since SQL may hold what a user typed.
    pub fn key(&self) -> u128 {
        self.key
    }

    /// The parameters the text asks for.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Puts named arguments in the order of the statement's parameters.
    ///
    /// # Errors
    /// Names a parameter that has no argument, or an argument that no parameter asks for.
    pub fn arrange<T>(&self, named: Vec<(String, T)>) -> Result<Vec<T>, StatementError> {
        let names: &[Box<str>] = match &self.parameters {
            Parameters::Named(names) => names,
            Parameters::Numbered(_) => &[],
        };
        let mut slots: Vec<Option<T>> = names.iter().map(|_| None).collect();
        for (name, value) in named {
            match names.iter().position(|known| **known == *name) {
                Some(at) => slots[at] = Some(value),
                None => {
                    let wanted = match &self.parameters {
                        Parameters::Numbered(0) => "none".to_owned(),
                        Parameters::Numbered(count) => format!("$1 to ${count}, by position"),
                        Parameters::Named(names) => list(names),
                    };
                    let message =
                        format!("the statement has no parameter :{name}; it takes {wanted}");
                    return Err(StatementError::new(message));
                }
            }
        }
        let missing: Vec<Box<str>> = names
            .iter()
            .zip(&slots)
            .filter(|(_, slot)| slot.is_none())
            .map(|(name, _)| name.clone())
            .collect();
        if !missing.is_empty() {
            return Err(StatementError::new(format!("no value for {}", list(&missing))));
        }
        Ok(slots.into_iter().flatten().collect())
    }
}

fn identity(text: &str) -> u128 {
    shortened(blake3::hash(text.as_bytes()))
}

fn shortened(hash: blake3::Hash) -> u128 {
    hash.as_bytes().first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

fn list(names: &[Box<str>]) -> String {
    names.iter().map(|name| format!(":{name}")).collect::<Vec<_>>().join(", ")
}
