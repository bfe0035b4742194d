use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};

use super::{CancelKey, Phase, Session};
use crate::end_point::end_point;
use crate::message::{self, Fields};
use crate::split::{Message, name};
use crate::{Binding, Event, Login, ProtocolError, ServerError, Startup, encode};

/// How far the authentication has come.
pub(super) enum Authentication {
    /// The server has not asked for anything, or was given what it asked for.
    Awaited,
    /// It was given the password, or a hash of it.
    Told,
    /// A SCRAM exchange has begun. Its nonce is drawn by the library that computes it: the one
    /// thing of chance in this crate.
    Scram {
        exchange: Box<ScramSha256>,
        /// Whether it is tied to the server's certificate.
        is_bound: bool,
    },
    /// The server has proved that it knows the password too.
    Proved { is_bound: bool },
    /// Done; the server's parameters follow.
    Accepted,
}

/// Appends the startup message. Text is UTF-8 throughout, whatever the database holds.
pub(super) fn write(startup: &Startup, out: &mut Vec<u8>) {
    let fixed = [("user", &*startup.user), ("database", &*startup.database)];
    let given = startup.parameters.iter().map(|(name, value)| (&**name, &**value));
    let given = given.filter(|(name, value)| {
        let is_text = |text: &str| !text.is_empty() && !text.contains('\0');
        is_text(name) && !value.contains('\0') && !name.eq_ignore_ascii_case("client_encoding")
    });
    encode::startup(out, fixed.into_iter().chain(given).chain([("client_encoding", "UTF8")]));
}

impl Session {
    /// Takes a message before the session is ready.
    pub(super) fn startup_message(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let Phase::Starting(authentication) = &self.phase else { return Ok(()) };
        let is_accepted = matches!(authentication, Authentication::Accepted);
        match message.kind {
            b'E' => {
                let error = message::error(message)?;
                self.last_fatal = Some(Box::new(error.clone()));
                self.refuse(error);
            }
            b'N' => self.notice(message)?,
            b'v' => {
                let mut fields = Fields::new(message);
                let _newest_minor = fields.u32()?;
                for _ in 0..fields.u32()? {
                    fields.text()?;
                }
                fields.end()?;
            }
            b'R' => self.authenticate(message)?,
            b'S' if is_accepted => self.parameter_status(message)?,
            b'K' if is_accepted => {
                let mut fields = Fields::new(message);
                let process = fields.i32()?;
                let secret = fields.rest().to_vec();
                // Four bytes in protocol 3.0, at most 256 in later ones.
                if !(4..=256).contains(&secret.len()) {
                    let len = secret.len();
                    let what = format!("a cancel key has a secret of {len} bytes");
                    return Err(ProtocolError::new(what));
                }
                self.cancel_key = Some(CancelKey { process, secret });
            }
            b'Z' if is_accepted => {
                self.status = message::status(message)?;
                if self.parameter("integer_datetimes") == Some("off") {
                    let what = "it sends times as floats (integer_datetimes is off)";
                    return Err(ProtocolError::new(what));
                }
                self.phase = Phase::Live;
                self.events.push_back(Event::Ready);
                self.flush();
            }
            kind => {
                let what = format!("{} during the startup", name(kind));
                return Err(ProtocolError::new(what));
            }
        }
        Ok(())
    }

    fn authenticate(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        let mut fields = Fields::new(message);
        let asked = fields.u32()?;
        let Login { binding, methods, .. } = self.startup.login;
        let Phase::Starting(authentication) = &mut self.phase else { return Ok(()) };
        match (asked, authentication) {
            (0, Authentication::Awaited) if !methods.none => {
                self.refuse_choice("let us in without asking for anything", "require_auth");
            }
            (
                0,
                state @ (Authentication::Awaited
                | Authentication::Told
                | Authentication::Proved { .. }),
            ) => {
                fields.end()?;
                if binding == Binding::Require
                    && !matches!(state, Authentication::Proved { is_bound: true })
                {
                    self.refuse_choice("let us in without channel binding", "channel_binding");
                    return Ok(());
                }
                *state = Authentication::Accepted;
                self.startup.password = None;
            }
            (3 | 5, Authentication::Awaited) if binding == Binding::Require => {
                self.refuse_choice(
                    "asks for a password without channel binding",
                    "channel_binding",
                );
            }
            (3, Authentication::Awaited) if !methods.password => {
                self.refuse_choice("asks for the password itself", "require_auth");
            }
            (5, Authentication::Awaited) if !methods.md5 => {
                self.refuse_choice("asks for an md5 hash of the password", "require_auth");
            }
            (10, Authentication::Awaited) if !methods.scram => {
                self.refuse_choice("asks for scram-sha-256", "require_auth");
            }
            (3, state @ Authentication::Awaited) => {
                fields.end()?;
                *state = Authentication::Told;
                if let Some(password) = self.password() {
                    encode::password(&mut self.out, &password);
                }
            }
            (5, state @ Authentication::Awaited) => {
                let salt = fields.take()?;
                fields.end()?;
                *state = Authentication::Told;
                if let Some(password) = self.password() {
                    let user = self.startup.user.as_bytes();
                    let hash = md5_hash(user, password.as_bytes(), salt);
                    encode::password(&mut self.out, &hash);
                }
            }
            (10, Authentication::Awaited) => {
                let mut offered = Vec::new();
                loop {
                    match fields.string()? {
                        mechanism if mechanism.is_empty() => break,
                        mechanism => offered.push(mechanism),
                    }
                }
                fields.end()?;
                self.begin_scram(&offered);
            }
            (11, Authentication::Scram { exchange, .. }) => match exchange.update(fields.rest()) {
                Ok(()) => encode::sasl(&mut self.out, exchange.message()),
                Err(error) => return Err(scram_failed(&error)),
            },
            (12, state @ Authentication::Scram { .. }) => {
                let Authentication::Scram { exchange, is_bound } = state else { return Ok(()) };
                exchange.finish(fields.rest()).map_err(|error| scram_failed(&error))?;
                *state = Authentication::Proved { is_bound: *is_bound };
            }
            (2, _) => self.refuse_method("asks for Kerberos"),
            (7 | 8, _) => self.refuse_method("asks for GSSAPI"),
            (9, _) => self.refuse_method("asks for SSPI"),
            (0 | 3 | 5 | 10..=12, _) => {
                let what = format!("authentication message {asked} out of turn");
                return Err(ProtocolError::new(what));
            }
            _ => self.refuse_method(&format!("asks for method {asked}")),
        }
        Ok(())
    }

    /// Begins a SCRAM exchange, tied to the server's certificate where that is wanted and possible.
    fn begin_scram(&mut self, offered: &[String]) {
        let offers = |mechanism: &str| offered.iter().any(|offer| offer == mechanism);
        let Login { certificate, binding, .. } = &self.startup.login;
        let is_required = *binding == Binding::Require;
        let hash = certificate.as_deref().filter(|_| *binding != Binding::Disable).map(end_point);
        let (mechanism, tie) = match hash {
            Some(Some(hash)) if offers(SCRAM_SHA_256_PLUS) => {
                (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash))
            }
            None if is_required => {
                let what = "channel binding is required, and the connection is not inside TLS";
                let hint = "connect by TCP with sslmode=require or stronger";
                return self.refuse_with("28000", what, hint);
            }
            Some(None) if is_required => {
                let what = "channel binding is required, and the server's certificate is signed in a \
                            way that has no hash of its own";
                let hint = "give the server a certificate signed by RSA or ECDSA";
                return self.refuse_with("28000", what, hint);
            }
            Some(_) if is_required => {
                return self.refuse_choice("offers no channel binding", "channel_binding");
            }
            // The server is told that we could have: one that did offer it knows then that somebody
            // between us took the offer out.
            Some(Some(_)) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
            _ => (SCRAM_SHA_256, ChannelBinding::unsupported()),
        };
        if !offers(mechanism) {
            return self.refuse_method(&format!("offers only {}", offered.join(", ")));
        }
        if let Some(password) = self.password() {
            let exchange = Box::new(ScramSha256::new(password.as_bytes(), tie));
            encode::sasl_initial(&mut self.out, mechanism, exchange.message());
            let is_bound = mechanism == SCRAM_SHA_256_PLUS;
            self.phase = Phase::Starting(Authentication::Scram { exchange, is_bound });
        }
    }

    /// The password, or the refusal to go on without.
    fn password(&mut self) -> Option<String> {
        let given = self.startup.password.as_deref();
        match given {
            Some(password) if !password.contains('\0') => Some(password.to_owned()),
            Some(_) => {
                self.refuse_with("28P01", "the password contains NUL", "set another password");
                None
            }
            None => {
                self.refuse_with(
                    "28P01",
                    "the server asks for a password and none was given",
                    "put it into the URL or into the environment variable PGPASSWORD",
                );
                None
            }
        }
    }

    fn refuse_method(&mut self, what: &str) {
        self.refuse_with(
            "28000",
            &format!("the server {what}, which is not supported"),
            "let pg_hba.conf give this role scram-sha-256, md5, password or trust",
        );
    }

    /// Refuses what the caller's own `option` excludes.
    fn refuse_choice(&mut self, what: &str, option: &str) {
        self.refuse_with(
            "28000",
            &format!("the server {what}, which {option} excludes"),
            &format!("let pg_hba.conf give this role scram-sha-256, or change {option}"),
        );
    }

    fn refuse_with(&mut self, code: &str, message: &str, hint: &str) {
        self.refuse(ServerError {
            severity: "FATAL".to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
            ..ServerError::default()
        });
    }

    fn refuse(&mut self, error: ServerError) {
        self.phase = Phase::Dead;
        self.startup.password = None;
        self.events.push_back(Event::Refused(Box::new(error)));
    }
}

fn scram_failed(error: &std::io::Error) -> ProtocolError {
    ProtocolError::new(format!("SCRAM-SHA-256 failed: {error}"))
}
