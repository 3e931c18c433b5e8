//! Composite values, read through PostgreSQL's own accessors, and checked where the server does not check them.
//!
//! A value that is older than an ALTER of its type does not have the type's layout. Servers with the fix of CVE-2026-6460 (14.25,
//! 15.20, 16.16, 17.12, 18.7) mark values with the version of their type: `DatumGetHeapTupleHeader` is a function there, and
//! `heap_deform_tuple` refuses a value of another version with 22P07. On older servers, we read a value only if it has the layout of
//! its type to the last byte, so that no read goes beyond it.

use super::unguarded::under_one_guard::read;
use super::{error, varlena};
use crate::sqlstate::SqlState;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, Datum, HeapTupleHeader, Oid, TupleDesc};
use std::ffi::{CStr, c_int};
use std::sync::OnceLock;

/// The mark of composite values on servers that give them a version (access/htup_details.h). A row in a table never has both bits.
const IS_DATUM: u16 = (pg_sys::HEAP_XMAX_COMMITTED | pg_sys::HEAP_XMAX_INVALID) as u16;

type Accessor = unsafe extern "C-unwind" fn(Datum) -> HeapTupleHeader;

/// `DatumGetHeapTupleHeader`, on servers where it is a function. It is looked up, not linked, because the library must run on every
/// minor release of its version, whichever one it was built with.
fn accessor() -> Option<Accessor> {
    static FOUND: OnceLock<Option<Accessor>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // SAFETY: the name is NUL-terminated, and the server's function of this name has this signature (fmgr.h).
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"DatumGetHeapTupleHeader".as_ptr());
            std::mem::transmute::<*mut libc::c_void, Option<Accessor>>(found)
        }
    })
}

/// Whether the server itself refuses values that are older than their type.
pub fn has_versions() -> bool {
    accessor().is_some()
}

/// The header of a composite value. Copies the value to the current context unless it [`is_plain`].
///
/// # Safety
/// `datum` must be a valid composite value.
pub unsafe fn header(datum: Datum) -> HeapTupleHeader {
    // SAFETY: by contract. Errors are raised within the guard.
    unsafe {
        match accessor() {
            Some(accessor) => pg_guard_ffi_boundary(|| read(accessor, datum)),
            None => pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast(),
        }
    }
}

/// Whether a value in memory, neither compressed nor out of line, can be used as its own header. On servers with versions, the value
/// must be marked for that.
///
/// # Safety
/// `datum` must be a valid composite value with a header of four bytes.
#[inline]
pub unsafe fn is_plain(datum: Datum) -> bool {
    // SAFETY: by contract.
    let marks = unsafe { (*datum.cast_mut_ptr::<pg_sys::HeapTupleHeaderData>()).t_infomask };
    marks & IS_DATUM == IS_DATUM || !has_versions()
}

/// The type of a value and its modifier, as `HeapTupleHeaderGetTypMod` returns it. Otherwise the field holds a version.
///
/// # Safety
/// `header` must be valid.
#[inline]
pub unsafe fn type_of(header: HeapTupleHeader) -> (Oid, i32) {
    // SAFETY: by contract.
    let pg_sys::DatumTupleFields { datum_typeid, datum_typmod, .. } = unsafe { (*header).t_choice.t_datum };
    (datum_typeid, if datum_typeid == pg_sys::RECORDOID { datum_typmod } else { -1 })
}

/// Splits a value into the columns of its type's descriptor, including dropped ones.
///
/// Raises 22P07 for a value that is older than a change of its type. Servers without versions do not notice, so there we raise it if
/// the value's layout shows it.
///
/// # Safety
/// `header` must be that of a value, `descriptor` that of its type, `values` and `nulls` as long as it is wide.
pub unsafe fn deform(header: HeapTupleHeader, descriptor: TupleDesc, values: *mut Datum, nulls: *mut bool) {
    // SAFETY: by contract; the length is that of the varlena.
    unsafe {
        if !has_versions() {
            check_layout(header, descriptor);
        }
        let length = pgrx::varsize_4b(header.cast()) as u32;
        let mut tuple = pg_sys::HeapTupleData { t_len: length, t_data: header, ..Default::default() };
        pg_sys::heap_deform_tuple(&mut tuple, descriptor, values, nulls);
    }
}

/// Raises 22P07 for a value that does not have the layout of its type. For servers without versions.
///
/// # Safety
/// `header` must be that of a value, `descriptor` that of its type.
pub unsafe fn check_layout(header: HeapTupleHeader, descriptor: TupleDesc) {
    // SAFETY: by contract; the length is that of the varlena.
    unsafe {
        let type_oid = (*header).t_choice.t_datum.datum_typeid;
        let bytes = std::slice::from_raw_parts(header.cast::<u8>().cast_const(), pgrx::varsize_4b(header.cast()));
        // The type of a record cannot be altered.
        if type_oid != pg_sys::RECORDOID && !has_layout(bytes, header, descriptor) {
            refuse(type_oid);
        }
    }
}

/// Whether the columns of a value end exactly where the value ends, and none begins before its data.
///
/// # Safety
/// `header` must be at the beginning of `bytes`, `descriptor` valid.
unsafe fn has_layout(bytes: &[u8], header: HeapTupleHeader, descriptor: TupleDesc) -> bool {
    // SAFETY: by contract.
    let (count, marks, width, start) = unsafe {
        let header = &*header;
        let count = usize::from(header.t_infomask2 & pg_sys::HEAP_NATTS_MASK as u16);
        (count, header.t_infomask, attribute_count(descriptor), usize::from(header.t_hoff))
    };
    let has_nulls = marks & pg_sys::HEAP_HASNULL as u16 != 0;
    let bitmap = bytes.get(std::mem::offset_of!(pg_sys::HeapTupleHeaderData, t_bits)..start).unwrap_or_default();
    let Some(data) = bytes.get(start..) else { return false };
    let mut offset = 0;
    for index in 0..count.min(width) {
        if has_nulls && bitmap.get(index / 8).is_none_or(|byte| byte & 1 << (index % 8) == 0) {
            continue;
        }
        // SAFETY: the index is below the count.
        let attribute = unsafe { attribute(descriptor, index) };
        match end(data, offset, attribute.attlen, alignment(attribute.attalign as u8)) {
            Some(end) => offset = end,
            None => return false,
        }
    }
    // A value of a child type has more columns than its parent type.
    count > width || offset == data.len()
}

/// The end of the column that begins at an offset, or at the next aligned one. `None` if that is not within the data.
fn end(data: &[u8], offset: usize, length: i16, alignment: usize) -> Option<usize> {
    let aligned = offset.next_multiple_of(alignment);
    let (start, size) = match length {
        -1 => {
            // A zero byte is padding, because no varlena begins with one.
            let start = if *data.get(offset)? == 0 { aligned } else { offset };
            (start, varlena::size(data.get(start..)?)?)
        }
        -2 => (offset, data.get(offset..)?.iter().position(|byte| *byte == 0)? + 1),
        length => (aligned, usize::try_from(length).ok()?),
    };
    start.checked_add(size).filter(|end| *end <= data.len())
}

/// The alignment in bytes for a code of `pg_type.typalign`.
pub fn alignment(code: u8) -> usize {
    match code {
        pg_sys::TYPALIGN_CHAR => 1,
        pg_sys::TYPALIGN_SHORT => std::mem::align_of::<i16>(),
        pg_sys::TYPALIGN_INT => std::mem::align_of::<c_int>(),
        _ => std::mem::align_of::<f64>(),
    }
}

/// Raises the error of servers with versions, in our words.
#[cold]
fn refuse(type_oid: Oid) -> ! {
    // SAFETY: the look-up returns a text for any OID.
    let name = unsafe { CStr::from_ptr(pg_sys::format_type_be(type_oid)) }.to_string_lossy();
    error::raise(
        SqlState::INVALID_ROW_VERSION,
        &format!("a value of type {name} does not have the layout of its type"),
        Some("The type was altered after the value was made."),
        Some("Repeat the request: values made from now on have the new layout."),
    )
}

/// The attribute at `index` (from 0).
///
/// # Safety
/// `descriptor` must be valid and have more than `index` attributes; the result lives as long as it.
#[inline]
pub unsafe fn attribute<'a>(descriptor: TupleDesc, index: usize) -> &'a pg_sys::FormData_pg_attribute {
    #[cfg(feature = "pg18")]
    // SAFETY: by contract.
    unsafe {
        &*pg_sys::TupleDescAttr(descriptor, index as c_int)
    }
    #[cfg(not(feature = "pg18"))]
    // SAFETY: by contract.
    unsafe {
        &*(*descriptor).attrs.as_ptr().add(index)
    }
}

/// The number of attributes of a descriptor, including dropped ones.
///
/// # Safety
/// `descriptor` must be valid.
#[inline]
pub unsafe fn attribute_count(descriptor: TupleDesc) -> usize {
    // SAFETY: by contract; the number is never negative.
    unsafe { (*descriptor).natts as usize }
}

/// Forms a row of the type that a function returns.
///
/// # Safety
/// The call frame of a function that returns a composite type with as many columns as there are values, of their types.
pub unsafe fn form<const N: usize>(call: pg_sys::FunctionCallInfo, row: [Option<Datum>; N]) -> Datum {
    let mut descriptor = std::ptr::null_mut();
    // SAFETY: promised by the caller.
    unsafe {
        pg_sys::get_call_result_type(call, std::ptr::null_mut(), &mut descriptor);
        form_as(pg_sys::BlessTupleDesc(descriptor), row)
    }
}

/// Forms a row of a type.
///
/// # Safety
/// `descriptor` must be blessed, with as many columns as there are values, of their types.
pub unsafe fn form_as<const N: usize>(descriptor: TupleDesc, row: [Option<Datum>; N]) -> Datum {
    let mut nulls = row.map(|column| column.is_none());
    let mut values = row.map(|column| column.unwrap_or(Datum::null()));
    // SAFETY: promised by the caller; the values are copied.
    unsafe {
        let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data)
    }
}
