//! Descriptions that prove out of date, and poolers that keep them so.

use std::sync::Arc;

use rowmill_columns::Scalar;

use super::tests::{described, numbers};
use crate::testing::*;
use crate::{Limits, Session};

#[test]
fn a_plan_that_is_stale_when_new_is_a_poolers_and_gets_no_name() {
    gets_no_name("0A000", "cached plan must not change result type");
}

#[test]
fn a_name_that_a_pooler_gave_twice_is_not_asked_for_again() {
    gets_no_name("42P05", "prepared statement \"PGBOUNCER_7\" already exists");
}

fn gets_no_name(code: &str, message: &str) {
    let stale = || error("ERROR", code, message);
    let mut session = session(&Arc::default());
    session.start(request("table t", vec![]));
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    session.feed(&numbers(&[1])).unwrap();
    session.start(request("table t", vec![]));
    session.feed(&[stale(), ready(b'I')].concat()).unwrap();
    // It is prepared anew, and nobody on the way cares.
    session.feed(&[close_complete(), described(&[], &[("n", 23, -1)])].concat()).unwrap();
    written(&mut session);
    session.feed(&[stale(), ready(b'I')].concat()).unwrap();
    let unnamed = written(&mut session);
    assert!(unnamed.contains(r"P\x00\x00\x00\x0f\x00table t"), "{unnamed}");
    session.feed(&[close_complete(), described(&[], &[("m", 20, -1)])].concat()).unwrap();
    let eight = row(&[Some(&8_i64.to_be_bytes())]);
    let parsed = &described(&[], &[("m", 20, -1)]);
    let parsed = &parsed[..parsed.len() - ready(b'I').len()];
    let run = [parsed, &bind_complete(), &eight, &complete("SELECT 1"), &ready(b'I')].concat();
    session.feed(&run).unwrap();
    session.start(request("table t", vec![]));
    assert!(written(&mut session).contains(r"P\x00\x00\x00\x0f\x00table t"));
    session.feed(&run).unwrap();
    let done = |id| format!(r#"{id} done SELECT 1 ["m: int64"] [["8"]]"#);
    assert_eq!(events(&mut session)[1..], [done(2), done(3)]);
}

#[test]
fn what_failed_for_the_moment_or_for_nobody_is_not_asked_again() {
    let cases = [
        ("57014", "canceling statement due to user request", true),
        ("55P03", "canceling statement due to lock timeout", true),
        ("53200", "out of memory", true),
        ("40P01", "deadlock detected", true),
        ("42804", "a parameter of another type", false),
    ];
    for (code, message, is_wanted) in cases {
        let catalogue = Arc::default();
        let mut first = session(&catalogue);
        first.start(request("table t", vec![]));
        first.feed(&described(&[], &[("n", 23, -1)])).unwrap();
        let mut second = session(&catalogue);
        let id = second.start(request("table t", vec![]));
        written(&mut second);
        if !is_wanted {
            second.abandon(id);
        }
        second.feed(&[error("ERROR", code, message), ready(b'I')].concat()).unwrap();
        assert_eq!((second.in_flight(), written(&mut second)), (0, String::new()), "{code}");
    }
}

#[test]
fn what_is_started_anew_relies_on_nothing_and_leaves_nothing() {
    let catalogue = Arc::default();
    let mut session = session(&catalogue);
    for expected in [1, 2] {
        assert_eq!(session.start_anew(request("table t", vec![])), expected);
        let sent = written(&mut session);
        assert!(sent.starts_with(r"P\x00\x00\x00\x0f\x00table t"), "{sent}");
        session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
        let sent = written(&mut session);
        assert!(sent.starts_with(r"P\x00\x00\x00\x0f\x00table t"), "{sent}");
        let parsed = described(&[], &[("n", 23, -1)]);
        let parsed = &parsed[..parsed.len() - ready(b'I').len()];
        session.feed(&[parsed, &numbers(&[7])].concat()).unwrap();
        let done = format!(r#"{expected} done SELECT 1 ["n: int32"] [["7"]]"#);
        assert_eq!(events(&mut session).last(), Some(&done));
    }
}

#[test]
fn unnamed_statements_sent_together_keep_their_own_rows() {
    let limits = Limits { statements: 0, ..Limits::default() };
    let startup = || crate::Startup { limits: limits.clone(), ..startup() };
    let catalogue = Arc::default();
    let mut first = Session::new(startup(), Arc::clone(&catalogue));
    first.feed(&welcome()).unwrap();
    let parsed = |name, oid| {
        let all = described(&[], &[(name, oid, -1)]);
        all[..all.len() - ready(b'I').len()].to_vec()
    };
    for (text, name) in [("a", "n"), ("b", "w")] {
        first.start(request(text, vec![]));
        first.feed(&described(&[], &[(name, 23, -1)])).unwrap();
        first.feed(&[parsed(name, 23), numbers(&[1])].concat()).unwrap();
    }
    events(&mut first);
    first.start(request("a", vec![]));
    first.start(request("b", vec![]));
    let long = row(&[Some(&7_i64.to_be_bytes())]);
    let one = [bind_complete(), long, complete("SELECT 1"), ready(b'I')].concat();
    first.feed(&[parsed("n", 20), one, parsed("w", 23), numbers(&[2])].concat()).unwrap();
    let lines = events(&mut first);
    assert_eq!(
        lines,
        [r#"3 done SELECT 1 ["n: int64"] [["7"]]"#, r#"4 done SELECT 1 ["w: int32"] [["2"]]"#]
    );
}

#[test]
fn a_parameter_that_does_not_fit_is_asked_about_once_more() {
    let mut session = session(&Arc::default());
    session.start(request("select $1", vec![Scalar::Int(1)]));
    session.feed(&described(&[23], &[("n", 23, -1)])).unwrap();
    session.feed(&numbers(&[1])).unwrap();
    written(&mut session);
    session.start(request("select $1", vec![Scalar::Int(1 << 40)]));
    assert!(written(&mut session).ends_with(r"D\x00\x00\x00\x06S\x00S\x00\x00\x00\x04"));
    session.feed(&[close_complete(), described(&[20], &[("n", 20, -1)])].concat()).unwrap();
    let sent = written(&mut session);
    assert!(sent.contains('B'), "{sent}");
    assert_eq!(session.in_flight(), 1);
}

#[test]
fn a_poolers_rows_are_described_each_time() {
    let mut session = Session::new(startup(), Arc::default());
    let key = message(b'K', &[0xff, 0xff, 0xff, 0xf0, 1, 2, 3, 4]);
    session.feed(&[message(b'R', &[0; 4]), key, ready(b'I')].concat()).unwrap();
    session.start(request("table t", vec![]));
    written(&mut session);
    session.feed(&described(&[], &[("n", 23, -1)])).unwrap();
    assert!(written(&mut session).contains(r"D\x00\x00\x00\x06P\x00E"));
    let answer = |oid, cell: &[u8]| {
        let answer = [bind_complete(), columns(&[("n", oid, -1)]), row(&[Some(cell)])];
        [answer.concat(), complete("SELECT 1"), ready(b'I')].concat()
    };
    session.feed(&answer(23, &[0, 0, 0, 7])).unwrap();
    // Another session prepared it meanwhile, for a table whose column is a real now: as long as before.
    session.start(request("table t", vec![]));
    session.feed(&answer(700, &1.5_f32.to_be_bytes())).unwrap();
    let lines = events(&mut session);
    let ours =
        [r#"1 done SELECT 1 ["n: int32"] [["7"]]"#, r#"2 done SELECT 1 ["n: float32"] [["1.5"]]"#];
    assert_eq!(lines[lines.len() - 2..], ours);
}
