//! The settings, read from the environment once at start.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::cors::{self, Cors};
use crate::database::Database;
use crate::site;

/// What `--help` prints.
pub const HELP: &str = "\
pg-restful-gateway: answers HTTP requests with SELECT restful.serve(method, target, headers, body)

Usage: pg-restful-gateway [--help | --version]

Settings are environment variables. A duration is a number of seconds (5, 0.5) or has a unit (500ms, 5s, 2m).

  DATABASE_URL         where the database is: postgres://user@host/db or key=value pairs (required)
                       with sslmode and sslrootcert as psql takes them, such as ?sslmode=require
  LISTEN               address and port to listen on                       (127.0.0.1:3000)
  POOL_SIZE            database connections at most                        (10)
  PREPARED_STATEMENTS  on, or off behind a pooler that cannot keep them    (on)
  BODY_LIMIT           bytes of a request body at most                     (1048576)
  MAX_CONNECTIONS      client connections at most; more wait to be accepted (1024)
  REQUEST_TIMEOUT      duration of a request, from its headers to its answer (30s)
  POOL_TIMEOUT         duration a request waits for a database connection  (5s)
  SHUTDOWN_TIMEOUT     duration running requests have left after SIGTERM   (30s)
  CORS_ALLOWED_ORIGINS origins whose pages may read answers, such as https://app.example.com; * for any; off (*)
  CORS_EXPOSED_HEADERS header fields of an answer that pages may read      (those of PostgREST, and the gateway's)
  CORS_MAX_AGE         seconds a browser remembers what pages may send     (86400)
  DOCS_PATH            path of the interactive documentation, such as /docs; off  (off)
  DASHBOARD_PATH       path of the dashboard, such as /dashboard; off      (off)
  LOG                  access (one line of JSON per request on stdout) or off (access)
  TOKIO_WORKER_THREADS threads that serve requests                         (1 for every 4 cores, at least 1)
";

/// Everything that can be set.
pub struct Settings {
    /// Where the database is, and as whom to connect.
    pub database: Database,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// The most database connections, 1 to 10,000.
    pub pool_size: usize,
    /// Whether the statement is prepared once per connection instead of being sent as text with every request.
    pub prepared: bool,
    /// The most bytes of a request body.
    pub body_limit: usize,
    /// The most client connections.
    pub max_connections: usize,
    /// The time limit from the request's headers to its answer.
    pub request_timeout: Duration,
    /// The time limit for getting a database connection, once the body has been read.
    pub pool_timeout: Duration,
    /// How long running requests may continue once the gateway has been told to stop.
    pub shutdown_timeout: Duration,
    /// What browsers are told about pages of other origins. `None` for nothing.
    pub cors: Option<Cors>,
    /// The path of the interactive documentation. `None` if there is none.
    pub docs: Option<String>,
    /// The path of the dashboard.
    pub dashboard: Option<String>,
    /// Whether every request is logged.
    pub access_log: bool,
    /// How many threads serve requests.
    pub threads: usize,
}

/// A setting that cannot be used: its name and what is wrong with it. Without its value, because an address contains a password.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The name of the environment variable.
    pub name: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

impl Settings {
    /// Reads all settings through `lookup`, which returns the value of an environment variable, or `None` if it is not set. An empty value
    /// counts as not set.
    ///
    /// # Errors
    /// The first setting that is missing or cannot be used.
    pub fn read(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Self, Invalid> {
        let site = |text: &str| if text == "off" { Ok(None) } else { site::path(text).map(Some) };
        let get = |name| lookup(name).filter(|text| !text.is_empty());
        Ok(Self {
            database: match get("DATABASE_URL") {
                Some(text) => Database::parse(&text).map_err(|reason| Invalid { name: "DATABASE_URL", reason })?,
                None => {
                    return Err(Invalid { name: "DATABASE_URL", reason: "is not set".to_owned() });
                }
            },
            listen: parsed("LISTEN", get("LISTEN"), SocketAddr::from(([127, 0, 0, 1], 3000)), |text| {
                text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:3000".to_owned())
            })?,
            pool_size: parsed("POOL_SIZE", get("POOL_SIZE"), 10, |text| integer(text, 1, 10_000))?,
            prepared: parsed("PREPARED_STATEMENTS", get("PREPARED_STATEMENTS"), true, |text| {
                choice(text, [("on", true), ("off", false)])
            })?,
            // A value in PostgreSQL's protocol must be smaller than 1 GiB.
            body_limit: parsed("BODY_LIMIT", get("BODY_LIMIT"), 1 << 20, |text| integer(text, 0, 1 << 29))?,
            max_connections: parsed("MAX_CONNECTIONS", get("MAX_CONNECTIONS"), 1024, |text| {
                integer(text, 1, 1_000_000)
            })?,
            request_timeout: parsed("REQUEST_TIMEOUT", get("REQUEST_TIMEOUT"), Duration::from_secs(30), duration)?,
            pool_timeout: parsed("POOL_TIMEOUT", get("POOL_TIMEOUT"), Duration::from_secs(5), duration)?,
            shutdown_timeout: parsed("SHUTDOWN_TIMEOUT", get("SHUTDOWN_TIMEOUT"), Duration::from_secs(30), duration)?,
            cors: {
                let exposed = |text: Option<String>| cors::exposed(text.as_deref().unwrap_or(cors::EXPOSED_HEADERS));
                let exposed = exposed(get("CORS_EXPOSED_HEADERS"))
                    .map_err(|reason| Invalid { name: "CORS_EXPOSED_HEADERS", reason })?;
                let max_age = parsed("CORS_MAX_AGE", get("CORS_MAX_AGE"), 86_400, |text| integer(text, 0, 86_400))?;
                let origins = |text: &str| if text == "off" { Ok(None) } else { cors::origins(text).map(Some) };
                parsed("CORS_ALLOWED_ORIGINS", get("CORS_ALLOWED_ORIGINS"), Some(cors::Origins::Any), origins)?
                    .map(|origins| Cors::new(origins, exposed, max_age))
            },
            docs: parsed("DOCS_PATH", get("DOCS_PATH"), None, site)?,
            dashboard: parsed("DASHBOARD_PATH", get("DASHBOARD_PATH"), None, site)?,
            access_log: parsed("LOG", get("LOG"), true, |text| choice(text, [("access", true), ("off", false)]))?,
            threads: parsed("TOKIO_WORKER_THREADS", get("TOKIO_WORKER_THREADS"), default_threads(), |text| {
                integer(text, 1, 1024)
            })?,
        })
    }
}

/// A request takes the database at least four times the processor time that it takes the gateway. More threads than that would not
/// answer more requests, but wake each other.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 4).max(1))
}

fn parsed<T>(
    name: &'static str,
    text: Option<String>,
    default: T,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Invalid> {
    text.map_or(Ok(default), |text| parse(&text).map_err(|reason| Invalid { name, reason }))
}

fn integer(text: &str, least: usize, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("expected a whole number from {least} to {most}"))
}

fn choice<T>(text: &str, choices: [(&str, T); 2]) -> Result<T, String> {
    let names = choices.each_ref().map(|(name, _)| *name);
    choices
        .into_iter()
        .find_map(|(name, value)| (name == text).then_some(value))
        .ok_or_else(|| format!("expected {}", names.join(" or ")))
}

/// A positive duration of at most one day: `5`, `0.5`, `500ms`, `5s`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1.0)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60.0)
    } else {
        (text, 1.0)
    };
    Some(number)
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
        .and_then(|number| number.parse::<f64>().ok())
        .map(|number| number * unit)
        .filter(|seconds| (0.001..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected a duration from 1ms to one day, such as 5, 500ms, 5s or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Invalid> {
        Settings::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn read_one(name: &'static str, value: &str) -> Result<Settings, Invalid> {
        read(&[("DATABASE_URL", "postgres://me@localhost/db"), (name, value)])
    }

    #[test]
    fn defaults_need_only_the_database() {
        let settings = read(&[("DATABASE_URL", "postgres://me@localhost/db")]).unwrap();
        assert_eq!(settings.listen, SocketAddr::from(([127, 0, 0, 1], 3000)));
        assert_eq!(settings.pool_size, 10);
        assert_eq!(settings.body_limit, 1_048_576);
        assert_eq!(settings.request_timeout, Duration::from_secs(30));
        assert!(settings.access_log && settings.prepared);
        assert!(settings.threads >= 1);
        assert_eq!(settings.database.config().get_application_name(), Some("pg_restful_gateway"));
    }

    #[test]
    fn an_empty_value_counts_as_not_set() {
        assert_eq!(read_one("POOL_SIZE", "").unwrap().pool_size, 10);
        assert_eq!(read(&[("DATABASE_URL", "")]).err().unwrap().to_string(), "DATABASE_URL: is not set");
    }

    #[test]
    fn an_application_name_of_the_address_is_kept() {
        let settings = read(&[("DATABASE_URL", "host=/tmp user=me application_name=mine")]).unwrap();
        assert_eq!(settings.database.config().get_application_name(), Some("mine"));
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("5", Some(5_000)),
            ("0.5", Some(500)),
            ("250ms", Some(250)),
            ("3s", Some(3_000)),
            ("1.5m", Some(90_000)),
            ("0", None),
            ("-1", None),
            ("1e3", None),
            ("inf", None),
            ("NaN", None),
            ("", None),
            ("s", None),
            ("5 s", None),
            ("2d", None),
            ("86401", None),
        ] {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (name, value) in [
            ("LISTEN", "localhost"),
            ("LISTEN", "127.0.0.1:70000"),
            ("POOL_SIZE", "0"),
            ("POOL_SIZE", "ten"),
            ("BODY_LIMIT", "-1"),
            ("BODY_LIMIT", "1MB"),
            ("MAX_CONNECTIONS", "0"),
            ("REQUEST_TIMEOUT", "never"),
            ("POOL_TIMEOUT", "0"),
            ("SHUTDOWN_TIMEOUT", "0"),
            ("LOG", "verbose"),
            ("TOKIO_WORKER_THREADS", "0"),
            ("PREPARED_STATEMENTS", "yes"),
            ("CORS_ALLOWED_ORIGINS", "app.example.com"),
            ("CORS_EXPOSED_HEADERS", "a b"),
            ("CORS_MAX_AGE", "1d"),
            ("DOCS_PATH", "on"),
            ("DOCS_PATH", "/ready"),
            ("DASHBOARD_PATH", "/a//b"),
        ] {
            assert_eq!(read_one(name, value).err().unwrap().name, name, "{value}");
        }
    }

    #[test]
    fn a_bad_address_is_refused_without_showing_it() {
        for url in [
            "postgres://me:hunter2@localhost:notaport/db",
            "postgres://me:hunter2@localhost/db?sslmode=hunter2",
            "postgres://me:hunter2@localhost/db?sslmode=verify-full",
            "postgres://me:hunter2@localhost/db?hunter2=hunter2",
            "postgres://me:hunter2@/db",
            "password=hunter2 host=localhost",
            "hunter2",
        ] {
            let error = read(&[("DATABASE_URL", url)]).err().unwrap();
            assert_eq!(error.name, "DATABASE_URL");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn help_names_every_setting() {
        let asked = std::cell::RefCell::new(Vec::new());
        let _ = Settings::read(|name| {
            asked.borrow_mut().push(name);
            (name == "DATABASE_URL").then(|| "postgres://me@localhost/db".to_owned())
        });
        assert!(asked.borrow().len() > 5);
        for name in asked.borrow().iter() {
            assert!(HELP.contains(&format!("\n  {name} ")), "{name}");
        }
    }
}
