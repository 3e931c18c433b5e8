//! Lets a request with an Idempotency-Key run once. Its record is written in the transaction of its effect: one is there if and only if
//! the other is.

mod records;

use crate::admit::{self, FIELD, Kept, Key, Owner, Ticket};
use crate::auth::{Identity, Principal, strict};
use crate::error::Result;
use crate::http::Request;
use crate::pg::answer::Answer;
use crate::pg::execution;
use crate::pg::ffi::error::{must_propagate, raise};
use crate::pg::ffi::keyed_table::{self, Lock, Seen};
use crate::pg::ffi::subtransaction::{self, End};
use crate::pg::ffi::user;
use crate::pg::frame::{self, Context, Finished};
use crate::pg::guc;
use crate::sqlstate::SqlState;
use records::{Found, Records};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::rc::Rc;

thread_local! {
    /// A request that has an Idempotency-Key is running.
    static IS_KEYED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the request that runs, or one around it, has an Idempotency-Key.
pub fn is_keyed() -> bool {
    IS_KEYED.get()
}

/// Runs a request that has an Idempotency-Key.
fn keyed<T>(run: impl FnOnce() -> T) -> T {
    /// Puts back what was there before, also after an error.
    struct PutBack(bool);
    impl Drop for PutBack {
        fn drop(&mut self) {
            IS_KEYED.set(self.0);
        }
    }
    let _before = PutBack(IS_KEYED.replace(true));
    run()
}

/// Whether a request may be one that runs once.
pub fn has_key(request: &Request) -> bool {
    request.headers.get(FIELD).is_some()
}

/// Answers a request by `run`, unless its Idempotency-Key says that it has run before: then by what it was answered with.
///
/// Only a request whose changes are kept leaves a record. One that failed or was rolled back has changed nothing, and one that a hook has refused has
/// not run, so a retry runs anew.
/// Safe methods (RFC 9110, section 9.2.1) change nothing however often they are sent: the field has no meaning for them.
///
/// `schema`: the schema of the request.
///
/// Raises 40001 if the record was committed after the caller's transaction took the snapshot that it keeps.
///
/// # Errors
/// REST450 for a malformed key, REST452 while another request with the key runs, REST453 if the key belongs to another request, REST454
/// without room for another record, REST431 if the answer is too large to be kept; the errors of `run`.
pub fn admit(
    request: &Request,
    principal: &Principal,
    schema: &str,
    run: impl FnOnce() -> Result<Answer>,
) -> Result<Answer> {
    match request.headers.get(FIELD) {
        Some(field) if !request.method.is_safe() => {
            let key = Key::parse(field)?;
            let context = Context { request, principal, schema };
            with_key(&context, &ticket(&context, &key), run)
        }
        _ => run(),
    }
}

fn ticket(context: &Context, key: &Key) -> Ticket {
    let role = context.principal.switch_to.as_deref();
    let role = role.map_or_else(|| user::name(user::current()), str::to_owned);
    let claims = claims(context.principal);
    let tenant = guc::tenant_claim();
    let owner = Owner { role: &role, claims: claims.as_deref(), tenant: tenant.as_deref() };
    Ticket::of(&owner, key, context.request)
}

/// The verified claims of whoever asks. A request within a request has those of the outer one.
fn claims(principal: &Principal) -> Option<Rc<Map<String, Value>>> {
    let parse = |text: &str| strict::object(text.as_bytes()).ok().map(Rc::new);
    match &principal.identity {
        Identity::Claims(claims, _) => Some(claims.clone()),
        _ if !frame::is_within_request() => None,
        _ if frame::is_unpublished() => frame::with_unpublished(|_, claims| claims.and_then(parse)).flatten(),
        _ => guc::with_claims(parse).flatten(),
    }
}

fn with_key(context: &Context, ticket: &Ticket, run: impl FnOnce() -> Result<Answer>) -> Result<Answer> {
    let records = Records::open().ok_or_else(admit::not_installed)?;
    if keyed_table::is_read_only() {
        // Nothing can be changed, so there is nothing to record. What was done elsewhere, or before, is not done again.
        return match records.find(ticket, Seen::Now) {
            Found::Nothing | Found::Expired(_) => keyed(run),
            Found::Kept(kept) => replay(context, kept),
            Found::Other => Err(admit::reused()),
        };
    }
    // Rolling back also lets the lock go.
    match subtransaction::run(|| once(context, ticket, &records, run)) {
        Ok(done) => done,
        Err(failed) if must_propagate(&failed.raised) => failed.rethrow(),
        Err(failed) => Err(failed.raised.clone().into_error(context.principal.is_authenticated)),
    }
}

fn once(
    context: &Context,
    ticket: &Ticket,
    records: &Records,
    run: impl FnOnce() -> Result<Answer>,
) -> (Result<Answer>, End) {
    // The lock comes first: whoever has it finds what its last owner has committed.
    let lock = keyed_table::try_lock(ticket.number());
    match records.find(ticket, Seen::Now) {
        Found::Kept(_) | Found::Other if keyed_table::keeps_snapshot() && !records.has(ticket, Seen::ByTransaction) => {
            raise(
                SqlState::SERIALIZATION_FAILURE,
                "could not serialize access due to a concurrent request with the same Idempotency-Key",
                None,
                Some("The transaction might succeed if retried."),
            )
        }
        Found::Kept(kept) => return (replay(context, kept), End::Commit),
        Found::Other => return (Err(admit::reused()), End::RollBack),
        // The owner of the lock is another transaction, or a request around this one.
        Found::Nothing if lock != Lock::Taken => return (Err(admit::in_progress()), End::RollBack),
        Found::Expired(place) if lock == Lock::Busy || !records.delete(place) => {
            return (Err(admit::in_progress()), End::RollBack);
        }
        Found::Nothing | Found::Expired(_) => {}
    }
    if !records.has_room() {
        // What this makes room for is kept, although the request is refused.
        records.sweep_many(ticket);
        return (Err(admit::full()), End::Commit);
    }
    let done = keyed(run).and_then(|answer| {
        let body = answer.body();
        let limit = guc::idempotency_max_response_bytes();
        let is_kept = answer.commits && !answer.refuses;
        if is_kept && body.is_some_and(|body| body.len() > limit) {
            return Err(admit::too_large(limit));
        }
        if is_kept {
            records.put(ticket, &Kept::of(&answer.response, body));
            records.sweep(ticket);
        }
        Ok(answer)
    });
    let end = if done.as_ref().is_ok_and(|answer| answer.commits) { End::Commit } else { End::RollBack };
    (done, end)
}

/// Answers again. The role must still be one that the request may take, and `restful.pre_request` guards replays, too.
fn replay(context: &Context, kept: Kept<Vec<u8>>) -> Result<Answer> {
    frame::enter(context, |frame| {
        execution::guard(context.request, frame)?;
        Ok(Finished { value: (), commit: true })
    })?;
    Ok(Answer { commits: true, ..Answer::new(kept.replay()) })
}
