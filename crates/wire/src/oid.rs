//! PostgreSQL's built-in types by their OIDs, which never change.

/// How the values of a type are written on the wire, as far as this crate reads and writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    /// `oid`, `xid`, `cid`: unsigned, 32 bits.
    Oid,
    Float4,
    Float8,
    Numeric,
    /// `text`, `varchar`, `bpchar`, `name`: the same bytes in both formats.
    Text,
    /// `"char"`: one byte.
    Char,
    Bytea,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Interval,
    /// `xid8`: unsigned, 64 bits.
    Xid8,
    Uuid,
    Json,
    Jsonb,
    Enum,
    /// `inet`, `cidr`: read into their text, sent as it. So are the next three.
    Inet,
    /// `macaddr`, `macaddr8`.
    Macaddr,
    /// `bit`, `varbit`.
    Bits,
    Timetz,
    /// Of the extension of that name: text under text.
    Hstore,
    /// Of the extension pgvector: floats of 32 bits.
    Vector,
    /// As [`Vector`](Self::Vector), floats of 16 bits on the wire.
    Halfvec,
    /// What functions without a result give.
    Void,
    /// Any other: exchanged as text.
    Unknown,
}

impl Kind {
    /// Whether columns of this kind are asked for in binary.
    pub(crate) fn decodes_binary(self) -> bool {
        self != Self::Unknown
    }

    /// Whether parameters of this kind are sent in binary.
    pub(crate) fn binds_binary(self) -> bool {
        !matches!(
            self,
            Self::Unknown
                | Self::Void
                | Self::Inet
                | Self::Macaddr
                | Self::Bits
                | Self::Timetz
                | Self::Halfvec
        )
    }

    /// The kind of an extension's type, by its name.
    pub(crate) fn of_extension(name: &str) -> Option<Self> {
        match name {
            "hstore" => Some(Self::Hstore),
            "vector" => Some(Self::Vector),
            "halfvec" => Some(Self::Halfvec),
            _ => None,
        }
    }
}

/// A built-in type: its OID, its name, its kind, its array type (0 where it is of no use here).
type Entry = (u32, &'static str, Kind, u32);

/// The types that are read and written, sorted by OID.
const TYPES: &[Entry] = &[
    (16, "bool", Kind::Bool, 1000),
    (17, "bytea", Kind::Bytea, 1001),
    (18, "\"char\"", Kind::Char, 1002),
    (19, "name", Kind::Text, 1003),
    (20, "int8", Kind::Int8, 1016),
    (21, "int2", Kind::Int2, 1005),
    (23, "int4", Kind::Int4, 1007),
    (24, "regproc", Kind::Unknown, 1008),
    (25, "text", Kind::Text, 1009),
    (26, "oid", Kind::Oid, 1028),
    (27, "tid", Kind::Unknown, 1010),
    (28, "xid", Kind::Oid, 1011),
    (29, "cid", Kind::Oid, 1012),
    (114, "json", Kind::Json, 199),
    (142, "xml", Kind::Unknown, 143),
    (194, "pg_node_tree", Kind::Unknown, 0),
    (600, "point", Kind::Unknown, 1017),
    (601, "lseg", Kind::Unknown, 1018),
    (602, "path", Kind::Unknown, 1019),
    (603, "box", Kind::Unknown, 0),
    (604, "polygon", Kind::Unknown, 1027),
    (628, "line", Kind::Unknown, 629),
    (650, "cidr", Kind::Inet, 651),
    (700, "float4", Kind::Float4, 1021),
    (701, "float8", Kind::Float8, 1022),
    (705, "unknown", Kind::Text, 0),
    (718, "circle", Kind::Unknown, 719),
    (774, "macaddr8", Kind::Macaddr, 775),
    (790, "money", Kind::Unknown, 791),
    (829, "macaddr", Kind::Macaddr, 1040),
    (869, "inet", Kind::Inet, 1041),
    (1042, "bpchar", Kind::Text, 1014),
    (1043, "varchar", Kind::Text, 1015),
    (1082, "date", Kind::Date, 1182),
    (1083, "time", Kind::Time, 1183),
    (1114, "timestamp", Kind::Timestamp, 1115),
    (1184, "timestamptz", Kind::Timestamptz, 1185),
    (1186, "interval", Kind::Interval, 1187),
    (1266, "timetz", Kind::Timetz, 1270),
    (1560, "bit", Kind::Bits, 1561),
    (1562, "varbit", Kind::Bits, 1563),
    (1700, "numeric", Kind::Numeric, 1231),
    (1790, "refcursor", Kind::Unknown, 2201),
    (2202, "regprocedure", Kind::Unknown, 2207),
    (2203, "regoper", Kind::Unknown, 2208),
    (2204, "regoperator", Kind::Unknown, 2209),
    (2205, "regclass", Kind::Unknown, 2210),
    (2206, "regtype", Kind::Unknown, 2211),
    (2249, "record", Kind::Unknown, 2287),
    (2275, "cstring", Kind::Unknown, 1263),
    (2278, "void", Kind::Void, 0),
    (2950, "uuid", Kind::Uuid, 2951),
    (2970, "txid_snapshot", Kind::Unknown, 2949),
    (3220, "pg_lsn", Kind::Unknown, 3221),
    (3614, "tsvector", Kind::Unknown, 3643),
    (3615, "tsquery", Kind::Unknown, 3645),
    (3734, "regconfig", Kind::Unknown, 3735),
    (3769, "regdictionary", Kind::Unknown, 3770),
    (3802, "jsonb", Kind::Jsonb, 3807),
    (3904, "int4range", Kind::Unknown, 3905),
    (3906, "numrange", Kind::Unknown, 3907),
    (3908, "tsrange", Kind::Unknown, 3909),
    (3910, "tstzrange", Kind::Unknown, 3911),
    (3912, "daterange", Kind::Unknown, 3913),
    (3926, "int8range", Kind::Unknown, 3927),
    (4072, "jsonpath", Kind::Unknown, 4073),
    (4089, "regnamespace", Kind::Unknown, 4090),
    (4096, "regrole", Kind::Unknown, 4097),
    (4191, "regcollation", Kind::Unknown, 4192),
    (4451, "int4multirange", Kind::Unknown, 6150),
    (4532, "nummultirange", Kind::Unknown, 6151),
    (4533, "tsmultirange", Kind::Unknown, 6152),
    (4534, "tstzmultirange", Kind::Unknown, 6153),
    (4535, "datemultirange", Kind::Unknown, 6155),
    (4536, "int8multirange", Kind::Unknown, 6157),
    (5038, "pg_snapshot", Kind::Unknown, 5039),
    (5069, "xid8", Kind::Xid8, 271),
];

/// OIDs below this are built in: nothing more would be learnt from the catalogue.
pub(crate) const FIRST_USER_OID: u32 = 16_384;

/// The name and kind of a built-in type.
pub(crate) fn built_in(oid: u32) -> Option<(&'static str, Kind)> {
    let at = TYPES.binary_search_by_key(&oid, |entry| entry.0).ok()?;
    Some((TYPES[at].1, TYPES[at].2))
}

/// What a built-in array type is an array of.
pub(crate) fn element(array: u32) -> Option<u32> {
    match array {
        22 => Some(21), // int2vector
        30 => Some(26), // oidvector
        _ => TYPES.iter().find(|entry| entry.3 == array && array != 0).map(|entry| entry.0),
    }
}

/// What a built-in range is a range of.
pub(crate) fn subtype(range: u32) -> Option<u32> {
    Some(match range {
        3904 => 23,
        3906 => 1700,
        3908 => 1114,
        3910 => 1184,
        3912 => 1082,
        3926 => 20,
        _ => return None,
    })
}

/// The range that a built-in multirange has many of.
pub(crate) fn range(multirange: u32) -> Option<u32> {
    Some(match multirange {
        4451 => 3904,
        4532 => 3906,
        4533 => 3908,
        4534 => 3910,
        4535 => 3912,
        4536 => 3926,
        _ => return None,
    })
}

/// The precision and scale that a `numeric` column declares by its type modifier.
pub(crate) fn numeric_modifier(typmod: i32) -> Option<(u32, i32)> {
    let declared = u32::try_from(typmod).ok()?.checked_sub(4)?;
    // The scale has 11 bits and a sign.
    let scale = (((declared & 0x7ff) ^ 1024) as i32) - 1024;
    Some((declared >> 16, scale))
}
