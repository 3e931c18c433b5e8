//! Whether a statement keeps one plan, or is planned anew for the values of each execution. Pure.
//!
//! A kept plan saves the time that planning takes, but it may be far from the best one for other values. So the choice rests on what
//! executions take: a plan is kept as long as its executions do not, all in all, take more than twice what executions with plans of
//! their own take. That is at least the time of planning, and, once it was measured, their mean.

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

/// By which clock an execution is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time as it passes. It is cheap to read, but it also counts when the machine was busy otherwise.
    Wall,
    /// The processor time of the thread.
    Processor,
}

/// Executions with plans of their own after a plan was given up for the first time. The number doubles each time.
const PERIOD: u32 = 16;
/// How often the number doubles.
const DOUBLINGS: u32 = 8;
/// How much executions may exceed their allowance together, in multiples of the allowance.
const TOLERANCE: u32 = 4;

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
    /// How many executions had plans of their own since a plan was last given up, and how long they took together, planning included.
    with_own: (u32, Duration),
    /// Executions that are still to be measured by processor time, because one has exceeded its allowance.
    watched: u32,
    /// By how much watched executions have exceeded their allowance.
    excess: Duration,
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

    /// By which clock the next execution is to be measured.
    pub fn clock(&self) -> Clock {
        if self.watched > 0 { Clock::Processor } else { Clock::Wall }
    }

    /// Notes an execution that got its plan by [`PlanChoice::next`] and was measured by [`PlanChoice::clock`]. `planning`: the processor
    /// time that planning took, if it was planned; `total`: the time of the execution, planning included.
    pub fn note(&mut self, planning: Option<Duration>, total: Duration) {
        if let Some(planning) = planning {
            self.planning = planning;
        }
        if self.own > 0 {
            self.own -= 1;
            self.with_own = (self.with_own.0 + 1, self.with_own.1 + total);
            return;
        }
        if planning.is_some() {
            (self.anew, self.kept, self.watched, self.excess) = (false, 0, 0, Duration::ZERO);
        }
        self.kept = self.kept.saturating_add(1);
        let execution = total.saturating_sub(planning.unwrap_or_default());
        let with_own = self.with_own.1.checked_div(self.with_own.0).unwrap_or_default();
        let allowance = self.planning.max(with_own) * 2;
        let over = execution.saturating_sub(allowance);
        if self.watched == 0 {
            // Perhaps the machine was busy otherwise. Watch as many executions as it takes for this one not to matter.
            self.watched = over.as_nanos().div_ceil(allowance.as_nanos().max(1)).try_into().unwrap_or(u32::MAX);
            return;
        }
        self.watched -= 1;
        self.excess = (self.excess + over).saturating_sub(allowance.saturating_sub(execution));
        if self.excess > allowance * TOLERANCE {
            self.give_up();
        } else if self.watched == 0 && !self.excess.is_zero() {
            self.watched = 1;
        }
    }

    fn give_up(&mut self) {
        let period = |given_up: u32| PERIOD << given_up.min(DOUBLINGS);
        if self.kept > 4 * period(self.given_up) {
            self.given_up = 0;
        }
        self.own = period(self.given_up);
        self.given_up += 1;
        (self.anew, self.with_own, self.watched, self.excess) = (true, (0, Duration::ZERO), 0, Duration::ZERO);
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

    /// The first executions touch pages that are not in the caches yet, and take turns with fast ones.
    #[test]
    fn a_plan_is_kept_although_executions_differ() {
        let costs = (0..10_000).map(|i| (i * 37 % 400, i * 37 % 400));
        assert!(run(&mut PlanChoice::default(), costs).1 > 9_900);
    }

    /// Spikes are in the time as it passes alone.
    #[test]
    fn a_busy_machine_gives_nothing_up() {
        let mut choice = PlanChoice::default();
        choice.note(Some(PLANNING), PLANNING * 2);
        for i in 0..10_000 {
            assert_eq!(choice.next(), Choice::Kept, "{i}");
            let is_spike = i % 50 == 0 && choice.clock() == Clock::Wall;
            choice.note(None, Duration::from_micros(if is_spike { 10_000 } else { 50 }));
        }
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
