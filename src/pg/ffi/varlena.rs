//! Values of variable length (varatt.h): short, plain, compressed or out of line.

use pgrx::pg_sys;

/// Whether the first byte belongs to a four-byte header of an uncompressed value.
#[inline(always)]
pub fn is_plain(first: u8) -> bool {
    first & if cfg!(target_endian = "big") { 0xC0 } else { 0x03 } == 0
}

/// Whether the first byte is a one-byte header, or begins a pointer to a value out of line.
#[inline(always)]
pub fn is_short(first: u8) -> bool {
    if cfg!(target_endian = "big") { first & 0x80 != 0 } else { first & 0x01 != 0 }
}

#[inline(always)]
fn is_external(first: u8) -> bool {
    first == if cfg!(target_endian = "big") { 0x80 } else { 0x01 }
}

#[inline(always)]
fn short_size(first: u8) -> usize {
    usize::from(if cfg!(target_endian = "big") { first & 0x7F } else { first >> 1 })
}

#[inline(always)]
fn full_size(header: u32) -> usize {
    (if cfg!(target_endian = "big") { header & 0x3FFF_FFFF } else { header >> 2 }) as usize
}

/// Whether the first byte belongs to a value that is in memory and not compressed.
#[inline(always)]
pub fn is_at_hand(first: u8) -> bool {
    is_plain(first) || (is_short(first) && !is_external(first))
}

/// The bytes after the header, if the value is neither compressed nor out of line.
///
/// # Safety
/// The varlena must be valid, aligned or not, and stay in place as long as the result is used.
#[inline(always)]
pub unsafe fn payload_at_hand<'a>(datum: pg_sys::Datum) -> Option<&'a [u8]> {
    let start = datum.cast_mut_ptr::<u8>().cast_const();
    // SAFETY: valid by contract. The first byte tells which header it has, and each header tells the length.
    unsafe {
        let first = *start;
        if is_plain(first) {
            let size = full_size(start.cast::<u32>().read_unaligned());
            return Some(std::slice::from_raw_parts(start.add(4), size.saturating_sub(4)));
        }
        if is_short(first) && !is_external(first) {
            return Some(std::slice::from_raw_parts(start.add(1), short_size(first).saturating_sub(1)));
        }
    }
    None
}

/// The bytes after the header. If the value is compressed or out of line, they are those of a copy in the current context.
///
/// # Safety
/// As [`payload_at_hand`]. A value that is compressed or out of line must be aligned.
#[inline(always)]
pub unsafe fn payload<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // Check the form here first, because the detoasting function is behind a guard, which costs more than checking a small value.
    // SAFETY: promised by the caller.
    unsafe {
        match payload_at_hand(datum) {
            Some(payload) => payload,
            None => fetched_payload(datum),
        }
    }
}

#[inline(never)]
unsafe fn fetched_payload<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: promised by the caller of `payload`. Detoasting returns a value at hand.
    unsafe {
        let fetched = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
        std::slice::from_raw_parts(pgrx::vardata_any(fetched).cast(), pgrx::varsize_any_exhdr(fetched))
    }
}

/// The size in the header at the beginning of `bytes`, including the header. `None` for a pointer to a value out of line, and for
/// bytes that cannot be a header.
#[inline(always)]
pub fn size(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if is_external(first) {
        return None;
    }
    if is_short(first) {
        return Some(short_size(first)).filter(|size| *size >= 1);
    }
    Some(full_size(u32::from_ne_bytes(*bytes.first_chunk()?))).filter(|size| *size >= 4)
}
