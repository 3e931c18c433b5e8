//! Reads `DATABASE_URL` like libpq, and opens connections to the database.

use std::borrow::Cow;
use std::error::Error as _;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls::{self, Check, Roots};

/// The driver of a connection.
pub type Connection = tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// The database to connect to. Clones share the loaded certificates.
#[derive(Clone)]
pub struct Database {
    config: Config,
    /// The second configuration to try, with TLS instead of without or the reverse, if the server refuses the first.
    other: Option<Config>,
    tls: MakeRustlsConnect,
}

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Database {
    /// Reads `postgres://user:password@host:port/database?key=value` or `key=value` pairs.
    ///
    /// # Errors
    /// What is wrong, without quoting the text, because it contains a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "expected postgres://user:password@host:port/database or key=value pairs";
        let Parameters { text, mode, root } = Parameters::parse(text).ok_or(form)?;
        // The parser's own message may quote a part of the address.
        let mut config: Config = text.parse().map_err(|_| form)?;
        if config.get_hosts().is_empty() {
            // A certificate may name an address.
            let addresses = config.get_hostaddrs().to_vec();
            if addresses.is_empty() {
                return Err("does not name a host".to_owned());
            }
            for address in addresses {
                config.host(address.to_string());
            }
        }
        if config.get_user().is_none() {
            return Err("does not name a user".to_owned());
        }
        if config.get_application_name().is_none() {
            config.application_name("pg_restful_gateway");
        }
        let (mode, check) = checked(mode.as_deref(), root.as_deref())?;
        let is_weak = matches!(mode, Mode::Disable | Mode::Allow | Mode::Prefer);
        if is_weak && config.get_ssl_negotiation() == SslNegotiation::Direct {
            return Err("sslnegotiation=direct needs sslmode=require or stronger".to_owned());
        }

        // Unix sockets do not use TLS.
        let is_local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let (first, other) = match mode {
            _ if is_local => (SslMode::Disable, None),
            Mode::Disable => (SslMode::Disable, None),
            Mode::Allow => (SslMode::Disable, Some(SslMode::Require)),
            Mode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => (SslMode::Require, None),
        };
        let config = config.ssl_mode(first).clone();
        let other = other.map(|mode| config.clone().ssl_mode(mode).clone());
        Ok(Self { config, other, tls: tls::connector(check)? })
    }

    /// Connects.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses the connection.
    pub async fn connect(&self) -> Result<(Client, Connection), Error> {
        let first = match self.config.connect(self.tls.clone()).await {
            Ok(connected) => return Ok(connected),
            Err(error) => error,
        };
        let Some(other) = self.other.as_ref().filter(|_| is_of_the_way(&first)) else {
            return Err(first);
        };
        // An error of TLS says more than the server's answer that it requires TLS.
        let is_plain = other.get_ssl_mode() == SslMode::Disable;
        other.connect(self.tls.clone()).await.map_err(|second| if is_plain { first } else { second })
    }

    /// The connector for TLS connections to the server.
    pub fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// The configuration that is tried first.
    #[cfg(test)]
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// Whether the connection failed because it used TLS or did not: in the handshake, or by a rule of pg_hba.conf.
fn is_of_the_way(error: &Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error
            .source()
            .and_then(|source| source.downcast_ref::<std::io::Error>()?.get_ref())
            .is_some_and(|inner| inner.is::<rustls::Error>()),
    }
}

/// The meaning of `sslmode` and `sslrootcert` together.
fn checked(mode: Option<&str>, root: Option<&str>) -> Result<(Mode, Check), String> {
    let is_system = root == Some("system");
    let mode = match mode {
        None if is_system => Mode::VerifyFull,
        None | Some("prefer") => Mode::Prefer,
        Some("disable") => Mode::Disable,
        Some("allow") => Mode::Allow,
        Some("require") => Mode::Require,
        Some("verify-ca") => Mode::VerifyCa,
        Some("verify-full") => Mode::VerifyFull,
        Some(_) => return Err("sslmode must be disable, allow, prefer, require, verify-ca or verify-full".to_owned()),
    };
    if is_system && mode != Mode::VerifyFull {
        // Anyone can get a certificate that the system trusts.
        return Err("sslrootcert=system needs sslmode=verify-full".to_owned());
    }
    let roots = match root {
        _ if mode == Mode::Disable => None,
        Some("system") => Some(Roots::of_system()?),
        Some(path) => Some(Roots::of_file(path)?),
        None => None,
    };
    let check = match (mode, roots) {
        (Mode::VerifyCa | Mode::VerifyFull, None) => {
            return Err("sslmode verifies the server: name the certificates to believe with sslrootcert=FILE, or \
                        sslrootcert=system and sslmode=verify-full"
                .to_owned());
        }
        (_, None) => Check::Nothing,
        (Mode::VerifyFull, Some(roots)) => Check::ChainAndName(roots),
        // As in libpq, a given root is always checked.
        (_, Some(roots)) => Check::Chain(roots),
    };
    Ok((mode, check))
}

/// An address, without the parameters that tokio-postgres does not know or reads differently.
#[derive(Debug, PartialEq, Eq)]
struct Parameters {
    text: String,
    mode: Option<String>,
    root: Option<String>,
}

impl Parameters {
    /// `None` if the text is malformed. tokio-postgres checks the rest.
    fn parse(text: &str) -> Option<Self> {
        if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            Self::of_url(text)
        } else {
            Self::of_pairs(text)
        }
    }

    /// Keeps a parameter, or returns it.
    fn keep(&mut self, key: &str, value: String) -> Result<(), String> {
        match key {
            "sslmode" => self.mode = Some(value),
            "sslrootcert" => self.root = Some(value),
            _ => return Err(value),
        }
        Ok(())
    }

    fn of_url(text: &str) -> Option<Self> {
        // The parser that reads it next does the same, because a password may contain a question mark.
        let host = text.find('@').unwrap_or(0);
        let Some(query) = text[host..].find('?').map(|found| host + found) else {
            return Some(Self { text: text.to_owned(), mode: None, root: None });
        };
        let mut parameters = Self { text: text[..query].to_owned(), mode: None, root: None };
        let mut separator = '?';
        for pair in text[query + 1..].split('&') {
            let decoded = |text| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if parameters.keep(&decoded(key)?, decoded(value)?).is_err() {
                parameters.text.push(separator);
                parameters.text.push_str(pair);
                separator = '&';
            }
        }
        Some(parameters)
    }

    fn of_pairs(text: &str) -> Option<Self> {
        let mut parameters = Self { text: String::new(), mode: None, root: None };
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=')?;
            let (value, after) = value(after.trim_start())?;
            if let Err(value) = parameters.keep(key.trim_end(), value) {
                let value = value.replace('\\', "\\\\").replace('\'', "\\'");
                parameters.text.push_str(&format!("{} = '{value}' ", key.trim_end()));
            }
            rest = after.trim_start();
        }
        Some(parameters)
    }
}

/// The value of a pair, with or without quotes, and the text after it.
fn value(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let text = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted.is_some() => return Some((value, &text[at + 1..])),
            blank if quoted.is_none() && blank.is_whitespace() => return Some((value, &text[at..])),
            other => value.push(other),
        }
    }
    quoted.is_none().then_some((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Database {
        Database::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"))
    }

    fn refuse(text: &str) -> String {
        Database::parse(text).err().unwrap_or_else(|| panic!("{text}"))
    }

    fn modes(text: &str) -> Vec<SslMode> {
        let database = parse(text);
        [Some(&database.config), database.other.as_ref()].into_iter().flatten().map(Config::get_ssl_mode).collect()
    }

    #[test]
    fn modes_are_libpqs() {
        for (mode, ways) in [
            ("disable", &[SslMode::Disable][..]),
            ("allow", &[SslMode::Disable, SslMode::Require]),
            ("prefer", &[SslMode::Prefer, SslMode::Disable]),
            ("require", &[SslMode::Require]),
        ] {
            assert_eq!(modes(&format!("postgres://me@h/d?sslmode={mode}")), ways, "{mode}");
            assert_eq!(modes(&format!("host=h user=me sslmode = {mode}")), ways, "{mode}");
            assert_eq!(modes(&format!("host=/tmp user=me sslmode={mode}")), [SslMode::Disable], "{mode}");
        }
        assert_eq!(modes("postgres://me@h"), [SslMode::Prefer, SslMode::Disable]);
        assert_eq!(modes("postgres://me@h?sslmode=disable&sslmode=require"), [SslMode::Require]);
        assert_eq!(modes("hostaddr=127.0.0.1 user=me sslmode=require"), [SslMode::Require]);
        assert_eq!(modes("host=/tmp,h user=me sslmode=require"), [SslMode::Require]);
    }

    #[test]
    fn an_address_has_a_name_to_be_verified() {
        assert_eq!(parse("hostaddr=127.0.0.1 user=me").config().get_hosts(), [Host::Tcp("127.0.0.1".to_owned())]);
        assert_eq!(parse("host=h hostaddr=::1 user=me").config().get_hosts(), [Host::Tcp("h".to_owned())]);
    }

    #[test]
    fn what_verifies_nothing_is_refused() {
        for mode in ["verify-ca", "verify-full"] {
            assert!(refuse(&format!("postgres://me@h/d?sslmode={mode}")).contains("sslrootcert=FILE"));
        }
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            assert!(
                refuse(&format!("postgres://me@h/d?sslmode={mode}&sslrootcert=system"))
                    .contains("needs sslmode=verify-full")
            );
        }
        for mode in ["", "Require", "verify", "on"] {
            assert!(refuse(&format!("postgres://me@h/d?sslmode={mode}")).contains("verify-full"), "{mode}");
        }
        assert!(refuse("postgres://me@h/d?sslnegotiation=direct").contains("needs sslmode"));
        assert_eq!(modes("postgres://me@h/d?sslnegotiation=direct&sslmode=require"), [SslMode::Require]);
    }

    #[test]
    fn a_root_certificate_has_to_be_there() {
        for mode in ["prefer", "require", "verify-ca", "verify-full"] {
            let reason = refuse(&format!("host=h user=me sslmode={mode} sslrootcert='/no such/file'"));
            assert!(reason.starts_with("sslrootcert=/no such/file: "), "{reason}");
            assert!(
                refuse(&format!("postgres://me@h?sslrootcert=%2Fdev%2Fnull&sslmode={mode}")).contains("/dev/null: ")
            );
        }
        // It is not used.
        parse("host=h user=me sslmode=disable sslrootcert=/no/such/file");
    }

    #[test]
    fn the_rest_of_an_address_stays_as_it_is() {
        let parameters = |text: &str| Parameters::parse(text).unwrap();
        let kept = |text: &str, mode: Option<&str>, root: Option<&str>| Parameters {
            text: text.to_owned(),
            mode: mode.map(str::to_owned),
            root: root.map(str::to_owned),
        };
        assert_eq!(
            parameters("postgresql://me:p?sslmode=x@h/d?a=%20b&sslmode=verify-c%61&ssl%72ootcert=%2Fa%20b&c"),
            kept("postgresql://me:p?sslmode=x@h/d?a=%20b&c", Some("verify-ca"), Some("/a b"))
        );
        assert_eq!(parameters("postgres://h/d"), kept("postgres://h/d", None, None));
        assert_eq!(parameters("postgres://h?sslmode=require"), kept("postgres://h", Some("require"), None));
        assert_eq!(
            parameters("  host = h sslrootcert='/a b' password='it\\'s \\\\ a' sslmode=re\\quire x=a\\ b"),
            kept("host = 'h' password = 'it\\'s \\\\ a' x = 'a b' ", Some("require"), Some("/a b"))
        );
        for text in ["host", "host=h x", "host='h"] {
            assert_eq!(Parameters::parse(text), None, "{text}");
        }
        let config = parse("host=h user=me password='it\\'s \\\\ a'").config().clone();
        assert_eq!(config.get_password(), Some(&b"it's \\ a"[..]));
        let config = parse("postgres://me:p?q@h:6/d?sslmode=require&connect_timeout=7").config().clone();
        assert_eq!(
            (config.get_password(), config.get_dbname(), config.get_ports()),
            (Some(&b"p?q"[..]), Some("d"), &[6][..])
        );
    }
}
