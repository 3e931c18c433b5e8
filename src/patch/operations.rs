//! JSON Patch (RFC 6902).

use super::{Node, Problem};
use crate::error::{Code, Error, Result};
use crate::json::{self, Reader, ValueKind, pointer};
use crate::limits::{self, JSON_DEPTH};

/// The operations of a patch, in order.
#[derive(Clone, Debug, Default)]
pub struct Operations<'a>(Vec<Operation<'a>>);

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    kind: Kind,
    /// The tokens of `path`, and of `from`.
    path: Vec<String>,
    from: Vec<String>,
    value: &'a [u8],
    /// `path` as it is written.
    shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// The columns that a patch of a row is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Those that are set.
    pub written: Vec<String>,
    /// Those that it looks at, including those that are set.
    pub read: Vec<String>,
}

impl<'a> Operations<'a> {
    /// Reads a patch of a row. The first token of each pointer is a column.
    ///
    /// # Errors
    /// PGRST102 (400) with a pointer to the operation; REST431 (400) if there are too many.
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        let mut operations = Vec::new();
        let mut refusal = None;
        if !body.trim_ascii_start().starts_with(b"[") {
            return Err(
                Error::new(Code::Body, "A JSON patch must be an array of operations").hint("See RFC 6902, section 3.")
            );
        }
        json::each_element(body, json::Framing::Array, |reader| {
            if operations.len() >= limits::PATCH_OPERATIONS || refusal.is_some() {
                refusal.get_or_insert_with(|| {
                    Error::new(Code::Limit, format!("A patch has at most {} operations", limits::PATCH_OPERATIONS))
                        .hint("Send several patches.")
                });
                return reader.value().map(drop);
            }
            if reader.kind()? != ValueKind::Object {
                refusal = Some(malformed(operations.len(), "it is not an object"));
                return reader.value().map(drop);
            }
            match Operation::read(body, reader)? {
                Ok(operation) => operations.push(operation),
                Err(why) => refusal = Some(malformed(operations.len(), &why)),
            }
            Ok(())
        })
        .map_err(Error::invalid_json)?;
        match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(Operations(operations)),
        }
    }

    /// The columns that it is about.
    pub fn columns(&self) -> Columns {
        let mut columns = Columns::default();
        let add = |names: &mut Vec<String>, tokens: &[String]| {
            if let Some(name) = tokens.first().filter(|name| !names.contains(name)) {
                names.push(name.clone());
            }
        };
        for operation in &self.0 {
            add(&mut columns.read, &operation.path);
            add(&mut columns.read, &operation.from);
            if operation.kind != Kind::Test {
                add(&mut columns.written, &operation.path);
            }
            if operation.kind == Kind::Move {
                add(&mut columns.written, &operation.from);
            }
        }
        columns
    }

    /// The document after the operations.
    ///
    /// `room`: by how many bytes it may grow. `tick`: called before each operation.
    ///
    /// # Errors
    /// The error of the response, which names the operation that does not apply.
    pub(super) fn apply(&self, mut document: Node<'a>, mut room: usize, mut tick: impl FnMut()) -> Result<Node<'a>> {
        for (index, operation) in self.0.iter().enumerate() {
            tick();
            operation
                .apply(&mut document, &mut room)
                .map_err(|problem| problem.error(Some((index, &operation.shown))))?;
        }
        Ok(document)
    }
}

fn malformed(index: usize, why: &str) -> Error {
    Error::new(Code::Body, "The JSON patch is malformed")
        .details(format!("Operation /{index}: {why}."))
        .hint("See RFC 6902, section 4. The first token of each pointer is a column.")
}

impl<'a> Operation<'a> {
    /// Reads an operation, or why it is malformed.
    fn read(
        body: &'a [u8],
        reader: &mut Reader<'a>,
    ) -> std::result::Result<std::result::Result<Self, String>, json::Error> {
        let (mut op, mut path, mut from, mut value) = (None, None, None, None);
        let mut seen = json::UniqueKeys::default();
        reader.open_object()?;
        while let Some(key) = reader.next_key()? {
            if !seen.insert(key) {
                return Err(reader.duplicate_key(key));
            }
            reader.kind()?;
            let start = reader.offset();
            let read = reader.value()?;
            let text = match read {
                json::Value::String(text) => Some(String::from_utf8_lossy(&text.unescaped()).into_owned()),
                _ => None,
            };
            match key.unescaped().as_ref() {
                b"op" => op = text,
                b"path" => path = text,
                b"from" => from = text,
                b"value" => value = body.get(start..reader.offset()),
                // Other members are to be ignored (section 4).
                _ => {}
            }
        }
        Ok(Self::of(op, path, from, value))
    }

    fn of(
        op: Option<String>,
        path: Option<String>,
        from: Option<String>,
        value: Option<&'a [u8]>,
    ) -> std::result::Result<Self, String> {
        let kind = match op.as_deref() {
            Some("add") => Kind::Add,
            Some("remove") => Kind::Remove,
            Some("replace") => Kind::Replace,
            Some("move") => Kind::Move,
            Some("copy") => Kind::Copy,
            Some("test") => Kind::Test,
            Some(_) => return Err("'op' is not one of add, remove, replace, move, copy and test".to_owned()),
            None => return Err("it has no text 'op'".to_owned()),
        };
        let shown = path.ok_or("it has no text 'path'")?;
        let path = tokens(&shown, "path")?;
        let from = match kind {
            Kind::Move | Kind::Copy => tokens(&from.ok_or("it has no text 'from'")?, "from")?,
            _ => Vec::new(),
        };
        if kind == Kind::Move && path.len() > from.len() && path.starts_with(&from) {
            return Err("a value cannot be moved into itself".to_owned());
        }
        let value = match kind {
            Kind::Add | Kind::Replace | Kind::Test => value.ok_or("it has no 'value'")?,
            _ => &[],
        };
        Ok(Operation { kind, path, from, value, shown })
    }

    fn apply(&self, document: &mut Node<'a>, room: &mut usize) -> std::result::Result<(), Problem> {
        match self.kind {
            Kind::Test => {
                let found = find(document, &self.path)?;
                if !found.equals(&mut Node::Raw(self.value))? {
                    return Err(Problem::Differs);
                }
                Ok(())
            }
            Kind::Add => add(document, &self.path, Node::Raw(self.value), room),
            Kind::Replace => {
                let found = find(document, &self.path)?;
                *found = fitting(Node::Raw(self.value), self.path.len(), room)?;
                Ok(())
            }
            Kind::Remove => remove(document, &self.path).map(drop),
            Kind::Move => {
                let value = remove(document, &self.from)?;
                // It was part of the document, and takes no more room.
                let mut any = usize::MAX;
                add(document, &self.path, value, &mut any)
            }
            Kind::Copy => {
                let found = find(document, &self.from)?;
                if found.size() > *room {
                    return Err(Problem::Size);
                }
                let value = found.clone();
                add(document, &self.path, value, room)
            }
        }
    }
}

/// The tokens of a pointer (RFC 6901, section 3).
fn tokens(text: &str, member: &str) -> std::result::Result<Vec<String>, String> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(if text.is_empty() {
            format!("'{member}' is the whole row, but operations are about columns")
        } else {
            format!("'{member}' does not begin with '/'")
        });
    };
    let mut found = Vec::new();
    for token in rest.split('/') {
        let is_escaped = token.split('~').skip(1).all(|part| part.starts_with(['0', '1']));
        if !is_escaped {
            return Err(format!("'{member}' has a '~' that is neither ~0 nor ~1"));
        }
        found.push(pointer::unescape(token));
    }
    if found.len() > JSON_DEPTH {
        return Err(format!("'{member}' has more than {JSON_DEPTH} tokens"));
    }
    Ok(found)
}

/// A value that may be put at this depth.
fn fitting<'a>(value: Node<'a>, depth: usize, room: &mut usize) -> std::result::Result<Node<'a>, Problem> {
    *room = room.checked_sub(value.size()).ok_or(Problem::Size)?;
    if depth + value.depth() > JSON_DEPTH {
        return Err(Problem::Json);
    }
    Ok(value)
}

/// The value at a place.
fn find<'n, 'a>(node: &'n mut Node<'a>, path: &[String]) -> std::result::Result<&'n mut Node<'a>, Problem> {
    let mut node = node;
    for token in path {
        node.open()?;
        node = match node {
            Node::Object(members) => {
                let place = members.iter().rposition(|(key, _)| key.as_ref() == token.as_bytes());
                &mut place.and_then(|place| members.get_mut(place)).ok_or(Problem::Missing)?.1
            }
            Node::Array(elements) => {
                let index = index(token)?;
                elements.get_mut(index).ok_or(Problem::Missing)?
            }
            Node::Raw(_) => return Err(Problem::NoContainer),
        };
    }
    Ok(node)
}

/// The value that contains a place, opened, and the last token.
fn around<'n, 'a, 't>(
    document: &'n mut Node<'a>,
    path: &'t [String],
) -> std::result::Result<(&'n mut Node<'a>, &'t str), Problem> {
    let (last, before) = path.split_last().ok_or(Problem::Missing)?;
    let node = find(document, before)?;
    node.open()?;
    Ok((node, last))
}

fn add<'a>(
    document: &mut Node<'a>,
    path: &[String],
    value: Node<'a>,
    room: &mut usize,
) -> std::result::Result<(), Problem> {
    let (node, token) = around(document, path)?;
    *room = room.checked_sub(token.len()).ok_or(Problem::Size)?;
    let value = fitting(value, path.len(), room)?;
    match node {
        Node::Object(members) => match members.iter().rposition(|(key, _)| key.as_ref() == token.as_bytes()) {
            Some(place) => {
                if let Some((_, old)) = members.get_mut(place) {
                    *old = value;
                }
            }
            None => members.push((token.as_bytes().to_vec().into(), value)),
        },
        Node::Array(elements) => {
            let index = if token == "-" { elements.len() } else { index(token)? };
            if index > elements.len() {
                return Err(Problem::Index);
            }
            elements.insert(index, value);
        }
        Node::Raw(_) => return Err(Problem::NoContainer),
    }
    Ok(())
}

fn remove<'a>(document: &mut Node<'a>, path: &[String]) -> std::result::Result<Node<'a>, Problem> {
    let (node, token) = around(document, path)?;
    match node {
        Node::Object(members) => {
            let place =
                members.iter().rposition(|(key, _)| key.as_ref() == token.as_bytes()).ok_or(Problem::Missing)?;
            let (_, value) = members.remove(place);
            // One that stood before it, with the same key, must not appear in its place.
            members.retain(|(key, _)| key.as_ref() != token.as_bytes());
            Ok(value)
        }
        Node::Array(elements) => {
            let index = index(token)?;
            if index >= elements.len() {
                return Err(Problem::Missing);
            }
            Ok(elements.remove(index))
        }
        Node::Raw(_) => Err(Problem::NoContainer),
    }
}

/// An index of an array (RFC 6901, section 4): digits without zeros in front.
fn index(token: &str) -> std::result::Result<usize, Problem> {
    let is_index =
        token == "0" || !token.starts_with('0') && !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
    token.parse().ok().filter(|_| is_index).ok_or(Problem::Index)
}
