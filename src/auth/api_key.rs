//! API keys: `rk_<environment>_<id><secret><check>` with `_` after the id. They are shown once, and the database only stores their
//! hash.

use crate::error::{Code, Error};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// The prefix of every key. A bearer token that begins with it is treated as a key.
pub const PREFIX: &str = "rk_";
/// Characters of the public part, by which a key is found.
pub const ID: usize = 8;
/// Random bytes in a key.
const SECRET_BYTES: usize = 32;
/// Characters of those bytes in base64url.
const SECRET: usize = 43;
/// Characters of the checksum: the four bytes of a CRC-32 in base64url.
const CHECK: usize = 6;
/// Characters of the environment, at most.
const ENVIRONMENT: usize = 16;
/// Bytes of a key, at most.
pub const MAX_BYTES: usize = PREFIX.len() + ENVIRONMENT + 1 + ID + 1 + SECRET + CHECK;
/// The characters of an id: letters and digits alone, so that a double click selects all of it.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key's SHA-256.
pub type Hash = [u8; 32];

/// A key that was just made. Only its hash is stored.
pub struct IssuedKey {
    pub id: String,
    pub key: String,
    pub hash: Hash,
}

/// Makes a key. `None` if the operating system has no random bytes, or the environment is malformed.
pub fn generate(environment: &str) -> Option<IssuedKey> {
    if !is_environment(environment) {
        return None;
    }
    let random = SystemRandom::new();
    let mut id = String::with_capacity(ID);
    while id.len() < ID {
        let mut byte = [0];
        random.fill(&mut byte).ok()?;
        // Six bits of a byte. A byte beyond the alphabet is thrown away, so that all characters are equally likely.
        id.extend(ALPHABET.get(usize::from(byte[0] & 63)).map(|c| char::from(*c)));
    }
    let mut secret = [0; SECRET_BYTES];
    random.fill(&mut secret).ok()?;
    let mut key = format!("{PREFIX}{environment}_{id}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret));
    key.push_str(&check(&key));
    let hash = hash(&key);
    Some(IssuedKey { id, key, hash })
}

/// Whether a text is a valid environment: 1 to 16 lower-case letters and digits.
pub fn is_environment(text: &str) -> bool {
    (1..=ENVIRONMENT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The id of a well-formed key with a correct checksum; `None` for any other text.
pub fn id(key: &str) -> Option<&str> {
    let (environment, rest) = key.strip_prefix(PREFIX)?.split_once('_')?;
    let (id, rest) = rest.split_at_checked(ID)?;
    let secret = rest.strip_prefix('_')?;
    let well_formed = is_environment(environment)
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
        && secret.len() == SECRET + CHECK
        && secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let (message, sum) = key.split_at_checked(key.len().checked_sub(CHECK)?)?;
    (well_formed && check(message) == sum).then_some(id)
}

/// The hash of a key. It covers all characters, so that neither id nor environment can be replaced.
pub fn hash(key: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    hash
}

/// Whether a presented key has the stored hash. The comparison takes the same time wherever the two differ. If no hash is stored,
/// the key is compared with a hash that no key has.
pub fn is_stored(presented: &Hash, stored: Option<&[u8]>) -> bool {
    verify_slices_are_equal(presented, stored.unwrap_or(&[0; 32])).is_ok() && stored.is_some()
}

/// The checksum. It tells a mistyped or truncated key from an unknown one without reading the table, and lets scanners for leaked
/// secrets tell keys from other texts.
fn check(message: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(crc32(message.as_bytes()).to_be_bytes())
}

/// CRC-32 (ISO 3309), as in zlib.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Why a key is refused. The cause is disclosed only to a caller who presented the right secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text does not have the form of a key.
    Malformed,
    /// No key has this id, or that key has another secret.
    Unknown,
    Expired,
    Revoked,
}

impl Refusal {
    /// The error for a request with such a key: 401 with the challenge of RFC 6750, section 3.
    pub fn into_error(self) -> Error {
        let (message, hint) = match self {
            Refusal::Malformed => {
                ("The API key is malformed", "Copy all of it: rk_, the environment, and two more parts.")
            }
            Refusal::Unknown => {
                ("The API key is unknown", "Check that the key is complete and belongs to this server.")
            }
            Refusal::Expired => ("The API key has expired", "Use the key that replaced it, or ask for a new one."),
            Refusal::Revoked => ("The API key was revoked", "Use another key, or ask for a new one."),
        };
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
        Error::new(Code::ApiKey, message).hint(hint).header("www-authenticate", challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_is_read_again() {
        let IssuedKey { id: made, key, hash: stored } = generate("live").unwrap();
        assert_eq!(id(&key), Some(made.as_str()));
        assert_eq!(generate("environment12345").unwrap().key.len(), MAX_BYTES);
        assert_eq!(key.len(), "rk_live_".len() + ID + 1 + SECRET + CHECK);
        assert!(is_stored(&hash(&key), Some(&stored)));
        let other = generate("live").unwrap();
        assert!(other.id != made && other.hash != stored);
        assert!(generate("a_b").is_none() && generate("").is_none() && generate("UPPER").is_none());
    }

    #[test]
    fn t26_a_changed_key_is_malformed() {
        let key = generate("t").unwrap().key;
        for i in 0..key.len() {
            for bit in 0..7 {
                let mut bytes = key.clone().into_bytes();
                bytes[i] ^= 1 << bit;
                assert_eq!(id(&String::from_utf8(bytes).unwrap()), None, "{i} {bit}");
            }
            assert_eq!(id(&key[..i]), None);
        }
        for text in [
            "",
            "rk_",
            "rk__",
            "rk_live_",
            "rk_l\u{e4}ve_12345678_",
            "rk_live_1234567\u{e4}_",
            &format!("{key}x"),
            &format!(" {key}"),
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }

    #[test]
    fn t29_an_unknown_key_is_compared_as_a_known_one() {
        let (presented, stored) = (hash("rk_a"), hash("rk_b"));
        assert!(!is_stored(&presented, Some(&stored)));
        assert!(!is_stored(&presented, None));
        // the hash that unknown keys are compared with does not match either
        assert!(!is_stored(&[0; 32], None));
        assert!(!is_stored(&presented, Some(&presented[..31])) && !is_stored(&presented, Some(&[])));
    }

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn refusals_tell_nothing_of_the_key() {
        for refusal in [Refusal::Malformed, Refusal::Unknown, Refusal::Expired, Refusal::Revoked] {
            let error = refusal.into_error();
            assert_eq!((error.status, error.code.as_str()), (401, "REST411"));
            assert!(error.headers.iter().any(|(n, v)| n == "www-authenticate" && v.contains("invalid_token")));
        }
    }
}
