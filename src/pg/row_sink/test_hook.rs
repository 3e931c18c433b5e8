//! A function only for tests. It runs a query into a sink, so that SQL can compare the body with PostgreSQL's own text.
//!
//! ```sql
//! create function restful_test_body(sql text, shape text, max_bytes bigint) returns text
//!   language c strict as 'path of the library', 'restful_test_body';
//! ```
//! `shape`: `object`, `stripped`, `value` or `raw`. The first two come in brackets, as `value` does.

use super::{BodyBuffer, Encoders, RowShape, RowSink, varlena};
use crate::pg::ffi::fmgr::v1_function;
use pgrx::pg_sys;
use pgrx::prelude::*;
use std::cell::RefCell;
use std::collections::HashMap;

/// A saved plan and its encoders, as the request path keeps them.
struct Prepared {
    plan: pg_sys::SPIPlanPtr,
    encoders: Encoders,
}

thread_local! {
    static PREPARED: RefCell<HashMap<Vec<u8>, Prepared>> = RefCell::new(HashMap::new());
}

v1_function!(restful_test_body);
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_test_body(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: called by PostgreSQL with the arguments of the declaration above, none of them null.
    unsafe {
        let argument = |index: usize| (*fcinfo).args.as_ptr().add(index).read().value;
        let text = |datum| {
            let mut scratch = varlena::Scratch::new();
            scratch.start(pg_sys::CurrentMemoryContext);
            let bytes = varlena::payload(datum, &mut scratch).to_vec();
            pg_sys::CurrentMemoryContext = scratch.parent();
            bytes
        };
        let (sql, shape) = (text(argument(0)), text(argument(1)));
        let shape = match shape.as_slice() {
            b"stripped" => RowShape::Object { strip_nulls: true },
            b"value" => RowShape::Value,
            b"raw" => RowShape::Raw,
            _ => RowShape::Object { strip_nulls: false },
        };
        let limit = argument(2).value();

        let result_context = pg_sys::CurrentMemoryContext;
        pg_sys::SPI_connect();
        // Taken out while it runs, because the query may call this function again.
        let mut prepared = PREPARED.with_borrow_mut(|all| all.remove(&sql)).unwrap_or_else(|| prepare(&sql));
        let mut body = BodyBuffer::new(result_context, 8192, limit);
        if shape != RowShape::Raw {
            body.byte(b'[');
        }
        let mut sink = RowSink::new(body, shape, &mut prepared.encoders);
        let options = pg_sys::SPIExecuteOptions { dest: sink.receiver(), ..Default::default() };
        let status = pg_sys::SPI_execute_plan_extended(prepared.plan, &options);
        if status < 0 {
            error!("SPI_execute_plan_extended: {status}");
        }
        let rows = sink.rows();
        let (mut body, _) = sink.into_parts();
        if shape != RowShape::Raw {
            body.byte(b']');
        }
        if status == pg_sys::SPI_OK_SELECT as i32 && rows != pg_sys::SPI_processed {
            let processed = pg_sys::SPI_processed;
            error!("the sink counted {rows} rows, SPI {processed}");
        }
        pg_sys::SPI_finish();
        PREPARED.with_borrow_mut(|all| all.insert(sql, prepared));
        body.finish()
    }
}

/// # Safety
/// SPI must be connected.
unsafe fn prepare(sql: &[u8]) -> Prepared {
    let Ok(text) = std::ffi::CString::new(sql) else { error!("a zero byte in a query") };
    // SAFETY: by contract; the text is copied.
    unsafe {
        let plan = pg_sys::SPI_prepare(text.as_ptr(), 0, std::ptr::null_mut());
        if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
            error!("SPI_prepare failed");
        }
        Prepared { plan, encoders: Encoders::default() }
    }
}
