//! What a matcher takes and how long, beside a loop over all expressions compiled to trees:
//! `cargo run --release -p rowmill-expr --example matcher -- 150 10000 100000 1000000`

#![expect(clippy::print_stdout, reason = "a measurement shows what it found")]

mod brute;
mod chance;
mod figures;
mod floor;
mod workload;

use std::time::{Duration, Instant};

use brute::{Known, Tree};
use chance::Chance;
use figures::figures;
use floor::floor;
use rowmill_expr::ExprError;
use rowmill_expr::matcher::{Base, Live, Record, Scratch};
use workload::Workload;

fn main() -> Result<(), ExprError> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![150, 10_000, 100_000] } else { sizes };
    let shows = std::env::args().any(|argument| argument == "--layers");
    let loops = std::env::args().all(|argument| argument != "--no-loop");
    for size in sizes {
        measure(size, shows, loops)?;
    }
    Ok(())
}

fn measure(size: usize, shows: bool, loops: bool) -> Result<(), ExprError> {
    let workload = Workload::new();
    let chance = &mut Chance(42);
    let passes = std::env::args().filter_map(|one| one.strip_prefix("--passes=")?.parse().ok());
    let passes: usize = passes.max().unwrap_or(3);
    let before = resident();
    let mut trees = Vec::with_capacity(size);
    let mut expressions = Vec::with_capacity(size);
    for _ in 0..size {
        let filter = Workload::filter(chance);
        expressions.push(workload.expression(&filter)?);
        trees.push(Tree::new(&filter));
    }
    let given = resident();
    let start = Instant::now();
    let mut builder = Base::builder(workload.attributes());
    for (id, expression) in expressions.iter().enumerate() {
        builder.insert(id as u64, expression)?;
    }
    let inserted = start.elapsed();
    let base = builder.build();
    let built = start.elapsed();
    let grown = resident().saturating_sub(given);
    let stats = base.stats();
    println!(
        "\n{size} filters, {} slots, {} conditions; built in {built:.2?} ({inserted:.2?} of it inserting), {} bytes a filter \
         by count, {} by resident memory ({} for the expressions themselves and the trees)",
        stats.slots,
        stats.conditions,
        stats.bytes / size,
        grown / size,
        given.saturating_sub(before) / size,
    );
    // What is matched from here on is what was read back.
    let live = Live::new(workload.attributes());
    live.insert_base(base)?;
    let live = reread(&live, built)?;
    let view = live.view();
    let Some(base) = view.bases().next() else { return Ok(()) };
    let requests = if size > 500_000 { 512 } else { 2_000 };
    let records: Vec<(Record, Known)> = (0..requests)
        .map(|_| {
            let request = Workload::request(chance);
            Ok((workload.record(&request)?, Known::new(&request)))
        })
        .collect::<Result<_, ExprError>>()?;
    let mut left = vec![0; stats.steps.len()];
    let mut scratch = Scratch::new();
    for (record, _) in &records {
        let now = base.left(record, &mut scratch);
        left.iter_mut().zip(now).for_each(|(all, now)| *all += now);
    }
    // About: each step reads a line for each block that those before it left, and some more for lists and flips; lines
    // without a slot are one.
    let last = left.last().copied().unwrap_or(0);
    let lines = stats.blocks + (left.iter().sum::<usize>() - last) / requests;
    if shows {
        for (step, left) in stats.steps.iter().zip(&left) {
            for layer in step {
                println!(
                    "  {:12} {:9} {:8} clauses, passing {:.3}, {:4} rows, {:9} bytes",
                    layer.attribute,
                    layer.sort,
                    layer.clauses,
                    layer.passing,
                    layer.rows,
                    layer.bytes,
                );
            }
            println!("    {:6.1} of {} blocks left", *left as f64 / requests as f64, stats.blocks);
        }
    }
    let (mut ids, mut found) = (Vec::new(), 0);
    for (record, _) in &records {
        ids.clear();
        base.matches(record, &mut scratch, &mut ids)?;
        found += ids.len();
    }
    // In turns, so that what else the machine does is done to both.
    let (mut quick, mut slow, mut quickest) = (Vec::new(), Vec::new(), Duration::ZERO);
    let looked = (40_000_000 / size).clamp(16, requests);
    let part = requests.div_ceil(8);
    for (turn, records) in records.chunks(part).enumerate() {
        let mut expected = Vec::new();
        for (record, known) in records.iter().take(if loops { looked.div_ceil(8) } else { 0 }) {
            expected.clear();
            let start = Instant::now();
            expected.extend(
                (0_u64..).zip(&trees).filter(|(_, tree)| tree.holds(known)).map(|(id, _)| id),
            );
            slow.push(start.elapsed());
            ids.clear();
            base.matches(record, &mut scratch, &mut ids)?;
            ids.sort_unstable();
            assert_eq!(ids, expected, "turn {turn}");
        }
        // What the loop pushed out of the caches comes back.
        let mut least = Duration::MAX;
        for pass in 0..passes {
            let whole = Instant::now();
            for (record, _) in records {
                ids.clear();
                let start = Instant::now();
                base.matches(record, &mut scratch, &mut ids)?;
                if pass > 0 {
                    quick.push(start.elapsed());
                }
            }
            least = least.min(whole.elapsed());
        }
        quickest += least;
    }
    let [mean, p50, p99] = figures(&mut quick);
    let [slow_mean, slow_p50, slow_p99] = figures(&mut slow);
    println!(
        "  about {lines} lines of 64 bytes a request; so many alone take {:.2} us from anywhere in {} MB",
        floor(lines, stats.bytes),
        stats.bytes >> 20,
    );
    println!(
        "  {:.1} ids a request, {:.2} %; the same ids on {} requests\n  matcher  mean {mean:9.2} us  p50 {p50:9.2}  p99 {p99:9.2}  ({:.1} x p50), {:.2} us where the \
         machine was quickest\n  loop     mean {slow_mean:9.2} us  p50 {slow_p50:9.2}  p99 {slow_p99:9.2}  ({:.0} x the matcher's mean)",
        found as f64 / requests as f64,
        found as f64 / requests as f64 / size as f64 * 100.0,
        slow.len(),
        p99 / p50,
        quickest.as_secs_f64() * 1e6 / requests as f64,
        slow_mean / mean,
    );
    Ok(())
}

/// Writes and reads what is stored, and says how long that takes beside building it.
fn reread(live: &Live, built: Duration) -> Result<Live, ExprError> {
    let start = Instant::now();
    let bytes = live.view().snapshot(b"")?.to_bytes();
    let written = start.elapsed();
    let (size, conditions) = (bytes.len(), live.view().len());
    let start = Instant::now();
    let (live, _) = Live::from_bytes(&bytes.into())?;
    let read = start.elapsed();
    println!(
        "  snapshot of {size} bytes, {} a filter; written in {written:.2?}, read in {read:.2?}, 1/{:.0} of building",
        size / conditions,
        built.as_secs_f64() / read.as_secs_f64(),
    );
    Ok(live)
}

/// Bytes of memory that the process has; 0 where that is not told.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}
