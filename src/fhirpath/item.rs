//! What expressions work on: elements of a resource, and values.

use smallvec::SmallVec;

use super::model::{Model, TypeId};
use super::value::Value;
use crate::fhir::json::{JsonKind, Node};

/// The result of an expression; one or two items need no allocation.
pub type Collection<'t> = SmallVec<[Item<'t>; 2]>;

/// One item of a collection.
#[derive(Clone, Debug)]
pub enum Item<'t> {
    /// An element of a resource, or a resource.
    Element(Element<'t>),
    /// A value of a System type.
    Value(Value<'t>),
}

/// An element of a resource: its value, and for a primitive the sibling object that holds its id and extensions.
#[derive(Clone, Copy, Debug)]
pub struct Element<'t> {
    value: Option<Node<'t>>,
    sibling: Option<Node<'t>>,
    type_id: Option<TypeId>,
}

impl<'t> Element<'t> {
    /// An element from its value and, for a primitive, the value of the member `_name`.
    pub fn new(value: Option<Node<'t>>, sibling: Option<Node<'t>>, type_id: Option<TypeId>) -> Self {
        Self { value, sibling, type_id }
    }

    /// A whole resource, its type read from `resourceType`.
    pub fn resource(model: &dyn Model, node: Node<'t>) -> Self {
        let kind = node.member("resourceType").and_then(Node::string);
        Self::new(Some(node), None, kind.and_then(|kind| model.type_named(&kind)))
    }

    /// The value: an object, or for a primitive a text, number or boolean; `None` if only the sibling is there.
    pub fn value(&self) -> Option<Node<'t>> {
        self.value
    }

    /// The object with the id and extensions of a primitive.
    pub fn sibling(&self) -> Option<Node<'t>> {
        self.sibling
    }

    /// The type, where the model knows it.
    pub fn type_id(&self) -> Option<TypeId> {
        self.type_id
    }

    /// Any node of the element, the value if there is one.
    pub fn node(&self) -> Option<Node<'t>> {
        self.value.or(self.sibling)
    }

    /// The object in which its members stand.
    pub(super) fn object(&self) -> Option<Node<'t>> {
        self.value.filter(|node| node.kind() == JsonKind::Object).or(self.sibling)
    }

    /// The value, if it is a primitive one.
    pub fn primitive(&self) -> Option<Node<'t>> {
        self.value.filter(|node| !matches!(node.kind(), JsonKind::Object | JsonKind::Array | JsonKind::Null))
    }
}

impl<'t> Item<'t> {
    /// A whole resource, its type read from `resourceType`.
    pub fn resource(model: &dyn Model, node: Node<'t>) -> Self {
        Self::Element(Element::resource(model, node))
    }

    /// The element, if it is one.
    pub fn element(&self) -> Option<&Element<'t>> {
        match self {
            Self::Element(element) => Some(element),
            Self::Value(_) => None,
        }
    }
}

impl<'t> From<Value<'t>> for Item<'t> {
    fn from(value: Value<'t>) -> Self {
        Self::Value(value)
    }
}

impl From<bool> for Item<'_> {
    fn from(value: bool) -> Self {
        Self::Value(Value::Boolean(value))
    }
}
