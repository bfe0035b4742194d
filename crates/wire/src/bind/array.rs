use rowmill_columns::{Elements, Scalar};

use super::{scalar, shaped, with_length};
use crate::catalogue::{Member, Shape};
use crate::limits::ARRAY_DIMENSIONS;
use crate::oid::Kind;

/// The length of each dimension, read along the first elements; none for an empty list.
fn dimensions(list: &[Scalar]) -> Result<Vec<usize>, String> {
    let mut lengths = vec![list.len()];
    let mut first = list.first();
    while let Some(Scalar::List(inner)) = first {
        if lengths.len() == ARRAY_DIMENSIONS {
            return Err(format!(
                "lists are nested deeper than the {ARRAY_DIMENSIONS} dimensions \
                                of an array"
            ));
        }
        lengths.push(inner.len());
        first = inner.first();
    }
    match lengths.as_slice() {
        [0] => Ok(Vec::new()),
        lengths if lengths.contains(&0) => {
            Err("PostgreSQL cannot store a list of empty lists".to_owned())
        }
        _ => Ok(lengths),
    }
}

/// Whether the elements themselves are lists: composites may be given in the order of their
/// attributes.
fn given_as_lists(element: &Shape, list: &[Scalar]) -> Result<bool, String> {
    match element {
        Shape::Multirange(_) | Shape::Array { .. } | Shape::Scalar(Kind::Vector) => Ok(true),
        Shape::Composite(members) => match leaf(members, list) {
            Leaf::Element => Ok(false),
            Leaf::Other => Ok(true),
            Leaf::Nothing if !list.iter().any(|value| matches!(value, Scalar::List(_))) => {
                Ok(false)
            }
            Leaf::Nothing => Err("lists of nothing but None may be composites or lists of them; \
                                  give composites by their attributes' names"
                .to_owned()),
        },
        _ => Ok(false),
    }
}

/// What stands at the end of the lists.
enum Leaf {
    /// A composite, by the names of its attributes.
    Element,
    Other,
    /// NULLs alone.
    Nothing,
}

fn leaf(members: &[Member], list: &[Scalar]) -> Leaf {
    let is_member = |name: &str| members.iter().any(|member| &*member.name == name);
    let mut found = Leaf::Nothing;
    for value in list {
        match value {
            Scalar::Null => {}
            Scalar::Struct(fields) if fields.iter().all(|(name, _)| is_member(name)) => {
                return Leaf::Element;
            }
            Scalar::List(inner) => match leaf(members, inner) {
                Leaf::Element => return Leaf::Element,
                Leaf::Other => found = Leaf::Other,
                Leaf::Nothing => {}
            },
            _ => found = Leaf::Other,
        }
    }
    found
}

/// Calls `element` with each element in order, and sees to it that `list` has these dimensions.
fn each(
    list: &[Scalar],
    lengths: &[usize],
    element: &mut impl FnMut(&Scalar) -> Result<(), String>,
) -> Result<(), String> {
    let Some((&length, inner)) = lengths.split_first() else { return Ok(()) };
    if list.len() != length {
        return Err(ragged());
    }
    for value in list {
        match value {
            Scalar::List(list) if !inner.is_empty() => each(list, inner, element)?,
            _ if !inner.is_empty() => return Err(ragged()),
            value => element(value)?,
        }
    }
    Ok(())
}

#[cold]
fn ragged() -> String {
    "the lists within the list differ in length or depth, which no array can".to_owned()
}

/// Appends an array in binary.
pub(super) fn write(
    out: &mut Vec<u8>,
    oid: u32,
    element: &Shape,
    list: &Elements,
) -> Result<(), String> {
    let lengths = if list.is_empty() {
        Vec::new()
    } else if list.integers().is_some() || given_as_lists(element, list)? {
        vec![list.len()]
    } else {
        dimensions(list)?
    };
    let start = out.len();
    out.extend_from_slice(&(lengths.len() as u32).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&oid.to_be_bytes());
    for &length in &lengths {
        let length = i32::try_from(length).map_err(|_| "it has too many elements".to_owned())?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
    if let (Shape::Scalar(kind), Some(values)) = (element, list.integers())
        && integers(out, *kind, values)
    {
        return Ok(());
    }
    let (mut count, mut has_null) = (0_usize, false);
    each(list, &lengths, &mut |value| {
        count += 1;
        has_null |= *value == Scalar::Null;
        with_length(out, |out| match (element, value) {
            (Shape::Scalar(kind), Scalar::List(_)) if *kind != Kind::Vector => Err(ragged()),
            (element, value) => shaped(out, element, value),
        })
        .map_err(|message| format!("element {count}: {message}"))
    })?;
    out[start + 7] = u8::from(has_null);
    Ok(())
}

/// Appends the elements without a match on each: keys to look for come by the ten thousand. Nothing is appended where
/// the array is none of integers, or one is beyond them.
fn integers(out: &mut Vec<u8>, kind: Kind, values: &[i64]) -> bool {
    match kind {
        Kind::Int8 => elements(out, values, |value| value.to_be_bytes()),
        Kind::Int4 if values.iter().all(|&value| i32::try_from(value).is_ok()) => {
            elements(out, values, |value| (value as i32).to_be_bytes());
        }
        _ => return false,
    }
    true
}

fn elements<const WIDTH: usize>(
    out: &mut Vec<u8>,
    values: &[i64],
    bytes: impl Fn(i64) -> [u8; WIDTH],
) {
    let (start, width) = (out.len(), 4 + WIDTH);
    out.resize(start + width * values.len(), 0);
    for (element, &value) in out[start..].chunks_exact_mut(width).zip(values) {
        element[3] = WIDTH as u8;
        element[4..].copy_from_slice(&bytes(value));
    }
}

/// Appends an array as the text PostgreSQL reads: `{"a","b\"c",NULL}`.
pub(super) fn write_text(out: &mut Vec<u8>, kind: Kind, list: &[Scalar]) -> Result<(), String> {
    let lengths = dimensions(list)?;
    if lengths.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    let (mut count, mut text) = (0_usize, Vec::new());
    each(list, &lengths, &mut |value| {
        open(out, &lengths, count);
        count += 1;
        if *value == Scalar::Null {
            out.extend_from_slice(b"NULL");
        } else {
            text.clear();
            scalar::write(&mut text, kind, value)
                .map_err(|message| format!("element {count}: {message}"))?;
            out.push(b'"');
            for &byte in &text {
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b'"');
        }
        close(out, &lengths, count);
        Ok(())
    })
}

/// Appends the braces and commas before element `at`, counted from 0.
fn open(out: &mut Vec<u8>, lengths: &[usize], at: usize) {
    if at > 0 {
        out.push(b',');
    }
    let mut inner = 1;
    for &length in lengths.iter().rev() {
        inner *= length;
        if at.is_multiple_of(inner) {
            out.push(b'{');
        }
    }
}

/// Appends the braces after the first `count` elements.
fn close(out: &mut Vec<u8>, lengths: &[usize], count: usize) {
    let mut inner = 1;
    for &length in lengths.iter().rev() {
        inner *= length;
        if count.is_multiple_of(inner) {
            out.push(b'}');
        }
    }
}
