//! Accepts clients' connections, serves them, and shuts down cleanly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::Signal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::handle::Gateway;
use crate::log::Log;
use crate::wire::{HEAD_LIMIT, Wire};

/// How long a client may take to send the head of a request, and to begin the next request on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

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

/// Serves until a signal arrives, then waits at most `shutdown_timeout` for running requests. A second signal ends the wait.
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
        let ((stream, peer), slot) = tokio::select! {
            accepted = accept(&listener, &slots, &log) => accepted,
            // Removes connections that have ended from the set.
            Some(_) = connections.join_next() => continue,
            () = signals.next() => break,
        };
        let gateway = Arc::clone(&gateway);
        let wire = Wire::new(stream);
        let (refusal, heads) = (wire.refusal(), AtomicU64::new(0));
        let service = service_fn(move |mut request: Request<Incoming>| {
            // As proxies do: the database believes what the gateway adds, if it trusts the gateway.
            if let Some(peer) = &peer {
                request.headers_mut().append("x-forwarded-for", peer.clone());
            }
            let number = heads.fetch_add(1, Ordering::Relaxed) + 1;
            let refused = refusal.get().filter(|(refused, _)| *refused == number);
            Arc::clone(&gateway).respond(request, refused.map(|(_, problem)| problem.clone()))
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(wire), service));
        connections.spawn(async move {
            // Errors of a client's connection are not logged, only its requests.
            let _ = connection.await;
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

fn builder() -> Builder {
    let mut builder = Builder::new();
    // Longer than any head that gets here.
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(4 * HEAD_LIMIT);
    builder
}

/// The next client, with its address, once there is a slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    log: &Log,
) -> ((TcpStream, Option<HeaderValue>), Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written in one piece, so waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                let address = HeaderValue::from_str(&peer.ip().to_canonical().to_string()).ok();
                return ((stream, address), slot);
            }
            Err(error) => {
                log.event("error", None, &format!("cannot accept: {error}"));
                // Most likely there are no free file descriptors. Wait until some are free.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
