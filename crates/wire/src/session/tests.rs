use std::sync::Arc;

use proptest::prelude::*;
use rowmill_columns::Scalar;

use crate::testing::*;
use crate::{
    Catalogue, Limits, Output, Request, Session, Statement, TransactionStatus, ssl_request,
};

/// Answer to Parse, Describe, Sync.
pub(super) fn described(types: &[u32], names: &[(&str, u32, i32)]) -> Vec<u8> {
    let columns = if names.is_empty() { no_data() } else { columns(names) };
    [parse_complete(), parameters(types), columns, ready(b'I')].concat()
}

/// Answer to Bind, Execute, Sync with rows of one int4.
pub(super) fn numbers(values: &[i32]) -> Vec<u8> {
    let rows = values.iter().map(|value| row(&[Some(&value.to_be_bytes())]));
    let mut out = bind_complete();
    rows.for_each(|row| out.extend(row));
    out.extend(complete(&format!("SELECT {}", values.len())));
    out.extend(ready(b'I'));
    out
}

#[test]
fn startup_bytes() {
    let mut startup = startup();
    startup.parameters = vec![
        ("application_name".into(), "report".into()),
        ("client_encoding".into(), "LATIN1".into()),
    ];
    let mut session = Session::new(startup, Arc::default());
    insta::assert_snapshot!(written(&mut session));
    assert_eq!(ssl_request(), [0, 0, 0, 8, 4, 210, 22, 47]);
}

#[test]
fn a_statement_is_prepared_once() {
    let mut session = session(&Arc::default());
    let ask = || request("select $1::int4 as n", vec![Scalar::Int(5)]);
    assert_eq!(session.start(ask()), 1);
    let mut sent = vec![written(&mut session)];
    session.feed(&described(&[23], &[("n", 23, -1)])).unwrap();
    sent.push(written(&mut session));
    session.feed(&numbers(&[5])).unwrap();
    assert_eq!(session.start(ask()), 2);
    sent.push(written(&mut session));
    session.feed(&numbers(&[5, 6])).unwrap();
    insta::assert_snapshot!(sent.join("\n"));
    assert_eq!(
        events(&mut session),
        [
            r#"1 done SELECT 1 ["n: int32"] [["5"]]"#,
            r#"2 done SELECT 2 ["n: int32"] [["5"], ["6"]]"#,
        ]
    );
}

#[test]
fn the_first_row_is_had_alone_however_its_bytes_come() {
    let answer = |kind| {
        let cell: &[u8] = if kind == 23 { &[0, 0, 0, 7] } else { &[0, 1, 0, 0, 0, 0, 0, 0, 0, 7] };
        let rows = [row(&[Some(cell)]), row(&[None]), row(&[Some(b"never read")])].concat();
        [bind_complete(), rows, complete("SELECT 3"), ready(b'I')].concat()
    };
    for (kind, expected) in [
        (23, r#"1 done SELECT 3 [] [] row ["n"] ["7"]"#),
        (1700, r#"1 done SELECT 3 ["n: decimal(38, 0)"] [["7"]]"#),
    ] {
        for size in [1, 2, 7, 1_000] {
            let mut session = session(&Arc::default());
            session.start(Request { output: Output::First, ..request("select n from t", vec![]) });
            session.feed(&described(&[], &[("n", kind, -1)])).unwrap();
            written(&mut session);
            for bytes in answer(kind).chunks(size) {
                session.feed(bytes).unwrap();
            }
            assert_eq!(events(&mut session), [expected]);
        }
    }
}

#[test]
fn there_may_be_no_first_row_or_a_bad_one() {
    let done = |rows: Vec<u8>| {
        let mut session = session(&Arc::default());
        session.start(Request { output: Output::First, ..request("select n from t", vec![]) });
        session.feed(&described(&[], &[("n", 25, -1)])).unwrap();
        let end = [complete("SELECT 0"), ready(b'I')].concat();
        session.feed(&[bind_complete(), rows, end].concat()).unwrap();
        events(&mut session)
    };
    assert_eq!(done(Vec::new()), ["1 done SELECT 0 [] []"]);
    let [failed] = &done(row(&[Some(b"\xff")]))[..] else { panic!("one event") };
    assert!(failed.contains("column \"n\"") && failed.contains("UTF-8"), "{failed}");
}

#[test]
fn a_bad_end_after_the_first_row_is_told() {
    let start = || {
        let mut session = session(&Arc::default());
        let id =
            session.start(Request { output: Output::First, ..request("select n from t", vec![]) });
        session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
        session.feed(&bind_complete()).unwrap();
        (session, id)
    };
    let first = row(&[Some(&[0, 0, 0, 7])]);

    let (mut session, _) = start();
    let failed = [error("ERROR", "22012", "division by zero"), ready(b'I')].concat();
    session.feed(&[first.clone(), failed].concat()).unwrap();
    assert_eq!(events(&mut session), ["1 failed: ERROR: division by zero (22012)"]);

    // Given up with half of the first row there.
    let (mut session, id) = start();
    session.feed(&first[..6]).unwrap();
    session.abandon(id);
    let rest = [&first[6..], &first, &complete("SELECT 2"), &ready(b'I')].concat();
    session.feed(&rest).unwrap();
    assert_eq!(events(&mut session), ["1 done SELECT 2 [] []"]);

    for malformed in [
        row(&[]),
        row(&[Some(b"abc")]),
        row(&[None, None]),
        message(b'D', &[0, 1, 0xff, 0xff, 0xff, 0xfe]),
        message(b'D', &[0, 1, 0, 0, 0, 9, 1]),
        message(b'D', &[[0, 1].as_slice(), &[0xff; 4], &[0]].concat()),
    ] {
        let (mut session, _) = start();
        assert!(session.feed(&malformed).is_err(), "{malformed:?}");
    }
}

#[test]
fn requests_started_before_the_startup_is_done_are_sent_after_it() {
    let mut session = Session::new(startup(), Arc::default());
    written(&mut session);
    let id = session.start(request("select 1", vec![]));
    assert!(session.pending().is_empty());
    assert!(!session.is_sent(id));
    session.feed(&welcome()).unwrap();
    assert!(session.is_sent(id));
    assert_eq!(session.oldest(), Some(id));
    assert_eq!(session.parameter("server_version"), Some("15.18"));
    let key = session.cancel_key().unwrap();
    assert_eq!(key.request(), [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 7, 1, 2, 3, 4]);
}

#[test]
fn known_statements_are_pipelined() {
    let mut session = session(&Arc::default());
    session.start(request("select 1", vec![]));
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    session.feed(&numbers(&[1])).unwrap();
    for _ in 0..3 {
        session.start(request("select 1", vec![]));
    }
    assert_eq!((session.in_flight(), session.oldest()), (3, Some(2)));
    let failed = [bind_complete(), error("ERROR", "22012", "division by zero"), ready(b'I')];
    session.feed(&[numbers(&[2]), failed.concat(), numbers(&[4])].concat()).unwrap();
    let lines = events(&mut session);
    assert_eq!(lines[2], "3 failed: ERROR: division by zero (22012)");
    assert_eq!(lines[3], r#"4 done SELECT 1 ["n: int32"] [["4"]]"#);
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn another_connection_runs_a_described_statement_in_one_round_trip() {
    let catalogue = Arc::default();
    let mut first = session(&catalogue);
    first.start(request("select $1::int4 as n", vec![Scalar::Int(5)]));
    first.feed(&described(&[23], &[("n", 23, -1)])).unwrap();
    let mut second = session(&catalogue);
    second.start(request("select $1::int4 as n", vec![Scalar::Int(6)]));
    insta::assert_snapshot!(written(&mut second));
    let head = [parse_complete(), parameters(&[23]), columns(&[("n", 23, -1)])].concat();
    second.feed(&[head, numbers(&[6])].concat()).unwrap();
    assert_eq!(events(&mut second), [r#"1 done SELECT 1 ["n: int32"] [["6"]]"#]);
}

#[test]
fn rows_that_changed_since_another_connection_asked_are_read_as_what_they_are() {
    let catalogue = Arc::default();
    session_with_description(&catalogue);
    let mut second = session(&catalogue);
    second.start(request("table t", vec![]));
    let head = [parse_complete(), parameters(&[]), columns(&[("n", 20, -1)])].concat();
    let rows = [bind_complete(), row(&[Some(&7_i64.to_be_bytes())]), complete("SELECT 1")];
    second.feed(&[head, rows.concat(), ready(b'I')].concat()).unwrap();
    assert_eq!(events(&mut second), [r#"1 done SELECT 1 ["n: int64"] [["7"]]"#]);
    assert!(catalogue.statement(request("table t", vec![]).statement.key).is_none());
}

fn session_with_description(catalogue: &Arc<Catalogue>) {
    let mut first = session(catalogue);
    first.start(request("table t", vec![]));
    first.feed(&described(&[], &[("n", 23, -1)])).unwrap();
}

#[test]
fn a_shared_description_that_is_wrong_is_asked_for_again() {
    let catalogue = Arc::default();
    session_with_description(&catalogue);
    let mut second = session(&catalogue);
    second.start(request("table t", vec![]));
    written(&mut second);
    second.feed(&[error("ERROR", "08P01", "wrong formats"), ready(b'I')].concat()).unwrap();
    assert!(written(&mut second).starts_with('P'));
    second.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    second.feed(&numbers(&[8])).unwrap();
    assert_eq!(events(&mut second), [r#"1 done SELECT 1 ["n: int32"] [["8"]]"#]);
}

#[test]
fn a_stale_plan_is_prepared_again_once_and_outside_of_transactions() {
    let stale = || error("ERROR", "0A000", "cached plan must not change result type");
    let mut session = session(&Arc::default());
    session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    session.feed(&numbers(&[1])).unwrap();
    // Two in flight: the first one is held back until the second is answered.
    session.start(request("table t", vec![]));
    session.start(request("table t", vec![]));
    written(&mut session);
    session.feed(&[stale(), ready(b'I')].concat()).unwrap();
    assert_eq!(written(&mut session), "");
    session.feed(&[stale(), ready(b'I')].concat()).unwrap();
    let again = written(&mut session);
    assert!(again.starts_with("C\\x00\\x00\\x00\\x08Sr1"), "{again}");
    let described = [close_complete(), described(&[], &[("m", 20, -1)])].concat();
    session.feed(&described).unwrap();
    let run = [bind_complete(), complete("SELECT 0"), ready(b'I')].concat();
    session.feed(&[run.clone(), run].concat()).unwrap();
    assert_eq!(
        events(&mut session)[1..],
        [r#"2 done SELECT 0 ["m: int64"] []"#, r#"3 done SELECT 0 ["m: int64"] []"#,]
    );
    // In a transaction it is the caller's error.
    session.start(request("table t", vec![]));
    session.feed(&[stale(), ready(b'E')].concat()).unwrap();
    assert_eq!(session.transaction(), TransactionStatus::Failed);
    let lines = events(&mut session);
    assert_eq!(lines, ["4 failed: ERROR: cached plan must not change result type (0A000)"]);
}

#[test]
fn unknown_types_are_looked_up_once_for_all_connections() {
    let catalogue = Arc::default();
    let mut first = session(&catalogue);
    first.start(request("table t", vec![]));
    written(&mut first);
    first.feed(&described(&[], &[("m", 16_500, -1), ("a", 16_501, -1)])).unwrap();
    insta::assert_snapshot!(written(&mut first));
    let names = ["oid", "form", "base", "typmod", "element", "name"];
    let names: Vec<_> = names.iter().map(|name| (*name, 25, -1)).collect();
    let found = |cells: [&str; 6]| row(&cells.map(|cell| Some(cell.as_bytes())));
    let answer = [
        columns(&names),
        found(["16500", "e", "0", "-1", "0", "mood"]),
        found(["16501", "b", "0", "-1", "16500", "_mood"]),
        complete("SELECT 2"),
        ready(b'I'),
    ];
    first.feed(&answer.concat()).unwrap();
    let array = [[0, 0, 0, 0, 0, 0, 0, 0].as_slice(), &16_500_u32.to_be_bytes()].concat();
    let rows = [bind_complete(), row(&[Some(b"ok"), Some(&array)]), complete("SELECT 1")];
    first.feed(&[rows.concat(), ready(b'I')].concat()).unwrap();
    assert_eq!(
        events(&mut first),
        [r#"1 done SELECT 1 ["m: enum", "a: list[enum]"] [["ok", "[]"]]"#]
    );
    let mut second = session(&catalogue);
    second.start(request("select m from t", vec![]));
    second.feed(&described(&[], &[("m", 16_500, -1)])).unwrap();
    assert!(!written(&mut second).contains("pg_type"));
}

#[test]
fn the_least_recently_used_statement_is_closed() {
    let limits = Limits { statements: 2, ..Limits::default() };
    let startup = crate::Startup { limits, ..startup() };
    let mut session = Session::new(startup, Arc::default());
    session.feed(&welcome()).unwrap();
    for text in ["a", "b", "a", "c"] {
        session.start(request(text, vec![]));
        written(&mut session);
        if !session.statements.has(request(text, vec![]).statement.key) {
            session.feed(&described(&[], &[])).unwrap();
        }
        let closes = if text == "c" { close_complete() } else { Vec::new() };
        let run = [closes, bind_complete(), complete("SET"), ready(b'I')].concat();
        session.feed(&run).unwrap();
    }
    assert_eq!(session.statements.len(), 2);
    assert_eq!(events(&mut session).len(), 5);
    written(&mut session);
    session.start(request("a", vec![]));
    assert!(written(&mut session).starts_with('B'));
}

#[test]
fn without_a_cache_the_unnamed_statement_is_parsed_each_time() {
    let limits = Limits { statements: 0, ..Limits::default() };
    let mut session = Session::new(crate::Startup { limits, ..startup() }, Arc::default());
    session.feed(&welcome()).unwrap();
    session.start(request("a", vec![]));
    written(&mut session);
    session.feed(&described(&[], &[])).unwrap();
    let run = [described(&[], &[])[..17].to_vec(), bind_complete(), complete("SET"), ready(b'I')];
    let first = written(&mut session);
    session.feed(&run.concat()).unwrap();
    session.start(request("a", vec![]));
    assert_eq!(written(&mut session), first);
    assert!(first.starts_with(r"P\x00\x00\x00\t\x00a\x00"), "{first}");
    assert_eq!(events(&mut session).len(), 2);
}

#[test]
fn parameters_that_do_not_fit_send_nothing() {
    let mut session = session(&Arc::default());
    session.start(request("select $1", vec![]));
    session.feed(&described(&[23], &[("n", 23, -1)])).unwrap();
    written(&mut session);
    session.start(request("select \0", vec![]));
    assert_eq!(written(&mut session), "");
    assert_eq!(
        events(&mut session),
        [
            "1 failed: parameter $1 (int4): the statement wants 1 parameter, 0 were given",
            "2 failed: byte 7 of the statement is NUL, which PostgreSQL does not read",
        ]
    );
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn a_stream_comes_in_parts() {
    let mut session = session(&Arc::default());
    let output = Output::Stream { rows: 2, bytes: usize::MAX };
    session.start(crate::Request { output, ..request("table t", vec![]) });
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    session.feed(&numbers(&[1, 2, 3, 4, 5])).unwrap();
    assert_eq!(
        events(&mut session),
        [
            r#"1 batch [["1"], ["2"]]"#,
            r#"1 batch [["3"], ["4"]]"#,
            r#"1 done SELECT 5 ["n: int32"] [["5"]]"#,
        ]
    );
}

#[test]
fn a_value_without_a_place_costs_the_request_and_not_the_connection() {
    let mut session = session(&Arc::default());
    session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("day", 1082, -1)])).unwrap();
    session.feed(&numbers(&[1, i32::MAX, 3])).unwrap();
    session.start(request("table t", vec![]));
    session.feed(&numbers(&[1])).unwrap();
    let lines = events(&mut session);
    assert_eq!(
        lines[0],
        r#"1 failed: column "day" (date), row 1: an infinite date; cast it in the statement: "day"::text"#
    );
    assert!(lines[1].starts_with("2 done"));
}

#[test]
fn abandoned_rows_are_passed_over() {
    let mut session = session(&Arc::default());
    let id = session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    let answer = numbers(&[1, 2, 3]);
    let (now, later) = answer.split_at(30);
    session.feed(now).unwrap();
    session.abandon(id);
    session.feed(later).unwrap();
    assert_eq!(events(&mut session), ["1 done SELECT 3 [] []"]);
    // What was not sent never is.
    let script = session.script("vacuum");
    let waiting = session.start(request("table t", vec![]));
    assert!(session.is_sent(script) && !session.is_sent(waiting));
    session.abandon(waiting);
    assert_eq!(events(&mut session), ["3 failed: abandoned before it was sent"]);
}

#[test]
fn copy_is_refused_and_drained() {
    let mut session = session(&Arc::default());
    for text in ["/* load */ copy t from stdin", "copy t to stdout"] {
        session.start(request(text, vec![]));
        session.feed(&described(&[], &[])).unwrap();
        written(&mut session);
        session.start(request("behind", vec![]));
        assert_eq!(written(&mut session), "");
        let answer = if text.ends_with("stdin") {
            vec![message(b'G', &[0, 0, 0]), error("ERROR", "57014", "COPY failed")]
        } else {
            vec![
                message(b'H', &[0, 0, 0]),
                message(b'd', b"1\n"),
                message(b'c', b""),
                complete("COPY 1"),
            ]
        };
        session.feed(&[bind_complete(), answer.concat()].concat()).unwrap();
        if text.ends_with("stdin") {
            insta::assert_snapshot!(written(&mut session));
        }
        session.feed(&ready(b'I')).unwrap();
        let lines = events(&mut session);
        assert!(lines[0].contains("COPY from or to the client is not supported"), "{lines:?}");
        session.feed(&[error("ERROR", "42601", "behind"), ready(b'I')].concat()).unwrap();
        events(&mut session);
    }
}

#[test]
fn a_script_ends_once() {
    let mut session = session(&Arc::default());
    session.script("select 1; update t set a = 1");
    insta::assert_snapshot!(written(&mut session));
    let rows = [columns(&[("n", 23, -1)]), row(&[Some(b"1")]), complete("SELECT 1")].concat();
    session.feed(&[rows.clone(), complete("UPDATE 3"), ready(b'I')].concat()).unwrap();
    session.script("select 1; select 1/0");
    let failed = [rows, error("ERROR", "22012", "division by zero"), ready(b'I')];
    session.feed(&failed.concat()).unwrap();
    assert_eq!(
        events(&mut session),
        ["1 done UPDATE 3 [] []", "2 failed: ERROR: division by zero (22012)"]
    );
}

#[test]
fn the_end_is_reported_with_its_reason() {
    let mut session = session(&Arc::default());
    session.start(request("select pg_sleep(9)", vec![]));
    session.feed(&error("FATAL", "57P01", "terminating connection")).unwrap();
    assert_eq!(events(&mut session), ["1 failed: FATAL: terminating connection (57P01)"]);
    assert_eq!(session.last_fatal().map(|error| &*error.code), Some("57P01"));
    assert_eq!(session.feed(b"whatever follows"), Ok(()));
}

#[test]
fn refusals_say_what_to_do() {
    let refusal = |asked: &[u8], password: Option<&str>| {
        let password = password.map(Into::into);
        let mut session = Session::new(crate::Startup { password, ..startup() }, Arc::default());
        session.feed(&message(b'R', asked)).unwrap();
        events(&mut session)
    };
    assert_eq!(
        refusal(&[0, 0, 0, 3], None),
        ["refused: FATAL: the server asks for a password and none was given (28P01)"]
    );
    assert_eq!(
        refusal(&[0, 0, 0, 9], None),
        ["refused: FATAL: the server asks for SSPI, which is not supported (28000)"]
    );
    assert_eq!(
        refusal(b"\0\0\0\x0aNEW\0\0", Some("pw")),
        ["refused: FATAL: the server offers only NEW, which is not supported (28000)"]
    );
    assert!(refusal(&[0, 0, 0, 5, 1, 2, 3, 4], Some("pw")).is_empty());
    let mut session = Session::new(startup(), Arc::default());
    session.feed(&error("FATAL", "3D000", "no such database")).unwrap();
    assert_eq!(events(&mut session), ["refused: FATAL: no such database (3D000)"]);
}

#[test]
fn passwords_are_sent_and_never_shown() {
    let startup = crate::Startup { password: Some("secret".into()), ..startup() };
    assert!(!format!("{startup:?}").contains("secret"));
    let sent = |asked: &[u8]| {
        let mut session = Session::new(startup.clone(), Arc::default());
        written(&mut session);
        session.feed(&message(b'R', asked)).unwrap();
        assert!(!format!("{session:?}").contains("secret"));
        written(&mut session)
    };
    assert_eq!(sent(&[0, 0, 0, 3]), r"p\x00\x00\x00\x0bsecret\x00");
    insta::assert_snapshot!(sent(&[0, 0, 0, 5, 1, 2, 3, 4]));
    let scram = sent(b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    assert!(scram.contains(r"SCRAM-SHA-256\x00\x00\x00\x00 n,,n=,r="), "{scram}");
}

#[test]
fn a_server_that_does_not_prove_itself_is_not_believed() {
    let password = Some("secret".into());
    let mut session = Session::new(crate::Startup { password, ..startup() }, Arc::default());
    session.feed(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0")).unwrap();
    let error = session.feed(&message(b'R', &[0; 4])).unwrap_err().to_string();
    assert_eq!(error, "the server broke the protocol: authentication message 0 out of turn");
}

#[test]
fn what_cannot_be_is_an_error_in_words() {
    let broken = |bytes: &[u8]| {
        let mut session = session(&Arc::default());
        session.start(request("table t", vec![]));
        session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
        session.feed(&bind_complete()).unwrap();
        let error = session.feed(bytes).unwrap_err().to_string();
        assert_eq!(session.feed(b"").unwrap_err().to_string(), error);
        error.replace("the server broke the protocol: ", "")
    };
    let two = row(&[Some(&[0; 4]), Some(&[0; 4])]);
    let lines = [
        broken(b"D\0\0\0\x03"),
        broken(b"D\xff\xff\xff\xff"),
        broken(b"Z\0\x10\0\0"),
        broken(&two),
        broken(&row(&[Some(&[0; 3])])),
        broken(b"D\0\0\0\x0a\0\x01\0\0\0\x09"),
        broken(b"D\0\0\0\x0a\0\x01\xff\xff\xff\xfe"),
        broken(b"D\0\0\0\x0c\0\x01\0\0\0\x01\x01\x01"),
        broken(&bind_complete()),
        broken(&ready(b'I')),
        broken(&message(b'C', b"SELECT 1")),
        broken(&message(b'W', &[0; 3])),
        broken(&message(b'y', b"")),
        broken(&[complete("SELECT 0"), complete("SELECT 0")].concat()),
        broken(&[complete("SELECT 0"), ready(b'?')].concat()),
        broken(&[complete("SELECT 0"), ready(b'I'), ready(b'I')].concat()),
        broken(&message(b'E', b"SERROR\0")),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn notices_and_notifications_come_at_any_time() {
    let mut session = session(&Arc::default());
    session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    let notice = message(b'N', b"SNOTICE\0C00000\0Mhello\0\0");
    let notification = message(b'A', b"\0\0\0\x09jobs\0id=5\0");
    let status = message(b'S', b"TimeZone\0UTC\0");
    let value = row(&[Some(&[0, 0, 0, 1])]);
    let answer = [bind_complete(), notice, value, notification, status, complete("SELECT 1")];
    session.feed(&[answer.concat(), ready(b'I')].concat()).unwrap();
    assert_eq!(
        events(&mut session),
        [
            "notice: NOTICE: hello (00000)",
            "notification 9 jobs id=5",
            r#"1 done SELECT 1 ["n: int32"] [["1"]]"#,
        ]
    );
    assert_eq!(session.parameter("TimeZone"), Some("UTC"));
}

#[test]
fn a_long_message_grows_the_buffer_only_as_it_comes() {
    let mut session = session(&Arc::default());
    session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("s", 25, -1)])).unwrap();
    session.feed(&[bind_complete(), b"D\x20\0\0\0\0\x01".to_vec()].concat()).unwrap();
    assert!(session.space().len() < 64 << 10);
    let mut session = self::session(&Arc::default());
    session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("s", 25, -1)])).unwrap();
    let text = "x".repeat(3 << 20);
    let answer = [bind_complete(), row(&[Some(text.as_bytes())]), complete("SELECT 1")];
    session.feed(&[answer.concat(), ready(b'I')].concat()).unwrap();
    assert!(events(&mut session)[0].len() > 3 << 20);
    assert!(session.space().len() <= 256 << 10);
}

/// A conversation with a bit of everything, and the requests that belong to it.
fn conversation() -> Vec<u8> {
    let mut bytes = welcome();
    bytes.extend(described(&[], &[("n", 23, -1), ("s", 25, -1)]));
    bytes.extend(bind_complete());
    for n in 0..40_u32 {
        let text = "é".repeat(n as usize % 7);
        let text = (n % 5 != 0).then_some(text.as_bytes());
        bytes.extend(row(&[Some(&n.to_be_bytes()), text]));
    }
    bytes.extend(message(b'N', b"SNOTICE\0C00000\0Mhello\0\0"));
    bytes.extend([complete("SELECT 40"), ready(b'T')].concat());
    bytes.extend(described(&[], &[("day", 1082, -1)]));
    bytes.extend(numbers(&[1, i32::MAX, 3]));
    bytes.extend(described(&[], &[("n", 23, -1)]));
    bytes.extend(numbers(&[4, 5]));
    bytes.extend([columns(&[("n", 23, -1)]), row(&[None]), complete("SELECT 1")].concat());
    bytes.extend(ready(b'I'));
    bytes.extend(described(&[], &[("n", 23, -1)]));
    bytes.extend(numbers(&(0..100).collect::<Vec<_>>()));
    bytes
}

/// The events of the conversation cut into pieces at `cuts`, and how it ended.
fn converse(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
    let mut session = Session::new(startup(), Arc::default());
    for (text, output) in [
        ("a", Output::Stream { rows: 16, bytes: 200 }),
        ("b", Output::Batch),
        ("first", Output::First),
        ("script", Output::Discard),
        ("c", Output::Stream { rows: 33, bytes: usize::MAX }),
    ] {
        if text == "script" {
            session.script(text);
        } else {
            session.start(crate::Request { output, ..request(text, vec![]) });
        }
    }
    let mut lines = Vec::new();
    let mut start = 0;
    for &end in cuts.iter().chain([&bytes.len()]) {
        let result = session.feed(&bytes[start..end]);
        start = end;
        written(&mut session);
        lines.extend(events(&mut session));
        if let Err(error) = result {
            lines.push(error.to_string());
            break;
        }
    }
    lines
}

#[test]
fn every_split_gives_the_same_events() {
    let bytes = conversation();
    let whole = converse(&bytes, &[]);
    assert_eq!(whole.len(), 14, "{whole:#?}");
    for cut in 0..=bytes.len() {
        assert_eq!(converse(&bytes, &[cut]), whole, "cut at {cut}");
    }
    let each: Vec<usize> = (0..bytes.len()).collect();
    assert_eq!(converse(&bytes, &each), whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn corrupt_bytes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        len in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = conversation();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(len.index(bytes.len()) + 1);
        let whole = converse(&bytes, &[]);
        let cut = cut.index(bytes.len());
        prop_assert_eq!(converse(&bytes, &[cut]), whole);
    }
}

#[test]
fn rows_do_not_lend_their_limit_to_what_follows() {
    let good = conversation();
    let heads = good.windows(4).enumerate().filter(|(_, head)| head == b"C\0\0\0");
    let heads: Vec<usize> = heads.map(|(at, _)| at).collect();
    assert_eq!(heads.len(), 5);
    for head in heads {
        let mut bytes = good.clone();
        bytes[head + 1] = 0x40;
        let whole = converse(&bytes, &[]);
        assert!(whole.last().unwrap().contains("where 4 to 65536"), "{whole:#?}");
        assert_eq!(converse(&bytes, &[head]), whole);
    }
}

#[test]
fn keys_alone_tell_statements_apart() {
    let statement = |key| Statement { text: "select 1".into(), key };
    let mut session = session(&Arc::default());
    for key in [1, 1 << 64] {
        let request = crate::Request { statement: statement(key), ..request("", vec![]) };
        session.start(request);
        assert!(written(&mut session).starts_with('P'));
        session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
        session.feed(&numbers(&[1])).unwrap();
        written(&mut session);
    }
    session.close();
    assert_eq!(written(&mut session), r"X\x00\x00\x00\x04");
}
