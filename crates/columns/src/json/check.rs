use arrow_schema::{DataType, Field};

use super::validate::validate_utf8;
use crate::value::{Extension, read};
use crate::{Batch, ColumnError, Schema, Type, Value};

/// Checks every json cell of the batch before anything of it is written.
pub(super) fn check_json(batch: &Batch) -> Result<(), ColumnError> {
    for (field, column) in batch.schema().fields.iter().zip(batch.columns()) {
        if !may_hold_json(&field.kind) {
            continue;
        }
        let extension = Extension::of_type(&field.kind);
        for row in 0..batch.rows() {
            if let Err(position) = check(&read(column.array(), extension, row)) {
                let name = &field.name;
                return Err(ColumnError::new(format!(
                    "column {name:?}, row {row}: the text is not JSON, see its byte {position}"
                )));
            }
        }
    }
    Ok(())
}

fn check(value: &Value<'_>) -> Result<(), usize> {
    match value {
        Value::Json(text) => validate_utf8(text.as_bytes()),
        Value::List(list) => list.iter().try_for_each(|value| check(&value)),
        Value::Struct(fields) => fields.iter().try_for_each(|(_, value)| check(&value)),
        Value::Map(entries) => entries.iter().try_for_each(|(_, value)| check(&value)),
        _ => Ok(()),
    }
}

fn may_hold_json(kind: &Type) -> bool {
    match kind {
        Type::Json => true,
        Type::List(element) => may_hold_json(element),
        Type::Foreign(foreign) => nested(foreign.storage()),
        _ => false,
    }
}

fn nested(kind: &DataType) -> bool {
    use DataType as D;
    let field =
        |field: &Field| Extension::of(field) == Extension::Json || nested(field.data_type());
    match kind {
        D::List(item)
        | D::LargeList(item)
        | D::ListView(item)
        | D::LargeListView(item)
        | D::FixedSizeList(item, _)
        | D::Map(item, _)
        | D::RunEndEncoded(_, item) => field(item),
        D::Struct(fields) => fields.iter().any(|item| field(item)),
        D::Union(fields, _) => fields.iter().any(|(_, item)| field(item)),
        D::Dictionary(_, values) => nested(values),
        _ => false,
    }
}

/// An object holds one value for each name: most parsers keep the last and say nothing.
pub(super) fn check_names(schema: &Schema) -> Result<(), ColumnError> {
    schema.repeated().map_or(Ok(()), |field| {
        Err(ColumnError::new(format!(
            "two columns are named {:?}, which a JSON object cannot hold; name them apart with AS in \
             the query",
            field.name
        )))
    })
}
