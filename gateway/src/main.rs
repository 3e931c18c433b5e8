//! A thin HTTP layer over `restful.serve`: each request is one statement, and its result is the answer.
//!
//! `settings` is read once. `server` accepts connections. `wire` has `head` check their requests before hyper reads them. `handle` takes
//! a request through `headers` (to JSON), `pool` (to the database) and `record` (back). `strict` refuses requests that lack a field or expect too
//! much. `cors` answers browsers' questions, `problem`
//! has the errors that the gateway answers itself, and `log` writes the log.
//! `site` serves pages that the binary contains, such as the documentation of `docs` and the dashboard of `dashboard`.

mod cors;
mod dashboard;
mod database;
mod docs;
mod handle;
mod head;
mod headers;
mod log;
mod pool;
mod problem;
mod record;
mod server;
mod settings;
mod site;
mod strict;
mod tls;
mod wire;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::handle::Gateway;
use crate::log::Log;
use crate::pool::Pool;
use crate::server::Signals;
use crate::settings::Settings;

/// How long to wait for the cancellation of statements whose requests were cut off.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => {}
        (Some("--help" | "-h"), None) => {
            print(std::io::stdout(), settings::HELP);
            return ExitCode::SUCCESS;
        }
        (Some("--version" | "-V"), None) => {
            print(std::io::stdout(), concat!("pg-restful-gateway ", env!("CARGO_PKG_VERSION"), "\n"));
            return ExitCode::SUCCESS;
        }
        _ => return refuse("takes no arguments except --help or --version"),
    }
    // A value that is not UTF-8 becomes one that no setting accepts.
    let lookup = |name: &'static str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let settings = match Settings::read(lookup) {
        Ok(settings) => settings,
        Err(invalid) => return refuse(&invalid.to_string()),
    };
    // A single thread needs no scheduler that wakes threads.
    let mut builder = match settings.threads {
        1 => Builder::new_current_thread(),
        threads => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    runtime.block_on(run(settings))
}

async fn run(settings: Settings) -> ExitCode {
    // Set up before the socket, so that no signal is missed once clients can connect.
    let (Ok(terminate), Ok(interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return fail("cannot listen for signals");
    };
    let listener = match TcpListener::bind(settings.listen).await {
        Ok(listener) => listener,
        Err(error) => return fail(&format!("cannot listen on {}: {error}", settings.listen)),
    };
    let (log, writer) = Log::start(settings.access_log);
    let log = Arc::new(log);
    let address = listener.local_addr().unwrap_or(settings.listen);
    log.event("info", None, &format!("listening on {address}"));

    let pool = Pool::new(settings.database.clone(), settings.pool_size, settings.prepared);
    let ready = Pool::new(settings.database, 1, settings.prepared);
    let gateway = Gateway::new(
        pool.clone(),
        ready,
        Arc::clone(&log),
        settings.body_limit,
        settings.request_timeout,
        settings.pool_timeout,
        settings.cors,
    );
    let sites = settings.docs.map(docs::site).into_iter().chain(settings.dashboard.map(dashboard::site)).collect();
    let gateway = Arc::new(gateway.with_sites(sites));
    let signals = Signals { terminate, interrupt };
    server::run(listener, gateway, Arc::clone(&log), settings.max_connections, settings.shutdown_timeout, signals)
        .await;

    pool.quiesce(CANCEL_TIMEOUT).await;
    log.event("info", None, "stopped");
    log.finish(&writer, CANCEL_TIMEOUT);
    ExitCode::SUCCESS
}

fn refuse(message: &str) -> ExitCode {
    print(std::io::stderr(), &format!("pg-restful-gateway: {message}\n"));
    ExitCode::from(2)
}

fn fail(message: &str) -> ExitCode {
    print(std::io::stderr(), &format!("pg-restful-gateway: {message}\n"));
    ExitCode::FAILURE
}

fn print(mut to: impl Write, text: &str) {
    // If this fails, there is nowhere to report it.
    let _ = to.write_all(text.as_bytes());
}
