//! JSON strings (RFC 8259, section 7).

use super::error::Problem;
use crate::limits::UNKNOWN_KEYS_COMPARED;
use std::borrow::Cow;
use std::collections::HashSet;

/// A checked JSON string, as it is between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes between the quotes.
    pub raw: &'a [u8],
    /// They contain an escape.
    pub escaped: bool,
}

impl<'a> Text<'a> {
    /// The characters of the string as UTF-8.
    pub fn unescaped(&self) -> Cow<'a, [u8]> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut out = vec![0; self.raw.len()];
        let length = unescape(self.raw, &mut out);
        out.truncate(length);
        Cow::Owned(out)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each byte that is a quote, a backslash or a control character. The lowest bit set is exact. Higher ones may
/// be wrong, because a borrow runs upwards.
#[inline(always)]
fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let is_control = word.wrapping_sub(ONES * 0x20) & !word;
    (is_quote | is_backslash | is_control) & HIGH
}

/// Index of the next quote, backslash or control character at or after `at`, or the length of `body`.
#[inline(always)]
fn next_stop(body: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = body.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = stops(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = body.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        at += 1;
    }
    at
}

/// Scans the string whose opening quote is just before `start`. Returns it and the index after its closing quote.
///
/// `NUL`: whether `\u0000` is allowed.
#[inline]
pub(crate) fn scan<const NUL: bool>(body: &[u8], start: usize) -> Result<(Text<'_>, usize), (usize, Problem)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at = next_stop(body, at);
        match body.get(at) {
            Some(b'"') => {
                let raw = body.get(start..at).unwrap_or_default();
                return Ok((Text { raw, escaped }, at + 1));
            }
            Some(b'\\') => {
                escaped = true;
                at += escape_length::<NUL>(body.get(at..).unwrap_or_default()).map_err(|problem| (at, problem))?;
            }
            Some(&byte) => return Err((at, Problem::ControlCharacter(byte))),
            None => return Err((at, Problem::OpenString)),
        }
    }
}

/// The length of the escape that `rest` begins with. A surrogate pair is one escape.
fn escape_length<const NUL: bool>(rest: &[u8]) -> Result<usize, Problem> {
    match rest.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match hex4(rest, 2).ok_or(Problem::Escape)? {
            0 if !NUL => Err(Problem::NulCharacter),
            0xD800..=0xDBFF => {
                if rest.get(6..8) != Some(b"\\u") {
                    return Err(Problem::LoneSurrogate);
                }
                match hex4(rest, 8).ok_or(Problem::Escape)? {
                    0xDC00..=0xDFFF => Ok(12),
                    _ => Err(Problem::LoneSurrogate),
                }
            }
            0xDC00..=0xDFFF => Err(Problem::LoneSurrogate),
            _ => Ok(6),
        },
        _ => Err(Problem::Escape),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |unit, &digit| Some(unit << 4 | (digit as char).to_digit(16)?))
}

/// Writes the characters of a checked string as UTF-8 to the beginning of `out`, and returns the number of bytes. `out` must be as
/// long as `raw`: no escape is shorter than its character.
pub fn unescape(raw: &[u8], out: &mut [u8]) -> usize {
    let mut filled = 0;
    let mut put = |bytes: &[u8]| {
        if let Some(place) = out.get_mut(filled..filled + bytes.len()) {
            place.copy_from_slice(bytes);
            filled += bytes.len();
        }
    };
    let mut rest = raw;
    while let Some(stop) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(stop);
        put(plain);
        let mut length = 2;
        match escape.get(1).copied().unwrap_or(b'\\') {
            b'b' => put(b"\x08"),
            b'f' => put(b"\x0c"),
            b'n' => put(b"\n"),
            b'r' => put(b"\r"),
            b't' => put(b"\t"),
            b'u' => {
                length = 6;
                let mut point = hex4(escape, 2).unwrap_or(0xFFFD);
                if (0xD800..0xDC00).contains(&point) {
                    length = 12;
                    let low = hex4(escape, 8).unwrap_or(0xDC00);
                    point = 0x10000 + ((point - 0xD800) << 10) + low.wrapping_sub(0xDC00);
                }
                let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
                put(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => put(&[other]),
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    put(rest);
    filled
}

/// Appends `text` as a JSON string with its quotes. Like PostgreSQL's `escape_json`, it escapes only what must be escaped.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The keys of one object seen so far. Cheap for a few keys, and not quadratic for many.
#[derive(Debug, Default)]
pub struct UniqueKeys<'a> {
    few: Vec<Cow<'a, [u8]>>,
    many: HashSet<Cow<'a, [u8]>>,
}

impl<'a> UniqueKeys<'a> {
    /// Adds a key. Returns false if it was already there.
    pub fn insert(&mut self, key: Text<'a>) -> bool {
        let key = key.unescaped();
        if self.few.contains(&key) || self.many.contains(&key) {
            return false;
        }
        if self.few.len() < UNKNOWN_KEYS_COMPARED {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        true
    }

    /// Forgets the keys, for the next object.
    pub fn clear(&mut self) {
        self.few.clear();
        if !self.many.is_empty() {
            self.many = HashSet::new();
        }
    }
}

/// Whether all bytes are ASCII. Optimised for the few bytes of a name.
#[inline(always)]
pub fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    // Words of eight and of four may overlap.
    let bits = if let Some(last) = bytes.last_chunk::<8>() {
        let words = bytes.as_chunks::<8>().0.iter();
        words.fold(u64::from_ne_bytes(*last), |bits, word| bits | u64::from_ne_bytes(*word))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u64::from(u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last))
    } else {
        bytes.iter().fold(0, |bits, byte| bits | u64::from(*byte))
    };
    bits & HIGH_BITS == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<String, Problem> {
        let (text, end) = scan::<false>(body.as_bytes(), 1).map_err(|(_, problem)| problem)?;
        assert_eq!(end, body.len());
        Ok(String::from_utf8(text.unescaped().into_owned()).unwrap())
    }

    #[test]
    fn escapes_become_characters() {
        assert_eq!(read(r#""plain""#).unwrap(), "plain");
        assert_eq!(read(r#""\"\\\/\b\f\n\r\t""#).unwrap(), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(read(r#""a\u00e9\uD83D\uDE00z""#).unwrap(), "aé😀z");
    }

    #[test]
    fn what_text_cannot_hold_is_refused() {
        assert_eq!(read(r#""\u0000""#), Err(Problem::NulCharacter));
        assert_eq!(read(r#""\ud800""#), Err(Problem::LoneSurrogate));
        assert_eq!(read(r#""\ud800\u0041""#), Err(Problem::LoneSurrogate));
        assert_eq!(read(r#""\udc00""#), Err(Problem::LoneSurrogate));
        assert_eq!(read(r#""\x""#), Err(Problem::Escape));
        assert_eq!(read(r#""\u12g4""#), Err(Problem::Escape));
        assert_eq!(read("\"a\u{1}\""), Err(Problem::ControlCharacter(1)));
        assert_eq!(read("\"abc"), Err(Problem::OpenString));
    }

    #[test]
    fn the_stop_is_found_at_every_place_of_a_word() {
        for length in 0..40 {
            for stop in [b'"', b'\\', 0x1f, 0x00] {
                let mut body = vec![0xC3; length];
                body.push(stop);
                body.extend_from_slice(&[b'!'; 20]);
                assert_eq!(next_stop(&body, 0), length);
            }
        }
        assert_eq!(next_stop(b" !#[]\x7f\x80\xff!!!!!!!!!", 0), 17);
    }

    #[test]
    fn escaping_and_unescaping_give_the_same_text() {
        let text: String = (1..0x300).filter_map(char::from_u32).collect();
        let mut out = Vec::new();
        escape(text.as_bytes(), &mut out);
        assert_eq!(read(std::str::from_utf8(&out).unwrap()).unwrap(), text);
    }

    #[test]
    fn a_repeated_key_is_noticed_among_few_and_among_many() {
        let keys: Vec<String> = (0..100).map(|i| format!("k{i}")).collect();
        let mut seen = UniqueKeys::default();
        for key in &keys {
            assert!(seen.insert(Text { raw: key.as_bytes(), escaped: false }));
        }
        for key in &keys {
            assert!(!seen.insert(Text { raw: key.as_bytes(), escaped: false }));
        }
        assert!(!seen.insert(Text { raw: br"\u006b1", escaped: true }));
        seen.clear();
        assert!(seen.insert(Text { raw: b"k1", escaped: false }));
    }
}
