//! search of one type, of several, of a compartment: `GET [base]/[type]?…`, `GET [base]?…`, `GET [base]/Patient/[id]/[type]?…`, and
//! the same with `POST …/_search` (R4 search.html). The page is put together from stored bytes; nothing is read again.

use bytes::Bytes;

use super::bundle::{Bundle, SearchMode};
use super::include::{Included, MAX_ROUNDS, included};
use super::parameters::push_query;
use super::{Call, Response};
use crate::definition::Compartment;
use crate::fhir::Part;
use crate::outcome::{Issue, IssueCode, Outcome, operation_outcome};
use crate::search::{PageSize, Query, Scope, Within};
use crate::store::{Page, Stored};

pub(super) async fn search(call: &Call<'_>) -> Outcome<Response> {
    let engine = call.engine;
    let query = Query::parse(engine.registry, scope(call), &call.request.parameters, call.request.prefer.handling)?;
    let size = PageSize { default: engine.limits.page_resources, max: engine.limits.page_max_resources };
    let plan = query.plan(&engine.indexer, size, engine.context.now())?;
    let part = patient_part(call.request.within.as_ref()).or_else(|| single(plan.dossiers.as_deref()));
    let page = engine.store.search(call.access, plan).await?;
    let included = included(call, &query.result().inclusions, &page.matches).await?;
    let answer = Answer { call, query: &query, page: &page, included: &included };
    Ok(Response { part, ..Response::of(answer.searchset()?.finish()) })
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

/// What a search found.
struct Answer<'a> {
    call: &'a Call<'a>,
    query: &'a Query,
    page: &'a Page,
    included: &'a Included,
}

impl Answer<'_> {
    fn searchset(&self) -> Outcome<Bundle> {
        let mut bundle = Bundle::new("searchset", self.call.engine.context.now());
        if let Some(total) = self.page.total {
            bundle.total(total);
        }
        let this = self.url(self.query.self_parameters());
        let last = self.page.matches.last().filter(|_| self.page.more);
        let next = last.map(|last| self.url(&self.query.next_parameters(&self.call.engine.indexer, &last.position)));
        let links: Vec<(&str, &str)> =
            std::iter::once(("self", this.as_str())).chain(next.as_deref().map(|url| ("next", url))).collect();
        bundle.links(&links);
        bundle.reserve(self.resources().map(|(stored, _)| stored.body.as_ref().map_or(0, Bytes::len)));
        for (stored, mode) in self.resources() {
            let Some(text) = stored.text()? else { continue };
            let full_url = format!("{}/{}/{}", self.call.engine.base_url, stored.kind, stored.id);
            bundle.entry(text.json().len()).full_url(&full_url).resource(&text).search(mode).end();
        }
        let told = self.told();
        if !told.is_empty() {
            let outcome = operation_outcome(&told).to_string();
            bundle.entry(outcome.len()).resource(&Bytes::from(outcome).into()).search(SearchMode::Outcome).end();
        }
        Ok(bundle)
    }

    fn url(&self, parameters: &[(String, String)]) -> String {
        let mut url = self.call.engine.base_url.to_string();
        let request = self.call.request;
        if let Some(Within { compartment, id }) = &request.within {
            url.push_str(&format!("/{}/{id}", compartment.focus()));
        }
        match request.kind {
            Some(kind) => url.push_str(&format!("/{kind}")),
            None if request.within.is_some() => url.push_str("/*"),
            None => {}
        }
        push_query(&mut url, parameters);
        url
    }

    /// What stands on the page, in its order.
    fn resources(&self) -> impl Iterator<Item = (&Stored, SearchMode)> {
        let matches = self.page.matches.iter().map(|found| (&found.stored, SearchMode::Match));
        matches.chain(self.included.resources.iter().map(|stored| (stored, SearchMode::Include)))
    }

    /// What the client must know beside it: nothing that is an error (R4 search.html §errors).
    fn told(&self) -> Vec<Issue> {
        let cut = self.included.is_cut.then(|| {
            let most = self.call.engine.limits.include_resources;
            let text = format!(
                "more was to be included; limits.include_resources is {most}, references are followed {MAX_ROUNDS} times"
            );
            Issue::warning(IssueCode::Incomplete, text).at("http._include")
        });
        self.query.ignored().iter().cloned().chain(cut).collect()
    }
}
