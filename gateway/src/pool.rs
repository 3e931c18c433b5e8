//! The pool of database connections. It is limited, hands out the last used connection first, and discards one at the first doubt.

use std::error::Error as _;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database::{Connection, Database};

/// The only statement. `record_send` returns the record's binary form as a `bytea`, a type that every session knows without asking the
/// catalogue, and that stays the same when the extension is created anew.
const SERVE: &str = "SELECT record_send(restful.serve($1, $2, $3, $4))";
const PARAMETERS: [Type; 4] = [Type::TEXT, Type::TEXT, Type::JSONB, Type::BYTEA];

const READY: &str = "SELECT coalesce(has_function_privilege(to_regprocedure('restful.serve(text,text,jsonb,bytea)'), 'EXECUTE'), false)";

/// How long to wait between requests to cancel an abandoned statement.
const CANCEL_INTERVAL: Duration = Duration::from_millis(250);
const CANCEL_ATTEMPTS: usize = 20;

/// A bounded set of connections. Clones share it.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    database: Database,
    prepared: bool,
    size: usize,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
}

/// A connection to the database. Whoever waits for an answer moves its bytes (see [`Session::drive`]), so that a request stays in one
/// task. A task of its own for the connection would be woken for each question and wake the request for each answer.
struct Session {
    client: Client,
    /// `None` once the connection has ended.
    connection: Option<Connection>,
    /// `None` if the statement is sent as text every time.
    statement: Option<Statement>,
}

impl Session {
    async fn open(database: &Database, prepared: bool) -> Result<Self, Error> {
        let (client, connection) = database.connect().await?;
        let mut session = Self { client, connection: Some(connection), statement: None };
        if prepared {
            session.statement =
                Some(session.drive(async |client, _| client.prepare_typed(SERVE, &PARAMETERS).await).await?);
        }
        Ok(session)
    }

    /// Waits for an answer, and moves the bytes of the connection meanwhile.
    async fn drive<T>(&mut self, ask: impl AsyncFnOnce(&Client, Option<&Statement>) -> T) -> T {
        let Self { client, connection, statement } = self;
        let mut answer = pin!(ask(client, statement.as_ref()));
        poll_fn(|context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                return Poll::Ready(answer);
            }
            poll_connection(connection, context);
            answer.as_mut().poll(context)
        })
        .await
    }

    /// Whether the connection has ended. Reads what the server has sent meanwhile.
    fn is_closed(&mut self) -> bool {
        poll_connection(&mut self.connection, &mut Context::from_waker(Waker::noop()));
        self.connection.is_none() || self.client.is_closed()
    }
}

/// Moves the bytes of a connection as far as possible, and drops it at its end, so that nobody waits for its answers any more.
fn poll_connection(connection: &mut Option<Connection>, context: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(context).is_ready()) {
        *connection = None;
    }
}

/// Why no connection is available.
#[derive(Debug)]
pub enum Unavailable {
    /// All connections were in use until the deadline.
    Exhausted,
    /// The database cannot be reached, refuses the connection, or lacks the function. Holds the reason, for the log.
    Unreachable(String),
}

/// The four arguments of `restful.serve`.
pub struct Call<'a> {
    /// The method as received.
    pub method: &'a str,
    /// Path and query as received.
    pub target: &'a str,
    /// A binary jsonb (see [`crate::headers::to_jsonb`]).
    pub headers: &'a [u8],
    /// `None` if there is no body.
    pub body: Option<&'a [u8]>,
}

impl Pool {
    /// A pool of at most `size` connections. It opens none yet. With `prepared`, the statement is prepared once per connection.
    pub fn new(database: Database, size: usize, prepared: bool) -> Self {
        let permits = Arc::new(Semaphore::new(size));
        Self(Arc::new(Inner { database, prepared, size, permits, idle: Mutex::new(Vec::new()) }))
    }

    /// An idle connection, or a new one. With `fresh`, always a new one.
    ///
    /// # Errors
    /// [`Unavailable`] if there is no connection by `deadline`.
    pub async fn lease(&self, deadline: Instant, fresh: bool) -> Result<Lease, Unavailable> {
        let permit = match timeout_at(deadline, Arc::clone(&self.0.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(Unavailable::Exhausted),
        };
        while let Some(mut session) = self.idle() {
            // Dropping a session closes it. A fresh connection replaces an idle one, so that there are never more connections than
            // permits.
            if fresh {
                break;
            }
            if !session.is_closed() {
                return Ok(Lease::new(self.clone(), permit, session, true));
            }
        }
        match timeout_at(deadline, Session::open(&self.0.database, self.0.prepared)).await {
            Ok(Ok(session)) => Ok(Lease::new(self.clone(), permit, session, false)),
            Ok(Err(error)) => Err(Unavailable::Unreachable(describe(&error))),
            Err(_) => Err(Unavailable::Unreachable("no connection in time".to_owned())),
        }
    }

    /// The connection that was used last, of those that are not in use.
    fn idle(&self) -> Option<Session> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Waits until no connection is in use, but no longer than `limit`.
    pub async fn quiesce(&self, limit: Duration) {
        let all = u32::try_from(self.0.size).unwrap_or(u32::MAX);
        let _ = timeout(limit, self.0.permits.acquire_many(all)).await;
    }
}

/// A connection in use. Dropping it returns it to the pool. If its statement is still running, dropping it cancels the statement and
/// discards the connection.
pub struct Lease {
    pool: Pool,
    reused: bool,
    state: State,
    held: Option<(Session, OwnedSemaphorePermit)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Running,
    Broken,
}

impl Lease {
    fn new(pool: Pool, permit: OwnedSemaphorePermit, session: Session, reused: bool) -> Self {
        Self { pool, reused, state: State::Ready, held: Some((session, permit)) }
    }

    /// Whether the connection had been idle, so that the server may have closed it unnoticed.
    pub fn reused(&self) -> bool {
        self.reused
    }

    /// Runs the statement to its end, including the commit. Returns the record's bytes, or `None` if the record is NULL.
    ///
    /// # Errors
    /// The server's error, or that the connection is lost.
    pub async fn serve(&mut self, call: &Call<'_>) -> Result<Option<Bytes>, Error> {
        let parameters: [&(dyn ToSql + Sync); 4] = [&call.method, &call.target, &Jsonb(call.headers), &call.body];
        let rows = self
            .run(async |client, statement| match statement {
                Some(statement) => client.query(statement, &parameters).await,
                None => {
                    let [a, b, c, d] = parameters;
                    let [t, u, v, w] = PARAMETERS;
                    client.query_typed(SERVE, &[(a, t), (b, u), (c, v), (d, w)]).await
                }
            })
            .await?;
        let record = rows.into_iter().next().map(Record).filter(|record| record.bytes().is_some());
        Ok(record.map(Bytes::from_owner))
    }

    /// Whether the database answers, and this session may call `restful.serve`.
    ///
    /// # Errors
    /// The server's error, or that the connection is lost.
    pub async fn ready(&mut self) -> Result<bool, Error> {
        let rows = self.run(async |client, _| client.query_typed(READY, &[]).await).await?;
        Ok(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(false))
    }

    async fn run(
        &mut self,
        ask: impl AsyncFnOnce(&Client, Option<&Statement>) -> Result<Vec<Row>, Error>,
    ) -> Result<Vec<Row>, Error> {
        // A lease holds its session until it is dropped.
        let Some((session, _)) = &mut self.held else {
            return Ok(Vec::new());
        };
        self.state = State::Running;
        let result = session.drive(ask).await;
        self.state = match &result {
            Err(error) if breaks_session(error) => State::Broken,
            _ => State::Ready,
        };
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((session, permit)) = self.held.take() else {
            return;
        };
        match self.state {
            State::Ready if session.connection.is_some() => {
                self.pool.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
            }
            State::Ready | State::Broken => {}
            State::Running => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(abandon(session, self.pool.0.database.tls(), permit));
                }
            }
        }
    }
}

/// Cancels a session's statement and closes the session. Keeps its place in the pool until the server is done with it.
async fn abandon(session: Session, tls: MakeRustlsConnect, _permit: OwnedSemaphorePermit) {
    let Session { client, connection: Some(connection), .. } = session else {
        return;
    };
    let mut connection = pin!(connection);
    let cancel = client.cancel_token();
    // Without a client, the connection ends as soon as the statement does.
    drop(client);
    // Repeated, because a cancel request that overtakes its statement has no effect. It cannot hit a later statement, because this
    // session runs no other.
    for _ in 0..CANCEL_ATTEMPTS {
        let cancelled = timeout(CANCEL_INTERVAL, cancel.cancel_query(tls.clone()));
        let mut cancelled = pin!(async move { drop(cancelled.await) });
        tokio::select! {
            _ = &mut connection => return,
            () = &mut cancelled => {}
        }
        if timeout(CANCEL_INTERVAL, &mut connection).await.is_ok() {
            return;
        }
    }
}

/// Whether the request may not have reached the server, for example because the connection died while it was idle.
pub fn is_lost(error: &Error) -> bool {
    match error.code() {
        None => error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>()),
        // The session, or a pooler in between, has forgotten the statement.
        Some(code) => *code == SqlState::INVALID_SQL_STATEMENT_NAME,
    }
}

fn breaks_session(error: &Error) -> bool {
    match error.as_db_error() {
        None => true,
        Some(db) => {
            !matches!(db.parsed_severity(), Some(Severity::Error)) || *db.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        }
    }
}

/// An error for the log. A server's DETAIL, HINT and CONTEXT quote data, so only its message is shown.
pub fn describe(error: &Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} {}: {}", db.severity(), db.code().code(), db.message()),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// A row whose only column is the record. Lends its bytes without copying them.
struct Record(Row);

impl Record {
    fn bytes(&self) -> Option<&[u8]> {
        self.0.try_get(0).ok().flatten()
    }
}

impl AsRef<[u8]> for Record {
    fn as_ref(&self) -> &[u8] {
        self.bytes().unwrap_or_default()
    }
}

/// A jsonb parameter that is already in binary form.
struct Jsonb<'a>(&'a [u8]);

impl fmt::Debug for Jsonb<'_> {
    /// Does not show the headers, because they contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jsonb(..)")
    }
}

impl ToSql for Jsonb<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(type_: &Type) -> bool {
        *type_ == Type::JSONB
    }

    to_sql_checked!();
}
