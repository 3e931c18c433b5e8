//! Counts who still uses a deprecated version, in shared memory, because a request that only reads may not write, and a standby cannot. Tells
//! the server's log of it too, if that is wanted.

use super::{are_declared, deprecated};
use crate::auth::{Identity, Principal, claims};
use crate::limits;
use crate::pg::ffi::fmgr::sql_function;
use crate::pg::ffi::{log, user};
use crate::pg::{guc, shared};
use crate::statistics::{self, User};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::{IntoDatum, JsonB, pg_sys};
use serde_json::json;
use std::cell::RefCell;
use std::collections::HashSet;

thread_local! {
    /// The lines that this session has written.
    static TOLD: RefCell<HashSet<String>> = RefCell::new(HashSet::new());
}

/// Counts a request if the version that a schema is has been deprecated.
pub fn count_use(schema: &str, principal: &Principal) {
    if !are_declared() {
        return;
    }
    let Some(version) = deprecated(schema) else { return };
    let subject = match &principal.identity {
        Identity::Claims(claims, _) => claims::user_id(claims),
        Identity::Anonymous | Identity::SessionUser => None,
    };
    let user = User {
        // SAFETY: reads a global.
        database: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        version: version.to_string(),
        subject: subject.unwrap_or_default().to_owned(),
        role: principal.switch_to.as_deref().map_or_else(|| user::name(user::current()), str::to_owned),
        method: principal.method().as_str().to_owned(),
    };
    if let Some(segment) = shared::segment() {
        // SAFETY: reads the clock.
        let now = unsafe { pg_sys::GetCurrentTimestamp() };
        let [seed, _] = segment.seed();
        statistics::count_use(shared::uses(segment), seed, &user, u64::try_from(now).unwrap_or_default());
    }
    if guc::logs_deprecated_use() {
        tell(&user);
    }
}

/// Writes a line to the server's log, once for each version, subject and role of a session (`restful.log_deprecated_use`).
fn tell(user: &User) {
    let subject = Some(&user.subject).filter(|subject| !subject.is_empty());
    // As JSON, a subject cannot begin a line of its own.
    let line = json!({ "version": user.version, "subject": subject, "role": user.role, "method": user.method });
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

sql_function!(restful_stat_uses, "stat_uses()", |_call| {
    // SAFETY: reads a global.
    let database = pg_sys::MyDatabaseId.to_u32();
    let uses =
        shared::segment().map_or_else(Vec::new, |segment| statistics::read_uses(shared::uses(segment), database));
    let time = |microseconds: u64| TimestampWithTimeZone::try_from(microseconds as i64).ok();
    let uses: Vec<_> = uses
        .iter()
        .map(|of| {
            json!({
                "version": of.user.version,
                "subject": (!of.user.subject.is_empty()).then_some(&of.user.subject),
                "role": of.user.role,
                "method": of.user.method,
                "calls": of.calls,
                "first_at": time(of.first),
                "last_at": time(of.last),
            })
        })
        .collect();
    JsonB(json!(uses)).into_datum().unwrap_or(pg_sys::Datum::null())
});
