//! Refresh tokens. Each consists of the name of its grant, a secret that all tokens of the grant share, and a secret of its own.
//!
//! So a replaced token can be distinguished from a made-up one without storing replaced tokens.

use crate::oauth::grant::hash;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of the name of a grant.
pub const GRANT_BYTES: usize = 16;
const FAMILY_BYTES: usize = 16;
const OWN_BYTES: usize = 32;

/// A refresh token.
pub struct RefreshToken([u8; RefreshToken::BYTES]);

impl RefreshToken {
    /// The number of random bytes in it.
    pub const BYTES: usize = GRANT_BYTES + FAMILY_BYTES + OWN_BYTES;

    /// The first token of a grant, made of random bytes.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        RefreshToken(random)
    }

    /// Parses a token; `None` if it is malformed.
    pub fn read(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(RefreshToken)
    }

    /// The token that replaces it, made of random bytes.
    pub fn next(&self, random: [u8; Self::BYTES]) -> Self {
        let mut next = random;
        for (new, old) in next.iter_mut().zip(self.0.iter().take(GRANT_BYTES + FAMILY_BYTES)) {
            *new = *old;
        }
        RefreshToken(next)
    }

    /// The name of its grant.
    pub fn grant(&self) -> &[u8] {
        self.0.get(..GRANT_BYTES).unwrap_or_default()
    }

    /// The hash of the secret that the tokens of its grant share.
    pub fn family_hash(&self) -> Vec<u8> {
        hash(self.0.get(GRANT_BYTES..GRANT_BYTES + FAMILY_BYTES).unwrap_or_default())
    }

    /// The hash of its own secret.
    pub fn own_hash(&self) -> Vec<u8> {
        hash(self.0.get(GRANT_BYTES + FAMILY_BYTES..).unwrap_or_default())
    }

    /// The token as the client gets it.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_token_is_of_the_same_grant_and_another_one() {
        let first = RefreshToken::new([1; RefreshToken::BYTES]);
        let next = first.next([2; RefreshToken::BYTES]);
        assert_eq!((first.grant(), first.family_hash()), (next.grant(), next.family_hash()));
        assert_ne!(first.own_hash(), next.own_hash());
        let read = RefreshToken::read(&next.text()).unwrap();
        assert_eq!(read.own_hash(), next.own_hash());
        assert!(RefreshToken::read("").is_none() && RefreshToken::read(&next.text()[1..]).is_none());
    }
}
