//! history: `GET [base]/[type]/[id]/_history`, `GET [base]/[type]/_history`, `GET [base]/_history` (R4 http.html §history), newest
//! first, deletions included. Pages are cut at a version, so that what is written meanwhile moves nothing.

use super::bundle::{Bundle, EntryResponse};
use super::{Call, Interaction, Response, read};
use crate::fhir::json::{Node, Tree};
use crate::fhir::{InstanceId, Instant, Part, Reference, ResourceType, VersionId};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::Name;
use crate::search::plan::{Position, SortValue, Turn};
use crate::search::query::PAGE_PARAMETER;
use crate::store::change::Method;
use crate::store::{Moment, Stored, Stretch, Versions, Whose};

const COUNT: &str = "_count";
const SINCE: &str = "_since";
const AT: &str = "_at";
const LIST: &str = "_list";
/// What decides which versions there are, on whatever page.
const DECIDING: [&str; 3] = [SINCE, AT, LIST];

pub(super) async fn history(call: &Call<'_>) -> Outcome<Response> {
    call.refuse_parameters(&[COUNT, SINCE, AT, LIST, PAGE_PARAMETER, "_format", "_pretty"])?;
    let asked = Asked::read(call)?;
    let (whose, part) = whose(call, asked.list.as_ref()).await?;
    let versions = call.engine.store.history(call.access, whose, asked.stretch.clone()).await?;
    let page = Page { call, asked: &asked, versions: &versions };
    Ok(Response { part, ..Response::of(page.bundle()?.finish()) })
}

/// What the query of a history asks.
#[derive(Clone, Debug)]
struct Asked {
    stretch: Stretch,
    /// `_list`
    list: Option<InstanceId>,
    /// Which way a link led to this page; `None`: it is the first.
    came: Option<Way>,
}

/// Which way a link leads through the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Onward,
    Back,
}

impl Asked {
    fn read(call: &Call<'_>) -> Outcome<Self> {
        let limits = &call.engine.limits;
        let stretch = Stretch { count: limits.page_resources, since: None, at: None, after: None, backward: false };
        let mut asked = Self { stretch, list: None, came: None };
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in &call.request.parameters {
            if seen.contains(&name.as_str()) {
                return Err(invalid(name, "is given more than once"));
            }
            seen.push(name);
            asked.take(call, name, value)?;
        }
        Ok(asked)
    }

    fn take(&mut self, call: &Call<'_>, name: &str, value: &str) -> Outcome<()> {
        match name {
            COUNT => {
                let count: u32 = value.parse().map_err(|_| invalid(name, "is not a whole number"))?;
                self.stretch.count = count.min(call.engine.limits.page_max_resources);
            }
            SINCE => {
                let covered = call.engine.indexer().range(value).ok_or_else(|| invalid(name, "is not an instant"))?;
                self.stretch.since = Some(Instant::from_micros(covered.low));
            }
            AT => {
                let range = call.engine.indexer().range(value);
                self.stretch.at = Some(range.ok_or_else(|| invalid(name, "is not a date"))?);
            }
            LIST => {
                let id = value.strip_prefix("List/").unwrap_or(value);
                self.list = Some(id.parse().map_err(|_| invalid(name, "is not the id of a List"))?);
            }
            PAGE_PARAMETER => {
                let turn = call.engine.indexer().turn(&identity(call), value, call.engine.context.now())?;
                let (after, way) = moment(&turn).ok_or_else(|| invalid(name, "is not one of a history"))?;
                self.stretch.after = Some(after);
                self.stretch.backward = way == Way::Back;
                self.came = Some(way);
            }
            _ => {}
        }
        Ok(())
    }
}

fn invalid(name: &str, what: &str) -> Failure {
    Failure::new(Kind::InvalidParameter, format!("{name} {what}")).at(format!("http.{name}"))
}

/// What decides which versions there are and who asks, as bytes: a link to a page belongs to it.
fn identity(call: &Call<'_>) -> Vec<u8> {
    let request = call.request;
    let mut bytes = format!("{} {:?} {:?} ", request.interaction, request.kind, request.id).into_bytes();
    bytes.extend_from_slice(call.principal.name().as_bytes());
    for (name, value) in request.parameters.iter().filter(|(name, _)| DECIDING.contains(&name.as_str())) {
        bytes.extend_from_slice(&[0xFF]);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&[0xFE]);
        bytes.extend_from_slice(value.as_bytes());
    }
    bytes
}

fn moment(turn: &Turn) -> Option<(Moment, Way)> {
    let (position, way) = match turn {
        Turn::After(position) => (position, Way::Onward),
        Turn::Before(position) => (position, Way::Back),
        Turn::Last => return None,
    };
    match position.values.as_slice() {
        [SortValue::Time(updated), SortValue::Number(version)] => {
            let (updated, version) = (Instant::from_micros(*updated), VersionId(*version as i64));
            Some((Moment { updated, key: position.key, version }, way))
        }
        _ => None,
    }
}

fn position(moment: Moment) -> Position {
    let values = vec![SortValue::Time(moment.updated.micros()), SortValue::Number(moment.version.0 as f64)];
    Position { values, key: moment.key }
}

/// Whose history it is, and the dossier it keeps to, where it keeps to one.
async fn whose(call: &Call<'_>, list: Option<&InstanceId>) -> Outcome<(Whose, Option<Part>)> {
    let mut part = None;
    let whole = match (call.request.interaction, call.request.kind) {
        (Interaction::HistoryInstance, _) => {
            let (kind, id) = call.request.instance()?;
            let stored = call.engine.store.read(call.access, kind, id).await?.ok_or_else(read::absent)?;
            part = Some(stored.key.part);
            Whose::from((kind, id.clone()))
        }
        (_, Some(kind)) => Whose::Type(kind),
        (_, None) => Whose::System,
    };
    let Some(list) = list else { return Ok((whole, part)) };
    let mut names = members(call, list).await?;
    match &whole {
        Whose::Instances(only) => names.retain(|name| only.contains(name)),
        Whose::Type(kind) => names.retain(|(of, _)| of == kind),
        Whose::System => {}
    }
    Ok((Whose::Instances(names), part))
}

/// What a List has as items here; nothing where there is no such List.
async fn members(call: &Call<'_>, list: &InstanceId) -> Outcome<Vec<Name>> {
    let Some(stored) = call.engine.store.read(call.access, ResourceType::List, list).await? else { return Ok(Vec::new()) };
    let Some(text) = stored.text()? else { return Ok(Vec::new()) };
    let tree = Tree::parse(text.json()).map_err(Failure::fault)?;
    let entries = tree.root().member("entry").into_iter().flat_map(Node::items);
    let reference = |entry: Node<'_>| entry.member("item")?.member("reference")?.string().map(|text| text.into_owned());
    let named = |text: String| match Reference::read(&text, &call.engine.base_url) {
        Reference::Instance { kind, id, .. } => Some((kind, id)),
        _ => None,
    };
    Ok(entries.filter_map(reference).filter_map(named).collect())
}

struct Page<'a> {
    call: &'a Call<'a>,
    asked: &'a Asked,
    versions: &'a Versions,
}

impl Page<'_> {
    fn bundle(&self) -> Outcome<Bundle> {
        let mut bundle = Bundle::new("history", self.call.engine.context.now());
        if let Some(total) = self.versions.total {
            bundle.total(total);
        }
        let links = self.links();
        bundle.links(&links.iter().map(|(relation, url)| (*relation, url.as_str())).collect::<Vec<_>>());
        for stored in &self.versions.found {
            self.push(&mut bundle, stored)?;
        }
        Ok(bundle)
    }

    fn links(&self) -> Vec<(&'static str, String)> {
        let own = self.call.request.parameter(PAGE_PARAMETER).map(str::to_owned);
        let mut links = vec![("self", self.url(own))];
        let (before, after) = match self.asked.came {
            None => (false, self.versions.more),
            Some(Way::Onward) => (true, self.versions.more),
            Some(Way::Back) => (self.versions.more, true),
        };
        if before || after {
            links.push(("first", self.url(None)));
        }
        let end = |stored: &Stored| position(Moment::of(stored));
        let previous = self.versions.found.first().filter(|_| before).map(|first| ("previous", Turn::Before(end(first))));
        let next = self.versions.found.last().filter(|_| after).map(|last| ("next", Turn::After(end(last))));
        links
            .extend([previous, next].into_iter().flatten().map(|(relation, turn)| (relation, self.url(Some(self.token(&turn))))));
        links
    }

    fn token(&self, turn: &Turn) -> String {
        let engine = self.call.engine;
        let expires = engine.context.now().after_seconds(engine.limits.page_seconds);
        engine.indexer().token(&identity(self.call), turn, expires)
    }

    fn url(&self, page: Option<String>) -> String {
        let request = self.call.request;
        let kept = request.parameters.iter().filter(|(name, _)| name != COUNT && name != PAGE_PARAMETER).cloned();
        let mut parameters = vec![(COUNT.to_owned(), self.asked.stretch.count.to_string())];
        parameters.extend(kept);
        parameters.extend(page.map(|token| (PAGE_PARAMETER.to_owned(), token)));
        request.url(&self.call.engine.base_url, &parameters)
    }

    fn push(&self, bundle: &mut Bundle, stored: &Stored) -> Outcome<()> {
        let path = format!("{}/{}", stored.kind, stored.id);
        let full_url = format!("{}/{path}", self.call.engine.base_url);
        let text = stored.text()?;
        let mut entry = bundle.entry(text.as_ref().map_or(0, |text| text.json().len())).full_url(&full_url);
        if let Some(text) = &text {
            entry = entry.resource(text);
        }
        let (url, status) = match stored.method {
            Method::Post => (stored.kind.name(), "201 Created"),
            Method::Put if stored.version == VersionId::FIRST => (path.as_str(), "201 Created"),
            Method::Put | Method::Patch => (path.as_str(), "200 OK"),
            Method::Delete => (path.as_str(), "204 No Content"),
        };
        let response =
            EntryResponse { status, location: None, version: Some(stored.version), updated: Some(stored.updated), outcome: None };
        entry.request(stored.method.verb(), url).response(&response).end();
        Ok(())
    }
}
