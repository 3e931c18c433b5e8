//! The arguments of a route's function: members of one JSON object, from the path, the query, header fields, cookies and the body. Pure.

use super::table::Captured;
use crate::error::{Code, Error, Invalid, Result};
use crate::http::target::Parameter as QueryParameter;
use crate::http::{MediaType, Request, accepts};
use crate::json::{self, Reader, pointer};
use crate::payload::multipart::{self, Part};
use crate::payload::{self, form};
use crate::violation::Violation;
use serde::Deserialize;
use std::borrow::Cow;

/// A parameter of a route's function.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
    /// It has no default.
    pub required: bool,
    /// Where its value comes from, if the route says so.
    pub source: Option<Source>,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `json` or `jsonb`
    Json,
    /// An array: a repeated value gives its elements.
    Array,
    Bytea,
    /// `restful.http_file`: a file of a form.
    File,
    /// An array of files.
    Files,
    /// `restful.http_request`: the whole request.
    Request,
    /// Anything else, which its type reads from a text.
    Scalar,
}

/// Where a value comes from: `query`, `header:x-name`, `cookie:name`, `body`, or `body:member`. A query parameter has the parameter's own
/// name unless it is `query:name`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Source {
    Query(Option<String>),
    /// The name in lower case.
    Header(String),
    Cookie(String),
    /// The whole body.
    Body,
    Member(String),
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let (kind, name) = text.split_once(':').map_or((text.as_str(), None), |(kind, name)| (kind, Some(name)));
        match (kind, name.filter(|name| !name.is_empty()), name.is_some()) {
            ("query", name, named) if named == name.is_some() => Ok(Source::Query(name.map(str::to_owned))),
            ("header", Some(name), _) => Ok(Source::Header(name.to_ascii_lowercase())),
            ("cookie", Some(name), _) => Ok(Source::Cookie(name.to_owned())),
            ("body", Some(name), _) => Ok(Source::Member(name.to_owned())),
            ("body", None, false) => Ok(Source::Body),
            _ => Err(format!(
                "\"{text}\" is not a source: write query, query:name, header:name, cookie:name, body or body:member"
            )),
        }
    }
}

/// The arguments of a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments<'a> {
    /// One JSON object with a member for each argument.
    pub object: Vec<u8>,
    /// The query parameters that are arguments.
    pub taken: Vec<QueryParameter<'a>>,
    /// Those that are not.
    pub rest: Vec<QueryParameter<'a>>,
}

/// The value of an argument.
enum Given<'a> {
    Text(Cow<'a, str>),
    /// A query parameter or field of a form that is repeated.
    Texts(Vec<Cow<'a, str>>),
    /// JSON as the body has it.
    Json(Cow<'a, [u8]>),
    Bytes(&'a [u8]),
    /// Parts of a form with files.
    Parts(Vec<Part<'a>>),
}

impl<'a> Given<'a> {
    /// The values of one name; `None` without any.
    fn of(mut values: Vec<Cow<'a, str>>) -> Option<Self> {
        if values.len() > 1 { Some(Given::Texts(values)) } else { values.pop().map(Given::Text) }
    }
}

/// The body of a request.
enum Content<'a> {
    None,
    /// The members of an object, each taken once.
    Members(Vec<(String, &'a [u8])>),
    Form(Vec<(String, String)>),
    Parts(Vec<Part<'a>>),
    Whole(&'a [u8]),
}

/// Makes the arguments of a call. `captured`: the parameters of the path.
///
/// # Errors
/// REST471 (400) names everything that is missing, given twice or not known, with pointers into the body where they lead there; PGRST102
/// (400) for a body that is not what its Content-Type says.
pub fn arguments<'a>(
    parameters: &[Parameter],
    captured: &[(&str, Captured)],
    request: &Request<'a>,
) -> Result<Arguments<'a>> {
    let is_safe = request.method.is_safe();
    // The whole request has the body, whatever it is.
    let taker = parameters.iter().find(|p| p.source == Some(Source::Body) || p.kind == Kind::Request);
    let has_request = parameters.iter().any(|p| p.kind == Kind::Request);
    let content = if is_safe { Content::None } else { content(request, taker)? };
    let mut found = Found {
        request,
        content,
        taken: Vec::new(),
        rest: request.target.parameters.clone(),
        wrong: Vec::new(),
        elsewhere: Vec::new(),
    };
    let mut object = vec![b'{'];
    for parameter in parameters {
        let given = match captured.iter().find(|(name, _)| *name == parameter.name) {
            Some((_, value)) => Some(Given::Text(Cow::Owned(value.to_string()))),
            None if parameter.kind == Kind::Request => Some(Given::Json(whole_request(request, captured).into())),
            None => found.take(parameter, is_safe),
        };
        let Some(given) = given else {
            if parameter.required {
                found.missing(parameter, is_safe);
            }
            continue;
        };
        if object.len() > 1 {
            object.push(b',');
        }
        json::escape(parameter.name.as_bytes(), &mut object);
        object.push(b':');
        if let Err(why) = write(parameter.kind, given, &mut object) {
            let place = match Place::of(parameter, captured, &found.taken, is_safe) {
                Place::Member(member) => format!("The member {member} of the body"),
                Place::Elsewhere(place) => place,
            };
            found.elsewhere.push(format!("{place} {why}"));
        }
    }
    object.push(b'}');
    found.refuse_rest(has_request)?;
    let Found { mut taken, mut rest, .. } = found;
    if has_request {
        // The function has them all.
        taken.append(&mut rest);
    }
    Ok(Arguments { object, taken, rest })
}

/// Where the value of an argument came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<'p> {
    /// A member of the body.
    Member(&'p str),
    /// Elsewhere, as the subject of a sentence.
    Elsewhere(String),
}

impl<'p> Place<'p> {
    /// Where the value of a parameter came from. `captured`: the parameters of the path. `taken`: the query parameters that became arguments.
    pub fn of(
        parameter: &'p Parameter,
        captured: &[(&str, Captured)],
        taken: &[QueryParameter],
        is_safe: bool,
    ) -> Self {
        let name = parameter.name.as_str();
        let query = |name: &str| Place::Elsewhere(format!("The query parameter {name}"));
        match &parameter.source {
            _ if captured.iter().any(|(known, _)| *known == name) => {
                Place::Elsewhere(format!("The segment {name} of the path"))
            }
            Some(Source::Query(named)) => query(named.as_deref().unwrap_or(name)),
            Some(Source::Header(field)) => Place::Elsewhere(format!("The header field {field}")),
            Some(Source::Cookie(cookie)) => Place::Elsewhere(format!("The cookie {cookie}")),
            Some(Source::Body) => Place::Elsewhere("The body".to_owned()),
            Some(Source::Member(member)) => Place::Member(member),
            None if is_safe || taken.iter().any(|(known, _)| known == name) => query(name),
            None => Place::Member(name),
        }
    }
}

struct Found<'r, 'a> {
    request: &'r Request<'a>,
    content: Content<'a>,
    taken: Vec<QueryParameter<'a>>,
    rest: Vec<QueryParameter<'a>>,
    /// What is wrong with the body.
    wrong: Vec<Invalid>,
    /// What is wrong elsewhere.
    elsewhere: Vec<String>,
}

impl<'a> Found<'_, 'a> {
    /// Takes the value of a parameter from where it comes.
    fn take(&mut self, parameter: &Parameter, is_safe: bool) -> Option<Given<'a>> {
        let name = parameter.name.as_str();
        match &parameter.source {
            Some(Source::Query(named)) => self.query(named.as_deref().unwrap_or(name)),
            Some(Source::Header(field)) => {
                self.request.headers.get(field).map(|value| Given::Text(Cow::Owned(value.to_owned())))
            }
            Some(Source::Cookie(cookie)) => {
                let value = self.request.headers.cookies().find(|(known, _)| known == cookie);
                value.map(|(_, value)| Given::Text(Cow::Owned(value.to_owned())))
            }
            Some(Source::Body) => match std::mem::replace(&mut self.content, Content::None) {
                Content::Whole(body) if parameter.kind == Kind::Json => Some(Given::Json(Cow::Borrowed(body))),
                Content::Whole(body) => Some(Given::Bytes(body)),
                other => {
                    self.content = other;
                    None
                }
            },
            Some(Source::Member(member)) => self.member(member),
            None if is_safe => self.query(name),
            None => {
                let (member, query) = (self.member(name), self.query(name));
                if member.is_some() && query.is_some() {
                    self.elsewhere.push(format!("The value of {name} is in the query and in the body."));
                }
                member.or(query)
            }
        }
    }

    fn query(&mut self, name: &str) -> Option<Given<'a>> {
        let (taken, rest): (Vec<QueryParameter>, Vec<QueryParameter>) =
            std::mem::take(&mut self.rest).into_iter().partition(|(known, _)| known == name);
        self.rest = rest;
        let values: Vec<Cow<'a, str>> = taken.iter().map(|(_, value)| value.clone().unwrap_or_default()).collect();
        self.taken.extend(taken);
        Given::of(values)
    }

    fn member(&mut self, name: &str) -> Option<Given<'a>> {
        match &mut self.content {
            Content::Members(members) => {
                let at = members.iter().position(|(known, _)| known == name)?;
                Some(Given::Json(Cow::Borrowed(members.swap_remove(at).1)))
            }
            Content::Form(fields) => {
                let (taken, rest): (Vec<_>, Vec<_>) =
                    std::mem::take(fields).into_iter().partition(|(known, _)| known == name);
                *fields = rest;
                let values: Vec<Cow<'a, str>> = taken.into_iter().map(|(_, value)| Cow::Owned(value)).collect();
                Given::of(values)
            }
            Content::Parts(parts) => {
                let (taken, rest): (Vec<_>, Vec<_>) =
                    std::mem::take(parts).into_iter().partition(|part| part.name == name);
                *parts = rest;
                (!taken.is_empty()).then_some(Given::Parts(taken))
            }
            Content::None | Content::Whole(_) => None,
        }
    }

    fn missing(&mut self, parameter: &Parameter, is_safe: bool) {
        match Place::of(parameter, &[], &[], is_safe) {
            Place::Member(member) => self.wrong.push(invalid(member, "required", "it is missing")),
            Place::Elsewhere(place) => self.elsewhere.push(format!("{place} is missing.")),
        }
    }

    /// Refuses what is wrong, and members of the body that no parameter takes.
    fn refuse_rest(&mut self, has_request: bool) -> Result<()> {
        match &self.content {
            _ if has_request => {}
            Content::None => {}
            Content::Members(members) => {
                self.wrong.extend(
                    members
                        .iter()
                        .map(|(name, _)| invalid(name, "additionalProperties", "the function has no such parameter")),
                );
            }
            Content::Form(fields) => {
                self.wrong.extend(
                    fields
                        .iter()
                        .map(|(name, _)| invalid(name, "additionalProperties", "the function has no such parameter")),
                );
            }
            Content::Parts(parts) => {
                self.wrong.extend(
                    parts
                        .iter()
                        .map(|part| invalid(&part.name, "additionalProperties", "the function has no such parameter")),
                );
            }
            Content::Whole(_) => self
                .elsewhere
                .push("The body is not an object or form whose members are parameters of the function.".to_owned()),
        }
        if self.wrong.is_empty() && self.elsewhere.is_empty() {
            return Ok(());
        }
        let error = Error::new(Code::Argument, "The request does not fit the parameters of its route");
        let error = if self.elsewhere.is_empty() { error } else { error.details(self.elsewhere.join(" ")) };
        Err(error.errors_in_body(std::mem::take(&mut self.wrong)).hint("GET / describes the route's parameters."))
    }
}

fn invalid(member: &str, keyword: &str, message: &str) -> Invalid {
    Invalid {
        pointer: format!("/{}", pointer::escape(member)),
        violation: Violation {
            instance_location: format!("/{}", pointer::escape(member)),
            keyword_location: format!("/{keyword}"),
            keyword: keyword.to_owned(),
            message: message.to_owned(),
        },
    }
}

/// Reads the body by its Content-Type. `taker`: the parameter that takes it as it is.
fn content<'a>(request: &Request<'a>, taker: Option<&Parameter>) -> Result<Content<'a>> {
    let body = request.body.unwrap_or_default();
    if request.body.is_none() || taker.is_none() && body.trim_ascii().is_empty() {
        return Ok(Content::None);
    }
    let content_type = request.headers.get("content-type").unwrap_or_default();
    if taker.is_none() && multipart::is_multipart(content_type) {
        return multipart::parse(content_type, body).map(Content::Parts);
    }
    match (payload::content_type(request), taker) {
        (_, Some(taker)) if taker.kind != Kind::Json => Ok(Content::Whole(body)),
        (MediaType::Json | MediaType::Any | MediaType::Object { .. }, _) => {
            let is_object = body.trim_ascii_start().starts_with(b"{");
            if taker.is_some() || !is_object {
                json::check(body).map_err(Error::invalid_json)?;
                return Ok(Content::Whole(body));
            }
            members(body).map(Content::Members).map_err(Error::invalid_json)
        }
        (MediaType::Form, None) => form::parse(body).map(Content::Form),
        (_, Some(_)) => Err(accepts::JSON_ARGUMENT.refuse(request.headers.get("content-type").unwrap_or_default())),
        (_, None) => Err(accepts::ROUTE.refuse(request.headers.get("content-type").unwrap_or_default())),
    }
}

fn members(body: &[u8]) -> std::result::Result<Vec<(String, &[u8])>, json::Error> {
    let mut reader = Reader::new(body)?;
    reader.open_object()?;
    let members = json::members(&mut reader)?;
    reader.finish()?;
    Ok(members)
}

/// Writes a value as JSON, or says what is wrong with it, as a sentence without its subject.
fn write(kind: Kind, given: Given, out: &mut Vec<u8>) -> std::result::Result<(), &'static str> {
    let texts = |texts: &[Cow<str>], out: &mut Vec<u8>| {
        out.push(b'[');
        for (i, text) in texts.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            json::escape(text.as_bytes(), out);
        }
        out.push(b']');
    };
    match (kind, given) {
        (_, Given::Json(json)) => out.extend_from_slice(&json),
        (Kind::File | Kind::Files, Given::Text(_) | Given::Texts(_) | Given::Bytes(_)) => {
            return Err("is to be a file. Send a form as multipart/form-data.");
        }
        (_, Given::Parts(parts)) => return write_parts(kind, &parts, out),
        (Kind::Json, Given::Text(text)) => {
            if json::check(text.as_bytes()).is_err() {
                return Err("is not JSON.");
            }
            out.extend_from_slice(text.as_bytes());
        }
        (Kind::Array, Given::Text(text)) if !text.starts_with('{') => texts(&[text], out),
        (_, Given::Text(text)) => json::escape(text.as_bytes(), out),
        (Kind::Array, Given::Texts(values)) => texts(&values, out),
        (_, Given::Texts(_)) => return Err("is given several times."),
        (Kind::Bytea, Given::Bytes(bytes)) => write_bytes(bytes, out),
        (_, Given::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => json::escape(text.as_bytes(), out),
            Err(_) => return Err("is not UTF-8."),
        },
    }
    Ok(())
}

/// Writes the parts of a form that have the name of a parameter.
fn write_parts(kind: Kind, parts: &[Part], out: &mut Vec<u8>) -> std::result::Result<(), &'static str> {
    let file = |part: &Part, out: &mut Vec<u8>| {
        out.extend_from_slice(b"{\"name\":");
        json::escape(part.file.as_deref().unwrap_or_default().as_bytes(), out);
        if let Some(media_type) = &part.media_type {
            out.extend_from_slice(b",\"media_type\":");
            json::escape(media_type.as_bytes(), out);
        }
        out.extend_from_slice(b",\"content\":");
        write_bytes(part.content, out);
        out.push(b'}');
    };
    if kind == Kind::Files {
        out.push(b'[');
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            file(part, out);
        }
        out.push(b']');
        return Ok(());
    }
    match (kind, parts) {
        (Kind::File, [part]) => file(part, out),
        (Kind::Bytea, [part]) => write_bytes(part.content, out),
        (_, parts) => {
            let text = |part: &Part<'_>| std::str::from_utf8(part.content).map(|text| Cow::Owned(text.to_owned()));
            let texts: std::result::Result<Vec<Cow<str>>, _> = parts.iter().map(text).collect();
            let given = texts.ok().and_then(Given::of).ok_or("is not UTF-8.")?;
            return write(kind, given, out);
        }
    }
    Ok(())
}

/// Writes bytes as the text of a bytea.
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"\\\\x");
    bytes.iter().for_each(|byte| out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
    out.push(b'"');
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The whole request as an object for `restful.http_request`.
fn whole_request(request: &Request, captured: &[(&str, Captured)]) -> Vec<u8> {
    let mut out = request_attributes(request, captured);
    if let Some(body) = request.body {
        out.pop();
        out.extend_from_slice(b",\"body\":");
        // Bytes always have a text.
        let _ = write(Kind::Bytea, Given::Bytes(body), &mut out);
        out.push(b'}');
    }
    out
}

/// A request as an object for `restful.http_request`, without the body.
pub fn request_attributes(request: &Request, captured: &[(&str, Captured)]) -> Vec<u8> {
    let object =
        |pairs: &mut dyn Iterator<Item = (String, serde_json::Value)>| serde_json::Value::Object(pairs.collect());
    let path = object(&mut captured.iter().map(|(name, value)| ((*name).to_owned(), value.as_ref().into())));
    let mut query = serde_json::Map::new();
    for (name, value) in &request.target.parameters {
        let values = query.entry(name.as_ref()).or_insert_with(|| serde_json::Value::Array(Vec::new()));
        if let serde_json::Value::Array(values) = values {
            values.push(value.as_deref().unwrap_or_default().into());
        }
    }
    let mut out = b"{\"method\":".to_vec();
    json::escape(request.method.as_str().as_bytes(), &mut out);
    out.extend_from_slice(b",\"path\":");
    json::escape(request.target.path.as_bytes(), &mut out);
    for (name, value) in
        [("path_parameters", path.to_string()), ("query", serde_json::Value::Object(query).to_string())]
    {
        out.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
    }
    out.extend_from_slice(
        format!(",\"headers\":{},\"cookies\":{}", request.headers.to_setting(), request.headers.cookies_to_setting())
            .as_bytes(),
    );
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;
    use serde_json::{Value, json};

    fn parameter(name: &str, kind: Kind, required: bool, source: Option<&str>) -> Parameter {
        Parameter {
            name: name.to_owned(),
            kind,
            required,
            source: source.map(|s| Source::try_from(s.to_owned()).unwrap()),
        }
    }

    fn bind(
        parameters: &[Parameter],
        captured: &[(&str, &str)],
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Result<(Value, Vec<String>)> {
        let headers: Headers = fields.iter().copied().collect();
        let request = Request::parse(method, target, &headers, Some(body.as_bytes()).filter(|b| !b.is_empty()))?;
        let captured: Vec<(&str, Captured)> = captured.iter().map(|(n, v)| (*n, Cow::Borrowed(*v))).collect();
        let Arguments { object, rest, .. } = arguments(parameters, &captured, &request)?;
        Ok((serde_json::from_slice(&object).unwrap(), rest.into_iter().map(|(name, _)| name.into_owned()).collect()))
    }

    #[test]
    fn values_come_from_where_the_route_says() {
        let parameters = [
            parameter("id", Kind::Scalar, true, None),
            parameter("qty", Kind::Scalar, true, None),
            parameter("tags", Kind::Array, false, Some("query:tag")),
            parameter("agent", Kind::Scalar, false, Some("header:User-Agent")),
            parameter("session", Kind::Scalar, false, Some("cookie:sid")),
            parameter("options", Kind::Json, false, Some("query")),
            parameter("note", Kind::Scalar, false, None),
        ];
        let fields = [("user-agent", "me"), ("cookie", "a=b; sid=x\"y")];
        let (object, rest) = bind(
            &parameters,
            &[("id", "7")],
            "POST",
            "/o/7?tag=a&tag=b&options={\"x\":1}&select=id",
            &fields,
            r#"{"qty": 2.50}"#,
        )
        .unwrap();
        assert_eq!(
            object,
            json!({"id": "7", "qty": 2.5, "tags": ["a", "b"], "agent": "me", "session": "x\"y", "options": {"x": 1}})
        );
        assert_eq!(rest, ["select"]);
        // without a body, the query has what the route does not place
        let (object, _) = bind(&parameters[..2], &[("id", "7")], "DELETE", "/o/7?qty=3", &[], "").unwrap();
        assert_eq!(object, json!({"id": "7", "qty": "3"}));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(bind(&parameters[1..2], &[], "POST", "/o", &form, "qty=4").unwrap().0, json!({"qty": "4"}));
    }

    #[test]
    fn a_whole_body_is_one_argument() {
        let json = [parameter("doc", Kind::Json, true, Some("body"))];
        assert_eq!(bind(&json, &[], "PUT", "/d", &[], "[1, 2]").unwrap().0, json!({"doc": [1, 2]}));
        let bytes = [parameter("file", Kind::Bytea, true, Some("body"))];
        assert_eq!(
            bind(&bytes, &[], "PUT", "/d", &[("content-type", "image/png")], "\u{1}a").unwrap().0,
            json!({"file": "\\x0161"})
        );
        let text = [parameter("text", Kind::Scalar, true, Some("body"))];
        assert_eq!(
            bind(&text, &[], "PUT", "/d", &[("content-type", "text/plain")], "a\"b").unwrap().0,
            json!({"text": "a\"b"})
        );
    }

    #[test]
    fn the_whole_request_is_an_argument() {
        let parameters = [parameter("request", Kind::Request, true, None)];
        let (object, _) = bind(&parameters, &[("id", "7")], "POST", "/o/7?a=1&a=2", &[("x-y", "z")], "hi").unwrap();
        let request = &object["request"];
        assert_eq!(request["path_parameters"], json!({"id": "7"}));
        assert_eq!(request["query"], json!({"a": ["1", "2"]}));
        assert_eq!((&request["body"], &request["headers"]["x-y"]), (&json!("\\x6869"), &json!("z")));
    }

    #[test]
    fn everything_that_does_not_fit_is_named() {
        let parameters = [
            parameter("qty", Kind::Scalar, true, None),
            parameter("page", Kind::Scalar, true, Some("query")),
            parameter("doc", Kind::Json, false, Some("query")),
        ];
        let error = bind(&parameters, &[], "POST", "/o?doc=x", &[], r#"{"a/b": 1}"#).unwrap_err();
        assert_eq!((error.code.as_str(), error.status), ("REST471", 400));
        let pointers: Vec<(&str, &str)> =
            error.errors.iter().map(|e| (e.pointer.as_str(), e.violation.keyword.as_str())).collect();
        assert_eq!(pointers, [("/qty", "required"), ("/a~1b", "additionalProperties")]);
        assert_eq!(
            error.details,
            Some("The query parameter page is missing. The query parameter doc is not JSON.".into())
        );
        for (body, status) in [("[1]", 400), ("{", 400), (r#"{"qty":1,"qty":2}"#, 400)] {
            assert_eq!(bind(&parameters[..1], &[], "POST", "/o", &[], body).unwrap_err().status, status, "{body}");
        }
        assert!(bind(&parameters[..1], &[], "POST", "/o?qty=1", &[], r#"{"qty": 1}"#).is_err());
        assert!(bind(&parameters[1..2], &[], "POST", "/o?page=1&page=2", &[], "").is_err());
        for wrong in ["frob", "header", "header:", "cookie", "query:", "body:"] {
            assert!(Source::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
