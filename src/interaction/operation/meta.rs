//! `$meta`, `$meta-add` and `$meta-delete` (R4 resource-operations.html): the profiles, security labels and tags of a version, of an
//! instance, and with `$meta` of a type or of everything.
//!
//! To add to the current version or to delete from it makes another one, as every change does. An older version is amended where it
//! rests: history keeps its numbers and moments.

use std::collections::HashSet;

use bytes::Bytes;

use crate::fhir::ResourceType;
use crate::fhir::json::{Node, Tree};
use crate::interaction::call::{MAX_ATTEMPTS, Standing, Work, contended};
use crate::interaction::labels::{LISTS, Label, LabelKey, labels, united, with_labels};
use crate::interaction::patch;
use crate::interaction::text::with_members;
use crate::interaction::write::{Target, repeated};
use crate::interaction::{Call, Interaction, Response, body, precondition, read};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::{Handling, PageSize, Query, Scope};
use crate::store::change::{Amendment, Method};
use crate::store::{Stored, Text};

/// How many resources the labels of a type or of everything are read from.
const MAX_READ_RESOURCES: usize = 10_000;
/// How many of them at a time.
const PAGE_RESOURCES: u32 = 1_000;

/// The parameters that find what bears a label.
const BEARING: [&str; 3] = ["_profile:missing", "_security:missing", "_tag:missing"];

/// What is done with the labels that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Add,
    Delete,
}

/// `$meta`: what there is.
pub(super) async fn meta(call: &Call<'_>) -> Outcome<Response> {
    if call.request.id.is_none() {
        return Ok(told(&with_labels(None, &all_labels(call).await?), call));
    }
    let stored = addressed(call).await?;
    let text = read::present(&stored)?;
    let tree = body::parse(text.json())?;
    let meta = tree.root().member("meta").map(Node::raw).unwrap_or_default();
    Ok(Response { part: Some(stored.key.part), ..told(meta, call) }.about(stored.version, stored.updated))
}

/// `$meta-add`, `$meta-delete`: the labels that are sent are there, or are not, whatever was before.
pub(super) async fn changed(call: &Call<'_>, sense: Sense) -> Outcome<Response> {
    call.refuse_parameters(&["_format", "_pretty"])?;
    let sent = sent(call)?;
    let (kind, id) = call.request.instance()?;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = call.engine.turns.take(attempt, (kind, id)).await;
        let latest = call.engine.store.read(call.access, kind, id).await?;
        precondition::check_write(&call.request.preconditions, latest.as_ref())?;
        let latest = latest.ok_or_else(read::absent)?;
        let answer = match call.request.version.filter(|version| *version != latest.version) {
            None => revised(call, &latest, (sense, &sent)).await?,
            Some(_) => amended(call, &addressed(call).await?, (sense, &sent)).await?,
        };
        if let Some(answer) = answer {
            return Ok(answer);
        }
    }
    Err(contended())
}

/// The version that the URL names, the current one where it names none.
async fn addressed(call: &Call<'_>) -> Outcome<Stored> {
    let (kind, id) = call.request.instance()?;
    let found = match call.request.version {
        Some(version) => call.engine.store.version(call.access, kind, id, version).await?,
        None => call.engine.store.read(call.access, kind, id).await?,
    };
    found.ok_or_else(read::absent)
}

/// The labels that are sent, list by list.
type Sent = [Vec<Label>; 3];

fn sent(call: &Call<'_>) -> Outcome<Sent> {
    let content = call.request.body.as_ref().filter(|content| !content.is_empty());
    let content = content.ok_or_else(|| Failure::new(Kind::Malformed, "Parameters with a meta are expected"))?;
    let tree = body::parse(body::json_only(content)?)?;
    body::check_type(&tree, ResourceType::Parameters)?;
    body::check_form(call.engine, &tree, ResourceType::Parameters)?;
    let mut parameters = tree.root().member("parameter").map(Node::items).into_iter().flatten();
    match (parameters.next(), parameters.next()) {
        (Some(one), None) if one.member("name").and_then(Node::string).as_deref() == Some("meta") => {
            let meta = one.member("valueMeta");
            meta.map(|meta| LISTS.map(|list| labels(Some(meta), list))).ok_or_else(no_meta)
        }
        _ => Err(no_meta()),
    }
}

fn no_meta() -> Failure {
    let issue = Issue::error(IssueCode::Required, "one parameter is expected: meta, a Meta").at("Parameters.parameter");
    Failure::with_issues(Kind::Malformed, vec![issue])
}

/// The `meta` of `tree` once that is done; `None`: nothing is to be done.
fn meta_after(tree: &Tree<'_>, (sense, sent): (Sense, &Sent)) -> Option<String> {
    let meta = tree.root().member("meta");
    let mut is_changed = false;
    let lists = LISTS.iter().zip(sent).map(|(list, sent)| {
        let own = labels(meta, list);
        let count = own.len();
        let after = match sense {
            Sense::Add => united(own, sent.clone()),
            Sense::Delete => own.into_iter().filter(|label| !label.is_in(sent)).collect(),
        };
        is_changed |= after.len() != count;
        (*list, after)
    });
    let lists: Vec<(&str, Vec<Label>)> = lists.collect();
    is_changed.then(|| with_labels(meta, &lists))
}

/// Another version of the instance, if there is something to be changed; `None`: the ground moved.
async fn revised(call: &Call<'_>, latest: &Stored, change: (Sense, &Sent)) -> Outcome<Option<Response>> {
    let whole = patch::whole(call.engine, latest).await?;
    let tree = body::parse(&whole)?;
    let json = meta_after(&tree, change).map(|meta| with_members(tree.root(), &[("meta", Some(meta))]));
    let json = json.as_deref().map_or(&whole[..], str::as_bytes);
    let tree = body::parse(json)?;
    let target = Target { kind: latest.kind, id: latest.id.clone(), key: latest.key, latest: Some(latest) };
    let write = target.filled(call.engine, &tree, Method::Put, None)?;
    let (version, updated) = (write.version, write.updated);
    if let Some(stored) = repeated(&write, Some(latest))? {
        let meta = tree.root().member("meta").map(Node::raw).unwrap_or_default();
        let is_done =
            call.commit(Work { standing: vec![Standing { stored, asked: Interaction::Update }], ..Work::default() }).await?;
        let answer = Response { is_journaled: true, ..told(meta, call) }.about(stored.version, stored.updated);
        return Ok(is_done.then_some(answer));
    }
    let text = write.text()?.ok_or_else(|| Failure::fault("a revision has no body"))?;
    let made = body::parse(text.json())?;
    let meta = made.root().member("meta").map(Node::raw).unwrap_or_default().to_owned();
    let is_done = call.commit(vec![write].into()).await?;
    Ok(is_done.then(|| Response { is_journaled: true, ..told(&meta, call) }.about(version, updated)))
}

/// An older version, amended where it rests; `None`: the ground moved.
async fn amended(call: &Call<'_>, stored: &Stored, change: (Sense, &Sent)) -> Outcome<Option<Response>> {
    let text = read::present(stored)?;
    let tree = body::parse(text.json())?;
    let old = tree.root().member("meta").ok_or_else(|| Failure::fault("a version has no meta"))?;
    let about = |meta: &str| Response { part: Some(stored.key.part), ..told(meta, call) }.about(stored.version, stored.updated);
    let Some(meta) = meta_after(&tree, change) else { return Ok(Some(about(old.raw()))) };
    let span = old.span();
    if text.holes().iter().any(|hole| span.contains(&hole.at())) {
        return Err(Failure::new(Kind::RuleRefused, "the meta of this version holds content that is too long to be amended"));
    }
    let (before, after) = (text.piece(0..span.start), text.piece(span.end..text.json().len()));
    let json = [&before.json()[..], meta.as_bytes(), &after.json()[..]].concat();
    let holes = after.holes_from(span.start + meta.len());
    let amendment = Amendment {
        kind: stored.kind,
        key: stored.key,
        version: stored.version,
        replaced: stored.body.clone().unwrap_or_default(),
        body: Text::with_holes(json, before.holes_from(0).chain(holes).collect()).into_stored(),
    };
    let is_done = call.amend(amendment, stored).await?;
    Ok(is_done.then(|| Response { is_journaled: true, ..about(&meta) }))
}

/// The labels of everything that the URL names: a type, or all of them.
async fn all_labels(call: &Call<'_>) -> Outcome<[(&'static str, Vec<Label>); 3]> {
    let (mut found, mut count) = (Found::default(), 0);
    for bearing in BEARING {
        let mut plan = plan(call, bearing)?;
        loop {
            let page = call.engine.store.search(call.access, plan.clone()).await?;
            count += page.matches.len();
            if count > MAX_READ_RESOURCES {
                let told =
                    format!("more than {MAX_READ_RESOURCES} resources bear labels: ask for those of a type or an instance");
                return Err(Failure::new(Kind::TooCostly, told));
            }
            for bearer in &page.matches {
                found.add(&bearer.stored)?;
            }
            match page.matches.last().filter(|_| page.more) {
                Some(last) => plan.after = Some(last.position.clone()),
                None => break,
            }
        }
    }
    Ok(found.lists())
}

/// What was found so far, each label once.
#[derive(Default)]
struct Found([Vec<Label>; 3], HashSet<(&'static str, LabelKey)>);

impl Found {
    fn add(&mut self, stored: &Stored) -> Outcome<()> {
        let text = read::present(stored)?;
        let tree = body::parse(text.json())?;
        for (list, all) in LISTS.into_iter().zip(&mut self.0) {
            let new = labels(tree.root().member("meta"), list).into_iter();
            all.extend(new.filter(|label| self.1.insert((list, label.key().clone()))));
        }
        Ok(())
    }

    fn lists(self) -> [(&'static str, Vec<Label>); 3] {
        let mut all = self.0.into_iter();
        LISTS.map(|list| (list, all.next().unwrap_or_default()))
    }
}

fn plan(call: &Call<'_>, bearing: &str) -> Outcome<crate::search::plan::Plan> {
    let indexer = call.engine.indexer();
    let scope = call.request.kind.map_or_else(Scope::of_system, Scope::of_type);
    let asked = [(bearing.to_owned(), "false".to_owned())];
    let query = Query::parse(indexer.registry(), scope, &asked, Handling::Strict)?;
    query.plan(&indexer, PageSize { default: PAGE_RESOURCES, max: PAGE_RESOURCES }, call.engine.context.now())
}

/// The Parameters that return `meta`. Where nothing bears a label, it says when that was so, since it must say something.
fn told(meta: &str, call: &Call<'_>) -> Response {
    let moment = || format!("{{\"lastUpdated\":\"{}\"}}", call.engine.context.now());
    let meta = if matches!(meta, "" | "{}") { moment() } else { meta.to_owned() };
    let json = format!("{{\"resourceType\":\"Parameters\",\"parameter\":[{{\"name\":\"return\",\"valueMeta\":{meta}}}]}}");
    Response::of(Bytes::from(json))
}
