/// How a database's connections are doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections that there may be.
    pub size: usize,
    /// Connections that there are, those being opened included.
    pub open: usize,
    /// Those that nobody uses now.
    pub idle: usize,
    /// Calls that wait for one.
    pub waiting: usize,
    /// Connections opened so far.
    pub opened: u64,
    /// Connections that broke or were given up so far.
    pub lost: u64,
    /// Connections closed for their age, or for having been idle, so far.
    pub retired: u64,
}
