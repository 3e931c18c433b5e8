//! The settings (`restful.*`): one table, from which they are registered, read and documented.

use crate::limits;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// A setting.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static CStr,
    pub kind: SettingType,
    pub context: Context,
    /// One sentence of documentation.
    pub doc: &'static CStr,
}

/// The type of a setting's value, and its default.
#[derive(Clone, Debug)]
pub enum SettingType {
    Text(&'static CStr),
    Number(i32, RangeInclusive<i32>, Unit),
    Switch(bool),
    /// The first choice is the default.
    Choice(&'static [&'static CStr]),
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    None,
    Bytes,
    Kilobytes,
    Milliseconds,
    Seconds,
}

/// Who may set a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Anyone,
    Superuser,
    /// The configuration file of the server, or ALTER SYSTEM: the setting is the same for all sessions.
    Server,
    /// The extension itself, which passes the state of a request to functions and parallel workers. Such settings are not listed
    /// anywhere.
    Extension,
}

/// A setting in the table whose value has kind `K`.
pub struct Key<K> {
    /// Its index in [`SETTINGS`].
    pub place: usize,
    kind: PhantomData<K>,
}

/// The kinds as types, for a [`Key`].
pub mod kind {
    pub struct Text;
    pub struct Number;
    pub struct Switch;
    pub struct Choice;
}

macro_rules! settings {
    ($($key:ident: $kind:ident($($argument:expr),*), $context:ident, $name:literal, $doc:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Place { $($key),* }

        /// All settings, in the order of the table in docs/settings.md.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { name: $name, kind: SettingType::$kind($($argument),*), context: Context::$context, doc: $doc }),*
        ];

        $(pub const $key: Key<kind::$kind> = Key { place: Place::$key as usize, kind: PhantomData };)*
    };
}

const ANY: RangeInclusive<i32> = 0..=i32::MAX;
const POSITIVE: RangeInclusive<i32> = 1..=i32::MAX;

settings! {
    SCHEMAS: Text(c"public"), Anyone, c"restful.schemas",
        c"The exposed schemas, the default one first; Accept-Profile and Content-Profile select the others.";
    ANON_ROLE: Text(c""), Superuser, c"restful.anon_role",
        c"The role of requests without identity; set it for the role that an HTTP layer logs in as.";
    EXTRA_SEARCH_PATH: Text(c"public"), Anyone, c"restful.extra_search_path",
        c"Schemas that follow the request's own schema in the search path.";
    PRE_REQUEST: Text(c""), Superuser, c"restful.pre_request",
        c"A function that is called before each request's statement, as the request's role.";
    REQUIRE_TOKEN: Switch(false), Superuser, c"restful.require_token",
        c"Whether requests without identity are refused.";
    JWT_REQUIRE_EXP: Switch(true), Superuser, c"restful.jwt_require_exp",
        c"Whether a token must say when it expires.";
    JWT_REQUIRE_AUD: Switch(true), Superuser, c"restful.jwt_require_aud",
        c"Whether a token must name its audience, if the audiences of its issuer are set.";
    API_KEY_HEADERS: Text(c"apikey, x-api-key"), Superuser, c"restful.api_key_headers",
        c"The header fields, in addition to Authorization, that may contain an API key.";
    TRUSTED_PROXIES: Text(c""), Superuser, c"restful.trusted_proxies",
        c"The addresses and networks of HTTP layers whose Forwarded and X-Forwarded-For tell the address of a client; unix for connections over a socket.";
    LOGIN_LIMIT: Text(limits::LOGIN_LIMIT), Superuser, c"restful.login_limit",
        c"How many requests with wrong credentials an address may send before they are answered with 429; empty for no limit.";
    TENANT_CLAIM: Text(c"tenant_id"), Superuser, c"restful.tenant_claim",
        c"The path to the claim that restful.tenant_id() reads.";
    TRUSTED_AUTHENTICATORS: Text(c""), Superuser, c"restful.trusted_authenticators",
        c"Login roles whose setting request.jwt.claims is trusted.";
    BYPASSRLS_ROLES: Text(c""), Superuser, c"restful.bypassrls_roles",
        c"Roles with BYPASSRLS that a request may run as.";
    EXPLAIN_ROLES: Text(c""), Superuser, c"restful.explain_roles",
        c"Roles whose requests may use Prefer: explain-access.";
    EXPLAIN_READER: Text(c""), Superuser, c"restful.explain_reader",
        c"A role with BYPASSRLS that looks for the row in question, if the request's role may execute restful.explain_access.";
    OAUTH_ISSUER: Text(c""), Superuser, c"restful.oauth_issuer",
        c"The URL at which clients reach the OAuth endpoints, and the issuer of their tokens; without it the endpoints do not exist.";
    OAUTH_AUTHORIZATION_ENDPOINT: Text(c""), Superuser, c"restful.oauth_authorization_endpoint",
        c"The URL of the application's page where users sign in for OAuth clients.";
    OAUTH_ACCESS_TOKEN_LIFETIME: Number(limits::ACCESS_TOKEN_SECONDS, POSITIVE, Unit::Seconds), Superuser,
        c"restful.oauth_access_token_lifetime",
        c"How long an access token of the OAuth endpoints is valid.";
    OAUTH_REFRESH_TOKEN_LIFETIME: Number(limits::REFRESH_TOKEN_SECONDS, POSITIVE, Unit::Seconds), Superuser,
        c"restful.oauth_refresh_token_lifetime",
        c"How long a refresh token of the OAuth endpoints is valid if it is not used.";
    MAX_ROWS: Number(0, ANY, Unit::None), Superuser, c"restful.max_rows",
        c"The largest number of rows that one level of a read returns; 0 for no limit.";
    MAX_BODY_BYTES: Number(limits::BODY_BYTES, ANY, Unit::Bytes), Superuser, c"restful.max_body_bytes",
        c"The maximum size of the body of a request.";
    MAX_RESPONSE_BYTES: Number(limits::RESPONSE_BYTES, ANY, Unit::Bytes), Superuser, c"restful.max_response_bytes",
        c"The maximum size of the body of a response.";
    MAX_BATCH_REQUESTS: Number(limits::BATCH_REQUESTS, ANY, Unit::None), Superuser, c"restful.max_batch_requests",
        c"The largest number of requests in a batch; 0 switches batches off.";
    AGGREGATES_ENABLED: Switch(false), Superuser, c"restful.aggregates_enabled",
        c"Whether select may contain aggregate functions.";
    PLAN_ENABLED: Switch(false), Superuser, c"restful.plan_enabled",
        c"Whether the media type application/vnd.pgrst.plan answers with PostgreSQL's plan of a request.";
    TX_END: Choice(&[c"commit", c"commit-allow-override", c"rollback", c"rollback-allow-override"]), Superuser, c"restful.tx_end",
        c"How a request's transaction ends, and whether Prefer: tx may change that.";
    IDEMPOTENCY_TTL: Number(limits::IDEMPOTENCY_SECONDS, POSITIVE, Unit::Seconds), Superuser, c"restful.idempotency_ttl",
        c"How long the answer to a request with an Idempotency-Key is kept for replays.";
    IDEMPOTENCY_MAX_RESPONSE_BYTES: Number(limits::IDEMPOTENCY_RESPONSE_BYTES, ANY, Unit::Bytes), Superuser,
        c"restful.idempotency_max_response_bytes",
        c"The maximum size of the body of a response to a request with an Idempotency-Key.";
    IDEMPOTENCY_MAX_SIZE: Number(limits::IDEMPOTENCY_KILOBYTES, ANY, Unit::Kilobytes), Superuser, c"restful.idempotency_max_size",
        c"The size of the kept answers on disk from which on new keys are refused until old ones have made room.";
    ASSERT_FORMATS: Choice(&[c"draft", c"on", c"off"]), Superuser, c"restful.assert_formats",
        c"Whether format is an assertion in JSON Schemas; draft: as the schema's draft defines it.";
    CHECK_RESULTS: Choice(&[c"log", c"strict", c"off"]), Superuser, c"restful.check_results",
        c"Whether a result that breaks the JSON Schema of its route is only logged, is answered with 500 too, or is not looked at.";
    OPENAPI_MODE: Choice(&[c"follow-privileges", c"ignore-privileges", c"disabled"]), Superuser, c"restful.openapi_mode",
        c"Whether the description of the API at / covers what the role may use, covers everything that is exposed, or is switched off.";
    OPENAPI_VERSION: Choice(&[c"3.1", c"2.0"]), Superuser, c"restful.openapi_version",
        c"The OpenAPI version of the description if a request does not name one; 2.0 is PostgREST's.";
    OPENAPI_SERVER_PROXY_URI: Text(c""), Superuser, c"restful.openapi_server_proxy_uri",
        c"The URI at which clients reach the API.";
    OPENAPI_SECURITY_ACTIVE: Switch(false), Superuser, c"restful.openapi_security_active",
        c"Whether the description of the API says that every request needs a token.";
    ROOT_SPEC: Text(c""), Superuser, c"restful.root_spec",
        c"A function without arguments that answers requests of / instead of the description of the API.";
    SERVER_TIMING: Switch(false), Superuser, c"restful.server_timing",
        c"Whether answers tell in the field Server-Timing how long their stages took.";
    LOG_DEPRECATED_USE: Switch(false), Superuser, c"restful.log_deprecated_use",
        c"Whether the server's log tells who uses a deprecated version, once for each version, subject and session.";
    LOG_REQUESTS: Choice(&[c"off", c"errors", c"all"]), Superuser, c"restful.log_requests",
        c"Which requests the server's log has as lines of JSON: none, those with a status from 500 on and slow ones, or a sample of all too.";
    LOG_SAMPLE: Number(100, 0..=100, Unit::None), Superuser, c"restful.log_sample",
        c"How many of a hundred requests without an error of the server are logged if all are.";
    LOG_SLOW: Number(0, ANY, Unit::Milliseconds), Superuser, c"restful.log_slow",
        c"From how long on requests are slow and always logged; 0 for never.";
    LOG_TARGETS: Switch(false), Superuser, c"restful.log_targets",
        c"Whether the log of requests has their targets with values, except those of parameters that look like secrets.";
    TRACK_REQUESTS: Switch(true), Superuser, c"restful.track_requests",
        c"Whether restful.stat_requests counts requests.";
    SHARED_MEMORY_SIZE: Number(limits::SHARED_MEMORY_KILOBYTES, ANY, Unit::Kilobytes), Server, c"restful.shared_memory_size",
        c"The memory that all sessions of the server share, for limits and statistics, when it is made: by the first session that needs it after a start of the server; 0 for none.";
    EXPOSE_DETAILS: Switch(false), Superuser, c"restful.expose_details",
        c"Whether errors show DETAIL of integrity violations, which contains values of rows.";
    ERROR_VERBOSITY: Choice(&[c"verbose", c"minimal"]), Superuser, c"restful.error_verbosity",
        c"Whether errors contain details and hint; minimal leaves them out.";
    DUMP_SECRETS: Switch(false), Anyone, c"restful.dump_secrets",
        c"Whether pg_dump, in a session that sets it, dumps secret keys, API keys and secrets of OAuth clients.";
    CLAIMS: Text(c""), Extension, c"restful.claims",
        c"The verified claims of the request that is running.";
    METHOD: Text(c""), Extension, c"restful.method",
        c"How the identity of the request that is running was established.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;
    use std::path::Path;

    fn text(text: &'static CStr) -> &'static str {
        text.to_str().unwrap()
    }

    fn documented() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| setting.context != Context::Extension)
    }

    /// The default, as docs/settings.md writes it.
    fn default(kind: &SettingType) -> String {
        let number = |n: i32, units: &[(i32, &str)]| {
            let (size, unit) = units.iter().find(|(size, _)| n % size == 0).copied().unwrap_or((1, ""));
            format!(" {}{unit}", n / size)
        };
        match kind {
            SettingType::Text(default) if default.is_empty() => String::new(),
            SettingType::Text(default) => format!(" `{}`", text(default)),
            SettingType::Number(n, _, Unit::None) => format!(" {n}"),
            SettingType::Number(n, _, Unit::Bytes) => number(*n, &[(1 << 20, "MB"), (1 << 10, "kB")]),
            SettingType::Number(n, _, Unit::Kilobytes) => number(*n, &[(1 << 20, "GB"), (1 << 10, "MB"), (1, "kB")]),
            SettingType::Number(n, _, Unit::Milliseconds) => number(*n, &[(1000, "s"), (1, "ms")]),
            SettingType::Number(n, _, Unit::Seconds) => {
                number(*n, &[(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")])
            }
            SettingType::Switch(on) => if *on { " on" } else { " off" }.to_owned(),
            SettingType::Choice(options) => {
                options.iter().map(|option| format!(" `{}`", text(option))).collect::<Vec<_>>().join(",")
            }
        }
    }

    #[test]
    fn the_documentation_lists_the_settings() {
        let mut table = "| setting | default | |\n|---|---|---|\n".to_owned();
        for Setting { name, kind, doc, .. } in documented() {
            let doc = text(doc).strip_suffix('.').unwrap();
            let (first, rest) = doc.split_at(1);
            writeln!(table, "| `{}` |{} | {}{rest} |", text(name), default(kind), first.to_lowercase()).unwrap();
        }
        let page = include_str!("../docs/settings.md");
        assert!(page.contains(&table), "the table in docs/settings.md must be\n{table}");
        let free: Vec<_> = documented().filter(|s| s.context == Context::Anyone).map(|s| text(s.name)).collect();
        let (last, others) = free.split_last().unwrap();
        let sentence = format!("`{}` and `{last}` can be set by anyone", others.join("`, `"));
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&sentence), "docs/settings.md must say: {sentence}");
    }

    #[test]
    fn settings_are_described_once() {
        let mut names: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
        for Setting { name, kind, doc, .. } in SETTINGS {
            assert!(text(name).starts_with("restful."), "{name:?}");
            assert!(text(doc).ends_with('.') && !text(doc).contains('|'), "{name:?}");
            if let SettingType::Number(default, range, _) = kind {
                assert!(range.contains(default), "{name:?}");
            }
        }
    }

    fn sql_below(folder: &Path) -> String {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                if path.is_dir() { sql_below(&path) } else { std::fs::read_to_string(path).unwrap() }
            })
            .collect()
    }

    #[test]
    fn every_setting_that_sql_reads_is_defined() {
        let sql = sql_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sql"));
        let read = sql.split("current_setting(").skip(1).filter_map(|rest| {
            let name = rest.trim_start_matches('\'').split('\'').next()?;
            name.starts_with("restful.").then_some(name)
        });
        let mut count = 0;
        for name in read {
            assert!(SETTINGS.iter().any(|setting| text(setting.name) == name), "{name}");
            count += 1;
        }
        assert!(count > 4, "only {count} settings are read");
    }
}
