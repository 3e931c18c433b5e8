//! UUIDs as text (RFC 9562, section 4), in every notation that PostgreSQL accepts.

/// The bytes of a UUID, if `uuid_in` accepts the text: 32 hexadecimal digits, optionally with a hyphen after any group of four, and
/// optionally in braces.
#[inline]
pub fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    standard_form(text).or_else(|| any_form(text))
}

/// The usual notation, 8-4-4-4-12 digits. Its digits are at fixed places.
#[inline]
fn standard_form(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut bytes = [0; 16];
    let mut at = 0;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            if text.get(at) != Some(&b'-') {
                return None;
            }
            at += 1;
        }
        *byte = hex(*text.get(at)?)? << 4 | hex(*text.get(at + 1)?)?;
        at += 2;
    }
    Some(bytes)
}

#[cold]
fn any_form(text: &[u8]) -> Option<[u8; 16]> {
    let mut rest = match text {
        [b'{', inner @ .., b'}'] => inner,
        plain => plain,
    };
    let mut bytes = [0; 16];
    for (index, byte) in bytes.iter_mut().enumerate() {
        if let ([b'-', after @ ..], 2 | 4 | 6 | 8 | 10 | 12 | 14) = (rest, index) {
            rest = after;
        }
        let [high, low, after @ ..] = rest else { return None };
        *byte = hex(*high)? << 4 | hex(*low)?;
        rest = after;
    }
    rest.is_empty().then_some(bytes)
}

#[inline]
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_type_is_read() {
        let bytes = [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        for text in [
            "00112233-4455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aAbBcCdDeEfF",
            "00112233445566778899aabbccddeeff",
            "{00112233-4455-6677-8899-aabbccddeeff}",
            "{00112233445566778899AABBCCDDEEFF}",
            "0011-2233-4455-6677-8899-aabb-ccdd-eeff",
            "00112233-44556677-8899aabb-ccddeeff",
        ] {
            assert_eq!(parse_uuid(text.as_bytes()), Some(bytes), "{text}");
        }
        for text in [
            "",
            "{}",
            "0011223-34455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeefg",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233-4455-6677-8899-aabbccddeeff0",
            "00112233-4455-6677-8899-aabbccddeeff-",
            "-00112233-4455-6677-8899-aabbccddeeff",
            "00112233--4455-6677-8899-aabbccddeeff",
            "{00112233-4455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeeff}",
            "{{00112233-4455-6677-8899-aabbccddeeff}}",
            " 00112233-4455-6677-8899-aabbccddeeff",
            "urn:uuid:00112233-4455-6677-8899-aabbccddeeff",
        ] {
            assert_eq!(parse_uuid(text.as_bytes()), None, "{text}");
        }
    }
}
