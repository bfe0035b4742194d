//! The attributes' names and types.

use std::io;

use rowmill_columns::{Field, Schema, Type};

use super::super::attributes::Attributes;
use super::out::Out;
use super::source::{Source, damaged};
use crate::ExprError;

pub(super) fn check(attributes: &Attributes) -> Result<(), ExprError> {
    let mut fields = attributes.schema().fields.iter();
    match fields.find(|field| code(&field.kind).is_none()) {
        None => Ok(()),
        Some(field) => Err(ExprError::new(format!(
            "the attribute {:?} is of a type that no snapshot has: declare it as one of a matcher's types",
            field.name
        ))),
    }
}

pub(super) fn write(attributes: &Attributes, out: &mut Out<'_>) -> io::Result<()> {
    let fields = &attributes.schema().fields;
    out.u64(fields.len() as u64)?;
    for field in fields {
        out.bytes(field.name.as_bytes())?;
        out.u32(code(&field.kind).unwrap_or(0))?;
    }
    Ok(())
}

pub(super) fn read(source: &mut Source<'_>) -> Result<Schema, ExprError> {
    let mut fields = Vec::new();
    for _ in 0..source.u64()? {
        let name = source.text()?;
        let kind = of_code(source.u32()?).ok_or_else(|| damaged("the type of an attribute"))?;
        fields.push(Field::new(name, kind));
    }
    if fields.len() > usize::from(u16::MAX) {
        return Err(damaged("too many attributes"));
    }
    Ok(Schema::new(fields))
}

/// Types by their number, for good.
const PLAIN: [Type; 22] = [
    Type::Null,
    Type::Bool,
    Type::Int8,
    Type::Int16,
    Type::Int32,
    Type::Int64,
    Type::UInt8,
    Type::UInt16,
    Type::UInt32,
    Type::UInt64,
    Type::Float32,
    Type::Float64,
    Type::Text,
    Type::Bytes,
    Type::Json,
    Type::Uuid,
    Type::Date,
    Type::Time,
    Type::Timestamp { utc: false },
    Type::Timestamp { utc: true },
    Type::Interval,
    Type::Enum,
];
const DECIMAL: u32 = 100;
/// Set for a list of what the rest says.
const LIST: u32 = 1 << 31;

fn code(kind: &Type) -> Option<u32> {
    match kind {
        Type::List(element) => {
            code(element).filter(|code| code & LIST == 0).map(|code| code | LIST)
        }
        Type::Decimal { precision, scale } => {
            Some(DECIMAL | u32::from(*precision) << 16 | u32::from(*scale as u8) << 8)
        }
        plain => PLAIN.iter().position(|one| one == plain).map(|at| at as u32),
    }
}

fn of_code(code: u32) -> Option<Type> {
    if code & LIST != 0 {
        return of_code(code & !LIST).map(|element| Type::List(Box::new(element)));
    }
    match PLAIN.get(code as usize) {
        Some(plain) => Some(plain.clone()),
        None if code & 0xff == DECIMAL => {
            let [_, scale, precision, rest] = code.to_le_bytes();
            let is_one = (1..=76).contains(&precision) && rest == 0;
            is_one.then_some(Type::Decimal { precision, scale: scale as i8 })
        }
        None => None,
    }
}
