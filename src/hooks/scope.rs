//! Which requests a hook is for.

use crate::http::{Method, Request, target};
use crate::routing::pattern::{Converter, Pattern, Segment};
use serde::{Deserialize, Deserializer};

/// The requests that a hook is for: `*`, or a method or `*` and a path, such as `* /orders/{rest:path}`, or a group of routes, such as `group blog`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// GET also stands for HEAD and QUERY.
    method: Option<Method>,
    /// `None` for any path.
    path: Option<Vec<Segment>>,
    /// Only requests for routes of this group.
    group: Option<String>,
}

impl Scope {
    /// Reads a scope.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Scope::default());
        }
        if let Some(group) = text.strip_prefix("group ") {
            return Ok(Scope { method: None, path: None, group: Some(group.to_owned()) });
        }
        let (method, path) = text.split_once(' ').map_or((text, None), |(method, path)| (method, Some(path)));
        let method = match method {
            "*" => None,
            name => Some(Method::parse(name).map_err(|_| format!("\"{name}\" is not a method."))?),
        };
        let path = path.map(|path| Pattern::path(path, |_| Some("text".to_owned()))).transpose()?;
        Ok(Scope { method, path, group: None })
    }

    /// Whether a request is one of them. Its path counts without the version that it names. `group`: that of its route.
    pub fn takes(&self, request: &Request, group: Option<&str>) -> bool {
        if let Some(wanted) = &self.group {
            return group == Some(wanted);
        }
        let has_method = self.method.is_none_or(|method| {
            method == request.method || method == Method::Get && matches!(request.method, Method::Head | Method::Query)
        });
        has_method && self.path.as_ref().is_none_or(|path| Pattern::takes(path, &request.target.segments))
    }
}

impl Scope {
    /// Whether some request with a method and a path of this form is one of them. `template`: a path whose segments in braces stand for any.
    /// `group`: that of the route with this path.
    pub fn may_take(&self, method: Method, template: &str, group: Option<&str>) -> bool {
        if let Some(wanted) = &self.group {
            return group == Some(wanted);
        }
        let has_method =
            self.method.is_none_or(|wanted| wanted == method || wanted == Method::Get && method == Method::Head);
        has_method
            && self.path.as_ref().is_none_or(|path| {
                let segments: Vec<&str> =
                    template.trim_start_matches('/').split('/').filter(|s| !s.is_empty()).collect();
                may_meet(path, &segments)
            })
    }
}

/// Whether a path fits both a pattern and a template.
fn may_meet(pattern: &[Segment], template: &[&str]) -> bool {
    match (pattern.split_first(), template.split_first()) {
        (None, None) => true,
        (Some((Segment::Parameter(_, Converter::Path), _)), Some(_)) => true,
        (Some((first, rest)), Some((segment, after))) => {
            let is_any = segment.starts_with('{');
            let decoded = target::decode(segment, false).unwrap_or_default();
            let meets = is_any
                || match first {
                    Segment::Literal(literal) => *literal == *decoded,
                    Segment::Parameter(_, converter) => converter.takes(&decoded),
                };
            meets && may_meet(rest, after)
        }
        _ => false,
    }
}

/// Reads a scope that was checked when it was declared. A newer version of the extension may have written what this one cannot read; then the
/// hook takes every request, because it may be a guard.
///
/// # Errors
/// A value that is not a text.
pub fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Scope, D::Error> {
    let text = String::deserialize(from)?;
    Ok(Scope::parse(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    #[test]
    fn a_scope_may_take_a_template() {
        for (scope, method, template, may) in [
            ("*", Method::Delete, "/orders/{id}", true),
            ("GET", Method::Head, "/orders", true),
            ("POST /orders", Method::Post, "/orders", true),
            ("POST /orders", Method::Post, "/orders/{id}", false),
            ("* /orders/{id:int}", Method::Get, "/orders/{id}", true),
            ("* /orders/7", Method::Get, "/{table}/{id}", true),
            ("* /rpc/{name}", Method::Post, "/rpc/login", true),
            ("* /{rest:path}", Method::Post, "/", false),
            ("* /a%20b", Method::Get, "/a%20b", true),
        ] {
            assert_eq!(Scope::parse(scope).unwrap().may_take(method, template, None), may, "{scope} {template}");
        }
    }

    #[test]
    fn a_scope_takes_its_method_and_path() {
        for (scope, taken, others) in [
            ("*", &["GET /", "POST /a/b", "OPTIONS /x"][..], &[][..]),
            ("POST", &["POST /a"], &["GET /a"]),
            ("GET /", &["GET /", "HEAD /"], &["GET /a"]),
            ("GET /orders", &["GET /orders?id=eq.1", "HEAD /orders"], &["POST /orders", "GET /orders/1"]),
            ("* /orders/{id:int}", &["DELETE /orders/7"], &["DELETE /orders/x", "GET /orders", "GET /orders/7/x"]),
            ("* /orders/{rest:path}", &["GET /orders/7", "GET /orders/7/lines"], &["GET /orders"]),
            ("* /rpc/{name}", &["POST /rpc/login"], &["POST /rpc"]),
            ("PUT /a%20b", &["PUT /a%20b"], &["PUT /a"]),
        ] {
            let parsed = Scope::parse(scope).unwrap();
            for (request, is_taken) in taken.iter().map(|r| (r, true)).chain(others.iter().map(|r| (r, false))) {
                let (method, target) = request.split_once(' ').unwrap();
                let headers = Headers::default();
                let request = Request::parse(method, target, &headers, None).unwrap();
                assert_eq!(parsed.takes(&request, None), is_taken, "{scope}: {method} {target}");
            }
        }
        for wrong in ["", "BREW /x", "GET x", "GET /{", "get /x", "* /{a:path}/b", "GET /a?b"] {
            assert!(Scope::parse(wrong).is_err(), "{wrong}");
        }
    }
}
