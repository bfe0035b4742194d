//! Any bytes from the server, in pieces of any size, while requests of each kind are in flight:
//! an error or an answer, never a panic, never memory beyond what came.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rowmill_columns::Scalar;
use rowmill_wire::{Catalogue, Limits, Output, Request, Session, Startup, Statement};

fuzz_target!(|input: (Vec<u8>, u8, bool)| {
    let (bytes, piece, begins) = input;
    let startup = Startup {
        user: "app".into(),
        database: "shop".into(),
        password: Some("secret".into()),
        parameters: Vec::new(),
        limits: Limits { statements: 2, ..Limits::default() },
    };
    let mut session = Session::new(startup, Arc::new(Catalogue::default()));
    if begins {
        let _ = session.feed(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
    }
    let outputs = [Output::Batch, Output::Stream { rows: 2, bytes: 64 }, Output::Discard];
    let mut abandoned = 0;
    for (key, output) in outputs.into_iter().chain(outputs).enumerate() {
        let statement = Statement { text: "select $1".into(), key: key as u128 % 4 };
        session.start(Request { statement, parameters: vec![Scalar::Int(1)], output });
        if key == 3 {
            abandoned = session.script("select 1; select 2");
        }
    }
    for piece in bytes.chunks(usize::from(piece).max(1)) {
        let result = session.feed(piece);
        while session.next_event().is_some() {}
        let pending = session.pending().len();
        session.sent(pending);
        if session.bytes_of_current() > 200 {
            session.abandon(session.oldest().unwrap_or(abandoned));
        }
        if result.is_err() {
            assert!(session.feed(piece).is_err(), "broken stays broken");
            break;
        }
    }
    assert!(session.space().len() <= (256 << 10) + 2 * bytes.len() + (16 << 10));
});
