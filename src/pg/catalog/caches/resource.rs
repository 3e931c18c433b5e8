//! The settings of a relation for HTTP.

use crate::catalog::ResourceSettings;
use crate::pg::ffi::catalog_scan::{self, Row};
use crate::pg::ffi::own_tables;
use crate::pg::ffi::varlena::payload;
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// The table that holds the settings. `InvalidOid` in a database that has an older version of the extension.
pub fn table() -> Oid {
    own_tables::table(c"resource")
}

/// The settings of a relation.
pub fn settings(relation: Oid) -> ResourceSettings {
    let (table, mut settings) = (table(), ResourceSettings::default());
    if table == pg_sys::InvalidOid {
        return settings;
    }
    // SAFETY: a look-up in the system cache; an unknown column has the number 0.
    let column = |name: &CStr| unsafe { pg_sys::get_attnum(table, name.as_ptr()) };
    let [key, require_match, require_idempotency_key, cache_control, last_modified] =
        [c"relation", c"require_match", c"require_idempotency_key", c"cache_control", c"last_modified"].map(column);
    let index = own_tables::table(c"resource_pkey");
    // SAFETY: the table, the index of its key and the column that is the key; each value is read as what its column holds.
    unsafe {
        catalog_scan::rows(table.to_u32(), index.to_u32(), [(key, relation)], |row| {
            settings = ResourceSettings {
                require_match: value(row, require_match).is_some_and(|value| value.value() as u8 != 0),
                require_idempotency_key: value(row, require_idempotency_key)
                    .is_some_and(|value| value.value() as u8 != 0),
                cache_control: value(row, cache_control)
                    .map(|value| String::from_utf8_lossy(payload(value)).into_owned()),
                last_modified: value(row, last_modified)
                    .map(|value| CStr::from_ptr(value.cast_mut_ptr()).to_string_lossy().into_owned()),
            };
        });
    }
    settings
}

/// The value of a column, if there is such a column.
fn value(row: &Row, column: i16) -> Option<pg_sys::Datum> {
    if column > 0 { row.value(column) } else { None }
}
