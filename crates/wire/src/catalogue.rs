use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::limits::{CATALOGUE_STATEMENTS, CATALOGUE_TYPES, TYPE_DEPTH, TYPE_PARTS};
use crate::oid::{self, Kind};
use crate::statement::Prepared;

/// What the connections of one database know together: its own types, and how its statements were
/// described, so that a connection that meets a statement first can run it in one round trip.
///
/// Share one among the sessions of one database, and of no other: OIDs mean nothing elsewhere.
#[derive(Debug, Default)]
pub struct Catalogue {
    types: RwLock<HashMap<u32, TypeInfo>>,
    /// How often composites were found to be out of date.
    composites: AtomicU64,
    statements: RwLock<HashMap<u128, Arc<Prepared>>>,
}

/// A type that is not built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeInfo {
    pub(crate) name: String,
    pub(crate) form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Enum,
    Domain {
        base: u32,
        typmod: i32,
    },
    Array {
        element: u32,
    },
    Range {
        subtype: u32,
    },
    Multirange {
        range: u32,
    },
    /// A composite's attributes, in order.
    Composite(Vec<Attribute>),
    /// A base type whose send function is named after it, as those of extensions are.
    Base,
    Other,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) oid: u32,
    pub(crate) typmod: i32,
}

impl Form {
    /// The types that this one is made of.
    fn parts(&self) -> impl Iterator<Item = u32> {
        let (one, attributes) = match self {
            Self::Domain { base: oid, .. }
            | Self::Array { element: oid }
            | Self::Range { subtype: oid }
            | Self::Multirange { range: oid } => (Some(*oid), &[][..]),
            Self::Composite(attributes) => (None, &attributes[..]),
            Self::Enum | Self::Base | Self::Other => (None, &[][..]),
        };
        one.into_iter().chain(attributes.iter().map(|attribute| attribute.oid))
    }
}

/// What a type comes down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Scalar(Kind),
    /// An array; `oid` is what its own header names the elements by.
    Array {
        oid: u32,
        element: Arc<Resolved>,
    },
    /// A range of such values.
    Range(Arc<Resolved>),
    /// Several ranges of such values.
    Multirange(Arc<Resolved>),
    Composite(Arc<[Member]>),
}

/// A type with its domains taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) typmod: i32,
}

/// An attribute of a composite; `oid` is what each value names its type by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: Arc<str>,
    pub(crate) oid: u32,
    pub(crate) resolved: Resolved,
}

impl Shape {
    /// Whether every kind that it is made of is `of_kind`.
    pub(crate) fn all(&self, of_kind: fn(Kind) -> bool) -> bool {
        match self {
            Self::Scalar(kind) => of_kind(*kind),
            Self::Array { element: part, .. } | Self::Range(part) | Self::Multirange(part) => {
                part.shape.all(of_kind)
            }
            Self::Composite(members) => {
                members.iter().all(|member| member.resolved.shape.all(of_kind))
            }
        }
    }

    fn has_ranges(&self) -> bool {
        match self {
            Self::Range(_) | Self::Multirange(_) => true,
            Self::Array { element, .. } => element.shape.has_ranges(),
            Self::Composite(members) => {
                members.iter().any(|member| member.resolved.shape.has_ranges())
            }
            Self::Scalar(_) => false,
        }
    }

    /// Whether a composite is among what it is made of.
    pub(crate) fn has_composites(&self) -> bool {
        match self {
            Self::Composite(_) => true,
            Self::Array { element: part, .. } | Self::Range(part) | Self::Multirange(part) => {
                part.shape.has_composites()
            }
            Self::Scalar(_) => false,
        }
    }
}

impl Catalogue {
    /// Which of these types, and of those they are made of, have still to be looked up.
    pub(crate) fn missing(&self, oids: impl Iterator<Item = u32>) -> Vec<u32> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        let mut ahead: Vec<u32> = oids.collect();
        // Each once, the first first; a type may be met along several ways.
        ahead.reverse();
        while let Some(oid) = ahead.pop() {
            if oid < oid::FIRST_USER_OID || !seen.insert(oid) {
                continue;
            }
            match types.get(&oid) {
                Some(known) => ahead.extend(known.form.parts()),
                None => missing.push(oid),
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

    /// The state of what is known of composites; another one when they are looked up anew.
    pub(crate) fn composites(&self) -> u64 {
        self.composites.load(Ordering::Relaxed)
    }

    /// Forgets the attributes of composite types, and all statements that know some: they are looked
    /// up anew. Sessions call it when they see that a type was altered, by anyone's statement that
    /// went through them; that somebody else renamed or exchanged attributes, values do not tell.
    pub fn forget_composites(&self) {
        let mut types = self.types.write().unwrap_or_else(PoisonError::into_inner);
        let known = types.len();
        types.retain(|_, known| !matches!(known.form, Form::Composite(_)));
        if types.len() == known {
            return;
        }
        self.composites.fetch_add(1, Ordering::Relaxed);
        let mut statements = self.statements.write().unwrap_or_else(PoisonError::into_inner);
        statements.retain(|_, prepared| !prepared.has_composites());
    }

    /// What a type comes down to; one that is not known is exchanged as text.
    pub(crate) fn resolve(&self, oid: u32, typmod: i32) -> Resolved {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        resolve(&types, oid, typmod, TYPE_DEPTH, &Cell::new(TYPE_PARTS))
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
        match types.get(&oid).map(|known| &known.form) {
            Some(Form::Domain { base, typmod: declared }) => {
                oid = *base;
                typmod = if typmod < 0 { *declared } else { typmod };
            }
            _ => break,
        }
    }
    (oid, typmod)
}

/// `depth` and `parts` bound what a false look-up can make of it.
fn resolve(types: &Types, oid: u32, typmod: i32, depth: usize, parts: &Cell<usize>) -> Resolved {
    let name = name(types, oid);
    let (oid, typmod) = base(types, oid, typmod);
    parts.set(parts.get().saturating_sub(1));
    let shape = match depth.checked_sub(1) {
        Some(depth) if parts.get() > 0 => nested(types, oid, typmod, depth, parts),
        _ => None,
    };
    Resolved { name, shape: shape.unwrap_or_else(|| Shape::Scalar(kind(types, oid))), typmod }
}

/// The shape of a type that is made of others.
fn nested(
    types: &Types,
    oid: u32,
    typmod: i32,
    depth: usize,
    parts: &Cell<usize>,
) -> Option<Shape> {
    let part = |oid, typmod| Arc::new(resolve(types, oid, typmod, depth, parts));
    Some(match types.get(&oid).map(|known| &known.form) {
        Some(Form::Array { element }) => {
            Shape::Array { oid: *element, element: part(*element, typmod) }
        }
        Some(Form::Range { subtype }) => Shape::Range(bound(part(*subtype, -1))?),
        Some(Form::Multirange { range }) => {
            Shape::Multirange(bound(part(subtype(types, *range)?, -1))?)
        }
        Some(Form::Composite(attributes)) => {
            let member = |attribute: &Attribute| Member {
                name: attribute.name.as_str().into(),
                oid: attribute.oid,
                resolved: resolve(types, attribute.oid, attribute.typmod, depth, parts),
            };
            Shape::Composite(attributes.iter().map(member).collect())
        }
        Some(_) => return None,
        None => match (oid::element(oid), oid::subtype(oid), oid::range(oid)) {
            (Some(element), ..) => Shape::Array { oid: element, element: part(element, typmod) },
            (_, Some(subtype), _) => Shape::Range(part(subtype, -1)),
            (.., Some(range)) => Shape::Multirange(part(oid::subtype(range)?, -1)),
            _ => return None,
        },
    })
}

/// What a range is of. Ranges of ranges are exchanged as text: each level has two bounds, and so
/// doubles what the type is made of.
fn bound(bound: Arc<Resolved>) -> Option<Arc<Resolved>> {
    (!bound.shape.has_ranges()).then_some(bound)
}

fn subtype(types: &Types, range: u32) -> Option<u32> {
    match types.get(&range).map(|known| &known.form) {
        Some(Form::Range { subtype }) => Some(*subtype),
        _ => oid::subtype(range),
    }
}

fn kind(types: &Types, oid: u32) -> Kind {
    match types.get(&oid) {
        Some(TypeInfo { form: Form::Enum, .. }) => Kind::Enum,
        Some(TypeInfo { form: Form::Base, name }) => {
            Kind::of_extension(name).unwrap_or(Kind::Unknown)
        }
        Some(_) => Kind::Unknown,
        None => oid::built_in(oid).map_or(Kind::Unknown, |(_, kind)| kind),
    }
}

/// The statement that looks types up, together with what arrays and domains are directly made of; the
/// attributes of composite ones come after them.
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
    // Servers before 14 have neither multiranges nor the column that names their ranges.
    format!(
        "with asked as (select t.* from pg_catalog.pg_type t where t.oid = any(array[{list}]::oid[] || \
         array(select unnest(array[u.typbasetype, u.typelem]) from pg_catalog.pg_type u \
         where u.oid in ({list})))) \
         select oid, form, base, typmod, element, name from (select 0 as rank, oid, \
         case when typtype = 'b' and typname || '_send' = (select proname from \
         pg_catalog.pg_proc p where p.oid = typsend) then 'base' else typtype::text end as form, case typtype when 'r' then (select rngsubtype from \
         pg_catalog.pg_range where rngtypid = asked.oid) when 'm' then (select rngtypid from \
         pg_catalog.pg_range r where (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid = asked.oid) \
         else typbasetype end as base, typtypmod as typmod, case when typcategory = 'A' and \
         typlen = -1 and typdelim = ',' then typelem else 0 end as element, typname as name \
         from asked union all select 1, asked.oid, 'attribute', atttypid, atttypmod, \
         attnum::int8::oid, attname from asked join pg_catalog.pg_attribute on attrelid = typrelid \
         where typrelid <> 0 and attnum > 0 and not attisdropped) a order by rank, oid, element"
    )
}

/// Adds a row that [`look_up`] gave, its cells as text, to what the rows before it told.
pub(crate) fn looked_up(found: &mut HashMap<u32, TypeInfo>, cells: &[Option<&str>]) -> Option<()> {
    let &[Some(oid), Some(form), base, Some(typmod), Some(element), Some(name)] = cells else {
        return None;
    };
    let (oid, typmod) = (oid.parse().ok()?, typmod.parse().ok()?);
    let base = base.and_then(|base| base.parse().ok()).unwrap_or(0);
    if form == "attribute" {
        if let Form::Composite(attributes) = &mut found.get_mut(&oid)?.form {
            attributes.push(Attribute { name: name.to_owned(), oid: base, typmod });
        }
        return Some(());
    }
    let element = element.parse().ok()?;
    let form = match form {
        "e" => Form::Enum,
        "d" => Form::Domain { base, typmod },
        "r" if base != 0 => Form::Range { subtype: base },
        "m" if base != 0 => Form::Multirange { range: base },
        "c" => Form::Composite(Vec::new()),
        "base" => Form::Base,
        _ if element != 0 => Form::Array { element },
        _ => Form::Other,
    };
    found.insert(oid, TypeInfo { name: name.to_owned(), form });
    Some(())
}
