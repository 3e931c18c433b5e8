//! What a description tells of the declared version that its schema is.

use serde_json::Value;
use std::rc::Rc;

/// A declared version of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiVersion {
    pub name: Rc<str>,
    /// It is deprecated now.
    pub deprecated: bool,
}

/// The members of a path that are operations.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "x-query"];

impl ApiVersion {
    /// Puts the version into a document: its name as that of the API, its path where clients find the API, and whether its operations are
    /// deprecated.
    pub fn describe(&self, document: &mut Value) {
        if let Some(version) = document.pointer_mut("/info/version") {
            *version = (*self.name).into();
        }
        // The place of the API in OpenAPI 3.1 and in 2.0.
        for place in ["/servers/0/url", "/basePath"] {
            if let Some(Value::String(url)) = document.pointer_mut(place) {
                *url = format!("{}/{}", url.trim_end_matches('/'), self.name);
            }
        }
        if !self.deprecated {
            return;
        }
        for path in
            document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut())
        {
            for method in METHODS {
                if let Some(operation) = path.get_mut(method).and_then(Value::as_object_mut) {
                    operation.insert("deprecated".to_owned(), true.into());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_names_its_version() {
        let described = |deprecated, url: &str| {
            let mut document = json!({
                "info": { "version": "0" }, "servers": [{ "url": url }], "basePath": url, "paths": { "/t": { "get": {}, "parameters": [] } }
            });
            ApiVersion { name: "v1".into(), deprecated }.describe(&mut document);
            document
        };
        let document = described(true, "https://example.com/api/");
        assert_eq!(document["info"]["version"], "v1");
        assert_eq!(document["servers"][0]["url"], "https://example.com/api/v1");
        assert_eq!(document["paths"]["/t"], json!({ "get": { "deprecated": true }, "parameters": [] }));
        assert_eq!(described(false, "/")["basePath"], "/v1");
        assert_eq!(described(false, "/")["paths"]["/t"]["get"], json!({}));
    }
}
