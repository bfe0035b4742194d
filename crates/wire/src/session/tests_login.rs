//! Which logins will do, and what they are tied to.

use std::sync::Arc;

use crate::testing::*;
use crate::{Binding, Login, Methods, Session, Startup};

/// Enough of a certificate: something signed, ECDSA with SHA-256, a signature.
const CERTIFICATE: &[u8] =
    b"\x30\x12\x30\x00\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x02\x00\x00";
/// Signed by Ed25519, which has no hash of its own.
const UNHASHED: &[u8] = b"\x30\x0d\x30\x00\x30\x05\x06\x03\x2b\x65\x70\x03\x02\x00\x00";

const PLAIN: &[u8] = b"\0\0\0\x0aSCRAM-SHA-256\0\0";
const BOTH: &[u8] = b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";

fn asked(login: Login, question: &[u8]) -> String {
    let startup = Startup { password: Some("secret".into()), login, ..startup() };
    let mut session = Session::new(startup, Arc::default());
    written(&mut session);
    session.feed(&message(b'R', question)).unwrap();
    let refused = events(&mut session).join(" ");
    if refused.is_empty() { written(&mut session) } else { refused }
}

fn bound(certificate: &[u8], binding: Binding) -> Login {
    Login { certificate: Some(certificate.to_vec()), binding, ..Login::default() }
}

#[test]
fn what_both_sides_can_do_is_done() {
    let prefer = |certificate| bound(certificate, Binding::Prefer);
    let tied = asked(prefer(CERTIFICATE), BOTH);
    assert!(tied.contains("SCRAM-SHA-256-PLUS") && tied.contains("p=tls-server-end-point,,"));
    // A server that did offer it learns that the offer got lost.
    assert!(asked(prefer(CERTIFICATE), PLAIN).contains(" y,,n="), "unrequested");
    for login in [prefer(UNHASHED), bound(CERTIFICATE, Binding::Disable), Login::default()] {
        assert!(asked(login, BOTH).contains(" n,,n="), "unsupported");
    }
}

#[test]
fn required_there_is_no_other_way_in() {
    let require = |certificate| bound(certificate, Binding::Require);
    assert!(asked(require(CERTIFICATE), BOTH).contains("p=tls-server-end-point,,"));
    let refused = [
        (require(CERTIFICATE), PLAIN, "offers no channel binding"),
        (require(UNHASHED), BOTH, "no hash of its own"),
        (Login { binding: Binding::Require, ..Login::default() }, BOTH, "not inside TLS"),
        (require(CERTIFICATE), &[0, 0, 0, 0], "without channel binding"),
        (require(CERTIFICATE), &[0, 0, 0, 3], "without channel binding"),
        (require(CERTIFICATE), &[0, 0, 0, 5, 1, 2, 3, 4], "without channel binding"),
    ];
    for (login, question, words) in refused {
        let said = asked(login, question);
        assert!(said.starts_with("refused") && said.contains(words), "{said}");
    }
}

#[test]
fn methods_that_are_excluded_are_refused_before_anything_is_told() {
    let none = Methods { none: false, password: false, md5: false, scram: false };
    let login = Login { methods: none, ..Login::default() };
    for question in [&[0, 0, 0, 0], &[0, 0, 0, 3], &b"\0\0\0\x05salt"[..], PLAIN] {
        let said = asked(login.clone(), question);
        assert!(said.starts_with("refused") && said.contains("require_auth"), "{said}");
    }
    // Told the password, the server is free to say that it will do.
    let login = Login { methods: Methods { password: true, ..none }, ..Login::default() };
    assert!(asked(login, &[0, 0, 0, 3]).contains("secret"));
}
