//! Reads the settings (`restful.*`).

mod define;
mod functions;

pub use crate::pg::ffi::setting::{apply_for_request, get, set_for_request, set_for_transaction};
pub use define::define;

use crate::ask::{self, PlanSettings, TransactionEnd};
use crate::auth::AuthMethod;
use crate::auth::token::Policy;
use crate::error::{Code, Error, Result};
use crate::http::field::is_token;
use crate::json_schema::Formats;
use crate::limits::SMALLEST_SHARED_MEMORY;
use crate::openapi;
use crate::quota::{Proxies, Rate, parse_proxies, parse_rates};
use crate::request_log;
use crate::route::{Root, Surface};
use crate::settings::{self, Key, SETTINGS, kind};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

/// The variables in which PostgreSQL keeps the value of a setting. Only the one of the setting's kind is used.
struct Value {
    text: Cell<*mut c_char>,
    number: Cell<c_int>,
    switch: Cell<bool>,
}

// SAFETY: a backend has one thread.
unsafe impl Sync for Value {}

/// The values of [`SETTINGS`], in the same order.
static VALUES: [Value; SETTINGS.len()] =
    [const { Value { text: Cell::new(ptr::null_mut()), number: Cell::new(0), switch: Cell::new(false) } };
        SETTINGS.len()];

impl Key<kind::Text> {
    /// The text; `None` when it is empty.
    fn get<'a>(self) -> Option<&'a str> {
        let text = VALUES[self.place].text.get();
        if text.is_null() {
            return None;
        }
        // SAFETY: PostgreSQL keeps a NUL-terminated text here until the setting changes, and callers do not hold it that long.
        unsafe { CStr::from_ptr(text) }.to_str().ok().filter(|t| !t.is_empty())
    }
}

impl Key<kind::Number> {
    fn get(self) -> c_int {
        VALUES[self.place].number.get()
    }
}

impl Key<kind::Switch> {
    fn get(self) -> bool {
        VALUES[self.place].switch.get()
    }
}

impl Key<kind::Choice> {
    /// The position of the option.
    fn get(self) -> c_int {
        VALUES[self.place].number.get()
    }
}

/// What the description of the API shows (`restful.openapi_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenApiMode {
    /// Only what the request's role may use.
    FollowPrivileges,
    /// Everything that is exposed.
    IgnorePrivileges,
    /// There is no description.
    Disabled,
}

thread_local! {
    /// The last text of `restful.schemas`, and its names.
    static PARSED_SCHEMAS: RefCell<(String, Rc<[Rc<str>]>)> = RefCell::new((String::new(), Rc::new([])));
    /// The last text of `restful.api_key_headers`, and its names.
    static PARSED_API_KEY_HEADERS: RefCell<(String, Vec<String>)> = const { RefCell::new((String::new(), Vec::new())) };
    /// The field Vary of requests, after the text of `restful.api_key_headers` and whether there are several schemas, for which it was made.
    static VARY: RefCell<(String, bool, String)> = const { RefCell::new((String::new(), false, String::new())) };
    /// The last value of `restful.anon_role`.
    /// The last values of `restful.trusted_proxies` and `restful.login_limit` that were read.
    static TRUSTED_PROXIES: RefCell<(String, Rc<[Proxies]>)> = RefCell::new((String::new(), Rc::from([])));
    static LOGIN_LIMIT: RefCell<(String, Rc<[Rate]>)> = RefCell::new((String::new(), Rc::from([])));
    static LAST_ANON_ROLE: RefCell<Rc<str>> = RefCell::new(Rc::from(""));
    /// The last search path that was built, after the schema and the `restful.extra_search_path` that it was built for.
    static SEARCH_PATH: RefCell<(String, String, Rc<CStr>)> =
        RefCell::new((String::new(), String::new(), Rc::from(c"")));
}

/// Calls `with` with the names of the header fields that answers depend on, separated by commas. `has_versions`: versions are declared,
/// so a profile can name one.
pub fn with_vary<T>(has_versions: bool, with: impl FnOnce(&str) -> T) -> T {
    let (setting, are_several) =
        (settings::API_KEY_HEADERS.get().unwrap_or_default(), has_versions || schemas().len() > 1);
    VARY.with_borrow_mut(|(of_setting, of_several, text)| {
        if text.is_empty() || *of_setting != setting || *of_several != are_several {
            let profile = if are_several { ", Accept-Profile" } else { "" };
            *text = format!("Accept{profile}, Authorization, Prefer, Range");
            for name in setting.split(',').map(str::trim).filter(|name| is_token(name)) {
                text.push_str(", ");
                text.push_str(name);
            }
            setting.clone_into(of_setting);
            *of_several = are_several;
        }
        with(text)
    })
}

/// Whether requests are counted (`restful.track_requests`).
pub fn tracks_requests() -> bool {
    settings::TRACK_REQUESTS.get()
}

/// Which requests are logged; `None` if none are (`restful.log_requests`).
pub fn log_rule() -> Option<request_log::Rule> {
    let all = match settings::LOG_REQUESTS.get() {
        0 => return None,
        level => level == 2,
    };
    let slow = u64::try_from(settings::LOG_SLOW.get()).ok().filter(|slow| *slow > 0).map(Duration::from_millis);
    Some(request_log::Rule { all, per_cent: u8::try_from(settings::LOG_SAMPLE.get()).unwrap_or(100), slow })
}

/// Whether the log of requests has their targets (`restful.log_targets`).
pub fn logs_targets() -> bool {
    settings::LOG_TARGETS.get()
}

/// Bytes of a new segment of shared memory (`restful.shared_memory_size`); `None` if there should be none.
pub fn shared_memory_bytes() -> Option<usize> {
    let kilobytes = usize::try_from(settings::SHARED_MEMORY_SIZE.get()).unwrap_or(0);
    (kilobytes > 0).then(|| kilobytes.max(SMALLEST_SHARED_MEMORY) * 1024)
}

/// The exposed schemas. The first one is the default.
fn schemas() -> Rc<[Rc<str>]> {
    let setting = settings::SCHEMAS.get().unwrap_or_default();
    PARSED_SCHEMAS.with_borrow_mut(|(parsed, schemas)| {
        if parsed != setting {
            *schemas = exposed(setting).into_iter().map(Rc::from).collect();
            setting.clone_into(parsed);
        }
        schemas.clone()
    })
}

/// The schemas that a value of `restful.schemas` exposes. PostgreSQL's and the extension's schemas cannot be exposed.
pub fn exposed(setting: &str) -> Vec<String> {
    const HIDDEN: [&str; 3] = ["pg_catalog", "information_schema", "restful"];
    names(setting).into_iter().filter(|name| !HIDDEN.contains(&name.as_str())).collect()
}

/// The search path of requests to a schema: the schema itself, then `restful.extra_search_path`.
pub fn search_path(schema: &str) -> Rc<CStr> {
    use crate::statement::Ident;
    let extra = settings::EXTRA_SEARCH_PATH.get().unwrap_or_default();
    SEARCH_PATH.with_borrow_mut(|(for_schema, for_extra, path)| {
        if for_schema != schema || for_extra != extra {
            let mut text = Ident(schema).to_string();
            for name in names(extra).iter().filter(|name| *name != schema) {
                text.push_str(", ");
                text.push_str(&Ident(name).to_string());
            }
            *path = CString::new(text).unwrap_or_default().into();
            schema.clone_into(for_schema);
            extra.clone_into(for_extra);
        }
        path.clone()
    })
}

/// The schemas listed in `restful.extra_search_path`.
pub fn extra_search_path() -> Vec<String> {
    names(settings::EXTRA_SEARCH_PATH.get().unwrap_or_default())
}

/// The role of anonymous requests.
pub fn anon_role() -> Option<Rc<str>> {
    let setting = settings::ANON_ROLE.get()?;
    LAST_ANON_ROLE.with_borrow_mut(|role| {
        if **role != *setting {
            *role = setting.into();
        }
        Some(role.clone())
    })
}

/// The function called before each request's statement.
pub fn pre_request() -> Option<String> {
    settings::PRE_REQUEST.get().map(str::to_owned)
}

/// What routing needs to know of the settings. Versions are not among them.
pub fn surface() -> Surface {
    let root = match (openapi_mode(), settings::ROOT_SPEC.get()) {
        (OpenApiMode::Disabled, _) => Root::Disabled,
        (_, None) => Root::Document,
        (_, Some(name)) => match name.split_once('.') {
            Some((schema, name)) => Root::Function { schema: Some(schema.into()), name: name.to_owned() },
            None => Root::Function { schema: None, name: name.to_owned() },
        },
    };
    Surface {
        schemas: schemas(),
        versions: Rc::default(),
        root,
        has_endpoints: settings::OAUTH_ISSUER.get().is_some(),
        has_batches: settings::MAX_BATCH_REQUESTS.get() > 0,
    }
}

/// The largest number of requests in a batch.
pub fn max_batch_requests() -> usize {
    usize::try_from(settings::MAX_BATCH_REQUESTS.get()).unwrap_or_default()
}

/// The settings that decide how requests are read.
pub fn ask_settings() -> ask::Settings {
    ask::Settings {
        plan: PlanSettings {
            max_rows: max_rows(),
            aggregates: aggregates_enabled(),
            plans: plan_enabled(),
            keyed: false,
        },
        max_body_bytes: max_body_bytes(),
        openapi_version: openapi_version(),
        end: tx_end(),
    }
}

/// What the description of the API shows.
pub fn openapi_mode() -> OpenApiMode {
    match settings::OPENAPI_MODE.get() {
        1 => OpenApiMode::IgnorePrivileges,
        2 => OpenApiMode::Disabled,
        _ => OpenApiMode::FollowPrivileges,
    }
}

/// The version of OpenAPI for requests that do not ask for one.
pub fn openapi_version() -> openapi::Version {
    match settings::OPENAPI_VERSION.get() {
        1 => openapi::Version::V2,
        _ => openapi::Version::V31,
    }
}

/// The other settings of the description. `has_batches`: `/batch` is free for batches.
pub fn openapi_settings(has_batches: bool) -> openapi::Settings {
    openapi::Settings {
        server: settings::OPENAPI_SERVER_PROXY_URI.get().map(str::to_owned),
        security_active: settings::OPENAPI_SECURITY_ACTIVE.get(),
        oauth_issuer: oauth_issuer(),
        api_version: None,
        batch_requests: Some(max_batch_requests()).filter(|most| has_batches && *most > 0),
    }
}

/// Whether `request.jwt.claims` are trusted for any login role.
pub fn has_trusted_authenticators() -> bool {
    settings::TRUSTED_AUTHENTICATORS.get().is_some()
}

/// Whether `request.jwt.claims` are trusted for this login role.
pub fn is_trusted_authenticator(role: &str) -> bool {
    settings::TRUSTED_AUTHENTICATORS.get().is_some_and(|list| names(list).iter().any(|n| n == role))
}

/// Runs `work` with the names of the header fields that can carry API keys, in lower case.
pub fn with_api_key_fields<T>(work: impl FnOnce(&[String]) -> T) -> T {
    let setting = settings::API_KEY_HEADERS.get().unwrap_or_default();
    PARSED_API_KEY_HEADERS.with_borrow_mut(|(last, parsed)| {
        if last != setting {
            setting.clone_into(last);
            *parsed = names(&setting.to_ascii_lowercase());
        }
        work(parsed)
    })
}

/// The path to the claim that names the tenant.
pub fn tenant_claim() -> Option<String> {
    settings::TENANT_CLAIM.get().map(str::to_owned)
}

/// The HTTP layers whose fields tell the address of a client.
///
/// # Errors
/// REST506 if the setting is malformed.
pub fn trusted_proxies() -> Result<Rc<[Proxies]>> {
    let setting = settings::TRUSTED_PROXIES.get().unwrap_or_default();
    TRUSTED_PROXIES.with_borrow_mut(|(parsed, proxies)| {
        if parsed != setting {
            *proxies = parse_proxies(setting).map_err(|why| malformed("restful.trusted_proxies", why))?.into();
            setting.clone_into(parsed);
        }
        Ok(proxies.clone())
    })
}

/// How many requests with wrong credentials an address may send; empty for no limit.
///
/// # Errors
/// REST506 if the setting is malformed.
pub fn login_limit() -> Result<Rc<[Rate]>> {
    let setting = settings::LOGIN_LIMIT.get().unwrap_or_default();
    LOGIN_LIMIT.with_borrow_mut(|(parsed, rates)| {
        if parsed != setting {
            let read = if setting.is_empty() { Ok(Vec::new()) } else { parse_rates(setting, false) };
            *rates = read.map_err(|why| malformed("restful.login_limit", why))?.into();
            setting.clone_into(parsed);
        }
        Ok(rates.clone())
    })
}

/// `restful.login_limit` as it is set.
pub fn login_limit_text() -> String {
    settings::LOGIN_LIMIT.get().unwrap_or_default().to_owned()
}

fn malformed(setting: &str, why: String) -> Error {
    Error::new(Code::Setting, format!("The setting {setting} is malformed")).details(why)
}

/// The issuer of the tokens of the OAuth endpoints. Without one, the endpoints do not exist.
pub fn oauth_issuer() -> Option<String> {
    settings::OAUTH_ISSUER.get().map(str::to_owned)
}

/// The application's page where users sign in.
pub fn oauth_authorization_endpoint() -> Option<String> {
    settings::OAUTH_AUTHORIZATION_ENDPOINT.get().map(str::to_owned)
}

/// Lifetime of an access token, in seconds.
pub fn oauth_access_token_lifetime() -> i64 {
    settings::OAUTH_ACCESS_TOKEN_LIFETIME.get().into()
}

/// Lifetime of an unused refresh token, in seconds.
pub fn oauth_refresh_token_lifetime() -> i64 {
    settings::OAUTH_REFRESH_TOKEN_LIFETIME.get().into()
}

/// Runs `read` on the verified claims of the running request, as JSON text.
pub fn with_claims<T>(read: impl FnOnce(&str) -> T) -> Option<T> {
    settings::CLAIMS.get().map(read)
}

/// How the identity of the running request was established.
pub fn method() -> Option<AuthMethod> {
    settings::METHOD.get().and_then(|name| AuthMethod::ALL.into_iter().find(|method| method.as_str() == name))
}

/// Whether a role that bypasses row-level security may be taken.
pub fn may_bypass_rls(role: &str) -> bool {
    settings::BYPASSRLS_ROLES.get().is_some_and(|list| names(list).iter().any(|n| n == role))
}

/// Whether requests of a role may ask why they can or cannot see a row.
pub fn may_ask_for_access(role: &str) -> bool {
    settings::EXPLAIN_ROLES.get().is_some_and(|list| names(list).iter().any(|n| n == role))
}

/// Whether the requests of any role may ask that.
pub fn has_explain_roles() -> bool {
    settings::EXPLAIN_ROLES.get().is_some()
}

/// The role that reads the row in question for requests whose role may execute `restful.explain_access`.
pub fn explain_reader() -> Option<String> {
    settings::EXPLAIN_READER.get().map(str::to_owned)
}

/// The most rows that one level of a read returns.
pub fn max_rows() -> Option<u64> {
    u64::try_from(settings::MAX_ROWS.get()).ok().filter(|n| *n > 0)
}

/// The largest body, in bytes.
pub fn max_body_bytes() -> usize {
    usize::try_from(settings::MAX_BODY_BYTES.get()).unwrap_or(0)
}

/// The largest response, in bytes.
pub fn max_response_bytes() -> usize {
    usize::try_from(settings::MAX_RESPONSE_BYTES.get()).unwrap_or(0)
}

/// How long answers are kept for replays, in microseconds.
pub fn idempotency_ttl() -> i64 {
    i64::from(settings::IDEMPOTENCY_TTL.get()) * 1_000_000
}

/// The largest body that is kept for replays, in bytes.
pub fn idempotency_max_response_bytes() -> usize {
    usize::try_from(settings::IDEMPOTENCY_MAX_RESPONSE_BYTES.get()).unwrap_or(0)
}

/// The size of the kept answers from which on new keys are refused, in kilobytes.
pub fn idempotency_max_size() -> u64 {
    u64::try_from(settings::IDEMPOTENCY_MAX_SIZE.get()).unwrap_or(0)
}

/// Whether `select` may hold aggregates.
pub fn aggregates_enabled() -> bool {
    settings::AGGREGATES_ENABLED.get()
}

/// Whether answers tell how long their stages took.
pub fn server_timing() -> bool {
    settings::SERVER_TIMING.get()
}

/// Whether the log tells who uses a deprecated version.
pub fn logs_deprecated_use() -> bool {
    settings::LOG_DEPRECATED_USE.get()
}

/// Whether requests may ask for PostgreSQL's plan.
pub fn plan_enabled() -> bool {
    settings::PLAN_ENABLED.get()
}

/// Whether responses show the DETAIL of integrity violations.
pub fn expose_details() -> bool {
    settings::EXPOSE_DETAILS.get()
}

/// Whether anonymous requests are refused.
pub fn requires_token() -> bool {
    settings::REQUIRE_TOKEN.get()
}

/// What tokens must state.
pub fn token_policy() -> Policy {
    Policy { require_exp: settings::JWT_REQUIRE_EXP.get(), require_aud: settings::JWT_REQUIRE_AUD.get() }
}

/// Whether errors carry details and a hint.
pub fn is_verbose() -> bool {
    settings::ERROR_VERBOSITY.get() == 0
}

/// What becomes of a result that breaks the JSON Schema of its route (`restful.check_results`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckResults {
    Log,
    Strict,
    Off,
}

/// What becomes of a result that breaks the JSON Schema of its route.
pub fn check_results() -> CheckResults {
    match settings::CHECK_RESULTS.get() {
        1 => CheckResults::Strict,
        2 => CheckResults::Off,
        _ => CheckResults::Log,
    }
}

/// Whether `format` asserts in a JSON Schema if the call does not say.
pub fn assert_formats() -> Formats {
    match settings::ASSERT_FORMATS.get() {
        1 => Formats::On,
        2 => Formats::Off,
        _ => Formats::Draft,
    }
}

/// How a request's transaction ends.
pub fn tx_end() -> TransactionEnd {
    let value = settings::TX_END.get();
    TransactionEnd { rollback: value >= 2, allow_override: value % 2 == 1 }
}

/// The names in a list like that of `search_path`: separated by commas, and in double quotes or folded to lower case. PostgreSQL
/// folds only ASCII letters.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let mut name = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut characters = quoted.char_indices().peekable();
            let mut end = quoted.len();
            while let Some((i, c)) = characters.next() {
                if c == '"' {
                    if characters.peek().is_some_and(|(_, next)| *next == '"') {
                        characters.next();
                    } else {
                        end = i + 1;
                        break;
                    }
                }
                name.push(c);
            }
            rest = quoted.get(end..).unwrap_or_default();
            rest = rest.find(',').and_then(|i| rest.get(i + 1..)).unwrap_or_default();
        } else {
            let (item, after) = rest.split_once(',').unwrap_or((rest, ""));
            name.push_str(&item.trim().to_ascii_lowercase());
            rest = after;
        }
        if !name.is_empty() {
            names.push(name);
        }
        rest = rest.trim_start();
    }
    names
}
