//! What statements set on a session, and how that is undone for whoever uses it next: a connection of
//! a pool is many callers', and one's time zone, role or tenant is not to be the next one's.

use super::in_flight::{InFlight, Work};
use super::{Phase, Session};
use crate::{RequestId, TransactionStatus, words};

/// The request that undoes what was set; nobody hears of it. (Those of callers count from 1.)
pub(super) const RESET: RequestId = 0;

/// Not `discard all`, which takes prepared statements and temporary tables too. Apart, as servers that are
/// only like PostgreSQL may know no channels, and one failure undoes what goes with it.
const SCRIPTS: [&str; 2] = ["reset session authorization; reset role; reset all", "unlisten *"];

impl Session {
    /// Notes that statements ran which may have set something that lasts.
    pub(super) fn set_by(&mut self, sets: bool) {
        self.is_touched |= sets;
    }

    /// Puts the reset before what a caller asks next. Not inside a transaction, which may go on to need
    /// what it set, nor where the session is not ours to reset: behind a pooler in transaction mode.
    pub(super) fn reset_if_touched(&mut self) {
        let is_ours = self.limits.statements > 0 && matches!(self.phase, Phase::Live);
        if self.is_touched && is_ours && self.status == TransactionStatus::Idle {
            self.is_touched = false;
            for script in SCRIPTS {
                self.queue.push_back(InFlight::new(RESET, Work::Script(script.to_owned())));
            }
        }
    }
}

/// Whether statements may set something that lasts beyond their transaction: `set`, but for `set local`
/// and what is the transaction's own; `set_config`; `listen`.
pub(super) fn sets(text: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if has("set_config") || has("SET_CONFIG") {
        return true;
    }
    text.split(';').any(|statement| {
        // In doubt it does.
        let Some((first, rest)) = word(statement) else { return true };
        if first.eq_ignore_ascii_case("listen") {
            return true;
        }
        if !first.eq_ignore_ascii_case("set") {
            return false;
        }
        let Some((second, _)) = word(rest) else { return true };
        !["local", "transaction", "constraints"].iter().any(|own| second.eq_ignore_ascii_case(own))
    })
}

/// The word that `sql` begins with, where that is certain, and what follows it.
fn word(sql: &str) -> Option<(&str, &str)> {
    let sql = words::start(sql)?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    Some(sql.split_at(sql.find(|c| !is_part(c)).unwrap_or(sql.len())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::sets;
    use crate::testing::*;

    #[test]
    fn a_reset_that_was_cancelled_comes_again() {
        let mut session = session(&Arc::default());
        session.script("set role bob");
        session.feed(&[complete("SET"), ready(b'I')].concat()).unwrap();
        let undone = [complete("RESET"), ready(b'I'), complete("UNLISTEN"), ready(b'I')].concat();
        let cancelled = error("ERROR", "57014", "canceling statement due to user request");
        let hit = [cancelled, ready(b'I'), complete("UNLISTEN"), ready(b'I')].concat();
        for (reset, is_left) in [(hit, true), (undone, false)] {
            written(&mut session);
            session.script("select 1");
            assert!(written(&mut session).contains("reset role"));
            session.feed(&[reset, complete("SELECT 1"), ready(b'I')].concat()).unwrap();
            assert_eq!((session.in_flight(), session.is_touched), (0, is_left));
        }
    }

    #[test]
    fn what_lasts_beyond_a_transaction() {
        for text in [
            "set timezone = 'UTC'",
            " SET role bob",
            "/* as */ set session authorization bob",
            "select 1; -- then\nset a.b = 1",
            "select set_config('app.tenant', $1, false)",
            "listen news",
        ] {
            assert!(sets(text), "{text}");
        }
        for text in [
            "",
            "select 1",
            "update t set a = 1",
            "set local timezone = 'UTC'",
            "begin; set transaction snapshot 'x'",
            "set constraints all deferred",
            "reset all",
            "settle('x')",
        ] {
            assert!(!sets(text), "{text}");
        }
    }
}
