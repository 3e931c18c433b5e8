//! The parameters of a request, and how its client authenticates (RFC 6749, sections 2.3 and 3.2).

use crate::http::{Headers, target};
use crate::oauth::{ErrorName, Failure};
use crate::payload::form;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The parameters of a form, each of which occurs once.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parses the body. A parameter without a value counts as missing.
    ///
    /// # Errors
    /// `invalid_request` if the body is not a form, or a parameter occurs twice.
    pub fn parse(headers: &Headers, body: Option<&[u8]>) -> Result<Self, Failure> {
        let media_type =
            headers.get("content-type").and_then(|field| field.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::new(ErrorName::InvalidRequest, "The body must be application/x-www-form-urlencoded"));
        }
        let mut fields = form::parse(body.unwrap_or_default())
            .map_err(|why| Failure::new(ErrorName::InvalidRequest, why.message.as_str()))?;
        fields.sort_unstable();
        if fields.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            return Err(Failure::new(ErrorName::InvalidRequest, "A parameter occurs more than once"));
        }
        fields.retain(|(_, value)| !value.is_empty());
        Ok(Parameters(fields))
    }

    /// A parameter, if it was sent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A required parameter.
    ///
    /// # Errors
    /// `invalid_request` if it is missing.
    pub fn need(&self, name: &str) -> Result<&str, Failure> {
        self.get(name)
            .ok_or_else(|| Failure::new(ErrorName::InvalidRequest, format!("The parameter {name} is missing")))
    }
}

/// The id and the secret that a client presents.
#[derive(Debug, PartialEq, Eq)]
pub struct Credentials {
    pub client_id: String,
    /// `None` for a client that cannot keep a secret.
    pub secret: Option<String>,
}

impl Credentials {
    /// Reads them from the Authorization field (`client_secret_basic`), or from the body (`client_secret_post`, `none`).
    ///
    /// # Errors
    /// `invalid_client` if the credentials are missing or malformed; `invalid_request` if both are sent.
    pub fn read(headers: &Headers, parameters: &Parameters) -> Result<Self, Failure> {
        let (named, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        let Some(field) = headers.get("authorization") else {
            let client_id = named.ok_or_else(Failure::invalid_client)?.to_owned();
            return Ok(Credentials { client_id, secret: secret.map(str::to_owned) });
        };
        let (scheme, encoded) = field.split_once(' ').unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(Failure::invalid_client());
        }
        let decoded = STANDARD.decode(encoded.trim()).ok().filter(|bytes| !bytes.contains(&0));
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let (id, password) =
            decoded.as_deref().and_then(|text| text.split_once(':')).ok_or_else(Failure::invalid_client)?;
        // Both were encoded as in a form before they were joined.
        let decode =
            |text| target::decode(text, true).map(|text| text.into_owned()).ok_or_else(Failure::invalid_client);
        let (client_id, password) = (decode(id)?, decode(password)?);
        if secret.is_some() || named.is_some_and(|named| named != client_id) {
            return Err(Failure::new(ErrorName::InvalidRequest, "The client authenticates in more than one way"));
        }
        Ok(Credentials { client_id, secret: (!password.is_empty()).then_some(password) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

    fn parse(body: &str) -> Result<Parameters, Failure> {
        Parameters::parse(&[FORM].into_iter().collect(), Some(body.as_bytes()))
    }

    fn read(authorization: Option<&str>, body: &str) -> Result<Credentials, ErrorName> {
        let headers: Headers = authorization.map(|field| ("authorization", field)).into_iter().collect();
        Credentials::read(&headers, &parse(body).unwrap()).map_err(|failure| failure.kind)
    }

    fn credentials(client_id: &str, secret: Option<&str>) -> Result<Credentials, ErrorName> {
        Ok(Credentials { client_id: client_id.to_owned(), secret: secret.map(str::to_owned) })
    }

    #[test]
    fn a_parameter_comes_once_and_in_a_form() {
        assert_eq!(parse("a=1&b=").unwrap().get("a"), Some("1"));
        assert_eq!(parse("a=1&b=").unwrap().get("b"), None);
        for body in ["a=1&a=1", "a=&a=2", "a=%00"] {
            assert_eq!(parse(body).unwrap_err().kind, ErrorName::InvalidRequest, "{body}");
        }
        let json: Headers = [("content-type", "application/json")].into_iter().collect();
        assert_eq!(Parameters::parse(&json, Some(b"{}")).unwrap_err().kind, ErrorName::InvalidRequest);
        assert_eq!(Parameters::parse(&Headers::default(), None).unwrap_err().kind, ErrorName::InvalidRequest);
    }

    #[test]
    fn a_client_authenticates_in_one_way() {
        // "a b:c%d", with each half encoded as in a form
        let basic = format!("Basic {}", STANDARD.encode("a+b:c%25d"));
        assert_eq!(read(Some(&basic), ""), credentials("a b", Some("c%d")));
        assert_eq!(read(Some(&basic), "client_id=a+b"), credentials("a b", Some("c%d")));
        assert_eq!(read(None, "client_id=x&client_secret=y"), credentials("x", Some("y")));
        assert_eq!(read(None, "client_id=x"), credentials("x", None));
        assert_eq!(read(Some(&basic), "client_secret=y"), Err(ErrorName::InvalidRequest));
        assert_eq!(read(Some(&basic), "client_id=other"), Err(ErrorName::InvalidRequest));
        let nul = format!("Basic {}", STANDARD.encode("a\0b:c"));
        let escaped_nul = format!("Basic {}", STANDARD.encode("a:%00"));
        for field in ["Basic", "Basic !", "Basic YQ==", "Bearer x", "Basic /w==", &nul, &escaped_nul] {
            assert_eq!(read(Some(field), "client_id=x"), Err(ErrorName::InvalidClient), "{field}");
        }
        assert_eq!(read(None, ""), Err(ErrorName::InvalidClient));
    }
}
