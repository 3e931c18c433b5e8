//! Tokens: JSON Web Tokens (RFC 7519) in the compact form of a signature (RFC 7515), verified by the rules of RFC 8725.

use crate::auth::claims;
use crate::auth::jwk::{self, Verifier};
use crate::auth::path::Path;
use crate::auth::strict;
use crate::error::{Code, Error};
use crate::limits::{CLOCK_SKEW_SECONDS, KEY_ID_BYTES, TOKEN_BYTES};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use std::rc::Rc;

/// An issuer of tokens, and what its tokens must say.
#[derive(Debug)]
pub struct Issuer {
    /// The required value of the claim `iss`; empty for keys that are not bound to an issuer.
    pub name: String,
    /// The audiences that tokens must name; empty if any audience will do.
    pub audiences: Vec<String>,
    /// The path of the claim that holds the role.
    pub role_path: Path,
}

/// A key of an issuer.
pub struct Key {
    pub issuer: Rc<Issuer>,
    pub kid: String,
    pub verifier: Verifier,
}

/// All keys.
#[derive(Default)]
pub struct KeySet(pub Vec<Key>);

/// What the settings require of the claims.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// A token must say when it expires.
    pub require_exp: bool,
    /// A token must name its audience if its issuer's audiences are known.
    pub require_aud: bool,
}

/// A token whose signature was verified. [`SignedToken::check`] checks its times at each use.
#[derive(Debug)]
pub struct SignedToken {
    pub issuer: Rc<Issuer>,
    pub claims: Rc<Map<String, Value>>,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Header,
    Claims,
    Signature,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Header => "the header",
            Part::Claims => "the payload",
            Part::Signature => "the signature",
        }
    }

    fn decode(self, text: &str) -> Result<Vec<u8>, Refusal> {
        jwk::decode(text).ok_or(Refusal::NotBase64(self))
    }
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    TooLong,
    Parts(usize),
    NotBase64(Part),
    /// The header is not an object, or is ambiguous.
    Header(strict::Flaw),
    /// The header has a member that changes what the signature means.
    Extension(&'static str),
    Type,
    UnknownAlgorithm,
    /// The keys that the header allows are for other algorithms.
    OtherAlgorithm,
    /// No key has the name that the header gives.
    UnknownKey,
    Signature,
    /// The claims are not an object, or are ambiguous.
    Claims(strict::Flaw),
    Claim(claims::Flaw),
    Missing(&'static str),
    Expired,
    NotYetValid,
    IssuedInFuture,
    Audience,
    Issuer,
    /// The role is a value of this kind, not a string.
    Role(&'static str),
}

impl Refusal {
    /// PGRST301 when the token cannot be decoded, PGRST303 when its claims do not hold.
    pub fn code(&self) -> Code {
        use Refusal::*;
        match self {
            Empty | TooLong | Parts(_) | NotBase64(_) | Header(_) | Extension(_) | Type | UnknownAlgorithm
            | OtherAlgorithm | UnknownKey | Signature => Code::Token,
            _ => Code::Claims,
        }
    }

    /// In PostgREST's words where it has some. They hold nothing of the token.
    pub fn message(&self) -> String {
        match self {
            Refusal::Parts(n) => format!("Expected 3 parts in JWT; got {n}"),
            Refusal::Claim(flaw) => format!("The JWT {}", flaw.words()),
            Refusal::Missing(claim) => format!("The JWT lacks the claim '{claim}'"),
            Refusal::Role(kind) => format!("The role in the JWT must be a string, not {kind}"),
            other => other.words().to_owned(),
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Refusal::Empty => "Empty JWT is sent in Authorization header",
            Refusal::TooLong => "The JWT is too long",
            Refusal::Type => "Unsupported token type",
            Refusal::UnknownAlgorithm | Refusal::OtherAlgorithm => "Wrong or unsupported encoding algorithm",
            Refusal::UnknownKey | Refusal::Signature => "No suitable key or wrong key type",
            Refusal::Claims(_) => "Parsing claims failed",
            Refusal::Expired => "JWT expired",
            Refusal::NotYetValid => "JWT not yet valid",
            Refusal::IssuedInFuture => "JWT issued at future",
            Refusal::Audience => "JWT not in audience",
            Refusal::Issuer => "JWT not from the issuer of its key",
            _ => "JWT couldn't be decoded",
        }
    }

    /// Distinguishes causes that share a message.
    fn cause(&self) -> Option<String> {
        Some(match self {
            Refusal::NotBase64(part) => format!("{} is not base64url without padding", part.name()),
            Refusal::Header(flaw) => format!("{} {}", Part::Header.name(), flaw.words()),
            Refusal::Claims(flaw) => format!("{} {}", Part::Claims.name(), flaw.words()),
            Refusal::Extension(member) => format!("the header has the member {member}, which is not supported"),
            Refusal::UnknownAlgorithm => "the header's alg is not a supported algorithm".to_owned(),
            Refusal::OtherAlgorithm => "no key supports the header's alg".to_owned(),
            Refusal::UnknownKey => "there is no key with the header's kid".to_owned(),
            // PostgREST's words
            Refusal::Signature => "none of the keys was able to decode the JWT".to_owned(),
            Refusal::Role(_) => "the issuer's role_path must lead to one string, as $.roles[0] does".to_owned(),
            _ => return None,
        })
    }

    /// Details, as a sentence.
    pub fn details(&self) -> Option<String> {
        let cause = self.cause()?;
        let (first, rest) = cause.split_at_checked(1)?;
        let end = if *self == Refusal::Signature { "" } else { "." };
        Some(format!("{}{rest}{end}", first.to_ascii_uppercase()))
    }

    /// Message and details in one line.
    pub fn reason(&self) -> String {
        let message = self.message();
        match self.cause() {
            Some(cause) => format!("{message}: {cause}"),
            None => message,
        }
    }

    /// The error for a request with such a token: 401 with the challenge of RFC 6750, section 3.
    pub fn into_error(self) -> Error {
        let message = self.message();
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
        let error = Error::new(self.code(), message).header("www-authenticate", challenge);
        match self.details() {
            Some(details) => error.details(details),
            None => error,
        }
    }
}

struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
}

impl KeySet {
    /// Verifies a token's signature with the keys that its header and its issuer allow.
    ///
    /// # Errors
    /// The token is malformed, or none of the keys made its signature.
    pub fn verify(&self, token: &str) -> Result<SignedToken, Refusal> {
        if token.is_empty() {
            return Err(Refusal::Empty);
        }
        if token.len() > TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let parts = token.split('.').count();
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Parts(parts))?;
        let (header, payload) = message.split_once('.').filter(|_| parts == 3).ok_or(Refusal::Parts(parts))?;
        let Header { algorithm, kid } = read_header(&Part::Header.decode(header)?)?;
        Part::Signature.decode(signature)?;
        let claims = strict::object(&Part::Claims.decode(payload)?).map_err(Refusal::Claims)?;
        // Unverified claims are only used to choose among keys.
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let named = |key: &&Key| kid.as_ref().is_none_or(|kid| *kid == key.kid);
        let mut candidates = self.0.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::UnknownKey);
        }
        let mut candidates = candidates.filter(|key| key.verifier.allows(algorithm)).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::OtherAlgorithm);
        }
        let mut candidates =
            candidates.filter(|key| key.issuer.name.is_empty() || key.issuer.name == issuer).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::Issuer);
        }
        let found = candidates.find(|key| key.verifier.verify(signature, message.as_bytes(), algorithm));
        let key = found.ok_or(Refusal::Signature)?;
        Ok(SignedToken { issuer: key.issuer.clone(), claims: Rc::new(claims) })
    }
}

/// Reads a header. Its members `alg`, `kid` and `typ` count. Members that change the meaning of a signature are refused.
fn read_header(text: &[u8]) -> Result<Header, Refusal> {
    let header = strict::object(text).map_err(Refusal::Header)?;
    if let Some(member) = ["crit", "b64", "zip", "enc"].into_iter().find(|member| header.contains_key(*member)) {
        return Err(Refusal::Extension(member));
    }
    if let Some(name) = header.get("typ") {
        let name = name.as_str().unwrap_or_default().to_ascii_lowercase();
        // A token for another purpose is refused (RFC 8725, section 3.11).
        if !matches!(name.strip_prefix("application/").unwrap_or(&name), "jwt" | "at+jwt") {
            return Err(Refusal::Type);
        }
    }
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(jwk::algorithm);
    let algorithm = algorithm.ok_or(Refusal::UnknownAlgorithm)?;
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) if kid.len() <= KEY_ID_BYTES => Some(kid.clone()),
        Some(_) => return Err(Refusal::UnknownKey),
    };
    Ok(Header { algorithm, kid })
}

impl SignedToken {
    /// Checks the claims that limit the use of a token. `now` in seconds since 1970.
    ///
    /// # Errors
    /// A time or the audience does not hold, or a claim has the wrong type.
    pub fn check(&self, policy: Policy, now: f64) -> Result<(), Refusal> {
        claims::check_registered(&self.claims).map_err(Refusal::Claim)?;
        let date = |name: &str| self.claims.get(name).and_then(Value::as_f64);
        match date("exp") {
            Some(exp) if now - CLOCK_SKEW_SECONDS > exp => return Err(Refusal::Expired),
            None if policy.require_exp => return Err(Refusal::Missing("exp")),
            _ => {}
        }
        for (claim, refusal) in [("nbf", Refusal::NotYetValid), ("iat", Refusal::IssuedInFuture)] {
            match date(claim) {
                Some(date) if date < 0.0 => {
                    return Err(Refusal::Claim(claims::Flaw::Type { claim, expected: "a number" }));
                }
                Some(date) if date > now + CLOCK_SKEW_SECONDS => return Err(refusal),
                _ => {}
            }
        }
        self.check_audience(policy.require_aud)?;
        match self.issuer.role_path.find(&self.claims) {
            None | Some(Value::Null | Value::String(_)) => Ok(()),
            Some(Value::Array(_)) => Err(Refusal::Role("an array")),
            Some(Value::Object(_)) => Err(Refusal::Role("an object")),
            Some(Value::Number(_)) => Err(Refusal::Role("a number")),
            Some(Value::Bool(_)) => Err(Refusal::Role("a boolean")),
        }
    }

    fn check_audience(&self, required: bool) -> Result<(), Refusal> {
        let known = &self.issuer.audiences;
        let named: Vec<&str> = match self.claims.get("aud") {
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        match (known.is_empty(), named.is_empty()) {
            (true, _) => Ok(()),
            (false, true) if required => Err(Refusal::Missing("aud")),
            (false, true) => Ok(()),
            _ if known.iter().any(|audience| named.contains(&audience.as_str())) => Ok(()),
            _ => Err(Refusal::Audience),
        }
    }

    /// The role that the token names, if it names one.
    pub fn role(&self) -> Option<&str> {
        self.issuer.role_path.find(&self.claims)?.as_str()
    }
}

/// A signed token with these claims; `None` if the key does not fit the algorithm.
///
/// `kind`: its `typ` (RFC 8725, section 3.11).
pub fn signed(
    claims: &Map<String, Value>,
    kind: &str,
    kid: &str,
    private: &[u8],
    algorithm: Algorithm,
) -> Option<String> {
    let header = serde_json::json!({"alg": jwk::algorithm_name(algorithm), "typ": kind, "kid": kid});
    let claims = serde_json::to_vec(claims).ok()?;
    let message = format!("{}.{}", jwk::encode(header.to_string().as_bytes()), jwk::encode(&claims));
    let signature = jwk::sign(message.as_bytes(), private, algorithm)?;
    Some(format!("{message}.{signature}"))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
