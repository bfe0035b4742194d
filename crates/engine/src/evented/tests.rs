//! The event loop here is a `poll` on the descriptors that the actions name.

use std::collections::HashMap;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Action, Answer, Evented, Submitted, Want};
use crate::{Arguments, Ask, Config, ErrorKind, Result, Scalar, TransactionMode};

/// SQL without parameters.
fn plain(sql: &str) -> Ask<'_> {
    Ask::Sql(sql.into(), Arguments::Positional(Vec::new()))
}

struct Loop {
    db: Evented<usize>,
    watched: HashMap<RawFd, usize>,
    answers: HashMap<usize, Result<Answer>>,
    flush: bool,
    /// What was watched and went to a worker, with its status flags then.
    unwatched: Vec<i32>,
}

impl Loop {
    fn new(url: &str) -> Self {
        let db = Evented::new(Config::parse(url).unwrap()).unwrap();
        Self {
            db,
            watched: HashMap::new(),
            answers: HashMap::new(),
            flush: false,
            unwatched: vec![],
        }
    }

    fn submit(&mut self, token: usize, sql: &str, parameters: Vec<Scalar>) -> Option<u64> {
        let ask = Ask::Sql(sql.into(), Arguments::Positional(parameters));
        let call = self.db.call(ask, Want::Rows, None).unwrap();
        let submitted = match self.db.answer_now(&call) {
            Some(answer) => Submitted::Now(answer),
            None => self.db.submit(call, token),
        };
        self.note(token, submitted)
    }

    fn note(&mut self, token: usize, submitted: Submitted) -> Option<u64> {
        self.act();
        match submitted {
            Submitted::Now(result) => {
                self.answers.insert(token, result);
                None
            }
            Submitted::Sent(id) | Submitted::Queued(id) => Some(id),
        }
    }

    fn act(&mut self) {
        for action in self.db.take_actions() {
            match action {
                Action::Complete { to, result } => drop(self.answers.insert(to, result)),
                Action::Watch { fd, lane } => {
                    // As libuv does with what it is given to watch.
                    set_status(fd, status(fd) | libc::O_NONBLOCK);
                    self.watched.insert(fd, lane);
                }
                Action::Unwatch { fd } => {
                    self.unwatched.push(status(fd));
                    self.watched.remove(&fd);
                }
                Action::FlushSoon => self.flush = true,
                Action::WatchWrite { .. }
                | Action::UnwatchWrite { .. }
                | Action::Later { .. }
                | Action::Reopen { .. }
                | Action::Forget { .. } => {}
            }
        }
        if std::mem::take(&mut self.flush) {
            self.db.flush();
            self.act();
        }
    }

    /// Runs until `token` is answered.
    fn wait(&mut self, token: usize) -> Result<Answer> {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(answer) = self.answers.remove(&token) {
                return answer;
            }
            assert!(Instant::now() < give_up, "no answer to {token}");
            let wake = self.db.wake_fd();
            let fds: Vec<RawFd> = self.watched.keys().copied().chain([wake]).collect();
            #[expect(unsafe_code, reason = "a poll needs borrowed descriptors")]
            // SAFETY: the database holds each until its `Unwatch` has been taken.
            let borrowed: Vec<_> =
                fds.iter().map(|&fd| unsafe { BorrowedFd::borrow_raw(fd) }).collect();
            let mut polled: Vec<_> =
                borrowed.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            let second = Timespec::try_from(Duration::from_secs(1)).unwrap();
            poll(&mut polled, Some(&second)).unwrap();
            let ready: Vec<RawFd> = fds
                .iter()
                .zip(&polled)
                .filter(|(_, polled)| !polled.revents().is_empty())
                .map(|(&fd, _)| fd)
                .collect();
            for fd in ready {
                match self.watched.get(&fd) {
                    Some(&lane) => self.db.readable(lane),
                    None if fd == wake => self.db.wake(),
                    None => {}
                }
                self.act();
            }
        }
    }

    fn rows(&mut self, token: usize) -> usize {
        match self.wait(token).unwrap() {
            Answer::Rows(batch) => batch.rows(),
            other => panic!("{other:?} is not rows"),
        }
    }
}

fn server() -> String {
    let url = std::env::var("ROWMILL_TEST_POSTGRES");
    url.expect("ROWMILL_TEST_POSTGRES names a server; run the tests by ./dev test")
}

#[expect(unsafe_code, reason = "a descriptor's flags")]
fn status(fd: RawFd) -> i32 {
    // SAFETY: a query of flags; the database holds the descriptor until its `Unwatch` was taken.
    unsafe { libc::fcntl(fd, libc::F_GETFL) }
}

#[expect(unsafe_code, reason = "a descriptor's flags")]
fn set_status(fd: RawFd, status: i32) {
    // SAFETY: as above.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFL, status) }, 0);
}

const SERIES: &str = "select i from generate_series(1, $1::int) as i";

#[test]
fn a_short_sqlite_read_is_answered_at_once() {
    let mut event_loop = Loop::new("sqlite://");
    assert_eq!(event_loop.submit(1, "select 1", vec![]), None);
    assert_eq!(event_loop.rows(1), 1);
}

#[test]
fn an_sqlite_write_is_answered_by_a_worker() {
    let mut event_loop = Loop::new("sqlite://");
    assert!(event_loop.submit(1, "create table t (x integer)", vec![]).is_some());
    event_loop.wait(1).unwrap();
    assert!(event_loop.submit(2, "insert into t values (1)", vec![]).is_some());
    event_loop.wait(2).unwrap();
    event_loop.submit(3, "select * from t", vec![]);
    assert_eq!(event_loop.rows(3), 1);
}

#[test]
fn many_calls_share_few_connections() {
    let mut event_loop = Loop::new(&server());
    for token in 0..200 {
        event_loop.submit(token, SERIES, vec![Scalar::Int(token as i64)]);
    }
    for token in 0..200 {
        assert_eq!(event_loop.rows(token), token);
    }
}

#[test]
fn a_large_result_goes_to_a_worker_and_its_connection_comes_back() {
    let mut event_loop = Loop::new(&server());
    event_loop.submit(1, SERIES, vec![Scalar::Int(300_000)]);
    event_loop.submit(2, SERIES, vec![Scalar::Int(3)]);
    assert_eq!(event_loop.rows(1), 300_000);
    assert_eq!(event_loop.rows(2), 3);
    event_loop.submit(3, SERIES, vec![Scalar::Int(4)]);
    assert_eq!(event_loop.rows(3), 4);
}

#[test]
fn a_cancelled_call_leaves_its_neighbours_alone() {
    let mut event_loop = Loop::new(&server());
    let slow = event_loop.submit(1, "select pg_sleep(60)", vec![]).unwrap();
    event_loop.submit(2, SERIES, vec![Scalar::Int(2)]);
    assert_eq!(event_loop.rows(2), 2);
    event_loop.db.cancel(slow);
    event_loop.act();
    for token in 3..50 {
        event_loop.submit(token, SERIES, vec![Scalar::Int(1)]);
        assert_eq!(event_loop.rows(token), 1);
    }
    assert!(!event_loop.answers.contains_key(&1));
}

#[test]
fn a_transaction_has_a_connection_to_itself() {
    let mut event_loop = Loop::new(&server());
    let begun = event_loop.db.begin(TransactionMode::default(), 1);
    event_loop.note(1, begun);
    let Answer::Transaction(id) = event_loop.wait(1).unwrap() else { panic!("no transaction") };
    let sql = "create temp table evented_tx (x int) on commit drop";
    let call = event_loop.db.call(plain(sql), Want::Count, Some(id)).unwrap();
    let submitted = event_loop.db.submit(call, 2);
    event_loop.note(2, submitted);
    event_loop.wait(2).unwrap();
    let ended = event_loop.db.end(id, true, 3);
    event_loop.note(3, ended);
    event_loop.wait(3).unwrap();
    let again = event_loop.db.end(id, true, 4);
    event_loop.note(4, again);
    assert_eq!(event_loop.wait(4).unwrap_err().kind(), ErrorKind::Misuse);
}

#[test]
fn a_server_that_cannot_be_reached_is_told_to_all_who_wait() {
    let mut event_loop = Loop::new("postgresql://nobody@/nothing?host=/nonexistent");
    for token in 0..5 {
        event_loop.submit(token, "select 1", vec![]);
    }
    for token in 0..5 {
        assert_eq!(event_loop.wait(token).unwrap_err().kind(), ErrorKind::Connect);
    }
}

#[test]
fn a_workers_receives_wait_whatever_the_loop_did_to_the_socket() {
    let mut event_loop = Loop::new(&server());
    event_loop.submit(1, SERIES, vec![Scalar::Int(100_000)]);
    assert_eq!(event_loop.rows(1), 100_000);
    let [status] = event_loop.unwatched[..] else { panic!("{:?}", event_loop.unwatched) };
    assert!(status >= 0);
    assert_eq!(status & libc::O_NONBLOCK, 0, "a worker that waits would spin");
}

#[test]
fn a_database_dropped_in_the_middle_stops_what_workers_wait_for() {
    let mut event_loop = Loop::new(&server());
    let sql = "select pg_sleep(60) as dropped";
    let call = event_loop.db.call(plain(sql), Want::Rows, None).unwrap();
    let submitted = event_loop.db.stream(call, 0, 1);
    event_loop.note(1, submitted);
    let Answer::Stream(stream) = event_loop.wait(1).unwrap() else { panic!("no stream") };
    let asked = event_loop.db.part(&stream, None, 2);
    event_loop.note(2, asked);

    let mut watcher = Loop::new(&server());
    let mut until = |wanted: usize| {
        let running = "select 1 from pg_stat_activity where state = 'active'\
                       and query = 'select pg_sleep(60) as dropped'";
        let give_up = Instant::now() + Duration::from_secs(20);
        while {
            watcher.submit(3, running, vec![]);
            watcher.rows(3) != wanted
        } {
            assert!(Instant::now() < give_up, "not {wanted} at the server");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    until(1);
    drop((event_loop, stream));
    until(0);
}
