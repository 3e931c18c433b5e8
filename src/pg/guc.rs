//! Settings (`restful.*`): definition and reading.

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

#[repr(transparent)]
struct Options([pg_sys::config_enum_entry; 5]);
// SAFETY: constant data.
unsafe impl Sync for Options {}

const fn option(name: &'static CStr, val: c_int) -> pg_sys::config_enum_entry {
    pg_sys::config_enum_entry { name: name.as_ptr(), val, hidden: false }
}

const END: pg_sys::config_enum_entry = pg_sys::config_enum_entry { name: ptr::null(), val: 0, hidden: false };

static TX_END_OPTIONS: Options = Options([
    option(c"commit", 0),
    option(c"commit-allow-override", 1),
    option(c"rollback", 2),
    option(c"rollback-allow-override", 3),
    END,
]);
static FORMATS_OPTIONS: Options = Options([option(c"draft", 0), option(c"on", 1), option(c"off", 2), END, END]);
static OPENAPI_MODE_OPTIONS: Options =
    Options([option(c"follow-privileges", 0), option(c"ignore-privileges", 1), option(c"disabled", 2), END, END]);
static OPENAPI_VERSION_OPTIONS: Options = Options([option(c"3.1", 0), option(c"2.0", 1), END, END, END]);
static VERBOSITY_OPTIONS: Options = Options([option(c"verbose", 0), option(c"minimal", 1), END, END, END]);

/// Defines the settings; once, when the library is loaded.
pub fn define() {
    use pg_sys::GucContext::{PGC_SUSET, PGC_USERSET};
    let text = |name: &'static CStr, what: &'static CStr, value: &'static Text, boot: &'static CStr, context, flags| {
        // SAFETY: the texts are constants, the variable is a static.
        unsafe {
            pg_sys::DefineCustomStringVariable(
                name.as_ptr(),
                what.as_ptr(),
                ptr::null(),
                value.0.as_ptr(),
                boot.as_ptr(),
                context,
                flags,
                None,
                None,
                None,
            );
        }
    };
    text(c"restful.schemas", c"The exposed schemas, the default one first.", &SCHEMAS, c"public", PGC_USERSET, 0);
    text(
        c"restful.anon_role",
        c"The role of requests without identity. Set it for the role that an HTTP layer logs in as.",
        &ANON_ROLE,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.extra_search_path",
        c"Schemas behind the request's own in the search path.",
        &EXTRA_SEARCH_PATH,
        c"public",
        PGC_USERSET,
        0,
    );
    text(
        c"restful.pre_request",
        c"A function that is called before each request's statement, as the request's role.",
        &PRE_REQUEST,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.trusted_authenticators",
        c"Login roles whose setting request.jwt.claims is believed.",
        &TRUSTED_AUTHENTICATORS,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.bypassrls_roles",
        c"Roles with BYPASSRLS that a request may run as.",
        &BYPASSRLS_ROLES,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.explain_roles",
        c"Roles whose requests may say Prefer: explain-access.",
        &EXPLAIN_ROLES,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.explain_reader",
        c"A role with BYPASSRLS that looks for the row in question, where the request's role may execute restful.explain_access.",
        &EXPLAIN_READER,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.root_spec",
        c"A function without arguments that answers requests of the root, instead of the description of the API.",
        &ROOT_SPEC,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.openapi_server_proxy_uri",
        c"The URI at which clients reach the API.",
        &OPENAPI_SERVER_PROXY_URI,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.tenant_claim",
        c"The path to the claim that names the tenant.",
        &TENANT_CLAIM,
        c"tenant_id",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.api_key_headers",
        c"The header fields, beside Authorization, that an API key may come in.",
        &API_KEY_HEADERS,
        c"apikey, x-api-key",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.oauth_issuer",
        c"The URL at which clients reach the OAuth endpoints, and the issuer of their tokens; without it there are none.",
        &OAUTH_ISSUER,
        c"",
        PGC_SUSET,
        0,
    );
    text(
        c"restful.oauth_authorization_endpoint",
        c"The URL of the application's page where users sign in for OAuth clients.",
        &OAUTH_AUTHORIZATION_ENDPOINT,
        c"",
        PGC_SUSET,
        0,
    );
    let hidden =
        pg_sys::GUC_NO_SHOW_ALL | pg_sys::GUC_NOT_IN_SAMPLE | pg_sys::GUC_DISALLOW_IN_FILE | pg_sys::GUC_NO_RESET_ALL;
    let hidden = c_int::try_from(hidden).unwrap_or(0);
    text(c"restful.claims", c"The verified claims of the request that is running.", &CLAIMS, c"", PGC_SUSET, hidden);
    text(
        c"restful.method",
        c"How the identity of the request that is running was established.",
        &METHOD,
        c"",
        PGC_SUSET,
        hidden,
    );

    let number = |name: &'static CStr, what: &'static CStr, value: &'static Value<c_int>, boot, flags: u32| {
        // SAFETY: as above.
        unsafe {
            pg_sys::DefineCustomIntVariable(
                name.as_ptr(),
                what.as_ptr(),
                ptr::null(),
                value.0.as_ptr(),
                boot,
                0,
                c_int::MAX,
                PGC_SUSET,
                c_int::try_from(flags).unwrap_or(0),
                None,
                None,
                None,
            );
        }
    };
    number(c"restful.max_rows", c"The most rows that one level of a read returns; 0 for any number.", &MAX_ROWS, 0, 0);
    number(
        c"restful.max_body_bytes",
        c"The largest body of a request.",
        &MAX_BODY_BYTES,
        limits::BODY_BYTES,
        pg_sys::GUC_UNIT_BYTE,
    );
    number(
        c"restful.max_response_bytes",
        c"The largest body of a response.",
        &MAX_RESPONSE_BYTES,
        limits::RESPONSE_BYTES,
        pg_sys::GUC_UNIT_BYTE,
    );

    number(
        c"restful.oauth_access_token_lifetime",
        c"How long an access token of the OAuth endpoints holds.",
        &OAUTH_ACCESS_TOKEN_LIFETIME,
        limits::ACCESS_TOKEN_SECONDS,
        pg_sys::GUC_UNIT_S,
    );
    number(
        c"restful.oauth_refresh_token_lifetime",
        c"How long a refresh token of the OAuth endpoints holds unless it is used.",
        &OAUTH_REFRESH_TOKEN_LIFETIME,
        limits::REFRESH_TOKEN_SECONDS,
        pg_sys::GUC_UNIT_S,
    );

    let switch_with_default = |name: &'static CStr, what: &'static CStr, value: &'static Value<bool>, boot: bool| {
        // SAFETY: as above.
        unsafe {
            pg_sys::DefineCustomBoolVariable(
                name.as_ptr(),
                what.as_ptr(),
                ptr::null(),
                value.0.as_ptr(),
                boot,
                PGC_SUSET,
                0,
                None,
                None,
                None,
            );
        }
    };
    let switch = |name, what, value| switch_with_default(name, what, value, false);
    switch(c"restful.require_token", c"Whether requests without identity are refused.", &REQUIRE_TOKEN);
    switch_with_default(
        c"restful.jwt_require_exp",
        c"Whether a token has to say when it expires.",
        &JWT_REQUIRE_EXP,
        true,
    );
    switch_with_default(
        c"restful.jwt_require_aud",
        c"Whether a token has to say whom it is meant for, if the audiences of its issuer are set.",
        &JWT_REQUIRE_AUD,
        true,
    );
    switch(c"restful.aggregates_enabled", c"Whether select may hold aggregate functions.", &AGGREGATES_ENABLED);
    switch(
        c"restful.plan_enabled",
        c"Whether the media type application/vnd.pgrst.plan answers with PostgreSQL's plan of the request.",
        &PLAN_ENABLED,
    );
    switch(
        c"restful.expose_details",
        c"Whether errors show DETAIL of integrity violations, which holds values of rows.",
        &EXPOSE_DETAILS,
    );

    switch(
        c"restful.openapi_security_active",
        c"Whether the description of the API says that every request has to bring a token.",
        &OPENAPI_SECURITY_ACTIVE,
    );

    let choice = |name: &'static CStr, what: &'static CStr, value: &'static Value<c_int>, options: &'static Options| {
        // SAFETY: as above; the list of options ends with an entry without name.
        unsafe {
            pg_sys::DefineCustomEnumVariable(
                name.as_ptr(),
                what.as_ptr(),
                ptr::null(),
                value.0.as_ptr(),
                0,
                options.0.as_ptr(),
                PGC_SUSET,
                0,
                None,
                None,
                None,
            );
        }
    };
    choice(c"restful.tx_end", c"How a request's transaction ends.", &TX_END, &TX_END_OPTIONS);
    choice(
        c"restful.assert_formats",
        c"Whether format asserts in JSON Schemas: as the draft says, on or off.",
        &ASSERT_FORMATS,
        &FORMATS_OPTIONS,
    );
    choice(
        c"restful.openapi_mode",
        c"Whether the description of the API is of what the role may use, of all that is exposed, or there is none.",
        &OPENAPI_MODE,
        &OPENAPI_MODE_OPTIONS,
    );
    choice(
        c"restful.openapi_version",
        c"The version of OpenAPI that is answered when none is asked for.",
        &OPENAPI_VERSION,
        &OPENAPI_VERSION_OPTIONS,
    );
    choice(c"restful.error_verbosity", c"Whether errors carry details and hint.", &ERROR_VERBOSITY, &VERBOSITY_OPTIONS);
}

/// Sets a setting until the end of the request's nest level.
///
/// Raises PostgreSQL's error when the value is none of the setting's.
pub fn set_for_request(name: &CStr, value: &CStr, context: pg_sys::GucContext::Type) {
    set(name, value, context, pg_sys::GucAction::GUC_ACTION_SAVE, 0);
}

/// Applies a setting of the request's role until the end of the nest level. One that cannot be set gives a warning, as at a login of
/// the role: a text search configuration that was dropped is no reason to refuse all its requests.
pub fn apply_for_request(name: &CStr, value: &CStr) {
    let level = c_int::try_from(pg_sys::WARNING).unwrap_or(0);
    set(name, value, pg_sys::GucContext::PGC_SUSET, pg_sys::GucAction::GUC_ACTION_SAVE, level);
}

/// Sets a setting as SET LOCAL does.
///
/// Raises PostgreSQL's error when the value is none of the setting's.
pub fn set_for_transaction(name: &CStr, value: &CStr, context: pg_sys::GucContext::Type) {
    set(name, value, context, pg_sys::GucAction::GUC_ACTION_LOCAL, 0);
}

/// `level`: of the message when it cannot be set; 0 for an error.
fn set(name: &CStr, value: &CStr, context: pg_sys::GucContext::Type, action: pg_sys::GucAction::Type, level: c_int) {
    // SAFETY: both texts are NUL-terminated and copied by PostgreSQL.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            context,
            pg_sys::GucSource::PGC_S_SESSION,
            action,
            true,
            level,
            false,
        );
    }
}

/// The value of any setting; `None` when it is unknown or empty.
pub fn get(name: &CStr) -> Option<String> {
    // SAFETY: the name is NUL-terminated; an unknown one gives NULL.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not NULL, so a NUL-terminated text; copied here.
    let text = unsafe { CStr::from_ptr(value) }.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}
