//! Memory that all sessions of the server share, whether or not the library is preloaded.
//!
//! The library's part of the main segment is an anchor of a few bytes, which fits into what PostgreSQL leaves free there. It names a
//! dynamic shared memory segment (dsm.h), which can have any size. Both go when the server restarts, also after the crash of a session.

use super::subtransaction::{self, End};
use super::unguarded::in_hooks;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The name of the anchor in PostgreSQL's index of shared memory. It has the number of the layout, so that sessions with different
/// versions of the library do not share memory.
const NAME: &CStr = c"pg_restful 1";

/// AddinShmemInitLock, by its place in PostgreSQL's list of locks (lwlocknames.txt, lwlocklist.h), which is the same in PostgreSQL 14 to 18.
const ADDIN_SHMEM_INIT_LOCK: usize = 21;

/// What the main segment holds.
#[repr(C)]
struct Anchor {
    /// The handle of the dynamic segment; 0 before there is one.
    handle: AtomicU32,
}

/// The beginning of the dynamic segment.
#[repr(C)]
struct Header {
    /// Bytes of the segment.
    size: AtomicU64,
    seed: [AtomicU64; 2],
}

/// A type of which shared memory may hold values.
///
/// # Safety
/// All zeroes is a value of it, and sessions may read and write values of it at the same time: it consists of atomic values.
pub unsafe trait Shared: Sync + 'static {}

/// The segment, attached to this session until it ends.
#[derive(Clone, Copy)]
pub struct Segment {
    start: *mut u8,
    size: usize,
}

/// Asks PostgreSQL to set memory aside, if the library is being preloaded. Otherwise the anchor takes what is free.
pub fn reserve() {
    // SAFETY: PostgreSQL calls _PG_init, and hooks, in one thread.
    unsafe {
        if !pg_sys::process_shared_preload_libraries_in_progress {
            return;
        }
        #[cfg(feature = "pg14")]
        pg_sys::RequestAddinShmemSpace(size_of::<Anchor>());
        #[cfg(not(feature = "pg14"))]
        {
            NEXT = pg_sys::shmem_request_hook;
            pg_sys::shmem_request_hook = Some(request);
        }
    }
}

/// The previously installed hook. Set once.
#[cfg(not(feature = "pg14"))]
static mut NEXT: pg_sys::shmem_request_hook_type = None;

#[cfg(not(feature = "pg14"))]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn request() {
    // SAFETY: PostgreSQL calls the hook while memory may be requested.
    unsafe {
        in_hooks::next_shmem_request(NEXT);
        pg_sys::RequestAddinShmemSpace(size_of::<Anchor>());
    }
}

/// Attaches the segment; makes it if there is none. `size`: bytes of a new one.
///
/// # Errors
/// PostgreSQL's message if there is no room, in the main segment or in the system's shared memory.
pub fn attach(size: usize) -> Result<Segment, String> {
    let size = size.max(size_of::<Header>());
    // An error leaves locks, which the end of a subtransaction releases.
    subtransaction::run(|| {
        // SAFETY: within a transaction; the lock is held while the anchor and the segment are made.
        let segment = unsafe {
            let lock = &raw mut (*pg_sys::MainLWLockArray.add(ADDIN_SHMEM_INIT_LOCK)).lock;
            pg_sys::LWLockAcquire(lock, pg_sys::LWLockMode::LW_EXCLUSIVE);
            let segment = attached(size);
            pg_sys::LWLockRelease(lock);
            segment
        };
        (segment, End::Commit)
    })
    .map_err(|failed| failed.raised.message)
}

/// # Safety
/// Within a transaction, and under AddinShmemInitLock.
unsafe fn attached(size: usize) -> Segment {
    // SAFETY: promised by the caller. The segment begins with a header, which is written before others can find it.
    unsafe {
        let mut found = false;
        let anchor = pg_sys::ShmemInitStruct(NAME.as_ptr(), size_of::<Anchor>(), &mut found).cast::<Anchor>();
        if !found {
            ptr::write_bytes(anchor, 0, 1);
        }
        let handle = (*anchor).handle.load(Ordering::Acquire);
        if handle != 0 {
            let known = pg_sys::dsm_find_mapping(handle);
            let segment = if known.is_null() { pg_sys::dsm_attach(handle) } else { known };
            if segment.is_null() {
                pgrx::error!("the segment of shared memory is gone");
            }
            pg_sys::dsm_pin_mapping(segment);
            let start = pg_sys::dsm_segment_address(segment).cast::<u8>();
            let size = (*start.cast::<Header>()).size.load(Ordering::Relaxed) as usize;
            return Segment { start, size };
        }
        let segment = pg_sys::dsm_create(size, 0);
        let start = pg_sys::dsm_segment_address(segment).cast::<u8>();
        ptr::write_bytes(start, 0, size);
        let header = &*start.cast::<Header>();
        header.size.store(size as u64, Ordering::Relaxed);
        for part in &header.seed {
            let mut random = [0; 8];
            if !pg_sys::pg_strong_random(random.as_mut_ptr().cast(), random.len()) {
                pgrx::error!("there are no random numbers");
            }
            part.store(u64::from_ne_bytes(random), Ordering::Relaxed);
        }
        pg_sys::dsm_pin_segment(segment);
        pg_sys::dsm_pin_mapping(segment);
        (*anchor).handle.store(pg_sys::dsm_segment_handle(segment), Ordering::Release);
        Segment { start, size }
    }
}

impl Segment {
    /// Bytes of it.
    pub fn size(self) -> usize {
        self.size
    }

    /// Random numbers, the same for all sessions until the server restarts, from which hashes are made that nobody can foresee.
    pub fn seed(self) -> [u64; 2] {
        // SAFETY: the segment begins with the header, and stays attached.
        let header = unsafe { &*self.start.cast::<Header>() };
        header.seed.each_ref().map(|part| part.load(Ordering::Relaxed))
    }

    /// The values between two places, in sixteenths of the segment. Nobody may read the same place as values of another type.
    pub fn part<T: Shared>(self, from: usize, to: usize) -> &'static [T] {
        let space = self.size - size_of::<Header>();
        let place = |sixteenths: usize| (space / 16 * sixteenths.min(16)).next_multiple_of(64) + size_of::<Header>();
        let (from, to) = (place(from).next_multiple_of(64), place(to).min(self.size));
        let count = to.saturating_sub(from) / size_of::<T>().max(1);
        // SAFETY: within the segment, which is aligned to a page, is never detached, and consists of zeroes and of such values.
        unsafe { std::slice::from_raw_parts(self.start.add(from).cast::<T>(), count) }
    }
}
