//! Any bytes from the server, in pieces of any size, while requests of each kind are in flight:
//! an error or an answer, never a panic, never memory beyond what came.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rowmill_columns::Scalar;
use rowmill_wire::{Catalogue, Limits, Output, Request, Session, Startup, Statement};

/// What a trusting server says first.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// The first statement has one parameter, an int4, and the columns an int4 and a text.
const DESCRIBED: &[u8] = b"1\0\0\0\x04t\0\0\0\x0a\0\x01\0\0\0\x17T\0\0\0\x2e\0\x02\
    a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0\
    b\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0Z\0\0\0\x05I2\0\0\0\x04";

fuzz_target!(|input: &[u8]| {
    let [piece, begins, bytes @ ..] = input else { return };
    let startup = Startup {
        user: "app".into(),
        database: "shop".into(),
        password: Some("secret".into()),
        limits: Limits { statements: 2, ..Limits::default() },
        ..Startup::default()
    };
    let mut session = Session::new(startup, Arc::new(Catalogue::default()));
    if *begins > 0 {
        session.feed(WELCOME).expect("a welcome");
    }
    let outputs =
        [Output::First, Output::Batch, Output::Stream { rows: 2, bytes: 64 }, Output::Discard];
    let mut abandoned = 0;
    for (key, output) in outputs.into_iter().chain(outputs).enumerate() {
        let statement = Statement { text: "select $1".into(), key: key as u128 % 4 };
        session.start(Request { statement, parameters: vec![Scalar::Int(1)], output });
        if key == 3 {
            abandoned = session.script("select 1; select 2");
        }
    }
    if *begins > 1 {
        session.feed(DESCRIBED).expect("a description that is well-formed");
    }
    for piece in bytes.chunks(usize::from(*piece).max(1)) {
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
