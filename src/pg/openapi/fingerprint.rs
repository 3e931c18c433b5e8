//! The fingerprint of the catalogues that a description is made from.
//!
//! A version of a row is named by its place and by the transaction that wrote it, and its contents never change, apart from statistics
//! of tables and the like. So if the versions of all rows are the same, what the catalogues say is the same.

use crate::pg::ffi::{catalog_scan, own_tables};
use pgrx::pg_sys;

/// The catalogues that a description is made from: objects, what is said of them, rights, and what expressions and foreign tables
/// consist of. Rights depend on memberships and on who owns the database.
const CATALOGUES: [u32; 25] = [
    1247, // pg_type
    1249, // pg_attribute
    1255, // pg_proc
    1259, // pg_class
    1260, // pg_authid
    1261, // pg_auth_members
    1262, // pg_database
    1417, // pg_foreign_server
    2328, // pg_foreign_data_wrapper
    2604, // pg_attrdef
    2605, // pg_cast
    2606, // pg_constraint
    2609, // pg_description
    2610, // pg_index
    2611, // pg_inherits
    2615, // pg_namespace
    2617, // pg_operator
    2618, // pg_rewrite
    2620, // pg_trigger
    3118, // pg_foreign_table
    3456, // pg_collation
    3501, // pg_enum
    3541, // pg_range
    3600, // pg_ts_dict
    3602, // pg_ts_config
];

/// The fingerprint of the catalogues, of the registered JSON Schemas of the routes and of the hooks, as they are now.
pub fn now() -> u64 {
    let mut fingerprint = 0;
    let mut add = |number: u64| fingerprint = mixed(fingerprint ^ number);
    let own = [c"json_schema", c"route_entry", c"route_group_entry", c"hook_entry"]
        .map(|name| own_tables::table(name).to_u32());
    for catalogue in CATALOGUES.into_iter().chain(own).filter(|oid| *oid != 0) {
        add(catalogue.into());
        // SAFETY: all rows of a catalogue, or of the extension's own table.
        unsafe {
            catalog_scan::rows(catalogue, pg_sys::InvalidOid.to_u32(), [], |row| {
                let (place, writer) = row.version();
                add(place);
                add(writer.into());
            });
        }
    }
    fingerprint
}

/// Spreads the bits of a number (the finalizer of MurmurHash3 by Austin Appleby).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}
