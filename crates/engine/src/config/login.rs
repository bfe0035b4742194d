//! How a login may go: libpq's `channel_binding` and `require_auth`.

use rowmill_wire::{Binding, Methods};

use super::bad;
use crate::Result;

pub(super) fn binding(name: Option<&str>) -> Result<Binding> {
    match name {
        None | Some("prefer") => Ok(Binding::Prefer),
        Some("disable") => Ok(Binding::Disable),
        Some("require") => Ok(Binding::Require),
        Some(other) => Err(bad(format!("channel_binding={other} is not known"))
            .with_hint("one of disable, prefer, require")),
    }
}

/// A list of what will do, or, each with a `!` before it, of what will not.
pub(super) fn methods(list: Option<&str>) -> Result<Methods> {
    let Some(list) = list else { return Ok(Methods::default()) };
    let excludes = list.trim_start().starts_with('!');
    let none = Methods { none: false, password: false, md5: false, scram: false };
    let mut methods = if excludes { Methods::default() } else { none };
    for name in list.split(',').map(str::trim) {
        let (is_excluded, name) = match name.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, name),
        };
        if is_excluded != excludes {
            return Err(bad("require_auth mixes what will do with what will not".into())
                .with_hint("put a ! before each method, or before none"));
        }
        match name {
            "none" => methods.none = !excludes,
            "password" => methods.password = !excludes,
            "md5" => methods.md5 = !excludes,
            "scram-sha-256" => methods.scram = !excludes,
            // Known, and never done here.
            "gss" | "sspi" | "oauth" => {}
            other => {
                return Err(bad(format!("require_auth={other} is not known"))
                    .with_hint("of none, password, md5, scram-sha-256, gss, sspi, oauth"));
            }
        }
    }
    Ok(methods)
}
