//! A resource while the operations of a patch are applied to it, one after the other, each to what the one before made.

use crate::fhir::json::{JsonKind, Node, Tree};
use crate::interaction::text;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};

/// How much text all operations of one patch may write together, in bytes: each writes the resource anew.
const MAX_WRITTEN_BYTES: usize = 256 * 1024 * 1024;

/// What an operation makes of the resource: another text, or `None` where it changes nothing; or why it cannot be done.
pub(super) type Edited = Result<Option<String>, &'static str>;

/// Where an operation stands in its patch and what it is called, for those who are told that it cannot be done.
#[derive(Clone, Debug)]
pub(super) struct Step<'p> {
    /// From 0.
    pub(super) position: usize,
    /// `add`, `replace`, …
    pub(super) name: &'p str,
    /// Where it stands.
    pub(super) place: String,
}

impl Step<'_> {
    /// That the operation cannot be done (R4 http.html §patch; RFC 5789 §2.2: 422).
    pub(super) fn refused(&self, reason: &str) -> Failure {
        self.told(Kind::Invalid, IssueCode::Processing, reason)
    }

    /// That the operation is none.
    pub(super) fn malformed(&self, reason: &str) -> Failure {
        self.told(Kind::Malformed, IssueCode::Structure, reason)
    }

    fn told(&self, kind: Kind, code: IssueCode, reason: &str) -> Failure {
        let diagnostics = format!("operation {} ({}): {reason}", self.position + 1, self.name);
        Failure::with_issues(kind, vec![Issue::error(code, diagnostics).at(self.place.clone())])
    }
}

/// The resource as it is so far.
#[derive(Debug)]
pub(super) struct Draft {
    json: String,
    fixed: Fixed,
    most_bytes: usize,
    written_bytes: usize,
}

impl Draft {
    /// The resource `json`, which may grow to `most_bytes`.
    ///
    /// # Errors
    /// A resource that is none: a bug.
    pub(super) fn new(json: &[u8], most_bytes: usize) -> Outcome<Self> {
        let tree = Tree::parse(json).map_err(Failure::fault)?;
        Ok(Self { fixed: Fixed::of(&tree), json: tree.source().to_owned(), most_bytes, written_bytes: 0 })
    }

    /// Does what `edit` does, which is `step`.
    ///
    /// # Errors
    /// 422 where it cannot be done, 413 where the resource grows too long.
    pub(super) fn apply(&mut self, step: &Step<'_>, edit: impl FnOnce(&Tree<'_>) -> Edited) -> Outcome<()> {
        let tree = Tree::parse_plain(self.json.as_bytes()).map_err(Failure::fault)?;
        let Some(json) = edit(&tree).map_err(|reason| step.refused(reason))? else { return Ok(()) };
        if json.len() > self.most_bytes {
            return Err(Failure::new(Kind::TooLarge, "the resource grows longer than a body may be").at(step.place.clone()));
        }
        self.written_bytes += json.len();
        if self.written_bytes > MAX_WRITTEN_BYTES {
            return Err(Failure::new(Kind::TooCostly, "the operations have too much to do together").at(step.place.clone()));
        }
        let made = Tree::parse_plain(json.as_bytes()).map_err(|error| step.refused(&error.reason.to_string()))?;
        self.fixed.check(&made).map_err(|reason| step.refused(reason))?;
        drop(made);
        self.json = json;
        Ok(())
    }

    /// Takes what all operations made of it elsewhere.
    ///
    /// # Errors
    /// 422 where they changed what is not a patch's to change.
    pub(super) fn take(&mut self, json: &str) -> Outcome<()> {
        let made = Tree::parse_plain(json.as_bytes()).map_err(Failure::fault)?;
        self.fixed.check(&made).map_err(|reason| Failure::new(Kind::Invalid, reason).at("$this"))?;
        drop(made);
        self.json = json.to_owned();
        Ok(())
    }

    /// Leaves out what holds nothing.
    ///
    /// # Errors
    /// A resource that is none: a bug.
    pub(super) fn prune(&mut self) -> Outcome<()> {
        let tree = Tree::parse_plain(self.json.as_bytes()).map_err(Failure::fault)?;
        if let Some(json) = text::without_empties(&tree) {
            self.json = json;
        }
        Ok(())
    }

    /// The resource, all operations done.
    pub(super) fn into_json(self) -> String {
        self.json
    }
}

/// What no patch may change: what the resource is and what the server says of it (P-07).
#[derive(Debug)]
struct Fixed([Option<String>; 4]);

const FIXED: [&[&str]; 4] = [&["resourceType"], &["id"], &["meta", "versionId"], &["meta", "lastUpdated"]];

/// Whether the element at `path` is one that no patch may change.
pub(super) fn is_fixed(path: &[&str]) -> bool {
    FIXED.iter().any(|fixed| fixed.iter().copied().eq(path.iter().map(|name| name.strip_prefix('_').unwrap_or(name))))
}

/// Why what [`is_fixed`] names is not changed.
pub(super) const UNTOUCHABLE: &str = "resourceType, id, meta.versionId and meta.lastUpdated are not a patch's to change";

impl Fixed {
    fn of(tree: &Tree<'_>) -> Self {
        let value = |path: &[&str]| path.iter().try_fold(tree.root(), |at, name| at.member(name));
        Self(FIXED.map(|path| value(path).map(|node| node.raw().to_owned())))
    }

    /// Holds `tree` against it. A `meta` that is replaced need not repeat what the server says in it.
    fn check(&self, tree: &Tree<'_>) -> Result<(), &'static str> {
        if tree.root().kind() != JsonKind::Object {
            return Err("what it makes is no resource");
        }
        let now = Self::of(tree);
        let is_kept = |((before, after), path): ((&Option<String>, &Option<String>), &&[&str])| {
            before == after || (after.is_none() && path.len() > 1)
        };
        if self.0.iter().zip(&now.0).zip(&FIXED).all(is_kept) { Ok(()) } else { Err(UNTOUCHABLE) }
    }
}

/// The nodes on the way from the root of `tree` to `node`, both ends included.
pub(super) fn way<'t>(tree: &'t Tree<'_>, node: Node<'t>) -> Vec<Node<'t>> {
    let mut way = vec![tree.root()];
    let mut at = tree.root();
    while at != node {
        let Some(child) = at.children().take_while(|child| child.index() <= node.index()).last() else { break };
        way.push(child);
        at = child;
    }
    way
}
