//! Request methods (RFC 9110, section 9).

use crate::error::{Code, Error, Result};

/// A method of the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    /// A GET whose parameters are in the body (RFC 10008).
    Query,
}

impl Method {
    /// All of them.
    pub const ALL: &[Method] = &[
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
        Method::Options,
        Method::Query,
    ];

    /// Reads a method token. Methods are case-sensitive (RFC 9110, section 9.1): `get` is not GET.
    ///
    /// # Errors
    /// PGRST117 (405) for any other token.
    pub fn parse(token: &str) -> Result<Self> {
        Ok(match token {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            "OPTIONS" => Method::Options,
            "QUERY" => Method::Query,
            _ => {
                let shown: String = token.chars().filter(|c| !c.is_control()).take(32).collect();
                return Err(Error::new(Code::Method, format!("Unsupported HTTP method: {shown}"))
                    .hint("Use one of GET, HEAD, QUERY, POST, PUT, PATCH, DELETE, OPTIONS, in capital letters.")
                    .header("allow", "OPTIONS,GET,HEAD,QUERY,POST,PUT,PATCH,DELETE"));
            }
        })
    }

    /// The token.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Query => "QUERY",
        }
    }

    /// Whether the method only reads (RFC 9110, section 9.2.1): such a request runs read-only.
    pub fn is_safe(self) -> bool {
        matches!(self, Method::Get | Method::Head | Method::Options | Method::Query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::parse("GET"), Ok(Method::Get));
        for bad in ["get", "Get", "", "TRACE", "GET ", "X\r\nY"] {
            let e = Method::parse(bad).err().map(|e| (e.status, e.code.clone()));
            assert_eq!(e, Some((405, "PGRST117".to_owned())), "{bad:?}");
        }
    }
}
