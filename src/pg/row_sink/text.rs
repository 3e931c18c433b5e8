//! JSON strings, and the other values that are a matter of looking characters up in a table.

use super::buffer::BodyBuffer;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The two lower-case hexadecimal digits of every byte.
static HEX_PAIRS: [[u8; 2]; 256] = {
    let mut table = [[0; 2]; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = [HEX[i >> 4], HEX[i & 15]];
        i += 1;
    }
    table
};

/// The bytes that may not stand for themselves in a JSON string, as `escape_json` of json.c has it.
#[inline(always)]
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The escape of a byte, and its length.
fn escape_of(byte: u8) -> ([u8; 6], usize) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let [high, low] = HEX_PAIRS[usize::from(byte)];
            return ([b'\\', b'u', b'0', b'0', high, low], 6);
        }
    };
    ([b'\\', short, 0, 0, 0, 0], 2)
}

/// The key of an object's member with what surrounds it: `,"name":`.
pub(super) fn member_key(name: &[u8]) -> Box<[u8]> {
    let mut key = Vec::with_capacity(name.len() + 4);
    key.extend_from_slice(b",\"");
    for &byte in name {
        if needs_escape(byte) {
            let (escape, length) = escape_of(byte);
            key.extend(escape.into_iter().take(length));
        } else {
            key.push(byte);
        }
    }
    key.extend_from_slice(b"\":");
    key.into()
}

/// How many bytes are looked at together, and therefore how many may be written past the end of the text.
const STRIDE: usize = 16;

impl BodyBuffer {
    /// Appends `text` as a JSON string: quoted and escaped.
    #[inline]
    pub(super) fn string(&mut self, text: &[u8]) {
        self.reserve(text.len() + 2 + STRIDE);
        // SAFETY: just reserved.
        unsafe { self.byte_reserved(b'"') };
        self.escaped(text);
        // SAFETY: `escaped` leaves the closing quote's byte reserved.
        unsafe { self.byte_reserved(b'"') };
    }

    /// Appends `rest` escaped. Before and after, `rest.len() + 1 + STRIDE` bytes are reserved for what is left.
    #[inline(always)]
    fn escaped(&mut self, mut rest: &[u8]) {
        loop {
            let plain = self.copy_plain(rest);
            let Some((&byte, tail)) = rest.get(plain..).and_then(<[u8]>::split_first) else {
                return;
            };
            self.escape(byte, tail.len());
            rest = tail;
        }
    }

    /// Appends the bytes of `text` before the first one that needs an escape, and says how many they are.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn copy_plain(&mut self, text: &[u8]) -> usize {
        use std::arch::x86_64::*;
        let mut done = 0;
        // SAFETY: SSE2 is part of x86_64. Loads stay within `text`; each store of 16 bytes begins at a byte that is
        // reserved and has STRIDE more reserved behind the rest of the text.
        unsafe {
            let quote = _mm_set1_epi8(b'"' as i8);
            let backslash = _mm_set1_epi8(b'\\' as i8);
            let last_control = _mm_set1_epi8(0x1f);
            while text.len() - done >= STRIDE {
                let chunk = _mm_loadu_si128(text.as_ptr().add(done).cast());
                let special = _mm_or_si128(
                    _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)),
                    _mm_cmpeq_epi8(_mm_min_epu8(chunk, last_control), chunk),
                );
                let mask = _mm_movemask_epi8(special) as u32;
                _mm_storeu_si128(self.spare().cast(), chunk);
                if mask != 0 {
                    let plain = mask.trailing_zeros() as usize;
                    self.advance(plain);
                    return done + plain;
                }
                self.advance(STRIDE);
                done += STRIDE;
            }
        }
        self.copy_plain_words(text, done)
    }

    /// Appends the bytes of `text` before the first one that needs an escape, and says how many they are.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn copy_plain(&mut self, text: &[u8]) -> usize {
        self.copy_plain_words(text, 0)
    }

    /// [`Self::copy_plain`] from `done` on, eight bytes at a time and then one by one.
    #[inline(always)]
    fn copy_plain_words(&mut self, text: &[u8], mut done: usize) -> usize {
        let mut rest = text.get(done..).unwrap_or_default();
        while let Some((word, tail)) = rest.split_first_chunk::<8>() {
            let special = special_bytes(u64::from_le_bytes(*word));
            // SAFETY: the room for the rest of the text and STRIDE more is reserved.
            unsafe { std::ptr::copy_nonoverlapping(word.as_ptr(), self.spare(), 8) };
            if special != 0 {
                let plain = special.trailing_zeros() as usize / 8;
                // SAFETY: written by the copy above.
                unsafe { self.advance(plain) };
                return done + plain;
            }
            // SAFETY: as above.
            unsafe { self.advance(8) };
            done += 8;
            rest = tail;
        }
        for &byte in rest {
            if needs_escape(byte) {
                break;
            }
            // SAFETY: reserved by the caller.
            unsafe { self.byte_reserved(byte) };
            done += 1;
        }
        done
    }

    /// Appends the escape of `byte`, and reserves what the `left` bytes behind it and the closing quote need.
    #[inline(never)]
    fn escape(&mut self, byte: u8, left: usize) {
        let (escape, length) = escape_of(byte);
        self.put(escape.get(..length).unwrap_or(&escape));
        self.reserve(left + 1 + STRIDE);
    }

    /// Appends a UUID as a JSON string.
    #[inline]
    pub(super) fn uuid(&mut self, uuid: &[u8; 16]) {
        let mut text = [b'-'; 38];
        text[0] = b'"';
        text[37] = b'"';
        // 8-4-4-4-12 digits: a dash follows bytes 3, 5, 7 and 9.
        const AT: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];
        for (&at, &byte) in AT.iter().zip(uuid) {
            let [high, low] = HEX_PAIRS[usize::from(byte)];
            text[at] = high;
            text[at + 1] = low;
        }
        self.put(&text);
    }

    /// Appends bytea in its `hex` output form as a JSON string.
    pub(super) fn hex_string(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len() * 2 + 5);
        // SAFETY: reserved: two digits a byte, the escaped `\x` and two quotes.
        unsafe {
            self.put_reserved(b"\"\\\\x");
            for &byte in bytes {
                self.put_reserved(&HEX_PAIRS[usize::from(byte)]);
            }
            self.byte_reserved(b'"');
        }
    }
}

/// Sets the high bit of the first byte, in memory order, that needs an escape. Bits above that one mean nothing.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // A borrow of the subtraction runs upwards only, so the lowest set bit is always a true one.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGHS
}
