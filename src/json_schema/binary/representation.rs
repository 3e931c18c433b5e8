//! Lets the validator read stored values as JSON.

use super::container::{self, Child, Children};
use super::node::{BinaryNode, Elements};
use super::number::Numeric;
use super::{compare, tree};
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

/// Builds the value that an error shows.
fn build<W: Watch>(data: &[u8], kind: u32) -> Value {
    tree::build(BinaryNode::<W>::new(Child { data, kind })).0
}

/// Members of an object, names and values, in the order in which they are stored.
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
        Elements::new(self.0.children())
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

    /// Keys are stored like strings.
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
        // A character takes one to four bytes.
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

    /// Most errors are only read for their location. The failed value is built on demand.
    fn lazy_value(&self) -> LazyInstance<'a> {
        about_to_fail();
        LazyInstance::Deferred { bytes: self.data, tag: self.kind, make: build::<W>, cell: OnceLock::new() }
    }

    #[inline]
    fn identity(&self) -> Option<NodeIdentity> {
        // A container begins before everything in it, and no other value begins at the same address.
        let length = u32::try_from(self.data.len()).unwrap_or(LENGTH) & LENGTH;
        Some(NodeIdentity::tagged(self.data.as_ptr().addr(), self.kind | length))
    }
}
