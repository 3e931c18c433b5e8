//! What is asked, done within the role frame.

mod cache;
mod counts;
mod fast_path;
mod pre_request;
mod prepared;
mod total;
mod work;

pub use counts::{count_row, count_update};

use crate::ask::Ask;
use crate::error::Result;
use crate::http::Method;
use crate::pg::frame::Frame;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::{access, openapi};
use crate::respond::Outcome;
use crate::route::Verb;
use cache::{Key, Prepared};
use pgrx::pg_sys;

/// Does what is asked. A body of rows is written to `memory`, and handed back with the outcome.
///
/// # Errors
/// Those of planning and running; whatever PostgreSQL raises, it raises.
pub fn run(ask: &Ask, frame: &Frame, memory: pg_sys::MemoryContext) -> Result<(Outcome, Option<BodyBuffer>)> {
    cache::forget_stale();
    if let Some(document) = access::explained(ask, frame, || connected(|| pre_request::call(ask.request, frame)))? {
        return Ok((Outcome::Explained(document), None));
    }
    let key = Key::of(ask, frame);
    if let Some((effect, body)) = fast_path::run(&key, ask, frame, memory)? {
        return Ok((Outcome::Effect(effect), Some(body)));
    }
    frame.take_role();
    connected(|| {
        if ask.action().verb != Verb::Describe {
            pre_request::call(ask.request, frame)?;
        }
        Ok(match cache::prepare(&key)? {
            Prepared::Describe(allow) => (Outcome::Allow(allow), None),
            Prepared::Document(_) if ask.request.method == Method::Head => (Outcome::Document, None),
            Prepared::Document(version) => {
                (Outcome::Document, Some(openapi::describe(&ask.action().schema, version, memory)?))
            }
            Prepared::Statement(work) => {
                let (effect, body) = work.run(ask, frame, memory)?;
                (Outcome::Effect(effect), Some(body))
            }
        })
    })
}

/// Runs `work` with SPI connected. An error that is raised ends the connection too.
fn connected<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: paired with SPI_finish on the one way out that is no raised error.
    unsafe { pg_sys::SPI_connect() };
    let result = work();
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    result
}
