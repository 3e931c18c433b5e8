//! The path of a request: it gets an ID, is read, passed on, answered and logged.

use std::borrow::Cow;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::time::{Instant, timeout_at};

use crate::cors::Cors;
use crate::log::{Access, Log};
use crate::pool::{Call, Pool, Unavailable, describe, is_lost};
use crate::problem::Problem;
use crate::site::Site;
use crate::{headers, record, strict};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The most characters of a client's request ID.
const REQUEST_ID_LIMIT: usize = 128;
/// How long `/ready` waits for the database.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// The state that requests share.
pub struct Gateway {
    pool: Pool,
    /// A separate connection for `/ready`, because a busy pool does not mean that the database is down.
    ready: Pool,
    log: Arc<Log>,
    body_limit: usize,
    request_timeout: Duration,
    pool_timeout: Duration,
    cors: Option<Cors>,
    sites: Vec<Site>,
    ids: RandomState,
    requests: AtomicU64,
}

impl Gateway {
    /// A gateway that uses `pool` for requests and `ready` for readiness checks.
    pub fn new(
        pool: Pool,
        ready: Pool,
        log: Arc<Log>,
        body_limit: usize,
        request_timeout: Duration,
        pool_timeout: Duration,
        cors: Option<Cors>,
    ) -> Self {
        let (ids, requests) = (RandomState::new(), AtomicU64::new(0));
        Self { pool, ready, log, body_limit, request_timeout, pool_timeout, cors, sites: Vec::new(), ids, requests }
    }

    /// The same gateway, with pages of its own.
    pub fn with_sites(self, sites: Vec<Site>) -> Self {
        Self { sites, ..self }
    }

    /// Answers a request, with `refused` if it has been refused already. Any error becomes a problem document.
    ///
    /// # Errors
    /// Never fails.
    pub async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
        refused: Option<Problem>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let start = Instant::now();
        let (mut parts, body) = request.into_parts();
        let id = request_id(&parts.headers).unwrap_or_else(|| self.new_id());
        parts.headers.insert(REQUEST_ID, id.clone());
        // A refused request may not have a path.
        let path = if refused.is_some() { "-" } else { parts.uri.path() };
        let mut entry = Entry { log: &self.log, parts: &parts, path, id: &id, start, status: 499, bytes: 0 };

        let refused = refused.or_else(|| strict::check(&parts).err());
        let preflight = self.cors.as_ref().and_then(|cors| cors.preflight(&parts.method, &parts.headers));
        let mut response = match (refused, preflight, &parts.method, path) {
            (Some(problem), ..) => Err(problem),
            (None, Some(answer), ..) => Ok(answer),
            (None, None, &Method::CONNECT, _) => Err(Problem::no_tunnel()),
            (None, None, &Method::GET | &Method::HEAD, "/live") => Ok(own_answer(b"{\"status\":\"live\"}")),
            (None, None, &Method::GET | &Method::HEAD, "/ready") => self.ready(&entry).await,
            (None, None, _, "/live" | "/ready") => Err(Problem::method_not_allowed()),
            (None, None, method, _) => match self.own_page(method, path, &parts.headers) {
                Some(answer) => answer,
                None => self.pass_on(&entry, body, start + self.request_timeout).await,
            },
        }
        .unwrap_or_else(Problem::into_response);
        if let Some(cors) = &self.cors {
            cors.mark(&parts.headers, &mut response);
        }

        response.headers_mut().insert(REQUEST_ID, id.clone());
        let response = framed(&parts.method, response);
        entry.status = response.status().as_u16();
        entry.bytes = response.body().size_hint().lower();
        Ok(response)
    }

    /// The answer to a request for a page that the binary contains.
    fn own_page(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Result<Response<Full<Bytes>>, Problem>> {
        self.sites.iter().find_map(|site| site.respond(method, path, headers, || self.new_id()))
    }

    async fn pass_on(
        &self,
        entry: &Entry<'_>,
        body: Incoming,
        deadline: Instant,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let Parts { method, uri, headers, .. } = entry.parts;
        let fields = headers::to_jsonb(headers, uri.authority().map(|authority| authority.as_str()))
            .map_err(|headers::NotUtf8(name)| Problem::bad_request(format!("The value of {name} is not UTF-8")))?;
        // Read the body before taking a connection, so that a slow client does not hold one.
        let body = read_body(body, self.body_limit, deadline).await?;
        let call = Call {
            method: method.as_str(),
            target: &target(uri)?,
            headers: &fields,
            body: Some(&body[..]).filter(|body| !body.is_empty()),
        };
        let record = self.call(entry, &call, deadline).await?;
        answer(record).map_err(|reason| {
            entry.error(&reason);
            Problem::bad_answer()
        })
    }

    /// Calls the database. Sends a read once more if its connection died while it was idle: the server may not have seen the read, and
    /// repeating it does no harm.
    async fn call(&self, entry: &Entry<'_>, call: &Call<'_>, deadline: Instant) -> Result<Option<Bytes>, Problem> {
        let method = &entry.parts.method;
        let mut retry = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || method.as_str() == "QUERY";
        let mut fresh = false;
        loop {
            let by = deadline.min(Instant::now() + self.pool_timeout);
            let mut lease = self.pool.lease(by, fresh).await.map_err(|unavailable| match unavailable {
                Unavailable::Exhausted => {
                    entry.error("all database connections are in use");
                    Problem::unavailable("All database connections are in use")
                }
                Unavailable::Unreachable(reason) => {
                    entry.error(&reason);
                    Problem::unavailable("The database is not available")
                }
            })?;
            let Ok(result) = timeout_at(deadline, lease.serve(call)).await else {
                entry.error("the request timed out, its statement is cancelled");
                return Err(Problem::timeout());
            };
            match result {
                Ok(record) => return Ok(record),
                Err(error) if retry && lease.reused() && is_lost(&error) => {
                    retry = false;
                    fresh = true;
                }
                Err(error) => {
                    entry.error(&describe(&error));
                    return Err(match error.code() {
                        Some(state) => Problem::raised(state),
                        None => Problem::unavailable("The connection to the database was lost"),
                    });
                }
            }
        }
    }

    async fn ready(&self, entry: &Entry<'_>) -> Result<Response<Full<Bytes>>, Problem> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let mut fresh = false;
        let reason = loop {
            let mut lease = match self.ready.lease(deadline, fresh).await {
                Ok(lease) => lease,
                Err(Unavailable::Exhausted) => break "no answer in time".to_owned(),
                Err(Unavailable::Unreachable(reason)) => break reason,
            };
            match timeout_at(deadline, lease.ready()).await {
                Ok(Ok(true)) => return Ok(own_answer(b"{\"status\":\"ready\"}")),
                Ok(Ok(false)) => {
                    break "restful.serve does not exist, or may not be called".to_owned();
                }
                Ok(Err(error)) if !fresh && lease.reused() && is_lost(&error) => fresh = true,
                Ok(Err(error)) => break describe(&error),
                Err(_) => break "no answer in time".to_owned(),
            }
        };
        entry.error(&format!("not ready: {reason}"));
        Err(Problem::unavailable("The database is not ready"))
    }

    /// A new request ID: 32 hexadecimal digits, practically unique among all gateways.
    fn new_id(&self) -> HeaderValue {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}{:016x}", self.ids.hash_one((0, number)), self.ids.hash_one((1, number)));
        HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

/// A request's line in the log. Written when the request ends, however it ends.
struct Entry<'a> {
    log: &'a Log,
    parts: &'a Parts,
    path: &'a str,
    id: &'a HeaderValue,
    start: Instant,
    status: u16,
    bytes: u64,
}

impl Entry<'_> {
    fn error(&self, message: &str) {
        self.log.event("error", self.id.to_str().ok(), message);
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.log.access(&Access {
            request_id: self.id.to_str().unwrap_or_default(),
            method: self.parts.method.as_str(),
            path: self.path,
            status: self.status,
            bytes: self.bytes,
            duration: self.start.elapsed(),
        });
    }
}

/// Path and query. For a URI that is just a host, without a path, `/`.
fn target(uri: &Uri) -> Result<Cow<'_, str>, Problem> {
    match uri.path_and_query().map(PathAndQuery::as_str) {
        Some(target) if target.starts_with('/') || target == "*" => Ok(Cow::Borrowed(target)),
        Some(query) if query.starts_with('?') => Ok(Cow::Owned(format!("/{query}"))),
        // Not reached: such a target is refused earlier. It must not count as the root.
        _ => Err(Problem::bad_request("The request target does not begin with /")),
    }
}

/// The client's request ID, if it is short and consists of visible ASCII characters.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let sane = (1..=REQUEST_ID_LIMIT).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    sane.then(|| id.clone())
}

/// The whole body. It has at most `limit` bytes and takes no more memory than that. A body that comes in one piece is not copied.
async fn read_body(mut body: Incoming, limit: usize, deadline: Instant) -> Result<Bytes, Problem> {
    // What Content-Length announces, or 0.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Problem::body_too_large(limit));
    }
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(Problem::slow_body()),
            Ok(None) => break,
            Ok(Some(Err(_))) => {
                return Err(Problem::broken_body());
            }
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let received = if more.is_empty() { first.len() } else { more.len() };
        if data.len() > limit - received {
            return Err(Problem::body_too_large(limit));
        }
        if received == 0 {
            first = data;
        } else {
            if more.is_empty() {
                more.reserve(announced.max(received + data.len()));
                more.extend_from_slice(&std::mem::take(&mut first));
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

/// The response in a record. If the record states a length, it is kept for [`framed`].
fn answer(record: Option<Bytes>) -> Result<Response<Full<Bytes>>, String> {
    let record = record.ok_or("restful.serve returned NULL")?;
    let answer = record::decode(record).map_err(|record::Malformed(reason)| format!("malformed answer: {reason}"))?;
    let status = u16::try_from(answer.status)
        .ok()
        // 1xx is not a final answer.
        .filter(|status| (200..600).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| format!("malformed answer: status {}", answer.status))?;
    let headers = headers::from_json(&answer.headers).map_err(|error| format!("malformed answer: {error}"))?;

    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = status;
    *response.headers_mut() = headers.fields;
    if let Some(length) = headers.content_length {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}

/// Sets Content-Length and body as RFC 9110 (6.4.1, 8.6) requires: HEAD, 204, 205 and 304 have no body. The length is that of the
/// body, or, for HEAD without a body, the one that the answer stated.
fn framed(method: &Method, mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let stated = response.headers_mut().remove(CONTENT_LENGTH);
    let length = response.body().size_hint().lower();
    let bodiless =
        matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || method == Method::HEAD {
        *response.body_mut() = Full::default();
    }
    if method == Method::HEAD && !bodiless {
        let length = if length > 0 { Some(HeaderValue::from(length)) } else { stated };
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, length);
        }
    }
    response
}

fn own_answer(body: &'static [u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
