use std::sync::Arc;

use rowmill_columns::Type;
use rowmill_columns::build::Bytes;

use super::column::ColumnDecoder;
use super::reader::Reader;
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
    /// PostgreSQL's name of its type.
    type_name: Arc<str>,
    read: Read,
    has_composites: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Read {
    /// In text format, whatever it is.
    AsText,
    /// In text format: an array of what is exchanged as text.
    TextArray,
    /// In binary.
    Binary(Reader),
}

impl ColumnPlan {
    pub(crate) fn new(column: &ColumnDescription, resolved: Resolved) -> Self {
        let read = match Reader::new(&resolved) {
            Some(reader) => Read::Binary(reader),
            None => match &resolved.shape {
                // The notation of arrays of arrays by way of a domain is that of their texts.
                Shape::Array { element, .. } if !matches!(element.shape, Shape::Array { .. }) => {
                    Read::TextArray
                }
                _ => Read::AsText,
            },
        };
        let has_composites = resolved.shape.has_composites();
        let (name, type_name) = (Arc::clone(&column.name), resolved.name.into());
        Self { name, type_name, read, has_composites }
    }

    /// Whether its values go into a row without columns.
    pub(crate) fn is_plain(&self) -> bool {
        match &self.read {
            Read::AsText => true,
            Read::Binary(Reader::Scalar(scalar)) => first::is_plain(scalar.kind),
            Read::Binary(_) | Read::TextArray => false,
        }
    }

    /// How its cells are read, where it is [plain](Self::is_plain).
    pub(super) fn plain_kind(&self) -> Kind {
        match &self.read {
            Read::Binary(Reader::Scalar(scalar)) => scalar.kind,
            Read::AsText | Read::TextArray | Read::Binary(_) => Kind::Text,
        }
    }

    /// Whether it is asked for in binary.
    pub(crate) fn binary(&self) -> bool {
        matches!(self.read, Read::Binary(_))
    }

    /// Reads the column as text, whatever its type.
    pub(crate) fn become_text(&mut self) {
        self.read = Read::AsText;
    }

    /// Whether a composite is among what its type is made of.
    pub(crate) fn has_composites(&self) -> bool {
        self.has_composites
    }

    /// The column's type, as far as it is known before any row.
    pub(crate) fn kind(&self) -> Type {
        match &self.read {
            Read::AsText => Type::Text,
            Read::TextArray => Type::List(Box::new(Type::Text)),
            Read::Binary(reader) => reader.column_type(),
        }
    }

    /// An empty decoder of this column.
    pub(crate) fn decoder(&self) -> ColumnDecoder {
        match &self.read {
            Read::AsText => ColumnDecoder::Plain(Bytes::text()),
            Read::TextArray => ColumnDecoder::TextArray(Box::new(TextArrayDecoder::new())),
            Read::Binary(reader) => reader.decoder(),
        }
    }

    /// What to say of a value of this column, in row `row` of the result, that could not be taken.
    pub(crate) fn error(&self, row: u64, message: impl Into<String>) -> DecodeError {
        DecodeError {
            column: self.name.to_string(),
            row,
            type_name: self.type_name.to_string(),
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
