//! The table of nodes and the cursor over it.

use std::borrow::Cow;

use super::fault::{self, SyntaxError};
use super::scan::{self, Empties};
use super::text;
use crate::fhir::ResourceType;

/// What kind of JSON value a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number, kept as written.
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

/// One row of the table: 24 bytes. Rows stand in document order, so a node's first child is the row after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) key_start: u32,
    pub(super) key_len: u32,
    pub(super) start: u32,
    pub(super) len: u32,
    /// The row after this node's last descendant.
    pub(super) next: u32,
    pub(super) kind: JsonKind,
    pub(super) key_escaped: bool,
    pub(super) escaped: bool,
}

/// A JSON text and the table of its nodes.
#[derive(Debug)]
pub struct Tree<'s> {
    pub(super) source: &'s str,
    pub(super) rows: Vec<Row>,
    /// Whether blanks stand between tokens.
    pub(super) is_spaced: bool,
}

impl<'s> Tree<'s> {
    /// Reads `source` whole.
    ///
    /// # Errors
    /// The first fault found, with its byte offset and the FHIRPath of the element around it.
    pub fn parse(source: &'s [u8]) -> Result<Self, SyntaxError> {
        scan::scan(source, Empties::Refused)
    }

    /// Reads `source` whole, as JSON that need not be FHIR's: arrays and objects may be empty.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_plain(source: &'s [u8]) -> Result<Self, SyntaxError> {
        scan::scan(source, Empties::Read)
    }

    /// The value the text is.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }

    /// The text that was read.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// Every node, in document order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.rows.len() as u32).map(|index| Node { tree: self, index })
    }

    /// The node numbered `index`, as [`Node::index`] counts.
    pub fn node(&self, index: u32) -> Option<Node<'_>> {
        ((index as usize) < self.rows.len()).then_some(Node { tree: self, index })
    }

    /// How many nodes there are: every object, array and primitive.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no node; never true of a tree that was read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One value in a tree: a cheap, copyable cursor.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree<'t>,
    index: u32,
}

impl<'t> Node<'t> {
    fn row(self) -> Row {
        // A node is only made from an index of its own tree.
        self.tree.rows.get(self.index as usize).copied().unwrap_or(Row::NOTHING)
    }

    /// The node's place in document order; unique within its tree.
    pub fn index(self) -> u32 {
        self.index
    }

    /// What kind of value this is.
    pub fn kind(self) -> JsonKind {
        self.row().kind
    }

    /// The member name this value stands under; `None` in an array and at the root.
    pub fn key(self) -> Option<Cow<'t, str>> {
        let row = self.row();
        if row.key_len == 0 {
            return None;
        }
        let raw = self.slice(row.key_start + 1, row.key_len - 2);
        Some(text::resolved(raw, row.key_escaped))
    }

    /// The whole text this node is part of.
    pub(super) fn source(self) -> &'t str {
        self.tree.source
    }

    /// Whether blanks stand between tokens anywhere in the text of this node's tree.
    pub(super) fn is_spaced(self) -> bool {
        self.tree.is_spaced
    }

    /// The node after this one and all inside it, in document order.
    pub(super) fn following(self) -> Option<Node<'t>> {
        self.tree.node(self.row().next)
    }

    /// The node after this one in document order: its first child, if it has any.
    pub(super) fn successor(self) -> Option<Node<'t>> {
        self.tree.node(self.index + 1)
    }

    /// The member name exactly as written, with its quotes; empty in an array and at the root.
    pub fn raw_key(self) -> &'t str {
        let row = self.row();
        self.slice(row.key_start, row.key_len)
    }

    /// The value exactly as written, strings with their quotes.
    pub fn raw(self) -> &'t str {
        let row = self.row();
        self.slice(row.start, row.len)
    }

    /// Where the value stands in the source, in bytes.
    pub fn span(self) -> std::ops::Range<usize> {
        let row = self.row();
        row.start as usize..(row.start + row.len) as usize
    }

    /// The text of a string, its escapes resolved.
    pub fn string(self) -> Option<Cow<'t, str>> {
        let row = self.row();
        if row.kind != JsonKind::String {
            return None;
        }
        let raw = self.slice(row.start + 1, row.len - 2);
        Some(text::resolved(raw, row.escaped))
    }

    /// The digits of a number, as written.
    pub fn number(self) -> Option<&'t str> {
        (self.kind() == JsonKind::Number).then(|| self.raw())
    }

    /// The value of `true` or `false`.
    pub fn boolean(self) -> Option<bool> {
        (self.kind() == JsonKind::Boolean).then(|| self.raw() == "true")
    }

    /// The members of an object or the items of an array, in order; nothing for a primitive.
    pub fn children(self) -> Children<'t> {
        Children { tree: self.tree, next: self.index + 1, end: self.row().next }
    }

    /// The member called `name`.
    pub fn member(self, name: &str) -> Option<Node<'t>> {
        if self.kind() != JsonKind::Object {
            return None;
        }
        self.children().find(|child| child.is_named(name))
    }

    /// Whether this value stands under `name`.
    pub fn is_named(self, name: &str) -> bool {
        let row = self.row();
        if row.key_escaped {
            return self.key().is_some_and(|key| key == name);
        }
        row.key_len as usize == name.len() + 2 && self.slice(row.key_start + 1, row.key_len - 2) == name
    }

    /// The items of an array, or the value itself: FHIR's "one or many" read alike.
    pub fn items(self) -> Children<'t> {
        if self.kind() == JsonKind::Array {
            return self.children();
        }
        Children { tree: self.tree, next: self.index, end: self.row().next }
    }

    /// The place of this node in FHIRPath, as an OperationOutcome names it: `Patient.name[0].family`. The root is named by its
    /// resource type, `$this` where it has none that R4 knows.
    pub fn expression(self) -> String {
        let root = self.tree.root();
        let kind = root.member("resourceType").and_then(Node::string).and_then(|name| name.parse().ok());
        let mut path = String::from(kind.map_or("$this", ResourceType::name));
        let mut at = root;
        while at.index != self.index {
            let within = at.children().enumerate().take_while(|(_, child)| child.index <= self.index).last();
            let Some((position, child)) = within else { break };
            match child.key() {
                Some(key) => fault::push_name(&mut path, &key),
                None => fault::push_position(&mut path, position),
            }
            at = child;
        }
        path
    }

    fn slice(self, start: u32, len: u32) -> &'t str {
        self.tree.source.get(start as usize..(start + len) as usize).unwrap_or_default()
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({} {:?})", self.index, self.kind())
    }
}

impl PartialEq for Node<'_> {
    /// The same node of the same tree, not an equal value.
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.tree.source, other.tree.source)
    }
}

/// An iterator over members or items.
#[derive(Clone, Debug)]
pub struct Children<'t> {
    tree: &'t Tree<'t>,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { tree: self.tree, index: self.next };
        self.next = node.row().next;
        Some(node)
    }
}

impl Row {
    /// The row of a node that does not exist.
    pub(super) const NOTHING: Self = Self {
        key_start: 0,
        key_len: 0,
        start: 0,
        len: 0,
        next: u32::MAX,
        kind: JsonKind::Null,
        key_escaped: false,
        escaped: false,
    };

    /// Whether this is an object or array of which the scanner has seen no more than the first character.
    pub(super) fn is_open(&self) -> bool {
        self.len == 1 && matches!(self.kind, JsonKind::Object | JsonKind::Array)
    }
}
