use std::sync::Arc;

use rowmill_columns::Type;
use rowmill_columns::build::Bytes;

use super::column::ColumnDecoder;
use super::text_array::TextArrayDecoder;
use super::{CellError, first};
use crate::DecodeError;
use crate::catalogue::{Resolved, Shape};
use crate::error::COMPOSITE_ALTERED;
use crate::message::ColumnDescription;
use crate::oid::Kind;

/// How one column is read, worked out once for a statement.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) name: Arc<str>,
    resolved: Arc<Resolved>,
    read: Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// In text format, whatever it is.
    AsText,
    /// In text format: an array of what is exchanged as text.
    TextArray,
    /// In binary.
    Binary,
}

impl ColumnPlan {
    pub(crate) fn new(column: &ColumnDescription, resolved: Resolved) -> Self {
        let read = match &resolved.shape {
            _ if resolved.decodes_binary() => Read::Binary,
            // The notation of arrays of arrays by way of a domain is that of their texts.
            Shape::Array { element, .. } if !matches!(element.shape, Shape::Array { .. }) => {
                Read::TextArray
            }
            _ => Read::AsText,
        };
        Self { name: Arc::clone(&column.name), resolved: Arc::new(resolved), read }
    }

    /// Whether its values go into a row without columns.
    pub(crate) fn is_plain(&self) -> bool {
        self.scalar_kind().is_some_and(first::is_plain)
    }

    /// The kind that its cells are read as, unless that is made of others.
    pub(super) fn scalar_kind(&self) -> Option<Kind> {
        match (self.read, &self.resolved.shape) {
            (Read::AsText, _) => Some(Kind::Text),
            (Read::Binary, Shape::Scalar(kind)) => Some(*kind),
            _ => None,
        }
    }

    /// Whether it is asked for in binary.
    pub(crate) fn binary(&self) -> bool {
        self.read == Read::Binary
    }

    /// Reads the column as text, whatever its type.
    pub(crate) fn become_text(&mut self) {
        self.read = Read::AsText;
    }

    /// Whether a composite is among what its type is made of.
    pub(crate) fn has_composites(&self) -> bool {
        self.resolved.shape.has_composites()
    }

    /// The column's type, as far as it is known before any row.
    pub(crate) fn kind(&self) -> Type {
        match self.read {
            Read::AsText => Type::Text,
            Read::TextArray => Type::List(Box::new(Type::Text)),
            Read::Binary => self.resolved.column_type(),
        }
    }

    /// An empty decoder of this column.
    pub(crate) fn decoder(&self) -> ColumnDecoder {
        match self.read {
            Read::AsText => ColumnDecoder::Plain(Bytes::text()),
            Read::TextArray => ColumnDecoder::TextArray(Box::new(TextArrayDecoder::new())),
            Read::Binary => self.resolved.decoder(),
        }
    }

    /// What to say of a value of this column, in row `row` of the result, that could not be taken.
    pub(crate) fn error(&self, row: u64, message: impl Into<String>) -> DecodeError {
        DecodeError {
            column: self.name.to_string(),
            row,
            type_name: self.resolved.name.clone(),
            message: message.into(),
        }
    }

    /// As [`error`](Self::error), of text that is not UTF-8.
    pub(crate) fn not_utf8(&self, row: u64) -> DecodeError {
        let name = self.name.replace('"', "\"\"");
        self.error(
            row,
            format!(
                "text that is not UTF-8; cast it to bytea, as in convert_to(\"{name}\", 'SQL_ASCII')"
            ),
        )
    }

    /// As [`error`](Self::error), of what a decoder said, with the way out.
    pub(crate) fn cell_error(&self, row: u64, error: CellError) -> DecodeError {
        let what = match error {
            CellError::NotUtf8 => return self.not_utf8(row),
            CellError::Malformed(what) | CellError::Unrepresentable(what) => what.to_owned(),
            CellError::Altered => {
                let way_out = "run the statement again, which looks them up anew";
                return self.error(row, format!("{COMPOSITE_ALTERED}; {way_out}"));
            }
            CellError::Depth { column, value } => format!(
                "an array of {value} dimensions, where earlier ones of the column have {column}"
            ),
        };
        let name = self.name.replace('"', "\"\"");
        self.error(row, format!("{what}; cast it in the statement: \"{name}\"::text"))
    }
}
