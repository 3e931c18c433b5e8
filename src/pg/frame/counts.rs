//! Counts rows by functions that are called within the statement of a request. A request that runs within that statement, such as in
//! a trigger, has its own frame, and so its own counts.

use super::Frame;
use super::open::{Counted, open};
use crate::pg::ffi::fmgr::{Function, v1_function};
use pgrx::{pg_guard, pg_sys};

/// The functions that count. They read nothing of the request.
pub const COUNTERS: &[Function] = &[restful_count_row, restful_count_update, restful_count_element];

/// Counts a row that was changed, or returned by a function.
fn count_row() {
    count(|counted| counted.rows += 1);
}

/// Counts a row that an upsert found in place and is about to update.
fn count_update() {
    count(|counted| counted.updates += 1);
}

fn count(add: impl FnOnce(&mut Counted)) {
    if let Some(open) = open() {
        let mut counted = open.counted.get();
        add(&mut counted);
        open.counted.set(counted);
    }
}

impl Frame<'_> {
    /// Starts to count from zero, for a statement that is about to run under the role.
    pub fn start_counting(&self) {
        self.open.counted.set(Counted::default());
        self.open.elements.borrow_mut().clear();
    }

    /// The elements of the body that have named a changed row, by their numbers from 1, once for each row.
    pub fn take_elements(&self) -> Vec<i64> {
        self.open.elements.take()
    }

    /// What the statement has counted so far.
    pub fn counted(&self) -> Counted {
        self.open.counted.get()
    }
}

v1_function!(restful_count_row);
/// `restful.count_row(counted boolean)`
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_count_row(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    count_row();
    true.into()
}

v1_function!(restful_count_update);
/// `restful.count_update()`
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_count_update(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    count_update();
    true.into()
}

v1_function!(restful_count_element);
/// `restful.count_element(number bigint)`
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_count_element(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL passes the declared argument, which is not null because the function is strict.
    let number = unsafe { (*call).args.as_ptr().read().value };
    if let Some(open) = open() {
        open.elements.borrow_mut().push(number.value() as i64);
    }
    number
}
