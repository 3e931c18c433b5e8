//! A look at the clock and the stack while a validation runs.

use super::report::{about_to_fail, met_name};
use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object};
use jsonschema_value::LazyInstance;
use serde_json::Value;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::ControlFlow;

/// Is told of every array and object that a validation enters.
///
/// An instance's size and the schema's branches multiply, and a recursive `$ref` nests as deep as the instance does:
/// what runs a validation inside a server has to be able to stop it. The calls of the validator cannot fail, so a watch
/// stops it by unwinding ([`std::panic::resume_unwind`]), which whoever started the validation catches.
pub trait Watch: Send + Sync + 'static {
    /// Called at every array and object, some thousands of times for a large document: it has to be cheap.
    fn enter();

    /// Called at every element, member and string: an array of scalars is entered once, and each of them may be costly.
    fn step();

    /// Called where a stored value breaks its own format. When it returns, what cannot be read counts as not there.
    #[cold]
    fn malformed() {}
}

/// Watches nothing: for tests and for validations of one's own small documents.
pub struct Unwatched;

impl Watch for Unwatched {
    #[inline(always)]
    fn enter() {}

    #[inline(always)]
    fn step() {}
}

/// A representation of JSON whose validations are watched.
pub struct Watched<F, W>(PhantomData<(F, W)>);

/// A value of a watched representation.
pub struct WatchedNode<'a, F: Json, W>(F::Node<'a>, PhantomData<W>);

/// An object of a watched representation.
pub struct WatchedObject<'a, F: Json + 'a, W>(<F::Node<'a> as Node<'a, F>>::Object, PhantomData<W>);

/// An array of a watched representation.
pub struct WatchedArray<'a, F: Json + 'a, W>(<F::Node<'a> as Node<'a, F>>::Array, PhantomData<W>);

/// The members of an object.
pub struct Members<'a, F: Json + 'a, W>(
    <<F::Node<'a> as Node<'a, F>>::Object as Object<'a, F>>::MembersIter,
    PhantomData<W>,
);

/// The elements of an array.
pub struct Elements<'a, F: Json + 'a, W>(
    <<F::Node<'a> as Node<'a, F>>::Array as Array<'a, F>>::ElementsIter,
    PhantomData<W>,
);

impl<'a, F: Json, W> WatchedNode<'a, F, W> {
    /// Watches the validation of `node`.
    #[inline(always)]
    pub fn new(node: F::Node<'a>) -> Self {
        WatchedNode(node, PhantomData)
    }
}

impl<F: Json, W> Clone for WatchedNode<'_, F, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        WatchedNode(self.0.clone(), PhantomData)
    }
}

impl<F: Json, W: Watch> Json for Watched<F, W> {
    type Node<'a> = WatchedNode<'a, F, W>;
    type PreparedKey = F::PreparedKey;
    type StringBuffer = F::StringBuffer;

    const KEYS_PER_LOOKUP: usize = F::KEYS_PER_LOOKUP;
    const ACYCLIC: bool = F::ACYCLIC;

    #[inline(always)]
    fn prepare_key(key: &str) -> F::PreparedKey {
        F::prepare_key(key)
    }

    #[inline(always)]
    fn with_string_node<T>(
        buffer: &mut F::StringBuffer,
        string: &str,
        f: impl FnOnce(WatchedNode<'_, F, W>) -> T,
    ) -> T {
        F::with_string_node(buffer, string, |node| f(WatchedNode::new(node)))
    }
}

impl<'a, F: Json, W: Watch> Node<'a, Watched<F, W>> for WatchedNode<'a, F, W> {
    type Object = WatchedObject<'a, F, W>;
    type Array = WatchedArray<'a, F, W>;
    type Number = <F::Node<'a> as Node<'a, F>>::Number;

    #[inline(always)]
    fn as_object(&self) -> Option<Self::Object> {
        let object = self.0.as_object()?;
        W::enter();
        Some(WatchedObject(object, PhantomData))
    }

    #[inline(always)]
    fn as_array(&self) -> Option<Self::Array> {
        let array = self.0.as_array()?;
        W::enter();
        Some(WatchedArray(array, PhantomData))
    }

    #[inline(always)]
    fn as_string(&self) -> Option<Cow<'a, str>> {
        W::step();
        self.0.as_string()
    }

    #[inline(always)]
    fn as_number(&self) -> Option<Self::Number> {
        self.0.as_number()
    }

    #[inline(always)]
    fn as_boolean(&self) -> Option<bool> {
        self.0.as_boolean()
    }

    #[inline(always)]
    fn is_null(&self) -> bool {
        self.0.is_null()
    }

    #[inline(always)]
    fn is_number(&self) -> bool {
        self.0.is_number()
    }

    #[inline(always)]
    fn is_string(&self) -> bool {
        self.0.is_string()
    }

    #[inline(always)]
    fn json_type(&self) -> JsonType {
        self.0.json_type()
    }

    #[inline(always)]
    fn string_length(&self) -> Option<u64> {
        self.0.string_length()
    }

    #[inline(always)]
    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        self.0.string_length_within(min, max)
    }

    #[inline(always)]
    fn equals_value(&self, expected: &Value) -> bool {
        self.0.equals_value(expected)
    }

    fn to_value(&self) -> Cow<'a, Value> {
        self.0.to_value()
    }

    fn lazy_value(&self) -> LazyInstance<'a> {
        about_to_fail();
        self.0.lazy_value()
    }

    #[inline(always)]
    fn identity(&self) -> Option<NodeIdentity> {
        self.0.identity()
    }

    #[inline(always)]
    fn container_identity(&self) -> Option<NodeIdentity> {
        self.0.container_identity()
    }
}

impl<'a, F: Json, W: Watch> Object<'a, Watched<F, W>> for WatchedObject<'a, F, W> {
    type Node = WatchedNode<'a, F, W>;
    type MemberName = <<F::Node<'a> as Node<'a, F>>::Object as Object<'a, F>>::MemberName;
    type MembersIter = Members<'a, F, W>;

    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn get(&self, key: &F::PreparedKey) -> Option<WatchedNode<'a, F, W>> {
        self.0.get(key).map(WatchedNode::new)
    }

    #[inline(always)]
    fn members(&self) -> Members<'a, F, W> {
        Members(self.0.members(), PhantomData)
    }

    #[inline(always)]
    fn try_for_each_name_node<B>(
        &self,
        buffer: &mut F::StringBuffer,
        mut f: impl FnMut(WatchedNode<'_, F, W>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.0.try_for_each_name_node(buffer, |name| {
            W::step();
            f(WatchedNode::new(name))
        })
    }
}

impl<'a, F: Json, W: Watch> Array<'a, Watched<F, W>> for WatchedArray<'a, F, W> {
    type Node = WatchedNode<'a, F, W>;
    type ElementsIter = Elements<'a, F, W>;

    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn elements(&self) -> Elements<'a, F, W> {
        Elements(self.0.elements(), PhantomData)
    }

    #[inline(always)]
    fn is_unique(&self) -> bool {
        self.0.is_unique()
    }
}

impl<'a, F: Json, W: Watch> Iterator for Members<'a, F, W> {
    type Item = (<<F::Node<'a> as Node<'a, F>>::Object as Object<'a, F>>::MemberName, WatchedNode<'a, F, W>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        W::step();
        let (name, value) = self.0.next()?;
        met_name(name.as_ref());
        Some((name, WatchedNode::new(value)))
    }
}

impl<'a, F: Json, W: Watch> Iterator for Elements<'a, F, W> {
    type Item = WatchedNode<'a, F, W>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        W::step();
        self.0.next().map(WatchedNode::new)
    }
}
