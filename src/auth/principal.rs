//! The identity of a request and the role that follows from it.

use crate::auth::claims::{AuthMethod, Flaw, check_registered};
use crate::auth::credential::Credential;
use crate::auth::strict;
use crate::auth::token::{Refusal, SignedToken};
use crate::error::{Code, Error, Result};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The state of the session that decides about identities.
#[derive(Clone, Debug, Default)]
pub struct SessionState<'a> {
    /// The role that logged in (`session_user`).
    pub session_user: &'a str,
    /// The role in force (`current_user`).
    pub current_user: &'a str,
    /// `restful.anon_role`. If it is set, the session acts as an HTTP layer.
    pub anon_role: Option<Rc<str>>,
    /// `restful.require_token`: requests without an identity are refused.
    pub requires_token: bool,
    /// `session_user` is listed in `restful.trusted_authenticators`.
    pub is_trusted: bool,
    /// The setting `request.jwt.claims`, which any SQL user can set.
    pub claims: Option<&'a str>,
}

/// Who a request speaks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Identity {
    /// An anonymous caller.
    Anonymous,
    /// The SQL user who owns the session.
    SessionUser,
    /// The subject of claims that were verified in this way.
    Claims(Rc<Map<String, Value>>, AuthMethod),
}

/// The identity that a verified credential proves.
#[derive(Clone, Debug)]
pub struct VerifiedIdentity {
    pub claims: Rc<Map<String, Value>>,
    /// The role that it names.
    pub role: Option<Rc<str>>,
    pub method: AuthMethod,
}

impl From<Rc<SignedToken>> for VerifiedIdentity {
    fn from(signed: Rc<SignedToken>) -> Self {
        VerifiedIdentity { role: signed.role().map(Rc::from), claims: signed.claims.clone(), method: AuthMethod::Jwt }
    }
}

/// An identity and the role its request runs as.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    pub identity: Identity,
    /// The role to become; `None` to stay what the session is.
    pub switch_to: Option<Rc<str>>,
    /// Whether the caller is identified. If so, a denial is 403, otherwise 401.
    pub is_authenticated: bool,
}

impl Principal {
    /// Determines who a request speaks for. `verify` verifies the request's credential. A bad credential never counts as a missing
    /// one.
    ///
    /// # Errors
    /// The errors of `verify`; PGRST302 if an identity is required but missing, or an anonymous request has no role; REST400 if
    /// PostgREST's session passes a credential on; REST401 if the claims and the role of a trusted authenticator disagree, or a
    /// claim has the wrong type.
    pub fn of(
        session: &SessionState,
        credential: Option<Credential>,
        verify: impl FnOnce(Credential) -> Result<VerifiedIdentity>,
    ) -> Result<Self> {
        let switched = session.session_user != session.current_user;
        if let Some(credential) = credential {
            if switched {
                return Err(Error::new(Code::MalformedRequest, "The request already has an identity")
                    .details("The session's role was set before the call, so an Authorization header or an API key cannot apply.")
                    .hint("Remove the header, or call as the authenticator itself."));
            }
            if credential == Credential::Token("") {
                return Err(Refusal::Empty.into_error());
            }
            let VerifiedIdentity { claims, role, method } = verify(credential)?;
            let role = role.or_else(|| session.anon_role.clone()).ok_or_else(token_required)?;
            return Ok(Principal {
                identity: Identity::Claims(claims, method),
                is_authenticated: session.anon_role.as_ref() != Some(&role),
                switch_to: Some(role),
            });
        }
        let claims = match session.claims.filter(|c| session.is_trusted && !c.is_empty()) {
            Some(claims) => Self::trusted_identity(session, claims)?,
            None => None,
        };
        let (identity, switch_to) = match (claims, &session.anon_role) {
            (Some(identity), _) => (identity, None),
            (None, Some(role)) if !switched => (Identity::Anonymous, Some(role.clone())),
            // PostgREST took this role for its anonymous requests.
            (None, Some(role)) if **role == *session.current_user => (Identity::Anonymous, None),
            _ => (Identity::SessionUser, None),
        };
        if session.requires_token && !matches!(identity, Identity::Claims(..)) {
            return Err(token_required());
        }
        let is_authenticated = identity != Identity::Anonymous;
        Ok(Principal { identity, switch_to, is_authenticated })
    }

    /// Claims count only if they name the role that the authenticator took for them.
    fn trusted_identity(session: &SessionState, text: &str) -> Result<Option<Identity>> {
        let refused = |why: &str| {
            Error::new(Code::Identity, "The session's claims and role do not agree")
                .details(why)
                .hint("A trusted authenticator sets request.jwt.claims and takes the role that they name, in one transaction.")
                .header("www-authenticate", "Bearer")
        };
        let claims = strict::object(text.as_bytes())
            .map_err(|flaw| refused(&format!("The setting request.jwt.claims {}.", flaw.words())))?;
        match trust(&claims, session.current_user, session.anon_role.as_deref()) {
            _ if claims.is_empty() => Ok(None),
            Some(AuthMethod::Anonymous) => Ok(Some(Identity::Anonymous)),
            Some(method) => {
                check_registered(&claims).map_err(refuse_claim)?;
                Ok(Some(Identity::Claims(Rc::new(claims), method)))
            }
            None => Err(refused("The claim 'role' is not the current role.")),
        }
    }

    /// How the identity was established.
    pub fn method(&self) -> AuthMethod {
        match &self.identity {
            Identity::Anonymous => AuthMethod::Anonymous,
            Identity::SessionUser => AuthMethod::Sql,
            Identity::Claims(_, method) => *method,
        }
    }

    /// The claims as the setting `request.jwt.claims` shows them. They always include the role.
    pub fn claims_setting(&self, role: &str) -> String {
        let mut claims = match &self.identity {
            Identity::Claims(claims, _) => Map::clone(claims),
            Identity::Anonymous | Identity::SessionUser => Map::new(),
        };
        claims.insert("role".to_owned(), Value::from(role));
        Value::Object(claims).to_string()
    }
}

/// How the claims in a trusted authenticator's session identify the caller while this role is in force. They belong to a subject
/// that PostgREST verified; or the caller is anonymous, if the claims contain only the role, as PostgREST sets them for an
/// anonymous request, and it is the anonymous role, if that is known. `None` if they do not name the role.
pub fn trust(claims: &Map<String, Value>, role: &str, anon_role: Option<&str>) -> Option<AuthMethod> {
    if claims.get("role").and_then(Value::as_str) != Some(role) {
        return None;
    }
    let is_anonymous = claims.len() == 1 && anon_role.is_none_or(|anon| anon == role);
    Some(if is_anonymous { AuthMethod::Anonymous } else { AuthMethod::Postgrest })
}

/// The error for a trusted authenticator's claims whose subject is malformed.
fn refuse_claim(flaw: Flaw) -> Error {
    Error::new(Code::Identity, format!("The {}", flaw.words()))
        .details("The claim is in the setting request.jwt.claims.")
        .hint("Issue tokens whose registered claims have the types that RFC 7519, section 4.1 defines.")
        .header("www-authenticate", "Bearer error=\"invalid_token\"")
}

fn token_required() -> Error {
    Error::new(Code::TokenRequired, "Anonymous access is disabled").header("www-authenticate", "Bearer")
}

/// Refuses roles that no request may run as, whoever the caller is: superusers and the roles of PostgreSQL itself.
///
/// `may_bypass_rls`: the role is listed in `restful.bypassrls_roles`.
///
/// # Errors
/// REST403 (403) for such a role.
pub fn refuse_dangerous_role(name: &str, is_superuser: bool, bypasses_rls: bool, may_bypass_rls: bool) -> Result<()> {
    if is_superuser || name.starts_with("pg_") || (bypasses_rls && !may_bypass_rls) {
        return Err(role_refused());
    }
    Ok(())
}

/// One message for every role that a request may not run as, so that it does not disclose which roles exist.
pub fn role_refused() -> Error {
    Error::new(Code::Role, "The request may not run as this role")
        .hint("The role must exist and be granted to the session's user. It must not be a superuser, and may have BYPASSRLS only if restful.bypassrls_roles lists it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(session: &SessionState, authorization: Option<&str>) -> Result<Principal> {
        let credential = Credential::of(authorization, std::iter::empty())?;
        Principal::of(session, credential, |_| Err(Refusal::Expired.into_error()))
    }

    fn session<'a>(session_user: &'a str, current_user: &'a str) -> SessionState<'a> {
        SessionState { session_user, current_user, ..SessionState::default() }
    }

    #[test]
    fn an_http_layer_without_token_is_anonymous() {
        let s = SessionState { anon_role: Some("anon".into()), ..session("authenticator", "authenticator") };
        let p = of(&s, None).unwrap();
        assert_eq!((p.is_authenticated, p.switch_to.as_deref()), (false, Some("anon")));
        assert_eq!(p.claims_setting("anon"), r#"{"role":"anon"}"#);
    }

    #[test]
    fn a_token_is_never_taken_for_none() {
        let s = SessionState { anon_role: Some("anon".into()), ..session("authenticator", "authenticator") };
        for header in ["Bearer x.y.z", "bearer ", "BEARER abc", "Bearer"] {
            assert!(of(&s, Some(header)).is_err(), "{header}");
        }
        assert_eq!(of(&s, Some("Bearer ")).unwrap_err().status, 401);
    }

    #[test]
    fn a_token_decides_the_role() {
        use crate::auth::path::Path;
        use crate::auth::token::Issuer;
        let anon = SessionState { anon_role: Some("anon".into()), ..session("authenticator", "authenticator") };
        let with = |session: &SessionState, claims: Value| {
            let path = Path::parse("app.role").unwrap();
            let issuer = Issuer { name: String::new(), audiences: Vec::new(), role_path: path };
            let claims = Rc::new(claims.as_object().cloned().unwrap());
            let signed = Rc::new(SignedToken { issuer: Rc::new(issuer), claims });
            Principal::of(session, Some(Credential::Token("x")), |_| Ok(signed.into()))
        };
        let p = with(&anon, serde_json::json!({"sub": "1", "role": "other", "app": {"role": "web"}})).unwrap();
        assert_eq!((p.is_authenticated, p.switch_to.as_deref(), p.method()), (true, Some("web"), AuthMethod::Jwt));
        assert_eq!(p.claims_setting("web"), r#"{"sub":"1","role":"web","app":{"role":"web"}}"#);
        // no role in it: the anonymous one, with a subject
        let p = with(&anon, serde_json::json!({"sub": "1"})).unwrap();
        assert_eq!((p.is_authenticated, p.switch_to.as_deref(), p.method()), (false, Some("anon"), AuthMethod::Jwt));
        let refused = with(&session("alice", "alice"), serde_json::json!({})).unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (401, "PGRST302"));
        assert_eq!(with(&session("authenticator", "web"), serde_json::json!({})).unwrap_err().status, 400);
    }

    #[test]
    fn an_api_key_decides_the_role() {
        let s = SessionState {
            anon_role: Some("anon".into()),
            requires_token: true,
            ..session("authenticator", "authenticator")
        };
        let p = Principal::of(&s, Some(Credential::Key("rk_x")), |_| {
            Ok(VerifiedIdentity { claims: Rc::default(), role: Some("web".into()), method: AuthMethod::ApiKey })
        });
        let p = p.unwrap();
        assert_eq!((p.is_authenticated, p.switch_to.as_deref(), p.method()), (true, Some("web"), AuthMethod::ApiKey));
        for key in ["rk_x", ""] {
            let refused = Principal::of(&s, Some(Credential::Key(key)), |_| {
                Err(crate::auth::api_key::Refusal::Unknown.into_error())
            });
            assert_eq!(refused.unwrap_err().code, "REST411");
        }
    }

    #[test]
    fn a_token_can_be_required() {
        for anon_role in [None, Some("anon".into())] {
            let s = SessionState { anon_role, requires_token: true, ..session("authenticator", "authenticator") };
            assert_eq!(of(&s, None).unwrap_err().code, "PGRST302");
        }
    }

    #[test]
    fn claims_of_an_untrusted_session_do_not_count() {
        let s = SessionState { claims: Some(r#"{"role":"alice","sub":"1"}"#), ..session("alice", "alice") };
        assert_eq!(of(&s, None).unwrap().identity, Identity::SessionUser);
    }

    #[test]
    fn claims_of_a_trusted_session_have_to_name_its_role() {
        let trusted = |current, claims| {
            let s = SessionState { is_trusted: true, claims: Some(claims), ..session("authenticator", current) };
            of(&s, None)
        };
        let p = trusted("webuser", r#"{"role":"webuser","sub":"1"}"#).unwrap();
        assert!(matches!(p.identity, Identity::Claims(_, AuthMethod::Postgrest)));
        for (current, claims) in [
            ("webuser", r#"{"role":"admin","sub":"1"}"#),
            ("webuser", r#"{"sub":"1"}"#),
            ("webuser", "nonsense"),
            ("webuser", r#"{"role":"webuser","sub":42}"#),
            ("webuser", r#"{"role":"webuser","sub":null}"#),
            ("webuser", r#"{"role":"webuser","sub":""}"#),
            ("webuser", r#"{"role":"webuser","sub":"1","iss":["us"]}"#),
            ("webuser", r#"{"role":"webuser","email":"a\u0000b"}"#),
            ("webuser", r#"{"role":"webuser","sub":"1","sub":"2"}"#),
            ("authenticator", r#"{"role":"webuser"}"#),
        ] {
            assert_eq!(trusted(current, claims).unwrap_err().status, 401, "{claims}");
        }
    }

    #[test]
    fn dangerous_roles_are_refused() {
        assert!(refuse_dangerous_role("web", false, false, false).is_ok());
        assert!(refuse_dangerous_role("boss", true, false, true).is_err());
        assert!(refuse_dangerous_role("pg_read_all_data", false, false, true).is_err());
        assert!(refuse_dangerous_role("job", false, true, false).is_err());
        assert!(refuse_dangerous_role("job", false, true, true).is_ok());
    }
}
