use std::sync::Arc;

use super::Portal;
use crate::testing::*;
use crate::{Event, Output, Request, RequestId, Session};

fn suspended() -> Vec<u8> {
    message(b's', b"")
}

/// Rows of one int4.
fn rows(values: std::ops::Range<i32>) -> Vec<u8> {
    values.flat_map(|value| row(&[Some(&value.to_be_bytes())])).collect()
}

/// A session in a transaction whose first request reads a portal; what it sent for that.
fn opened(rows: usize, bytes: usize) -> (Session, String) {
    let mut session = session(&Arc::default());
    let output = Output::Portal { rows, bytes };
    session.start(Request { output, ..request("table t", vec![]) });
    let described =
        [parse_complete(), parameters(&[]), columns(&[("n", 23, -1)]), ready(b'T')].concat();
    session.feed(&described).unwrap();
    let sent = written(&mut session);
    (session, sent)
}

fn portal(session: &mut Session) -> (RequestId, Option<usize>, Box<Portal>) {
    match session.next_event() {
        Some(Event::Suspended { id, batch, portal }) => {
            (id, batch.map(|batch| batch.rows()), portal)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_portal_is_read_some_rows_at_a_time() {
    let (mut session, sent) = opened(2, usize::MAX);
    assert!(sent.ends_with(r"E\x00\x00\x00\x0br1\x00\x00\x00\x00\x02S\x00\x00\x00\x04"), "{sent}");
    session.feed(&[bind_complete(), rows(1..3), suspended(), ready(b'T')].concat()).unwrap();
    // The batch is full by its rows, and told before the portal is known to be suspended.
    assert!(
        matches!(session.next_event(), Some(Event::Batch { id: 1, batch }) if batch.rows() == 2)
    );
    let (id, batch, first) = portal(&mut session);
    assert_eq!((id, batch), (1, None));
    assert_eq!((session.in_flight(), first.wanted), (0, 2));

    // The connection is free for others.
    session.script("select 5");
    written(&mut session);
    session.feed(&[complete("SELECT 1"), ready(b'T')].concat()).unwrap();
    assert_eq!(events(&mut session), ["2 done SELECT 1 [] []"]);

    assert_eq!(session.resume(first), 3);
    let sent = written(&mut session);
    assert_eq!(sent, r"E\x00\x00\x00\x0br1\x00\x00\x00\x00\x02S\x00\x00\x00\x04");
    session.feed(&[rows(3..4), complete("SELECT 1"), ready(b'T')].concat()).unwrap();
    assert_eq!(events(&mut session), [r#"3 done SELECT 1 ["n: int32"] [["3"]]"#]);

    assert_eq!(session.close_portal(1), 4);
    assert_eq!(written(&mut session), r"C\x00\x00\x00\x08Pr1\x00S\x00\x00\x00\x04");
    session.feed(&[close_complete(), ready(b'T')].concat()).unwrap();
    assert_eq!(events(&mut session), ["4 done  0 [] []"]);
}

#[test]
fn rows_are_asked_for_by_the_width_of_those_that_came() {
    let width = rows(0..1).len();
    // Eight thousand rows fill a batch.
    let (mut session, _) = opened(100_000, 8_000 * width);
    session.feed(&[bind_complete(), rows(0..1024), suspended(), ready(b'T')].concat()).unwrap();
    let (_, batch, first) = portal(&mut session);
    assert_eq!((batch, first.wanted), (None, 7_000 - 1_024));
    session.resume(first);
    written(&mut session);
    session.feed(&[rows(1024..7_000), suspended(), ready(b'T')].concat()).unwrap();
    let (_, batch, second) = portal(&mut session);
    assert_eq!((batch, second.wanted), (Some(7_000), 7_000));
    // Rows that grow wider end the batch in their midst, so that it is no larger than it may be.
    session.resume(second);
    written(&mut session);
    session.feed(&[rows(0..8_500), suspended(), ready(b'T')].concat()).unwrap();
    assert!(
        matches!(session.next_event(), Some(Event::Batch { id: 3, batch }) if batch.rows() == 8_000)
    );
    assert_eq!(portal(&mut session).1, None);
}

#[test]
fn rows_that_nobody_wants_end_the_request() {
    let (mut session, _) = opened(10, usize::MAX);
    session.feed(&[bind_complete(), rows(0..3)].concat()).unwrap();
    session.abandon(1);
    session.feed(&[rows(3..10), suspended(), ready(b'T')].concat()).unwrap();
    assert_eq!(events(&mut session), ["1 done  0 [] []"]);
}

#[test]
fn a_portal_that_fails_or_is_gone() {
    let (mut session, _) = opened(1, usize::MAX);
    session.feed(&[bind_complete(), rows(0..1), suspended(), ready(b'T')].concat()).unwrap();
    session.next_event();
    let (_, _, first) = portal(&mut session);
    session.resume(first);
    session.feed(&[error("ERROR", "34000", "portal is gone"), ready(b'E')].concat()).unwrap();
    assert_eq!(events(&mut session), ["2 failed: ERROR: portal is gone (34000)"]);
}

#[test]
fn a_server_may_not_suspend_what_was_asked_for_as_a_whole() {
    let mut session = session(&Arc::default());
    session.start(request("table t", vec![]));
    let described =
        [parse_complete(), parameters(&[]), columns(&[("n", 23, -1)]), ready(b'T')].concat();
    session.feed(&described).unwrap();
    assert!(session.feed(&[bind_complete(), suspended()].concat()).is_err());
}
