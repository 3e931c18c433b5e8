//! Writes `jsonb` from its stored form (utils/jsonb.h) as text, with the spaces of `jsonb_out`.

use super::buffer::BodyBuffer;
use super::varlena::{check_stack, corrupted};
use crate::pg::ffi::unguarded::stack_is_too_deep;
use crate::pg::ffi::varlena::is_short;
use crate::values::jsonb_layout::*;
use pgrx::pg_sys;

const ENTRY: usize = 4;

/// The bytes of a container's children, taken in order.
struct Children<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Children<'a> {
    /// The bytes of the child that `entry` describes, which must be the next one.
    #[inline(always)]
    fn next(&mut self, entry: u32) -> &'a [u8] {
        let end = self.end(entry);
        let Some(bytes) = self.data.get(self.position..end) else { corrupted() };
        self.position = end;
        bytes
    }

    /// Like [`Self::next`], for numbers and containers, which begin at a multiple of four.
    #[inline(always)]
    fn next_aligned(&mut self, entry: u32) -> &'a [u8] {
        let end = self.end(entry);
        let Some(bytes) = self.data.get(self.position.next_multiple_of(4)..end) else { corrupted() };
        self.position = end;
        bytes
    }

    #[inline(always)]
    fn end(&self, entry: u32) -> usize {
        let number = (entry & LENGTH) as usize;
        if entry & HAS_OFFSET != 0 { number } else { self.position + number }
    }
}

/// The entries of a container, four bytes each.
#[inline(always)]
fn entries(bytes: &[u8]) -> impl Iterator<Item = u32> + Clone {
    bytes.chunks_exact(ENTRY).map(|entry| match entry {
        [a, b, c, d] => u32::from_ne_bytes([*a, *b, *c, *d]),
        _ => 0,
    })
}

impl BodyBuffer {
    /// Appends a jsonb value. `container` is its bytes after the varlena header.
    ///
    /// `STRIP`: leaves out spaces and null fields of objects, as `json_strip_nulls` would.
    pub(super) fn jsonb<const STRIP: bool>(&mut self, container: &[u8]) {
        let Some((header, rest)) = container.split_first_chunk::<ENTRY>() else { corrupted() };
        let header = u32::from_ne_bytes(*header);
        let count = (header & COUNT) as usize;
        if header & OBJECT != 0 {
            let Some((keys, rest)) = rest.split_at_checked(count * ENTRY) else { corrupted() };
            let Some((values, data)) = rest.split_at_checked(count * ENTRY) else { corrupted() };
            self.jsonb_object::<STRIP>(keys, values, data);
        } else {
            let Some((elements, data)) = rest.split_at_checked(count * ENTRY) else { corrupted() };
            self.jsonb_array::<STRIP>(elements, data, header & SCALAR != 0);
        }
    }

    #[inline(always)]
    fn jsonb_object<const STRIP: bool>(&mut self, keys: &[u8], values: &[u8], data: &[u8]) {
        // All keys are stored before all values.
        let mut key_bytes = Children { data, position: 0 };
        let mut value_bytes = Children { data, position: 0 };
        for key in entries(keys) {
            value_bytes.position = value_bytes.end(key);
        }
        let mut is_first = true;
        self.byte(b'{');
        for (key, value) in entries(keys).zip(entries(values)) {
            let name = key_bytes.next(key);
            if STRIP && value & TYPE == NULL {
                value_bytes.next(value);
                continue;
            }
            self.separator::<STRIP>(b',', &mut is_first);
            self.string(name);
            self.separator::<STRIP>(b':', &mut false);
            self.jsonb_child::<STRIP>(value, &mut value_bytes);
        }
        self.byte(b'}');
    }

    #[inline(always)]
    fn jsonb_array<const STRIP: bool>(&mut self, elements: &[u8], data: &[u8], is_scalar: bool) {
        let mut bytes = Children { data, position: 0 };
        let mut is_first = true;
        if !is_scalar {
            self.byte(b'[');
        }
        for element in entries(elements) {
            self.separator::<STRIP>(b',', &mut is_first);
            self.jsonb_child::<STRIP>(element, &mut bytes);
        }
        if !is_scalar {
            self.byte(b']');
        }
    }

    /// Appends `separator`, except before the first element.
    #[inline(always)]
    fn separator<const STRIP: bool>(&mut self, separator: u8, is_first: &mut bool) {
        if std::mem::replace(is_first, false) {
            return;
        }
        if STRIP {
            self.byte(separator);
        } else {
            self.put(&[separator, b' ']);
        }
    }

    #[inline(always)]
    fn jsonb_child<const STRIP: bool>(&mut self, entry: u32, bytes: &mut Children) {
        match entry & TYPE {
            STRING => self.string(bytes.next(entry)),
            NUMERIC => self.numeric(varlena_payload(bytes.next_aligned(entry))),
            FALSE => {
                bytes.next(entry);
                self.put(b"false");
            }
            TRUE => {
                bytes.next(entry);
                self.put(b"true");
            }
            NULL => {
                bytes.next(entry);
                self.put(b"null");
            }
            CONTAINER => {
                let container = bytes.next_aligned(entry);
                if stack_is_too_deep() {
                    self.deep_jsonb::<STRIP>(container);
                } else {
                    self.jsonb::<STRIP>(container);
                }
            }
            _ => corrupted(),
        }
    }

    /// Appends a container that is nested too deep for recursion. `jsonb_out` does not recurse; `json_strip_nulls` does, and refuses
    /// such depths. Each does the same here.
    #[cold]
    #[inline(never)]
    fn deep_jsonb<const STRIP: bool>(&mut self, container: &[u8]) {
        if STRIP {
            check_stack();
        }
        // SAFETY: a container within a valid jsonb. Its length only serves as an estimate of the text's length. It is aligned, because a
        // value with so many containers is too large for a short header.
        unsafe {
            let text = pg_sys::makeStringInfo();
            let stored = container.as_ptr().cast::<pg_sys::JsonbContainer>().cast_mut();
            let length = i32::try_from(container.len()).unwrap_or(0);
            pg_sys::JsonbToCString(text, stored, length);
            let written = usize::try_from((*text).len).unwrap_or(0);
            self.put(std::slice::from_raw_parts((*text).data.cast(), written));
            pg_sys::pfree((*text).data.cast());
            pg_sys::pfree(text.cast());
        }
    }
}

/// The bytes after the header of a varlena that is neither compressed nor out of line.
#[inline(always)]
fn varlena_payload(stored: &[u8]) -> &[u8] {
    let header = match stored.first() {
        Some(first) if is_short(*first) => 1,
        Some(_) => 4,
        None => corrupted(),
    };
    // The entry's length is exact, because the number ends where its bytes end.
    let Some(payload) = stored.get(header..) else { corrupted() };
    payload
}
