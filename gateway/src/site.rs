//! Pages that the binary contains: static files below a path of the gateway.

use std::hash::{DefaultHasher, Hasher};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Method, Response, StatusCode};

use crate::problem::Problem;

/// A file of a page.
pub struct File {
    /// Its path below the page's, such as `page.js`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub content: &'static [u8],
    /// The same, compressed by gzip.
    pub gzip: Option<&'static [u8]>,
    /// Whether another content would have another name, so that a browser need not ask again.
    pub immutable: bool,
}

/// A page and its files.
pub struct Site {
    path: String,
    /// HTML, in which `NONCE` stands for the nonce.
    page: String,
    files: &'static [File],
}

impl Site {
    /// A site at `path`, which [`path`] has checked. In its page, `BASE` becomes the last segment of the path, below which the files are,
    /// and `ROOT` the reference from there to `/`: with these, the page also works behind a proxy that adds a prefix.
    pub fn new(path: String, page: &str, files: &'static [File]) -> Self {
        let base = path.rsplit('/').next().unwrap_or_default();
        let up = match path.matches('/').count() {
            0 | 1 => "./".to_owned(),
            depth => "../".repeat(depth - 1),
        };
        let page = page.replace("BASE", base).replace("ROOT", &up);
        Self { path, page, files }
    }

    /// The answer to a request, if its `path` belongs to this site. `nonce` is called once for a page: nobody may be able to guess its value.
    ///
    /// # Errors
    /// 404 below the site's path, and 405 for methods other than GET and HEAD.
    pub fn respond(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        nonce: impl FnOnce() -> HeaderValue,
    ) -> Option<Result<Response<Full<Bytes>>, Problem>> {
        let rest = path.strip_prefix(self.path.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(Err(Problem::method_not_allowed()
                .hint("A page of the gateway is at this path. DOCS_PATH and DASHBOARD_PATH move its pages.")));
        }
        Some(match rest {
            "" => Ok(self.page(nonce().to_str().unwrap_or_default())),
            // Relative references lead elsewhere from there.
            "/" => Ok(redirect(&self.path)),
            _ => match self.files.iter().find(|file| rest.strip_prefix('/') == Some(file.name)) {
                Some(file) => Ok(file.respond(headers)),
                None => Err(Problem::no_page()),
            },
        })
    }

    fn page(&self, nonce: &str) -> Response<Full<Bytes>> {
        // Only the scripts with the nonce run: not what the API, which has the same origin, may answer.
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let mut response = Response::new(Full::new(Bytes::from(self.page.replace("NONCE", nonce))));
        let fields = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            fields.insert(CONTENT_SECURITY_POLICY, policy);
        }
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        // Each answer has its own nonce.
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        fields.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
        response
    }
}

impl File {
    fn respond(&self, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let compressed = self.gzip.filter(|_| accepts_gzip(headers));
        let mut hash = DefaultHasher::new();
        hash.write(compressed.unwrap_or(self.content));
        let tag = format!("\"{:016x}\"", hash.finish());

        let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let known = known.flat_map(|list| list.split(',')).map(str::trim);
        let unchanged = known.into_iter().any(|known| known == "*" || known.trim_start_matches("W/") == tag);
        let body = if unchanged { &[] } else { compressed.unwrap_or(self.content) };
        let mut response = Response::new(Full::new(Bytes::from_static(body)));
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let fields = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            fields.insert(ETAG, tag);
        }
        let cache = if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        fields.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        if self.gzip.is_some() {
            fields.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if !unchanged {
            fields.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
            fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            if compressed.is_some() {
                fields.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }
}

/// Reads the path of a site.
///
/// # Errors
/// What is expected instead.
pub fn path(text: &str) -> Result<String, String> {
    let segments = text.strip_prefix('/').unwrap_or_default().split('/');
    let plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let mut segments = segments.peekable();
    let own = matches!(segments.peek(), Some(&"live" | &"ready"));
    if !own && segments.all(plain) {
        Ok(text.to_owned())
    } else {
        Err("expected off, or a path such as /docs that is not below /live or /ready".to_owned())
    }
}

/// Whether a response may be compressed by gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let weight = |wanted: &str| {
        let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        lists.flat_map(|list| list.split(',')).find_map(|coding| {
            let (name, parameter) = coding.split_once(';').unwrap_or((coding, ""));
            let weight =
                parameter.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=').parse().unwrap_or(1.0_f32);
            name.trim().eq_ignore_ascii_case(wanted).then_some(weight)
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Redirects `path/` to `path`, wherever a proxy may have put it.
fn redirect(path: &str) -> Response<Full<Bytes>> {
    let to = format!("../{}", path.rsplit('/').next().unwrap_or_default());
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    const FILES: &[File] = &[
        File { name: "a.js", media_type: "text/javascript", content: b"long", gzip: Some(b"short"), immutable: true },
        File { name: "b.css", media_type: "text/css", content: b"style", gzip: None, immutable: false },
    ];

    fn ask(site: &Site, method: &Method, path: &str, fields: &[(HeaderName, &str)]) -> Option<Response<Full<Bytes>>> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let answer = site.respond(method, path, &headers, || HeaderValue::from_static("n0"));
        answer.map(|answer| answer.unwrap_or_else(Problem::into_response))
    }

    fn body(response: Response<Full<Bytes>>) -> Bytes {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(response.into_body().collect()).unwrap().to_bytes()
    }

    #[test]
    fn only_paths_of_the_site_are_taken() {
        let site = Site::new("/a/docs".to_owned(), "", FILES);
        for path in ["/", "/a", "/docs", "/a/doc", "/a/docs2", "/a/docs2/a.js", "/A/docs", "/a/docs%2Fa.js"] {
            assert!(ask(&site, &Method::GET, path, &[]).is_none(), "{path}");
        }
        for (method, path, status) in [
            (Method::GET, "/a/docs", 200),
            (Method::HEAD, "/a/docs/a.js", 200),
            (Method::GET, "/a/docs/", 308),
            (Method::GET, "/a/docs/c.js", 404),
            (Method::GET, "/a/docs//a.js", 404),
            (Method::GET, "/a/docs/../a.js", 404),
            (Method::POST, "/a/docs", 405),
            (Method::DELETE, "/a/docs/a.js", 405),
        ] {
            assert_eq!(ask(&site, &method, path, &[]).unwrap().status(), status, "{method} {path}");
        }
    }

    #[test]
    fn a_page_knows_where_it_is() {
        for (path, expected) in
            [("/docs", "docs/a.js ./ n0"), ("/x/docs", "docs/a.js ../ n0"), ("/x/y/d", "d/a.js ../../ n0")]
        {
            let site = Site::new(path.to_owned(), "BASE/a.js ROOT NONCE", FILES);
            let response = ask(&site, &Method::GET, path, &[]).unwrap();
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'nonce-n0'; "), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(body(response), expected);
        }
        let site = Site::new("/x/docs".to_owned(), "", FILES);
        assert_eq!(ask(&site, &Method::GET, "/x/docs/", &[]).unwrap().headers()[LOCATION], "../docs");
    }

    #[test]
    fn files_are_compressed_and_revalidated() {
        let site = Site::new("/docs".to_owned(), "", FILES);
        for (accepted, compressed) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, *", false),
            ("identity", false),
        ] {
            let response = ask(&site, &Method::GET, "/docs/a.js", &[(ACCEPT_ENCODING, accepted)]).unwrap();
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), compressed, "{accepted}");
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
            let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
            assert_eq!(&body(response)[..], if compressed { &b"short"[..] } else { b"long" });
            let again = [(ACCEPT_ENCODING, accepted), (IF_NONE_MATCH, &format!("\"x\", W/{tag}"))];
            let again = ask(&site, &Method::GET, "/docs/a.js", &again).unwrap();
            assert_eq!((again.status().as_u16(), again.headers()[ETAG].to_str().unwrap()), (304, tag.as_str()));
        }
        assert_eq!(ask(&site, &Method::GET, "/docs/b.css", &[]).unwrap().headers()[CACHE_CONTROL], "no-cache");
    }

    #[test]
    fn paths_of_sites() {
        for text in ["/docs", "/api/docs", "/~x/a-b_c.d"] {
            assert_eq!(path(text).as_deref(), Ok(text));
        }
        for text in
            ["", "/", "docs", "/docs/", "//docs", "/a/../b", "/.", "/a b", "/a%20b", "/é", "/live", "/ready/docs", "on"]
        {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
