//! Settings (`restful.*`), as they are read.

mod define;
mod setting;

pub use define::define;
pub use setting::{apply_for_request, get, set_for_request, set_for_transaction};

use crate::auth::Method;
use crate::auth::token::Policy;
use crate::limits;
use crate::openapi;
use crate::schema::Formats;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::rc::Rc;

/// A text setting. PostgreSQL keeps its value behind this pointer.
struct Text(Cell<*mut c_char>);
/// A number or switch.
struct Value<T>(Cell<T>);

// SAFETY: a backend has one thread.
unsafe impl Sync for Text {}
// SAFETY: a backend has one thread.
unsafe impl<T> Sync for Value<T> {}

impl Text {
    const fn new() -> Self {
        Text(Cell::new(ptr::null_mut()))
    }

    fn get(&self) -> Option<&str> {
        let text = self.0.get();
        if text.is_null() {
            return None;
        }
        // SAFETY: PostgreSQL keeps a NUL-terminated text here until the setting changes; callers do not hold it that long.
        unsafe { CStr::from_ptr(text) }.to_str().ok().filter(|t| !t.is_empty())
    }
}

static SCHEMAS: Text = Text::new();
static ANON_ROLE: Text = Text::new();
static EXTRA_SEARCH_PATH: Text = Text::new();
static PRE_REQUEST: Text = Text::new();
static TRUSTED_AUTHENTICATORS: Text = Text::new();
static BYPASSRLS_ROLES: Text = Text::new();
static EXPLAIN_ROLES: Text = Text::new();
static EXPLAIN_READER: Text = Text::new();
static ROOT_SPEC: Text = Text::new();
static OPENAPI_SERVER_PROXY_URI: Text = Text::new();
static TENANT_CLAIM: Text = Text::new();
static API_KEY_HEADERS: Text = Text::new();
static OAUTH_ISSUER: Text = Text::new();
static OAUTH_AUTHORIZATION_ENDPOINT: Text = Text::new();
static CLAIMS: Text = Text::new();
static METHOD: Text = Text::new();
static MAX_ROWS: Value<c_int> = Value(Cell::new(0));
static MAX_BODY_BYTES: Value<c_int> = Value(Cell::new(0));
static MAX_RESPONSE_BYTES: Value<c_int> = Value(Cell::new(0));
static OAUTH_ACCESS_TOKEN_LIFETIME: Value<c_int> = Value(Cell::new(0));
static OAUTH_REFRESH_TOKEN_LIFETIME: Value<c_int> = Value(Cell::new(0));
static AGGREGATES_ENABLED: Value<bool> = Value(Cell::new(false));
static PLAN_ENABLED: Value<bool> = Value(Cell::new(false));
static EXPOSE_DETAILS: Value<bool> = Value(Cell::new(false));
static REQUIRE_TOKEN: Value<bool> = Value(Cell::new(false));
static JWT_REQUIRE_EXP: Value<bool> = Value(Cell::new(true));
static JWT_REQUIRE_AUD: Value<bool> = Value(Cell::new(true));
static TX_END: Value<c_int> = Value(Cell::new(0));
static ERROR_VERBOSITY: Value<c_int> = Value(Cell::new(0));
static ASSERT_FORMATS: Value<c_int> = Value(Cell::new(0));
static OPENAPI_MODE: Value<c_int> = Value(Cell::new(0));
static OPENAPI_VERSION: Value<c_int> = Value(Cell::new(0));
static OPENAPI_SECURITY_ACTIVE: Value<bool> = Value(Cell::new(false));

/// What the description of the API tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenApiMode {
    /// What the request's role may use.
    FollowPrivileges,
    /// All that is exposed.
    IgnorePrivileges,
    /// There is none.
    Disabled,
}

/// How a request's transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxEnd {
    /// Rolled back unless the request may and does say otherwise.
    pub rollback: bool,
    /// `Prefer: tx=` may say otherwise.
    pub allow_override: bool,
}

thread_local! {
    /// `restful.schemas` as it was last read, and its names.
    static PARSED_SCHEMAS: RefCell<(String, Rc<[Rc<str>]>)> = RefCell::new((String::new(), Rc::new([])));
    /// `restful.api_key_headers` as it was last read, and its names.
    static PARSED_API_KEY_HEADERS: RefCell<(String, Vec<String>)> = const { RefCell::new((String::new(), Vec::new())) };
    /// `restful.anon_role` as it was last read.
    static LAST_ANON_ROLE: RefCell<Rc<str>> = RefCell::new(Rc::from(""));
    /// The search path that was last made: for this schema and `restful.extra_search_path`.
    static SEARCH_PATH: RefCell<(String, String, Rc<CStr>)> =
        RefCell::new((String::new(), String::new(), Rc::from(c"")));
}

/// The exposed schemas, the default one first. PostgreSQL's own and the extension's cannot be exposed.
pub fn schemas() -> Rc<[Rc<str>]> {
    let setting = SCHEMAS.get().unwrap_or_default();
    PARSED_SCHEMAS.with_borrow_mut(|(parsed, schemas)| {
        if parsed != setting {
            let hidden = ["pg_catalog", "information_schema", "restful"];
            *schemas = names(setting).into_iter().filter(|s| !hidden.contains(&s.as_str())).map(Rc::from).collect();
            setting.clone_into(parsed);
        }
        schemas.clone()
    })
}

/// The search path of requests to a schema: the schema itself, then `restful.extra_search_path`.
pub fn search_path(schema: &str) -> Rc<CStr> {
    use crate::statement::Ident;
    let extra = EXTRA_SEARCH_PATH.get().unwrap_or_default();
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

/// The schemas of `restful.extra_search_path`.
pub fn extra_search_path() -> Vec<String> {
    names(EXTRA_SEARCH_PATH.get().unwrap_or_default())
}

/// The role of requests without identity.
pub fn anon_role() -> Option<Rc<str>> {
    let setting = ANON_ROLE.get()?;
    LAST_ANON_ROLE.with_borrow_mut(|role| {
        if **role != *setting {
            *role = setting.into();
        }
        Some(role.clone())
    })
}

/// The function called before each request's statement.
pub fn pre_request() -> Option<String> {
    PRE_REQUEST.get().map(str::to_owned)
}

/// The function that answers requests of the root.
pub fn root_spec() -> Option<String> {
    ROOT_SPEC.get().map(str::to_owned)
}

/// What the description of the API tells.
pub fn openapi_mode() -> OpenApiMode {
    match OPENAPI_MODE.0.get() {
        1 => OpenApiMode::IgnorePrivileges,
        2 => OpenApiMode::Disabled,
        _ => OpenApiMode::FollowPrivileges,
    }
}

/// The version of OpenAPI that is answered when none is asked for.
pub fn openapi_version() -> openapi::Version {
    match OPENAPI_VERSION.0.get() {
        1 => openapi::Version::V2,
        _ => openapi::Version::V31,
    }
}

/// What else is said of the API in its description.
pub fn openapi_settings() -> openapi::Settings {
    openapi::Settings {
        server: OPENAPI_SERVER_PROXY_URI.get().map(str::to_owned),
        security_active: OPENAPI_SECURITY_ACTIVE.0.get(),
        oauth_issuer: oauth_issuer(),
    }
}

/// Whether any login role's `request.jwt.claims` are believed.
pub fn has_trusted_authenticators() -> bool {
    TRUSTED_AUTHENTICATORS.get().is_some()
}

/// Whether a login role's `request.jwt.claims` are believed.
pub fn is_trusted_authenticator(role: &str) -> bool {
    TRUSTED_AUTHENTICATORS.get().is_some_and(|list| names(list).iter().any(|n| n == role))
}

/// Runs `work` with the names, in lower case, of the header fields that API keys come in.
pub fn with_api_key_fields<T>(work: impl FnOnce(&[String]) -> T) -> T {
    let setting = API_KEY_HEADERS.get().unwrap_or_default();
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
    TENANT_CLAIM.get().map(str::to_owned)
}

/// Who the tokens of the OAuth endpoints are of; without it there are no such endpoints.
pub fn oauth_issuer() -> Option<String> {
    OAUTH_ISSUER.get().map(str::to_owned)
}

/// The application's page where users sign in.
pub fn oauth_authorization_endpoint() -> Option<String> {
    OAUTH_AUTHORIZATION_ENDPOINT.get().map(str::to_owned)
}

/// Seconds that an access token holds.
pub fn oauth_access_token_lifetime() -> i64 {
    i64::from(OAUTH_ACCESS_TOKEN_LIFETIME.0.get()).max(1)
}

/// Seconds that a refresh token holds unless it is used.
pub fn oauth_refresh_token_lifetime() -> i64 {
    i64::from(OAUTH_REFRESH_TOKEN_LIFETIME.0.get()).max(1)
}

/// Runs `read` on the verified claims of the request that is running, as JSON.
pub fn with_claims<T>(read: impl FnOnce(&str) -> T) -> Option<T> {
    CLAIMS.get().map(read)
}

/// How the identity of the request that is running was established.
pub fn method() -> Option<Method> {
    METHOD.get().and_then(|name| Method::ALL.into_iter().find(|method| method.as_str() == name))
}

/// Whether a role that bypasses row-level security may be taken.
pub fn may_bypass_rls(role: &str) -> bool {
    BYPASSRLS_ROLES.get().is_some_and(|list| names(list).iter().any(|n| n == role))
}

/// Whether requests of a role may ask why they see a row or not.
pub fn may_ask_for_access(role: &str) -> bool {
    EXPLAIN_ROLES.get().is_some_and(|list| names(list).iter().any(|n| n == role))
}

/// Whether any role's requests may.
pub fn has_explain_roles() -> bool {
    EXPLAIN_ROLES.get().is_some()
}

/// The role that reads the row in question for requests of roles that may execute `restful.explain_access`.
pub fn explain_reader() -> Option<String> {
    EXPLAIN_READER.get().map(str::to_owned)
}

/// The most rows that one level of a read returns.
pub fn max_rows() -> Option<u64> {
    u64::try_from(MAX_ROWS.0.get()).ok().filter(|n| *n > 0)
}

/// The largest body, in bytes.
pub fn max_body_bytes() -> usize {
    usize::try_from(MAX_BODY_BYTES.0.get()).unwrap_or(0)
}

/// The largest response, in bytes.
pub fn max_response_bytes() -> usize {
    usize::try_from(MAX_RESPONSE_BYTES.0.get()).unwrap_or(0)
}

/// Whether `select` may hold aggregates.
pub fn aggregates_enabled() -> bool {
    AGGREGATES_ENABLED.0.get()
}

/// Whether PostgreSQL's plan of a request can be asked for.
pub fn plan_enabled() -> bool {
    PLAN_ENABLED.0.get()
}

/// Whether DETAIL of integrity violations is shown.
pub fn expose_details() -> bool {
    EXPOSE_DETAILS.0.get()
}

/// Whether requests without identity are refused.
pub fn requires_token() -> bool {
    REQUIRE_TOKEN.0.get()
}

/// What tokens have to say.
pub fn token_policy() -> Policy {
    Policy { require_exp: JWT_REQUIRE_EXP.0.get(), require_aud: JWT_REQUIRE_AUD.0.get() }
}

/// Whether errors carry details and hint.
pub fn is_verbose() -> bool {
    ERROR_VERBOSITY.0.get() == 0
}

/// Whether `format` asserts in a JSON Schema, where a call does not say.
pub fn assert_formats() -> Formats {
    match ASSERT_FORMATS.0.get() {
        1 => Formats::On,
        2 => Formats::Off,
        _ => Formats::Draft,
    }
}

/// How a request's transaction ends.
pub fn tx_end() -> TxEnd {
    let value = TX_END.0.get();
    TxEnd { rollback: value >= 2, allow_override: value % 2 == 1 }
}

/// Names in a list as in `search_path`: separated by commas, in double quotes or folded to lower case.
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
            name.push_str(&item.trim().to_lowercase());
            rest = after;
        }
        if !name.is_empty() {
            names.push(name);
        }
        rest = rest.trim_start();
    }
    names
}
