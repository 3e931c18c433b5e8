//! Reads the settings that `ALTER ROLE ... SET` gives to a role.

use crate::pg::ffi::{catalog_scan, unguarded};
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// `pg_db_role_setting` (setdatabase, setrole, setconfig) and its index (pg_db_role_setting.h), which pgrx does not bind.
const PG_DB_ROLE_SETTING: u32 = 2964;
const PG_DB_ROLE_SETTING_INDEX: u32 = 2965;

/// Microseconds after which a role's settings are read again, because PostgreSQL does not announce changes of them.
const SETTINGS_AGE: i64 = 1_000_000;

thread_local! {
    static SETTINGS: RefCell<Option<(pg_sys::Oid, i64, Rc<RoleSettings>)>> = const { RefCell::new(None) };
}

/// The settings of a role.
#[derive(Debug, Default)]
pub struct RoleSettings {
    /// Name and value.
    pub settings: Vec<(CString, CString)>,
    /// `statement_timeout` among them, in milliseconds.
    pub statement_timeout: Option<i64>,
}

/// The settings of a role in this database.
pub fn settings(role: pg_sys::Oid) -> Rc<RoleSettings> {
    let now = unguarded::GetCurrentStatementStartTimestamp();
    let known = SETTINGS.with_borrow(|s| {
        s.as_ref().filter(|(r, at, _)| *r == role && (0..SETTINGS_AGE).contains(&(now - at))).map(|(_, _, s)| s.clone())
    });
    if let Some(settings) = known {
        return settings;
    }
    let settings = Rc::new(load_settings(role));
    SETTINGS.set(Some((role, now, settings.clone())));
    settings
}

fn load_settings(role: pg_sys::Oid) -> RoleSettings {
    let mut found = RoleSettings::default();
    // First for all databases and then for this one, so that the more specific setting wins, as at login.
    // SAFETY: reads a global.
    for database in [pg_sys::InvalidOid, unsafe { pg_sys::MyDatabaseId }] {
        // SAFETY: pg_db_role_setting by its index on both columns. The third column is a text[].
        unsafe {
            catalog_scan::rows(PG_DB_ROLE_SETTING, PG_DB_ROLE_SETTING_INDEX, [(1, database), (2, role)], |row| {
                if let Some(array) = row.value(3) {
                    found.add(array);
                }
            });
        }
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
                // The frame controls these.
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

/// Parses a duration as PostgreSQL's settings spell it (`3s`, `500`), in milliseconds. `None` for 0, which means no limit.
unsafe fn milliseconds(value: &CStr) -> Option<i64> {
    // SAFETY: the text is NUL-terminated, and a null hint pointer is allowed.
    unsafe {
        let mut number = 0;
        let understood =
            pg_sys::parse_int(value.as_ptr(), &mut number, pg_sys::GUC_UNIT_MS as i32, std::ptr::null_mut());
        (understood && number > 0).then_some(i64::from(number))
    }
}
