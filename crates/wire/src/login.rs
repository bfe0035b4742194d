/// What the connection runs through, and how a login may prove who both sides are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The server's certificate in DER, where the connection is inside TLS.
    pub certificate: Option<Vec<u8>>,
    /// Whether the login is tied to that certificate.
    pub binding: Binding,
    /// The ways that will do.
    pub methods: Methods,
}

/// Whether a login is tied to the TLS connection it runs through, so that nobody between who shows
/// another certificate can pass it on: libpq's `channel_binding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// Never.
    Disable,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always: any other login is refused.
    Require,
}

/// The ways to log in that will do: libpq's `require_auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of four")]
pub struct Methods {
    /// None at all, the certificate of the client included.
    pub none: bool,
    /// The password as it is.
    pub password: bool,
    /// An md5 hash of it.
    pub md5: bool,
    /// A proof that shows nothing of it, and of the server that it knows it too.
    pub scram: bool,
}

impl Default for Methods {
    /// All of them.
    fn default() -> Self {
        Self { none: true, password: true, md5: true, scram: true }
    }
}
