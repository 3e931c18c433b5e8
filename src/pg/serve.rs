//! The functions that SQL calls: they read the arguments and return a composite value.

use crate::error::{Code, Error, Result};
use crate::http::response::{Body, Response};
use crate::http::{Headers, Method};
use crate::json_schema::Unwatched;
use crate::json_schema::binary::BinaryNode;
use crate::pg::answer::Answer;
use crate::pg::execution::Memory;
use crate::pg::ffi::fmgr::{detoasted, sql_function, text};
use crate::pg::ffi::unguarded;
use crate::pg::ffi::varlena::payload;
use crate::pg::ffi::{composite, jsonb};
use crate::pg::handle::{self, Input};
use crate::pg::row_sink::{BodyBuffer, FRONT, MAX_VARLENA};
use jsonschema::json::{Node, Object};
use pgrx::{IntoDatum, pg_sys};
use std::borrow::Cow;
use std::cell::RefCell;
use std::mem::offset_of;

sql_function!(restful_serve, "serve(method text, target text, headers jsonb, body bytea)", |call| serve(call));

unsafe fn serve(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these four arguments.
    unsafe {
        let body = detoasted(call, 3);
        let Answer { response, rows, .. } = handle::handle(&input(call, 2, body));
        let (row_type, headers) = (row_type(call), jsonb::of_headers(&response.headers));
        if response.body == Body::Empty {
            return row_type.form(response.status, headers, None);
        }
        let body = bytes(&response, rows);
        let around = row_type.form_around(response.status, headers, body);
        around.unwrap_or_else(|| row_type.form(response.status, headers, Some(body)))
    }
}

sql_function!(restful_request, "request(method text, target text, body jsonb, headers jsonb)", |call| request(call));

unsafe fn request(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these four arguments.
    unsafe {
        let body = detoasted(call, 2).map(|datum| jsonb::to_text(datum));
        let mut input = input(call, 3, body);
        if input.method == Method::Query.as_str() && body.is_some() {
            // QUERY needs a Content-Type, and the body is JSON.
            input.headers = input.headers.map(|headers| headers.or("content-type", "application/json"));
        }
        as_jsonb(call, handle::handle(&input))
    }
}

sql_function!(restful_batch, "batch(requests jsonb, headers jsonb)", |call| batch(call));

unsafe fn batch(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these two arguments.
    unsafe {
        let body = detoasted(call, 0).map(|datum| jsonb::to_text(datum));
        let memory = Memory { rows: pg_sys::CurrentMemoryContext, body };
        let body = body.map(|datum| payload(datum));
        let input = Input { method: "POST", target: "/batch", headers: headers(call, 1), body, memory };
        as_jsonb(call, handle::handle_batch(&input))
    }
}

/// The answer as a row whose body is a jsonb.
unsafe fn as_jsonb(call: pg_sys::FunctionCallInfo, answer: Answer) -> pg_sys::Datum {
    // SAFETY: the call frame of a function that returns such a row.
    unsafe {
        let Answer { response, rows, .. } = answer;
        let body = if response.body != Body::Empty {
            let bytes = payload(bytes(&response, rows));
            let content_type = response.headers.iter().find(|(n, _)| n == "content-type");
            Some(jsonb::of_body(bytes, content_type.is_some_and(|(_, v)| v.contains("json"))))
        } else {
            None
        };
        row_type(call).form(response.status, jsonb::of_headers(&response.headers), body)
    }
}

/// The arguments as a request: method and target first, the headers at `headers_at`, and the body as a bytea.
unsafe fn input<'a>(call: pg_sys::FunctionCallInfo, headers_at: usize, body: Option<pg_sys::Datum>) -> Input<'a> {
    // SAFETY: the call frame of a running function, whose first two arguments are texts; the body is detoasted.
    unsafe {
        Input {
            method: text(call, 0).unwrap_or_default(),
            target: text(call, 1).unwrap_or_default(),
            headers: headers(call, headers_at),
            body: body.map(|datum| payload(datum)),
            memory: Memory { rows: pg_sys::CurrentMemoryContext, body },
        }
    }
}

unsafe fn headers(call: pg_sys::FunctionCallInfo, i: usize) -> Result<Headers> {
    // SAFETY: the call frame of a running function; the argument is a jsonb.
    unsafe {
        let Some(datum) = detoasted(call, i) else { return Ok(Headers::default()) };
        if let Some(fields) = texts(payload(datum)) {
            return Headers::from_fields(fields);
        }
        let value = serde_json::from_slice(payload(jsonb::to_text(datum))).map_err(|why| {
            Error::new(Code::MalformedRequest, "The request's headers are malformed").details(why.to_string())
        })?;
        Headers::from_json(&value)
    }
}

/// The members of a stored `jsonb`, if it is an object whose values are all texts, as headers mostly are, in UTF-8.
fn texts(stored: &[u8]) -> Option<Vec<(&str, &str)>> {
    let object = BinaryNode::<Unwatched>::root(stored).as_object()?;
    let members = object.members().map(|member| match (member.0, member.1.as_string()?) {
        (Cow::Borrowed(name), Cow::Borrowed(text)) => Some((name, text)),
        _ => None,
    });
    members.collect()
}

/// The body as a bytea with [`FRONT`] free bytes before it.
unsafe fn bytes(response: &Response, rows: Option<BodyBuffer>) -> pg_sys::Datum {
    // SAFETY: the current context outlives the result.
    unsafe {
        let bytes = match (&response.body, rows) {
            (Body::Rows, Some(rows)) => return rows.finish(),
            (Body::Bytes(bytes), _) => bytes.as_slice(),
            _ => b"",
        };
        let mut body = BodyBuffer::new(pg_sys::CurrentMemoryContext, bytes.len(), usize::MAX);
        body.put(bytes);
        body.finish()
    }
}

/// Size in bytes of the header of a row without nulls (htup_details.h).
const ROW_HEADER: usize = offset_of!(pg_sys::HeapTupleHeaderData, t_bits).next_multiple_of(8);

/// The row type of a function's result: status, headers, body.
#[derive(Clone, Copy)]
struct RowType {
    function: pg_sys::Oid,
    descriptor: pg_sys::TupleDesc,
    /// The header of a row, as this server makes it. Apart from the length, its contents differ between minor releases.
    header: Option<[u8; ROW_HEADER]>,
}

thread_local! {
    /// Row types by the function that returns them. The result type of a function does not change.
    static ROW_TYPES: RefCell<Vec<RowType>> = const { RefCell::new(Vec::new()) };
}

unsafe fn row_type(call: pg_sys::FunctionCallInfo) -> RowType {
    // SAFETY: the call frame of a function that returns a row. The descriptor is copied to memory that is never freed.
    unsafe {
        let function = (*(*call).flinfo).fn_oid;
        let known = ROW_TYPES.with_borrow(|types| types.iter().find(|known| known.function == function).copied());
        if let Some(row_type) = known {
            return row_type;
        }
        let mut descriptor = std::ptr::null_mut();
        pg_sys::get_call_result_type(call, std::ptr::null_mut(), &mut descriptor);
        let memory = unguarded::switch_to(pg_sys::TopMemoryContext);
        let descriptor = pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor));
        unguarded::switch_to(memory);
        let mut row_type = RowType { function, descriptor, header: None };
        let empty = b"".as_slice().into_datum();
        let row = row_type.form(0, jsonb::of_headers(&[]), empty).cast_mut_ptr::<pg_sys::HeapTupleHeaderData>();
        if usize::from((*row).t_hoff) == ROW_HEADER {
            row_type.header = Some(row.cast::<[u8; ROW_HEADER]>().read());
        }
        ROW_TYPES.with_borrow_mut(|types| types.push(row_type));
        row_type
    }
}

impl RowType {
    /// Makes a row by copying the values.
    unsafe fn form(&self, status: u16, headers: pg_sys::Datum, body: Option<pg_sys::Datum>) -> pg_sys::Datum {
        // SAFETY: the descriptor has these columns.
        unsafe { composite::form_as(self.descriptor, [Some(i32::from(status).into()), Some(headers), body]) }
    }

    /// Makes the row around a body from [`bytes`], without copying the body: the rest is written in front of it. `None` if the rest
    /// does not fit there.
    ///
    /// The row begins in the middle of its allocation, like one from heap_form_tuple. It is aligned to four bytes, which is enough for
    /// its header and its columns.
    unsafe fn form_around(&self, status: u16, headers: pg_sys::Datum, body: pg_sys::Datum) -> Option<pg_sys::Datum> {
        // SAFETY: the body has FRONT free bytes before it, and the row uses no more than these.
        unsafe {
            const STATUS: usize = size_of::<i32>();
            let headers_size = pgrx::varsize_4b(headers.cast_mut_ptr());
            let before = ROW_HEADER + STATUS + headers_size.next_multiple_of(4);
            let size = before + pgrx::varsize_4b(body.cast_mut_ptr());
            if before > FRONT || size > MAX_VARLENA {
                return None;
            }
            let row = body.cast_mut_ptr::<u8>().sub(before);
            row.cast::<[u8; ROW_HEADER]>().write(self.header?);
            pgrx::set_varsize_4b(row.cast(), size as i32);
            let columns = row.add(ROW_HEADER);
            columns.cast::<i32>().write(status.into());
            // The padding must be zero, or it would be read as the body's header.
            body.cast_mut_ptr::<u32>().sub(1).write(0);
            std::ptr::copy_nonoverlapping(headers.cast_mut_ptr::<u8>(), columns.add(STATUS), headers_size);
            Some(pg_sys::Datum::from(row))
        }
    }
}
