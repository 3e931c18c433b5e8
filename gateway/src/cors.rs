//! CORS (the Fetch standard, section 3.2): tells browsers which pages of other origins may read the answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use hyper::http::uri::Uri;
use hyper::{HeaderMap, Method, Response};

use crate::head::is_token;

/// The methods a page may use.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD, QUERY");
/// Fields a page may send, besides those it asks for.
const ALLOWED_HEADERS: [&str; 4] = ["Authorization", "Accept", "Accept-Language", "Content-Language"];

/// Fields of an answer that a page may read by default: those of PostgREST, and those that our answers have in addition.
pub const EXPOSED_HEADERS: &str = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, ETag, Last-Modified, Location, \
    Server, Transfer-Encoding, Range-Unit, Allow, Preference-Applied, Proxy-Status, Retry-After, WWW-Authenticate, \
    X-Request-Id";

const EVERY: HeaderValue = HeaderValue::from_static("*");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// The pages of other origins that may read answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Origins {
    /// Pages of any origin, without cookies.
    Any,
    /// Pages of these origins, also with cookies.
    These(Vec<HeaderValue>),
}

/// What browsers are told.
#[derive(Debug)]
pub struct Cors {
    origins: Origins,
    exposed: HeaderValue,
    max_age: HeaderValue,
}

impl Cors {
    /// Pages of `origins` may read answers and the header fields `exposed`. Browsers may keep the answer to a preflight for `max_age`
    /// seconds.
    pub fn new(origins: Origins, exposed: HeaderValue, max_age: usize) -> Self {
        Self { origins, exposed, max_age: HeaderValue::from(max_age) }
    }

    /// The answer to a preflight, by which a browser asks whether a page may send a request. `None` if the request is not a preflight.
    pub fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response<Full<Bytes>>> {
        let is_preflight = method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        is_preflight.then(|| {
            let mut response = Response::new(Full::default());
            if self.allowed(headers).is_some() {
                let fields = response.headers_mut();
                fields.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
                fields.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
                if let Some(allowed) = allowed_headers(headers) {
                    fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
                }
            }
            response
        })
    }

    /// Adds to a response whether the page that sent the request, according to its `headers`, may read it. Leaves an answer alone that
    /// already says so.
    pub fn mark(&self, headers: &HeaderMap, response: &mut Response<Full<Bytes>>) {
        let is_preflight = response.headers().contains_key(ACCESS_CONTROL_ALLOW_METHODS);
        let fields = response.headers_mut();
        if fields.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        // Also for requests without an origin, because a cache could give their answer to a page.
        fields.append(VARY, VARY_ORIGIN);
        if let Some(origin) = self.allowed(headers) {
            if origin != EVERY {
                fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            }
            fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if !is_preflight {
                fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
            }
        }
    }

    /// The allowed origin, if the request comes from a page that may read the answer.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        match &self.origins {
            Origins::Any => Some(EVERY),
            Origins::These(origins) => origins.iter().find(|allowed| *allowed == origin).cloned(),
        }
    }
}

/// The fields that a page asks to send, together with those that are always allowed. `None` if it does not ask for any.
fn allowed_headers(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ACCESS_CONTROL_REQUEST_HEADERS)?;
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let asked = asked.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let asked = asked.filter(|name| is_token(name)).filter_map(|name| std::str::from_utf8(name).ok());
    let asked = asked.filter(|name| !ALLOWED_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)));
    let [first, rest @ ..] = ALLOWED_HEADERS;
    let names: Vec<_> = std::iter::once(first).chain(asked).chain(rest).collect();
    HeaderValue::from_str(&names.join(", ")).ok()
}

/// Reads a list of origins, or `*`.
///
/// # Errors
/// What is expected instead.
pub fn origins(text: &str) -> Result<Origins, String> {
    if text == "*" {
        return Ok(Origins::Any);
    }
    let origin = |text: &str| {
        // As browsers write it, so that the texts can be compared.
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let uri = Uri::try_from(&text).ok()?;
        let is_origin = uri.scheme().is_some()
            && uri.path_and_query().is_none_or(|path| path == "/")
            && uri.authority().is_some_and(|authority| !authority.as_str().contains(['@', '*']));
        HeaderValue::from_str(&text).ok().filter(|_| is_origin)
    };
    let origins: Option<Vec<_>> = text.split(',').map(origin).collect();
    let expected = || "expected *, off, or origins such as https://app.example.com,http://localhost:8080".to_owned();
    origins.map(Origins::These).ok_or_else(expected)
}

/// Reads a list of names of header fields, or `*`.
///
/// # Errors
/// What is expected instead.
pub fn exposed(text: &str) -> Result<HeaderValue, String> {
    let names: Result<Vec<_>, _> =
        text.split(',').map(|name| HeaderName::from_bytes(name.trim().as_bytes()).map(|_| name.trim())).collect();
    let value = names.ok().and_then(|names| HeaderValue::from_str(&names.join(", ")).ok());
    value.ok_or_else(|| "expected *, or names of header fields such as Content-Range,Location".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{CONTENT_TYPE, HeaderName};

    const PAGE: &str = "https://app.example.com";

    fn cors(origins: &str) -> Cors {
        Cors::new(super::origins(origins).unwrap(), exposed("Location, X-A").unwrap(), 60)
    }

    fn request(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// The fields of an answer, `name: value`.
    fn marked(cors: &Cors, method: &Method, headers: &HeaderMap) -> Vec<String> {
        let mut response = cors.preflight(method, headers).unwrap_or_default();
        cors.mark(headers, &mut response);
        let mut fields: Vec<_> =
            response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        fields.sort();
        fields
    }

    #[test]
    fn any_page_may_read_answers_without_cookies() {
        let cors = cors("*");
        assert_eq!(
            marked(&cors, &Method::GET, &request(&[(ORIGIN, PAGE)])),
            ["access-control-allow-origin: *", "access-control-expose-headers: Location, X-A", "vary: Origin"]
        );
        assert_eq!(marked(&cors, &Method::GET, &request(&[])), ["vary: Origin"]);
    }

    #[test]
    fn only_pages_of_the_list_may_read_answers() {
        let cors = cors("https://other.example, HTTPS://App.example.com/");
        assert_eq!(
            marked(&cors, &Method::GET, &request(&[(ORIGIN, PAGE)])),
            [
                "access-control-allow-credentials: true",
                "access-control-allow-origin: https://app.example.com",
                "access-control-expose-headers: Location, X-A",
                "vary: Origin"
            ]
        );
        for foreign in [
            "https://example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://app.example.com/",
            "null",
            "",
        ] {
            let headers = request(&[(ORIGIN, foreign), (ACCESS_CONTROL_REQUEST_METHOD, "GET")]);
            assert_eq!(marked(&cors, &Method::GET, &headers), ["vary: Origin"], "{foreign}");
            assert_eq!(marked(&cors, &Method::OPTIONS, &headers), ["vary: Origin"], "{foreign}");
        }
    }

    #[test]
    fn preflights_are_answered() {
        let asks = [(ORIGIN, PAGE), (ACCESS_CONTROL_REQUEST_METHOD, "PATCH")];
        let methods = "access-control-allow-methods: GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD, QUERY";
        assert_eq!(
            marked(&cors("*"), &Method::OPTIONS, &request(&asks)),
            [methods, "access-control-allow-origin: *", "access-control-max-age: 60", "vary: Origin"]
        );
        let with_fields =
            [&asks[..], &[(ACCESS_CONTROL_REQUEST_HEADERS, "content-type, authorization,prefer,a b,,\"")]].concat();
        assert_eq!(
            marked(&cors(PAGE), &Method::OPTIONS, &request(&with_fields)),
            [
                "access-control-allow-credentials: true",
                "access-control-allow-headers: Authorization, content-type, prefer, Accept, Accept-Language, Content-Language",
                methods,
                "access-control-allow-origin: https://app.example.com",
                "access-control-max-age: 60",
                "vary: Origin"
            ]
        );
    }

    #[test]
    fn other_requests_are_no_preflights() {
        let cors = cors("*");
        assert!(cors.preflight(&Method::OPTIONS, &request(&[(ORIGIN, PAGE)])).is_none());
        assert!(cors.preflight(&Method::OPTIONS, &request(&[(ACCESS_CONTROL_REQUEST_METHOD, "PUT")])).is_none());
        let both = request(&[(ORIGIN, PAGE), (ACCESS_CONTROL_REQUEST_METHOD, "PUT")]);
        assert!(cors.preflight(&Method::GET, &both).is_none());
        assert!(cors.preflight(&Method::OPTIONS, &both).is_some());
    }

    #[test]
    fn an_answer_that_speaks_for_itself_is_left_alone() {
        let mut response = Response::new(Full::default());
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://a.example"));
        let before = response.headers().clone();
        cors("*").mark(&request(&[(ORIGIN, PAGE)]), &mut response);
        assert_eq!(*response.headers(), before);
    }

    #[test]
    fn what_answers_vary_by_besides_is_kept() {
        let mut response = Response::new(Full::default());
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
        cors("*").mark(&request(&[]), &mut response);
        assert_eq!(response.headers().get_all(VARY).iter().collect::<Vec<_>>(), ["Accept", "Origin"]);
    }

    #[test]
    fn settings() {
        assert_eq!(origins("*"), Ok(Origins::Any));
        assert_eq!(
            origins("https://a.example , http://localhost:8080"),
            Ok(Origins::These(vec![
                HeaderValue::from_static("https://a.example"),
                HeaderValue::from_static("http://localhost:8080")
            ]))
        );
        for text in [
            "a.example",
            "https://a.example/path",
            "https://*.example",
            "*,https://a.example",
            "null",
            "https://",
            "https://a,",
            "https://u@a.example",
            "https://a.example?x",
            "https://a b",
            "off",
        ] {
            assert!(origins(text).is_err(), "{text}");
        }
        assert_eq!(exposed("*"), Ok(HeaderValue::from_static("*")));
        assert_eq!(exposed("a,B"), Ok(HeaderValue::from_static("a, B")));
        for text in ["a b", "a,", "\u{e9}", "a:b"] {
            assert!(exposed(text).is_err(), "{text}");
        }
        assert_eq!(exposed(EXPOSED_HEADERS), Ok(HeaderValue::from_static(EXPOSED_HEADERS)));
    }
}
