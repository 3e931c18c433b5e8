//! Composite values to JSON objects: `composite_to_json` of utils/adt/json.c.

use super::encode::{Column, Writer, columns, object};
use super::varlena::{aligned, check_stack};
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};

/// The encoders of a row type's columns, found at the first value. A value says its own type: a column of type `record`
/// may hold several.
#[derive(Default)]
pub(super) struct CompositeEncoder {
    type_oid: Oid,
    typmod: i32,
    /// Given by the type cache; changes with the definition of the type.
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
        // SAFETY: an aligned composite datum is a HeapTupleHeader that names its type; look-ups raise errors. The
        // descriptor is pinned until the columns are written, since values missing in the tuple are taken from it.
        unsafe {
            let datum = aligned(datum, &mut writer.scratch);
            let header: pg_sys::HeapTupleHeader = datum.cast_mut_ptr();
            let pg_sys::DatumTupleFields { datum_typeid, datum_typmod, .. } = (*header).t_choice.t_datum;
            let descriptor = pg_sys::lookup_rowtype_tupdesc(datum_typeid, datum_typmod);
            let identifier = pg_sys::assign_record_type_identifier(datum_typeid, datum_typmod);
            if (self.type_oid, self.typmod, self.identifier) != (datum_typeid, datum_typmod, identifier) {
                let width = super::catalog::attribute_count(descriptor);
                *self = Self {
                    type_oid: datum_typeid,
                    typmod: datum_typmod,
                    identifier,
                    columns: columns(descriptor),
                    values: vec![Datum::null(); width],
                    nulls: vec![true; width],
                };
            }
            let mut tuple = pg_sys::HeapTupleData {
                t_len: pgrx::varsize_4b(datum.cast_mut_ptr()) as u32,
                t_data: header,
                ..Default::default()
            };
            pg_sys::heap_deform_tuple(&mut tuple, descriptor, self.values.as_mut_ptr(), self.nulls.as_mut_ptr());
            object(&mut self.columns, self.values.as_ptr(), self.nulls.as_ptr(), writer);
            if (*descriptor).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(descriptor);
            }
        }
    }
}
