//! How long the stages of a request take: the field Server-Timing (W3C Server Timing, `restful.server_timing`).

use crate::http::Response;
use crate::pg::{guc, observe};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// A stage, with the name that PostgREST has for it.
#[derive(Clone, Copy)]
pub enum Stage {
    /// Who asks.
    Jwt,
    /// Reading the request.
    Parse,
    /// Planning what is not known yet.
    Plan,
    /// The role frame, without planning.
    Transaction,
    /// Making the response.
    Response,
}

const NAMES: [&str; 5] = ["jwt", "parse", "plan", "transaction", "response"];

/// The times of a request. Measures nothing while the setting is off.
pub struct Timing(Option<RefCell<Measured>>);

struct Measured {
    /// When the stage that runs has begun.
    since: Instant,
    spent: [Duration; NAMES.len()],
    /// What planning the request around this one has taken.
    outer: Option<Duration>,
}

thread_local! {
    /// What planning the request that runs has taken. `None` while nothing is measured.
    static PLANNED: Cell<Option<Duration>> = const { Cell::new(None) };
}

impl Timing {
    /// Begins to measure if `restful.server_timing` is on.
    pub fn start() -> Self {
        Timing(guc::server_timing().then(|| {
            let outer = PLANNED.replace(Some(Duration::ZERO));
            RefCell::new(Measured { since: Instant::now(), spent: Default::default(), outer })
        }))
    }

    /// A request whose times nobody asks for, such as one within another request.
    pub fn off() -> Self {
        Timing(None)
    }

    /// Ends a stage, and begins the next.
    pub fn end(&self, stage: Stage) {
        let Some(measured) = &self.0 else { return };
        let mut measured = measured.borrow_mut();
        let (now, mut planned) = (Instant::now(), Duration::ZERO);
        let mut spent = now - measured.since;
        if matches!(stage, Stage::Transaction) {
            planned = PLANNED.replace(Some(Duration::ZERO)).unwrap_or_default();
            spent = spent.saturating_sub(planned);
        }
        measured.since = now;
        for (of, time) in [(Stage::Plan, planned), (stage, spent)] {
            if let Some(slot) = measured.spent.get_mut(of as usize) {
                *slot += time;
            }
        }
    }

    /// Adds the field to a response.
    pub fn write(&self, response: &mut Response) {
        self.end(Stage::Response);
        let Some(measured) = &self.0 else { return };
        let times = NAMES.iter().zip(measured.borrow().spent);
        let parts: Vec<String> =
            times.map(|(name, spent)| format!("{name};dur={:.3}", spent.as_secs_f64() * 1000.0)).collect();
        response.headers.push(("server-timing".into(), parts.join(", ").into()));
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        if let Some(measured) = &self.0 {
            PLANNED.set(measured.borrow().outer);
        }
    }
}

/// Runs `work`, which is planning.
pub fn planning<T>(work: impl FnOnce() -> T) -> T {
    let since = Instant::now();
    let done = work();
    observe::planned_here(since.elapsed());
    PLANNED.set(PLANNED.get().map(|planned| planned + since.elapsed()));
    done
}
