//! A stored value: its bytes and its type.

use super::container::{self, Child, Children};
use super::number::Numeric;
use crate::json_schema::Watch;
use crate::values::jsonb_layout::*;
use std::borrow::Cow;
use std::marker::PhantomData;

/// A stored value.
pub struct BinaryNode<'a, W> {
    pub(super) data: &'a [u8],
    /// Its type, as in entries.
    pub(super) kind: u32,
    watch: PhantomData<fn() -> W>,
}

impl<W> Clone for BinaryNode<'_, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for BinaryNode<'_, W> {}

/// The decoded content of a value.
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
    /// The value of a `jsonb`. `stored`: its bytes after the varlena header.
    #[inline(always)]
    pub fn root(stored: &'a [u8]) -> Self {
        if container::header(stored) & SCALAR == 0 {
            return Self::new(Child { data: stored, kind: CONTAINER });
        }
        // A scalar is stored as an array of one element with a flag.
        let value = container::Array::read::<W>(stored).children().next::<W>();
        Self::new(value.unwrap_or(Child { data: &[], kind: NULL }))
    }

    #[inline(always)]
    pub(super) fn new(child: Child<'a>) -> Self {
        BinaryNode { data: child.data, kind: child.kind, watch: PhantomData }
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

    /// For a container: whether it is an object.
    #[inline(always)]
    pub(super) fn is_object(&self) -> bool {
        container::header(self.data) & OBJECT != 0
    }

    /// The characters of a string. In a database whose encoding is not UTF-8, bytes that are not UTF-8 are replaced.
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

/// Elements of an array, in order.
pub struct Elements<'a, W> {
    children: Children<'a>,
    watch: PhantomData<fn() -> W>,
}

impl<'a, W> Elements<'a, W> {
    #[inline(always)]
    pub(super) fn new(children: Children<'a>) -> Self {
        Elements { children, watch: PhantomData }
    }
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
