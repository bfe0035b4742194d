use rowmill_columns::Scalar;

use super::{shaped, unfit, with_length};
use crate::catalogue::Member;

/// Appends a composite, given by its attributes' names or in their order: how many, then of each its
/// type and its value.
pub(super) fn write(out: &mut Vec<u8>, members: &[Member], value: &Scalar) -> Result<(), String> {
    let values = match value {
        Scalar::Struct(fields) => by_name(members, fields)?,
        Scalar::List(list) if list.len() == members.len() => list.iter().collect(),
        Scalar::List(list) => {
            let (wanted, given) = (members.len(), list.len());
            return Err(format!("wants {wanted} attributes ({}), not {given}", names(members)));
        }
        other => return Err(unfit(other, "its attributes, by name or in order")),
    };
    out.extend_from_slice(&(members.len() as u32).to_be_bytes());
    for (member, value) in members.iter().zip(values) {
        out.extend_from_slice(&member.oid.to_be_bytes());
        with_length(out, |out| shaped(out, &member.resolved.shape, value)).map_err(|message| {
            format!("attribute {:?} ({}): {message}", member.name, member.resolved.name)
        })?;
    }
    Ok(())
}

fn by_name<'a>(
    members: &[Member],
    fields: &'a [(String, Scalar)],
) -> Result<Vec<&'a Scalar>, String> {
    let mut pairs = members.iter().zip(fields);
    if members.len() == fields.len() && pairs.all(|(member, (name, _))| *member.name == **name) {
        return Ok(fields.iter().map(|(_, value)| value).collect());
    }
    if let Some((stranger, _)) =
        fields.iter().find(|(name, _)| members.iter().all(|member| *member.name != **name))
    {
        return Err(format!("has no attribute {stranger:?}, only {}", names(members)));
    }
    let named = |member: &Member| {
        let found = fields.iter().find(|(name, _)| **name == *member.name);
        let missing = || format!("wants the attribute {:?} too; None is NULL", member.name);
        found.map(|(_, value)| value).ok_or_else(missing)
    };
    members.iter().map(named).collect()
}

fn names(members: &[Member]) -> String {
    let names = members.iter().map(|member| &*member.name);
    names.collect::<Vec<_>>().join(", ")
}
