//! The functions that SQL calls: arguments in, composite value out.

use crate::error::{Code, Error, Result};
use crate::http::Headers;
use crate::http::response::{Body, Response};
use crate::pg::execute;
use crate::pg::handle::{self, Answer, Input};
use crate::pg::jsonb;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::schema_of;
use crate::pg::unguarded;
use crate::pg::whole_errors::with_whole_errors;
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, pg_sys};
use std::cell::RefCell;

extension_sql_file!("../../sql/install.sql", name = "install", bootstrap);
extension_sql_file!("../../sql/request.sql", name = "request", requires = ["install"]);
extension_sql_file!("../../sql/schema_of.sql", name = "schema_of", requires = ["install"]);
extension_sql_file!("../../sql/grants.sql", name = "grants", finalize);

macro_rules! v1_function {
    ($finfo:ident) => {
        #[unsafe(no_mangle)]
        #[doc(hidden)]
        pub extern "C-unwind" fn $finfo() -> &'static pg_sys::Pg_finfo_record {
            const RECORD: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
            &RECORD
        }
    };
}

v1_function!(pg_finfo_restful_serve);
/// `restful.serve(method text, target text, headers jsonb, body bytea)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_serve(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    with_whole_errors(|| serve(call))
}

unsafe fn serve(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    let body = detoasted(call, 3);
    let input = Input {
        method: text(call, 0).unwrap_or_default(),
        target: text(call, 1).unwrap_or_default(),
        headers: headers(call, 2),
        body: body.map(|datum| (varlena(datum), datum)),
    };
    let method = input.method;
    let Answer { response, rows } = handle::handle(input, pg_sys::CurrentMemoryContext);
    let body = if handle::has_body(&response, method) { Some(bytes(&response, rows)) } else { None };
    composite(call, &response, body)
}

v1_function!(pg_finfo_restful_request);
/// `restful.request(method text, target text, body jsonb, headers jsonb)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_request(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    with_whole_errors(|| request(call))
}

unsafe fn request(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    let body = detoasted(call, 2).map(|datum| jsonb::to_text(datum));
    let input = Input {
        method: text(call, 0).unwrap_or_default(),
        target: text(call, 1).unwrap_or_default(),
        headers: headers(call, 3),
        body: body.map(|datum| (varlena(datum), datum)),
    };
    let method = input.method;
    let Answer { response, rows } = handle::handle(input, pg_sys::CurrentMemoryContext);
    let body = if handle::has_body(&response, method) {
        let bytes = varlena(bytes(&response, rows));
        let content_type = response.headers.iter().find(|(n, _)| n == "content-type");
        Some(jsonb::of_body(bytes, content_type.is_some_and(|(_, v)| v.contains("json"))))
    } else {
        None
    };
    composite(call, &response, body)
}

v1_function!(pg_finfo_restful_schema_of);
/// `restful.schema_of(rel regclass)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_schema_of(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // STRICT: there is an argument, and a regclass is an OID
    let relation = argument(call, 0).map_or(0, |datum| datum.value() as u32);
    with_whole_errors(|| schema_of::schema_of(relation))
}

v1_function!(pg_finfo_restful_count_update);
/// `restful.count_update()`
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_count_update(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    execute::count_update();
    true.into()
}

unsafe fn argument(call: pg_sys::FunctionCallInfo, i: usize) -> Option<pg_sys::Datum> {
    let argument = (*call).args.as_slice(i + 1).get(i)?;
    (!argument.isnull).then_some(argument.value)
}

/// A text argument. It is UTF-8, since the extension refuses other databases.
unsafe fn text<'a>(call: pg_sys::FunctionCallInfo, i: usize) -> Option<&'a str> {
    <&str>::from_datum(argument(call, i)?, false)
}

unsafe fn headers(call: pg_sys::FunctionCallInfo, i: usize) -> Result<Headers> {
    let Some(datum) = detoasted(call, i) else { return Ok(Headers::default()) };
    if jsonb::is_empty_object(datum) {
        return Ok(Headers::default());
    }
    let value = serde_json::from_slice(varlena(jsonb::to_text(datum))).map_err(|why| {
        Error::new(Code::MalformedRequest, "The request's headers are malformed").details(why.to_string())
    })?;
    Headers::from_json(&value)
}

/// A varlena argument, detoasted, with a header of four bytes.
unsafe fn detoasted(call: pg_sys::FunctionCallInfo, i: usize) -> Option<pg_sys::Datum> {
    let datum = argument(call, i)?;
    Some(pg_sys::Datum::from(pg_sys::pg_detoast_datum(datum.cast_mut_ptr())))
}

/// The payload of a detoasted varlena.
unsafe fn varlena<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    pgrx::varlena_to_byte_slice(datum.cast_mut_ptr())
}

/// The body as a bytea.
unsafe fn bytes(response: &Response, rows: Option<BodyBuffer>) -> pg_sys::Datum {
    match (&response.body, rows) {
        (Body::Rows, Some(rows)) => rows.finish(),
        (Body::Bytes(bytes), _) => bytes.as_slice().into_datum().unwrap_or(pg_sys::Datum::null()),
        _ => b"".as_slice().into_datum().unwrap_or(pg_sys::Datum::null()),
    }
}

thread_local! {
    /// Row types by the function that returns them. A function's result type does not change.
    static ROW_TYPES: RefCell<Vec<(pg_sys::Oid, pg_sys::TupleDesc)>> = const { RefCell::new(Vec::new()) };
}

unsafe fn row_type(call: pg_sys::FunctionCallInfo) -> pg_sys::TupleDesc {
    let function = (*(*call).flinfo).fn_oid;
    let known = ROW_TYPES.with_borrow(|types| types.iter().find(|(f, _)| *f == function).map(|(_, t)| *t));
    if let Some(row_type) = known {
        return row_type;
    }
    let mut row_type = std::ptr::null_mut();
    pg_sys::get_call_result_type(call, std::ptr::null_mut(), &mut row_type);
    let memory = unguarded::switch_to(pg_sys::TopMemoryContext);
    let row_type = pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(row_type));
    unguarded::switch_to(memory);
    ROW_TYPES.with_borrow_mut(|types| types.push((function, row_type)));
    row_type
}

/// The composite value of a response.
unsafe fn composite(call: pg_sys::FunctionCallInfo, response: &Response, body: Option<pg_sys::Datum>) -> pg_sys::Datum {
    let row_type = row_type(call);
    let mut values = [
        i32::from(response.status).into(),
        jsonb::of_headers(&response.headers),
        body.unwrap_or(pg_sys::Datum::null()),
    ];
    let mut nulls = [false, false, body.is_none()];
    let tuple = pg_sys::heap_form_tuple(row_type, values.as_mut_ptr(), nulls.as_mut_ptr());
    pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data)
}
