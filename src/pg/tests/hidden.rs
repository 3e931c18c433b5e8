//! Hidden columns of results.

use super::Test;
use crate::pg::row_sink::{BodyBuffer, Encoders, RowShape, RowSink};
use crate::respond::Captured;
use pgrx::pg_sys;
use std::ffi::CString;

pub(super) const TESTS: &[Test] =
    tests![the_first_and_the_last_row_are_captured, every_shape_leaves_them_out, other_types_are_refused,];

/// The body and the hidden columns of a query whose last two columns are hidden.
fn answered(sql: &str, shape: RowShape) -> (String, Captured) {
    let text = CString::new(sql).unwrap();
    let mut encoders = Encoders::hiding(2, 0);
    // SAFETY: SPI is connected, and the sink outlives the execution.
    unsafe {
        let plan = pg_sys::SPI_prepare(text.as_ptr(), 0, std::ptr::null_mut());
        let mut sink = RowSink::new(BodyBuffer::new(pg_sys::CurrentMemoryContext, 0, usize::MAX), shape, &mut encoders);
        let options = pg_sys::SPIExecuteOptions { dest: sink.receiver(), ..Default::default() };
        pg_sys::SPI_execute_plan_extended(plan, &options);
        let (body, captured) = sink.into_parts();
        (String::from_utf8(body.payload().to_vec()).unwrap(), captured)
    }
}

const OBJECT: RowShape = RowShape::Object { strip_nulls: false };

fn the_first_and_the_last_row_are_captured() {
    let some = |text: &str| Some(text.as_bytes().to_vec());
    let (body, captured) =
        answered("select i, 'v' || i, case when i > 1 then repeat('x', 3000) end from generate_series(1, 3) i", OBJECT);
    assert_eq!(body, r#"{"i":1},{"i":2},{"i":3}"#);
    assert_eq!(captured.first, [some("v1"), None]);
    assert_eq!(captured.last(), [some("v3"), some(&"x".repeat(3000))]);
    let (body, captured) = answered("select 1 as a, '\\x00ff'::bytea, null::text", OBJECT);
    assert_eq!(body, r#"{"a":1}"#);
    assert_eq!(captured.first, [Some(vec![0, 255]), None]);
    assert_eq!(captured.last(), captured.first);
    let (_, captured) = answered("select 1, ''::text, ''::text where false", OBJECT);
    assert_eq!((captured.first.len(), captured.last().len()), (0, 0));
}

fn every_shape_leaves_them_out() {
    let sql = "select 1 as a, 2 as b, 'x'::text as c, 'y'::text as d";
    for (shape, expected) in
        [(RowShape::Csv, "a,b\n1,2"), (RowShape::Raw, "1"), (RowShape::Value, "1"), (RowShape::Lines, "1")]
    {
        let (body, captured) = answered(sql, shape);
        assert_eq!(body, expected, "{shape:?}");
        assert_eq!(captured.first, [Some(b"x".to_vec()), Some(b"y".to_vec())], "{shape:?}");
    }
    assert_eq!(answered("select 'x'::text, 'y'::text", OBJECT).0, "{}");
}

fn other_types_are_refused() {
    let refused = pgrx::PgTryBuilder::new(|| {
        answered("select 1 as a, 'x'::text, 2", OBJECT);
        false
    })
    .catch_others(|_| true)
    .execute();
    assert!(refused);
}
