//! The matcher beside the a-tree crate, in turns, and what it does a second on one thread and on two:
//! `cargo run --release --manifest-path bench/matcher/Cargo.toml -- 150 10000`
//!
//! Of a tree of 100,000 the build alone takes minutes.

mod a_tree;
#[path = "../../../crates/expr/examples/matcher/chance.rs"]
mod chance;
#[path = "../../../crates/expr/examples/matcher/figures.rs"]
mod figures;
#[path = "../../../crates/expr/examples/matcher/workload.rs"]
mod workload;

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use chance::Chance;
use figures::figures;
use rowmill_expr::matcher::{Base, Record, Scratch};
use workload::Workload;

/// Requests of a size.
const REQUESTS: usize = 1_000;
/// How long threads match.
const SECONDS: f64 = 2.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes: Vec<usize> =
        std::env::args().skip(1).map(|size| size.parse()).collect::<Result<_, _>>()?;
    for size in if sizes.is_empty() { vec![150, 10_000] } else { sizes } {
        measure(size)?;
    }
    Ok(())
}

fn measure(size: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (workload, chance) = (Workload::new(), &mut Chance(42));
    let mut campaigns = Vec::with_capacity(size);
    while campaigns.len() < size {
        let campaign = Workload::filter(chance);
        // What the crate cannot say is left out on both sides.
        campaigns
            .extend(a_tree::text(&campaign).map(|text| (workload.expression(&campaign), text)));
    }
    let start = Instant::now();
    let mut builder = Base::builder(workload.attributes());
    for (id, (expression, _)) in campaigns.iter().enumerate() {
        builder.insert(id as u64, expression.as_ref().map_err(ToString::to_string)?)?;
    }
    let base = builder.build();
    let built = start.elapsed();
    let start = Instant::now();
    let mut tree = a_tree::tree()?;
    for (id, (_, text)) in (0_u64..).zip(&campaigns) {
        tree.insert(&id, text).map_err(|error| format!("{text}: {error}"))?;
    }
    let tree_built = start.elapsed();
    println!("\n{size} campaigns; built in {built:.2?}, a-tree in {tree_built:.2?}");

    let requests: Vec<_> = (0..REQUESTS).map(|_| Workload::request(chance)).collect();
    let records: Vec<Record> =
        requests.iter().map(|request| workload.record(request)).collect::<Result<_, _>>()?;
    let events: Vec<_> =
        requests.iter().map(|request| a_tree::event(&tree, request)).collect::<Result<_, _>>()?;
    let (mut scratch, mut ids) = (Scratch::new(), Vec::new());
    for (at, (record, event)) in records.iter().zip(&events).enumerate() {
        let report = tree.search(event).map_err(|error| error.to_string())?;
        let mut expected: Vec<u64> = report.matches().iter().map(|id| **id).collect();
        expected.sort_unstable();
        ids.clear();
        base.matches(record, &mut scratch, &mut ids)?;
        ids.sort_unstable();
        assert_eq!(ids, expected, "request {at}");
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for part in 0..8 {
        let range = part * REQUESTS / 8..(part + 1) * REQUESTS / 8;
        timed(&mut theirs, &events[range.clone()], |event| {
            black_box(tree.search(event).map_err(|error| error.to_string())?);
            Ok(())
        })?;
        timed(&mut ours, &records[range], |record| {
            ids.clear();
            base.matches(record, &mut scratch, &mut ids)?;
            black_box(&ids);
            Ok(())
        })?;
    }
    let [mean, p50, p99] = figures(&mut ours);
    let [their_mean, their_p50, their_p99] = figures(&mut theirs);
    println!(
        "  the same ids on {REQUESTS} requests\n  matcher  mean {mean:9.2} us  p50 {p50:9.2}  p99 {p99:9.2}\n  \
         a-tree   mean {their_mean:9.2} us  p50 {their_p50:9.2}  p99 {their_p99:9.2}  ({:.0} x the matcher's mean)",
        their_mean / mean,
    );
    for threads in [1, 2] {
        let (base, records) = (&base, &records);
        let done = thread::scope(|scope| {
            let each: Vec<_> =
                (0..threads).map(|at| scope.spawn(move || repeated(base, records, at))).collect();
            each.into_iter().map(|thread| thread.join().unwrap_or(0.0)).sum::<f64>()
        });
        println!("  {threads} threads {done:12.0} requests a second");
    }
    Ok(())
}

/// How long each request takes, twice, after a pass in which what the other side pushed out of the caches comes back.
fn timed<T>(
    times: &mut Vec<Duration>,
    requests: &[T],
    mut run: impl FnMut(&T) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    for pass in 0..3 {
        for request in requests {
            let start = Instant::now();
            run(request)?;
            if pass > 0 {
                times.push(start.elapsed());
            }
        }
    }
    Ok(())
}

/// Requests a second of one thread.
fn repeated(base: &Base, records: &[Record], first: usize) -> f64 {
    let (mut scratch, mut ids) = (Scratch::new(), Vec::new());
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < SECONDS {
        for record in records.iter().skip(first) {
            ids.clear();
            if base.matches(record, &mut scratch, &mut ids).is_ok() {
                done += 1;
            }
            black_box(&ids);
        }
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}
