//! Connections of clients: accepted, served, and ended in good order.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::Signal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::handle::Gateway;
use crate::log::Log;

/// A client has so long for the header of a request, and to begin the next one on an HTTP/1 connection it keeps.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request's header at most.
const HEADER_LIMIT: usize = 64 << 10;
/// Requests one HTTP/2 connection has running at most.
const STREAMS: u32 = 100;
/// An HTTP/2 client is asked so often whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The signals that end the gateway.
pub struct Signals {
    /// SIGTERM.
    pub terminate: Signal,
    /// SIGINT.
    pub interrupt: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves until a signal comes, then lets running requests finish for at most `shutdown_timeout`. A second signal ends
/// the wait.
pub async fn run(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    log: Arc<Log>,
    max_connections: usize,
    shutdown_timeout: Duration,
    mut signals: Signals,
) {
    let builder = builder();
    let slots = Arc::new(Semaphore::new(max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();

    loop {
        let (stream, slot) = tokio::select! {
            accepted = accept(&listener, &slots, &log) => accepted,
            // Takes what ended out of the set.
            Some(_) = connections.join_next() => continue,
            () = signals.next() => break,
        };
        let gateway = Arc::clone(&gateway);
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let service = service_fn(move |request| {
            begins.store(true, Ordering::Relaxed);
            Arc::clone(&gateway).respond(request)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            let mut connection = pin!(connection);
            // The builder waits for the bytes that tell HTTP/1 from HTTP/2 without a limit, so there is one here. What
            // a client does to its connection is no event: its requests are logged.
            if timeout(HEADER_TIMEOUT, &mut connection).await.is_err() && begun.load(Ordering::Relaxed) {
                let _ = connection.await;
            }
            drop(slot);
        });
    }

    drop(listener);
    log.event("info", None, "stopping");
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(shutdown_timeout) => {
            log.event("warning", None, "stopped before all requests were done");
        }
        () = signals.next() => {}
    }
    connections.shutdown().await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_LIMIT as u32)
        .keep_alive_interval(PING_INTERVAL);
    builder
}

/// The next client, once there is a slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    log: &Log,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written in one piece: waiting for more only delays them.
                let _ = stream.set_nodelay(true);
                return (stream, slot);
            }
            Err(error) => {
                log.event("error", None, &format!("cannot accept: {error}"));
                // Out of file descriptors, most likely: it takes a while until some are free.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
