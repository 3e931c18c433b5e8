//! What a session does before it lets go of shared memory.

use pgrx::pg_sys;

/// Lets a function run when the session ends in any way but a crash. Called once per function.
pub fn register(run: fn()) {
    let run = pg_sys::Datum::from(run as *const () as usize);
    // SAFETY: the callback takes what is given to it here.
    unsafe { pg_sys::before_shmem_exit(Some(call), run) };
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn call(_code: std::ffi::c_int, run: pg_sys::Datum) {
    // SAFETY: `register` was given this function.
    let run: fn() = unsafe { std::mem::transmute(run.value()) };
    run();
}
