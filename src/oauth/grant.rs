//! What a client asks for, and whether it is granted.

use crate::oauth::{Credentials, ErrorName, Failure, Parameters};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SHA-256. It is enough for secrets that are random and were not chosen by a person.
pub fn hash(secret: &[u8]) -> Vec<u8> {
    digest(&SHA256, secret).as_ref().to_vec()
}

/// A registered client.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub grant_types: Vec<String>,
    pub scopes: Vec<String>,
    /// The role of its tokens.
    pub role: String,
    /// It can keep a secret.
    pub is_confidential: bool,
    /// The hash of its secret.
    pub secret_hash: Option<Vec<u8>>,
}

impl Client {
    /// The client with these credentials, if they are correct.
    ///
    /// # Errors
    /// `invalid_client`. Refusing an unknown client takes as long as refusing a wrong secret.
    pub fn authenticate(known: Option<Client>, credentials: &Credentials) -> Result<Client, Failure> {
        let given = hash(credentials.secret.as_deref().unwrap_or_default().as_bytes());
        let kept = known.as_ref().and_then(|client| client.secret_hash.as_deref()).unwrap_or(&[0; 32]);
        let is_equal = verify_slices_are_equal(&given, kept).is_ok();
        let is_proven = |client: &Client| {
            if client.is_confidential { is_equal && credentials.secret.is_some() } else { credentials.secret.is_none() }
        };
        known.filter(is_proven).ok_or_else(Failure::invalid_client)
    }

    /// Whether it may use a grant type.
    pub fn may(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|allowed| allowed == grant_type)
    }
}

/// A token request.
#[derive(Debug, PartialEq, Eq)]
pub enum Grant<'a> {
    /// For the client itself (RFC 6749, section 4.4).
    ClientCredentials,
    /// For the user that the code was issued for (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
    AuthorizationCode { code: &'a str, redirect_uri: &'a str, verifier: &'a str },
    /// For the user that the refresh token was issued for (RFC 6749, section 6).
    RefreshToken(&'a str),
}

impl<'a> Grant<'a> {
    /// Reads the grant that is asked for, if the client may use it.
    ///
    /// # Errors
    /// `unsupported_grant_type`, `unauthorized_client`, or `invalid_request` if a parameter is missing.
    pub fn read(parameters: &'a Parameters, client: &Client) -> Result<Self, Failure> {
        let grant_type = parameters.need("grant_type")?;
        if !matches!(grant_type, "client_credentials" | "authorization_code" | "refresh_token") {
            return Err(Failure::new(
                ErrorName::UnsupportedGrantType,
                "The supported grant types are authorization_code, client_credentials and refresh_token",
            ));
        }
        // A client that cannot keep a secret has not proven its identity.
        if !client.may(grant_type) || (grant_type == "client_credentials" && !client.is_confidential) {
            return Err(Failure::new(
                ErrorName::UnauthorizedClient,
                "The client is not registered for this grant type",
            ));
        }
        Ok(match grant_type {
            "client_credentials" => Grant::ClientCredentials,
            "authorization_code" => Grant::AuthorizationCode {
                code: parameters.need("code")?,
                redirect_uri: parameters.need("redirect_uri")?,
                verifier: parameters.need("code_verifier")?,
            },
            _ => Grant::RefreshToken(parameters.need("refresh_token")?),
        })
    }
}

/// Whether a verifier matches a challenge with method S256 (RFC 7636, sections 4.1 and 4.6).
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let computed = URL_SAFE_NO_PAD.encode(hash(verifier.as_bytes()));
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(is_unreserved)
        && verify_slices_are_equal(computed.as_bytes(), challenge.as_bytes()).is_ok()
}

/// The granted scopes: those that were asked for, or all that the client may have (RFC 6749, section 3.3).
///
/// # Errors
/// `invalid_scope` if more is asked for.
pub fn scopes(asked: Option<&str>, may: &[String]) -> Result<Vec<String>, Failure> {
    let Some(asked) = asked else { return Ok(may.to_vec()) };
    let mut granted: Vec<String> = Vec::new();
    for scope in asked.split(' ').filter(|scope| !scope.is_empty()) {
        if !may.iter().any(|allowed| allowed == scope) {
            return Err(Failure::new(
                ErrorName::InvalidScope,
                "A scope is not registered for the client, or was not granted",
            ));
        }
        if !granted.iter().any(|known| known == scope) {
            granted.push(scope.to_owned());
        }
    }
    Ok(granted)
}

/// The error for an expired, used or revoked grant, and for another client's grant. They are indistinguishable.
pub fn invalid() -> Failure {
    Failure::new(
        ErrorName::InvalidGrant,
        "The grant is unknown, expired, already used or revoked, or belongs to another client",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    fn credentials(secret: Option<&str>) -> Credentials {
        Credentials { client_id: "c".into(), secret: secret.map(str::to_owned) }
    }

    fn client(is_confidential: bool) -> Client {
        let secret_hash = is_confidential.then(|| hash(b"s"));
        Client { is_confidential, secret_hash, grant_types: vec!["refresh_token".into()], ..Client::default() }
    }

    #[test]
    fn a_confidential_client_needs_its_secret_and_a_public_one_has_none() {
        let is_let_in = |known, secret| Client::authenticate(known, &credentials(secret)).is_ok();
        assert!(is_let_in(Some(client(true)), Some("s")));
        assert!(is_let_in(Some(client(false)), None));
        for (known, secret) in [
            (Some(client(true)), Some("t")),
            (Some(client(true)), None),
            (Some(client(false)), Some("s")),
            (None, Some("s")),
            (None, None),
            // a client whose secret is missing after restoring a dump
            (Some(Client { secret_hash: None, ..client(true) }), Some("")),
        ] {
            assert!(!is_let_in(known.clone(), secret), "{known:?} {secret:?}");
        }
    }

    #[test]
    fn the_verifier_of_rfc_7636_and_no_other() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(verifies(verifier, challenge));
        // the method plain, too short, too long, invalid characters
        assert!(!verifies(challenge, challenge));
        for verifier in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(50))] {
            let challenge = URL_SAFE_NO_PAD.encode(hash(verifier.as_bytes()));
            assert!(!verifies(&verifier, &challenge), "{verifier}");
        }
    }

    #[test]
    fn scopes_are_never_more_than_may_be_had() {
        let may = ["read".to_owned(), "write".to_owned()];
        assert_eq!(scopes(None, &may).unwrap(), may);
        assert_eq!(scopes(Some("write  write"), &may).unwrap(), ["write"]);
        for asked in ["read admin", "Read", "read\twrite"] {
            assert_eq!(scopes(Some(asked), &may).unwrap_err().kind, ErrorName::InvalidScope, "{asked}");
        }
    }

    #[test]
    fn a_client_uses_the_grant_types_it_is_registered_for() {
        let headers: Headers = [("content-type", "application/x-www-form-urlencoded")].into_iter().collect();
        let kind = |body: &str, client: Client| {
            let parameters = Parameters::parse(&headers, Some(body.as_bytes())).unwrap();
            Grant::read(&parameters, &client).err().map(|failure| failure.kind)
        };
        assert_eq!(kind("grant_type=refresh_token&refresh_token=x", client(false)), None);
        assert_eq!(kind("grant_type=refresh_token", client(false)), Some(ErrorName::InvalidRequest));
        assert_eq!(kind("grant_type=password", client(true)), Some(ErrorName::UnsupportedGrantType));
        assert_eq!(kind("grant_type=client_credentials", client(true)), Some(ErrorName::UnauthorizedClient));
        let public = Client { grant_types: vec!["client_credentials".into()], ..client(false) };
        assert_eq!(kind("grant_type=client_credentials", public), Some(ErrorName::UnauthorizedClient));
        assert_eq!(kind("", client(true)), Some(ErrorName::InvalidRequest));
    }
}
