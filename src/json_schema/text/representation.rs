//! Lets the validator read the tape as JSON.

use super::compare;
use super::number::TextNumber;
use super::tape::{Children, Document, Entry, EntryKind, tag};
use crate::json::ValueKind;
use crate::json_schema::Watch;
use crate::json_schema::report::{about_to_fail, met_name};
use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object};
use jsonschema_value::LazyInstance;
use serde_json::Value;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// JSON texts for the validator: `jsonschema::options_for::<TextJson<W>>()`. `W` is told of every array and object.
pub struct TextJson<W>(PhantomData<fn() -> W>);

/// A name in a schema, prepared for lookups.
pub struct Key {
    name: Box<str>,
    tag: u16,
}

impl<W: Watch> Json for TextJson<W> {
    type Node<'a> = TextNode<'a, W>;
    type PreparedKey = Key;
    type StringBuffer = Document<'static>;

    const KEYS_PER_LOOKUP: usize = 2;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> Key {
        Key { name: key.into(), tag: tag(key.as_bytes()) }
    }

    fn with_string_node<T>(buffer: &mut Document<'static>, string: &str, f: impl FnOnce(TextNode<'_, W>) -> T) -> T {
        buffer.unescaped.clear();
        buffer.unescaped.push_str(string);
        let length = string.len() as u32;
        buffer.tape.clear();
        buffer.tape.push(Entry { start: 0, length, next: 1, tag: 0, kind: EntryKind::String, flag: true });
        f(buffer.root())
    }
}

/// Tells [`build`] that it gets the characters of a string.
const STRING: u32 = 0;
/// Tells [`build`] that it gets a text that begins with an array or an object.
const CONTAINER: u32 = 1;

/// Builds the value that an error shows.
fn build(bytes: &[u8], tag: u32) -> Value {
    if tag == STRING {
        return Value::String(String::from_utf8_lossy(bytes).into_owned());
    }
    Document::reread(bytes).map_or(Value::Null, |document| compare::to_value(&document, 0))
}

impl Document<'_> {
    /// The value of the whole text.
    pub fn root<W: Watch>(&self) -> TextNode<'_, W> {
        TextNode::new(self, 0)
    }
}

/// A value of a [`Document`].
pub struct TextNode<'a, W> {
    document: &'a Document<'a>,
    at: u32,
    watch: PhantomData<fn() -> W>,
}

impl<W> Clone for TextNode<'_, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for TextNode<'_, W> {}

impl<'a, W: Watch> TextNode<'a, W> {
    #[inline(always)]
    pub(super) fn new(document: &'a Document<'a>, at: u32) -> Self {
        TextNode { document, at, watch: PhantomData }
    }

    #[inline(always)]
    fn entry(&self) -> &'a Entry {
        self.document.entry(self.at)
    }

    /// The characters of a string.
    #[inline(always)]
    pub fn string(&self) -> Option<&'a str> {
        let entry = self.entry();
        if entry.kind == EntryKind::String { Some(self.document.characters(entry)) } else { None }
    }

    /// The kind of the value.
    pub fn kind(&self) -> ValueKind {
        match self.entry().kind {
            EntryKind::False | EntryKind::True => ValueKind::Bool,
            EntryKind::Integer | EntryKind::Decimal => ValueKind::Number,
            EntryKind::String => ValueKind::String,
            EntryKind::Array => ValueKind::Array,
            EntryKind::Object => ValueKind::Object,
            EntryKind::Null | EntryKind::Moved | EntryKind::Index => ValueKind::Null,
        }
    }

    /// The value of the key `name`; `None` if the object does not have it, or if this is not an object.
    pub fn member(&self, name: &str) -> Option<Self> {
        if self.entry().kind != EntryKind::Object {
            return None;
        }
        let value = self.document.find(self.at, name, tag(name.as_bytes()))?;
        Some(Self::new(self.document, value))
    }

    /// The element at `index`, from 0; `None` beyond the end, or if this is not an array. It walks the array: use
    /// [`TextNode::elements`] to read all of them.
    pub fn element(&self, index: usize) -> Option<Self> {
        self.elements().nth(index)
    }

    /// The elements of an array; empty for any other value.
    pub fn elements(&self) -> Elements<'a, W> {
        let is_array = self.entry().kind == EntryKind::Array;
        Elements {
            children: if is_array { self.document.children(self.at) } else { Children::none(self.document) },
            watch: PhantomData,
        }
    }

    /// The members of an object, in the order of the text; empty for any other value.
    pub fn members(&self) -> Members<'a, W> {
        let is_object = self.entry().kind == EntryKind::Object;
        Members {
            children: if is_object { self.document.children(self.at) } else { Children::none(self.document) },
            watch: PhantomData,
        }
    }
}

/// Elements of an array, in order.
pub struct Elements<'a, W> {
    children: Children<'a>,
    watch: PhantomData<fn() -> W>,
}

impl<'a, W: Watch> Iterator for Elements<'a, W> {
    type Item = TextNode<'a, W>;

    #[inline(always)]
    fn next(&mut self) -> Option<TextNode<'a, W>> {
        W::step();
        let (_, value) = self.children.next()?;
        Some(TextNode::new(self.children.document, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.children.size_hint()
    }
}

/// Members of an object: names and values.
pub struct Members<'a, W> {
    children: Children<'a>,
    watch: PhantomData<fn() -> W>,
}

impl<'a, W: Watch> Iterator for Members<'a, W> {
    type Item = (&'a str, TextNode<'a, W>);

    #[inline(always)]
    fn next(&mut self) -> Option<(&'a str, TextNode<'a, W>)> {
        W::step();
        let (key, value) = self.children.next()?;
        let document = self.children.document;
        let name = document.characters(document.entry(key));
        met_name(name);
        Some((name, TextNode::new(document, value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.children.size_hint()
    }
}

/// An array.
pub struct TextArray<'a, W>(TextNode<'a, W>);

impl<'a, W: Watch> Array<'a, TextJson<W>> for TextArray<'a, W> {
    type Node = TextNode<'a, W>;
    type ElementsIter = Elements<'a, W>;

    #[inline]
    fn len(&self) -> usize {
        self.0.entry().length as usize
    }

    #[inline]
    fn elements(&self) -> Elements<'a, W> {
        Elements { children: self.0.document.children(self.0.at), watch: PhantomData }
    }

    fn is_unique(&self) -> bool {
        compare::is_unique(self.0.document, self.0.at, W::step)
    }
}

/// An object.
pub struct TextObject<'a, W>(TextNode<'a, W>);

impl<'a, W: Watch> Object<'a, TextJson<W>> for TextObject<'a, W> {
    type Node = TextNode<'a, W>;
    type MemberName = &'a str;
    type MembersIter = Members<'a, W>;

    #[inline]
    fn len(&self) -> usize {
        self.0.entry().length as usize
    }

    #[inline]
    fn get(&self, key: &Key) -> Option<TextNode<'a, W>> {
        let value = self.0.document.find(self.0.at, &key.name, key.tag)?;
        Some(TextNode::new(self.0.document, value))
    }

    #[inline]
    fn members(&self) -> Members<'a, W> {
        Members { children: self.0.document.children(self.0.at), watch: PhantomData }
    }

    /// The tape stores keys like string values.
    fn try_for_each_name_node<B>(
        &self,
        _: &mut Document<'static>,
        mut f: impl FnMut(TextNode<'_, W>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let document = self.0.document;
        document.children(self.0.at).try_for_each(|(key, _)| {
            W::step();
            f(TextNode::new(document, key))
        })
    }
}

impl<'a, W: Watch> Node<'a, TextJson<W>> for TextNode<'a, W> {
    type Object = TextObject<'a, W>;
    type Array = TextArray<'a, W>;
    type Number = TextNumber<'a>;

    #[inline]
    fn as_object(&self) -> Option<TextObject<'a, W>> {
        if self.entry().kind != EntryKind::Object {
            return None;
        }
        W::enter();
        Some(TextObject(*self))
    }

    #[inline]
    fn as_array(&self) -> Option<TextArray<'a, W>> {
        if self.entry().kind != EntryKind::Array {
            return None;
        }
        W::enter();
        Some(TextArray(*self))
    }

    #[inline]
    fn as_string(&self) -> Option<Cow<'a, str>> {
        W::step();
        self.string().map(Cow::Borrowed)
    }

    #[inline]
    fn as_number(&self) -> Option<TextNumber<'a>> {
        TextNumber::of(self.document, self.entry())
    }

    #[inline]
    fn as_boolean(&self) -> Option<bool> {
        match self.entry().kind {
            EntryKind::False => Some(false),
            EntryKind::True => Some(true),
            _ => None,
        }
    }

    #[inline]
    fn is_null(&self) -> bool {
        self.entry().kind == EntryKind::Null
    }

    #[inline]
    fn is_number(&self) -> bool {
        matches!(self.entry().kind, EntryKind::Integer | EntryKind::Decimal)
    }

    #[inline]
    fn is_string(&self) -> bool {
        self.entry().kind == EntryKind::String
    }

    #[inline]
    fn json_type(&self) -> JsonType {
        match self.kind() {
            ValueKind::Null => JsonType::Null,
            ValueKind::Bool => JsonType::Boolean,
            ValueKind::Number => JsonType::Number,
            ValueKind::String => JsonType::String,
            ValueKind::Array => JsonType::Array,
            ValueKind::Object => JsonType::Object,
        }
    }

    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        let string = self.string()?;
        // A character takes one to four bytes.
        let most = string.len() as u64;
        let least = most.div_ceil(4);
        Some(if most < min || least > max {
            false
        } else if least >= min && most <= max {
            true
        } else {
            (min..=max).contains(&(string.chars().count() as u64))
        })
    }

    #[inline]
    fn equals_value(&self, expected: &Value) -> bool {
        compare::equals_value(self.document, self.at, expected, W::step)
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(compare::to_value(self.document, self.at))
    }

    /// Most errors are only read for their location. The failed value is built on demand, so that many errors of a large array or
    /// object do not copy it each time.
    fn lazy_value(&self) -> LazyInstance<'a> {
        about_to_fail();
        let entry = self.entry();
        let (bytes, tag) = match entry.kind {
            EntryKind::String => (self.document.characters(entry).as_bytes(), STRING),
            EntryKind::Array | EntryKind::Object => {
                (self.document.text.as_bytes().get(entry.start as usize..).unwrap_or_default(), CONTAINER)
            }
            _ => return LazyInstance::Ready(self.to_value()),
        };
        LazyInstance::Deferred { bytes, tag, make: build, cell: OnceLock::new() }
    }

    #[inline]
    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref(self.entry()) as usize))
    }
}
