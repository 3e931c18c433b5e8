//! Tells the server's log who still uses a deprecated version. A request that only reads may not write, and a standby cannot, so no table
//! counts it.

use super::deprecated;
use crate::auth::{Identity, Principal, claims};
use crate::limits;
use crate::pg::ffi::{log, user};
use crate::pg::guc;
use serde_json::json;
use std::cell::RefCell;
use std::collections::HashSet;

thread_local! {
    /// The lines that this session has written.
    static TOLD: RefCell<HashSet<String>> = RefCell::new(HashSet::new());
}

/// Writes a line to the server's log if the version that a schema is has been deprecated, once for each version, subject and role of a
/// session (`restful.log_deprecated_use`).
pub fn tell_use(schema: &str, principal: &Principal) {
    if !guc::logs_deprecated_use() {
        return;
    }
    let Some(version) = deprecated(schema) else { return };
    let subject = match &principal.identity {
        Identity::Claims(claims, _) => claims::user_id(claims),
        Identity::Anonymous | Identity::SessionUser => None,
    };
    let role = principal.switch_to.as_deref().map_or_else(|| user::name(user::current()), str::to_owned);
    // As JSON, a subject cannot begin a line of its own.
    let line = json!({ "version": *version, "subject": subject, "role": role, "method": principal.method().as_str() });
    let line = format!("a deprecated version is used: {line}");
    let is_new = TOLD.with_borrow_mut(|told| {
        if told.len() >= limits::TOLD_USERS {
            told.clear();
        }
        told.insert(line.clone())
    });
    if is_new {
        log::line(&line);
    }
}
