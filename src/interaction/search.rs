//! search of one type, of several, of a compartment: `GET [base]/[type]?…`, `GET [base]?…`, `GET [base]/Patient/[id]/[type]?…`, and
//! the same with `POST …/_search` (R4 search.html). The page is put together from stored bytes; nothing is read again.

use bytes::Bytes;

use super::bundle::{Bundle, SearchMode};
use super::include::{Included, MAX_ROUNDS, included};
use super::subset::Subset;
use super::{Body, Call, Response, Status, Wanted};
use crate::definition::Compartment;
use crate::fhir::Part;
use crate::outcome::{Issue, IssueCode, Outcome, operation_outcome};
use crate::search::plan::{Plan, Turn};
use crate::search::{PageSize, Query, Scope, Within};
use crate::store::{Page, Stored, Text};

pub(super) async fn search(call: &Call<'_>) -> Outcome<Response> {
    let engine = call.engine;
    let (query, plan) = planned(call)?;
    let came = Way::of(&plan);
    let part = patient_part(call.request.within.as_ref()).or_else(|| single(plan.dossiers.as_deref()));
    let page = engine.store.search(call.access, plan).await?;
    let included = included(call, &query.result().inclusions, &page.matches).await?;
    let answer = Answer { call, query: &query, page: &page, included: &included, came };
    let body = match call.request.wanted {
        Wanted::Lines => Body::Lines { text: answer.lines()?, links: answer.links() },
        Wanted::Resource | Wanted::Content | Wanted::ContentOfType(_) => Body::Resource(answer.searchset()?),
    };
    Ok(Response { part, body, ..Response::empty(Status::Ok) })
}

/// What is asked, understood.
pub(super) fn planned(call: &Call<'_>) -> Outcome<(Query, Plan)> {
    let (engine, indexer) = (call.engine, call.engine.indexer());
    let query = Query::parse(indexer.registry(), scope(call), &call.request.parameters, call.request.prefer.handling())?;
    let query = query.asked_by(call.principal.name());
    let size = PageSize { default: engine.limits.page_resources, max: engine.limits.page_max_resources };
    let plan = query.plan(&indexer, size, engine.context.now())?;
    Ok((query, plan))
}

/// Where the URL says that is to be looked.
fn scope(call: &Call<'_>) -> Scope {
    let (kind, registry) = (call.request.kind, call.engine.registry);
    match (&call.request.within, kind) {
        (Some(within), kind) => Scope::of_compartment(registry, within.clone(), kind),
        (None, Some(kind)) => Scope::of_type(kind),
        (None, None) => Scope::of_system(),
    }
}

/// The dossier of the patient whose compartment is searched.
fn patient_part(within: Option<&Within>) -> Option<Part> {
    within.filter(|within| within.compartment == Compartment::Patient).map(|within| Part::of_patient(&within.id))
}

/// The dossier a search keeps to, where it keeps to one.
fn single(dossiers: Option<&[Part]>) -> Option<Part> {
    match dossiers {
        Some([part]) => Some(*part),
        _ => None,
    }
}

/// A searchset: how many there are in all and where other pages are, what is shown of each resource, and what the client must know
/// beside it.
pub(super) fn searchset(
    call: &Call<'_>,
    (total, links): (Option<u64>, &[(&'static str, String)]),
    resources: &[(&Stored, Option<Text>, SearchMode)],
    told: &[Issue],
) -> Text {
    let mut bundle = Bundle::new("searchset", call.engine.context.now());
    if let Some(total) = total {
        bundle.total(total);
    }
    bundle.links(&links.iter().map(|(relation, url)| (*relation, url.as_str())).collect::<Vec<_>>());
    bundle.reserve(resources.iter().map(|(_, text, _)| text.as_ref().map_or(0, |text| text.json().len())));
    for (stored, text, mode) in resources {
        let Some(text) = text else { continue };
        let full_url = format!("{}/{}/{}", call.engine.base_url, stored.kind, stored.id);
        bundle.entry(text.json().len()).full_url(&full_url).resource(text).search(*mode).end();
    }
    if !told.is_empty() {
        let outcome: Text = Bytes::from(operation_outcome(told).to_string()).into();
        bundle.entry(outcome.json().len()).resource(&outcome).search(SearchMode::Outcome).end();
    }
    bundle.finish()
}

/// What a search found.
struct Answer<'a> {
    call: &'a Call<'a>,
    query: &'a Query,
    page: &'a Page,
    included: &'a Included,
    /// Which way a link led to this page; `None`: it is the first.
    came: Option<Way>,
}

/// Which way a link leads through the pages.
#[derive(Clone, Copy)]
enum Way {
    Onward,
    Back,
    ToTheEnd,
}

impl Way {
    fn of(plan: &Plan) -> Option<Self> {
        match (plan.backward, plan.after.is_some()) {
            (false, false) => None,
            (false, true) => Some(Self::Onward),
            (true, true) => Some(Self::Back),
            (true, false) => Some(Self::ToTheEnd),
        }
    }
}

impl Answer<'_> {
    fn searchset(&self) -> Outcome<Text> {
        let shown = |(stored, mode)| Ok((stored, self.shown(stored)?, mode));
        let resources = self.resources().map(shown).collect::<Outcome<Vec<_>>>()?;
        Ok(searchset(self.call, (self.page.total, &self.links()), &resources, &self.told()))
    }

    /// The same resources, one a line (`application/fhir+ndjson`). None has a line break: what rests is compact.
    fn lines(&self) -> Outcome<Text> {
        let (mut json, mut holes) = (Vec::new(), Vec::new());
        let mut push = |text: &Text| {
            holes.extend(text.holes_from(json.len()));
            json.extend_from_slice(text.json());
            json.push(b'\n');
        };
        for (stored, _) in self.resources() {
            self.shown(stored)?.iter().for_each(&mut push);
        }
        self.outcome().iter().for_each(&mut push);
        Ok(Text::with_holes(json, holes))
    }

    /// `previous` where something came before, `next` where something comes after (R4 http.html §paging); `first` of whatever was
    /// found, `last` of several pages. The last page is as long as any: what it begins with depends on no other page.
    fn links(&self) -> Vec<(&'static str, String)> {
        let mut links = vec![("self", self.url(self.query.self_parameters()))];
        if self.page.matches.is_empty() && self.came.is_none() {
            return links;
        }
        links.push(("first", self.url(&self.query.first_parameters().collect::<Vec<_>>())));
        let (before, after) = match self.came {
            None => (false, self.page.more),
            Some(Way::Onward) => (true, self.page.more),
            Some(Way::Back) => (self.page.more, true),
            Some(Way::ToTheEnd) => (self.page.more, false),
        };
        let ends = [("previous", before, self.page.matches.first()), ("next", after, self.page.matches.last())];
        for (relation, _, end) in ends.into_iter().filter(|(_, is_there, _)| *is_there) {
            let turn = end.map(|end| match relation {
                "previous" => Turn::Before(end.position.clone()),
                _ => Turn::After(end.position.clone()),
            });
            links.extend(turn.map(|turn| (relation, self.page_url(&turn))));
        }
        if before || after {
            links.push(("last", self.page_url(&Turn::Last)));
        }
        links
    }

    fn page_url(&self, turn: &Turn) -> String {
        let engine = self.call.engine;
        let expires = engine.context.now().after_seconds(engine.limits.page_seconds);
        self.url(&self.query.page_parameters(&engine.indexer(), turn, expires))
    }

    fn url(&self, parameters: &[(String, String)]) -> String {
        self.call.request.url(&self.call.engine.base_url, parameters)
    }

    /// What is shown of a resource.
    fn shown(&self, stored: &Stored) -> Outcome<Option<Text>> {
        let subset = Subset::of(self.query.result());
        match (stored.text()?, subset) {
            (Some(text), Some(subset)) => subset.taken(self.call.engine.registry, stored.kind, &text).map(Some),
            (text, _) => Ok(text),
        }
    }

    /// What stands on the page, in its order.
    fn resources(&self) -> impl Iterator<Item = (&Stored, SearchMode)> {
        let matches = self.page.matches.iter().map(|found| (&found.stored, SearchMode::Match));
        matches.chain(self.included.resources.iter().map(|stored| (stored, SearchMode::Include)))
    }

    /// What the client must know beside it: nothing that is an error (R4 search.html §errors).
    fn outcome(&self) -> Option<Text> {
        let told = self.told();
        (!told.is_empty()).then(|| Bytes::from(operation_outcome(&told).to_string()).into())
    }

    fn told(&self) -> Vec<Issue> {
        let cut = self.included.is_cut.then(|| {
            let most = self.call.engine.limits.include_resources;
            let text = format!(
                "more was to be included; limits.include_resources is {most}, references are followed {MAX_ROUNDS} times"
            );
            Issue::warning(IssueCode::Incomplete, text).at("http._include")
        });
        let pending = self.query.pending(&self.call.engine.indexer());
        self.query.ignored().iter().cloned().chain(pending).chain(cut).collect()
    }
}
