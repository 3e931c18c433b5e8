//! Stored values as the validator's representation of JSON.

use super::container::{self, Child, Children};
use super::number::Numeric;
use super::{Lost, compare, tree};
use crate::json_schema::Watch;
use crate::json_schema::report::{about_to_fail, met_name};
use crate::values::jsonb_layout::*;
use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object};
use jsonschema_value::LazyInstance;
use serde_json::Value;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// Stored `jsonb` for the validator: `jsonschema::options_for::<BinaryJson<W>>()`. `W` is told of every array and object.
pub struct BinaryJson<W>(PhantomData<fn() -> W>);

impl<W: Watch> Json for BinaryJson<W> {
    type Node<'a> = BinaryNode<'a, W>;
    type PreparedKey = Box<[u8]>;
    type StringBuffer = ();

    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> Box<[u8]> {
        key.as_bytes().into()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(BinaryNode<'_, W>) -> T) -> T {
        f(BinaryNode::new(Child { data: string.as_bytes(), kind: STRING }))
    }
}

/// A stored value.
pub struct BinaryNode<'a, W> {
    data: &'a [u8],
    /// Its type, as entries have it.
    kind: u32,
    watch: PhantomData<fn() -> W>,
}

impl<W> Clone for BinaryNode<'_, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for BinaryNode<'_, W> {}

/// What a value is.
pub(super) enum Content<'a> {
    Null,
    Bool(bool),
    Number(Numeric<'a>),
    /// The characters, in the encoding of the database.
    String(&'a [u8]),
    Array(Children<'a>),
    Object(container::Object<'a>),
}

impl<'a, W: Watch> BinaryNode<'a, W> {
    /// The value that the bytes behind the varlena header of a `jsonb` are.
    #[inline(always)]
    pub fn root(stored: &'a [u8]) -> Self {
        if container::header(stored) & SCALAR == 0 {
            return Self::new(Child { data: stored, kind: CONTAINER });
        }
        // A scalar is an array of one that says so.
        let value = container::Array::read::<W>(stored).children().next::<W>();
        Self::new(value.unwrap_or(Child { data: &[], kind: NULL }))
    }

    #[inline(always)]
    pub(super) fn new(child: Child<'a>) -> Self {
        BinaryNode { data: child.data, kind: child.kind, watch: PhantomData }
    }

    /// The value as a tree.
    ///
    /// # Errors
    /// What a tree cannot hold.
    pub fn tree(self) -> Result<Value, Lost> {
        match tree::build(self) {
            (value, None) => Ok(value),
            (_, Some(lost)) => Err(lost),
        }
    }

    #[inline(always)]
    pub(super) fn content(self) -> Content<'a> {
        match self.kind {
            STRING => Content::String(self.data),
            NUMERIC => Content::Number(Numeric::new::<W>(self.data)),
            FALSE | TRUE => Content::Bool(self.kind == TRUE),
            CONTAINER if self.is_object() => Content::Object(container::Object::read::<W>(self.data)),
            CONTAINER => Content::Array(container::Array::read::<W>(self.data).children()),
            _ => Content::Null,
        }
    }

    /// Of a container: whether it is an object.
    #[inline(always)]
    fn is_object(&self) -> bool {
        container::header(self.data) & OBJECT != 0
    }

    /// The characters of a string. In a database whose encoding is not UTF-8, what is no UTF-8 is replaced.
    #[inline(always)]
    pub(super) fn characters(self) -> Cow<'a, str> {
        match W::text(self.data) {
            Some(characters) => Cow::Borrowed(characters),
            None => replaced(self.data),
        }
    }
}

#[cold]
#[inline(never)]
fn replaced(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Builds the value of an error.
fn build<W: Watch>(data: &[u8], kind: u32) -> Value {
    tree::build(BinaryNode::<W>::new(Child { data, kind })).0
}

/// Elements of an array, in order.
pub struct Elements<'a, W> {
    children: Children<'a>,
    watch: PhantomData<fn() -> W>,
}

impl<W> Clone for Elements<'_, W> {
    fn clone(&self) -> Self {
        Elements { children: self.children.clone(), watch: PhantomData }
    }
}

impl<'a, W: Watch> Iterator for Elements<'a, W> {
    type Item = BinaryNode<'a, W>;

    #[inline(always)]
    fn next(&mut self) -> Option<BinaryNode<'a, W>> {
        W::step();
        self.children.next::<W>().map(BinaryNode::new)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.children.left(), Some(self.children.left()))
    }
}

/// Members of an object, names and values, in the order of their storage.
pub struct Members<'a, W> {
    keys: Children<'a>,
    values: Children<'a>,
    watch: PhantomData<fn() -> W>,
}

impl<'a, W: Watch> Iterator for Members<'a, W> {
    type Item = (Cow<'a, str>, BinaryNode<'a, W>);

    #[inline(always)]
    fn next(&mut self) -> Option<(Cow<'a, str>, BinaryNode<'a, W>)> {
        W::step();
        let key = self.keys.next_key::<W>()?;
        let value = self.values.next::<W>()?;
        let name = BinaryNode::<W>::new(Child { data: key, kind: STRING }).characters();
        met_name(&name);
        Some((name, BinaryNode::new(value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.keys.left(), Some(self.keys.left()))
    }
}

/// An array.
pub struct BinaryArray<'a, W>(container::Array<'a>, PhantomData<fn() -> W>);

impl<'a, W: Watch> Array<'a, BinaryJson<W>> for BinaryArray<'a, W> {
    type Node = BinaryNode<'a, W>;
    type ElementsIter = Elements<'a, W>;

    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn elements(&self) -> Elements<'a, W> {
        Elements { children: self.0.children(), watch: PhantomData }
    }

    fn is_unique(&self) -> bool {
        compare::is_unique(self.elements())
    }
}

/// An object.
pub struct BinaryObject<'a, W>(container::Object<'a>, PhantomData<fn() -> W>);

impl<'a, W: Watch> Object<'a, BinaryJson<W>> for BinaryObject<'a, W> {
    type Node = BinaryNode<'a, W>;
    type MemberName = Cow<'a, str>;
    type MembersIter = Members<'a, W>;

    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn get(&self, key: &Box<[u8]>) -> Option<BinaryNode<'a, W>> {
        self.0.get::<W>(key).map(BinaryNode::new)
    }

    #[inline(always)]
    fn members(&self) -> Members<'a, W> {
        Members { keys: self.0.keys(), values: self.0.values(), watch: PhantomData }
    }

    /// Keys are stored as strings are.
    #[inline]
    fn try_for_each_name_node<B>(
        &self,
        (): &mut (),
        mut f: impl FnMut(BinaryNode<'_, W>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut keys = self.0.keys();
        while let Some(key) = keys.next::<W>() {
            W::step();
            f(BinaryNode::new(key))?;
        }
        ControlFlow::Continue(())
    }
}

impl<'a, W: Watch> Node<'a, BinaryJson<W>> for BinaryNode<'a, W> {
    type Object = BinaryObject<'a, W>;
    type Array = BinaryArray<'a, W>;
    type Number = Numeric<'a>;

    #[inline(always)]
    fn as_object(&self) -> Option<BinaryObject<'a, W>> {
        if self.kind != CONTAINER || !self.is_object() {
            return None;
        }
        W::enter();
        Some(BinaryObject(container::Object::read::<W>(self.data), PhantomData))
    }

    #[inline(always)]
    fn as_array(&self) -> Option<BinaryArray<'a, W>> {
        if self.kind != CONTAINER || self.is_object() {
            return None;
        }
        W::enter();
        Some(BinaryArray(container::Array::read::<W>(self.data), PhantomData))
    }

    #[inline(always)]
    fn as_string(&self) -> Option<Cow<'a, str>> {
        W::step();
        (self.kind == STRING).then(|| self.characters())
    }

    #[inline(always)]
    fn as_number(&self) -> Option<Numeric<'a>> {
        (self.kind == NUMERIC).then(|| Numeric::new::<W>(self.data))
    }

    #[inline(always)]
    fn as_boolean(&self) -> Option<bool> {
        matches!(self.kind, FALSE | TRUE).then_some(self.kind == TRUE)
    }

    #[inline(always)]
    fn is_null(&self) -> bool {
        self.kind == NULL
    }

    #[inline(always)]
    fn is_number(&self) -> bool {
        self.kind == NUMERIC
    }

    #[inline(always)]
    fn is_string(&self) -> bool {
        self.kind == STRING
    }

    #[inline(always)]
    fn json_type(&self) -> JsonType {
        match self.kind {
            STRING => JsonType::String,
            NUMERIC => JsonType::Number,
            FALSE | TRUE => JsonType::Boolean,
            CONTAINER if self.is_object() => JsonType::Object,
            CONTAINER => JsonType::Array,
            _ => JsonType::Null,
        }
    }

    #[inline]
    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        if self.kind != STRING {
            return None;
        }
        // A character takes one byte to four.
        let most = self.data.len() as u64;
        let least = most.div_ceil(4);
        Some(if most < min || least > max {
            false
        } else if least >= min && most <= max {
            true
        } else {
            (min..=max).contains(&(self.characters().chars().count() as u64))
        })
    }

    #[inline]
    fn equals_value(&self, expected: &Value) -> bool {
        compare::equals_value(*self, expected)
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(tree::build(*self).0)
    }

    /// Most errors are read for their place alone: what failed is built when it is asked for.
    fn lazy_value(&self) -> LazyInstance<'a> {
        about_to_fail();
        LazyInstance::Deferred { bytes: self.data, tag: self.kind, make: build::<W>, cell: OnceLock::new() }
    }

    #[inline]
    fn identity(&self) -> Option<NodeIdentity> {
        // A container begins before all that is in it, and nothing else begins where a value does.
        let length = u32::try_from(self.data.len()).unwrap_or(LENGTH) & LENGTH;
        Some(NodeIdentity::tagged(self.data.as_ptr().addr(), self.kind | length))
    }
}
