//! Measures executions, so that the choice of their plans rests on what they take.

use super::ways::Way;
use crate::pg::ffi::planner::{Planning, processor_time};
use crate::pg::observe;
use crate::statement::plan_choice::{Clock, PlanChoice};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// An execution that is being measured. When it ends, also by an error, its time is noted: a plan may be so slow that the statement is
/// cancelled each time.
pub struct Execution<'a> {
    choice: &'a Cell<PlanChoice>,
    planning: Planning,
    start: Start,
}

impl<'a> Execution<'a> {
    /// Begins to measure, by the clock that the choice asks for.
    pub fn begin(choice: &'a Cell<PlanChoice>, planning: Planning) -> Self {
        Execution { choice, planning, start: Start::now(choice.get().clock()) }
    }
}

/// When an execution began, by one of the clocks.
enum Start {
    Wall(Instant),
    Processor(Duration),
}

impl Start {
    fn now(clock: Clock) -> Self {
        match clock {
            Clock::Wall => Start::Wall(Instant::now()),
            Clock::Processor => Start::Processor(processor_time()),
        }
    }

    fn elapsed(&self) -> Duration {
        match self {
            Start::Wall(start) => start.elapsed(),
            Start::Processor(start) => processor_time().saturating_sub(*start),
        }
    }
}

impl Drop for Execution<'_> {
    fn drop(&mut self) {
        let mut choice = self.choice.get();
        let planning = self.planning.time();
        match planning {
            None => Way::KeptPlan.note(),
            Some(time) => observe::planned(time),
        }
        choice.note(planning, self.start.elapsed());
        self.choice.set(choice);
    }
}
