//! SQL functions that write rows of embedded relations as JSON, with the encoders of the row sink.
//!
//! A statement calls them with the columns of a row as arguments, so no tuple is formed. What a call needs to know of its arguments
//! is found out once and kept in `fn_extra` while the statement runs.

use super::BodyBuffer;
use super::catalog::cast_generation;
use super::datetime::ZoneSpan;
use super::encode::{Column, Writer, object};
use super::varlena::Scratch;
use crate::limits;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, sql_function};
use crate::pg::ffi::varlena::payload;
use crate::pg::guc;
use crate::sqlstate::SqlState;
use pgrx::pg_sys::{self, Datum, FmgrInfo, FunctionCallInfo, MemoryContext, MemoryContextCallback, NullableDatum, Oid};
use serde::Deserialize;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

sql_function!(
    restful_embedded_object,
    r#"embedded_object(names text, VARIADIC "values" "any") returns json"#,
    |call| { one(call, Signature { names: Some(0) }) }
);

sql_function!(restful_embedded_record, "embedded_object(row record) returns json", |call| {
    one(call, Signature { names: None })
});

sql_function!(
    restful_embedded_objects_add,
    r#"embedded_objects_add(state internal, names text, VARIADIC "values" "any") returns internal"#,
    |call| add(call, Signature { names: Some(1) })
);

sql_function!(
    restful_embedded_values_add,
    "embedded_values_add(state internal, value anyelement) returns internal",
    |call| add(call, Signature { names: None })
);

sql_function!(restful_embedded_array, "embedded_array(state internal) returns json", |call| array(call));

/// The names of values.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    OfOne(Vec<String>),
    OfAll { all: Vec<String> },
}

/// The arguments of a function.
#[derive(Clone, Copy)]
struct Signature {
    /// The position of the names, as a JSON array, or as the member `all` of an object: then all lists that the call makes while the
    /// statement runs are part of the response. The values follow, and become an object. Without names, the last argument is written
    /// as it is.
    names: Option<usize>,
}

impl Signature {
    /// The names of this call. Empty without names.
    ///
    /// # Safety
    /// The call of a function with this signature.
    #[inline(always)]
    unsafe fn names<'a>(self, call: FunctionCallInfo) -> &'a [u8] {
        // SAFETY: by contract, the argument is a text.
        unsafe { self.names.and_then(|at| argument(call, at)).map_or(&[], |names| payload(names)) }
    }

    /// The columns of a call.
    ///
    /// # Safety
    /// As [`Self::names`].
    unsafe fn columns(self, call: FunctionCallInfo, names: &[u8]) -> Vec<Column> {
        // SAFETY: by contract.
        let (info, count) = unsafe { ((*call).flinfo, usize::try_from((*call).nargs).unwrap_or(0)) };
        let column = |name: &str, index| Column::new(index, name.as_bytes(), argument_type(info, index));
        let Some(names_at) = self.names else { return vec![column("", count.saturating_sub(1))] };
        // SAFETY: reads the expression of the call.
        let is_list = unsafe { pg_sys::get_fn_expr_variadic(info) };
        let names = match serde_json::from_slice(names) {
            Ok(Names::OfAll { all }) => Ok(all),
            Ok(Names::OfOne(names)) => Ok(names),
            Err(why) => Err(why),
        };
        match names {
            Ok(names) if names.len() + names_at + 1 == count && !is_list => {
                names.iter().zip(names_at + 1..).map(|(name, index)| column(name, index)).collect()
            }
            _ => raise(
                SqlState::INVALID_PARAMETER_VALUE,
                "the names are not a JSON array with one string for each value",
                None,
                None,
            ),
        }
    }
}

/// The type of an argument, as the statement was analysed.
fn argument_type(info: *mut FmgrInfo, index: usize) -> Oid {
    // SAFETY: reads the expression of the call; there is none if the function was called by C code.
    match unsafe { pg_sys::get_fn_expr_argtype(info, index as c_int) } {
        Oid::INVALID => raise(SqlState::INTERNAL_ERROR, "the type of an argument is not known", None, None),
        known => known,
    }
}

/// What one call in a statement keeps while the statement runs.
struct Site {
    /// The names that the columns were made from.
    names: Vec<u8>,
    columns: Vec<Column>,
    cast_generation: u64,
    writer: Writer,
    /// The size of the last list in bytes.
    list_bytes: usize,
    /// The size of all lists in bytes, if all of them are part of the response.
    all_bytes: usize,
    forget: MemoryContextCallback,
}

impl Site {
    /// Allocates the site of a call, which is dropped with the function's memory.
    ///
    /// # Safety
    /// As [`Signature::names`].
    #[cold]
    #[inline(never)]
    unsafe fn make(call: FunctionCallInfo, signature: Signature, names: &[u8]) -> *mut Site {
        // SAFETY: the memory is that of the function's state, which keeps it until it is reset.
        unsafe {
            let memory = (*(*call).flinfo).fn_mcxt;
            let columns = signature.columns(call, names);
            let mut scratch = Scratch::new();
            scratch.start(memory);
            let body = BodyBuffer::new(memory, 0, guc::max_response_bytes());
            let zone = ZoneSpan::default();
            let site = pg_sys::MemoryContextAlloc(memory, size_of::<Site>()).cast::<Site>();
            site.write(Site {
                names: names.to_vec(),
                columns,
                cast_generation: cast_generation(),
                writer: Writer { body, scratch, zone, strip_nulls: false, execution: 1 },
                list_bytes: 0,
                all_bytes: 0,
                forget: MemoryContextCallback { func: Some(drop_site), arg: site.cast(), next: null_mut() },
            });
            pg_sys::MemoryContextRegisterResetCallback(memory, &raw mut (*site).forget);
            site
        }
    }

    /// Appends the values of a call to the body.
    ///
    /// # Safety
    /// The call must be one that the columns were made for.
    #[inline(always)]
    unsafe fn write(&mut self, call: FunctionCallInfo, signature: Signature) {
        // SAFETY: by contract. The values stay in place while the function runs.
        unsafe {
            let outer = pg_sys::CurrentMemoryContext;
            let row: *const NullableDatum = (*call).args.as_ptr();
            match (signature.names, self.columns.first_mut()) {
                (None, Some(column)) => match column.value(row) {
                    Some(value) => column.encoder.encode(value, &mut self.writer),
                    None => self.writer.body.put(b"null"),
                },
                _ => object(&mut self.columns, row, &mut self.writer),
            }
            self.writer.scratch.leave(outer);
            self.writer.body.check_limit();
        }
    }
}

unsafe extern "C-unwind" fn drop_site(site: *mut c_void) {
    // SAFETY: called once, when the memory of the site is freed.
    unsafe { std::ptr::drop_in_place(site.cast::<Site>()) }
}

/// Runs `work` with the site of a call.
///
/// # Safety
/// As [`Signature::names`].
#[inline(always)]
unsafe fn at_site<T>(call: FunctionCallInfo, signature: Signature, work: impl FnOnce(&mut Site) -> T) -> T {
    // SAFETY: `fn_extra` of these functions only ever holds a site, and each function has one signature.
    unsafe {
        let names = signature.names(call);
        // Taken out while it is used, because the cast of a user may make this same call. An error leaves nothing half done behind.
        let mut site = std::mem::replace(&mut (*(*call).flinfo).fn_extra, null_mut()).cast::<Site>();
        if site.is_null() {
            site = Site::make(call, signature, names);
        } else if (*site).names != names || (*site).cast_generation != cast_generation() {
            (*site).columns = signature.columns(call, names);
            (*site).names = names.to_vec();
            (*site).cast_generation = cast_generation();
        }
        let result = work(&mut *site);
        (*(*call).flinfo).fn_extra = site.cast();
        result
    }
}

/// A json of the values of one call.
///
/// # Safety
/// As [`Signature::names`].
#[inline(always)]
unsafe fn one(call: FunctionCallInfo, signature: Signature) -> Datum {
    // SAFETY: by contract. The text is copied to memory of its size.
    unsafe {
        at_site(call, signature, |site| {
            site.writer.body.truncate(0);
            site.write(call, signature);
            let text = site.writer.body.payload();
            let size = pg_sys::VARHDRSZ + text.len();
            let json = pg_sys::palloc(size).cast::<u8>();
            pgrx::set_varsize_4b(json.cast(), size as i32);
            std::ptr::copy_nonoverlapping(text.as_ptr(), json.add(pg_sys::VARHDRSZ), text.len());
            Datum::from(json)
        })
    }
}

/// The state of an aggregate with the values of one more call in it: a list that lacks its closing bracket.
///
/// # Safety
/// As [`Signature::names`], with a state of this function as the first argument.
#[inline(always)]
unsafe fn add(call: FunctionCallInfo, signature: Signature) -> Datum {
    // SAFETY: by contract. The list belongs to this call alone while it runs.
    unsafe {
        at_site(call, signature, |site| {
            let list = match argument(call, 0) {
                Some(list) => list.cast_mut_ptr::<BodyBuffer>(),
                None => new_list(call, site.list_bytes),
            };
            std::ptr::swap(list, &mut site.writer.body);
            let before = site.writer.body.len();
            if site.writer.body.len() > 1 {
                site.writer.body.byte(b',');
            }
            site.write(call, signature);
            if site.names.first() == Some(&b'{') {
                // All groups may be in memory at the same time.
                site.all_bytes += site.writer.body.len() - before;
                site.writer.body.check_limit_with(site.all_bytes.saturating_sub(site.writer.body.len()));
            }
            std::ptr::swap(list, &mut site.writer.body);
            site.list_bytes = (*list).len();
            Datum::from(list)
        })
    }
}

/// A list in the memory of the group that is aggregated. `last`: the size of the last one in bytes.
///
/// # Safety
/// The call of an aggregate's transition function.
#[cold]
#[inline(never)]
unsafe fn new_list(call: FunctionCallInfo, last: usize) -> *mut BodyBuffer {
    let mut memory: MemoryContext = null_mut();
    // SAFETY: by contract, or else there is no such memory.
    unsafe {
        if pg_sys::AggCheckCallContext(call, &mut memory) == 0 {
            raise(SqlState::INTERNAL_ERROR, "this function is part of an aggregate", None, None);
        }
        let mut list = BodyBuffer::new(memory, (last + last / 8).min(limits::BODY_CAPACITY), guc::max_response_bytes());
        list.byte(b'[');
        let state = pg_sys::MemoryContextAlloc(memory, size_of::<BodyBuffer>()).cast::<BodyBuffer>();
        state.write(list);
        state
    }
}

/// The list of a group as json, without a copy. The state is used up. Null if no row was added.
///
/// # Safety
/// The call of an aggregate's final function, after transitions by [`add`].
unsafe fn array(call: FunctionCallInfo) -> Datum {
    // SAFETY: by contract, the state is a list that nothing else uses any more.
    unsafe {
        let Some(list) = argument(call, 0) else {
            (*call).isnull = true;
            return Datum::null();
        };
        let mut list = list.cast_mut_ptr::<BodyBuffer>().read();
        list.byte(b']');
        let json = list.finish();
        // PostgreSQL before 16 looks here for the owner of a chunk of memory. There is none, so it copies the value.
        json.cast_mut_ptr::<*mut c_void>().sub(1).write(null_mut());
        json
    }
}
