//! Tokens: JSON Web Tokens (RFC 7519) in the compact form of a signature (RFC 7515), verified by the rules of RFC 8725.

use crate::auth::jwk::{self, Verifier};
use crate::auth::path::Path;
use crate::auth::strict;
use crate::error::{Code, Error};
use crate::limits::{KEY_ID_BYTES, SUBJECT_BYTES, TOKEN_BYTES};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use std::rc::Rc;

/// Clocks may differ by so much (seconds).
pub const SKEW: f64 = 30.0;

/// Who issues tokens, and what is asked of them.
#[derive(Debug)]
pub struct Issuer {
    /// What the claim `iss` has to be; empty for keys that are bound to no issuer.
    pub name: String,
    /// Whom the tokens have to be meant for; empty for anybody.
    pub audiences: Vec<String>,
    /// Where the role is.
    pub role_path: Path,
}

/// A key of an issuer.
pub struct Key {
    pub issuer: Rc<Issuer>,
    pub kid: String,
    pub verifier: Verifier,
}

/// All keys there are.
#[derive(Default)]
pub struct KeySet(pub Vec<Key>);

/// What the settings say of the claims.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// A token has to say when it expires.
    pub require_exp: bool,
    /// A token has to say whom it is meant for, if its issuer's audiences are known.
    pub require_aud: bool,
}

/// A token whose signature is its issuer's. Its times are for [`Signed::check`] to judge, each time it is used.
#[derive(Debug)]
pub struct Signed {
    pub issuer: Rc<Issuer>,
    pub claims: Rc<Map<String, Value>>,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    TooLong,
    Parts(usize),
    /// A part is malformed.
    Malformed(&'static str),
    Type,
    Algorithm(&'static str),
    NoKey(&'static str),
    Claims,
    NotANumber(&'static str),
    Missing(&'static str),
    Expired,
    NotYetValid,
    IssuedInFuture,
    AudienceType,
    Audience,
    Issuer,
    Subject,
}

impl Refusal {
    /// PGRST301 when the token cannot be decoded, PGRST303 when its claims do not hold.
    pub fn code(&self) -> Code {
        use Refusal::*;
        match self {
            Empty | TooLong | Parts(_) | Malformed(_) | Type | Algorithm(_) | NoKey(_) => Code::Token,
            _ => Code::Claims,
        }
    }

    /// In words, which hold nothing of the token.
    pub fn message(&self) -> String {
        match self {
            Refusal::Empty => "Empty JWT is sent in Authorization header".to_owned(),
            Refusal::Parts(n) => format!("Expected 3 parts in JWT; got {n}"),
            Refusal::NotANumber(claim) => format!("The JWT '{claim}' claim must be a number"),
            Refusal::Missing(claim) => format!("The JWT lacks the claim '{claim}'"),
            other => other.words().to_owned(),
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Refusal::TooLong => "The JWT is too long",
            Refusal::Type => "Unsupported token type",
            Refusal::Algorithm(_) => "Wrong or unsupported encoding algorithm",
            Refusal::NoKey(_) => "No suitable key or wrong key type",
            Refusal::Claims => "Parsing claims failed",
            Refusal::Expired => "JWT expired",
            Refusal::NotYetValid => "JWT not yet valid",
            Refusal::IssuedInFuture => "JWT issued at future",
            Refusal::AudienceType => "The JWT 'aud' claim must be a string or an array of strings",
            Refusal::Audience => "JWT not in audience",
            Refusal::Issuer => "JWT not of the issuer of its key",
            Refusal::Subject => "The JWT 'sub' claim must have at most 255 bytes, and none of them zero",
            _ => "JWT couldn't be decoded",
        }
    }

    /// More about it.
    pub fn details(&self) -> Option<&'static str> {
        match self {
            Refusal::Malformed(why) | Refusal::Algorithm(why) | Refusal::NoKey(why) => Some(why),
            _ => None,
        }
    }

    /// The answer to a request with such a token: 401 with the challenge of RFC 6750, section 3.
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
    /// Errors: the token is malformed, or there is no key that made its signature.
    pub fn verify(&self, token: &str) -> Result<Signed, Refusal> {
        if token.is_empty() {
            return Err(Refusal::Empty);
        }
        if token.len() > TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let parts = token.split('.').count();
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Parts(parts))?;
        let (header, payload) = message.split_once('.').filter(|_| parts == 3).ok_or(Refusal::Parts(parts))?;
        let decode = |part| jwk::decode(part).ok_or(Refusal::Malformed("A part is no base64url."));
        let Header { algorithm, kid } = read_header(&decode(header)?)?;
        decode(signature)?;
        let claims = strict::object(&decode(payload)?).ok_or(Refusal::Claims)?;
        // What is not verified yet chooses among keys, no more.
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let named = |key: &&Key| kid.as_ref().is_none_or(|kid| *kid == key.kid);
        let mut candidates = self.0.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::NoKey("There is no key with this kid."));
        }
        let mut candidates = candidates.filter(|key| key.verifier.allows(algorithm)).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::Algorithm("No key is for this algorithm."));
        }
        let mut candidates =
            candidates.filter(|key| key.issuer.name.is_empty() || key.issuer.name == issuer).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::Issuer);
        }
        let found = candidates.find(|key| key.verifier.verify(signature, message.as_bytes(), algorithm));
        let key = found.ok_or(Refusal::NoKey("None of the keys was able to decode the JWT"))?;
        Ok(Signed { issuer: key.issuer.clone(), claims: Rc::new(claims) })
    }
}

/// Reads a header: of its members `alg`, `kid` and `typ` count, and those that change what a signature means are refused.
fn read_header(text: &[u8]) -> Result<Header, Refusal> {
    let header =
        strict::object(text).ok_or(Refusal::Malformed("The header is no JSON object, or a member comes twice."))?;
    if ["crit", "b64", "zip", "enc"].iter().any(|member| header.contains_key(*member)) {
        return Err(Refusal::Malformed("The header asks for what is not supported: crit, b64, zip or enc."));
    }
    if let Some(name) = header.get("typ") {
        let name = name.as_str().unwrap_or_default().to_ascii_lowercase();
        // A token made for another purpose is none here (RFC 8725, section 3.11).
        if !matches!(name.strip_prefix("application/").unwrap_or(&name), "jwt" | "at+jwt") {
            return Err(Refusal::Type);
        }
    }
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(jwk::algorithm);
    let algorithm = algorithm.ok_or(Refusal::Algorithm("The header's alg is none that is supported."))?;
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) if kid.len() <= KEY_ID_BYTES => Some(kid.clone()),
        Some(_) => return Err(Refusal::NoKey("There is no key with this kid.")),
    };
    Ok(Header { algorithm, kid })
}

impl Signed {
    /// Checks the claims that limit the use of a token. `now` in seconds since 1970.
    ///
    /// Errors: a time, the audience, or a claim of the wrong type.
    pub fn check(&self, policy: Policy, now: f64) -> Result<(), Refusal> {
        let claims = &self.claims;
        let date = |name: &'static str| match claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().filter(|date| date.is_finite()).map(Some).ok_or(Refusal::NotANumber(name)),
        };
        match date("exp")? {
            Some(exp) if now - SKEW > exp => return Err(Refusal::Expired),
            None if policy.require_exp => return Err(Refusal::Missing("exp")),
            _ => {}
        }
        for (name, refusal) in [("nbf", Refusal::NotYetValid), ("iat", Refusal::IssuedInFuture)] {
            match date(name)? {
                Some(date) if date < 0.0 => return Err(Refusal::NotANumber(name)),
                Some(date) if date > now + SKEW => return Err(refusal),
                _ => {}
            }
        }
        self.check_audience(policy.require_aud)?;
        match claims.get("sub") {
            Some(Value::String(sub)) if sub.len() > SUBJECT_BYTES || sub.contains('\0') => Err(Refusal::Subject),
            _ => Ok(()),
        }
    }

    fn check_audience(&self, required: bool) -> Result<(), Refusal> {
        let known = &self.issuer.audiences;
        let named: Vec<&str> = match self.claims.get("aud") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(audiences)) => {
                let texts: Option<_> = audiences.iter().map(Value::as_str).collect();
                texts.ok_or(Refusal::AudienceType)?
            }
            Some(_) => return Err(Refusal::AudienceType),
        };
        match (known.is_empty(), named.is_empty()) {
            (true, _) => Ok(()),
            (false, true) if required => Err(Refusal::Missing("aud")),
            (false, true) => Ok(()),
            _ if known.iter().any(|audience| named.contains(&audience.as_str())) => Ok(()),
            _ => Err(Refusal::Audience),
        }
    }

    /// The role that the token is for; `None` when it names none.
    pub fn role(&self) -> Option<String> {
        match self.issuer.role_path.find(&self.claims)? {
            Value::Null => None,
            Value::String(role) => Some(role.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// A token of these claims; `None` when the key is not one for the algorithm.
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
