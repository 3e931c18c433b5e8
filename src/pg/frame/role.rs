//! Roles: who may become which, and the settings that come with one.

use crate::auth::principal::{refuse_dangerous_role, role_refused};
use crate::error::Result;
use crate::pg::catalog::invalidation;
use crate::pg::ffi::{unguarded, user};
use crate::pg::guc;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::{CStr, CString};

/// `pg_db_role_setting` (setdatabase, setrole, setconfig) and its index (pg_db_role_setting.h); pgrx does not bind them.
const PG_DB_ROLE_SETTING: u32 = 2964;
const PG_DB_ROLE_SETTING_INDEX: u32 = 2965;

/// A role's own settings are read again after this time (microseconds): PostgreSQL announces no change of them.
const SETTINGS_AGE: i64 = 1_000_000;

thread_local! {
    static LAST_CHECKED: RefCell<Option<KnownRole>> = const { RefCell::new(None) };
    static SETTINGS: RefCell<Option<(pg_sys::Oid, i64, std::rc::Rc<RoleSettings>)>> = const { RefCell::new(None) };
}

struct KnownRole {
    generation: u64,
    session_user: pg_sys::Oid,
    bypass_listed: bool,
    name: String,
    role: pg_sys::Oid,
}

/// The name of a role.
pub fn name(role: pg_sys::Oid) -> String {
    // SAFETY: with noerr an unknown role gives NULL; the text is palloc'd and copied here.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}

/// The role of this name, if the session's user may take it.
///
/// # Errors
/// REST403, one message for all reasons.
pub fn may_take(name: &str) -> Result<pg_sys::Oid> {
    let session_user = user::session();
    let generation = invalidation::ROLES.with(|roles| roles.get());
    let bypass_listed = guc::may_bypass_rls(name);
    let known = LAST_CHECKED.with_borrow(|checked| {
        checked
            .as_ref()
            .filter(|c| {
                c.generation == generation
                    && c.session_user == session_user
                    && c.bypass_listed == bypass_listed
                    && c.name == name
            })
            .map(|c| c.role)
    });
    if let Some(role) = known {
        return Ok(role);
    }
    let text = CString::new(name).map_err(|_| role_refused())?;
    // A longer name would be cut to one that may name another role.
    if name.len() > crate::limits::IDENTIFIER_BYTES {
        return Err(role_refused());
    }
    // SAFETY: lookups in the system caches; with missing_ok an unknown role gives InvalidOid.
    unsafe {
        let role = pg_sys::get_role_oid(text.as_ptr(), true);
        if role == pg_sys::InvalidOid || !may_set(session_user, role) {
            return Err(role_refused());
        }
        refuse_dangerous_role(name, pg_sys::superuser_arg(role), bypasses_rls(role), bypass_listed)?;
        let checked = KnownRole { generation, session_user, bypass_listed, name: name.to_owned(), role };
        LAST_CHECKED.set(Some(checked));
        Ok(role)
    }
}

/// Whether a role has a right (`ACL_SELECT` and the like) to a relation, or to any column of it.
pub fn may_any_column(relation: pg_sys::Oid, role: pg_sys::Oid, mode: u32) -> bool {
    let any = pg_sys::AclMaskHow::ACLMASK_ANY;
    // SAFETY: lookups in the system caches; the relation was found in the catalogue.
    unsafe {
        pg_sys::pg_class_aclcheck(relation, role, mode as pg_sys::AclMode) == pg_sys::AclResult::ACLCHECK_OK
            || pg_sys::pg_attribute_aclcheck_all(relation, role, mode as pg_sys::AclMode, any)
                == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// Whether the current user may read a column of a relation.
pub fn may_read_column(relation: pg_sys::Oid, column: &str) -> bool {
    let Ok(name) = CString::new(column) else { return false };
    let (mode, ok) = (pg_sys::ACL_SELECT as pg_sys::AclMode, pg_sys::AclResult::ACLCHECK_OK);
    // SAFETY: lookups in the system caches; the relation was found in the catalogue.
    unsafe {
        let number = pg_sys::get_attnum(relation, name.as_ptr());
        let user = user::current();
        number != 0
            && (pg_sys::pg_class_aclcheck(relation, user, mode) == ok
                || pg_sys::pg_attribute_aclcheck(relation, number, user, mode) == ok)
    }
}

/// Whether `SET ROLE` would be allowed to a user.
pub fn may_be_set_by(user: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: lookups in the system caches.
    unsafe { may_set(user, role) }
}

/// Whether `SET ROLE` would be allowed.
unsafe fn may_set(user: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: look-ups in the system caches.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::is_member_of_role(user, role);
        #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
        return pg_sys::member_can_set_role(user, role);
    }
}

unsafe fn bypasses_rls(role: pg_sys::Oid) -> bool {
    // SAFETY: the tuple is read before it is released.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::AUTHOID as i32, role.into());
        if tuple.is_null() {
            return false;
        }
        let form = pg_sys::GETSTRUCT(tuple) as pg_sys::Form_pg_authid;
        let bypasses = (*form).rolbypassrls;
        pg_sys::ReleaseSysCache(tuple);
        bypasses
    }
}

/// Settings that `ALTER ROLE ... SET` gives to a role.
#[derive(Debug, Default)]
pub struct RoleSettings {
    /// Name and value.
    pub settings: Vec<(CString, CString)>,
    /// `statement_timeout` among them, in milliseconds.
    pub statement_timeout: Option<i64>,
}

/// The settings of a role in this database.
pub fn settings(role: pg_sys::Oid) -> std::rc::Rc<RoleSettings> {
    // SAFETY: reads a global.
    let now = unsafe { unguarded::GetCurrentStatementStartTimestamp() };
    let known = SETTINGS.with_borrow(|s| {
        s.as_ref().filter(|(r, at, _)| *r == role && (0..SETTINGS_AGE).contains(&(now - at))).map(|(_, _, s)| s.clone())
    });
    if let Some(settings) = known {
        return settings;
    }
    let settings = std::rc::Rc::new(load_settings(role));
    SETTINGS.set(Some((role, now, settings.clone())));
    settings
}

fn load_settings(role: pg_sys::Oid) -> RoleSettings {
    let mut found = RoleSettings::default();
    // SAFETY: an index scan of pg_db_role_setting for the role in all databases and in this one; the more specific comes
    // last and so prevails, as at login. Every text is copied before its tuple is released.
    unsafe {
        let relation = pg_sys::table_open(PG_DB_ROLE_SETTING.into(), pg_sys::AccessShareLock as i32);
        for database in [pg_sys::InvalidOid, pg_sys::MyDatabaseId] {
            let mut keys: [pg_sys::ScanKeyData; 2] = std::mem::zeroed();
            for (key, (column, value)) in keys.iter_mut().zip([(1, database), (2, role)]) {
                pg_sys::ScanKeyInit(
                    key,
                    column,
                    pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                    pg_sys::Oid::from(pg_sys::F_OIDEQ),
                    value.into(),
                );
            }
            let scan = pg_sys::systable_beginscan(
                relation,
                PG_DB_ROLE_SETTING_INDEX.into(),
                true,
                std::ptr::null_mut(),
                2,
                keys.as_mut_ptr(),
            );
            let tuple = pg_sys::systable_getnext(scan);
            if !tuple.is_null() {
                let mut is_null = false;
                let array = pg_sys::heap_getattr(tuple, 3, (*relation).rd_att, &mut is_null);
                if !is_null {
                    found.add(array);
                }
            }
            pg_sys::systable_endscan(scan);
        }
        pg_sys::table_close(relation, pg_sys::AccessShareLock as i32);
    }
    found
}

impl RoleSettings {
    unsafe fn add(&mut self, array: pg_sys::Datum) {
        // SAFETY: the column of the catalogue is a text[]; values are NUL-terminated.
        unsafe {
            use pgrx::FromDatum;
            let items = Vec::<Option<String>>::from_datum(array, false).unwrap_or_default();
            for item in items.into_iter().flatten() {
                let Some((name, value)) = item.split_once('=') else { continue };
                let lower = name.to_ascii_lowercase();
                // These belong to the frame.
                if matches!(
                    lower.as_str(),
                    "role" | "session_authorization" | "restful.claims" | "restful.method" | "search_path"
                ) || lower.starts_with("transaction_")
                {
                    continue;
                }
                let (Ok(c_name), Ok(c_value)) = (CString::new(name), CString::new(value)) else { continue };
                if lower == "statement_timeout" {
                    self.statement_timeout = milliseconds(&c_value);
                }
                self.settings.retain(|(n, _)| *n != c_name);
                self.settings.push((c_name, c_value));
            }
        }
    }
}

/// A time as PostgreSQL's settings spell it (`3s`, `500`), in milliseconds; `None` for 0, which means no limit.
unsafe fn milliseconds(value: &CStr) -> Option<i64> {
    // SAFETY: the text is NUL-terminated; with no place for a hint none is given.
    unsafe {
        let mut number = 0;
        let understood =
            pg_sys::parse_int(value.as_ptr(), &mut number, pg_sys::GUC_UNIT_MS as i32, std::ptr::null_mut());
        (understood && number > 0).then_some(i64::from(number))
    }
}
