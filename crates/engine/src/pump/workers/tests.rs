use std::collections::HashSet;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use super::*;

/// Runs a job after the other, each given by who heard the answer of the last; the threads they ran on.
fn one_by_one(workers: &Workers, jobs: usize) -> HashSet<ThreadId> {
    let (tell, answers) = mpsc::channel();
    (0..jobs)
        .map(|_| {
            let tell = tell.clone();
            workers.run_now(move |is_done| {
                is_done();
                tell.send(thread::current().id()).unwrap();
            });
            answers.recv().unwrap()
        })
        .collect()
}

#[test]
fn who_told_an_answer_takes_the_next_job() {
    let workers = Workers::new(4);
    assert_eq!(one_by_one(&workers, 2000).len(), 1);
}

#[test]
fn the_last_to_become_idle_is_the_first_to_be_woken() {
    let workers = Workers::new(2);
    let (tell, started) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    for _ in 0..2 {
        let (tell, ended) = (tell.clone(), Arc::clone(&ended));
        workers.run(move |_| {
            tell.send(thread::current().id()).unwrap();
            ended.lock().unwrap().recv().unwrap();
        });
    }
    let both: HashSet<_> = started.iter().take(2).collect();
    assert_eq!(both.len(), 2);
    for _ in 0..2 {
        end.send(()).unwrap();
    }
    while workers.0.0.lock().idle.len() < 2 {
        thread::yield_now();
    }
    assert_eq!(one_by_one(&workers, 500).len(), 1);
}

#[test]
fn more_jobs_than_threads_all_run() {
    let workers = Workers::new(2);
    let (tell, answers) = mpsc::channel();
    for job in 0..500 {
        let tell = tell.clone();
        workers.run(move |is_done| {
            assert!(job % 50 != 7, "a job that fails takes nothing with it");
            is_done();
            tell.send(thread::current().id()).unwrap();
        });
    }
    drop(tell);
    assert_eq!(answers.iter().count(), 490);
}
