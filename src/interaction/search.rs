//! search of one type: `GET [base]/[type]?…` and `POST [base]/[type]/_search` (R4 search.html). The page is put together from
//! stored bytes; nothing is read again.

use bytes::Bytes;

use super::bundle::{Bundle, SearchMode};
use super::parameters::push_query;
use super::{Call, Response};
use crate::fhir::{Part, ResourceType};
use crate::outcome::{Outcome, operation_outcome};
use crate::search::{PageSize, Query};
use crate::store::Page;

pub(super) async fn search(call: &Call<'_>) -> Outcome<Response> {
    let kind = call.request.kind()?;
    let engine = call.engine;
    let query = Query::parse(engine.registry, kind, &call.request.parameters, call.request.prefer.handling)?;
    let size = PageSize { default: engine.limits.page_resources, max: engine.limits.page_max_resources };
    let plan = query.plan(&engine.indexer, size, engine.context.now())?;
    let part = single(plan.dossiers.as_deref());
    let page = engine.store.search(call.access, plan).await?;
    Ok(Response { part, ..Response::of(searchset(call, kind, &query, &page)?.finish()) })
}

/// The dossier a search keeps to, where it keeps to one.
fn single(dossiers: Option<&[Part]>) -> Option<Part> {
    match dossiers {
        Some([part]) => Some(*part),
        _ => None,
    }
}

fn searchset(call: &Call<'_>, kind: ResourceType, query: &Query, page: &Page) -> Outcome<Bundle> {
    let engine = call.engine;
    let mut bundle = Bundle::new("searchset", engine.context.now());
    if let Some(total) = page.total {
        bundle.total(total);
    }
    let url = |parameters: &[(String, String)]| {
        let mut url = format!("{}/{kind}", engine.base_url);
        push_query(&mut url, parameters);
        url
    };
    let this = url(query.self_parameters());
    let last = page.matches.last().filter(|_| page.more);
    let next = last.map(|last| url(&query.next_parameters(&engine.indexer, &last.position)));
    let links: Vec<(&str, &str)> =
        std::iter::once(("self", this.as_str())).chain(next.as_deref().map(|url| ("next", url))).collect();
    bundle.links(&links);
    bundle.reserve(page.matches.iter().map(|found| found.stored.body.as_ref().map_or(0, Bytes::len)));
    for found in &page.matches {
        let stored = &found.stored;
        let Some(text) = stored.text()? else { continue };
        let full_url = format!("{}/{}/{}", engine.base_url, stored.kind, stored.id);
        bundle.entry(text.json().len()).full_url(&full_url).resource(&text).search(SearchMode::Match).end();
    }
    if !query.ignored().is_empty() {
        let outcome = operation_outcome(query.ignored()).to_string();
        bundle.entry(outcome.len()).resource(&Bytes::from(outcome).into()).search(SearchMode::Outcome).end();
    }
    Ok(bundle)
}
