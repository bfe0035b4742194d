//! What the memory that a request reads costs by itself.

use std::hint::black_box;
use std::time::Instant;

use crate::chance::Chance;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u64; 8]);

/// Microseconds that so many lines of the cache take, from anywhere in so many bytes; all addresses are known before,
/// so that as many are on their way at once as the processor can ask for.
pub(crate) fn floor(lines: usize, bytes: usize) -> f64 {
    let chance = &mut Chance(7);
    let memory: Vec<Line> =
        (0..(bytes / size_of::<Line>()).max(1)).map(|at| Line([at as u64; 8])).collect();
    let requests = 1_000_000_usize.div_ceil(lines.max(1)).clamp(64, 4_096);
    let places: Vec<u32> =
        (0..requests * lines).map(|_| chance.below(memory.len()) as u32).collect();
    let pass = |_| {
        let start = Instant::now();
        for request in places.chunks(lines.max(1)) {
            let all = request.iter().fold([u64::MAX; 8], |all: [u64; 8], &place| {
                let line = &memory[place as usize].0;
                std::array::from_fn(|at| all[at] & line[at])
            });
            black_box(all);
        }
        start.elapsed().as_secs_f64() * 1e6 / requests as f64
    };
    (0..7).map(pass).fold(f64::MAX, f64::min)
}
