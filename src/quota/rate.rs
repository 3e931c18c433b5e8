//! The wording of rates: `100 per hour`, `5/second; 1000 per 2 days`.

/// So much in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units; not 0.
    pub amount: u64,
    /// Seconds; 0 if the amount is one at the same time.
    pub seconds: u64,
}

/// The names of periods, in seconds. Months and years are as Flask-Limiter has them.
const PERIODS: [(&str, u64); 7] = [
    ("second", 1),
    ("minute", 60),
    ("hour", 3600),
    ("day", 86_400),
    ("week", 7 * 86_400),
    ("month", 30 * 86_400),
    ("year", 360 * 86_400),
];

/// The largest amount, so that times fit into their type.
const MOST: u64 = 1 << 50;

impl Rate {
    /// The time in nanoseconds in which this many units come back, rounded up.
    pub fn time_of(self, units: u64) -> u64 {
        let nanoseconds = (u128::from(units) * u128::from(self.seconds)).saturating_mul(1_000_000_000);
        u64::try_from(nanoseconds.div_ceil(u128::from(self.amount.max(1)))).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
    }

    /// The whole units that come back in a time in nanoseconds.
    pub fn units_in(self, nanoseconds: u64) -> u64 {
        let units =
            u128::from(nanoseconds) * u128::from(self.amount) / (u128::from(self.seconds.max(1)) * 1_000_000_000);
        u64::try_from(units).unwrap_or(u64::MAX)
    }
}

/// Reads rates, separated by `;`, `,` or `|`. `concurrent`: amounts at the same time, which have no period.
///
/// # Errors
/// What is wrong with them.
pub fn parse(text: &str, concurrent: bool) -> Result<Vec<Rate>, String> {
    text.split([';', ',', '|']).map(|rate| one(rate.trim(), concurrent)).collect()
}

fn one(text: &str, concurrent: bool) -> Result<Rate, String> {
    let (amount, rest) = number(text);
    let amount = amount.filter(|amount| (1..=MOST).contains(amount));
    let Some(amount) = amount else {
        return Err(format!("\"{text}\" does not begin with a number from 1 to {MOST}."));
    };
    if concurrent {
        return if rest.is_empty() {
            Ok(Rate { amount, seconds: 0 })
        } else {
            Err(format!("\"{text}\" has a period, but counts requests at the same time."))
        };
    }
    let period = rest.strip_prefix('/').or_else(|| rest.strip_prefix("per ")).map(str::trim);
    let Some(period) = period else { return Err(format!("\"{text}\" has no period, such as per minute.")) };
    let (times, name) = number(period);
    let times = if period.starts_with(|c: char| c.is_ascii_digit()) { times } else { Some(1) };
    let singular = name.strip_suffix('s').unwrap_or(name).to_ascii_lowercase();
    let known = PERIODS.iter().find(|(known, _)| *known == singular).map(|(_, seconds)| *seconds);
    match known.zip(times.filter(|times| (1..=1_000_000).contains(times))) {
        Some((seconds, times)) if seconds * times <= 3600 * 86_400 => Ok(Rate { amount, seconds: seconds * times }),
        _ => {
            Err(format!("\"{period}\" is not a period, such as second, 5 minutes, hour or day, of at most ten years."))
        }
    }
}

/// The number that a text begins with, and what follows.
fn number(text: &str) -> (Option<u64>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wording_is_that_of_flask_limiter() {
        let rate = |amount, seconds| Rate { amount, seconds };
        for (text, rates) in [
            ("100 per hour", vec![rate(100, 3600)]),
            ("5/second; 100 per hour", vec![rate(5, 1), rate(100, 3600)]),
            ("10/2 minutes, 1 per day", vec![rate(10, 120), rate(1, 86_400)]),
            ("1 per 1 Second|2/Hours", vec![rate(1, 1), rate(2, 3600)]),
            ("10per minute", vec![rate(10, 60)]),
        ] {
            assert_eq!(parse(text, false).as_deref(), Ok(&*rates), "{text}");
        }
        assert_eq!(parse("10", true), Ok(vec![rate(10, 0)]));
        for wrong in [
            "",
            "x",
            "0 per hour",
            "-1/second",
            "5",
            "5 per",
            "5 per fortnight",
            "5 per 0 hours",
            "5/second;",
            "5 per 99 years",
        ] {
            assert!(parse(wrong, false).is_err(), "{wrong}");
        }
        assert!(parse("5/second", true).is_err() && parse("99999999999999999999/second", false).is_err());
    }

    #[test]
    fn times_are_rounded_against_the_client() {
        let rate = Rate { amount: 3, seconds: 1 };
        assert_eq!((rate.time_of(1), rate.time_of(3)), (333_333_334, 1_000_000_000));
        assert_eq!((rate.units_in(333_333_333), rate.units_in(1_000_000_000)), (0, 3));
        assert!(Rate { amount: 1, seconds: u64::MAX }.time_of(u64::MAX) < u64::MAX / 2);
    }
}
