//! Writes JSON strings, and other values by looking up characters in a table.

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

/// Whether a byte needs an escape in a JSON string, as in `escape_json` of json.c.
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

/// The key of an object's member, with comma, quotes and colon: `,"name":`.
pub(super) struct MemberKey {
    text: Box<[u8]>,
    /// The text padded, unless it is longer, because a copy of fixed length is the cheapest.
    padded: [u8; KEY_ROOM],
}

const KEY_ROOM: usize = 32;

impl MemberKey {
    pub fn new(name: &[u8]) -> Self {
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
        let mut padded = [0; KEY_ROOM];
        for (to, from) in padded.iter_mut().zip(&key) {
            *to = *from;
        }
        Self { text: key.into(), padded }
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }
}

/// How many bytes are checked at once, and therefore how many may be written past the end of the text.
const STRIDE: usize = 16;

impl BodyBuffer {
    /// Appends a member's key.
    #[inline(always)]
    pub(super) fn member_key(&mut self, key: &MemberKey) {
        if key.len() > KEY_ROOM {
            return self.put(&key.text);
        }
        self.reserve(KEY_ROOM);
        // SAFETY: just reserved.
        unsafe {
            self.spare().cast::<[u8; KEY_ROOM]>().write(key.padded);
            self.advance(key.len());
        }
    }

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

    /// Appends `rest` with escapes. Before and after, `rest.len() + 1 + STRIDE` bytes are reserved for what is left.
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

    /// Appends the bytes of `text` before the first one that needs an escape, and returns their number. Room for the text and STRIDE more
    /// bytes must be reserved.
    ///
    /// If the last bytes do not fill a chunk, the last full chunk of the text is checked, and its first part is written a second time.
    /// That costs less than going byte by byte.
    #[inline(always)]
    fn copy_plain(&mut self, text: &[u8]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if text.len() >= STRIDE {
            return self.copy_plain_chunks::<STRIDE>(text, special_byte_of_16);
        }
        if text.len() >= 8 {
            return self.copy_plain_chunks::<8>(text, special_byte_of_8);
        }
        if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            let [a, b, c, d] = *first;
            let [e, f, g, h] = *last;
            if special_byte_of_8(&[a, b, c, d, e, f, g, h]) == 8 {
                // SAFETY: reserved by the caller.
                unsafe {
                    self.spare().cast::<[u8; 4]>().write(*first);
                    self.spare().add(text.len() - 4).cast::<[u8; 4]>().write(*last);
                    self.advance(text.len());
                }
                return text.len();
            }
        }
        let plain = text.iter().position(|&byte| needs_escape(byte)).unwrap_or(text.len());
        // SAFETY: reserved by the caller.
        unsafe { self.put_reserved(text.get(..plain).unwrap_or_default()) };
        plain
    }

    /// [`Self::copy_plain`] for a text that is not shorter than a chunk. A chunk has at most STRIDE bytes. `special` returns the position
    /// of the first byte in a chunk that needs an escape, or the length of the chunk.
    #[inline(always)]
    fn copy_plain_chunks<const CHUNK: usize>(&mut self, text: &[u8], special: impl Fn(&[u8; CHUNK]) -> usize) -> usize {
        let mut done = 0;
        while let Some(chunk) = text.get(done..).and_then(<[u8]>::first_chunk::<CHUNK>) {
            let plain = special(chunk);
            // SAFETY: begins at a reserved byte, and STRIDE more are reserved after the rest of the text.
            unsafe {
                self.spare().cast::<[u8; CHUNK]>().write(*chunk);
                self.advance(plain);
            }
            done += plain;
            if plain < CHUNK || done == text.len() {
                break;
            }
            if text.len() - done < CHUNK {
                let again = CHUNK - (text.len() - done);
                self.truncate(self.len() - again);
                done -= again;
            }
        }
        done
    }

    /// Appends the escape of `byte`, and reserves room for the `left` bytes after it and the closing quote.
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
        // SAFETY: room is reserved for two digits a byte, the escaped `\x` and two quotes.
        unsafe {
            self.put_reserved(b"\"\\\\x");
            for &byte in bytes {
                self.put_reserved(&HEX_PAIRS[usize::from(byte)]);
            }
            self.byte_reserved(b'"');
        }
    }
}

/// The position of the first byte that needs an escape, or 16.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn special_byte_of_16(chunk: &[u8; STRIDE]) -> usize {
    use std::arch::x86_64::*;
    // SAFETY: SSE2 is part of x86_64, and only the chunk is loaded.
    unsafe {
        let chunk = _mm_loadu_si128(chunk.as_ptr().cast());
        let special = _mm_or_si128(
            _mm_or_si128(
                _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'"' as i8)),
                _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\\' as i8)),
            ),
            _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1f)), chunk),
        );
        (_mm_movemask_epi8(special) as u32 | 1 << STRIDE).trailing_zeros() as usize
    }
}

/// The position of the first byte that needs an escape, or 8.
#[inline(always)]
fn special_byte_of_8(chunk: &[u8; 8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(*chunk);
    // A borrow in the subtraction only affects higher bytes, so the lowest set bit is always correct.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let special = (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGHS;
    special.trailing_zeros() as usize / 8
}
