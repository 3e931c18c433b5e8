//! Answers batches: many requests in one transaction, all or nothing.

use crate::auth::Principal;
use crate::batch::{Answers, Batch, BatchedRequest, write_answer};
use crate::error::{Error, Result};
use crate::http::accepts::BATCH;
use crate::http::media_type::{self, MediaType};
use crate::http::response::Body;
use crate::http::{Method, Preferences, Request, Response};
use crate::payload;
use crate::pg::answer::{Answer, too_large};
use crate::pg::ffi::snapshot::in_new_snapshot;
use crate::pg::frame::{self, Context, Finished};
use crate::pg::identity::principal;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::{catalog, guc, observe, routes, versions};
use crate::route::{self, Action, Route, version};
use pgrx::pg_sys;
use std::ops::Range;

/// The methods of `/batch`.
const ALLOW: &str = "OPTIONS,POST";

/// Answers a batch with an array of answers, allocated in `memory`.
///
/// All requests run in one frame, in order, with the identity and the time limit of the batch. Each of them has a frame of its own
/// within it, so none sees the settings of another, and a snapshot of its own, so each sees what those before it have written.
/// Deferred constraints are checked once, at the end.
///
/// `asker`: who asks. `schema`: the schema of the batch itself. `one`: answers a request of the batch; its transaction must not end by itself.
///
/// # Errors
/// A batch that is malformed, a method other than POST, no acceptable representation, and the error of the first request that fails,
/// with its index. Nothing is changed then.
pub fn answer(
    batch: &Request,
    asker: &Principal,
    schema: &str,
    memory: pg_sys::MemoryContext,
    one: impl Fn(&Request, Action, &Principal) -> Result<Answer>,
) -> Result<Answer> {
    if batch.method == Method::Options {
        let response = Response::new(200, Body::Empty).header("allow", ALLOW).header(BATCH.field, BATCH.types);
        return Ok(Answer::new(response));
    }
    if batch.method != Method::Post {
        return Err(route::not_allowed(batch.method, ALLOW));
    }
    observe::who(asker);
    let accepted = media_type::accepted(batch.headers.get("accept"))?;
    if !accepted.is_empty() && !accepted.iter().any(|range| MediaType::Json.is_in(range)) {
        return Err(media_type::not_available(&accepted));
    }
    payload::require_json(&payload::content_type(batch), batch, BATCH)?;
    let requests = Batch::read(batch.body.unwrap_or_default(), guc::max_batch_requests())?.requests;
    let end = guc::tx_end();
    let asked = end.asked(batch.preferences.transaction);
    let commit = end.commits(asked);
    let context = Context { request: batch, principal: asker, schema };
    let rows = frame::enter(&context, |frame| {
        frame.take_role();
        frame.publish();
        let within = principal::within(frame.is_authenticated());
        let mut written = Written::new(memory);
        for request in &requests {
            in_new_snapshot(|| written.add(request, &context, |request, action| one(request, action, &within)))?;
        }
        Ok(Finished { value: written.finish(), commit })
    })?;
    let mut response = Response::new(200, Body::Rows).header("content-type", MediaType::Json.content_type());
    let mut applied = Preferences::default();
    applied.transaction = asked;
    applied.handling = batch.preferences.handling;
    applied.timezone.clone_from(&batch.preferences.timezone);
    if let Some(applied) = applied.applied() {
        response = response.header("preference-applied", applied);
    }
    Ok(Answer { rows: Some(rows), commits: commit, ..Answer::new(response) })
}

/// The answers that are written.
struct Written {
    body: BodyBuffer,
    /// Where each answer is in the body.
    places: Vec<Range<usize>>,
    /// Bytes of answers that references led through.
    followed: usize,
}

impl Written {
    fn new(memory: pg_sys::MemoryContext) -> Self {
        // SAFETY: the context is the caller's and outlives the request.
        let mut body = unsafe { BodyBuffer::new(memory, 0, guc::max_response_bytes()) };
        body.byte(b'[');
        Written { body, places: Vec::new(), followed: 0 }
    }

    /// Answers a request, and writes the answer.
    ///
    /// # Errors
    /// The error of the request, with its index; 54000 if the answers become larger than `restful.max_response_bytes`.
    fn add(
        &mut self,
        request: &BatchedRequest,
        batch: &Context,
        one: impl FnOnce(&Request, Action) -> Result<Answer>,
    ) -> Result<()> {
        let Context { request: batch, principal: asker, schema } = *batch;
        let resolved = {
            let mut answers = Answers::new(self.body.payload(), &self.places, &mut self.followed);
            request.resolve(&mut answers, batch.headers, guc::max_body_bytes())?
        };
        let failed = |error: Error| request.failed(error);
        let body = resolved.body.as_deref();
        let surface = versions::surface();
        let entered;
        let mut parsed = Request::parse(&request.method, &resolved.target, &resolved.headers, body).map_err(failed)?;
        let is_own = |name: &str| request.has_field(name);
        if !routes::takes(&parsed)
            && let Some(fields) = version::enter(&mut parsed, &surface.versions, is_own).map_err(failed)?
        {
            entered = fields;
            parsed.headers = &entered;
        }
        if parsed.preferences.transaction.is_some() {
            return Err(request
                .refused("headers", "A request of a batch cannot decide how the transaction ends")
                .hint("Send Prefer: tx with the batch."));
        }
        let answered = routes::routed(&parsed, &surface, None, |routed, route| {
            observe::batched(routed, &route);
            Ok(match route {
                Route::Own(_) => Err(request.refused("target", "An endpoint of OAuth cannot be part of a batch")),
                Route::Batch(action) if !catalog::has_relation(&action.schema, route::BATCH) => {
                    Err(request.refused("target", "A batch cannot be part of a batch"))
                }
                Route::Batch(action) | Route::Action(action) => {
                    // What the batch's path names its requests inherit, so their answers lead there.
                    let mut routed = routed.clone();
                    if routed.target.prefix.is_empty() && *action.schema == *schema {
                        routed.target.prefix = batch.target.prefix;
                    }
                    versions::count_use(&action.schema, asker);
                    versions::within(&surface.versions, None, &routed, action, |action| one(&routed, action))
                        .map_err(failed)
                }
                Route::Methods(allow) => Ok(Answer::new(Response::methods(allow))),
            })
        });
        let Answer { response, rows, .. } = answered.map_err(failed)??;
        let response = response.without_forbidden_body(&request.method);
        if !self.places.is_empty() {
            self.body.byte(b',');
        }
        let start = self.body.len();
        write_answer(&response, rows.as_ref().map(BodyBuffer::payload), &mut |bytes| self.body.put(bytes));
        self.places.push(start..self.body.len());
        let limit = guc::max_response_bytes();
        if self.body.len() > limit {
            let hint = "Ask for fewer rows or columns, or split the batch.";
            return Err(failed(too_large("the answers are", limit, hint)));
        }
        if let Some(rows) = rows {
            rows.free();
        }
        Ok(())
    }

    fn finish(mut self) -> BodyBuffer {
        self.body.byte(b']');
        self.body
    }
}
