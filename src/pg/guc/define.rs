//! Settings (`restful.*`): names, defaults, and who may set them.

use super::*;
use crate::oauth;
use std::ffi::c_void;

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
    let checked =
        |name: &'static CStr, what: &'static CStr, value: &'static Text, boot: &'static CStr, context, flags, check| {
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
                    check,
                    None,
                    None,
                );
            }
        };
    let text = |name, what, value, boot, context, flags| checked(name, what, value, boot, context, flags, None);
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
    checked(
        c"restful.oauth_issuer",
        c"The URL at which clients reach the OAuth endpoints, and the issuer of their tokens; without it there are none.",
        &OAUTH_ISSUER,
        c"",
        PGC_SUSET,
        0,
        Some(check_issuer),
    );
    checked(
        c"restful.oauth_authorization_endpoint",
        c"The URL of the application's page where users sign in for OAuth clients.",
        &OAUTH_AUTHORIZATION_ENDPOINT,
        c"",
        PGC_SUSET,
        0,
        Some(check_authorization_endpoint),
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

unsafe extern "C-unwind" fn check_issuer(
    new: *mut *mut c_char,
    _: *mut *mut c_void,
    _: pg_sys::GucSource::Type,
) -> bool {
    unsafe {
        check(
            *new,
            oauth::is_issuer,
            c"It is an https URL without user, query and fragment; http is for localhost alone.",
        )
    }
}

unsafe extern "C-unwind" fn check_authorization_endpoint(
    new: *mut *mut c_char,
    _: *mut *mut c_void,
    _: pg_sys::GucSource::Type,
) -> bool {
    unsafe {
        check(*new, oauth::is_endpoint, c"It is an https URL without user and fragment; http is for localhost alone.")
    }
}

/// Whether a setting may have this value; what `detail` says goes with PostgreSQL's error when it may not.
///
/// # Safety
/// For check hooks alone.
unsafe fn check(value: *const c_char, is_good: fn(&str) -> bool, detail: &'static CStr) -> bool {
    // SAFETY: PostgreSQL gives a NUL-terminated text.
    let value = unsafe { CStr::from_ptr(value) }.to_bytes();
    let is_good = value.is_empty() || str::from_utf8(value).is_ok_and(is_good);
    if !is_good {
        // SAFETY: PostgreSQL copies the text into its error.
        unsafe { pg_sys::GUC_check_errdetail_string = detail.as_ptr().cast_mut() };
    }
    is_good
}
