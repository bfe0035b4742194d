use std::time::Duration;

/// Mean, median and the 99th of a hundred, in microseconds.
pub(crate) fn figures(times: &mut [Duration]) -> [f64; 3] {
    times.sort_unstable();
    let micros = |time: Duration| time.as_nanos() as f64 / 1_000.0;
    if times.is_empty() {
        return [0.0; 3];
    }
    let mean = times.iter().map(|&time| micros(time)).sum::<f64>() / times.len() as f64;
    [mean, micros(times[times.len() / 2]), micros(times[times.len() * 99 / 100])]
}
