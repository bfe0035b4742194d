/// Every bound a session keeps, each with the reason for its default.
///
/// Two more are not for choice: PostgreSQL arrays have at most 6 dimensions, and a SCRAM exchange
/// of more than 100,000 rounds is refused by the library that computes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message taken or made, in bytes: 1 GiB, as PostgreSQL itself makes none larger.
    /// The buffer grows only as bytes arrive, so a false length costs nothing.
    pub max_message: usize,
    /// The largest message of those that are short by nature, and of all during startup, in bytes:
    /// 64 KiB. Before the server is known to be one, nothing long is believed.
    pub max_short_message: usize,
    /// Prepared statements kept on a connection: 256, at some 10 KB of server memory each. 0 keeps
    /// none and prepares anew in the same round trip, for poolers that cannot follow them.
    pub statements: usize,
    /// The read buffer at first, in bytes: 16 KiB, twice what PostgreSQL flushes at once.
    pub first_buffer: usize,
    /// The read buffer of large results, in bytes: 256 KiB stays within a second-level cache.
    pub large_buffer: usize,
    /// Server parameters remembered: 256; a server reports about 15.
    pub server_parameters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 1 << 30,
            max_short_message: 64 << 10,
            statements: 256,
            first_buffer: 16 << 10,
            large_buffer: 256 << 10,
            server_parameters: 256,
        }
    }
}

/// Room offered for one read, at least: what PostgreSQL flushes at once, twice.
pub(crate) const MIN_SPACE: usize = 16 << 10;

/// Types a catalogue remembers: far more than any database has, so that only a server that makes
/// them up reaches it. Then all are forgotten and looked up again.
pub(crate) const CATALOGUE_TYPES: usize = 100_000;

/// Statements whose description a catalogue shares: 4,096, at about 1-10 KB each.
pub(crate) const CATALOGUE_STATEMENTS: usize = 4_096;

/// Rounds of type look-ups for one statement, one for each level of types made of types: an array of a
/// domain over an enum needs two.
pub(crate) const LOOK_UP_ROUNDS: u8 = 16;

/// Types within types; what is deeper is exchanged as text.
pub(crate) const TYPE_DEPTH: usize = 16;

/// Types that one is made of, directly or not; what is beyond is exchanged as text. A composite of as
/// many attributes as there can be, each of them a small composite, stays below.
pub(crate) const TYPE_PARTS: usize = 20_000;

/// Rows of a look-up for each type asked for: itself, a base and an element, and of each the
/// attributes, where it is a composite (PostgreSQL's own bound is MaxHeapAttributeNumber, 1,600).
pub(crate) const LOOK_UP_ROWS: usize = 3 * 1_601;

/// Dimensions of an array: PostgreSQL's own bound (MAXDIM).
pub(crate) const ARRAY_DIMENSIONS: usize = 6;

/// Lists within lists of a JSON parameter, so that no input can exhaust the stack.
pub(crate) const JSON_DEPTH: usize = 128;

/// Rows first asked of a portal, whose width then tells how many fill a batch.
pub(crate) const FIRST_PORTION: usize = 1_024;
