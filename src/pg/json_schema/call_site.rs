//! The compiled schema of one call in a statement, kept in `fn_extra` while the statement runs.

use super::cache::{self, Entry, Instance};
use super::{Stored, payload};
use crate::json_schema::Formats;
use crate::pg::catalog::invalidation;
use crate::pg::ffi::nodes;
use pgrx::pg_sys;
use std::ffi::c_void;
use std::rc::Rc;

struct CallSite<I: Instance> {
    entry: Rc<Entry<I::Json>>,
    formats: Formats,
    /// The schema's bytes. `None` if the schema is a constant of the statement.
    schema: Option<Vec<u8>>,
    forget: pg_sys::MemoryContextCallback,
}

/// The compiled schema for this call. Raises an error if the schema is invalid.
///
/// # Safety
/// The call frame must be that of a function whose argument 0 is a schema of the form `S`, not null. The function must use no
/// other combination of `S` and `I`.
#[inline(always)]
pub unsafe fn compiled<'a, S: Stored, I: Instance>(
    call: pg_sys::FunctionCallInfo,
    schema: pg_sys::Datum,
    formats: Formats,
) -> &'a Entry<I::Json> {
    // SAFETY: `fn_extra` of this function only ever holds a call site of these forms.
    unsafe {
        let site = (*(*call).flinfo).fn_extra.cast::<CallSite<I>>();
        if !site.is_null() && (*site).formats == formats && (*site).entry.is_fresh() {
            match &(*site).schema {
                None => return &(*site).entry,
                Some(known) if known.as_slice() == payload(schema) => return &(*site).entry,
                Some(_) => {}
            }
        }
        look_up::<S, I>(call, payload(schema), formats)
    }
}

#[cold]
#[inline(never)]
unsafe fn look_up<'a, S: Stored, I: Instance>(
    call: pg_sys::FunctionCallInfo,
    schema: &[u8],
    formats: Formats,
) -> &'a Entry<I::Json> {
    // SAFETY: as above. A new call site lives in the memory context of the function's state, which drops it.
    unsafe {
        // This statement sees what other sessions have registered before it.
        invalidation::accept();
        let entry = cache::compiled::<S, I>(schema, formats);
        let info = (*call).flinfo;
        let schema = (!is_constant(info)).then(|| schema.to_vec());
        let mut site = (*info).fn_extra.cast::<CallSite<I>>();
        if site.is_null() {
            site = pg_sys::MemoryContextAlloc((*info).fn_mcxt, size_of::<CallSite<I>>()).cast();
            let forget = pg_sys::MemoryContextCallback {
                func: Some(drop_site::<I>),
                arg: site.cast(),
                next: std::ptr::null_mut(),
            };
            site.write(CallSite { entry, formats, schema, forget });
            pg_sys::MemoryContextRegisterResetCallback((*info).fn_mcxt, &raw mut (*site).forget);
            (*info).fn_extra = site.cast();
        } else {
            (*site).entry = entry;
            (*site).formats = formats;
            (*site).schema = schema;
        }
        &(*site).entry
    }
}

unsafe extern "C-unwind" fn drop_site<I: Instance>(site: *mut c_void) {
    // SAFETY: called once, when the memory of the site is freed.
    unsafe { std::ptr::drop_in_place(site.cast::<CallSite<I>>()) }
}

/// Whether argument 0 is a constant. A parameter does not count, because PL/pgSQL evaluates an expression again with other values.
unsafe fn is_constant(info: *mut pg_sys::FmgrInfo) -> bool {
    // SAFETY: the expression is a node tree or null.
    unsafe {
        let call = nodes::cast::<pg_sys::FuncExpr>((*info).fn_expr);
        let first = call.and_then(|call| nodes::pointers::<pg_sys::Node>((*call).args).next());
        first.is_some_and(|first| nodes::cast::<pg_sys::Const>(first).is_some())
    }
}
