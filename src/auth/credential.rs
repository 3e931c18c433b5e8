//! The credential that proves who a request speaks for.

use crate::auth::api_key;
use crate::error::{Code, Error, Result};

/// A token or a key in a request, not verified yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// A bearer token that is not an API key.
    Token(&'a str),
    /// An API key, or whatever the request sent in its place.
    Key(&'a str),
}

impl<'a> Credential<'a> {
    /// The credential of a request: from its field Authorization, and from the fields that API keys come in.
    ///
    /// A bearer token takes precedence. Other fields then count only if they hold an API key, and it has to be the same one:
    /// clients of Supabase send the key of their project together with the token of their user. Without a bearer token, those
    /// fields hold an API key or, in three parts, a token. Anything else counts as a bad key, and not as a missing one.
    ///
    /// # Errors
    /// REST400 for two different credentials (RFC 6750, section 2).
    pub fn of(authorization: Option<&'a str>, fields: impl Iterator<Item = &'a str>) -> Result<Option<Self>> {
        let bearer = authorization.and_then(bearer_token);
        let mut found = bearer;
        for field in fields {
            match found {
                Some(other) if other == field || (bearer.is_some() && !field.starts_with(api_key::PREFIX)) => {}
                None => found = Some(field),
                Some(_) => {
                    return Err(Error::new(Code::MalformedRequest, "The request carries two different credentials")
                        .hint("Send one API key, or one token in the Authorization header."));
                }
            }
        }
        let is_token = |text: &str| bearer.is_some() || text.bytes().filter(|b| *b == b'.').count() == 2;
        Ok(found.map(|text| {
            if text.starts_with(api_key::PREFIX) || !is_token(text) {
                Credential::Key(text)
            } else {
                Credential::Token(text)
            }
        }))
    }
}

/// The token of an Authorization field with the scheme Bearer (RFC 6750, section 2.1). Other schemes are ignored. A repeated field
/// is joined by commas. If Bearer comes second there, the whole field is returned: it is not a valid token, so it is refused and
/// not overlooked.
fn bearer_token(field: &str) -> Option<&str> {
    let mut others = field.split(',').skip(1).filter_map(|part| after_bearer(part.trim()));
    after_bearer(field.trim()).or_else(|| others.next().map(|_| field))
}

/// The rest of a text that begins with the scheme Bearer.
fn after_bearer(text: &str) -> Option<&str> {
    // A scheme ends at the first character that a token cannot have (RFC 9110, section 5.6.2), whether or not that is the required
    // space.
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)));
    let (scheme, rest) = text.split_at(end.unwrap_or(text.len()));
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Credential::{Key, Token};

    fn of<'a>(authorization: Option<&'a str>, fields: &[&'a str]) -> Option<Credential<'a>> {
        Credential::of(authorization, fields.iter().copied()).unwrap()
    }

    #[test]
    fn a_bearer_token_is_a_token_or_a_key() {
        assert_eq!(of(Some("Bearer a.b.c"), &[]), Some(Token("a.b.c")));
        assert_eq!(of(Some("bearer  rk_live_x "), &[]), Some(Key("rk_live_x")));
        assert_eq!(of(Some("Bearer"), &[]), Some(Token("")));
        assert_eq!(of(Some("Basic YTpi"), &[]), None);
        assert_eq!(of(None, &[]), None);
    }

    #[test]
    fn a_bearer_token_is_never_overlooked() {
        for field in ["Bearer\ta.b.c", " Bearer a.b.c", "Bearer\u{a0}a.b.c"] {
            assert_eq!(of(Some(field), &[]), Some(Token("a.b.c")), "{field}");
        }
        for (field, token) in [
            ("Bearer:a.b.c", ":a.b.c"),
            ("Bearer, Basic YTpi", ", Basic YTpi"),
            ("Basic YTpi, bearer a.b.c", "Basic YTpi, bearer a.b.c"),
            ("Basic YTpi,Bearer", "Basic YTpi,Bearer"),
        ] {
            assert_eq!(of(Some(field), &[]), Some(Token(token)), "{field}");
        }
        assert_eq!(of(Some("Digest realm=\"a\", nonce=\"b\""), &[]), None);
        assert_eq!(of(Some("Bearers a.b.c"), &[]), None);
    }

    #[test]
    fn a_bad_key_is_never_none() {
        for key in ["rk_live_x", "rk_", "something", "", "a.b", "a.b.c.d"] {
            assert_eq!(of(None, &[key]), Some(Key(key)));
            assert_eq!(of(Some("Basic YTpi"), &[key]), Some(Key(key)));
        }
        assert_eq!(of(None, &["rk_live_x", "rk_live_x"]), Some(Key("rk_live_x")));
    }

    #[test]
    fn clients_of_supabase_send_two_fields() {
        assert_eq!(of(Some("Bearer a.b.c"), &["a.b.c"]), Some(Token("a.b.c")));
        assert_eq!(of(Some("Bearer user.b.c"), &["anon.b.c"]), Some(Token("user.b.c")));
        assert_eq!(of(Some("Bearer user.b.c"), &["sb_publishable_x"]), Some(Token("user.b.c")));
        assert_eq!(of(Some("Bearer rk_live_x"), &["rk_live_x"]), Some(Key("rk_live_x")));
        assert_eq!(of(None, &["anon.b.c"]), Some(Token("anon.b.c")));
    }

    #[test]
    fn two_different_credentials_are_refused() {
        for (authorization, fields) in [
            (Some("Bearer a.b.c"), &["rk_live_x"][..]),
            (Some("Bearer rk_live_y"), &["rk_live_x"]),
            (Some("Bearer"), &["rk_live_x"]),
            (None, &["rk_live_x", "rk_live_y"]),
            (None, &["a.b.c", "rk_live_x"]),
        ] {
            let error = Credential::of(authorization, fields.iter().copied()).unwrap_err();
            assert_eq!((error.status, error.code.as_str()), (400, "REST400"), "{fields:?}");
        }
    }
}
