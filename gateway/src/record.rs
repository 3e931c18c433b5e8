//! The answer's binary form: PostgreSQL's `record_send` of `http_response(status int4, headers jsonb, body bytea)`.
//!
//! A record is a number of fields (int32), then for each field its type (oid), its length (int32, -1 for NULL) and
//! that many bytes; all integers in network order (`record_send` in src/backend/utils/adt/rowtypes.c).

use bytes::{Buf, Bytes};

const INT4: u32 = 23;
const BYTEA: u32 = 17;
const JSONB: u32 = 3802;
/// The version byte in front of the text of a binary jsonb (`jsonb_send`).
pub const JSONB_VERSION: u8 = 1;

/// An answer from the database.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, unchecked.
    pub status: i32,
    /// JSON text of the headers. Empty if they were NULL.
    pub headers: Bytes,
    /// The body. Empty if it was NULL. A slice of the record, not a copy.
    pub body: Bytes,
}

/// The bytes are not a record of these three fields. Says what is wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Splits a record into its fields without copying them.
///
/// # Errors
/// [`Malformed`] if the record is cut off, has other fields or types, or has a NULL status.
pub fn decode(mut record: Bytes) -> Result<Answer, Malformed> {
    if integer(&mut record)? != 3 {
        return Err(Malformed("the record has other than three fields"));
    }
    let mut status = field(&mut record, INT4)?.ok_or(Malformed("the status is NULL"))?;
    let mut headers = field(&mut record, JSONB)?.unwrap_or_default();
    let body = field(&mut record, BYTEA)?.unwrap_or_default();
    if record.has_remaining() {
        return Err(Malformed("bytes follow the record"));
    }
    if status.len() != 4 {
        return Err(Malformed("the status has other than four bytes"));
    }
    if !headers.is_empty() && headers.get_u8() != JSONB_VERSION {
        return Err(Malformed("unknown version of jsonb"));
    }
    Ok(Answer { status: status.get_i32(), headers, body })
}

fn integer(record: &mut Bytes) -> Result<i32, Malformed> {
    record.try_get_i32().map_err(|_| Malformed("the record is cut off"))
}

fn field(record: &mut Bytes, type_: u32) -> Result<Option<Bytes>, Malformed> {
    if integer(record)?.cast_unsigned() != type_ {
        return Err(Malformed("a field has another type"));
    }
    match integer(record)? {
        -1 => Ok(None),
        length => match usize::try_from(length) {
            Ok(length) if length <= record.remaining() => Ok(Some(record.split_to(length))),
            _ => Err(Malformed("a field is longer than the record")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};

    fn record(fields: &[(u32, Option<&[u8]>)]) -> Bytes {
        let mut out = BytesMut::new();
        out.put_i32(i32::try_from(fields.len()).unwrap());
        for (type_, value) in fields {
            out.put_u32(*type_);
            match value {
                Some(value) => {
                    out.put_i32(i32::try_from(value.len()).unwrap());
                    out.put_slice(value);
                }
                None => out.put_i32(-1),
            }
        }
        out.freeze()
    }

    const OK: &[u8] = &[0, 0, 0, 200];

    #[test]
    fn all_fields() {
        // As PostgreSQL 15 sends (200, '{"a": "b"}', '\x6869').
        let bytes =
            b"\0\0\0\x03\0\0\0\x17\0\0\0\x04\0\0\0\xc8\0\0\x0e\xda\0\0\0\x0b\x01{\"a\": \"b\"}\0\0\0\x11\0\0\0\x02hi";
        let answer = decode(Bytes::from_static(bytes)).unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers, "{\"a\": \"b\"}");
        assert_eq!(answer.body, "hi");
    }

    #[test]
    fn null_headers_and_body_are_empty() {
        let answer = decode(record(&[(INT4, Some(OK)), (JSONB, None), (BYTEA, None)])).unwrap();
        assert_eq!((answer.headers.len(), answer.body.len()), (0, 0));
    }

    #[test]
    fn the_body_is_not_copied() {
        let bytes = record(&[(INT4, Some(OK)), (JSONB, None), (BYTEA, Some(b"body"))]);
        let body = decode(bytes.clone()).unwrap().body;
        assert_eq!(body.as_ptr(), bytes[bytes.len() - 4..].as_ptr());
    }

    #[test]
    fn what_is_not_such_a_record_is_refused() {
        for (fields, reason) in [
            (&[][..], "the record has other than three fields"),
            (&[(INT4, Some(OK)), (JSONB, None)], "the record has other than three fields"),
            (&[(INT4, None), (JSONB, None), (BYTEA, None)], "the status is NULL"),
            (&[(20, Some(OK)), (JSONB, None), (BYTEA, None)], "a field has another type"),
            (&[(INT4, Some(OK)), (BYTEA, None), (JSONB, None)], "a field has another type"),
            (&[(INT4, Some(&[0, 200])), (JSONB, None), (BYTEA, None)], "the status has other than four bytes"),
            (&[(INT4, Some(OK)), (JSONB, Some(b"\x02{}")), (BYTEA, None)], "unknown version of jsonb"),
        ] {
            assert_eq!(decode(record(fields)), Err(Malformed(reason)));
        }
    }

    #[test]
    fn no_cut_or_changed_record_goes_beyond_its_end() {
        let whole = record(&[(INT4, Some(OK)), (JSONB, Some(b"\x01{}")), (BYTEA, Some(b"body"))]);
        for length in 0..whole.len() {
            assert!(decode(whole.slice(..length)).is_err(), "{length}");
        }
        for position in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = BytesMut::from(&whole[..]);
                changed[position] = value;
                let _ = decode(changed.freeze());
            }
        }
        let mut longer = BytesMut::from(&whole[..]);
        longer.put_u8(0);
        assert_eq!(decode(longer.freeze()), Err(Malformed("bytes follow the record")));
    }
}
