//! Whether a statement keeps one plan, or is planned anew for the values of each execution. Pure.
//!
//! A kept plan saves the time that planning takes, but it may be far from the best one for other values. So the choice rests on what
//! executions take: a plan is kept as long as its executions do not, all in all, take more than twice what executions with plans of
//! their own take at least. That is the time of planning, or, once it was measured, the shortest execution with its own plan.

use std::time::Duration;

/// How an execution gets its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The kept plan. If there is none, one is made.
    Kept,
    /// A new plan is made, and kept from now on.
    KeptAnew,
    /// A plan for this execution alone.
    Own,
}

/// Executions with plans of their own after a plan was given up for the first time. The number doubles each time.
const PERIOD: u32 = 16;
/// How often the number doubles.
const DOUBLINGS: u32 = 8;
/// How much executions may exceed their allowance together, in multiples of the allowance.
const TOLERANCE: u32 = 4;
/// How much a single one may, because the machine may have been busy otherwise.
const SPIKE: u32 = 100;

/// The state of the choice for one statement.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlanChoice {
    /// Executions with plans of their own that are still to come, before a plan is kept again.
    own: u32,
    /// The next execution makes the plan that is kept.
    anew: bool,
    /// How often in a row a kept plan was given up.
    given_up: u32,
    /// Executions of the kept plan.
    kept: u32,
    /// How long planning took last.
    planning: Duration,
    /// The shortest execution with its own plan since a plan was last given up, planning included.
    shortest: Option<Duration>,
    /// By how much executions of the kept plan have exceeded their allowance.
    excess: Duration,
    /// How many of them have, since there was no excess.
    exceeding: u32,
}

impl PlanChoice {
    /// How the next execution gets its plan.
    pub fn next(&self) -> Choice {
        match (self.own, self.anew) {
            (0, false) => Choice::Kept,
            (0, true) => Choice::KeptAnew,
            _ => Choice::Own,
        }
    }

    /// Notes an execution that got its plan by [`PlanChoice::next`]. `planning`: the time that planning took, if it was planned;
    /// `total`: the time of the execution, planning included.
    pub fn note(&mut self, planning: Option<Duration>, total: Duration) {
        if let Some(planning) = planning {
            self.planning = planning;
        }
        if self.own > 0 {
            self.own -= 1;
            self.shortest = Some(self.shortest.map_or(total, |shortest| shortest.min(total)));
            return;
        }
        if planning.is_some() {
            (self.anew, self.kept, self.excess, self.exceeding) = (false, 0, Duration::ZERO, 0);
        }
        self.kept = self.kept.saturating_add(1);
        let execution = total.saturating_sub(planning.unwrap_or_default());
        let allowance = self.planning.max(self.shortest.unwrap_or_default()) * 2;
        if execution <= allowance {
            self.excess = self.excess.saturating_sub(allowance - execution);
            if self.excess.is_zero() {
                self.exceeding = 0;
            }
            return;
        }
        self.excess += execution - allowance;
        self.exceeding += 1;
        let tolerated = allowance * if self.exceeding > 1 { TOLERANCE } else { SPIKE };
        if self.excess > tolerated {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        let period = |given_up: u32| PERIOD << given_up.min(DOUBLINGS);
        if self.kept > 4 * period(self.given_up) {
            self.given_up = 0;
        }
        self.own = period(self.given_up);
        self.given_up += 1;
        (self.anew, self.shortest, self.excess, self.exceeding) = (true, None, Duration::ZERO, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANNING: Duration = Duration::from_micros(100);

    /// Runs executions, each with what it takes with the kept plan and with its own, in microseconds. Returns the time they took together,
    /// and how many had the kept plan.
    fn run(choice: &mut PlanChoice, costs: impl Iterator<Item = (u32, u32)>) -> (Duration, u32) {
        let (mut sum, mut kept_runs, mut has_plan) = (Duration::ZERO, 0, false);
        for (kept, own) in costs {
            let next = choice.next();
            let planning = (next != Choice::Kept || !has_plan).then_some(PLANNING);
            let execution = if next == Choice::Own { own } else { kept };
            has_plan |= next != Choice::Own;
            kept_runs += u32::from(next != Choice::Own);
            let total = planning.unwrap_or_default() + Duration::from_micros(execution.into());
            choice.note(planning, total);
            sum += total;
        }
        (sum, kept_runs)
    }

    /// What the executions take if each has a plan of its own.
    fn with_own_plans(costs: impl Iterator<Item = (u32, u32)>) -> Duration {
        costs.map(|(_, own)| PLANNING + Duration::from_micros(own.into())).sum()
    }

    #[test]
    fn a_plan_that_is_as_good_as_its_own_is_kept() {
        for cost in [10, 150, 1_000_000] {
            let mut choice = PlanChoice::default();
            run(&mut choice, (0..1000).map(|_| (cost, cost)));
            assert_eq!(run(&mut choice, (0..1000).map(|_| (cost, cost))).1, 1000, "{cost}");
        }
    }

    #[test]
    fn a_plan_that_is_slow_for_most_values_is_given_up() {
        let (_, kept) = run(&mut PlanChoice::default(), (0..10_000).map(|_| (5000, 10)));
        assert!(kept < 40, "{kept}");
    }

    #[test]
    fn a_plan_that_is_slow_for_some_values_is_given_up() {
        let costs = || (0..100_000).map(|i| if i % 10 == 0 { (50_000, 300) } else { (10, 10) });
        let sum = run(&mut PlanChoice::default(), costs()).0;
        assert!(sum < with_own_plans(costs()) * 2, "{sum:?}");
    }

    #[test]
    fn a_single_spike_gives_nothing_up() {
        let costs = (0..1000).map(|i| (if i % 300 == 299 { 10_000 } else { 50 }, 50));
        assert_eq!(run(&mut PlanChoice::default(), costs).1, 1000);
    }

    /// Random costs: the choice takes at most twice as long as plans of their own, but for what it takes to find out.
    #[test]
    fn the_choice_is_never_much_worse_than_own_plans() {
        let mut seed = 11_u64;
        let mut random = move |most: u32| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % u64::from(most)) as u32
        };
        for _ in 0..200 {
            let (slow_share, slow, fast) = (random(100), 1 << random(16), 1 << random(10));
            let costs: Vec<(u32, u32)> = (0..20_000)
                .map(|_| {
                    let own = fast + random(20);
                    (own + if random(100) < slow_share { slow } else { 0 }, own)
                })
                .collect();
            let sum = run(&mut PlanChoice::default(), costs.iter().copied()).0;
            let most = with_own_plans(costs.into_iter()) * 2 + Duration::from_micros(u64::from(slow) * 40);
            assert!(sum < most, "{sum:?} is more than {most:?}: {slow_share} {slow} {fast}");
        }
    }
}
