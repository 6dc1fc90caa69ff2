//! From entries to writes: every check is made and every byte is ready before anything is written.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;

use super::all;
use super::assignment::Assignment;
use super::entry::Entry;
use super::links::Identities;
use super::reply::Reply;
use super::rewrite::{Search, Site, Sites, replacement};
use crate::fhir::json::{Node, Tree};
use crate::fhir::{Part, ResourceType};
use crate::interaction::call::Call;
use crate::interaction::patch::{self, Patch};
use crate::interaction::write::{Receipt, Target, repeated};
use crate::interaction::{Interaction, Response, Return, Status, body, delete, labels, precondition};
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::Stored;
use crate::store::change::{Method, Write};

/// After so many entries other requests of the same thread get their turn.
const ENTRIES_PER_TURN: usize = 8;

/// A transaction that is ready to be written.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) writes: Vec<Write>,
    /// What updates left as it is.
    pub(super) standing: Vec<Stored>,
    /// One an entry; empty for those that read.
    pub(super) replies: Vec<Reply>,
}

/// What a transaction stands on: its entries and what is there now.
struct Ground<'e> {
    call: &'e Call<'e>,
    entries: &'e [Entry<'e>],
    identities: &'e Identities<'e>,
    /// By position: the last version of the instance an entry names.
    latest: Vec<Option<Stored>>,
    /// By position: what is to be patched.
    patched: HashMap<usize, Bytes>,
}

/// An entry that stores a resource, and its JSON with what an update keeps of the version it replaces.
struct Draft<'e> {
    entry: &'e Entry<'e>,
    kind: ResourceType,
    json: Cow<'e, [u8]>,
}

/// A draft that is read, and the places where it names others.
struct Page<'d> {
    draft: &'d Draft<'d>,
    tree: Tree<'d>,
    sites: Sites,
}

/// By position: what the entries' instances are called, and the dossiers of the Binaries that others bear.
type Assigned = (Vec<Option<Assignment>>, HashMap<usize, Part>);

/// Prepares the writes of `entries` against the versions that are there now.
///
/// # Errors
/// Whatever an entry would be refused for, said of its place.
pub(super) async fn prepare(call: &Call<'_>, entries: &[Entry<'_>], identities: &Identities<'_>) -> Outcome<Prepared> {
    let mut ground = Ground { call, entries, identities, latest: latest(call, entries).await?, patched: HashMap::new() };
    all(entries.iter().map(|entry| ground.check(entry)))?;
    ground.read_patched().await?;
    let drafts = ground.drafts().await?;
    let pages = ground.pages(&drafts).await?;
    let assigned = ground.assign(&pages).await?;
    let mut prepared = ground.fill_all(&pages, &assigned).await?;
    for entry in entries.iter().filter(|entry| entry.request.interaction == Interaction::Delete) {
        ground.empty(entry, &mut prepared)?;
    }
    Ok(prepared)
}

/// Lets other requests of this thread go on now and then.
async fn take_turns(turn: usize) {
    if turn % ENTRIES_PER_TURN == ENTRIES_PER_TURN - 1 {
        tokio::task::yield_now().await;
    }
}

async fn latest(call: &Call<'_>, entries: &[Entry<'_>]) -> Outcome<Vec<Option<Stored>>> {
    let named: Vec<_> = entries.iter().filter_map(|entry| Some((entry.at, entry.target()?))).collect();
    let mut latest = vec![None; entries.len()];
    if named.is_empty() {
        return Ok(latest);
    }
    let names = named.iter().map(|(_, (kind, id))| (*kind, (*id).clone())).collect();
    let found = call.engine.store.read_many(call.access, names).await?;
    for ((at, _), stored) in named.into_iter().zip(found) {
        if let Some(place) = latest.get_mut(at) {
            *place = stored;
        }
    }
    Ok(latest)
}

impl Ground<'_> {
    fn latest(&self, entry: &Entry<'_>) -> Option<&Stored> {
        self.latest.get(entry.at).and_then(Option::as_ref)
    }

    fn check(&self, entry: &Entry<'_>) -> Outcome<()> {
        if entry.reads() {
            return Ok(());
        }
        precondition::check_write(&entry.request.preconditions, self.latest(entry)).map_err(|failure| entry.located(failure))
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

    async fn drafts(&self) -> Outcome<Vec<Draft<'_>>> {
        let mut drafts = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            if entry.stores() {
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
            replies: vec![Reply::default(); self.entries.len()],
        };
        for (entry, status, write) in all(filled.into_iter())? {
            let prefer = (self.call.request.prefer.returns, Return::Minimal);
            let receipt = match repeated(&write, self.latest(entry))? {
                Some(stored) => {
                    prepared.standing.push(stored.clone());
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

    fn draft<'e>(&'e self, entry: &'e Entry<'e>) -> Outcome<Draft<'e>> {
        let patch = |before: &Bytes| {
            let (kind, id) = entry.request.instance()?;
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
        let sites = search.sites(tree.root(), draft.kind).map_err(|failure| draft.entry.located(failure))?;
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
                Site::Narrative => None,
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
        match (key, &entry.request.id) {
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
            match (&entry.request.id, kind) {
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
        let borne = self.borne(pages, &assigned)?;
        let mut others = Vec::new();
        for page in pages {
            let (entry, kind) = (page.draft.entry, page.draft.kind);
            if entry.request.id.is_none() && kind != ResourceType::Patient {
                take_turns(others.len()).await;
                others.push((entry.at, Assignment::new(kind, context.new_key(self.home(page, &assigned, &borne)?))));
            }
        }
        for (at, assignment) in others {
            if let Some(place) = assigned.get_mut(at) {
                *place = Some(assignment);
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
        replacement(node, &page.sites, assigned, (self.identities, page.draft.entry.at))
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
            _ if assignment.key.is_some() => Method::Post,
            _ => Method::Put,
        };
        let write = if page.sites.is_empty() {
            target.filled(engine, &page.tree, method, None)
        } else {
            target.rewritten(engine, &page.tree, method, &|node| self.replaced(page, assigned, node))
        };
        Ok((entry, status, write.map_err(|failure| entry.located(failure))?))
    }

    fn empty(&self, entry: &Entry<'_>, prepared: &mut Prepared) -> Outcome<()> {
        let (kind, id) = entry.request.instance()?;
        let engine = self.call.engine;
        let answer = delete::answer(entry.request.prefer);
        let response = match self.latest(entry) {
            Some(stored) if stored.body.is_some() => {
                let write = Target { kind, id: id.clone(), key: stored.key, latest: Some(stored) }.emptied(engine);
                let response = answer.about(write.version, write.updated);
                prepared.writes.push(write);
                response
            }
            Some(stored) => answer.about(stored.version, stored.updated),
            None => answer,
        };
        prepared.reply(entry.at, response, engine.base_url());
        Ok(())
    }
}

impl Prepared {
    fn reply(&mut self, at: usize, response: Response, base_url: &str) {
        if let Some(place) = self.replies.get_mut(at) {
            *place = Reply::done(response, base_url);
        }
    }
}
