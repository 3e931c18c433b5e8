//! Runs a request within the role frame.

mod attempt;
mod cache;
mod direct;
mod direct_call;
mod fast_path;
mod fast_write;
mod fetched;
mod measured;
mod page;
mod plain_types;
mod pre_request;
mod prepared;
mod reads;
#[cfg(feature = "pg_test")]
mod test_hook;
mod total;
mod ways;
mod work;

use crate::ask::Ask;
use crate::error::Result;
use crate::http::{Method, Request};
use crate::pg::frame::Frame;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::{access, guc, observe, openapi, timing};
use crate::respond::{Effect, Outcome};
use crate::route::Verb;
use cache::{Key, Ready};
use prepared::{connected, has_written};
use std::cell::Cell;
use ways::Way;

pub use prepared::Memory;

/// Runs a request. Returns the outcome, and the body if it consists of rows, allocated in `memory.rows`.
///
/// `is_on_fast_path`: is set while the request runs on the fast path. If it is set already, the request does not run there.
///
/// Raises whatever PostgreSQL raises.
///
/// # Errors
/// The errors of planning and running.
pub fn run(
    ask: &Ask,
    frame: &Frame,
    memory: Memory,
    is_on_fast_path: &Cell<bool>,
) -> Result<(Outcome, Option<BodyBuffer>)> {
    if !Way::Unpublished.is_open() {
        frame.publish();
    }
    let done = run_one_way(ask, frame, memory, is_on_fast_path)?;
    if !frame.is_published() {
        Way::Unpublished.note();
    }
    if let Outcome::Effect(effect) = &done.0 {
        observe::returned(effect.rows);
    }
    Ok(done)
}

/// Calls the function that guards every request (`restful.pre_request`), for a request that is answered without running.
///
/// # Errors
/// The error that the function raises or returns.
pub fn guard(request: &Request, frame: &Frame) -> Result<()> {
    if guc::pre_request().is_none() {
        return Ok(());
    }
    frame.take_role();
    connected(|| pre_request::call(request, frame))
}

fn run_one_way(
    ask: &Ask,
    frame: &Frame,
    memory: Memory,
    is_on_fast_path: &Cell<bool>,
) -> Result<(Outcome, Option<BodyBuffer>)> {
    cache::forget_stale();
    if let Some(document) = access::explained(ask, frame, || connected(|| pre_request::call(ask.request, frame)))? {
        return Ok((Outcome::Explained(document), None));
    }
    let key = Key::of(ask, frame);
    if !is_on_fast_path.replace(true)
        && let Some((effect, body)) = run_fast(&key, ask, frame, memory)?
    {
        return Ok((Outcome::Effect(effect), Some(body)));
    }
    is_on_fast_path.set(false);
    frame.take_role();
    connected(|| {
        if ask.action().verb != Verb::Describe {
            pre_request::call(ask.request, frame)?;
        }
        Ok(match timing::planning(|| cache::prepare(&key))? {
            Ready::Describe(description) => (Outcome::Described(description), None),
            Ready::Document(_) if ask.request.method == Method::Head => (Outcome::Document, None),
            Ready::Document(version) => {
                (Outcome::Document, Some(openapi::describe(&ask.action().schema, version, memory.rows)?))
            }
            Ready::Statement(work) => {
                let (effect, body) = work.run(ask, frame, memory)?;
                (Outcome::Effect(effect), Some(body))
            }
        })
    })
}

/// Tries the fast path, before the role is taken. Returns `None` if the request or its statement does not qualify.
fn run_fast(key: &Key, ask: &Ask, frame: &Frame, memory: Memory) -> Result<Option<(Effect, BodyBuffer)>> {
    if guc::pre_request().is_some() {
        return Ok(None);
    }
    match ask.action().verb {
        // Only the general path counts, and sees what the transaction has written.
        Verb::Read if ask.request.preferences.count.is_none() && !has_written() => {
            cache::current(key).map_or(Ok(None), |work| work.run_fast(ask, frame, memory))
        }
        Verb::Create | Verb::Update | Verb::Delete => {
            let work = cache::current(key);
            work.map_or(Ok(None), |work| work.write_fast(ask, frame, memory, key.search_path()))
        }
        _ => Ok(None),
    }
}
