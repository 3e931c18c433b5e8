//! The token that names a row by its keys. It is signed, so only this database makes tokens, and what is in them can change.

use super::fingerprint::{Fingerprint, LENGTH};
use super::{Keys, refused, too_long};
use crate::error::Result;
use crate::limits;
use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The first byte of a token. Another layout, or another way of ordering, has another number.
const VERSION: u8 = 1;
/// The bytes of a signature: 128 bits of HMAC-SHA256 (RFC 2104, section 5).
const SIGNATURE: usize = 16;
/// What is signed begins with this, so that nothing else that is signed with the secret is a token.
const PURPOSE: &[u8] = b"pg_restful cursor\0";
/// The length of a key that is null.
const NULL: u16 = u16::MAX;

/// A token that was decoded, but not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The page lies before the row, and not after it.
    pub backward: bool,
    /// See [`order_identity`].
    pub order: u32,
    pub keys: Keys,
    fingerprint: Fingerprint,
    signed: Vec<u8>,
    signature: [u8; SIGNATURE],
}

/// A number that stands for an order: the names, types and directions of its terms, whose texts are given. It tells the order of today
/// from that of a token that was made before the table was altered.
pub fn order_identity<T: AsRef<[u8]>>(terms: impl IntoIterator<Item = T>) -> u32 {
    let mut hashed = digest::Context::new(&digest::SHA256);
    for term in terms {
        let term = term.as_ref();
        hashed.update(&(term.len() as u64).to_be_bytes());
        hashed.update(term);
    }
    let hash = hashed.finish();
    hash.as_ref().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Takes the first bytes off.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

impl Token {
    /// Reads a token. Nothing of it may be believed until [`Seal::check`] has accepted it.
    ///
    /// # Errors
    /// REST460 if it is not the text of a token, or that of another version.
    pub fn decode(text: &str) -> Result<Self> {
        // Four characters for three bytes (RFC 4648, section 4).
        let longest = (limits::CURSOR_BYTES + 64) * 4 / 3 + 4;
        let bytes = (text.len() <= longest).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
        let token = bytes.as_deref().and_then(Self::of_bytes);
        token.ok_or_else(|| refused("The cursor is malformed, or of another version"))
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (signed, signature) = bytes.split_last_chunk()?;
        let mut rest = signed;
        let [VERSION, backward @ (0 | 1)] = *take(&mut rest, 2)? else { return None };
        let fingerprint = Fingerprint(take(&mut rest, LENGTH)?.try_into().ok()?);
        let order = u32::from_be_bytes(take(&mut rest, 4)?.try_into().ok()?);
        let mut keys = Vec::new();
        while !rest.is_empty() {
            let length = u16::from_be_bytes(take(&mut rest, 2)?.try_into().ok()?);
            keys.push(match length {
                NULL => None,
                length => {
                    let text = std::str::from_utf8(take(&mut rest, usize::from(length))?).ok()?;
                    // PostgreSQL's texts have none.
                    (!text.contains('\0')).then_some(())?;
                    Some(text.to_owned())
                }
            });
        }
        Some(Token {
            backward: backward == 1,
            order,
            keys,
            fingerprint,
            signed: signed.to_vec(),
            signature: *signature,
        })
    }
}

/// Makes and checks the tokens of one request.
#[derive(Debug)]
pub struct Seal {
    secret: hmac::Key,
    fingerprint: Fingerprint,
}

impl Seal {
    /// The seal of a request. `secret`: the database's.
    pub fn new(secret: &[u8], fingerprint: Fingerprint) -> Self {
        Seal { secret: hmac::Key::new(hmac::HMAC_SHA256, secret), fingerprint }
    }

    fn signature(&self, signed: &[u8]) -> [u8; SIGNATURE] {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(PURPOSE);
        context.update(signed);
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Whether a token was made for this request.
    ///
    /// # Errors
    /// REST460 if it was made by another database, changed, or made for another request, role or subject.
    pub fn check(&self, token: &Token) -> Result<()> {
        if constant_time::verify_slices_are_equal(&self.signature(&token.signed), &token.signature).is_err() {
            return Err(refused("The cursor was not made by this database"));
        }
        if token.fingerprint != self.fingerprint {
            return Err(refused("The cursor is one of another request")
                .details("Its filters, its order, its role or its user differ from those of this request."));
        }
        Ok(())
    }

    /// The token of the row with these keys. `backward`: of the page before it, and not of the one after it.
    ///
    /// # Errors
    /// REST461 if the keys are too long.
    pub fn token(&self, backward: bool, order: u32, keys: &Keys) -> Result<String> {
        let mut bytes = vec![VERSION, u8::from(backward)];
        bytes.extend_from_slice(&self.fingerprint.0);
        bytes.extend_from_slice(&order.to_be_bytes());
        let start = bytes.len();
        for key in keys {
            match key {
                None => bytes.extend_from_slice(&NULL.to_be_bytes()),
                Some(text) => {
                    let length =
                        u16::try_from(text.len()).ok().filter(|length| *length != NULL).ok_or_else(too_long)?;
                    bytes.extend_from_slice(&length.to_be_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        if bytes.len() - start > limits::CURSOR_BYTES {
            return Err(too_long());
        }
        bytes.extend_from_slice(&self.signature(&bytes));
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyset::{FIRST, LAST};

    fn seal(secret: &[u8], fingerprint: u8) -> Seal {
        Seal::new(secret, Fingerprint([fingerprint; LENGTH]))
    }

    fn keys() -> Keys {
        vec![Some("2026-11-30".to_owned()), None, Some(String::new()), Some("ü\"'\\".to_owned())]
    }

    #[test]
    fn a_token_comes_back_as_it_was() {
        let seal = seal(b"secret", 1);
        for (backward, keys) in [(false, keys()), (true, keys()), (true, vec![])] {
            let text = seal.token(backward, 7, &keys).unwrap();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{text}");
            assert!(text != FIRST && text != LAST);
            let token = Token::decode(&text).unwrap();
            assert_eq!((token.backward, token.order, &token.keys), (backward, 7, &keys));
            seal.check(&token).unwrap();
        }
    }

    #[test]
    fn a_token_of_another_secret_or_request_is_refused() {
        let token = Token::decode(&seal(b"secret", 1).token(false, 7, &keys()).unwrap()).unwrap();
        for other in [seal(b"secreT", 1), seal(b"secret", 2)] {
            assert_eq!(other.check(&token).unwrap_err().code, "REST460");
        }
    }

    #[test]
    fn every_change_of_a_token_is_refused() {
        let seal = seal(b"secret", 1);
        let text = seal.token(false, 7, &keys()).unwrap();
        let accepted = |text: &str| Token::decode(text).and_then(|token| seal.check(&token)).is_ok();
        assert!(accepted(&text));
        for (at, old) in text.char_indices() {
            for new in ['A', 'B', '-', '_', '=', '+', ' ', 'é'] {
                let changed = format!("{}{new}{}", &text[..at], &text[at + 1..]);
                assert!(new == old || !accepted(&changed), "{changed}");
            }
            assert!(!accepted(&text[..at]) && !accepted(&text[at + 1..]));
        }
        assert!(!accepted(&format!("{text}A")) && !accepted(&format!("{text}AAAA")) && !accepted(&text.repeat(2)));
    }

    #[test]
    fn keys_beyond_the_limit_have_no_token() {
        let seal = seal(b"secret", 1);
        let of = |bytes: usize| seal.token(false, 7, &vec![Some("x".repeat(bytes))]);
        let longest = of(limits::CURSOR_BYTES - 2).unwrap();
        assert!(seal.check(&Token::decode(&longest).unwrap()).is_ok());
        for bytes in [limits::CURSOR_BYTES - 1, 65_535, 100_000] {
            assert_eq!(of(bytes).unwrap_err().code, "REST461");
        }
    }

    #[test]
    fn the_terms_of_an_order_are_told_apart() {
        let of = |terms: &[&str]| order_identity(terms.iter().map(|term| term.as_bytes()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        let others = [of(&[]), of(&["ab"]), of(&["a", "b"]), of(&["b", "a"]), of(&["a", "b", ""])];
        assert!((0..others.len()).all(|i| !others[..i].contains(&others[i])));
    }
}
