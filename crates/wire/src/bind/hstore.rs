use rowmill_columns::Scalar;

use super::{Written, scalar, unfit, with_length};

/// Appends an `hstore`, given by names: how many pairs, then of each the key and the value, each with
/// its length.
pub(super) fn write(out: &mut Vec<u8>, value: &Scalar) -> Result<(), String> {
    // A map from elsewhere is a list of its entries.
    let entries;
    let pairs = match value {
        Scalar::Struct(pairs) => pairs,
        Scalar::List(list) => {
            entries = list.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
            &entries
        }
        other => return Err(unfit(other, "texts under texts")),
    };
    let count = i32::try_from(pairs.len()).map_err(|_| "it has too many pairs".to_owned())?;
    out.extend_from_slice(&count.to_be_bytes());
    for (key, value) in pairs {
        with_length(out, |out| scalar::text(out, key).map(|()| Written::Value))?;
        with_length(out, |out| match value {
            Scalar::Null => Ok(Written::Null),
            Scalar::Text(value) => scalar::text(out, value).map(|()| Written::Value),
            other => Err(format!("key {key:?}: {}", unfit(other, "text"))),
        })?;
    }
    Ok(())
}

fn entry(value: &Scalar) -> Result<(String, Scalar), String> {
    match value {
        Scalar::Struct(fields) => match fields.as_slice() {
            [(_, Scalar::Text(key)), (_, value)] => Ok((key.clone(), value.clone())),
            _ => Err("wants entries of a key and a value".to_owned()),
        },
        other => Err(unfit(other, "a key and a value")),
    }
}
