//! What several targets need: messages of a server, and the types of its database.

/// A type that is looked up.
pub const PAIR: u32 = 20_000;
/// A type that is looked up.
pub const PAIRS: u32 = 20_001;
/// A type that is looked up.
pub const DEEP: u32 = 20_002;
/// A type that is looked up.
pub const HSTORE: u32 = 20_003;
/// A type that is looked up.
pub const VECTOR: u32 = 20_004;
/// A type that is looked up.
pub const MOOD: u32 = 20_005;
/// A type that is looked up.
pub const MOODS: u32 = 20_006;

/// What a look-up of these tells.
const LOOKED_UP: &[[&str; 6]] = &[
    ["20000", "c", "0", "-1", "0", "pair"],
    ["20000", "attribute", "23", "-1", "1", "a"],
    ["20000", "attribute", "25", "-1", "2", "b"],
    ["20001", "b", "0", "-1", "20000", "_pair"],
    ["20002", "c", "0", "-1", "0", "deep"],
    ["20002", "attribute", "20001", "-1", "1", "pairs"],
    ["20002", "attribute", "3906", "-1", "2", "range"],
    ["20002", "attribute", "20003", "-1", "3", "map"],
    ["20002", "attribute", "869", "-1", "4", "address"],
    ["20003", "base", "0", "-1", "0", "hstore"],
    ["20004", "base", "0", "-1", "0", "vector"],
    ["20005", "e", "0", "-1", "0", "mood"],
    ["20006", "b", "0", "-1", "20005", "_mood"],
];

/// The answer to a look-up of all of them.
pub fn looked_up() -> Vec<u8> {
    let mut answer = message(b'T', &[0, 0]);
    for cells in LOOKED_UP {
        let mut body = (cells.len() as u16).to_be_bytes().to_vec();
        for cell in cells {
            body.extend_from_slice(&(cell.len() as u32).to_be_bytes());
            body.extend_from_slice(cell.as_bytes());
        }
        answer.extend(message(b'D', &body));
    }
    answer.extend(message(b'C', b"SELECT 0\0"));
    answer.extend(message(b'Z', b"I"));
    answer
}

/// A message of the server.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
    out
}
