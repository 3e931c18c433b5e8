//! Encodes composite values as JSON objects, as `composite_to_json` of utils/adt/json.c does.

use super::encode::{Column, Writer, columns, object};
use super::varlena::{Scratch, check_stack};
use crate::pg::ffi::composite;
use crate::pg::ffi::unguarded::under_one_guard;
use crate::pg::ffi::varlena::is_plain;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{Datum, HeapTupleHeader, Oid};

/// The encoders of a row type's columns, found at the first value. Each value states its type, because a column of type `record` may
/// hold several.
#[derive(Default)]
pub(super) struct CompositeEncoder {
    type_oid: Oid,
    typmod: i32,
    /// The type cache assigns it. It changes with the definition of the type.
    identifier: u64,
    columns: Vec<Column>,
    values: Vec<Datum>,
    nulls: Vec<bool>,
}

impl CompositeEncoder {
    /// # Safety
    /// `datum` must be a valid composite value until the row ends.
    #[inline(never)]
    pub unsafe fn encode(&mut self, datum: Datum, writer: &mut Writer) {
        check_stack();
        // SAFETY: the header names the type. Look-ups raise errors under the guard. The descriptor is pinned until the columns are
        // written, because values missing in the tuple come from it.
        unsafe {
            let header = header(datum, &mut writer.scratch);
            let (type_oid, typmod) = composite::type_of(header);
            let (descriptor, identifier) = pg_guard_ffi_boundary(|| {
                let descriptor = under_one_guard::lookup_rowtype_tupdesc(type_oid, typmod);
                (descriptor, under_one_guard::assign_record_type_identifier(type_oid, typmod))
            });
            if (self.type_oid, self.typmod, self.identifier) != (type_oid, typmod, identifier) {
                let width = composite::attribute_count(descriptor);
                *self = Self {
                    type_oid,
                    typmod,
                    identifier,
                    columns: columns(descriptor),
                    values: vec![Datum::null(); width],
                    nulls: vec![true; width],
                };
            }
            composite::deform(header, descriptor, self.values.as_mut_ptr(), self.nulls.as_mut_ptr());
            object(&mut self.columns, (self.values.as_ptr(), self.nulls.as_ptr()), writer);
            if (*descriptor).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(descriptor);
            }
        }
    }
}

/// Raises 22P07 for a value that is older than a change of its type, on servers whose output function would not check that.
///
/// # Safety
/// `datum` must be a valid composite value until the row ends.
pub(super) unsafe fn check_layout(datum: Datum, writer: &mut Writer) {
    if composite::has_versions() {
        return;
    }
    // SAFETY: the header names the type, whose descriptor is pinned while it is read.
    unsafe {
        let header = header(datum, &mut writer.scratch);
        let (type_oid, typmod) = composite::type_of(header);
        let descriptor = pg_sys::lookup_rowtype_tupdesc(type_oid, typmod);
        composite::check_layout(header, descriptor);
        if (*descriptor).tdrefcount >= 0 {
            pg_sys::DecrTupleDescRefCount(descriptor);
        }
    }
}

/// The header of a value, valid until the row ends.
///
/// # Safety
/// `datum` must be a valid composite value until the row ends.
unsafe fn header(datum: Datum, scratch: &mut Scratch) -> HeapTupleHeader {
    // SAFETY: by contract; a copy lies in the scratch context.
    unsafe {
        if is_plain(*datum.cast_mut_ptr::<u8>()) && composite::is_plain(datum) {
            return datum.cast_mut_ptr();
        }
        scratch.enter();
        composite::header(datum)
    }
}
