use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use crate::limits::{CATALOGUE_STATEMENTS, CATALOGUE_TYPES};
use crate::oid::{self, Kind};
use crate::statement::Prepared;

/// What the connections of one database know together: its own types, and how its statements were
/// described, so that a connection that meets a statement first can run it in one round trip.
///
/// Share one among the sessions of one database, and of no other: OIDs mean nothing elsewhere.
#[derive(Debug, Default)]
pub struct Catalogue {
    types: RwLock<HashMap<u32, TypeInfo>>,
    statements: RwLock<HashMap<u128, Arc<Prepared>>>,
}

/// A type that is not built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeInfo {
    pub(crate) name: String,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Enum,
    Domain { base: u32, typmod: i32 },
    Array { element: u32 },
    Other,
}

/// What a type comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Scalar(Kind),
    /// An array; `oid` is what its own header names the elements by.
    Array {
        oid: u32,
        element: Kind,
    },
}

/// A type with its domains taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) typmod: i32,
}

impl Catalogue {
    /// Which of these types, and of those they are made of, have still to be looked up.
    pub(crate) fn missing(&self, oids: impl Iterator<Item = u32>) -> Vec<u32> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        for mut oid in oids {
            // A type is made of one other at most; a chain as long as this is no chain of types.
            for _ in 0..64 {
                if oid < oid::FIRST_USER_OID {
                    break;
                }
                oid = match types.get(&oid).map(|known| known.form) {
                    Some(Form::Domain { base, .. }) => base,
                    Some(Form::Array { element }) => element,
                    Some(_) => break,
                    None => {
                        if !missing.contains(&oid) {
                            missing.push(oid);
                        }
                        break;
                    }
                };
            }
        }
        missing
    }

    /// Remembers types that were looked up.
    pub(crate) fn learn(&self, found: impl IntoIterator<Item = (u32, TypeInfo)>) {
        let mut types = self.types.write().unwrap_or_else(PoisonError::into_inner);
        if types.len() >= CATALOGUE_TYPES {
            types.clear();
        }
        // What is built in is known better than pg_type tells it.
        types.extend(found.into_iter().filter(|&(oid, _)| oid >= oid::FIRST_USER_OID));
    }

    /// What a type comes down to; one that is not known is exchanged as text.
    pub(crate) fn resolve(&self, oid: u32, typmod: i32) -> Resolved {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        let name = name(&types, oid);
        let (oid, typmod) = base(&types, oid, typmod);
        let element = match types.get(&oid).map(|known| known.form) {
            Some(Form::Array { element }) => Some(element),
            _ => oid::element(oid),
        };
        let Some(element) = element else {
            return Resolved { name, shape: Shape::Scalar(kind(&types, oid)), typmod };
        };
        let (element_base, typmod) = base(&types, element, typmod);
        let shape = Shape::Array { oid: element, element: kind(&types, element_base) };
        Resolved { name, shape, typmod }
    }

    /// How a statement was described to another session.
    pub(crate) fn statement(&self, key: u128) -> Option<Arc<Prepared>> {
        let statements = self.statements.read().unwrap_or_else(PoisonError::into_inner);
        statements.get(&key).cloned()
    }

    /// Remembers how a statement was described.
    pub(crate) fn share(&self, key: u128, prepared: &Arc<Prepared>) {
        let mut statements = self.statements.write().unwrap_or_else(PoisonError::into_inner);
        if statements.len() >= CATALOGUE_STATEMENTS && !statements.contains_key(&key) {
            // Any one goes: sessions keep what they use, this only saves a first round trip.
            if let Some(&other) = statements.keys().next() {
                statements.remove(&other);
            }
        }
        statements.insert(key, Arc::clone(prepared));
    }

    /// Forgets a description that proved out of date.
    pub(crate) fn forget(&self, key: u128) {
        self.statements.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

type Types = HashMap<u32, TypeInfo>;

/// A type's name, as SQL spells it.
fn name(types: &Types, oid: u32) -> String {
    if let Some((name, _)) = oid::built_in(oid) {
        return name.to_owned();
    }
    match types.get(&oid) {
        Some(TypeInfo { form: Form::Array { element }, .. }) => match types.get(element) {
            Some(element) => format!("{}[]", element.name),
            None => format!("{}[]", name_of_built_in(*element)),
        },
        Some(known) => known.name.clone(),
        None => match oid::element(oid) {
            Some(element) => format!("{}[]", name_of_built_in(element)),
            None => name_of_built_in(oid),
        },
    }
}

fn name_of_built_in(oid: u32) -> String {
    oid::built_in(oid).map_or_else(|| format!("type {oid}"), |(name, _)| name.to_owned())
}

/// A type and its modifier with domains taken off.
fn base(types: &Types, mut oid: u32, mut typmod: i32) -> (u32, i32) {
    for _ in 0..64 {
        match types.get(&oid).map(|known| known.form) {
            Some(Form::Domain { base, typmod: declared }) => {
                oid = base;
                typmod = if typmod < 0 { declared } else { typmod };
            }
            _ => break,
        }
    }
    (oid, typmod)
}

fn kind(types: &Types, oid: u32) -> Kind {
    match types.get(&oid).map(|known| known.form) {
        Some(Form::Enum) => Kind::Enum,
        Some(_) => Kind::Unknown,
        None => oid::built_in(oid).map_or(Kind::Unknown, |(_, kind)| kind),
    }
}

/// The statement that looks types up, together with what they are directly made of.
///
/// It reads a few rows by primary key and has no recursion, so that no planner setting, JIT
/// compilation among them, can make it slow.
pub(crate) fn look_up(oids: &[u32]) -> String {
    let mut list = String::new();
    for oid in oids {
        let comma = if list.is_empty() { "" } else { "," };
        let written = write!(list, "{comma}{oid}");
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    let row = "select t.oid, t.typtype, t.typbasetype, t.typtypmod, \
               case when t.typcategory = 'A' and t.typlen = -1 then t.typelem else 0 end, \
               t.typname from pg_catalog.pg_type t";
    format!(
        "{row} where t.oid in ({list}) union {row} join pg_catalog.pg_type u \
         on t.oid in (u.typbasetype, u.typelem) where u.oid in ({list})"
    )
}

/// A row that [`look_up`] gave, its cells as text.
pub(crate) fn looked_up(cells: &[Option<&str>]) -> Option<(u32, TypeInfo)> {
    let &[Some(oid), Some(form), Some(base), Some(typmod), Some(element), Some(name)] = cells
    else {
        return None;
    };
    let element = element.parse().ok()?;
    let form = match form {
        "e" => Form::Enum,
        "d" => Form::Domain { base: base.parse().ok()?, typmod: typmod.parse().ok()? },
        _ if element != 0 => Form::Array { element },
        _ => Form::Other,
    };
    Some((oid.parse().ok()?, TypeInfo { name: name.to_owned(), form }))
}
