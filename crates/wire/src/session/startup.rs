use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};

use super::{CancelKey, Phase, Session};
use crate::message::{self, Fields};
use crate::split::{Message, name};
use crate::{Event, ProtocolError, ServerError, Startup, encode};

/// How far the authentication has come.
pub(super) enum Authentication {
    /// The server has not asked for anything, or was given what it asked for.
    Awaited,
    /// A SCRAM exchange has begun. Its nonce is drawn by the library that computes it: the one
    /// thing of chance in this crate.
    Scram(Box<ScramSha256>),
    /// The server has proved that it knows the password too.
    Proved,
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
        let Phase::Starting(authentication) = &mut self.phase else { return Ok(()) };
        match (asked, authentication) {
            (0, state @ (Authentication::Awaited | Authentication::Proved)) => {
                fields.end()?;
                *state = Authentication::Accepted;
                self.startup.password = None;
            }
            (3, Authentication::Awaited) => {
                fields.end()?;
                if let Some(password) = self.password() {
                    encode::password(&mut self.out, &password);
                }
            }
            (5, Authentication::Awaited) => {
                let salt = fields.take()?;
                fields.end()?;
                if let Some(password) = self.password() {
                    let user = self.startup.user.as_bytes();
                    let hash = md5_hash(user, password.as_bytes(), salt);
                    encode::password(&mut self.out, &hash);
                }
            }
            (10, Authentication::Awaited) => {
                let mut has_scram = false;
                let mut offered = Vec::new();
                loop {
                    match fields.string()? {
                        mechanism if mechanism.is_empty() => break,
                        mechanism => {
                            has_scram |= mechanism == SCRAM_SHA_256;
                            offered.push(mechanism);
                        }
                    }
                }
                fields.end()?;
                if !has_scram {
                    let what = format!("offers only {}", offered.join(", "));
                    self.refuse_method(&what);
                } else if let Some(password) = self.password() {
                    let binding = ChannelBinding::unsupported();
                    let scram = ScramSha256::new(password.as_bytes(), binding);
                    encode::sasl_initial(&mut self.out, SCRAM_SHA_256, scram.message());
                    self.phase = Phase::Starting(Authentication::Scram(Box::new(scram)));
                }
            }
            (11, Authentication::Scram(scram)) => match scram.update(fields.rest()) {
                Ok(()) => encode::sasl(&mut self.out, scram.message()),
                Err(error) => return Err(scram_failed(&error)),
            },
            (12, state @ Authentication::Scram(_)) => {
                let Authentication::Scram(scram) = state else { return Ok(()) };
                scram.finish(fields.rest()).map_err(|error| scram_failed(&error))?;
                *state = Authentication::Proved;
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
