//! From entries to writes: every check is made and every byte is ready before anything is written.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::all;
use super::assignment::Assignment;
use super::conditional::{self, References};
use super::drafted::Drafted;
use super::entry::Entry;
use super::links::Identities;
use super::reply::Reply;
use super::rewrite::{Search, Site, Sites, replacement};
use super::sought::{Asked, Sought, duplicate};
use crate::fhir::json::{Node, Tree};
use crate::fhir::{Part, ResourceType};
use crate::interaction::call::Call;
use crate::interaction::patch::{self, Patch};
use crate::interaction::write::{Receipt, Target, repeated};
use crate::interaction::{Interaction, Response, Return, Status, body, condition, delete, labels, precondition};
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::Stored;
use crate::store::change::{Method, Premise, Write};

/// After so many entries other requests of the same thread get their turn.
const ENTRIES_PER_TURN: usize = 8;

/// A transaction that is ready to be written.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) writes: Vec<Write>,
    /// What updates left as it is, and what creates found to be there already.
    pub(super) standing: Vec<(Stored, Interaction)>,
    /// What all of it takes for granted.
    pub(super) premises: Vec<Premise>,
    /// One an entry; empty for those that read.
    pub(super) replies: Vec<Reply>,
}

/// What a transaction stands on: its entries and what is there now.
pub(super) struct Ground<'e> {
    pub(super) call: &'e Call<'e>,
    pub(super) entries: &'e [Entry<'e>],
    identities: &'e Identities<'e>,
    asked: &'e Asked,
    pub(super) sought: Sought,
    /// By position: what is to be patched.
    patched: HashMap<usize, Bytes>,
    /// By position: creates that an earlier create makes needless, since it makes what fulfils their criteria.
    folded: HashMap<usize, usize>,
    references: References,
}

/// An entry that stores a resource, and its JSON with what an update keeps of the version it replaces.
pub(super) struct Draft<'e> {
    entry: &'e Entry<'e>,
    kind: ResourceType,
    json: Cow<'e, [u8]>,
}

/// A draft that is read, and the places where it names others.
pub(super) struct Page<'d> {
    draft: &'d Draft<'d>,
    tree: Tree<'d>,
    sites: Sites,
}

impl Page<'_> {
    /// The position of its entry.
    pub(super) fn at(&self) -> usize {
        self.draft.entry.at
    }

    /// The type of its resource.
    pub(super) fn kind(&self) -> ResourceType {
        self.draft.kind
    }

    /// Its resource.
    pub(super) fn tree(&self) -> &Tree<'_> {
        &self.tree
    }

    /// The places where it names others.
    pub(super) fn places(&self) -> impl Iterator<Item = (Node<'_>, &Site)> {
        let mut places: Vec<(u32, &Site)> = self.sites.iter().map(|(index, site)| (*index, site)).collect();
        places.sort_unstable_by_key(|(index, _)| *index);
        places.into_iter().filter_map(|(index, site)| Some((self.tree.node(index)?, site)))
    }

    /// `failure`, said of its place in the Bundle.
    pub(super) fn located(&self, failure: Failure) -> Failure {
        self.draft.entry.located(failure)
    }
}

/// By position: what the entries' instances are called, and the dossiers of the Binaries that others bear.
type Assigned = (Vec<Option<Assignment>>, HashMap<usize, Part>);

/// Prepares the writes of `entries` against the versions that are there now.
///
/// # Errors
/// Whatever an entry would be refused for, said of its place.
pub(super) async fn prepare(
    call: &Call<'_>,
    entries: &[Entry<'_>],
    (identities, asked): (&Identities<'_>, &Asked),
) -> Outcome<Prepared> {
    let (sought, premises) = Sought::of(call, entries, asked).await?;
    let (patched, folded, references) = Default::default();
    let mut ground = Ground { call, entries, identities, asked, sought, patched, folded, references };
    all(entries.iter().map(|entry| ground.check(entry)))?;
    ground.read_patched().await?;
    let drafts = ground.drafts().await?;
    let mut pages = ground.pages(&drafts).await?;
    ground.folded = ground.fold(&pages)?;
    pages.retain(|page| !ground.folded.contains_key(&page.at()));
    ground.references = conditional::references(&ground, &pages).await?;
    let assigned = ground.assign(&pages).await?;
    let mut prepared = Prepared { premises, ..ground.fill_all(&pages, &assigned).await? };
    for entry in entries.iter().filter(|entry| entry.request.interaction == Interaction::Create) {
        ground.find(entry, &mut prepared)?;
    }
    for entry in entries.iter().filter(|entry| entry.deletes()) {
        ground.empty(entry, &mut prepared);
    }
    Ok(prepared)
}

/// Lets other requests of this thread go on now and then.
async fn take_turns(turn: usize) {
    if turn % ENTRIES_PER_TURN == ENTRIES_PER_TURN - 1 {
        tokio::task::yield_now().await;
    }
}

impl<'e> Ground<'e> {
    fn latest(&self, entry: &Entry<'_>) -> Option<&Stored> {
        self.sought.latest(entry.at)
    }

    /// Whether a create finds what it would make.
    fn is_met(&self, entry: &Entry<'_>) -> bool {
        entry.request.interaction == Interaction::Create && self.latest(entry).is_some()
    }

    fn check(&self, entry: &Entry<'_>) -> Outcome<()> {
        if entry.reads() || self.is_met(entry) {
            return Ok(());
        }
        let there = self.sought.there(entry.at);
        precondition::check_each(&entry.request.preconditions, there).map_err(|failure| entry.located(failure))
    }

    /// Creates come one after the other, updates after them (B-04): what a create makes is there for the criteria of the next.
    fn fold(&self, pages: &[Page<'_>]) -> Outcome<HashMap<usize, usize>> {
        let mut folded = HashMap::new();
        let unmet = |entry: &&Entry<'_>| self.latest(entry).is_none();
        let seeking: Vec<_> =
            self.entries.iter().filter(unmet).filter_map(|entry| Some((entry, self.asked.get(&entry.at)?))).collect();
        let kinds: HashSet<ResourceType> = seeking.iter().map(|(_, criteria)| criteria.kind()).collect();
        if kinds.is_empty() {
            return Ok(folded);
        }
        let drafted = Drafted::of(&self.call.engine.indexer(), pages, &kinds)?;
        for (entry, criteria) in seeking {
            let mut others = drafted.meant(criteria);
            others.retain(|at| *at != entry.at && self.sought.latest(*at).is_none() && !folded.contains_key(at));
            match entry.request.interaction {
                Interaction::Create => others.retain(|at| *at < entry.at),
                _ if others.is_empty() => {}
                _ => return Err(entry.located(duplicate("another entry makes what fulfils these criteria"))),
            }
            match others.as_slice() {
                [] => {}
                [other] => drop(folded.insert(entry.at, *other)),
                [_, _, ..] => return Err(entry.located(condition::several(1).at(condition::IF_NONE_EXIST))),
            }
        }
        Ok(folded)
    }

    /// Reads what is to be patched.
    async fn read_patched(&mut self) -> Outcome<()> {
        for entry in self.entries.iter().filter(|entry| entry.request.interaction == Interaction::Patch) {
            let stored = self.latest(entry).ok_or_else(|| Failure::new(Kind::Absent, "there is no such instance"));
            let whole = match stored {
                Ok(stored) => patch::whole(self.call.engine, stored).await,
                Err(failure) => Err(failure),
            };
            self.patched.insert(entry.at, whole.map_err(|failure| entry.located(failure.at("request.url")))?);
        }
        Ok(())
    }

    async fn drafts(&self) -> Outcome<Vec<Draft<'e>>> {
        let mut drafts = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            if entry.stores() && !self.is_met(entry) {
                take_turns(drafts.len()).await;
                drafts.push(self.draft(entry));
            }
        }
        all(drafts.into_iter())
    }

    async fn pages<'d>(&self, drafts: &'d [Draft<'d>]) -> Outcome<Vec<Page<'d>>> {
        let mut pages = Vec::with_capacity(drafts.len());
        for draft in drafts {
            take_turns(pages.len()).await;
            pages.push(self.page(draft));
        }
        all(pages.into_iter())
    }

    async fn fill_all(&self, pages: &[Page<'_>], assigned: &Assigned) -> Outcome<Prepared> {
        let mut filled = Vec::with_capacity(pages.len());
        for page in pages {
            take_turns(filled.len()).await;
            filled.push(self.fill(page, assigned));
        }
        let mut prepared = Prepared {
            writes: Vec::with_capacity(pages.len()),
            standing: Vec::new(),
            premises: Vec::new(),
            replies: vec![Reply::default(); self.entries.len()],
        };
        for (entry, status, write) in all(filled.into_iter())? {
            let prefer = (self.call.request.prefer.returns, Return::Minimal);
            let receipt = match repeated(&write, self.latest(entry))? {
                Some(stored) => {
                    prepared.standing.push((stored.clone(), entry.request.interaction));
                    Receipt::standing(stored, prefer)?
                }
                None => {
                    let receipt = Receipt::of(&write, status, prefer)?;
                    prepared.writes.push(write);
                    receipt
                }
            };
            prepared.reply(entry.at, receipt.response(), self.call.engine.base_url());
        }
        Ok(prepared)
    }

    fn draft(&self, entry: &'e Entry<'e>) -> Outcome<Draft<'e>> {
        let patch = |before: &Bytes| {
            let (kind, id) =
                entry.request.kind.zip(self.sought.id(entry.at)).ok_or_else(|| Failure::fault("a patch of nothing"))?;
            let json = Patch::read(entry.request.body.as_ref())?.applied(self.call.engine, (kind, id), before)?;
            Ok(Draft { entry, kind, json: Cow::Owned(json) })
        };
        if let Some(before) = self.patched.get(&entry.at) {
            return patch(before).map_err(|failure: Failure| entry.located(failure));
        }
        let read = || {
            let kind = entry.request.kind()?;
            let json = body::json_of(&entry.request, kind)?;
            let tree = body::parse(&json)?;
            body::check_type(&tree, kind)?;
            if let Some(id) = &entry.request.id {
                body::check_id(&tree, kind, id)?;
            }
            body::check_form(self.call.engine, &tree, kind)?;
            let merged = labels::merged(&tree, self.latest(entry))?;
            drop(tree);
            Ok(Draft { entry, kind, json: merged.map_or(json, Cow::Owned) })
        };
        read().map_err(|failure: Failure| entry.located(failure))
    }

    fn page<'d>(&self, draft: &'d Draft<'d>) -> Outcome<Page<'d>> {
        let tree = body::parse(&draft.json)?;
        let engine = self.call.engine;
        let within = draft.entry.at;
        let search = Search { registry: engine.registry, identities: self.identities, within, base_url: engine.base_url() };
        let sites = search.sites(tree.root(), draft.kind);
        Ok(Page { draft, tree, sites })
    }

    /// The Binaries that entries bear – a document its content, a patient a photo – each with the first dossier such an entry
    /// belongs to, by the position of the Binary.
    fn borne(&self, pages: &[Page<'_>], assigned: &[Option<Assignment>]) -> Outcome<HashMap<usize, Part>> {
        let is_binary = |at: usize| self.entries.get(at).is_some_and(|entry| entry.request.kind == Some(ResourceType::Binary));
        let mut borne = HashMap::new();
        for page in pages {
            let links = page.sites.values().filter_map(|site| match site {
                Site::Url(link) => Some(link.entry).filter(|at| is_binary(*at) && !borne.contains_key(at)),
                Site::Narrative | Site::Sought(_) => None,
            });
            let links: Vec<usize> = links.collect();
            if !links.is_empty() {
                let part = self.part(page, assigned)?;
                borne.extend(links.into_iter().filter(|_| part != Part::DIRECTORY).map(|at| (at, part)));
            }
        }
        Ok(borne)
    }

    /// The dossier a page belongs to by what it says itself.
    fn part(&self, page: &Page<'_>, assigned: &[Option<Assignment>]) -> Outcome<Part> {
        let (entry, kind, engine) = (page.draft.entry, page.draft.kind, self.call.engine);
        let key = assigned.get(entry.at).and_then(Option::as_ref).and_then(|assignment| assignment.key);
        match (key, self.sought.id(entry.at)) {
            (Some(key), _) => Ok(key.part),
            (None, Some(id)) => {
                self.with_links(page, assigned, |tree| Target::part(engine, (kind, id), tree, self.latest(entry)))
            }
            (None, None) => self.with_links(page, assigned, |tree| engine.indexer().part(kind, tree)),
        }
    }

    /// The dossier a page belongs to: a Binary that does not say it belongs to whatever bears it.
    fn home(&self, page: &Page<'_>, assigned: &[Option<Assignment>], borne: &HashMap<usize, Part>) -> Outcome<Part> {
        let own = self.part(page, assigned)?;
        let bearer = borne.get(&page.draft.entry.at).copied().filter(|_| own == Part::DIRECTORY);
        Ok(bearer.unwrap_or(own))
    }

    /// Names every instance. Patients come first, because what is about a patient rests in the patient's dossier, and an id
    /// says where its instance rests.
    async fn assign(&self, pages: &[Page<'_>]) -> Outcome<Assigned> {
        let context = &self.call.engine.context;
        let mut assigned: Vec<Option<Assignment>> = vec![None; self.entries.len()];
        let mut set = |at: usize, assignment| {
            if let Some(place) = assigned.get_mut(at) {
                *place = Some(assignment);
            }
        };
        for page in pages {
            let (entry, kind) = (page.draft.entry, page.draft.kind);
            match (self.sought.id(entry.at), kind) {
                (Some(id), _) => {
                    set(
                        entry.at,
                        Assignment { kind, id: id.clone(), version: Target::next_version(self.latest(entry)), key: None },
                    );
                }
                (None, ResourceType::Patient) => set(entry.at, Assignment::new(kind, context.new_key(context.new_part()))),
                (None, _) => {}
            }
        }
        for entry in self.entries.iter().filter(|entry| self.is_met(entry)) {
            if let Some(stored) = self.latest(entry) {
                set(entry.at, Assignment::there(stored));
            }
        }
        let borne = self.borne(pages, &assigned)?;
        let mut others = Vec::new();
        for page in pages {
            let (entry, kind) = (page.draft.entry, page.draft.kind);
            if self.sought.id(entry.at).is_none() && kind != ResourceType::Patient {
                take_turns(others.len()).await;
                others.push((entry.at, Assignment::new(kind, context.new_key(self.home(page, &assigned, &borne)?))));
            }
        }
        for (at, assignment) in others {
            if let Some(place) = assigned.get_mut(at) {
                *place = Some(assignment);
            }
        }
        for (folded, other) in &self.folded {
            let assignment = assigned.get(*other).cloned().flatten();
            if let Some(place) = assigned.get_mut(*folded) {
                *place = assignment;
            }
        }
        Ok((assigned, borne))
    }

    /// What `look` sees in a page whose links to what is `assigned` already are written out.
    fn with_links<T>(&self, page: &Page<'_>, assigned: &[Option<Assignment>], look: impl Fn(&Tree<'_>) -> T) -> Outcome<T> {
        if page.sites.is_empty() {
            return Ok(look(&page.tree));
        }
        let mut json = Vec::with_capacity(page.draft.json.len());
        crate::fhir::json::rewritten(page.tree.root(), &|node| self.replaced(page, assigned, node), &mut json);
        Ok(look(&body::parse(&json)?))
    }

    fn replaced(&self, page: &Page<'_>, assigned: &[Option<Assignment>], node: Node<'_>) -> Option<String> {
        replacement(node, &page.sites, (assigned, &self.references), (self.identities, page.draft.entry.at))
    }

    fn fill<'d>(&self, page: &Page<'d>, (assigned, borne): &Assigned) -> Outcome<(&'d Entry<'d>, Status, Write)> {
        let (entry, engine) = (page.draft.entry, self.call.engine);
        let assignment = assigned.get(entry.at).and_then(Option::as_ref);
        let assignment = assignment.ok_or_else(|| Failure::fault("an entry of a transaction has no identity"))?;
        let name = (assignment.kind, assignment.id.clone());
        let target = match assignment.key {
            Some(key) => Target { kind: name.0, id: name.1, key, latest: None },
            None => {
                let part = self.home(page, assigned, borne)?;
                Target::named(engine, name, part, self.latest(entry))
            }
        };
        let status = target.status();
        let method = match entry.request.interaction {
            Interaction::Patch => Method::Patch,
            Interaction::Create => Method::Post,
            _ => Method::Put,
        };
        let write = if page.sites.is_empty() {
            target.filled(engine, &page.tree, method, None)
        } else {
            target.rewritten(engine, &page.tree, method, &|node| self.replaced(page, assigned, node))
        };
        Ok((entry, status, write.map_err(|failure| entry.located(failure))?))
    }

    /// A create that makes nothing, because what it would make is there, or is made by another.
    fn find(&self, entry: &Entry<'_>, prepared: &mut Prepared) -> Outcome<()> {
        if let Some(other) = self.folded.get(&entry.at) {
            let reply = prepared.replies.get(*other).map(Reply::again);
            if let (Some(reply), Some(place)) = (reply, prepared.replies.get_mut(entry.at)) {
                *place = reply;
            }
        } else if let Some(stored) = self.latest(entry) {
            let receipt = Receipt::there(stored, (self.call.request.prefer.returns, Return::Minimal))?;
            prepared.standing.push((stored.clone(), Interaction::Create));
            prepared.reply(entry.at, receipt.response(), self.call.engine.base_url());
        }
        Ok(())
    }

    fn empty(&self, entry: &Entry<'_>, prepared: &mut Prepared) {
        let engine = self.call.engine;
        let answer = delete::answer(entry.request.prefer);
        let there = self.sought.there(entry.at);
        let writes: Vec<Write> =
            there.iter().filter(|stored| stored.body.is_some()).map(|stored| Target::of(stored).emptied(engine)).collect();
        let response = match (writes.as_slice(), there) {
            ([write], _) => answer.about(write.version, write.updated),
            ([], [stored]) => answer.about(stored.version, stored.updated),
            _ => answer,
        };
        prepared.writes.extend(writes);
        prepared.reply(entry.at, response, engine.base_url());
    }
}

impl Prepared {
    fn reply(&mut self, at: usize, response: Response, base_url: &str) {
        if let Some(place) = self.replies.get_mut(at) {
            *place = Reply::done(response, base_url);
        }
    }
}
