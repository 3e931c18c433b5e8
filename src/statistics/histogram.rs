//! How often requests took how long.

use std::sync::atomic::{AtomicU32, Ordering};

/// Buckets between a time and its double.
const PER_OCTAVE: usize = 16;
/// The shortest time that is told from shorter ones, as a power of two of nanoseconds: about a microsecond.
const SHORTEST: u32 = 10;
/// Octaves: up to 18 minutes.
const OCTAVES: usize = 30;
const BUCKETS: usize = OCTAVES * PER_OCTAVE;

/// The bounds of the buckets that are shown, in nanoseconds: those that OpenTelemetry recommends for `http.server.request.duration`, with
/// shorter ones before them, because most requests of a database take less than 5 ms.
pub const BOUNDS: [u64; 20] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    75_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    750_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    7_500_000_000,
    10_000_000_000,
];

/// Counts in buckets whose width is a sixteenth of their octave, so that a time is known to within 3.2 %.
#[derive(Debug)]
#[repr(transparent)]
pub struct Histogram([AtomicU32; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Histogram([const { AtomicU32::new(0) }; BUCKETS])
    }
}

impl Histogram {
    /// Counts a time in nanoseconds.
    pub fn add(&self, nanoseconds: u64) {
        if let Some(bucket) = self.0.get(bucket(nanoseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn clear(&self) {
        self.0.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
    }

    /// The counts, as they are now.
    pub fn read(&self) -> Counts {
        Counts(self.0.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect())
    }
}

/// Counts that nobody changes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Vec<u32>);

impl Counts {
    /// The time in nanoseconds that a share of the requests did not exceed, such as 0.95. `None` without requests.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let total: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        // The rank of the nearest-rank definition: the smallest time that at least this share of all does not exceed.
        let rank = ((total as f64 * share).ceil() as u64).clamp(1, total.max(1));
        let mut below = 0;
        for (i, count) in self.0.iter().enumerate() {
            below += u64::from(*count);
            if below >= rank {
                return Some((start(i) + start(i + 1)) / 2);
            }
        }
        None
    }

    /// How many requests took at most as long as each of [`BOUNDS`]. A bucket that a bound cuts counts as below it.
    pub fn cumulative(&self) -> [u64; BOUNDS.len()] {
        BOUNDS.map(|bound| self.0.iter().take(bucket(bound) + 1).map(|count| u64::from(*count)).sum())
    }
}

/// The bucket of a time.
fn bucket(nanoseconds: u64) -> usize {
    let time = nanoseconds.max(1 << SHORTEST);
    let octave = time.ilog2();
    let part = (time >> (octave - PER_OCTAVE.ilog2())) as usize % PER_OCTAVE;
    ((octave - SHORTEST) as usize * PER_OCTAVE + part).min(BUCKETS - 1)
}

/// The shortest time in a bucket.
fn start(bucket: usize) -> u64 {
    let (octave, part) = (SHORTEST + (bucket / PER_OCTAVE) as u32, (bucket % PER_OCTAVE) as u64);
    (PER_OCTAVE as u64 + part) << (octave - PER_OCTAVE.ilog2())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::random::Random;

    #[test]
    fn quantiles_are_within_five_per_cent_of_those_of_the_sample() {
        let mut random = Random::new(16);
        for spread in [1.0, 4.0, 9.0, 13.0] {
            let (histogram, mut sample) = (Histogram::default(), Vec::new());
            for _ in 0..5000 {
                let exponent = 8.0 + spread * f64::from(random.below(1_000_000) as u32) / 1_000_000.0;
                let time = exponent.exp() as u64;
                histogram.add(time);
                sample.push(time);
            }
            sample.sort_unstable();
            for share in [0.001_f64, 0.5, 0.95, 0.99, 1.0] {
                let exact = sample[(5000.0 * share).ceil() as usize - 1] as f64;
                let found = histogram.read().quantile(share).unwrap() as f64;
                assert!((found / exact - 1.0).abs() < 0.05, "{share}: {found} for {exact}");
            }
        }
    }

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        for i in 0..BUCKETS {
            assert_eq!((bucket(start(i)), bucket(start(i + 1) - 1)), (i, i));
        }
        assert_eq!((bucket(0), bucket(u64::MAX)), (0, BUCKETS - 1));
    }

    #[test]
    fn counts_below_bounds_grow() {
        let histogram = Histogram::default();
        for time in [1_000, 60_000, 3_000_000, 60_000_000_000] {
            histogram.add(time);
        }
        let cumulative = histogram.read().cumulative();
        assert_eq!((cumulative[0], cumulative[1], cumulative[6], cumulative[19]), (1, 2, 3, 3));
        assert!(cumulative.is_sorted());
        assert_eq!(Histogram::default().read().quantile(0.5), None);
    }
}
